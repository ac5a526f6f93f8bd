"""Makes a virtual environment and fills it from the locks: `setup.py run|dev|parity`. `setup.py check` only says, by
its exit code, whether `run` has nothing to do; the environment's own Python may ask that, which starts fastest.

Needs only Python's standard library and, the first time, the package registries. A stamp of everything that decides
the result is written last, so that the next start costs a few milliseconds and no network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import vendor  # noqa: E402


@dataclass(frozen=True)
class Profile:
    """Which environment, which locks, and what must be there besides."""

    folder: str
    locks: tuple[str, ...]
    extra: tuple[str, ...] = ()  # packages without a hash: PyTorch, whose right build depends on the machine
    npm_dev: bool = False
    contains: tuple[str, ...] = ()  # profiles whose stamp says enough for this one


PROFILES = {
    "run": Profile(".venv", ("build", "run"), contains=("dev",)),
    "dev": Profile(".venv", ("dev",), npm_dev=True),
    "parity": Profile(".venv-parity", ("dev",), extra=("torch==2.13.0",)),
}


def stamp(profile: Profile) -> str:
    """A hash of what decides an environment; settings of linters and tests in pyproject.toml do not."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    parts = project["build-system"], project["project"], project["tool"]["hatch"]
    digest = hashlib.sha256(f"{ROOT} {sys.version_info[:2]} {profile.extra} {parts}".encode())
    for name in ("scripts/setup.py", *(f"requirements/{lock}.txt" for lock in profile.locks)):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def works(folder: Path) -> bool:
    """Whether the environment's interpreter starts and has pip (it stops doing so when its Python is upgraded)."""
    command = [str(python_of(folder)), "-c", "import pip"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def make_environment(folder: Path) -> None:
    """`python -m venv`, and what to do on a Debian whose Python came without ensurepip."""
    if works(folder):
        return
    shutil.rmtree(folder, ignore_errors=True)
    plain = [sys.executable, "-m", "venv", str(folder)]
    if subprocess.run(plain, capture_output=True, check=False).returncode == 0 and works(folder):
        return
    shutil.rmtree(folder, ignore_errors=True)
    bare = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    outer_pip = [sys.executable, "-m", "pip", "--python", str(python_of(folder)), "install", "--quiet", "pip"]
    if subprocess.run(bare, capture_output=True, check=False).returncode == 0:
        subprocess.run(outer_pip, capture_output=True, check=False)
        if works(folder):
            return
    shutil.rmtree(folder, ignore_errors=True)
    package = f"python3.{sys.version_info.minor}-venv" if sys.executable.startswith("/usr/bin/") else "python3-venv"
    if apt_install(package) and subprocess.run(plain, check=False).returncode == 0 and works(folder):
        return
    raise SystemExit(f"This Python has neither ensurepip nor pip. One line helps:  sudo apt-get install {package}")


def apt_install(*packages: str) -> bool:
    """Whether Debian's package manager could be asked, and did it. Only root may."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    print("installing from Debian:", *packages, flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        if subprocess.run([*apt, *arguments], env=env, stdout=subprocess.DEVNULL, check=False).returncode != 0:
            return False
    return True


def install(profile: Profile, folder: Path) -> None:
    python = str(python_of(folder))
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--progress-bar=off"]
    locks = [part for lock in profile.locks for part in ("-r", str(ROOT / f"requirements/{lock}.txt"))]
    print("installing the locked Python packages (the first time only)", flush=True)
    subprocess.run([*pip, "--require-hashes", *locks], check=True, cwd=ROOT)
    if profile.extra:
        subprocess.run([*pip, *profile.extra], check=True, cwd=ROOT)
    subprocess.run([*pip, "--no-deps", "--no-index", "--no-build-isolation", "-e", "."], check=True, cwd=ROOT)


def is_fresh(name: str) -> bool:
    """Whether the environment is what today's locks give."""
    profile = PROFILES[name]
    marks = {other: ROOT / profile.folder / f".backstep-{other}" for other in (name, *profile.contains)}
    return any(mark.exists() and mark.read_text() == stamp(PROFILES[other]) for other, mark in marks.items())


def main(name: str) -> None:
    if name == "check":
        raise SystemExit(not (is_fresh("run") and vendor.built(ROOT)))
    profile = PROFILES[name]
    folder = ROOT / profile.folder
    if not is_fresh(name):
        make_environment(folder)
        for mark in folder.glob(".backstep-*"):
            mark.unlink()
        install(profile, folder)
        (folder / f".backstep-{name}").write_text(stamp(profile))
    missing = not vendor.built(ROOT) or (profile.npm_dev and not vendor.installed(ROOT, dev=True))
    if missing:
        command = [str(python_of(folder)), "scripts/vendor.py", *(["--dev"] if profile.npm_dev else [])]
        subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"set-up failed: {' '.join(map(str, error.cmd[:6]))} … (exit {error.returncode})") from None
