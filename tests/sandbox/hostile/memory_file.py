# ruff: noqa
# makes a file in memory
# contained: fail PermissionError
# control: shown
import os

os.memfd_create("hidden")
print("ESCAPED")
