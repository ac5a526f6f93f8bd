# ruff: noqa
# loops for ever
# contained: timeout limit
# control: none: it never ends
while True:
    pass
