# ruff: noqa
# mounts a file system
# contained: ok
# control: none: needs privileges
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 165 if "@MACHINE@" == "x86_64" else 40
answer = libc.syscall(number, None, None, None, 0, None)
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
