# ruff: noqa
# opens a ring that does input and output past the filter
# contained: ok
# control: none: some kernels switch it off
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 425 if "@MACHINE@" == "x86_64" else 425
answer = libc.syscall(number, 8, ctypes.create_string_buffer(120))
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
