# ruff: noqa
# removes the trace function that would stop it
# contained: timeout limit
# control: none: it never ends
import sys

while True:
    sys.settrace(None)
