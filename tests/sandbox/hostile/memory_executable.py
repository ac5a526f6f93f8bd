# ruff: noqa
# makes memory in which new machine code could run
# contained: fail PermissionError
# control: shown
import sys

mmap = sys.modules.get("mmap") or __import__("mmap")
mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
print("ESCAPED")
