"""Imports point downwards: one table says which layer a file belongs to; a finding names file, line and both layers.

Counted are imports that run when the module is imported. An import inside a function may point upwards when a comment
on its line says why; one under `if TYPE_CHECKING` may too.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Lowest first: a layer imports itself and those above it in the table.
LAYERS = {
    "engine": (
        ("base", ("engine.errors", "engine.dtypes", "engine.rounding")),
        ("ops", ("engine.ops",)),
        ("autograd", ("engine.autograd",)),
        (
            "tensor",
            tuple(
                f"engine.{name}"
                for name in ("shapes", "tensor", "writing", "operators", "printing", "random", "nested", "creation", "ranges", "sampling", "typed")
                + ("missing", "conversion", "inplace")
            ),
        ),
        ("functional", ("engine.nn.functional", "engine.nn.reduction", "engine.nn.recurrence")),
        ("nn", ("engine.nn", "engine.optim", "engine.utils", "engine.distributions")),
        ("package", ("engine",)),
        ("trace", ("engine.trace",)),
        ("catalog", ("engine.catalog",)),
    ),
    "app": (
        ("base", ("app.settings", "app.errors", "app.schema", "app.security", "app.templating", "app.metrics", "app")),
        ("program", ("app.store", "app.runs.compile", "app.runs.program", "app.runs.limits", "app.runs.runner")),
        ("sandbox", ("app.sandbox",)),
        ("service", ("app.runs", "app.lessons")),
        ("routes", ("app.routes",)),
        ("main", ("app.main", "app.server", "app.cli", "app.__main__")),
    ),
}

WINDOW = ("engine.trace", "engine.catalog")  # what app sees of the engine …
MORE = {"app.runs.expression": ("engine.ops", "engine.errors", "engine.autograd.observer")}  # … and who sees more, by name
# inside the sandbox: all of the engine, nothing else of app
GUESTS = tuple(f"app.sandbox.{name}" for name in ("guest", "zygote", "lockdown", "manners"))
LEARNERS = ("app.lessons.programs",)  # data: programs as a learner writes them
FOREIGN = ("torch", "tensorflow", "jax", "autograd")  # the oracle and its like are for tests/parity only


def is_in(module, prefixes):
    return any(module == prefix or module.startswith(prefix + ".") for prefix in prefixes)


def layer_of(module):
    """(index, name) of the layer with the longest matching prefix, or None for modules of other packages."""
    table = LAYERS.get(module.split(".")[0], ())
    found = [
        (len(prefix), index, name)
        for index, (name, prefixes) in enumerate(table)
        for prefix in prefixes
        if is_in(module, (prefix,))
    ]
    return max(found)[1:] if found else None


def is_module(name):
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").exists() or path.is_dir()


def imported(node, package):
    """The modules that an import statement names, relative ones resolved, `from a import module` as a.module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        parts = package.split(".")
        base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [base])])
    return [full if is_module(full := f"{base}.{alias.name}") else base for alias in node.names]


def statements(body, *, late=False):
    """(import statement, whether it stands inside a function) of a body; `if TYPE_CHECKING` is left out."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, late
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from statements(node.orelse, late=late)
            continue
        inside = late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        children = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt | ast.excepthandler)]
        yield from statements(children, late=inside)


def findings(name, source, *, package):
    """Sentences about the imports of one module that the tables forbid."""
    lines = source.splitlines()
    for node, late in statements(ast.parse(source).body):
        for target in imported(node, package):
            where = f"{name.replace('.', '/')}.py:{node.lineno}"
            mine, theirs = layer_of(name), layer_of(target)
            if target.split(".")[0] in FOREIGN:
                yield f"{where} imports {target}: the product knows nothing of it"
            if theirs is None or (late and "#" in lines[node.lineno - 1]):
                continue
            if is_in(name, GUESTS):
                if target.startswith("app") and not is_in(target, GUESTS):
                    yield f"{where} runs inside the sandbox and imports {target}"
            elif name.split(".")[0] != target.split(".")[0]:
                if name.startswith("engine"):
                    yield f"{where} (engine) imports {target}: the engine knows nothing of app"
                elif not is_in(target, WINDOW + MORE.get(name, ())):
                    yield f"{where} (app) imports {target}: app sees of the engine only {', '.join(WINDOW)}"
            elif theirs[0] > mine[0]:
                yield f"{where} ({mine[1]}) imports {target} ({theirs[1]}), which stands above it"


def modules():
    for package in LAYERS:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            if not is_in(name, LEARNERS):
                yield path, name


@pytest.mark.parametrize("package", LAYERS)
def test_imports_point_downwards(package):
    found = []
    for path, name in modules():
        if name.split(".")[0] == package:
            parent = name if path.name == "__init__.py" else name.rpartition(".")[0]
            found += findings(name, path.read_text(), package=parent)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        ("engine.ops.sums", "from engine.tensor import T", "engine/ops/sums.py:1 (ops) imports engine.tensor (ten"),
        ("engine.errors", "from . import nn", "engine/errors.py:1 (base) imports engine.nn (nn)"),
        ("engine.tensor", "import app.settings", "the engine knows nothing of app"),
        ("app.main", "from engine.tensor import Tensor", "app sees of the engine only"),
        ("app.sandbox.guest", "from app.settings import Settings", "runs inside the sandbox"),
        ("engine.random", "import torch", "the product knows nothing of it"),
        ("engine.ops.sums", "def f():\n    from engine.tensor import Tensor", "engine/ops/sums.py:2"),
    ],
)
def test_an_import_that_points_upwards_is_found(name, line, said):
    assert said in "\n".join(findings(name, line, package=name.rpartition(".")[0]))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("engine.tensor", "from engine.ops.op import op"),
        ("app.sandbox.guest", "import engine.tensor"),
        ("engine.random", "def f():\n    from engine.nn import init  # late: nn stands above"),
        ("engine.ops.op", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from engine.tensor import Tensor"),
    ],
)
def test_an_import_that_is_allowed_is_not(name, line):
    assert not list(findings(name, line, package=name.rpartition(".")[0]))
