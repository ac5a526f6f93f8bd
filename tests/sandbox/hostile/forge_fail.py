# ruff: noqa
# reports an error that never happened
# contained: fail
# control: none: there is no record in a plain process
import os


os.write(3, b'{"kind":"fail","type":"ServerError","message":"call this number"}\n')
