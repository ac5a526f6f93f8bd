# ruff: noqa
# reads the environment the process was started with
# contained: fail PermissionError
# control: shown
open("/proc/self/environ", "rb").read()
print("ESCAPED")
