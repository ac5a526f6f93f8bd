# ruff: noqa
# takes memory and swallows the refusal, for ever
# contained: timeout limit
# control: none: it would fill the machine
blocks = []
while True:
    try:
        blocks.append(bytearray(8 << 20))
    except MemoryError:
        pass
