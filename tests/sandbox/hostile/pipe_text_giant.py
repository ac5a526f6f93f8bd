# ruff: noqa
# prints one enormous line
# contained: limit fail
# control: none: printing is no attack on a plain process
print("x" * (40 << 20))
