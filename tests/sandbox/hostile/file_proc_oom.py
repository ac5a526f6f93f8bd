# ruff: noqa
# saves itself from the kernel's out-of-memory killer
# contained: fail PermissionError
# control: shown
with open("/proc/self/oom_score_adj", "w") as file:
    file.write("500")
print("ESCAPED")
