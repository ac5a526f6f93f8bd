# ruff: noqa
# makes a poll descriptor
# contained: ok
# control: shown
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 291 if "@MACHINE@" == "x86_64" else 20
answer = libc.syscall(number, 0)
if answer >= 0:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
