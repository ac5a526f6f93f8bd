# ruff: noqa
# reserves address space without touching it
# contained: fail MemoryError _ArrayMemoryError
# control: shown
import numpy as np

block = np.empty(512 << 20, dtype=np.uint8)
print("ESCAPED")
