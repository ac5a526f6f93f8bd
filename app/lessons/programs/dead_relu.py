# title: A dead ReLU
# title-zh: 死掉的 ReLU
# about: A bias far below zero: the ReLU passes nothing on, so its weights get a gradient of exactly 0 and never move.
# about-zh: 偏置远小于零：ReLU 什么也不放行，权重的梯度恒为 0，再也不动。
# order: 80
import torch

x = torch.tensor([[0.5], [1.0], [1.5], [2.0]])
y = 2 * x
w1 = torch.tensor([[1.0, -1.0]], requires_grad=True)
b1 = torch.tensor([0.0, -5.0], requires_grad=True)
w2 = torch.tensor([[0.5], [0.5]], requires_grad=True)

for step in range(10):
    h = torch.relu(x @ w1 + b1)
    loss = ((h @ w2 - y) ** 2).mean()
    loss.backward()
    if step in (0, 9):
        print(step, "loss", round(loss.item(), 4))
        print("  h of the second unit:", h[:, 1].tolist())
        print("  its gradients:", w1.grad[0, 1].item(), b1.grad[1].item(), w2.grad[1, 0].item())
    with torch.no_grad():
        for p in (w1, b1, w2):
            p -= 0.05 * p.grad
            p.grad = None
