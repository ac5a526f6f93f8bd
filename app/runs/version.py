"""The engine's version as it stands in a Program: a trace made by other code is another trace."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import engine.trace
from app.templating import version


@cache
def engine_version() -> str:
    """`0.1.0+1a2b3c4d`: the release, and a hash of the engine's files, so that a changed checkout is another one."""
    root = Path(next(iter(engine.trace.__path__))).parent
    digest = hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return f"{version().partition('+')[0]}+{digest.hexdigest()[:8]}"
