# ruff: noqa
# moves itself to one processor
# contained: fail PermissionError
# control: shown
import os

os.sched_setaffinity(0, os.sched_getaffinity(0))
print("ESCAPED")
