# ruff: noqa
# makes itself more important than others
# contained: fail PermissionError
# control: shown
import os

os.setpriority(os.PRIO_PROCESS, 0, 19)
print("ESCAPED")
