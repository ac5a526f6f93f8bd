# ruff: noqa
# raises its limits by the other call
# contained: ok
# control: shown
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 302 if "@MACHINE@" == "x86_64" else 261
answer = libc.syscall(number, 0, 7, None, None, 0)
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
