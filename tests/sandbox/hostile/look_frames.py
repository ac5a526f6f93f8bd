# ruff: noqa
# climbs to the frames below its own
# contained: ok fail
# control: none: a plain process has no frames below
import sys

frame = sys._getframe()
while frame.f_back is not None:
    frame = frame.f_back
    for value in list(frame.f_locals.values()):
        if "hunter2" in str(value)[:10_000] and "str(value)" not in str(value)[:10_000]:
            print("ESCAPED")
