# ruff: noqa
# lets a library make executable memory for a callback
# contained: ok fail killed
# control: none: a callback is no attack by itself
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
ctypes.CFUNCTYPE(ctypes.c_int)(int)
print("made")
