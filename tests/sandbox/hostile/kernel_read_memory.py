# ruff: noqa
# reads the memory of the process that started it
# contained: ok
# control: none: it needs an address that exists
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 310 if "@MACHINE@" == "x86_64" else 270
answer = libc.syscall(number, __import__('os').getppid(), None, 0, None, 0, 0)
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
