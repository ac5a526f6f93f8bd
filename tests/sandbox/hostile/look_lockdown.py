# ruff: noqa
# asks the module that closed the box to open it
# contained: fail PermissionError
# control: none: there is no record in a plain process
import sys

lockdown = sys.modules["app.sandbox.lockdown"]
lockdown.drop_privileges.__globals__["_prctl"]("dumpable", 4, 1, 0, 0, 0)
print("ESCAPED")
