# ruff: noqa
# writes empty lines for ever
# contained: forged
# control: none: there is no record in a plain process
import os


block = b"\n" * 65536
while True:
    os.write(3, block)
