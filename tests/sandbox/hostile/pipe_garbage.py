# ruff: noqa
# writes noise into its own record
# contained: forged
# control: none: there is no record in a plain process
import os


os.write(3, b"\x00\xff noise\n" * 1000)
print("still here")
