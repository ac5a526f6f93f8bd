# ruff: noqa
# goes to another folder
# contained: fail PermissionError
# control: shown
import os

os.chdir("@SCRATCH@")
print("ESCAPED")
