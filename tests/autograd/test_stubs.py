"""The types of the table: strict type checkers take right lines and refuse wrong ones, and an editor sees all of it.

`setup.py` has written table.pyi beside the modules when it built them in place.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
from autograd import Value, functions, stubs
from autograd.formulas import description
from autograd.operations import OPERATIONS, ROWS, TABLE

ROOT = Path(__file__).parents[2]
WRITTEN = ROOT / "autograd" / "table.pyi"

RIGHT = """\
from typing import Any

import autograd
from autograd import Tape, Value, grad, gradients, no_grad, value_and_grad
from nn import MLP, SGD, Module, cross_entropy, fit, squared_error

a, b = Value(2.0, label="a"), Value(3)
value: Value = a * b + 2.0 * a**2 - (-a) / 3
value = abs(a).tanh() + autograd.tanh(a).leaky_relu(0.1) + a.maximum(b).arctan2(1.0)
value = autograd.dot([a, b], [1.0, 2.0], 0.5) + autograd.sum([a, b]) + autograd.max(a, 0.0)
number: float = autograd.tanh(0.5) + autograd.dot([1.0], [2.0]) + autograd.mean([1, 2]) + a.data + a.grad
text: str = autograd.__version__ + autograd.engine + a.label + a.op
is_less: bool = a < b
a.data, a.grad, a.label = 3, 0.0, "c"
either: Value | float = autograd.sum([a, 1.0])
plain: int = autograd.sum([1, 2])

model = MLP(2, [3, 1])
loss = squared_error(model([1.0, 2.0]), 2.0)
loss.backward()
value = squared_error(a, 1.0) + cross_entropy([a, b], 1)
number = squared_error([1.0, 2.0], [1.0, 0.0])
optimizer = SGD(model.parameters(), learning_rate=0.1)
optimizer.step()
last: float = fit(model, [[0.0, 1.0]], [1.0], squared_error, optimizer, epochs=1).loss[-1]

slopes: list[Any] = grad(lambda w: w[0] * w[1])([3.0, 4.0])
pair: tuple[Any, Any] = value_and_grad(lambda w: w[0] * w[1])([3.0, 4.0])
numbers: list[float] = gradients(a * b, [a, b])
losses = Tape(a * b, inputs=[a]).forward([[1.0], [2.0]]).mean()


class Momentum(Value):
    momentum: float = 0.0

    def __init__(self, data: float) -> None:
        super().__init__(data)


class Line(Module):
    def __init__(self) -> None:
        self.slope = Value(2.0)

    def __call__(self, x: float) -> Value:
        return self.slope * x


@no_grad
def predicted(x: float) -> str:
    return f"{Line()(x):.1f}"


@no_grad()
def shown(x: float) -> str:
    return predicted(x)


with no_grad():
    text = predicted(3.0) + shown(4.0)

Momentum(1.0).momentum = 0.5
value = Line()(3.0)
"""

WRONG = """\
a.tnah()
a.grd
a.momentum = 0.0
p = a.gard
x: int = a.tanh()
x = autograd.tanh(a)
autograd.tanhh(a)
autograd.tanh("0.5")
autograd.tanh()
autograd.dot([a], 2.0)
float(a)
a + "1"
a.data = "1"
a.parents = ()
a.backward("1")
model.parameters().zero_grad()
SGD(model.parameters(), learning_rat=0.1)
optimizer.stepp()
loss_of_words: Value = squared_error("a", 1.0)
squared_error(a, 1.0).item().backward()
Tape(a, inputs=2)
grad(3)
fit(model, [], [], squared_error, optimizer)
y: str = grad(lambda w: w[0])([1.0])
shown("3.0")
predicted("3.0")
number = shown(3.0)
no_grad(3)
"""


def test_what_was_written_is_what_the_table_says():
    assert WRITTEN.read_text(encoding="utf-8") == stubs.table(), "install again: python setup.py build_ext --inplace"


def test_every_function_and_method_is_declared_with_its_docstring():
    tree = ast.parse(stubs.table())
    [methods] = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    declared = {node.name: ast.get_docstring(node) for node in methods.body}
    attributes = {name: getattr(Value, name, None) for name in dir(Value)}
    of_value = {name for name, each in attributes.items() if getattr(each, "__module__", "") == "autograd.functions"}
    assert declared.keys() == of_value
    assert {name: declared[name] for name in OPERATIONS if name in declared} == {
        row.name: description(row) for row in ROWS[:TABLE] if not row.sequences
    }
    by_hand = {"abs", "sum", "max", "min", "take"}
    assert {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} == OPERATIONS.keys() - by_hand
    assert {*autograd.__all__} >= OPERATIONS.keys() - {"max", "min"}
    assert all(name in functions.__all__ for name in by_hand - {"max", "min"})


# ---- Type checkers


def checked(folder, name, text):
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder / f"{name}.py"


def mypy(file):
    """The lines in which it finds an error, and what it says."""
    command = [sys.executable, "-P", "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", file.parent, file]
    said = subprocess.run(
        [*map(str, command)], cwd=ROOT, env=os.environ | {"MYPYPATH": str(ROOT)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    found = re.findall(rf"{file.name}:(\d+): error: (.*)", said.stdout)
    assert said.returncode == bool(found), said.stdout + said.stderr
    return {int(line): message for line, message in found}


def pyright(file):
    settings = {"include": [file.name], "typeCheckingMode": "strict", "extraPaths": [str(ROOT)]}
    (file.parent / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-P", "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", file.parent]
    said = subprocess.run([*map(str, command)], cwd=file.parent, capture_output=True, text=True, check=False)
    assert said.returncode in (0, 1), said.stdout + said.stderr
    reports = json.loads(said.stdout)["generalDiagnostics"]
    errors = [report for report in reports if report["severity"] == "error"]
    return {report["range"]["start"]["line"] + 1: report["message"] for report in errors}


CHECKERS = [
    pytest.param(
        checker,
        marks=pytest.mark.skipif(
            importlib.util.find_spec(checker.__name__) is None, reason=f"{checker.__name__} is not installed"
        ),
    )
    for checker in (mypy, pyright)
]
each_checker = pytest.mark.parametrize("checker", CHECKERS)


@pytest.mark.slow
@each_checker
def test_right_lines_pass_and_each_wrong_one_is_refused(checker, tmp_path):
    assert checker(checked(tmp_path, "right", RIGHT)) == {}
    first = len(RIGHT.splitlines()) + 1
    wrong = dict(enumerate(WRONG.splitlines(), first))
    found = checker(checked(tmp_path, "wrong", RIGHT + WRONG))
    assert {line: wrong.get(line) for line in wrong.keys() - found.keys()} == {}
    assert found.keys() <= wrong.keys()


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("pyright") is None, reason="pyright is not installed")
def test_strict_pyright_passes_on_the_examples():
    command = [sys.executable, "-P", "-m", "pyright", "--pythonpath", sys.executable]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout


# ---- Editors


@pytest.mark.both_engines
def test_dir_lists_every_operation():
    assert OPERATIONS.keys() <= {*dir(autograd)}
    assert {row.name for row in ROWS[:TABLE] if not row.sequences} <= {*dir(Value(1.0))}


def test_static_completion_lists_every_operation():
    jedi = pytest.importorskip("jedi")
    project = jedi.Project(ROOT, added_sys_path=[str(ROOT)], smart_sys_path=False)
    script = jedi.Script("import autograd\na = autograd.Value(1.0)\na.\n", path=ROOT / "typed.py", project=project)
    of_value = {completion.name for completion in script.complete(3, 2)}
    assert {row.name for row in ROWS[:TABLE] if not row.sequences} <= of_value
    assert {"data", "grad", "label", "backward", "parents"} <= of_value
    script = jedi.Script("import autograd\nautograd.\n", path=ROOT / "typed.py", project=project)
    of_module = {completion.name for completion in script.complete(2, 9)}
    assert {*autograd.__all__} <= of_module
    [tanh] = jedi.Script("import autograd\nautograd.Value(1.0).tanh", path=ROOT / "typed.py", project=project).help(
        2, 22
    )
    assert "d/dx = 1 / cosh(x) ** 2" in tanh.docstring()
