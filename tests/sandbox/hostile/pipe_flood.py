# ruff: noqa
# writes a line without end
# contained: limit killed
# control: none: there is no record in a plain process
import os


block = b"x" * 65536
while True:
    os.write(3, block)
