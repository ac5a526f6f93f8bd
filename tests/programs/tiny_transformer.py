"""A transformer of one thousand parameters learns to continue a text, letter by letter."""
import math

import torch
import torch.nn as nn
from torch.nn import functional as F

torch.manual_seed(11)
device = "cuda" if torch.cuda.is_available() else "cpu"
text = "to be or not to be that is the question " * 6
chars = sorted(set(text))
encode, decode = {c: i for i, c in enumerate(chars)}, dict(enumerate(chars))
data = torch.tensor([encode[c] for c in text], dtype=torch.long)
block, batch, width = 8, 8, 8


def get_batch():
    ix = torch.randint(len(data) - block, (batch,))
    x = torch.stack([data[i : i + block] for i in ix])
    y = torch.stack([data[i + 1 : i + block + 1] for i in ix])
    return x.to(device), y.to(device)


class Head(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.key, self.query, self.value = (nn.Linear(width, size, bias=False) for _ in range(3))
        self.register_buffer("tril", torch.tril(torch.ones(block, block)))

    def forward(self, x):
        B, T, C = x.shape
        k, q, v = self.key(x), self.query(x), self.value(x)
        weights = q @ k.transpose(-2, -1) / math.sqrt(k.size(-1))
        weights = weights.masked_fill(self.tril[:T, :T] == 0, float("-inf"))
        return F.softmax(weights, dim=-1) @ v


class Block(nn.Module):
    def __init__(self, heads):
        super().__init__()
        self.heads = nn.ModuleList([Head(width // heads) for _ in range(heads)])
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x):
        y = self.ln1(x)
        x = x + torch.cat([head(y) for head in self.heads], dim=-1)
        return x + self.feed(self.ln2(x))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.place = nn.Embedding(len(chars), width), nn.Embedding(block, width)
        self.blocks = nn.Sequential(Block(2))
        self.out = nn.Linear(width, len(chars))

    def forward(self, idx, targets=None):
        B, T = idx.shape
        x = self.token(idx) + self.place(torch.arange(T, device=device))
        logits = self.out(self.blocks(x))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.view(B * T, -1), targets.view(-1))

    @torch.no_grad()
    def generate(self, idx, length):
        for _ in range(length):
            logits, _ = self(idx[:, -block:])
            probs = F.softmax(logits[:, -1, :], dim=-1)
            idx = torch.cat((idx, torch.multinomial(probs, num_samples=1)), dim=1)
        return idx


model = Model().to(device)
print(model)
print(sum(p.numel() for p in model.parameters()), "parameters")
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-2)
for step in range(41):
    xb, yb = get_batch()
    logits, loss = model(xb, yb)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        print(f"step {step}: loss {loss.item():.3f}, perplexity {math.exp(loss):.1f}")
print(repr("".join(decode[i] for i in model.generate(torch.zeros((1, 1), dtype=torch.long), 12)[0].tolist())))
