"""Three slot machines: which arm to pull is learnt from rewards alone, through the probability of what was pulled."""
from collections import Counter, deque

import numpy as np
import torch
import torch.nn as nn
from torch.distributions import Categorical

torch.manual_seed(5)
np.random.seed(5)
means = [0.1, 0.5, 0.9]
logits = torch.zeros(3, requires_grad=True)
optimizer = torch.optim.Adam([logits], lr=0.1)
baseline, pulled = 0.0, Counter()
for episode in range(60):
    m = Categorical(logits=logits)
    action = m.sample()
    pulled[action.item()] += 1
    reward = np.random.normal(means[action.item()], 0.1)
    baseline = 0.9 * baseline + 0.1 * reward
    loss = -m.log_prob(action) * (reward - baseline) - 0.01 * m.entropy()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(m, dict(sorted(pulled.items())), m.probs.detach().numpy().round(3))


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))
        self.log_probs, self.rewards = [], []

    def act(self, state):
        m = Categorical(torch.softmax(self.net(torch.from_numpy(state).float().unsqueeze(0)), dim=1))
        action = m.sample()
        self.log_probs.append(m.log_prob(action))
        return action.item()


policy = Policy()
optimizer = torch.optim.RMSprop(policy.parameters(), lr=1e-2)
eps = np.finfo(np.float32).eps.item()
for episode in range(4):
    state = np.random.randn(2)
    for t in range(8):
        action = policy.act(state)
        state = state + 0.3 * (2 * action - 1) * np.array([1.0, -1.0])
        policy.rewards.append(-abs(state).sum())
    returns, R = deque(), 0.0
    for r in policy.rewards[::-1]:
        R = r + 0.9 * R
        returns.appendleft(R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + eps)
    loss = torch.cat([-p * R for p, R in zip(policy.log_probs, returns)]).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"episode {episode}: reward {sum(policy.rewards):7.3f}, loss {loss.item():7.4f}")
    del policy.rewards[:], policy.log_probs[:]
