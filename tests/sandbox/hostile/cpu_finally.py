# ruff: noqa
# hides an endless loop in the clean-up of the first
# contained: timeout limit
# control: none: it never ends
try:
    while True:
        pass
finally:
    while True:
        pass
