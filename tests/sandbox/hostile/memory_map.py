# ruff: noqa
# maps anonymous memory
# contained: fail OSError MemoryError
# control: shown
import sys

mmap = sys.modules.get("mmap") or __import__("mmap")
block = mmap.mmap(-1, 512 << 20)
print("ESCAPED")
