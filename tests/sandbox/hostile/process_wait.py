# ruff: noqa
# waits for children that are not its own
# contained: fail PermissionError ChildProcessError
# control: none: a plain process has no children either
import os

os.waitpid(-1, os.WNOHANG)
print("ESCAPED")
