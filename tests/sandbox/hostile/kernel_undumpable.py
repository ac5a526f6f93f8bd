# ruff: noqa
# makes itself readable for others again
# contained: ok
# control: shown
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 157 if "@MACHINE@" == "x86_64" else 167
answer = libc.syscall(number, 4, 1, 0, 0, 0)
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
