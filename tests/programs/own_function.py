"""A Function with a derivative of its own, checked against finite differences; jacobian, hessian, Newton's method."""
import torch
from torch.autograd import gradcheck
from torch.autograd.functional import hessian, jacobian


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, beta):
        s = torch.sigmoid(beta * x)
        ctx.save_for_backward(x, s)
        ctx.beta = beta
        return x * s

    @staticmethod
    def backward(ctx, grad_output):
        x, s = ctx.saved_tensors
        return grad_output * (s + ctx.beta * x * s * (1 - s)), None


swish = Swish.apply
x = torch.linspace(-2, 2, 5, requires_grad=True)
y = swish(x, 1.5)
print(y)
y.backward(torch.ones_like(y))
print(x.grad, torch.allclose(x.grad, torch.autograd.grad((x * torch.sigmoid(1.5 * x)).sum(), x)[0]))
print(gradcheck(lambda t: swish(t, 1.5), torch.randn(4, dtype=torch.double, requires_grad=True), eps=1e-6))


def f(x):
    return torch.stack([x[0] ** 2 * x[1], 5 * x[0] + x[1].sin()])


at = torch.tensor([2.0, 3.0])
print(jacobian(f, at))
print(hessian(lambda t: (t**3).sum() + t.prod(), at))

x = torch.tensor(3.0, requires_grad=True)
y = x**4
for order in range(1, 5):
    (y,) = torch.autograd.grad(y, x, create_graph=True)
    print(f"derivative {order}: {y.item()}")
x = torch.tensor(1.0, requires_grad=True)
for i in range(5):
    error = x**2 - 2
    slope = torch.autograd.grad(error, x)[0]
    with torch.no_grad():
        x -= error / slope
    print(i, "%.6f" % x)
