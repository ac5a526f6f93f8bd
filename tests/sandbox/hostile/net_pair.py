# ruff: noqa
# makes a pair of sockets
# contained: fail PermissionError
# control: shown
import sys

try:
    import socket
except ImportError:
    socket = sys.modules["socket"]

socket.socketpair()
print("ESCAPED")
