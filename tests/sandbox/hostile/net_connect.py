# ruff: noqa
# connects to a service of the machine
# contained: fail PermissionError
# control: shown
import sys

try:
    import socket
except ImportError:
    socket = sys.modules["socket"]

socket.create_connection(("127.0.0.1", int("@PORT@")), timeout=2).close()
print("ESCAPED")
