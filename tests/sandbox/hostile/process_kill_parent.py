# ruff: noqa
# signals the process that started it
# contained: fail PermissionError
# control: shown
import os

os.kill(os.getppid(), 0)
print("ESCAPED")
