# ruff: noqa
# prints for ever
# contained: limit
# control: none: it never ends
while True:
    print("x" * 1000)
