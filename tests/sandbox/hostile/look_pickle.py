# ruff: noqa
# unpickles a call
# contained: ok fail
# control: shown
import pickle

if pickle.loads(b"cposix\nsystem\n(S'true'\ntR.") == 0:
    print("ESCAPED")
