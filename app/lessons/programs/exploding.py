# title: Gradients explode to NaN
# title-zh: 梯度爆炸直到 NaN
# about: A learning rate far too large: the weight swings wider each step, to infinity, and then to NaN.
# about-zh: 学习率过大：权重每步摆得更远，直到无穷，再到 NaN。
# order: 81
import torch

x = torch.tensor([1.0, 2.0, 3.0])
y = torch.tensor([2.0, 4.0, 6.0])
w = torch.tensor(0.0, requires_grad=True)

for step in range(60):
    loss = ((x * w - y) ** 2).sum()
    loss.backward()
    if step < 4 or 41 < step < 48:
        print(f"{step:2d}  w {w.item():.5g}  loss {loss.item():.5g}  grad {w.grad.item():.5g}")
    with torch.no_grad():
        w -= 0.3 * w.grad
    w.grad = None

print("in the end w =", w.item())
