# ruff: noqa
# imports a module from a folder of its own
# contained: fail ModuleNotFoundError
# control: shown
import sys

sys.path.insert(0, "@SCRATCH@")
import evil

print("ESCAPED", evil)
