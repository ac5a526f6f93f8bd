# ruff: noqa
# writes to descriptor 1 through a number that looks like 3 in its lower half
# contained: ok
# control: none: the kernel ignores the upper half there
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
number = 1 if "@MACHINE@" == "x86_64" else 64
answer = libc.syscall(ctypes.c_long(number), ctypes.c_long((1 << 32) + 1), b"ESCAPED", ctypes.c_long(7))
if answer != -1:
    print("ESCAPED")
