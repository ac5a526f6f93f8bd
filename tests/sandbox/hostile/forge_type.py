# ruff: noqa
# puts a list where a word belongs
# contained: forged
# control: none: there is no record in a plain process
import os


os.write(3, b'{"kind":["print"],"text":"ESCAPED"}\n')
os.write(3, b'{"kind":"print","text":["ESCAPED"]}\n')
os.write(3, b'["ESCAPED"]\n')
