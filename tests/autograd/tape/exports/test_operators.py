"""Each row of the table gives in ONNX Runtime what it gives here, and rules that cannot be written say why."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import autograd
from autograd import Tape, Value
from autograd.functions import define
from autograd.operations import OPERATIONS

NUMBERS = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-300, -1e-300, 1e300, -1e300]
NUMBERS += [sign * size for size in (1e-17, 1e-8, 0.3, 1.0, 1.5, 5.5, 27.0, 41.0, 100.0, 710.0, 750.0, 1e8, 1e9, 1e17)
            for sign in (1, -1)]  # fmt: skip
ERROR = {"float64": 1e-13, "float32": 4e-6}  # relative


def batches(operation):
    """Points of the domain, in batches of one structure: as many as the operation has. With what is at the edges."""
    points = [*operation.samples, *operation.kinks]
    if operation.name == "take":  # whose index a tape refuses elsewhere
        points += [([math.nan, math.inf, -2.0], float(index)) for index in range(3)]
    elif operation.sequences:
        points += [tuple([x] * 3 if k < operation.sequences else x for k, x in enumerate(point))
                   for point in itertools.product(NUMBERS[:7], repeat=len(operation.operands))]  # fmt: skip
    else:
        points += itertools.product(NUMBERS, repeat=len(operation.operands))
    structures = {}
    for point in points:
        lengths = tuple(len(operand) if isinstance(operand, list) else 0 for operand in point)
        structures.setdefault(lengths, []).append(point)
    return structures.values()


def recorded(operation, point):
    """A tape of the operation, whose operands are all inputs."""
    leaves = [[*map(Value, operand)] if isinstance(operand, list) else Value(operand) for operand in point]
    flat = [leaf for operand in leaves for leaf in (operand if isinstance(operand, list) else [operand])]
    return Tape(getattr(autograd, operation.name)(*leaves), flat, executor="numpy")


def flatten(point):
    return [number for operand in point for number in (operand if isinstance(operand, list) else [operand])]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_row(operation, dtype, run):
    for points in batches(operation):
        tape = recorded(operation, points[0])
        with np.errstate(all="ignore"):
            batch = np.array([*map(flatten, points)]).astype(dtype)
            mine, theirs = tape.forward(batch).astype(dtype), run(tape.to_onnx(dtype=dtype), batch)[:, 0]
            smallest = np.finfo(dtype).smallest_normal / ERROR[dtype]
            alike = (mine == theirs) | np.isnan(mine) & np.isnan(theirs)
            alike |= abs(mine - theirs) <= ERROR[dtype] * np.maximum(abs(mine), smallest)
        assert alike.all(), [
            (*row, a, b) for *row, a, b, same in zip(*batch.T, mine, theirs, alike, strict=True) if not same
        ]


def test_what_onnx_lacks_keeps_its_digits_everywhere(run):
    sizes = np.append(10.0 ** np.linspace(-15, 3, 500), np.linspace(0.0, 30.0, 500))
    numbers = np.concatenate([-sizes, sizes])
    for operation in OPERATIONS.values():
        if len(operation.operands) == 1 and not operation.sequences:
            tape = recorded(operation, operation.samples[0])
            mine, theirs = tape.forward(numbers), run(tape.to_onnx(), numbers[:, np.newaxis])[:, 0]
            with np.errstate(invalid="ignore"):
                error = np.where(mine == theirs, 0.0, abs(mine - theirs) / np.maximum(abs(mine), 1e-300))
            assert np.array_equal(np.isnan(mine), np.isnan(theirs)), operation.name
            assert np.nanmax(error) < 1e-12, (operation.name, numbers[np.nanargmax(error)])


def test_a_row_of_ones_own(run):
    half = define("half_the_sum", lambda m, x, bias: 0.5 * m.sum([m.sqrt(abs(x_i)) + bias for x_i in x]) - m.exp(bias),
                  [lambda m, r, x, bias: [0.0 for _ in x], lambda m, r, x, bias: 0.0], sequences=1)  # fmt: skip
    fixed = define("fixed", lambda m, x: 4.0, [lambda m, r, x: 0.0])
    same = define("Add", lambda m, x: x, [lambda m, r, x: 1.0])  # which is an operator's name, too
    x = [Value(0.1), Value(0.2), Value(0.3)]
    tape = Tape([half(x, x[0]), fixed(x[1]), same(x[2])], x)
    batch = [[1.0, 2.0, 3.0], [-4.0, 0.0, 5.0]]
    assert run(tape.to_onnx(), batch) == pytest.approx(tape.forward(batch), rel=1e-14)


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (lambda m, x: x if x > 0 else 0.0, "use m.where"),
        (lambda m, x: m.exp(float(x.sum()) if hasattr(x, "sum") else float(x)), "the number of an operand"),
        (lambda m, x: np.cosh(x), "numpy.cosh: use the functions of m"),
    ],
)
def test_a_rule_that_cannot_be_written_says_why(rule, reason):
    pytest.importorskip("onnx")
    mine = define("mine", rule, [lambda m, r, x: 0.0])
    x = Value(1.0)
    tape = Tape(mine(x), [x])
    with pytest.raises(TypeError, match=f"the operation 'mine' cannot be written in ONNX: .*{reason}"):
        tape.to_onnx()


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (lambda m, x: m.sum(x) / len(x), "has no len"),
        (lambda m, x: x[0], "not subscriptable"),
        (lambda m, x: m.sum([x_i * x_j for x_i, x_j in zip(x, [*x][1:], strict=False)]), "one term for each element"),
    ],
)
def test_nor_can_one_that_takes_a_sequence_apart(rule, reason):
    pytest.importorskip("onnx")
    mine = define("mine", rule, [lambda m, r, x: [0.0 for _ in x]], sequences=1)
    x = [Value(1.0), Value(2.0)]
    with pytest.raises(TypeError, match=f"the operation 'mine' cannot be written in ONNX: .*{reason}"):
        Tape(mine(x), x).to_onnx()
