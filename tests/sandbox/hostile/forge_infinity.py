# ruff: noqa
# writes numbers that JSON does not have
# contained: forged
# control: none: there is no record in a plain process
import os


os.write(3, b'{"kind":"step","index":0,"loss":1e999,"loss_name":"ESCAPED"}\n')
os.write(3, b'{"kind":"step","index":0,"loss":NaN,"loss_name":"ESCAPED"}\n')
