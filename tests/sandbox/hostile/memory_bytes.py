# ruff: noqa
# takes half a gigabyte at once
# contained: fail MemoryError
# control: shown
block = bytearray(512 << 20)
print("ESCAPED")
