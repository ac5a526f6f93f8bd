# ruff: noqa
# breaks its own next line
# contained: forged
# control: none: there is no record in a plain process
import os


os.write(3, b'{"kind":"print","te')
print("cut in two")
