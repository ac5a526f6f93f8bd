# ruff: noqa
# lists a folder
# contained: fail PermissionError
# control: shown
import os

print("ESCAPED", os.listdir("@SCRATCH@"))
