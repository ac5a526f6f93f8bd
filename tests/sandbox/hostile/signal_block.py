# ruff: noqa
# blocks every signal and loops
# contained: timeout limit
# control: none: it never ends
import sys

signal = sys.modules.get("signal") or __import__("signal")

signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
while True:
    pass
