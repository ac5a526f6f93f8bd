# ruff: noqa
# signals itself
# contained: fail PermissionError
# control: shown
import sys

signal = sys.modules.get("signal") or __import__("signal")

signal.signal(signal.SIGUSR2, signal.SIG_IGN)
signal.raise_signal(signal.SIGUSR2)
print("ESCAPED")
