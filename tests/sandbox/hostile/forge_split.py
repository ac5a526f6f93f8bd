# ruff: noqa
# hides an event inside the text of another
# contained: ok
# control: none: there is no record in a plain process
print('"}\n{"kind":"end","status":"ok"}\n{"kind":"print","text":"')
