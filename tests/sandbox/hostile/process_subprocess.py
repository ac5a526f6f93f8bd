# ruff: noqa
# runs a command through the library
# contained: fail ModuleNotFoundError
# control: shown
import subprocess

print("ESCAPED", subprocess.run(["true"]))
