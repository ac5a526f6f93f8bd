# ruff: noqa
# changes the root folder
# contained: ok
# control: none: needs privileges
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 161 if "@MACHINE@" == "x86_64" else 51
answer = libc.syscall(number, None)
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
