# ruff: noqa
# writes to the server's log
# contained: ok fail
# control: shown
import os


os.write(2, b"ESCAPED\n")
print("ESCAPED")
