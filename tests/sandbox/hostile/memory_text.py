# ruff: noqa
# doubles a text without end (bounded at half a gigabyte)
# contained: fail MemoryError
# control: shown
text = "x"
while len(text) < 512 << 20:
    text += text
print("ESCAPED")
