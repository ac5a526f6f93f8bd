# ruff: noqa
# reads a file of the server by the lowest call Python has
# contained: fail PermissionError
# control: shown
import os

text = os.read(os.open("@SCRATCH@/secret.txt", os.O_RDONLY), 100)
print("ESCAPED", text)
