# ruff: noqa
# makes a folder
# contained: fail PermissionError
# control: shown
import os

os.mkdir("@SCRATCH@/folder")
print("ESCAPED")
