# ruff: noqa
# looks for a secret in the environment
# contained: ok fail
# control: shown
import os

if any("hunter2" in value for value in os.environ.values()):
    print("ESCAPED")
