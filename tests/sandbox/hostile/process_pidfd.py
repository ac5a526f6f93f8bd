# ruff: noqa
# takes hold of another process
# contained: fail PermissionError
# control: shown
import os

os.pidfd_open(int("@PID@"))
print("ESCAPED")
