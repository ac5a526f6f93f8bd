# title: Sigmoid and cross entropy: p − y
# title-zh: sigmoid 与交叉熵：p − y
# about: Three samples, one layer by hand: see the gradient of the two together collapse to p − y.
# about-zh: 三个样本、手写一层：看两者合在一起的梯度如何化为 p − y。
# order: 72
import torch

x = torch.tensor([[1.0, 2.0], [2.0, -1.0], [-1.5, 0.5]])
y = torch.tensor([1.0, 0.0, 1.0])
w = torch.tensor([0.3, -0.2], requires_grad=True)
b = torch.zeros((), requires_grad=True)

for step in range(20):
    z = x @ w + b
    p = torch.sigmoid(z)
    loss = -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()
    loss.backward()
    if step % 5 == 0:
        print(f"{step:2d} loss {loss.item():.4f} p {p.detach()}")
    with torch.no_grad():
        w -= 0.5 * w.grad
        b -= 0.5 * b.grad
        w.grad.zero_()
        b.grad.zero_()

print("w =", w.data, "b =", round(b.item(), 4))
