# ruff: noqa
# raises its own limits
# contained: fail
# control: shown
import sys

resource = sys.modules.get("resource") or __import__("resource")
resource.setrlimit(resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))
print("ESCAPED")
