"""What programs do that a recorder may stumble over: each must leave a trace in which nothing is wrong."""

import pytest

from engine.trace import events as ev
from engine.trace.verify import verify
from tests.trace.test_run import of, record

HEAD = """
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
"""

SNIPPETS = {
    "inplace nonleaf": """
x=torch.ones(3,requires_grad=True)
y=x*2
y.add_(1)
y.mul_(3)
(y*y).sum().backward()
print(x.grad)
""",
    "setitem nonleaf": """
x=torch.ones(3,requires_grad=True)
y=x*2
y[0]=5.0
z=(y*y).sum()
z.backward()
print(x.grad)
""",
    "setitem tensor": """
x=torch.ones(3,requires_grad=True)
y=torch.zeros(3)
y[1]=x[0]*3
z=(y*y).sum()
z.backward()
print(x.grad)
""",
    "view inplace": """
x=torch.ones(2,2,requires_grad=True)
y=x*2
v=y.view(4)
v.mul_(2)
(y*y).sum().backward()
print(x.grad)
""",
    "view of what is changed later": """
x = torch.ones(2, 3, requires_grad=True)
y = x * 2
v = y.T
y += 1
y[0] *= 3
(v * v).sum().backward()
""",
    "split in one": """
x = torch.ones(2, requires_grad=True)
(a,) = x.split(2)
(a * 3).sum().backward()
""",
    "split": """
x=torch.arange(6.,requires_grad=True)
a,b=x.split(3)
(a*b).sum().backward()
print(x.grad)
""",
    "chunk unused": """
x=torch.arange(6.,requires_grad=True)
a,b=x.chunk(2)
(a*a).sum().backward()
""",
    "max dim": """
x=torch.tensor([[1.,3.],[4.,2.]],requires_grad=True)
v,i=x.max(1)
v.sum().backward()
print(x.grad)
""",
    "where": """
x=torch.tensor([-1.,2.],requires_grad=True)
torch.where(x>0,x*2,x*3).sum().backward()
""",
    "grad()": """
x=torch.tensor(2.,requires_grad=True)
y=x**3
g,=torch.autograd.grad(y,x)
print(g)
""",
    "double": """
x=torch.tensor(2.,requires_grad=True)
y=x**3
g,=torch.autograd.grad(y,x,create_graph=True)
g.backward()
print(x.grad)
""",
    "retain_grad": """
x=torch.ones(2,requires_grad=True)
y=x*3
y.retain_grad()
y.sum().backward()
print(y.grad)
""",
    "hook": """
x=torch.ones(2,requires_grad=True)
y=x*3
y.register_hook(lambda g:g*2)
y.sum().backward()
print(x.grad)
""",
    "two roots": """
x=torch.ones(2,requires_grad=True)
a=(x*2).sum()
b=(x*3).sum()
torch.autograd.backward([a,b])
print(x.grad)
""",
    "function": """
class Sq(torch.autograd.Function):
  @staticmethod
  def forward(ctx,x):
    ctx.save_for_backward(x)
    return x*x
  @staticmethod
  def backward(ctx,g):
    x,=ctx.saved_tensors
    return 2*x*g
x=torch.tensor(3.,requires_grad=True)
y=Sq.apply(x)
(y*2).backward()
print(x.grad)
""",
    "embedding": """
e=nn.Embedding(5,3)
o=e(torch.tensor([1,2,1]))
o.sum().backward()
""",
    "batchnorm": """
m=nn.Sequential(nn.Linear(2,4),nn.BatchNorm1d(4),nn.ReLU(),nn.Linear(4,1))
o=torch.optim.Adam(m.parameters(),lr=.01)
for i in range(3):
  l=m(torch.randn(8,2)).pow(2).mean()
  o.zero_grad()
  l.backward()
  o.step()
""",
    "dropout": """
m=nn.Dropout(.5)
x=torch.ones(4,requires_grad=True)
m(x).sum().backward()
""",
    "rnn": """
r=nn.RNN(2,3)
o,h=r(torch.randn(4,1,2))
o.sum().backward()
""",
    "lstm": """
r=nn.LSTM(2,3)
o,(h,c)=r(torch.randn(4,1,2))
o.sum().backward()
""",
    "gru cell": """
r=nn.GRUCell(2,3)
h=torch.zeros(1,3)
for t in range(3): h=r(torch.randn(1,2),h)
h.sum().backward()
""",
    "layernorm": """
m=nn.LayerNorm(4)
x=torch.randn(2,4,requires_grad=True)
m(x).pow(2).sum().backward()
""",
    "attention": """
q=torch.randn(1,2,4,requires_grad=True)
F.scaled_dot_product_attention(q,q,q).sum().backward()
""",
    "cumsum etc": """
x=torch.randn(4,requires_grad=True)
(x.cumsum(0)*x.softmax(0)).sum().backward()
x.norm().backward()
x.std().backward()
x.logsumexp(0).backward()
""",
    "broadcast matmul": """
a=torch.randn(2,3,4,requires_grad=True)
b=torch.randn(4,5,requires_grad=True)
(a@b).sum().backward()
""",
    "int ops": """
x=torch.arange(5)
print((x*2+1).sum(), x.float().mean(), x[x>2])
""",
    "conv": """
c=nn.Conv2d(1,2,3,padding=1)
p=nn.MaxPool2d(2)
p(F.relu(c(torch.randn(1,1,4,4)))).sum().backward()
""",
    "lbfgs": """
w=torch.tensor([1.,2.],requires_grad=True)
o=torch.optim.LBFGS([w],lr=.1,max_iter=4)
def c():
  o.zero_grad()
  l=((w-3)**2).sum()
  l.backward()
  return l
for i in range(2): o.step(c)
print(w)
""",
    "sgd mom": """
w=torch.tensor([1.,2.],requires_grad=True)
o=torch.optim.SGD([w],lr=.1,momentum=.9,nesterov=True,weight_decay=.01)
for i in range(4):
  l=((w-3)**2).sum()
  o.zero_grad()
  l.backward()
  o.step()
""",
    "clip": """
w=torch.tensor([1.,2.],requires_grad=True)
o=torch.optim.SGD([w],lr=.1)
for i in range(3):
  l=((w-30)**2).sum()
  o.zero_grad()
  l.backward()
  nn.utils.clip_grad_norm_([w],1.0)
  o.step()
""",
    "dataloader": """
x=torch.randn(8,2);y=torch.randn(8,1)
m=nn.Linear(2,1)
o=torch.optim.SGD(m.parameters(),lr=.1)
for e in range(2):
  for xb,yb in DataLoader(TensorDataset(x,y),batch_size=4,shuffle=True):
    l=F.mse_loss(m(xb),yb)
    o.zero_grad();l.backward();o.step()
""",
    "accum": """
m=nn.Linear(2,1)
o=torch.optim.SGD(m.parameters(),lr=.1)
for i in range(6):
  l=m(torch.randn(3,2)).mean()/2
  l.backward()
  if i%2: o.step(); o.zero_grad()
""",
    "named params": """
class N(nn.Module):
  def __init__(s):
    super().__init__()
    s.w=nn.Parameter(torch.randn(2))
    s.ls=nn.ModuleList([nn.Linear(2,2) for _ in range(2)])
  def forward(s,x):
    for l in s.ls: x=torch.tanh(l(x))
    return (x*s.w).sum()
n=N()
l=n(torch.ones(2))
l.backward()
with torch.no_grad():
  for p in n.parameters(): p -= 0.1*p.grad
n.zero_grad()
""",
    "float64": """
x=torch.tensor([1.,2.],dtype=torch.float64,requires_grad=True)
(x**3).sum().backward()
""",
    "half": """
x=torch.tensor([1.,2.]).half().requires_grad_()
(x*3).sum().backward()
""",
    "data.sub_": """
w=torch.randn(2,requires_grad=True)
for i in range(3):
  l=(w**2).sum()
  l.backward()
  w.data.sub_(0.1*w.grad.data)
  w.grad.zero_()
""",
    "w.data -=": """
w=torch.randn(2,requires_grad=True)
for i in range(3):
  l=(w**2).sum()
  l.backward()
  w.data -= 0.1*w.grad.data
  w.grad.data.zero_()
""",
    "w+=-lr": """
w=torch.randn(2,requires_grad=True)
for i in range(3):
  l=(w**2).sum()
  l.backward()
  with torch.no_grad():
    w += -0.1*w.grad
    w.grad=None
""",
    "karpathy": """
x1=torch.Tensor([2.0]).double(); x1.requires_grad=True
w1=torch.Tensor([-3.0]).double(); w1.requires_grad=True
b=torch.Tensor([6.88]).double(); b.requires_grad=True
n=x1*w1+b
o=torch.tanh(n)
print(o.data.item())
o.backward()
print(x1.grad.item())
""",
    "result asks for a gradient": """
x=torch.ones(2,3)
w=torch.arange(6.0).reshape(3,2)/6
w.requires_grad_()
for i in range(3):
  l=((x@w)**2).mean()
  l.backward()
  with torch.no_grad():
    w -= 0.1*w.grad
    w.grad=None
""",
    "nograd eval": """
m=nn.Linear(2,1)
o=torch.optim.SGD(m.parameters(),lr=.1)
for i in range(3):
  l=m(torch.ones(3,2)).mean()
  o.zero_grad();l.backward();o.step()
  with torch.no_grad():
    acc=(m(torch.ones(3,2))>0).float().mean()
  print(i,acc.item())
""",
}


@pytest.mark.parametrize("name", SNIPPETS)
def test_nothing_in_the_trace_is_wrong(name):
    events = record(HEAD + SNIPPETS[name])
    assert not of(ev.Fail, events)
    assert verify(events) == []


def window(name, step=0):
    """The events of one step of a snippet."""
    events = record(HEAD + SNIPPETS[name], detail=(step,))
    return events[1:]


def test_parameters_of_modules_are_named_as_one_would_write_them():
    names = [e.name for e in of(ev.Leaf, window("named params")) if e.role == "parameter"]
    assert names == ["n.w", "n.ls.0.weight", "n.ls.0.bias", "n.ls.1.weight", "n.ls.1.bias"]


NET = """
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(2, 1)
        self.register_buffer("mask", torch.tril(torch.ones(2, 2)))
    def forward(self, x):
        return self.fc(x @ self.mask)
net = Net()MORE
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(2):
    loss = net(torch.ones(1, 2, dtype=net.fc.weight.dtype)).sum()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""


@pytest.mark.parametrize("more", ["", ".to('cpu')", ".double()", ".apply(lambda m: m)"])
def test_parameters_have_names_though_their_module_computes_or_moves_while_it_is_made(more):
    steps = of(ev.Step, record(HEAD + NET.replace("MORE", more)))
    assert list(steps[-1].params) == ["net.fc.weight", "net.fc.bias"]


def test_moving_a_model_to_where_it_is_changes_nothing():
    events = record(HEAD + "net = nn.Linear(2, 1)\nnet.to('cpu')\nnet.float()\nprint(net(torch.ones(1, 2)).shape)")
    assert not of(ev.Update, events)


def test_a_result_that_asks_for_a_gradient_becomes_a_parameter_at_once():
    events = window("result asks for a gradient")
    (leaf,) = [e for e in of(ev.Leaf, events) if e.role == "parameter"]
    assert (leaf.name, leaf.requires_grad) == ("w", True)
    assert [e.tensor for e in of(ev.Accumulate, events)] == [leaf.tensor]
    assert [e.tensor for e in of(ev.Update, events)] == [leaf.tensor]


def test_scopes_follow_the_modules():
    scopes = [(type(e).__name__, e.scope) for e in window("named params") if isinstance(e, (ev.Enter, ev.Exit))]
    assert [kind for kind, _ in scopes] == ["Enter", "Enter", "Exit", "Enter", "Exit", "Exit"]
    assert [path for _, path in scopes] == ["n", "n.ls.0", "n.ls.0", "n.ls.1", "n.ls.1", "n"]


def test_an_op_in_place_gives_its_result_a_new_number_and_the_old_name():
    events = window("inplace nonleaf")
    added = next(e for e in of(ev.Forward, events) if e.op == "add")
    assert added.inplace and added.outputs[0].tensor != added.inputs[0].tensor
    assert added.outputs[0].value.data == [3.0] * 3


def test_the_sum_over_the_batch_is_seen_at_the_bias():
    sent = [e for e in of(ev.Contribute, window("accum")) if e.axes]
    assert sent and sent[0].axes == (0,) and len(sent[0].product.shape) == 2 and len(sent[0].result.shape) == 1


def test_clipping_is_told_as_what_was_added_to_the_gradient():
    events = window("clip")
    note = of(ev.Note, events)[0]
    change = events[events.index(note) + 1]
    assert note.topic == "gradient" and isinstance(change, ev.Accumulate) and change.before.data == [-58.0, -56.0]
    assert sum(v * v for v in change.after.data) == pytest.approx(1.0, rel=1e-4)


def test_a_hook_is_told_before_the_gradient_that_it_changed():
    events = window("hook")
    assert of(ev.Note, events)[0].topic == "hook"
    assert of(ev.Accumulate, events)[0].after.data == [6.0, 6.0]


@pytest.mark.parametrize("name", ["data.sub_", "w.data -=", "w+=-lr"])
def test_every_way_to_step_by_hand_is_an_update_with_its_rate(name):
    updates = of(ev.Update, window(name))
    assert [u.terms["lr"] for u in updates] == [0.1]


def test_evaluation_between_steps_belongs_to_the_step_before():
    events = record(HEAD + SNIPPETS["nograd eval"])
    first = events[: next(n for n, e in enumerate(events) if isinstance(e, ev.Step))]
    assert [b.name for b in of(ev.Bind, first)] == ["l", "acc"] and isinstance(first[-1], ev.Print)


def test_adding_up_gradients_over_two_backwards_is_one_step():
    steps = of(ev.Step, record(HEAD + SNIPPETS["accum"]))
    assert [s.loop["i"] for s in steps] == [1, 3, 5]


def test_several_outputs_of_one_op_share_its_node():
    split = next(e for e in of(ev.Forward, window("split")) if e.op.startswith("split"))
    assert len(split.outputs) == 2 and split.grad_fn == "SplitBackward0"
