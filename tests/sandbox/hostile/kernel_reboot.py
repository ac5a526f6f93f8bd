# ruff: noqa
# stops the machine
# contained: ok
# control: none: obviously
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 169 if "@MACHINE@" == "x86_64" else 142
answer = libc.syscall(number, 0, 0, 0, None)
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
