"""A row and a column: each is stretched along the axis that it lacks, and backward sums over what was stretched."""
import torch

row = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
column = torch.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
print(row + column)
print(column + row)

table = row * column
table.sum().backward()
print(row.grad)
print(column.grad)
