# ruff: noqa
# removes a file
# contained: fail PermissionError
# control: shown
import os

os.remove("@SCRATCH@/secret.txt")
print("ESCAPED")
