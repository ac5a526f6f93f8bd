# ruff: noqa
# signals every process it may
# contained: fail PermissionError
# control: shown
import os

os.kill(-1, 0)
print("ESCAPED")
