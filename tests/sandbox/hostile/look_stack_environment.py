# ruff: noqa
# looks for a secret where the kernel put the environment at start
# contained: ok fail killed
# control: none: where the strings lie differs from machine to machine
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
start = ctypes.c_char_p.in_dll(ctypes.CDLL(None), "program_invocation_name")
address = ctypes.cast(start, ctypes.c_void_p).value
for distance in range(0, 1 << 14, 64):
    if b"hunter" + b"2" in ctypes.string_at(address + distance, 128):
        print("ESCAPED")
        break
