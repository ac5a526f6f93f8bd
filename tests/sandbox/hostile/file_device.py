# ruff: noqa
# opens a device
# contained: fail PermissionError
# control: shown
import os

os.open("/dev/null", os.O_RDWR)
print("ESCAPED")
