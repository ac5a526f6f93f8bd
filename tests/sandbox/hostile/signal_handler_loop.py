# ruff: noqa
# loops inside the handler of the warning
# contained: timeout limit
# control: none: it never ends
import sys

signal = sys.modules.get("signal") or __import__("signal")

def handle(*_):
    while True:
        pass


signal.signal(signal.SIGUSR1, handle)
signal.signal(signal.SIGXCPU, handle)
while True:
    pass
