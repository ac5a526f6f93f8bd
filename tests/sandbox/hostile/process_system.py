# ruff: noqa
# runs a command of the shell
# contained: ok fail
# control: shown
import os

if os.system("true") == 0:
    print("ESCAPED")
