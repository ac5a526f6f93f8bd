# ruff: noqa
# sets the clock
# contained: ok
# control: none: needs privileges
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 227 if "@MACHINE@" == "x86_64" else 112
answer = libc.syscall(number, 0, None)
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
