# ruff: noqa
# writes text that is no text
# contained: forged
# control: none: there is no record in a plain process
import os


os.write(3, b'{"kind":"print","text":"ESCAPED \xff\xfe"}\n')
os.write(3, b'{"kind":"print","text":"ESCAPED \\ud800"}\n')
