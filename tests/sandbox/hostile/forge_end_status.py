# ruff: noqa
# claims to have been cancelled by the server
# contained: ok
# control: none: there is no record in a plain process
import os


os.write(3, b'{"kind":"end","status":"cancelled","message":"ESCAPED","seq":7}\n')
