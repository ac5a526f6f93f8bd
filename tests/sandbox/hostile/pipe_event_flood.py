# ruff: noqa
# writes events for ever
# contained: limit
# control: none: there is no record in a plain process
import os


block = b'{"kind":"bind","tensor":1,"name":"x"}\n' * 100
while True:
    os.write(3, block)
