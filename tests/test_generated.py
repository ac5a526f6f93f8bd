"""What `make generate` writes is what lies in the repository."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def generated():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import generate
    finally:
        sys.path.pop(0)
    return generate.outputs()


@pytest.mark.parametrize("path", [p.relative_to(ROOT).as_posix() for p in generated()])
def test_generated_file_is_fresh(path):
    want = {p.relative_to(ROOT).as_posix(): text for p, text in generated().items()}[path]
    assert (ROOT / path).read_text() == want, f"{path} is stale: run `make generate`"
