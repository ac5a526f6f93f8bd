"""The locks: one version of a package everywhere, hashes for all, no registry named."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("run", "server", "build", "dev")


def pins(name):
    """{package: {version, …}} of a lock; several versions where Python versions need different ones."""
    found = {}
    for package, version in re.findall(r"^([\w.-]+)==([^ \\]+)", (ROOT / f"requirements/{name}.txt").read_text(), re.M):
        found.setdefault(package, set()).add(version)
    return found


@pytest.mark.parametrize("name", ["run", "server", "build"])
def test_what_is_shipped_is_what_is_tested(name):
    tested = pins("dev")
    assert {package: versions for package, versions in pins(name).items() if tested.get(package) != versions} == {}


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_a_hash(name):
    text = (ROOT / f"requirements/{name}.txt").read_text()
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.M)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("name", LOCKS)
def test_no_registry_is_named_in_a_python_lock(name):
    assert not re.search(r"https?://|index-url|find-links", (ROOT / f"requirements/{name}.txt").read_text())


def test_no_registry_is_named_in_the_npm_lock():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_every_npm_package_has_an_integrity_hash():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


def test_every_dependency_is_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]}
    assert names <= set(pins("run"))


def test_the_wheel_is_built_with_the_locked_tools():
    text = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = set(text["build-system"]["requires"])
    locked = {f"{package}=={version}" for package, versions in pins("build").items() for version in versions}
    assert wanted <= locked


def test_our_lock_files_do_not_lag_behind_package_json():
    wanted = json.loads((ROOT / "package.json").read_text())
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"][""]
    assert (wanted["dependencies"], wanted["devDependencies"]) == (locked["dependencies"], locked["devDependencies"])
