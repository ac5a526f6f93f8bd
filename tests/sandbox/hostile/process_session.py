# ruff: noqa
# leaves its session, to survive
# contained: fail PermissionError
# control: shown
import os

if os.getpid() == os.getpgid(0):
    raise SystemExit
os.setsid()
print("ESCAPED")
