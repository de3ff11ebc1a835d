"""Writes what the documentation takes from the code: the reference of the operations, and the README's picture."""

from __future__ import annotations

from pathlib import Path

from autograd import Value, draw, tanh
from autograd.operations import OPERATIONS

DOCS = Path(__file__).parent
REFERENCE = DOCS / "operations.md"
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
    draw(neuron()).save(PICTURE)
