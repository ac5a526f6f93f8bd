# ruff: noqa
# types into the terminal it was started from
# contained: ok
# control: none: there may be no terminal
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 16 if "@MACHINE@" == "x86_64" else 29
answer = libc.syscall(number, 0, 0x5413, ctypes.create_string_buffer(64))
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
