# ruff: noqa
# reads a file through a module that swallows errors
# contained: ok
# control: shown
import linecache

if linecache.getlines("@SCRATCH@/secret.txt"):
    print("ESCAPED")
