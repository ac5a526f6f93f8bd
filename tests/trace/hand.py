"""A small trace written by hand: y = w * x with w = 2 and x = [1, 3]; L = y.sum(); one step of SGD. For the tests."""

from engine.trace import events as ev


def array(*data, shape=None):
    return ev.Array(tuple(shape) if shape is not None else (len(data),), "float32", [float(v) for v in data])


def scalar(value):
    return array(value, shape=())


BACK = (4, 0, 4, 12)

SOURCE = """w = torch.tensor(2.0, requires_grad=True)
y = w * x
L = y.sum()
L.backward()
opt.step()
opt.zero_grad()
"""


def events():
    wide = ev.Broadcast((), (2,), (0,))
    return [
        ev.Begin(seq=0, schema=ev.SCHEMA, engine="hand", source=SOURCE, seed=0),
        ev.Leaf(seq=1, at=(1, 4, 1, 41), tensor=4, value=scalar(2), role="parameter", requires_grad=True, name="w"),
        ev.Leaf(seq=2, tensor=1, value=array(1, 3), name="x"),
        ev.Forward(
            seq=3, at=(2, 4, 2, 9), op="mul", inputs=(ev.Input("input", 4, None, wide), ev.Input("other", 1)),
            outputs=(ev.Output(2, array(2, 6), True),), node=3, grad_fn="MulBackward0",
            saved=(ev.Saved("other", 1),),
        ),
        ev.Bind(seq=4, at=(2, 0, 2, 1), tensor=2, name="y"),
        ev.Forward(
            seq=5, at=(3, 4, 3, 11), op="sum", inputs=(ev.Input("input", 2),), outputs=(ev.Output(6, scalar(8), True),),
            node=7, grad_fn="SumBackward0",
        ),
        ev.Bind(seq=6, at=(3, 0, 3, 1), tensor=6, name="L"),
        ev.Seed(seq=7, at=BACK, root=6, grad=scalar(1), node=7),
        ev.Ready(seq=8, at=BACK, node=7, grad=scalar(1), tensor=6),
        ev.Contribute(seq=9, at=BACK, node=7, index=0, result=array(1, 1), tensor=2, to=3),
        ev.Ready(seq=10, at=BACK, node=3, grad=array(1, 1), tensor=2),
        ev.Contribute(
            seq=11, at=BACK, node=3, index=0, result=scalar(4), tensor=4, local=array(1, 3), product=array(1, 3),
            axes=(0,),
        ),
        ev.Accumulate(seq=12, at=BACK, tensor=4, delta=scalar(4), after=scalar(4)),
        ev.Release(seq=13, at=BACK, nodes=(3,)),
        ev.Update(
            seq=14, at=(5, 0, 5, 10), tensor=4, before=scalar(2), after=scalar(1.6), optimizer="SGD",
            terms={"lr": 0.1, "grad": scalar(4)},
        ),
        ev.Zero(seq=15, at=(6, 0, 6, 15), tensors=(4,), to="none"),
        ev.Print(seq=16, text="done\n"),
        ev.Step(
            seq=17, index=0, loss=8.0, loss_name="L", loop={"epoch": 0}, params={"w": scalar(1.6)},
            grads={"w": scalar(4)}, window=True, lines=(1, 6),
        ),
        ev.End(seq=18, status="ok", events=19, steps=1),
    ]  # fmt: skip
