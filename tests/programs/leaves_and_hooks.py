"""What is a leaf, who keeps a gradient, what hooks see, and the mistakes everybody makes once."""
import torch
import torch.nn as nn

torch.manual_seed(0)
w = torch.tensor([1.0, -2.0], requires_grad=True)
h = w * 3
h.retain_grad()
seen = []
handle = h.register_hook(lambda g: seen.append(g.clone()))
w.register_hook(lambda g: g.clamp(min=-1, max=1))
(h**2).sum().backward()
print(h.grad, w.grad, seen, w.is_leaf, h.is_leaf)
handle.remove()
detached = h.detach()
detached[0] = 100.0
print(h, detached.requires_grad, (w.detach() * 2).grad_fn)
with torch.no_grad():
    print((w * 2).requires_grad)
    with torch.enable_grad():
        print((w * 2).requires_grad)

net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
shapes = {}
for name, module in net.named_children():
    module.register_forward_hook(lambda m, i, o, name=name: shapes.update({name: (tuple(i[0].shape), tuple(o.shape))}))
net[0].register_full_backward_hook(lambda m, gi, go: print("backward through", m, [g.shape for g in go]))
net(torch.ones(4, 2, requires_grad=True)).sum().backward()
print(shapes)
for p in net[0].parameters():
    p.requires_grad_(False)
print([name for name, p in net.named_parameters() if p.requires_grad])


def attempt(name, f):
    try:
        f()
    except Exception as error:
        print(f"{name}: {type(error).__name__}: {error}")


def add_in_place():
    global w
    w += 1


def twice():
    loss = (w**2).sum()
    loss.backward()
    loss.backward()


def overwrite_saved():
    y = w.exp()
    y += 1
    y.sum().backward()


attempt("in place", add_in_place)
attempt("twice", twice)
attempt("overwritten", overwrite_saved)
attempt("not a scalar", lambda: (w * 2).backward())
attempt("no graph", lambda: torch.ones(1).backward())
attempt("numpy", lambda: w.numpy())
attempt("integers", lambda: torch.tensor([1, 2], requires_grad=True))
attempt("shapes", lambda: torch.ones(2, 3) @ torch.ones(2, 3))
attempt("broadcasting", lambda: torch.ones(3) + torch.ones(4))
attempt("classes", lambda: nn.CrossEntropyLoss()(torch.randn(2, 3), torch.tensor([0, 3])))
attempt("dtype", lambda: nn.Linear(2, 1)(torch.ones(1, 2, dtype=torch.float64)))
attempt("item", lambda: w.item())
attempt("truth", lambda: bool(w > 0))
attempt("old", lambda: w.sum().data[0])
attempt("cuda", lambda: w.cuda())
