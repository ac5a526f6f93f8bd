"""课堂上的线性回归：中文变量名、旧式 Variable、手写数据迭代器、自定义网络。"""
import random

import torch
import torch.nn.functional as F
from torch.autograd import Variable

torch.manual_seed(1)
random.seed(1)
真实权重, 真实偏置 = torch.tensor([2.0, -3.4]), 4.2


def 生成数据(数量):
    特征 = torch.normal(0, 1, (数量, len(真实权重)))
    标签 = torch.matmul(特征, 真实权重) + 真实偏置
    标签 += torch.normal(0, 0.01, 标签.shape)
    return 特征, 标签.reshape((-1, 1))


def 小批量(大小, 特征, 标签):
    序号 = list(range(len(特征)))
    random.shuffle(序号)
    for i in range(0, len(特征), 大小):
        选中 = torch.tensor(序号[i : min(i + 大小, len(特征))])
        yield 特征[选中], 标签[选中]


特征, 标签 = 生成数据(100)
权重 = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
偏置 = torch.zeros(1, requires_grad=True)
for 轮次 in range(3):
    for X, y in 小批量(10, 特征, 标签):
        损失 = (X @ 权重 + 偏置 - y) ** 2 / 2
        损失.sum().backward()
        with torch.no_grad():
            for 参数 in (权重, 偏置):
                参数 -= 0.03 * 参数.grad / 10
                参数.grad.zero_()
    with torch.no_grad():
        print(f"第{轮次 + 1}轮，平均损失：{float(((特征 @ 权重 + 偏置 - 标签) ** 2 / 2).mean()):.4f}")


class 网络(torch.nn.Module):
    def __init__(self, 输入, 隐藏, 输出):
        super(网络, self).__init__()
        self.隐藏层 = torch.nn.Linear(输入, 隐藏)
        self.输出层 = torch.nn.Linear(隐藏, 输出)

    def forward(self, x):
        return self.输出层(F.relu(self.隐藏层(x)))


x = torch.unsqueeze(torch.linspace(-1, 1, 20), dim=1)
x, y = Variable(x), Variable(x.pow(2) + 0.1 * torch.rand(x.size()))
net = 网络(1, 5, 1)
print(net)
optimizer = torch.optim.SGD(net.parameters(), lr=0.2)
criterion = torch.nn.MSELoss(size_average=True)
for t in range(41):
    loss = criterion(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if t % 20 == 0:
        print("损失 = %.4f" % loss.data.numpy())
print("训练完成！", [名字 for 名字, _ in net.named_parameters()])
