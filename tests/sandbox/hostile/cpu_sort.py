# ruff: noqa
# sorts for ever, inside C code
# contained: timeout limit
# control: none: it never ends
class Slow:
    def __lt__(self, other):
        while True:
            sorted(range(100_000))


sorted([Slow(), Slow()])
