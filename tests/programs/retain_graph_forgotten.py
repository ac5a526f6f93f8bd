"""Backward twice without retain_graph: the saved values are gone."""
import torch

x = torch.ones(9, 5, requires_grad=True)
y = x + 2
z = 3 * y * y
out = z.mean()
out.backward()
print(x.grad[0])
z.backward(torch.ones(9, 5))
