"""A training script with everything people put around the loop, written for a machine with a GPU."""
import copy
import json
import math
import os
import random
from collections import OrderedDict, defaultdict
from dataclasses import asdict, dataclass, field
from typing import Optional

import numpy as np
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset, random_split


@dataclass
class Config:
    lr: float = 0.05
    layers: list = field(default_factory=lambda: [2, 8, 2])
    name: Optional[str] = None


def seed_everything(seed):
    random.seed(seed)
    os.environ["PYTHONHASHSEED"] = str(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def make_model(config):
    layers = OrderedDict()
    for i, (a, b) in enumerate(zip(config.layers, config.layers[1:])):
        layers[f"fc{i}"] = nn.Linear(a, b)
        layers[f"act{i}"] = nn.ReLU(inplace=True)
    layers.popitem()
    layers["drop"] = nn.Dropout(0.1)
    return nn.Sequential(layers)


def init(m):
    if isinstance(m, nn.Linear):
        nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
        nn.init.zeros_(m.bias)


class EarlyStopping:
    def __init__(self, patience):
        self.patience, self.best, self.bad = patience, math.inf, 0

    def __call__(self, loss):
        self.best, self.bad = (loss, 0) if loss < self.best else (self.best, self.bad + 1)
        return self.bad >= self.patience


def main():
    seed_everything(9)
    config = Config()
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    if torch.accelerator.is_available():
        device = torch.accelerator.current_accelerator()
    print(json.dumps(asdict(config)), device)
    X = torch.randn(60, 2)
    y = (X[:, 0] * X[:, 1] > 0).long()
    train, val = random_split(TensorDataset(X, y), [45, 15], generator=torch.Generator().manual_seed(0))
    loaders = {"train": DataLoader(train, batch_size=15, shuffle=True, num_workers=2, pin_memory=True), "val": DataLoader(val, 15)}
    model = make_model(config).apply(init).to(device)
    print(model)
    optimizer = optim.Adam(model.parameters(), lr=config.lr, weight_decay=1e-4)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=6)
    scaler = torch.amp.GradScaler("cuda", enabled=torch.cuda.is_available())
    criterion, stop = nn.CrossEntropyLoss(label_smoothing=0.1), EarlyStopping(patience=3)
    history, best = defaultdict(list), None
    for epoch in range(6):
        for phase in ("train", "val"):
            model.train(phase == "train")
            total, correct, count = 0.0, 0, 0
            for xb, yb in loaders[phase]:
                xb, yb = xb.to(device, non_blocking=True), yb.to(device)
                with torch.set_grad_enabled(phase == "train"), torch.autocast(device.type, enabled=device.type == "cuda"):
                    out = model(xb)
                    loss = criterion(out, yb)
                if phase == "train":
                    optimizer.zero_grad(set_to_none=True)
                    scaler.scale(loss).backward()
                    scaler.unscale_(optimizer)
                    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                    scaler.step(optimizer)
                    scaler.update()
                total += loss.item() * xb.size(0)
                correct += torch.sum(torch.max(out, 1)[1] == yb.data).item()
                count += len(yb)
            history[phase].append(round(total / count, 3))
        scheduler.step()
        print(f"{epoch:>2} | lr {scheduler.get_last_lr()[0]:.4f} | {history['train'][-1]:.3f} {history['val'][-1]:.3f} | {correct / count:6.2%}")
        if best is None or history["val"][-1] <= min(history["val"]):
            best = copy.deepcopy(model.state_dict())
        if stop(history["val"][-1]):
            break
    print(model.load_state_dict(best), {k: tuple(v.shape) for k, v in best.items()})


if __name__ == "__main__":
    main()
