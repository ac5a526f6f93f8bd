"""A variational autoencoder: drawing that gradients pass through, and the divergence from a standard normal."""
import torch
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.nn import functional as F

torch.manual_seed(2)


class VAE(nn.Module):
    def __init__(self, size=16, hidden=12, latent=2):
        super(VAE, self).__init__()
        self.encoder = nn.Linear(size, hidden)
        self.mean, self.logvar = nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, size))

    def encode(self, x):
        h = F.relu(self.encoder(x))
        return self.mean(h), self.logvar(h)

    def forward(self, x):
        mu, logvar = self.encode(x)
        std = torch.exp(0.5 * logvar)
        z = mu + std * torch.randn_like(std)
        return torch.sigmoid(self.decoder(z)), mu, logvar


def loss_function(recon, x, mu, logvar):
    bce = F.binary_cross_entropy(recon, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce + kld, kld


data = (torch.rand(48, 16) > 0.7).float()
model = VAE()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(1, 4):
    total = 0.0
    for batch in data.split(16):
        optimizer.zero_grad()
        recon, mu, logvar = model(batch)
        loss, kld = loss_function(recon, batch, mu, logvar)
        loss.backward()
        optimizer.step()
        total += loss.item()
    print("====> Epoch: {} Average loss: {:.3f}".format(epoch, total / len(data)))

mu, logvar = model.encode(batch)
q = Normal(mu, (0.5 * logvar).exp())
again = kl_divergence(q, Normal(torch.zeros_like(mu), torch.ones_like(mu))).sum()
print(q, f"{again:.2f}", torch.allclose(again, loss_function(recon, batch, mu, logvar)[1], rtol=1e-4))
z = q.rsample((3,))
print(z.shape, z.requires_grad, q.sample().requires_grad)
with torch.no_grad():
    print(Bernoulli(logits=model.decoder(torch.zeros(2))).sample().sum() <= 16)
