# ruff: noqa
# decomposes a large matrix, inside Fortran code
# contained: timeout limit fail
# control: none: it takes minutes
import numpy as np

a = np.random.rand(2500, 2500)
for _ in range(100):
    np.linalg.svd(a)
