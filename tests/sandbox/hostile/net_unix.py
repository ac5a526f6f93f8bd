# ruff: noqa
# makes a local socket
# contained: fail PermissionError
# control: shown
import sys

try:
    import socket
except ImportError:
    socket = sys.modules["socket"]

socket.socket(socket.AF_UNIX).bind("\0backstep-hostile-@PORT@")
print("ESCAPED")
