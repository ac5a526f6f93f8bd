# ruff: noqa
# calls itself without end
# contained: fail RecursionError
# control: none: a plain Python stops it too
def again():
    again()


again()
