"""Which letter follows which: counted, then learnt by gradient descent; both then make up words."""
import torch
import torch.nn.functional as F

words = "anna emma ella nina lena mona ada ida lea mia".split()
letters = ["."] + sorted(set("".join(words)))
stoi = {s: i for i, s in enumerate(letters)}
itos = dict(enumerate(letters))
n = len(letters)

N = torch.zeros((n, n), dtype=torch.int32)
pairs = [(a, b) for word in words for a, b in zip("." + word, word + ".")]
for a, b in pairs:
    N[stoi[a], stoi[b]] += 1
print(N[0], N.sum(), N[stoi["a"], 0])

P = (N + 1).float()
P /= P.sum(1, keepdims=True)


def invent(row_of, g):
    out, ix = [], 0
    while True:
        ix = torch.multinomial(row_of(ix), num_samples=1, replacement=True, generator=g).item()
        if ix == 0:
            return "".join(out)
        out.append(itos[ix])


g = torch.Generator().manual_seed(42)
print([invent(lambda ix: P[ix], g) for _ in range(4)])
nll = -torch.stack([P[stoi[a], stoi[b]].log() for a, b in pairs]).mean()
print(f"{nll:.4f}", f"{nll=!s:.12}")

xs, ys = (torch.tensor([stoi[p[k]] for p in pairs]) for k in (0, 1))
g = torch.Generator().manual_seed(42)
W = torch.randn((n, n), generator=g, requires_grad=True)
for k in range(30):
    logits = F.one_hot(xs, num_classes=n).float() @ W
    counts = logits.exp()
    probs = counts / counts.sum(axis=1, keepdims=True)
    loss = -probs[torch.arange(xs.nelement()), ys].log().mean() + 0.01 * (W**2).mean()
    W.grad = None
    loss.backward()
    W.data += -10 * W.grad
    if k % 10 == 0:
        print(k, "%.3f" % loss.item())
print(loss < nll + 0.2, [invent(lambda ix: torch.softmax(W[ix], dim=-1), g) for _ in range(3)])
