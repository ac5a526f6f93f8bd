# ruff: noqa
# nests the program's text deeper than the parser's stack
# contained: fail killed ok
# control: none: a plain Python refuses it too
eval("(" * 100_000 + ")" * 100_000)
