# ruff: noqa
# renames the machine
# contained: ok
# control: none: needs privileges
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 170 if "@MACHINE@" == "x86_64" else 161
answer = libc.syscall(number, b'x', -1)
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
