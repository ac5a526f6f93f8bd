# ruff: noqa
# talks to the kernel about the network
# contained: fail PermissionError
# control: shown
import sys

try:
    import socket
except ImportError:
    socket = sys.modules["socket"]

socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
print("ESCAPED")
