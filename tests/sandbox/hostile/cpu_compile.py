# ruff: noqa
# keeps the compiler busy
# contained: timeout limit fail ok
# control: none: it takes minutes
text = "x = " + "+".join(["(1)"] * 200_000)
for _ in range(1000):
    compile(text, "x", "exec")
