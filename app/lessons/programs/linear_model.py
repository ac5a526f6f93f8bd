# title: A module, a loss and an optimizer
# title-zh: 模块、损失与优化器
# about: nn.Linear(1, 1), MSELoss and SGD: 1000 epochs of the usual training loop.
# about-zh: nn.Linear(1, 1)、MSELoss 与 SGD：标准训练循环跑 1000 轮。
# order: 50
import torch

x_data = torch.tensor([[1.0], [2.0], [3.0]])
y_data = torch.tensor([[2.0], [4.0], [6.0]])
torch.manual_seed(0)


class LinearModel(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)

    def forward(self, x):
        return self.linear(x)


model = LinearModel()
print(model)
print("w =", model.linear.weight.item(), "b =", model.linear.bias.item())
criterion = torch.nn.MSELoss(reduction="sum")
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

for epoch in range(1000):
    y_pred = model(x_data)
    loss = criterion(y_pred, y_data)
    if epoch % 100 == 0:
        print(f"{epoch} {loss.item():.5g}")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

print(f"w = {model.linear.weight.item():.5f}, b = {model.linear.bias.item():.5f}")
print("prediction for 4:", model(torch.tensor([[4.0]])).data)
