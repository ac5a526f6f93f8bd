# ruff: noqa
# smuggles a field past the schema
# contained: ok
# control: none: there is no record in a plain process
import os


os.write(3, b'{"kind":"print","text":"x","server":"ESCAPED"}\n')
