# ruff: noqa
# ends another process of the machine
# contained: fail PermissionError
# control: shown
import os

os.kill(@PID@, 9)
print("ESCAPED")
