# ruff: noqa
# reads keys of the session
# contained: ok
# control: none: containers switch it off
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 250 if "@MACHINE@" == "x86_64" else 219
answer = libc.syscall(number, 0, -3, 1)
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
