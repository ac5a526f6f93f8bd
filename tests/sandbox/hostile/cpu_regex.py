# ruff: noqa
# makes the regular expression engine go through every path
# contained: timeout limit
# control: none: it takes years
import re

re.match(r"(a+)+$", "a" * 64 + "b")
