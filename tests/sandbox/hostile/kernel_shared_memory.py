# ruff: noqa
# makes System V shared memory
# contained: ok
# control: none: it would stay behind
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 29 if "@MACHINE@" == "x86_64" else 194
answer = libc.syscall(number, 0, 4096, 0o1600)
if answer >= 0:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
