# ruff: noqa
# writes an event larger than an event may be
# contained: limit
# control: none: there is no record in a plain process
import os


line = b'{"kind":"print","text":"' + b"x" * (4 << 20) + b'"}\n'
while line:
    line = line[os.write(3, line) :]
