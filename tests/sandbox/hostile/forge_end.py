# ruff: noqa
# claims to be done and runs on
# contained: ok
# control: none: there is no record in a plain process
import os


os.write(3, b'{"kind":"end","status":"ok","message":"ESCAPED"}\n')
while True:
    pass
