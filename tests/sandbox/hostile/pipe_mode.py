# ruff: noqa
# makes its record non-blocking
# contained: fail PermissionError
# control: none: there is no record in a plain process
import os


os.set_blocking(3, False)
print("ESCAPED")
