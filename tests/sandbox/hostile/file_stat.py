# ruff: noqa
# learns whether a file exists
# contained: ok fail
# control: shown
import os

if os.path.exists("@SCRATCH@/secret.txt"):
    print("ESCAPED")
