# ruff: noqa
# starts a program by descriptor
# contained: ok
# control: none: success would not return
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 322 if "@MACHINE@" == "x86_64" else 281
answer = libc.syscall(number, -100, b'/bin/true', None, None, 0)
if answer != -1:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
