# ruff: noqa
# begins a second time, as another program
# contained: forged
# control: none: there is no record in a plain process
import os


os.write(3, b'{"kind":"begin","schema":1,"engine":"ESCAPED","source":"ESCAPED","seed":1,"run":"ESCAPED"}\n')
