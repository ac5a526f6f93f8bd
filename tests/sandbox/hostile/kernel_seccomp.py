# ruff: noqa
# asks about the filter
# contained: ok
# control: shown
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 317 if "@MACHINE@" == "x86_64" else 277
answer = libc.syscall(number, 2, 0, ctypes.byref(ctypes.c_uint(0x7fff0000)))
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
