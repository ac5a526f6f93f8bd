# ruff: noqa
# overflows the C stack
# contained: killed fail
# control: none: it crashes a plain Python too
import sys

sys.setrecursionlimit(1 << 30)
nested = []
for _ in range(1_000_000):
    nested = [nested]
repr(nested)
