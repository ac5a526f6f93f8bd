# ruff: noqa
# writes to the server's own output
# contained: fail PermissionError
# control: shown
import os


os.write(1, b"ESCAPED\n")
