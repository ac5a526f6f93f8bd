# ruff: noqa
# changes the mode of a file
# contained: fail PermissionError
# control: shown
import os

os.chmod("@SCRATCH@/secret.txt", 0o777)
print("ESCAPED")
