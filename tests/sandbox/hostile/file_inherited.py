# ruff: noqa
# looks for descriptors the server left open
# contained: ok
# control: none: nothing is left open in a plain process either
import os

for number in range(64):
    if number == 0 or number == 3:
        continue
    try:
        os.read(number, 1)
        print("ESCAPED", number)
    except OSError:
        pass
