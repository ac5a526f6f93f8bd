"""torch.optim: the optimizers, one file each, over the loop in `optimizer.py`."""

from __future__ import annotations

from typing import Any

from engine.errors import AttributeFault, near_miss, unsupported
from engine.optim import lr_scheduler
from engine.optim.adadelta import Adadelta
from engine.optim.adagrad import Adagrad
from engine.optim.adam import Adam, AdamW
from engine.optim.adamax import Adamax
from engine.optim.asgd import ASGD
from engine.optim.lbfgs import LBFGS
from engine.optim.nadam import NAdam
from engine.optim.optimizer import Optimizer
from engine.optim.radam import RAdam
from engine.optim.rmsprop import RMSprop
from engine.optim.rprop import Rprop
from engine.optim.sgd import SGD

__all__ = [
    "ASGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "LBFGS",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SGD",
    "lr_scheduler",
]

LACKING = {"Adafactor": "optim.AdamW", "Muon": "optim.SGD with momentum", "SparseAdam": "optim.Adam", "swa_utils": None}


def __getattr__(name: str) -> Any:
    if name in LACKING:
        raise unsupported(f"torch.optim.{name}", LACKING[name])
    raise AttributeFault(f"module 'torch.optim' has no attribute '{name}'", hint=near_miss(name, __all__))
