# ruff: noqa
# forks as often as it can (bounded)
# contained: fail PermissionError
# control: shown
import os

for _ in range(10):
    if os.fork() == 0:
        os._exit(0)
print("ESCAPED")
