# ruff: noqa
# starts a program
# contained: fail PermissionError
# control: shown
import os

os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
print("ESCAPED")
