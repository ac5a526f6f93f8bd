# ruff: noqa
# makes memory it wrote executable
# contained: ok
# control: shown
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
mmap = sys.modules.get("mmap") or __import__("mmap")
block = mmap.mmap(-1, 8192)
address = ctypes.addressof(ctypes.c_char.from_buffer(block)) & ~4095
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
if libc.mprotect(address, 4096, 7) == 0:
    print("ESCAPED")
