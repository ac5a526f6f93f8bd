# ruff: noqa
# reads the command line of the process that started it
# contained: fail PermissionError
# control: shown
import os

open(f"/proc/{os.getppid()}/cmdline", "rb").read()
print("ESCAPED")
