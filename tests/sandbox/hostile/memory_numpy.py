# ruff: noqa
# takes half a gigabyte through NumPy
# contained: fail MemoryError _ArrayMemoryError
# control: shown
import numpy as np

block = np.ones(512 << 17)
print("ESCAPED")
