# ruff: noqa
# loops inside C code
# contained: timeout limit
# control: none: it takes weeks
sum(range(10**14))
