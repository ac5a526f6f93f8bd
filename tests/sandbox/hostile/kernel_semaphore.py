# ruff: noqa
# makes System V semaphores
# contained: ok
# control: none: it would stay behind
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 64 if "@MACHINE@" == "x86_64" else 190
answer = libc.syscall(number, 0, 1, 0o1600)
if answer >= 0:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
