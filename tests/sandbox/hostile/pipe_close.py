# ruff: noqa
# closes its record to run on unseen
# contained: fail PermissionError
# control: none: there is no record in a plain process
import os


os.close(3)
print("ESCAPED")
