# ruff: noqa
# handles its own page faults
# contained: ok
# control: none: some kernels switch it off
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 323 if "@MACHINE@" == "x86_64" else 282
answer = libc.syscall(number, 1)
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
