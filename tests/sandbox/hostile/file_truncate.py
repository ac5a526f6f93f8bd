# ruff: noqa
# empties a file
# contained: fail PermissionError
# control: shown
import os

os.truncate("@SCRATCH@/secret.txt", 0)
print("ESCAPED")
