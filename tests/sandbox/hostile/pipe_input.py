# ruff: noqa
# reads on in the channel its text came from
# contained: ok
# control: none: there is no record in a plain process
import os


if os.read(0, 100):
    print("ESCAPED")
