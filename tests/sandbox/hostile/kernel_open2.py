# ruff: noqa
# opens a file by the newest call
# contained: ok
# control: shown
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = 437 if "@MACHINE@" == "x86_64" else 437
answer = libc.syscall(number, -100, b'/etc/passwd', ctypes.create_string_buffer(24), 24)
if answer >= 0:
    print("ESCAPED", answer)
print(answer, ctypes.get_errno())
