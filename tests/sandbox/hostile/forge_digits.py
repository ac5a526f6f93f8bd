# ruff: noqa
# writes an integer of a hundred thousand digits
# contained: forged
# control: none: there is no record in a plain process
import os


os.write(3, b'{"kind":"step","index":' + b"9" * 100_000 + b',"loss_name":"ESCAPED"}\n')
