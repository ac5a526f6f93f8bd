# ruff: noqa
# leaves something in /dev/shm for the next program
# contained: fail PermissionError
# control: shown
import os

os.close(os.open("/dev/shm/backstep-hostile", os.O_CREAT | os.O_RDWR, 0o600))
os.unlink("/dev/shm/backstep-hostile")
print("ESCAPED")
