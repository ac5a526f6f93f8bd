# ruff: noqa
# calls the kernel by the numbers of another ABI, past a careless filter
# contained: killed
# control: none: most kernels do not have the other ABI
# machine: x86_64
import sys

ctypes = sys.modules["ctypes"]
ctypes.CDLL(None).syscall(0x40000000 + 39)
print("ESCAPED")
