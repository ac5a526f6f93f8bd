# ruff: noqa
# uses the library that everybody uses
# contained: fail ModuleNotFoundError
# control: none: the listener does not speak HTTP
import urllib.request

print("ESCAPED", urllib.request.urlopen("http://127.0.0.1:@PORT@", timeout=1))
