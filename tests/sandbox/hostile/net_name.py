# ruff: noqa
# looks up a name
# contained: fail PermissionError gaierror OSError
# control: shown
import sys

try:
    import socket
except ImportError:
    socket = sys.modules["socket"]

print("ESCAPED", socket.getaddrinfo("localhost", 80))
