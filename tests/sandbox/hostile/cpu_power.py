# ruff: noqa
# multiplies enormous integers, inside C code
# contained: timeout limit fail
# control: none: it takes hours
n = 7 ** (10**8)
