# ruff: noqa
# nests deeper than a reader's stack
# contained: forged
# control: none: there is no record in a plain process
import os


deep = b"[" * 900 + b"]" * 900
os.write(3, b'{"kind":"forward","op":"ESCAPED","inputs":[],"outputs":[],"params":{"x":' + deep + b"}}\n")
deep = b"[" * 50_000 + b"]" * 50_000
os.write(3, b'{"kind":"forward","op":"ESCAPED","inputs":[],"outputs":[],"params":{"x":' + deep + b"}}\n")
