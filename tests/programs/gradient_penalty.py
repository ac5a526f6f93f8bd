"""A gradient inside the loss: the critic of a Wasserstein GAN is kept steep by 1, which needs second derivatives."""
import torch
import torch.nn as nn
from torch import autograd

torch.manual_seed(4)
critic = nn.Sequential(nn.Linear(1, 8), nn.LeakyReLU(0.2), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))
generator = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
opt_c = torch.optim.Adam(critic.parameters(), lr=5e-3, betas=(0.5, 0.9))
opt_g = torch.optim.Adam(generator.parameters(), lr=5e-3, betas=(0.5, 0.9))


def gradient_penalty(real, fake):
    alpha = torch.rand(real.size(0), 1)
    between = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    score = critic(between)
    gradients = autograd.grad(outputs=score, inputs=between, grad_outputs=torch.ones_like(score),
                              create_graph=True, retain_graph=True, only_inputs=True)[0]
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean()


for step in range(21):
    real = 4 + 0.5 * torch.randn(16, 1)
    fake = generator(torch.randn(16, 2))
    penalty = gradient_penalty(real.data, fake.data)
    loss_c = critic(fake.detach()).mean() - critic(real).mean() + 10 * penalty
    opt_c.zero_grad()
    loss_c.backward()
    opt_c.step()
    if step % 5 == 0:
        loss_g = -critic(generator(torch.randn(16, 2))).mean()
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()
        print(f"[{step:2d}] critic {loss_c.item():8.4f} generator {loss_g.item():7.4f} penalty {penalty:.4f}")
print([p.grad is not None for p in critic.parameters()])
