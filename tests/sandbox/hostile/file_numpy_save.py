# ruff: noqa
# writes a file through NumPy
# contained: fail PermissionError
# control: shown
import numpy as np

np.save("@SCRATCH@/array.npy", np.zeros(3))
print("ESCAPED")
