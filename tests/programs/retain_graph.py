"""Backward twice through one graph: it works when the first pass keeps what the rules saved."""
import torch

x = torch.ones(9, 5, requires_grad=True)
y = x + 2
z = 3 * y * y
out = z.mean()
out.backward(retain_graph=True)
print(x.grad[0])
z.backward(torch.ones(9, 5))
print(x.grad[0])
