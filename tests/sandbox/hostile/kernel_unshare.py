# ruff: noqa
# makes name spaces of its own
# contained: ok
# control: none: some machines forbid it
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 272 if "@MACHINE@" == "x86_64" else 97
answer = libc.syscall(number, 0x10000000)
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
