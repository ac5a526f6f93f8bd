# ruff: noqa
# appends to a file that exists
# contained: fail PermissionError
# control: shown
from pathlib import Path

with Path("@SCRATCH@/secret.txt").open("a") as file:
    file.write("and me")
print("ESCAPED")
