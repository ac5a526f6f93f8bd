# ruff: noqa
# ignores the warnings and loops
# contained: timeout limit
# control: none: it never ends
import sys

signal = sys.modules.get("signal") or __import__("signal")

for number in (signal.SIGUSR1, signal.SIGXCPU, signal.SIGTERM, signal.SIGALRM):
    signal.signal(number, signal.SIG_IGN)
while True:
    pass
