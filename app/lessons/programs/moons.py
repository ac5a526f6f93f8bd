# title: Two moons and nn.Sequential
# title-zh: 双月与 nn.Sequential
# about: A 2-16-16-1 net with tanh bends the border between two half moons.
# about-zh: 2-16-16-1 的 tanh 网络把边界弯到两个半月之间。
# order: 74
import math

import torch
from torch import nn

torch.manual_seed(0)
angle = torch.linspace(0, math.pi, 32)
upper = torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)
lower = torch.stack([1 - torch.cos(angle), 0.5 - torch.sin(angle)], dim=1)
x = torch.cat([upper, lower]) + 0.08 * torch.randn(64, 2)
y = torch.cat([torch.zeros(32), torch.ones(32)]).unsqueeze(1)

net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=0.02)

for epoch in range(100):
    logits = net(x)
    loss = criterion(logits, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 20 == 0:
        right = ((logits > 0) == (y > 0.5)).float().mean().item()
        print(f"epoch {epoch:2d}  loss {loss.item():.3f}  right {right:.2f}")
