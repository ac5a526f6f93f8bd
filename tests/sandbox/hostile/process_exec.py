# ruff: noqa
# becomes another program
# contained: fail PermissionError
# control: shown
import os

os.execv("/bin/echo", ["echo", "ESCAPED"])
