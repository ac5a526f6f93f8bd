# title: Cubic fit, by hand in NumPy
# title-zh: 三次拟合：NumPy 手写
# about: sin(x) by a cubic; forward and backward written out, no autograd.
# about-zh: 用三次多项式拟合 sin(x)；前向与反向都手写，没有自动求导。
# order: 60
import math

import numpy as np

x = np.linspace(-math.pi, math.pi, 2000)
y = np.sin(x)
rng = np.random.RandomState(0)
a, b, c, d = rng.randn(), rng.randn(), rng.randn(), rng.randn()

learning_rate = 1e-6
for t in range(2000):
    y_pred = a + b * x + c * x**2 + d * x**3
    loss = np.square(y_pred - y).sum()
    if t % 100 == 99:
        print(f"{t} {loss:.4f}")
    grad_y_pred = 2.0 * (y_pred - y)
    a -= learning_rate * grad_y_pred.sum()
    b -= learning_rate * (grad_y_pred * x).sum()
    c -= learning_rate * (grad_y_pred * x**2).sum()
    d -= learning_rate * (grad_y_pred * x**3).sum()

print(f"Result: y = {a:.4f} + {b:.4f} x + {c:.4f} x^2 + {d:.4f} x^3")
