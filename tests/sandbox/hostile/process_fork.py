# ruff: noqa
# forks
# contained: fail PermissionError
# control: shown
import os

if os.fork() == 0:
    os._exit(0)
print("ESCAPED")
