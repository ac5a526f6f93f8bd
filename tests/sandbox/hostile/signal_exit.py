# ruff: noqa
# leaves with an exit code of its own
# contained: killed
# control: none: leaving is no attack on a plain process
import os

os._exit(97)
