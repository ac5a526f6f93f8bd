# ruff: noqa
# makes all memory executable
# contained: ok
# control: shown
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 135 if "@MACHINE@" == "x86_64" else 92
answer = libc.syscall(number, 0xffffffff)
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
