# ruff: noqa
# grows a list without end (bounded at half a gigabyte)
# contained: fail MemoryError
# control: shown
block = []
while len(block) < 1 << 26:
    block.extend([0] * (1 << 20))
print("ESCAPED")
