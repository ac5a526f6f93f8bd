# title: A small CNN on 8×8 digits
# title-zh: 8×8 数字上的小卷积网络
# about: Zeros and ones drawn as 8×8 pictures, one convolution, one pooling, one linear layer.
# about-zh: 画成 8×8 图片的 0 和 1：一层卷积、一次池化、一个线性层。
# order: 75
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
zero = torch.zeros(8, 8)
zero[1:7, 2:6] = 1.0
zero[2:6, 3:5] = 0.0
one = torch.zeros(8, 8)
one[1:7, 4] = 1.0
labels = torch.tensor([0, 1] * 8)
images = torch.stack([zero, one])[labels].unsqueeze(1) + 0.3 * torch.randn(16, 1, 8, 8)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, kernel_size=3)
        self.fc = nn.Linear(4 * 3 * 3, 2)

    def forward(self, x):
        x = F.relu(self.conv(x))
        x = F.max_pool2d(x, 2)
        return self.fc(x.flatten(1))


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(15):
    loss = F.cross_entropy(net(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1:2d}  loss {loss.item():.3f}")

with torch.no_grad():
    right = (net(images).argmax(1) == labels).sum().item()
print(f"{right} of 16 right")
