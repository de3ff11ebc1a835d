"""Writes what the documentation takes from the code: the reference, the table of rooms, and the README's picture."""

from __future__ import annotations

import ast
from pathlib import Path

from autograd import Value, draw, tanh
from autograd.operations import OPERATIONS

DOCS = Path(__file__).parent
ROOT = DOCS.parent
REFERENCE = DOCS / "operations.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
PICTURE = DOCS / "neuron.svg"

HEAD = """\
# The operations

Each is one row of [`autograd/operations.py`](../autograd/operations.py), where its derivatives stand. This page is
written from the table by `make docs`.

An operation is a function of floats and Values, `tanh(x)`, and a method of Value, `x.tanh()`; operations of sequences
are functions only. Outside the domain the evaluation raises ValueError (a division by zero, ZeroDivisionError; a result
beyond the largest float, OverflowError). Where the derivative is a convention or infinite, the last column has it.

| function | symbol | formula | domain | derivatives at kinks |
|---|---|---|---|---|
"""


def reference() -> str:
    rows = []
    for operation in OPERATIONS.values():
        kinks = "; ".join(f"at {point}: {derivatives}" for point, derivatives in operation.conventions)
        cells = (f"`{operation.signature}`", f"`{operation.symbol}`", f"`{operation.formula}`", operation.domain, kinks)
        rows.append(f"| {' | '.join(cells)} |\n")
    return HEAD + "".join(rows)


def contributing() -> str:
    """CONTRIBUTING.md, with the table of rooms as the files are now."""
    before, _, rest = CONTRIBUTING.read_text(encoding="utf-8").partition("<!-- rooms, written by make docs -->\n")
    _, _, after = rest.partition("<!-- end of rooms -->")
    return f"{before}<!-- rooms, written by make docs -->\n{rooms()}<!-- end of rooms -->{after}"


def rooms() -> str:
    """A row for each module of the packages: where it is, and the first line of its docstring."""
    modules = [path for package in ("autograd", "nn") for path in (ROOT / package).rglob("*.py")]
    rows = ["| room | what it does |\n|---|---|\n"]
    for path in sorted(modules, key=lambda path: (path.parent, path.name)):
        room = path.relative_to(ROOT).as_posix().replace("__init__.py", "")
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        rows.append(f"| `{room}` | {docstring.splitlines()[0] if docstring else ''} |\n")
    return "".join(rows)


def neuron() -> Value:
    """A neuron of two inputs, spelled out: y = tanh(w1 x1 + w2 x2 + b), with the gradient of y."""
    x1, x2, w1, w2, b = (
        Value(data, label=label) for label, data in {"x1": 2.0, "x2": -1.0, "w1": -0.5, "w2": 0.75, "b": 2.0}.items()
    )
    y = tanh(w1 * x1 + w2 * x2 + b)
    y.label = "y"
    y.backward()
    return y


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
    CONTRIBUTING.write_text(contributing(), encoding="utf-8")
    draw(neuron()).save(PICTURE)
