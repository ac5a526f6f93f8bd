"""Freezes what torch.utils.data does, and gradient clipping, into tests/golden/torch/data.json; needs torch.

A case is an expression over the names in `scope`, with the repr of its value or the error, and the warnings.
"""

import json
import warnings
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parents[1] / "golden" / "torch" / "data.json"
EXPRESSIONS = """
list(DataLoader(xy))
list(DataLoader(xy, batch_size=4))
list(DataLoader(xy, batch_size=4, drop_last=True))
list(DataLoader(xy, batch_size=4, shuffle=True))
[list(loader) for loader in [DataLoader(xy, batch_size=5, shuffle=True)] for _ in range(3)]
list(DataLoader(xy, batch_size=5, shuffle=True, generator=torch.Generator().manual_seed(3)))
[list(DataLoader(xy, batch_size=3, shuffle=True)), torch.rand(2)]
[list(DataLoader(xy, batch_size=3)), torch.rand(2)]
list(DataLoader(xy, batch_size=3, num_workers=0, pin_memory=True))
list(DataLoader(xy, batch_size=None))
list(DataLoader([1, 2, 3], batch_size=2))
list(DataLoader([1.5, 2.5, 3.5], batch_size=2))
list(DataLoader(['a', 'b', 'c'], batch_size=2))
list(DataLoader([(1, 2.0), (3, 4.0)], batch_size=2))
list(DataLoader([[1, 2.0], [3, 4.0]], batch_size=2))
list(DataLoader([{'x': 1, 'y': 2.0}, {'x': 3, 'y': 4.0}], batch_size=2))
list(DataLoader([(np.ones(2, np.float32), 0), (np.zeros(2, np.float32), 1)], batch_size=2))
list(DataLoader([np.float32(1), np.float32(2)], batch_size=2))
list(DataLoader([(x[0], 'a', True), (x[1], 'b', False)], batch_size=2))
list(DataLoader([None, None], batch_size=2))
list(DataLoader([[1], [1, 2]], batch_size=2))
list(DataLoader(squares, batch_size=4, shuffle=True))
list(DataLoader(stream, batch_size=3))
list(DataLoader(stream, batch_size=3, drop_last=True))
list(DataLoader(stream, batch_size=None))
DataLoader(stream, shuffle=True)
len(DataLoader(xy, batch_size=4)), len(DataLoader(xy, batch_size=4, drop_last=True)), len(DataLoader(xy))
list(DataLoader(xy, batch_size=2, collate_fn=len))
list(DataLoader(xy, batch_sampler=BatchSampler(SequentialSampler(xy), 6, False)))
list(DataLoader(xy, sampler=[3, 1, 2], batch_size=2))
list(DataLoader(xy, sampler=WeightedRandomSampler([1.0] * 5 + [3.0] * 5, 6), batch_size=6))
list(DataLoader(xy, sampler=SubsetRandomSampler([1, 3, 5, 7]), batch_size=4))
list(DataLoader(xy, sampler=RandomSampler(xy, replacement=True, num_samples=40), batch_size=40))[0][0]
list(RandomSampler(xy, num_samples=25))
list(WeightedRandomSampler([0.1, 0.2, 0.7], 8))
list(WeightedRandomSampler([0.1, 0.2, 0.7], 2, replacement=False))
list(BatchSampler(range(7), 3, True)), list(BatchSampler(range(7), 3, False))
[s.indices for s in random_split(xy, [7, 3])]
[s.indices for s in random_split(xy, [0.5, 0.3, 0.2])]
[s.indices for s in random_split(range(11), [0.5, 0.5], generator=torch.Generator().manual_seed(42))]
[len(s) for s in random_split(range(3), [0.9, 0.1])]
random_split(xy, [5, 6])
list(DataLoader(random_split(xy, [7, 3])[0], batch_size=3, shuffle=True))
len(ConcatDataset([xy, squares])), (xy + squares)[12], (xy + squares)[-1]
len(xy), xy[2], xy[-1]
len(Subset(xy, [1, 2])), Subset(xy, [4, 2])[1]
list(stream + stream)
StackDataset(x, squares)[2], len(StackDataset(a=x, b=squares)), StackDataset(a=x, b=squares)[1]
TensorDataset(x, torch.ones(3))
ConcatDataset([])
Dataset()[0]
StackDataset()
Sampler().__iter__()
default_collate([torch.ones(2), torch.zeros(2)])
default_collate([torch.ones(2), torch.zeros(3)])
default_collate([Point(1, 2.0), Point(3, 4.0)])
default_collate([{'a': [1, 2]}, {'a': [3, 4]}])
default_convert(np.arange(3)), default_convert((1, np.ones(1))), default_convert({'a': np.zeros(2)})
DataLoader(xy, batch_size=0)
DataLoader(xy, batch_size=-1)
DataLoader(xy, num_workers=-1)
DataLoader(xy, timeout=-1)
DataLoader(xy, prefetch_factor=2)
DataLoader(xy, persistent_workers=True)
DataLoader(xy, sampler=[1], shuffle=True)
DataLoader(xy, batch_sampler=[[1]], batch_size=2)
DataLoader(xy, batch_size=None, drop_last=True)
DataLoader(xy, drop_last=2)
DataLoader([], shuffle=True)
RandomSampler(xy, replacement=1)
RandomSampler(xy, num_samples=0)
WeightedRandomSampler([1.0], 0)
WeightedRandomSampler([[1.0]], 1)
BatchSampler([1], 2, 'no')
setattr(DataLoader(xy), 'batch_size', 3)
get_worker_info()
clip_grad_norm_([p, q], 1.0), p.grad, q.grad
clip_grad_norm_(p, 1.0), p.grad
clip_grad_norm_([p, q], 100.0), p.grad, q.grad
clip_grad_norm_([p, q], 1.0, norm_type=float('inf')), p.grad, q.grad
clip_grad_norm_([p, q], 1.0, norm_type=1), p.grad, q.grad
clip_grad_norm_([p, q], 1.0, norm_type=3), p.grad, q.grad
clip_grad_norm_([x], 1.0)
clip_grad_norm_((t for t in []), 1.0)
clip_grad_norm_([bad], 1.0, error_if_nonfinite=True)
clip_grad_norm_([bad], 1.0), bad.grad
clip_grad_value_([p, q], 0.5), p.grad, q.grad
clip_grad_value_(p, 2), p.grad
""".strip().splitlines()
SETTING = """
import collections
import numpy as np
Point = collections.namedtuple("Point", "x y")
class Squares(Dataset):
    def __len__(self): return 6
    def __getitem__(self, i):
        if i >= 6: raise IndexError(i)
        return torch.tensor([float(i), float(i * i)]), i % 2
class Stream(IterableDataset):
    def __iter__(self): return iter(range(7))
    def __len__(self): return 7
squares, stream = Squares(), Stream()
x = torch.arange(20.0).reshape(10, 2)
xy = TensorDataset(x, torch.arange(10))
p = torch.ones(2, 2, requires_grad=True)
q, bad = torch.ones((), requires_grad=True), torch.ones(2, requires_grad=True)
p.grad = torch.tensor([[1.0, -2.0], [3.0, 0.25]]); q.grad = torch.tensor(-4.0)
bad.grad = torch.tensor([float("inf"), 1.0])
torch.manual_seed(0)
"""


def answer(expression: str, torch: Any) -> dict[str, Any]:
    """What this torch (or what imitates it) says to the expression."""
    scope = {name: getattr(torch.utils.data, name) for name in torch.utils.data.__all__}
    scope |= {name: getattr(torch.nn.utils, name) for name in ("clip_grad_norm_", "clip_grad_value_")}
    scope["torch"] = torch
    exec(SETTING, scope)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            said = repr(eval(expression, scope))
            said = "fine" if " object at " in said else said
        except Exception as e:
            said = f"{type(e).__name__}: {e}"
    return {"expression": expression, "answer": said, "warnings": [str(w.message) for w in caught]}


def main() -> None:
    import torch
    import torch.utils.data

    lines = ",\n".join(json.dumps(answer(e, torch)) for e in EXPRESSIONS)
    GOLDEN.write_text(f'{{"torch": "{torch.__version__}", "setting": {json.dumps(SETTING)}, "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
