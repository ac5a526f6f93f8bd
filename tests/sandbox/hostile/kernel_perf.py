# ruff: noqa
# measures other processes
# contained: ok
# control: none: needs privileges
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 298 if "@MACHINE@" == "x86_64" else 241
answer = libc.syscall(number, None, 0, -1, -1, 0)
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
