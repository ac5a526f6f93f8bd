# ruff: noqa
# sleeps for a day
# contained: ok
# control: none: it takes a day
import time

time.sleep(86400)
print("awake")
