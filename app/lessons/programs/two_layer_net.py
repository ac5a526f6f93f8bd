# title: Two layers learn XOR
# title-zh: 两层网络学会异或
# about: No line separates exclusive or; two layers of sigmoids do. Adam trains them.
# about-zh: 异或无法用直线分开；两层 sigmoid 可以，用 Adam 训练。
# order: 71
import torch
from torch import nn, optim

torch.manual_seed(1)
x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])

net = nn.Sequential(nn.Linear(2, 4), nn.Sigmoid(), nn.Linear(4, 1), nn.Sigmoid())
print(net)
criterion = nn.BCELoss()
optimizer = optim.Adam(net.parameters(), lr=0.1)

for epoch in range(200):
    optimizer.zero_grad()
    loss = criterion(net(x), y)
    loss.backward()
    optimizer.step()
    if epoch % 40 == 39:
        print(f"{epoch + 1} {loss.item():.4f}")

print(net(x).detach().round())
