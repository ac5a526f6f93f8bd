# ruff: noqa
# becomes another user
# contained: fail PermissionError
# control: shown
import os

os.setresuid(*os.getresuid())
print("ESCAPED")
