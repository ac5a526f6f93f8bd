# ruff: noqa
# opens a file by its handle
# contained: ok
# control: none: needs privileges
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 304 if "@MACHINE@" == "x86_64" else 265
answer = libc.syscall(number, -100, None, 0)
if answer >= 0:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
