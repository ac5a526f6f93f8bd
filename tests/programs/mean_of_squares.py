"""Four ones through (x + 1)² · 2 and a mean: every gradient is 2."""
import torch

x = torch.ones(2, 2, requires_grad=True)
y = x + 1
z = y * y * 2
print(z)
out = z.mean()
print(out)
out.backward()
print(x.grad)
