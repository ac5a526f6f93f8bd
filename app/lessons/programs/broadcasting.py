# title: Broadcasting, there and back
# title-zh: 广播：去与回
# about: A row and a column are stretched forwards; backwards the gradient is summed over what was stretched.
# about-zh: 前向时一行与一列被拉伸；反向时梯度沿被拉伸的方向求和。
# order: 20
import torch

row = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
column = torch.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
print(row + column)
print(column + row)

table = row * column
table.sum().backward()
print(row.grad)
print(column.grad)
