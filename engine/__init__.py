"""torch's surface: `import engine as torch` works. Semantics of PyTorch 2.13 on the CPU, written on NumPy.

This file gathers names; only switches without effect are defined here.
"""

from __future__ import annotations

from engine import dtypes as _dtypes
from engine.autograd.modes import enable_grad as enable_grad
from engine.autograd.modes import inference_mode as inference_mode
from engine.autograd.modes import is_grad_enabled as is_grad_enabled
from engine.autograd.modes import no_grad as no_grad
from engine.autograd.modes import set_grad_enabled as set_grad_enabled
from engine.dtypes import can_cast as can_cast
from engine.dtypes import device as device
from engine.dtypes import dtype as dtype
from engine.dtypes import finfo as finfo
from engine.dtypes import get_default_dtype as get_default_dtype
from engine.dtypes import iinfo as iinfo
from engine.dtypes import promote_types as promote_types
from engine.dtypes import set_default_dtype as set_default_dtype
from engine.tensor import Size as Size
from engine.tensor import Tensor as Tensor
from engine.tensor import note_absent as _note_absent
from engine import operators as _operators  # before anything computes
from engine import autograd as autograd  # fills the table of entry points
from engine import creation as _creation
from engine import ranges as _ranges
from engine import random as random
from engine import sampling as _sampling
from engine import typed as _typed
from engine import conversion as _conversion
from engine import inplace as _inplace
from engine import linalg as linalg
from engine.conversion import result_type as result_type
from engine.printing import set_printoptions as set_printoptions
from engine.random import Generator as Generator
from engine.random import default_generator as default_generator
from engine.random import get_rng_state as get_rng_state
from engine.random import initial_seed as initial_seed
from engine.random import manual_seed as manual_seed
from engine.random import seed as seed
from engine.random import set_rng_state as set_rng_state
from engine.ops.registry import COMPOSITES as _COMPOSITES
from engine.ops.registry import REGISTRY as _REGISTRY

for _d in _dtypes.ALL:
    globals()[_d.name] = _d
globals().update(_dtypes.ALIASES)
for _name, _f in _COMPOSITES.items():
    globals().setdefault(_name, _f)
for _name, _op in _REGISTRY.items():
    if _op.method:
        for _alias in (_name, *_op.aliases):
            globals().setdefault(_alias, _op.call)
globals().update(_creation.PUBLIC)
globals().update(_ranges.PUBLIC)
globals().update(_sampling.PUBLIC)
globals().update(_typed.PUBLIC)

from engine import nn as nn
from engine import optim as optim
from engine import utils as utils
from engine import distributions as distributions
from engine import backends as backends
from engine import accelerator as accelerator
from engine import amp as amp
from engine import cuda as cuda
from engine.amp import autocast as autocast
from engine.serialization import load as load
from engine.serialization import save as save
from engine.missing import getattr_of as _getattr_of

for _name in nn.functional.TORCH_LEVEL:
    globals().setdefault(_name, getattr(nn.functional, _name))

_note_absent()

__version__ = "2.13.0"
strided = "torch.strided"
contiguous_format = "torch.contiguous_format"
preserve_format = "torch.preserve_format"
from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi

newaxis = None


def is_storage(obj: object) -> bool:
    """False: storages are not shown."""
    return False


def get_num_threads() -> int:
    """One."""
    return 1


def set_num_threads(n: int) -> None:
    """There is one."""


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """They all are."""


def is_inference_mode_enabled() -> bool:
    """Whether inference mode is on."""
    from engine.autograd.modes import is_inference_mode_enabled as enabled

    return enabled()


__getattr__ = _getattr_of("torch", globals())
