# ruff: noqa
# starts a thread
# contained: fail RuntimeError
# control: shown
import threading

threading.Thread(target=print, args=("ESCAPED",)).start()
