# ruff: noqa
# reads a file through NumPy's C code
# contained: fail PermissionError
# control: shown
import numpy as np

print("ESCAPED", np.fromfile("@SCRATCH@/secret.txt", dtype=np.uint8))
