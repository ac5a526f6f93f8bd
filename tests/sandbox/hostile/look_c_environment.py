# ruff: noqa
# looks for a secret in the environment that C code sees
# contained: ok fail
# control: shown
import sys

try:
    import ctypes
except ImportError:
    ctypes = sys.modules["ctypes"]
environment = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
number = 0
while environment and environment[number]:
    if b"hunter2" in environment[number]:
        print("ESCAPED")
    number += 1
