# ruff: noqa
# loops for ever and swallows whatever would stop it
# contained: timeout limit
# control: none: it never ends
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
