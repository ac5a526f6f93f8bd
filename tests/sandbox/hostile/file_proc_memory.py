# ruff: noqa
# writes its own memory through /proc, past every page's protection
# contained: fail PermissionError
# control: shown
import os

os.open("/proc/self/mem", os.O_RDWR)
print("ESCAPED")
