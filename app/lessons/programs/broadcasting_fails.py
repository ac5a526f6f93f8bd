# title: Shapes that do not fit
# title-zh: 形状不匹配
# about: Three numbers and four numbers have no common shape: torch's error, and where it comes from.
# about-zh: 三个数与四个数没有共同的形状：torch 的报错，以及它从何而来。
# order: 21
import torch

a = torch.tensor([1.0, 2.0, 3.0])
b = torch.tensor([1.0, 2.0, 3.0, 4.0])
print(a.shape, b.shape)
print(a + b)
