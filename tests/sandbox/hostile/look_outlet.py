# ruff: noqa
# takes over the function that writes its record
# contained: forged
# control: none: there is no record in a plain process
import sys

guest = sys.modules["app.sandbox.guest"]
for _ in range(30):
    guest.OUTLET.emit(b"noise")
