# title: grad_fn of every result
# title-zh: 每个结果的 grad_fn
# about: Four ones through (x + 1)² · 2 and a mean: which node made which value.
# about-zh: 四个 1 经过 (x + 1)² · 2 再求平均：哪个节点产生了哪个值。
# order: 30
import torch

x = torch.ones(2, 2, requires_grad=True)
y = x + 1
z = y * y * 2
print(z)
out = z.mean()
print(out)
out.backward()
print(x.grad)
