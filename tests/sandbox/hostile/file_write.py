# ruff: noqa
# writes a file
# contained: fail PermissionError
# control: shown
with open("@SCRATCH@/new.txt", "w") as file:
    file.write("here")
print("ESCAPED")
