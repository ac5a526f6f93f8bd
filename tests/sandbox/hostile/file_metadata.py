# ruff: noqa
# asks for the size of the file system
# contained: fail PermissionError
# control: shown
import os

print("ESCAPED", os.statvfs("/"))
