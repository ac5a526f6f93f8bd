"""Writes the locks: requirements/*.txt with hashes for every platform and Python, and package-lock.json.

Versions already locked stay unless `--upgrade` is given. requirements/dev.txt holds everything; the others are parts
of it, so that one version of a package is run, tested and shipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from vendor import ROOT, node_commands

HEADER = "# Written by `make lock`; do not edit.\n"
LOCKS = {
    "dev": (["pyproject.toml"], ["--all-extras"]),
    "run": (["pyproject.toml"], ["-c", "requirements/dev.txt"]),
    "server": (["pyproject.toml"], ["--extra", "postgres", "-c", "requirements/dev.txt"]),
    "build": (["requirements/build.in"], ["-c", "requirements/dev.txt"]),
}


def lock_python(*, upgrade: bool) -> None:
    for name, (sources, options) in LOCKS.items():
        out = ROOT / f"requirements/{name}.txt"
        command = [sys.executable, "-m", "uv", "pip", "compile", *sources, "-o", str(out), *options]
        command += [
            "--universal",
            "--python-version",
            "3.11",
            "--generate-hashes",
            "--no-annotate",
            "--no-header",
        ]
        subprocess.run([*command, "--quiet", *(["--upgrade"] if upgrade else [])], cwd=ROOT, check=True)
        out.write_text(HEADER + out.read_text())


def lock_npm() -> None:
    _, npm, folder = node_commands()
    env = {**os.environ, "PATH": folder + os.pathsep + os.environ.get("PATH", "")}
    subprocess.run([*npm, "install", "--package-lock-only", "--loglevel=error"], cwd=ROOT, env=env, check=True)


def refuse_hosts() -> None:
    """A lock that names a registry works only where that registry is reached."""
    for path in [ROOT / "package-lock.json", *map(Path, (ROOT / "requirements").glob("*.txt"))]:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if "resolved" in line or "index-url" in line or "find-links" in line:
                raise SystemExit(f"{path.name}:{number} names a registry: {line.strip()}")


if __name__ == "__main__":
    lock_python(upgrade="--upgrade" in sys.argv[1:])
    lock_npm()
    refuse_hosts()
