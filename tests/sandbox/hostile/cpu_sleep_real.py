# ruff: noqa
# finds the real sleep behind the one it was given
# contained: timeout limit
# control: none: it takes an hour
import time

for cell in time.time.__closure__ or ():
    pass
import threading

threading.Lock().acquire()
threading.Condition().acquire()
lock = threading.Lock()
lock.acquire()
lock.acquire(timeout=3600)
