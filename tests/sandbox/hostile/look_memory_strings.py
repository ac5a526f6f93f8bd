# ruff: noqa
# looks for a secret among all objects of the process
# contained: ok
# control: none: a plain process holds its environment elsewhere
import gc


def texts(thing, depth):
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, dict) and depth:
        for key, value in list(thing.items())[:2000]:
            yield from texts(key, depth - 1)
            yield from texts(value, depth - 1)
    elif isinstance(thing, (list, tuple)) and depth:
        for value in thing[:2000]:
            yield from texts(value, depth - 1)


secret = "hunter" + str(2)
for thing in gc.get_objects():
    if isinstance(thing, (dict, list, tuple)) and any(secret in text for text in texts(thing, 1) if len(text) < 1000):
        if thing is not globals():
            print("ESCAPED")
            break
