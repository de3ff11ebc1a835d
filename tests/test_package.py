"""The packages: what importing costs, who imports whom, and that a new operation is one new row."""

from __future__ import annotations

import ast
import os
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy
import pytest

import autograd
import nn

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    assert not set(loaded) & {
        "numpy",
        "graphviz",
        "matplotlib",
        "tqdm",
        "sklearn",
        "html",
        "autograd.drawing",
        "autograd.explaining",
    }


@pytest.mark.parametrize("package", [autograd, nn], ids=["autograd", "nn"])
def test_public_names_exist_and_are_sorted_out(package):
    assert len(set(package.__all__)) == len(package.__all__)
    assert all(hasattr(package, name) for name in package.__all__)


# ---- Who imports whom

PACKAGES = ("autograd", "nn")


def import_order() -> list[list[str]]:
    """The order that CONTRIBUTING.md gives, the lowest line first."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return [line.split() for line in text.split("```text\n")[1].split("```")[0].splitlines()]


LINE_OF = {room: number for number, line in enumerate(import_order()) for room in line}


def path_of(module: str) -> Path | None:
    """The file of a module of the project, if it is one."""
    path = ROOT / module.replace(".", "/")
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.exists()), None)


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_by(path: Path) -> set[str]:
    """The modules of the project that a file imports, wherever in the file, for types too.

    What is written from the table for type checkers, table.pyi, is no module.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {module_of(name) for name in names if name.split(".")[0] in PACKAGES and "autograd.table" not in name}


def module_of(name: str) -> str:
    """The module that a dotted name is, or is in; the compiled engine has no file in Python, it is its folder's."""
    while path_of(name) is None:
        name = name.rpartition(".")[0]
    return name


MODULES = {name_of(path): imported_by(path) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}


def room_of(module: str) -> str:
    """Its place in the order: a folder of autograd stands for all of its files, and so does nn."""
    package, *rest = module.split(".")
    return package if package == "nn" or not rest else rest[0]


def test_every_module_has_its_place_in_the_order():
    assert {room_of(module) for module in MODULES} - {"autograd"} == set(LINE_OF) - {
        "examples",
        "notebooks",
        "benchmarks",
    }


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {"autograd"}))
def test_a_module_imports_only_what_stands_above_it(module):
    own = room_of(module)
    for imported in MODULES[module]:
        room = room_of(imported)
        if own == "nn":
            assert room == "nn" or imported in {"autograd", *(f"autograd.{name}" for name in autograd.__all__)}
        else:
            assert room == own or LINE_OF[room] < LINE_OF[own], f"{module} imports {imported}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_folder_is_used_through_its_face(module):
    for imported in MODULES[module]:
        folder = imported.rpartition(".")[0]
        assert folder in PACKAGES or folder == "" or module.startswith(folder), f"{module} imports {imported}"


@pytest.mark.parametrize("folder", ["examples", "benchmarks", "docs"])
def test_scripts_use_what_a_user_would(folder):
    for path in (ROOT / folder).glob("*.py"):
        for imported in imported_by(path):
            assert imported.count(".") <= 1, f"{path} imports {imported}"


def test_there_is_no_circle_of_files():
    left = {module: imported - {module} for module, imported in MODULES.items() if module not in PACKAGES}
    while free := {module for module, imported in left.items() if not imported & left.keys()}:
        left = {module: imported for module, imported in left.items() if module not in free}
    assert left == {}


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def test_numpy_is_imported_in_one_place():
    """Where it is not installed, that place has something in its stead. Types, which nobody runs, may name it."""
    for path, tree in sources():
        for node in tree.body if path != ROOT / "autograd" / "packages.py" else []:
            is_for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for inner in [] if is_for_types else ast.walk(node):
                names = [alias.name for alias in inner.names] if isinstance(inner, ast.Import) else []
                assert not [name for name in names if name.split(".")[0] == "numpy"], path


def test_all_parts_of_numpy_that_are_used_are_imported_with_it():
    """NumPy would import one at its first use. A signal's handler that uses it just then gets a RecursionError."""
    parts = {f"numpy.{part.name}" for part in pkgutil.iter_modules(numpy.__path__)}
    used: set[str] = set()
    imported: set[str] = set()
    for path, tree in sources():
        used |= {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & parts
        if path == ROOT / "autograd" / "packages.py":
            nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
            imported |= {alias.name for node in nodes for alias in node.names}
    assert used
    assert used <= imported


# ---- A test for each


def test_every_source_has_its_test():
    """tests/ mirrors the packages, file for file; a face, which only exports, needs none."""
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if path.name != "__init__.py"]
    tests = [ROOT / "tests" / path.relative_to(ROOT).with_name(f"test_{path.name}") for path in sources]
    assert [str(test.relative_to(ROOT)) for test in tests if not test.exists()] == []


# ---- What a change touches


NEW_ROW = """
    Operation(
        "third_power", "third_power", "x ** 3",
        lambda m, x: x * x * x,
        [lambda m, r, x: 3.0 * x * x],
        samples=unary(-2.0, 0.5, 3.0),
    ),
"""

USE_OF_THE_NEW_ROW = """
from importlib.util import find_spec
import autograd
from autograd import Tape, Value, third_power, derivative, draw, engine, explain
from autograd.functions import value_mathematics
from autograd.operations import OPERATIONS

x = Value(2.0, label="x")
y = x.third_power()
assert y.data == third_power(2.0) == 8.0
y.backward()
assert x.grad == 12.0
assert third_power.__doc__.startswith("third_power(x) = x ** 3")
assert ">third_power<" in draw(y).svg
assert "v1 = third_power(x) = third_power(2) = 8" in explain(y).text
for executor in {"native", "numpy"} if engine == "native" else {"numpy"}:
    tape = Tape(y * 2.0, [x], executor=executor)
    assert tape.forward([[2.0], [3.0]]).tolist() == [16.0, 54.0]
    assert tape.jacobian([[2.0], [3.0]], wrt="inputs").tolist() == [[24.0], [54.0]]
    assert not find_spec("onnx") or [function.name for function in tape.to_onnx().functions] == ["third_power"]

assert [derivative(third_power, order=n)(2.0) for n in range(5)] == [8.0, 12.0, 12.0, 6.0, 0.0]

x.grad = 0.0
[rule] = OPERATIONS["third_power"].partials
slope = rule(value_mathematics, y, x)
slope.backward()
assert (slope.data, x.grad) == (12.0, 12.0)
print(autograd.__file__, autograd.engine)
"""


class Copy:
    """A copy of the project, to be changed; `python` runs in it."""

    def __init__(self, folder: Path, engine: str) -> None:
        self.folder, self.engine = folder, engine
        for name in ("autograd", "nn", "tests", "docs"):
            leave_out = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
            shutil.copytree(ROOT / name, folder / name, ignore=leave_out)
        for name in ("pyproject.toml", "setup.py", "README.md", "CONTRIBUTING.md", "LICENSE"):
            shutil.copy(ROOT / name, folder)

    def insert(self, file: str, before: str, text: str) -> None:
        """Puts a text into a file, before another that is there once; without that, makes the file."""
        path = self.folder / file
        source = path.read_text(encoding="utf-8") if before else ""
        assert not before or source.count(before) == 1, (file, before)
        path.write_text(source.replace(before, text + before) if before else text, encoding="utf-8")

    def python(self, *arguments: str) -> str:
        environment = {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1", "AUTOGRAD_ENGINE": self.engine}
        environment["CFLAGS"] = "-O0"  # the same numbers, compiled in a quarter of the time
        result = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder, env=os.environ | environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def rooms_touched(self) -> int:
        """How many files of the packages differ from the project's."""
        files = [path for package in PACKAGES for path in (self.folder / package).rglob("*.*") if path.suffix != ".pyc"]
        originals = {path: ROOT / path.relative_to(self.folder) for path in files}
        return sum(not old.exists() or old.read_bytes() != new.read_bytes() for new, old in originals.items())


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["python", "native"])
def test_adding_an_operation_is_adding_one_row(engine, tmp_path):
    """In a copy of the project with one more row, all of these follow: USE_OF_THE_NEW_ROW, its tests, its reference."""
    if engine == "native" and autograd.engine != "native":
        pytest.skip("the native engine is not in use")
    copy = Copy(tmp_path, engine)
    copy.insert("autograd/operations.py", "    # ---- arithmetic\n", NEW_ROW)
    if engine == "native":
        copy.python("setup.py", "--quiet", "build_ext", "--inplace")
    assert copy.python("-c", USE_OF_THE_NEW_ROW).split() == [str(tmp_path / "autograd" / "__init__.py"), engine]
    report = copy.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "third_power", "tests/autograd")
    assert int(report.rsplit(" passed", 1)[0].split()[-1]) >= 3 * 4  # three samples, in at least four tests
    copy.python("docs/write.py")
    assert "`third_power(x)`" in (tmp_path / "docs" / "operations.md").read_text(encoding="utf-8")


# Of each change: how many files it touches; what it puts where, as (file, before which text, text); and its proof.
CHANGES = {
    "an activation function": (
        1,
        [
            (
                "autograd/operations.py",
                "    Operation(\n        # Swish",
                """    Operation(
        "softsign", "softsign", "x / (1 + abs(x))",
        lambda m, x: x / (1.0 + m.abs(x)),
        [lambda m, r, x: 1.0 / ((1.0 + m.abs(x)) * (1.0 + m.abs(x)))],
        samples=WIDE,
    ),
""",
            )
        ],
        """
from autograd import Value, softsign
from nn import MLP
x = Value(1.0)
y = softsign(x)
y.backward()
assert (y.data, x.grad, x.softsign().data) == (0.5, 0.25, 0.5)
assert repr(MLP(1, [1, 1], activation=softsign).layers[0]) == "Layer of [SoftsignNeuron(1)]"
""",
    ),
    "an optimiser": (
        2,
        [
            (
                "nn/optimizers.py",
                "class RMSProp(Optimizer):\n",
                """class SignDescent(Optimizer):
    def update(self, parameters, gradient):
        return parameters - self.learning_rate * numpy.sign(gradient)


""",
            ),
            ("nn/__init__.py", "\n__all__ = [", "from nn.optimizers import SignDescent\n"),
        ],
        """
from autograd import Value
from nn import SignDescent, fit, squared_error
w = Value(0.0)
history = fit(lambda x: w * x, [1.0], [2.0], squared_error, SignDescent([w], 0.5), epochs=4, progress=False)
assert (w.data, history.eager) == (2.0, "")
""",
    ),
    "an executor": (
        2,
        [
            (
                "autograd/tape/executors/one_by_one.py",
                "",
                '''"""The executor that replays one example after the other."""

from autograd.tape.executors.executor import Executor
from autograd.tape.executors.numpy import NumPy


class OneByOne(Executor):
    def program(self, wengert):
        return Program(NumPy().program(wengert))


class Program:
    def __init__(self, of_all):
        self.of_all = of_all

    def replay(self, examples, batch, parameters, outputs, seeds, gradient, input_gradients, threads, /):
        total = 0.0 * gradient
        for i in range(examples):
            seed = seeds if seeds is None or seeds.ndim == 1 else seeds[i : i + 1]
            own = None if input_gradients is None else input_gradients[i : i + 1]
            self.of_all.replay(1, batch[i : i + 1], parameters, outputs[i : i + 1], seed, gradient, own, threads)
            total = total + gradient
        gradient[:] = total
''',
            ),
            (
                "autograd/tape/executors/__init__.py",
                '    "numpy": "autograd',
                '    "one by one": "autograd.tape.executors.one_by_one.OneByOne",\n',
            ),
        ],
        """
from autograd import Tape, Value
w, x = Value(2.0), Value(0.0)
tape = Tape(w * w * x, [x], executor="one by one")
assert tape.forward([1.0, 3.0]).tolist() == [4.0, 12.0]
tape.backward()
assert w.grad == 8.0
""",
    ),
    "a format of drawings": (
        1,
        [
            (
                "autograd/drawing/drawing.py",
                '            ".html": lambda: self.html',
                '            ".txt": repr(self).encode,\n',
            )
        ],
        """
import tempfile, pathlib
from autograd import Value, draw
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "a.txt"
    draw(Value(1.0)).save(path)
    assert path.read_text().startswith("<Drawing of 1 node:")
""",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_touches_few_rooms(change, tmp_path):
    rooms, insertions, proof = CHANGES[change]
    copy = Copy(tmp_path, "python")
    for insertion in insertions:
        copy.insert(*insertion)
    assert copy.rooms_touched() == rooms
    copy.python("-c", proof)
