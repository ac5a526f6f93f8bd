"""Every gradient of a small classifier with batch normalisation, derived by hand and compared with autograd's."""
import torch
import torch.nn.functional as F

g = torch.Generator().manual_seed(3)
n, features, hidden, classes = 12, 4, 6, 3
X = torch.randn((n, features), generator=g)
Y = torch.randint(0, classes, (n,), generator=g)
W1 = torch.randn((features, hidden), generator=g) * 0.5
W2 = torch.randn((hidden, classes), generator=g) * 0.5
b2 = torch.randn(classes, generator=g) * 0.1
gain, shift = torch.randn((1, hidden), generator=g) * 0.1 + 1, torch.randn((1, hidden), generator=g) * 0.1
for p in (W1, W2, b2, gain, shift):
    p.requires_grad = True

before = X @ W1
mean = 1 / n * before.sum(0, keepdim=True)
centred = before - mean
variance = 1 / (n - 1) * (centred**2).sum(0, keepdim=True)
inverse = (variance + 1e-5) ** -0.5
normal = centred * inverse
h = torch.tanh(gain * normal + shift)
logits = h @ W2 + b2
top = logits.max(1, keepdim=True).values
counts = (logits - top).exp()
probs = counts * counts.sum(1, keepdims=True) ** -1
logprobs = probs.log()
loss = -logprobs[range(n), Y].mean()
print(f"{loss:.4f}", torch.allclose(loss, F.cross_entropy(logits, Y)))
for t in (before, normal, h, logits, probs, logprobs):
    t.retain_grad()
loss.backward()


def compare(name, ours, t):
    print(f"{name:9s} shape {tuple(t.shape)} | close {torch.allclose(ours, t.grad, atol=1e-6)} "
          f"| off by less than 1e-6: {(ours - t.grad).abs().max().item() < 1e-6}")


dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Y] = -1.0 / n
compare("logprobs", dlogprobs, logprobs)
compare("probs", dlogprobs / probs, probs)
dlogits = F.softmax(logits, 1)
dlogits[range(n), Y] -= 1
dlogits /= n
compare("logits", dlogits, logits)
dh = dlogits @ W2.T
compare("h", dh, h)
compare("W2", h.T @ dlogits, W2)
compare("b2", dlogits.sum(0), b2)
dinner = (1.0 - h**2) * dh
compare("gain", (normal * dinner).sum(0, keepdim=True), gain)
compare("shift", dinner.sum(0, keepdim=True), shift)
dnormal = gain * dinner
compare("normal", dnormal, normal)
dbefore = inverse / n * (n * dnormal - dnormal.sum(0) - n / (n - 1) * normal * (dnormal * normal).sum(0))
compare("before", dbefore, before)
compare("W1", X.T @ dbefore, W1)
