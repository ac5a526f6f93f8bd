# title: Backward twice
# title-zh: 反向传播两次
# about: One graph, two backward passes: retain_graph keeps what the rules saved, and gradients add up.
# about-zh: 同一张图，两次反向：retain_graph 保留已保存的值，梯度会累加。
# order: 40
import torch

x = torch.ones(9, 5, requires_grad=True)
y = x + 2
z = 3 * y * y
out = z.mean()
out.backward(retain_graph=True)
print(x.grad[0])
z.backward(torch.ones(9, 5))
print(x.grad[0])
