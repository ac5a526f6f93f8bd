# ruff: noqa
# duplicates its record
# contained: fail PermissionError
# control: none: there is no record in a plain process
import os


os.dup(3)
print("ESCAPED")
