# ruff: noqa
# takes over descriptors as sockets to talk to the zygote
# contained: ok
# control: none: there is no control socket in a plain process
import sys

try:
    import socket
except ImportError:
    socket = sys.modules["socket"]

for number in range(3, 64):
    try:
        found = socket.socket(fileno=number)
        found.send(b'{"op": "spawn"}')
        print("ESCAPED", number)
    except OSError:
        pass
