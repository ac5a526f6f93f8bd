# ruff: noqa
# loads a program into the kernel
# contained: ok
# control: none: needs privileges
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 321 if "@MACHINE@" == "x86_64" else 280
answer = libc.syscall(number, 0, None, 0)
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
