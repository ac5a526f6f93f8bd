# ruff: noqa
# sets a timer that would outlive the warning
# contained: fail PermissionError itimer_error
# control: shown
import sys

signal = sys.modules.get("signal") or __import__("signal")

import os

signal.setitimer(signal.ITIMER_VIRTUAL, 1000)
print("ESCAPED")
