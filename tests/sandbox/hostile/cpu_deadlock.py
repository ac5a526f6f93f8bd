# ruff: noqa
# waits for itself, using no processor
# contained: timeout
# control: none: it never ends
import threading

lock = threading.Lock()
lock.acquire()
lock.acquire()
