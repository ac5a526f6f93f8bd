# title: Three classes, softmax and cross entropy
# title-zh: 三分类：softmax 与交叉熵
# about: Points in the plane in three clouds; CrossEntropyLoss is LogSoftmax followed by NllLoss, as the graph shows.
# about-zh: 平面上三团点；CrossEntropyLoss 就是 LogSoftmax 接 NllLoss，图上看得见。
# order: 73
import torch
from torch import nn

torch.manual_seed(0)
centres = torch.tensor([[2.0, 0.0], [-1.0, 1.7], [-1.0, -1.7]])
labels = torch.arange(3).repeat(8)
points = centres[labels] + 0.6 * torch.randn(24, 2)

model = nn.Linear(2, 3)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.3)

for epoch in range(60):
    logits = model(points)
    loss = criterion(logits, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 15 == 0:
        right = (logits.argmax(dim=1) == labels).sum().item()
        print(f"epoch {epoch:2d}  loss {loss.item():.4f}  right {right}/24")

with torch.no_grad():
    right = (model(points).argmax(dim=1) == labels).sum().item()
print(f"in the end {right}/24")
