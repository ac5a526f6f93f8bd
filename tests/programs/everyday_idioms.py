"""The small things that programs do with tensors all day: print, iterate, compare, index, mix with Python and NumPy."""
import numpy as np
import torch

loss = torch.tensor(0.123456789)
print(f"{loss:.4f}", "%.3f" % loss, "%s" % loss, f"{loss.item():10.3f}|", "{:.2e}".format(loss), f"{torch.tensor(3):5d}|")
t = torch.tensor([[3.0, 1.0], [2.0, 5.0]])
for row in t:
    print([v.item() for v in row], row.sum(), end="; ")
print(len(t), 3.0 in t, sum(t), sum([t, t]), max(t[0]), sorted(t.flatten().tolist()), t.tolist())
for a, b in zip(t, t.T):
    print(a @ b, a * b)
print(np.array(t), np.sqrt(t), np.mean([v.item() for v in t[0]]), torch.tensor(np.array([1, 2])), t.numpy().dtype)
print(abs(-t), 2**t, 1 / t, t // 2, t % 2, -t, ~torch.tensor([True]), (t > 1) & (t < 4))
print(t[t > 2], t[:, 1], t[-1], t[..., 0], t[None].shape, t[[0, 1], [1, 0]], t[torch.tensor([1])])
t[t > 4] = 0
t[0, 0] += 1
t[:, 1] *= 2
print(t, t.shape, t.size(0), t.dim(), t.numel(), t.dtype, t.type(), t.device, t.stride())
x, *rest = torch.arange(4)
print(x, rest, [10, 20, 30][torch.tensor(1)], range(torch.tensor(3)), int(torch.tensor(3.7)))
while loss > 0.01:
    loss = loss / 2
print(loss if loss else "zero", bool(loss < 1), isinstance(t, torch.Tensor), torch.is_tensor(3))
print(t.max(), t.max(1), t.argmax(axis=1), t.sort(descending=True)[0], torch.topk(t, 1), torch.unique(torch.tensor([3, 1, 3])))
print(t.mean(0), t.std(), t.norm(), t.cumsum(0), t.clamp(0, 3), t.sum(-1, True), torch.where(t > 2), torch.nonzero(t))
print(t.view(-1), t.unsqueeze(0).shape, t.repeat(1, 2), torch.stack([t, t]).shape, torch.cat((t, t), dim=1), t.chunk(2))
print(torch.arange(10000), torch.rand(3) * 1e-6, torch.tensor([1e10, 1.0]), torch.tensor([float("nan"), float("inf")]))
print(torch.zeros(2, 0), torch.tensor(True), torch.ones(2, dtype=torch.int8), torch.ones(1).half(), torch.tensor([]).shape)
print((torch.ones(1, dtype=torch.int64) / 2).dtype, (torch.ones(1).double() + torch.ones(1)).dtype, torch.tensor(1) * 1.5)
print(torch.nn.Linear(2, 3), torch.optim.SGD([{"params": [t]}, {"params": [t.clone()], "lr": 0.5}], lr=0.1), sep="\n")
