# ruff: noqa
# invents a kind of event
# contained: forged
# control: none: there is no record in a plain process
import os


os.write(3, b'{"kind":"admin","text":"ESCAPED"}\n')
