# ruff: noqa
# reads address zero
# contained: killed
# control: none: it crashes a plain Python too
import sys

signal = sys.modules.get("signal") or __import__("signal")

sys.modules["ctypes"].string_at(0)
