# title: Backward twice, without retain_graph
# title-zh: 反向两次，却没有 retain_graph
# about: The saved values are gone after the first pass: torch's error explained.
# about-zh: 第一次反向之后保存的值已释放：解释 torch 的报错。
# order: 41
import torch

x = torch.ones(9, 5, requires_grad=True)
y = x + 2
z = 3 * y * y
out = z.mean()
out.backward()
print(x.grad[0])
z.backward(torch.ones(9, 5))
