# ruff: noqa
# maps a file into memory
# contained: fail PermissionError
# control: shown
import numpy as np

np.memmap("@SCRATCH@/secret.txt", dtype=np.uint8, mode="r")
print("ESCAPED")
