# ruff: noqa
# makes a process by the newest call
# contained: ok
# control: none: a mistake would fork the tests
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 435 if "@MACHINE@" == "x86_64" else 435
answer = libc.syscall(number, None, 0)
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
