"""The packages: what importing costs, who imports whom, and that a new operation is one new row."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
import nn

ROOT = Path(__file__).parents[1]


def run(code: str, folder: Path = ROOT, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_importing_the_engine_imports_none_of_its_libraries():
    loaded = run("import sys; bare = set(sys.modules); import autograd; print(*(set(sys.modules) - bare))").split()
    assert "autograd.value" in loaded
    assert not set(loaded) & {"numpy", "graphviz", "matplotlib", "tqdm", "sklearn", "autograd.drawing"}


@pytest.mark.parametrize("package", [autograd, nn], ids=["autograd", "nn"])
def test_public_names_exist_and_are_sorted_out(package):
    assert len(set(package.__all__)) == len(package.__all__)
    assert all(hasattr(package, name) for name in package.__all__)


# An import against this order is a fault.
LAYERS = ["operations graph layout themes", "operands", "value", "native", "engines", "functions vectors structures",
          "checking diagram wengert sweeps", "drawing replay trace transforms",
          "notation tape", "stepping", "explaining"]  # fmt: skip


def sources(name: str) -> list[Path]:
    folder = ROOT / "autograd" / name
    return sorted(folder.glob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def imported_from_the_project(path: Path) -> set[str]:
    """The modules that a file imports, as `autograd.value`; a name from the top level of a package as the package."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [".".join(a.name.split(".")[:2]) for node in nodes if isinstance(node, ast.Import) for a in node.names]
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module in ("autograd", "nn"):
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
            names += [
                name if (ROOT / name.replace(".", "/")).with_suffix(".py").exists() else node.module for name in modules
            ]
        elif isinstance(node, ast.ImportFrom):
            names.append(".".join((node.module or "").split(".")[:2]))
    return {name for name in names if name.split(".")[0] in ("autograd", "nn")}


@pytest.mark.parametrize("layer", range(len(LAYERS)))
def test_modules_import_only_from_the_layers_below(layer):
    below = {f"autograd.{name}" for names in LAYERS[:layer] for name in names.split()}
    for name in LAYERS[layer].split():
        for path in sources(name):
            assert imported_from_the_project(path) - {f"autograd.{name}"} <= below, path


def test_every_module_of_the_engine_has_its_layer():
    modules = {path.stem for path in (ROOT / "autograd").glob("*.py")} - {"__init__"} | {"native"}
    assert modules == set(" ".join(LAYERS).split())


def test_nn_uses_only_what_the_engine_exports():
    for path in (ROOT / "nn").glob("*.py"):
        names = {name for name in imported_from_the_project(path) if name.split(".")[0] == "autograd"}
        assert names <= {"autograd"}, path


NEW_ROW = """
    Operation(
        "cube", "cube", "x ** 3",
        lambda m, x: x * x * x,
        [lambda m, r, x: 3.0 * x * x],
        samples=unary(-2.0, 0.5, 3.0),
    ),
"""

USE_OF_THE_NEW_ROW = """
import autograd
from autograd import Tape, Value, cube, derivative, draw, engine
from autograd.functions import value_mathematics
from autograd.operations import OPERATIONS

x = Value(2.0, label="x")
y = x.cube()
assert y.data == cube(2.0) == 8.0
y.backward()
assert x.grad == 12.0
assert cube.__doc__.startswith("cube(x) = x ** 3")
assert ">cube<" in draw(y).svg
for executor in {"native", "numpy"} if engine == "native" else {"numpy"}:
    tape = Tape(y * 2.0, [x], executor=executor)
    assert tape.forward([[2.0], [3.0]]).tolist() == [16.0, 54.0]
    assert tape.jacobian([[2.0], [3.0]], wrt="inputs").tolist() == [[24.0], [54.0]]

assert [derivative(cube, order=n)(2.0) for n in range(5)] == [8.0, 12.0, 12.0, 6.0, 0.0]

x.grad = 0.0
[rule] = OPERATIONS["cube"].partials
slope = rule(value_mathematics, y, x)
slope.backward()
assert (slope.data, x.grad) == (12.0, 12.0)
print(autograd.__file__, autograd.engine)
"""


@pytest.mark.parametrize("engine", ["python", "native"])
def test_adding_an_operation_is_adding_one_row(engine, tmp_path):
    """In a copy of the project with one more row, all of these follow: USE_OF_THE_NEW_ROW, its tests, its reference."""
    if engine == "native" and autograd.engine != "native":
        pytest.skip("the native engine is not in use")
    leave_out = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
    for folder in ("autograd", "nn", "tests", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=leave_out)
    for file in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, tmp_path)
    table = tmp_path / "autograd" / "operations.py"
    source = table.read_text(encoding="utf-8")
    head = "for operation in [\n"
    assert source.count(head) == 1
    table.write_text(source.replace(head, head + NEW_ROW), encoding="utf-8")

    environment = {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", "AUTOGRAD_ENGINE": engine}

    def python(*arguments: str) -> str:
        result = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path, env=os.environ | environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    if engine == "native":
        python("setup.py", "--quiet", "build_ext", "--inplace")
    assert python("-c", USE_OF_THE_NEW_ROW).split() == [str(tmp_path / "autograd" / "__init__.py"), engine]
    report = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "cube", "tests/autograd")
    assert int(report.rsplit(" passed", 1)[0].split()[-1]) >= 3 * 4  # three samples, in at least four tests
    python("docs/write.py")
    assert "`cube(x)`" in (tmp_path / "docs" / "operations.md").read_text(encoding="utf-8")
