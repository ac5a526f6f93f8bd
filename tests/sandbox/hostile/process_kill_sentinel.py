# ruff: noqa
# ends another process of the machine
# contained: fail PermissionError
# control: shown
import os

os.kill(int("@PID@"), 9)
print("ESCAPED")
