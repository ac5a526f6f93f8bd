# ruff: noqa
# renames a file
# contained: fail PermissionError
# control: shown
import os

os.rename("@SCRATCH@/secret.txt", "@SCRATCH@/stolen.txt")
print("ESCAPED")
