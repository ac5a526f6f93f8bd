# ruff: noqa
# finds the import function behind the one it was given, and uses it
# contained: fail PermissionError ModuleNotFoundError ImportError
# control: shown
import builtins

original = __import__
for cell in getattr(builtins.__import__, "__closure__", None) or ():
    if callable(cell.cell_contents):
        original = cell.cell_contents
subprocess = original("subprocess")
subprocess.run(["true"], check=True)
print("ESCAPED")
