# ruff: noqa
# aborts, to leave a core file
# contained: killed
# control: none: it would leave a core file
import os

os.abort()
