# title: Logistic regression
# title-zh: 逻辑回归
# about: Pass or fail by hours of study: a sigmoid and a binary cross entropy.
# about-zh: 按学习时长判断及格与否：sigmoid 与二元交叉熵。
# order: 70
import torch
import torch.nn.functional as F

torch.manual_seed(0)
x_data = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
y_data = torch.tensor([[0.0], [0.0], [1.0], [1.0]])


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)

    def forward(self, x):
        return torch.sigmoid(self.linear(x))


model = Model()
criterion = torch.nn.BCELoss(reduction="mean")
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)

for epoch in range(300):
    y_pred = model(x_data)
    loss = criterion(y_pred, y_data)
    if epoch % 50 == 49:
        print(f"{epoch + 1} {loss.item():.4f}")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

for hours in (1.0, 7.0):
    p = model(torch.tensor([[hours]])).item()
    print(f"{hours} hours: {p:.4f}, passed: {p > 0.5}")
