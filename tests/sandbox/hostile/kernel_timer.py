# ruff: noqa
# makes a timer descriptor
# contained: ok
# control: shown
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 283 if "@MACHINE@" == "x86_64" else 85
answer = libc.syscall(number, 1, 0)
if answer >= 0:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
