# title: Forgetting zero_()
# title-zh: 忘了 zero_()
# about: The same program without clearing the gradient: gradients add up and the weight overshoots.
# about-zh: 同一个程序，但没有清零梯度：梯度不断累加，权重冲过了头。
# order: 11
import torch

x_data = [1.0, 2.0, 3.0]
y_data = [2.0, 4.0, 6.0]
w = torch.Tensor([1.0])
w.requires_grad = True


def forward(x):
    return x * w


def loss(x, y):
    y_pred = forward(x)
    return (y_pred - y) ** 2


print("predict (before training)", 4, forward(4).item())
for epoch in range(5):
    for x, y in zip(x_data, y_data):
        l = loss(x, y)
        l.backward()
        print("\tgrad:", x, y, w.grad.item())
        w.data = w.data - 0.01 * w.grad.data
    print("progress:", epoch, l.item())
print("predict (after training)", 4, forward(4).item())
