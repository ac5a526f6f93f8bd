# ruff: noqa
# waits for an event that never comes
# contained: timeout
# control: none: it never ends
import threading

threading.Event().wait()
