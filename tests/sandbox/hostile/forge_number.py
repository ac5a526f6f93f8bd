# ruff: noqa
# numbers its own events
# contained: ok
# control: none: there is no record in a plain process
import os


os.write(3, b'{"kind":"print","text":"x","seq":999999}\n')
