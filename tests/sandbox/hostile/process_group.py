# ruff: noqa
# signals its process group
# contained: fail PermissionError
# control: shown
import os

os.killpg(0, 0)
print("ESCAPED")
