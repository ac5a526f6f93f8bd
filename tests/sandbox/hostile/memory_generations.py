# ruff: noqa
# makes garbage in circles faster than it can be collected
# contained: fail limit timeout
# control: none: it would fill the machine
import gc

gc.disable()
while True:
    ring = [bytearray(1 << 20)]
    ring.append(ring)
