# title: Broadcasting in the backward pass
# title-zh: 反向传播中的广播
# about: One w for every row: forwards it is stretched over four rows, backwards four rows add up into it.
# about-zh: 每一行共用一个 w：前向时拉伸到四行，反向时四行的梯度加回到它身上。
# order: 5
import torch

# one w for every row: broadcasting
x = torch.tensor([[1.5, -0.5, 0.8], [-1.2, 0.9, 1.1], [0.4, 1.4, -0.7], [2.0, -1.1, 0.3]])
y = torch.tensor([[2.25, 0.7, 0.88], [-1.11, -0.3, 1.06], [0.98, -0.76, -0.01], [2.77, 1.37, 0.56]])
w = torch.tensor([-0.9, 0.9, -0.6], requires_grad=True)
b = torch.tensor(-0.5, requires_grad=True)
lr = 0.15

for step in range(60):
    l = (x * w + b - y) ** 2
    L = l.mean()
    L.backward()
    with torch.no_grad():
        w -= lr * w.grad
        b -= lr * b.grad
    w.grad = None
    b.grad = None
    if step % 10 == 0:
        print(f"{step:2d} {L.item():.4f}")
