# ruff: noqa
# reads a file of the system
# contained: fail PermissionError
# control: shown
open("/etc/passwd").read()
print("ESCAPED")
