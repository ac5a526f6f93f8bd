# ruff: noqa
# builds broken byte code
# contained: killed fail timeout limit ok
# control: none: it crashes a plain Python too
def f():
    pass


f.__code__ = f.__code__.replace(co_code=bytes([151, 0, 100, 200, 83, 0]))
f()
