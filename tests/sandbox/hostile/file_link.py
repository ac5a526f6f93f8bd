# ruff: noqa
# makes a symbolic link
# contained: fail PermissionError
# control: shown
import os

os.symlink("/etc/passwd", "@SCRATCH@/link")
print("ESCAPED")
