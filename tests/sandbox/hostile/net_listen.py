# ruff: noqa
# opens a port
# contained: fail PermissionError
# control: shown
import sys

try:
    import socket
except ImportError:
    socket = sys.modules["socket"]

server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
print("ESCAPED")
