"""torch.backends: switches that scripts set and questions they ask. None changes anything on the CPU."""

from __future__ import annotations

from types import SimpleNamespace


def _never() -> bool:
    return False


mps = SimpleNamespace(is_available=_never, is_built=_never)
cudnn = SimpleNamespace(deterministic=False, benchmark=False, enabled=True, is_available=_never, version=lambda: None)
cuda = SimpleNamespace(is_built=_never, matmul=SimpleNamespace(allow_tf32=False))
mkldnn = SimpleNamespace(is_available=_never, enabled=False)
