"""Are the numbers of a replay those of eager graphs, with both executors, whatever the batch, threads and processor?"""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Tape, Value, dot, leaky_relu, logsumexp, tanh
from autograd import sum as sum_of
from autograd.operations import OPERATIONS

EXECUTORS = ["native", "numpy"] if autograd.engine == "native" else ["numpy"]

every_executor = pytest.mark.parametrize("executor", EXECUTORS)
every_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
native = pytest.mark.skipif(autograd.engine != "native", reason="the native engine is not in use")


def same_bits(mine, others):
    """Equal to the bit, but all nans alike."""
    mine, others = np.asarray(mine, float), np.asarray(others, float)
    alike = (mine == others) & (np.signbit(mine) == np.signbit(others)) | np.isnan(mine) & np.isnan(others)
    return mine.shape == others.shape and alike.all()


def close(mine, others, error):
    """As far apart as the error at most; what is not finite is the same."""
    mine, others = np.asarray(mine, float), np.asarray(others, float)
    with np.errstate(invalid="ignore"):
        alike = (mine == others) | (abs(mine - others) <= error) | np.isnan(mine) & np.isnan(others)
    return mine.shape == others.shape and alike.all()


def agree(executor, mine, others):
    return same_bits(mine, others) if executor == "native" else close(mine, others, 1e-12 * np.abs(others))


# ---- every operation of the table, at its samples and kinks


def flatten(point):
    return [number for operand in point for number in (operand if isinstance(operand, list) else [operand])]


def applied(operation, point, flat):
    """The operation on these operands, as the point has them."""
    rest = iter(flat)
    operands = [[next(rest) for _ in operand] if isinstance(operand, list) else next(rest) for operand in point]
    return getattr(autograd, operation.name)(*operands)


def eager(operation, point, roles):
    """The result and its derivatives, with respect to the operands that are Values, "x" or "w", and no constants."""
    flat = [number if role == "c" else Value(number) for number, role in zip(flatten(point), roles, strict=True)]
    result = applied(operation, point, flat)
    result.backward()
    return result.data, [value.grad for value in flat if isinstance(value, Value)]


def recorded(operation, point, roles, executor):
    flat = [number if role == "c" else Value(number) for number, role in zip(flatten(point), roles, strict=True)]
    inputs = [value for value, role in zip(flat, roles, strict=True) if role == "x"]
    return Tape(applied(operation, point, flat), inputs, executor=executor)


def points_by_shape(operation):
    """Lists of points for one tape each: those of n-ary operations have different lengths."""
    points = [*operation.samples, *operation.kinks]
    shapes = [tuple(len(operand) if isinstance(operand, list) else 0 for operand in point) for point in points]
    return [[p for p, shape in zip(points, shapes, strict=True) if shape == each] for each in dict.fromkeys(shapes)]


@every_executor
@every_operation
def test_an_operation_on_inputs(operation, executor):
    for points in points_by_shape(operation):
        roles = "x" * len(flatten(points[0]))
        tape = recorded(operation, points[-1], roles, executor)
        expected = [eager(operation, point, roles) for point in points]
        batch = [flatten(point) for point in points]
        values, gradients = zip(*expected, strict=True)
        assert agree(executor, tape.forward(batch), values)
        assert agree(executor, tape.jacobian(batch, wrt="inputs"), gradients)
        for example, value, gradient in zip(batch, values, gradients, strict=True):
            assert agree(executor, tape.forward([example]), [value])
            assert agree(executor, tape.backward(inputs=True), [gradient])


@every_executor
@every_operation
def test_an_operation_on_inputs_parameters_and_constants(operation, executor):
    """In each of an operand's roles, for one example and for three alike."""
    for point in [*operation.samples, *operation.kinks]:
        numbers = flatten(point)
        every_role = itertools.product("xwc", repeat=len(numbers)) if len(numbers) < 3 else ["xwc" * 7, "wxc" * 7, "wwx" * 7]
        for roles in ["".join(roles)[: len(numbers)] for roles in every_role]:
            if set(roles) == {"c"}:
                continue
            value, gradient = eager(operation, point, roles)
            tape = recorded(operation, point, roles, executor)
            example = [number for number, role in zip(numbers, roles, strict=True) if role == "x"]
            by_parameters = [x for x, role in zip(gradient, roles.replace("c", ""), strict=True) if role == "w"]
            by_inputs = [x for x, role in zip(gradient, roles.replace("c", ""), strict=True) if role == "x"]
            for n in (1, 3):
                batch = np.array([example] * n).reshape(n, len(example))
                assert agree(executor, tape.forward(batch), [value] * n), roles
                assert agree(executor, tape.jacobian(batch), [by_parameters] * n), roles
                assert agree(executor, tape.backward(1.0, inputs=True), [by_inputs] * n), roles
                total = n * np.array(by_parameters)
                assert close(tape.value_and_grad(batch, gradient=1.0)[1], total, 1e-12 * abs(total)), roles


@every_executor
@every_operation
def test_not_a_number_goes_through(operation, executor):
    [points, *_] = points_by_shape(operation)
    numbers = flatten(points[0])
    tape = recorded(operation, points[0], "x" * len(numbers), executor)
    expected = tape.forward([numbers])[0]
    for i in range(len(numbers)):
        with_nan = [*numbers[:i], math.nan, *numbers[i + 1 :]]
        assert same_bits(tape.forward([numbers, with_nan, numbers]), [expected, math.nan, expected])


# ---- where an operation on Values raises

INF, NAN = math.inf, math.nan
UNDEFINED = {
    "divide": [((1.0, 0.0), INF), ((-1.0, 0.0), -INF), ((1.0, -0.0), -INF), ((0.0, 0.0), NAN)],
    "power": [((0.0, -1.0), INF), ((-0.0, -3.0), -INF), ((-8.0, 0.5), NAN), ((10.0, 400.0), INF), ((-10.0, 401.0), -INF)],
    "exp": [((1000.0,), INF)],
    "expm1": [((1000.0,), INF)],
    "exp2": [((2000.0,), INF)],
    "log": [((0.0,), -INF), ((-0.0,), -INF), ((-1.0,), NAN)],
    "log1p": [((-1.0,), -INF), ((-2.0,), NAN)],
    "log2": [((0.0,), -INF), ((-1.0,), NAN)],
    "log10": [((0.0,), -INF), ((-1.0,), NAN)],
    "sqrt": [((-1.0,), NAN)],
    "sin": [((INF,), NAN)],
    "cos": [((-INF,), NAN)],
    "tan": [((INF,), NAN)],
    "asin": [((1.5,), NAN)],
    "acos": [((-1.5,), NAN)],
    "sinh": [((1000.0,), INF), ((-1000.0,), -INF)],
    "cosh": [((-1000.0,), INF)],
    "acosh": [((0.5,), NAN)],
    "atanh": [((1.0,), INF), ((-1.0,), -INF), ((2.0,), NAN)],
    "hypot": [((1.5e308, 1.5e308), INF)],
    "logsumexp": [(([-INF, -INF],), -INF)],
}


@every_executor
@pytest.mark.parametrize("name", UNDEFINED)
def test_inf_and_nan_where_an_operation_on_values_raises(name, executor):
    operation = OPERATIONS[name]
    usual = ([0.5, 0.5],) if operation.sequences else operation.samples[0]
    tape = recorded(operation, usual, "x" * len(flatten(usual)), executor)
    [expected] = tape.forward([flatten(usual)])
    for point, number in UNDEFINED[name]:
        with pytest.raises((ValueError, ArithmeticError)):
            applied(operation, point, map(Value, flatten(point)))
        for n in (1, 2, 40):
            batch = [flatten(point)] * n
            assert same_bits(tape.forward(batch), [number] * n)
            assert same_bits(tape.forward([flatten(usual), *batch, flatten(usual)]), [expected, *[number] * n, expected])


# ---- random programs

operands = st.lists(
    st.one_of(st.integers(0, 20), st.sampled_from([0.5, -1.0, 2.0, 0.0])), min_size=1, max_size=7
)  # fmt: skip
steps = st.tuples(
    st.sampled_from([*OPERATIONS, "dot", "dot", "dot"]), st.sampled_from(["any", "neuron", "mirrored"]), operands
)


def lines_of(program, numbers, inputs):
    """The program as lines (operation, operands), none twice; an operand is a constant, or the index of a value.

    The values are leaves with these numbers, of which so many are inputs, and then the lines' results. Of a program's
    steps, those stay that do not raise on these numbers. A "neuron" is a dot whose weights depend on no input.
    """
    values, lines = [Value(number) for number in numbers], []
    varying, uniform = list(range(inputs)), list(range(inputs, len(numbers)))

    def pick(drawn, among):
        return [among[-1 - x % len(among)] if isinstance(x, int) and among else float(x) for x in drawn]

    for name, side, drawn in program:
        everything, half = range(len(values)), len(drawn) // 2
        if name == "dot":
            sides = {"any": (everything, everything), "neuron": (uniform, varying), "mirrored": (varying, uniform)}[side]
            weights, factors = pick(drawn[:half], sides[0]), pick(drawn[half : 2 * half], sides[1])
            line = name, [weights, factors, *pick(drawn[-1:], everything if side == "any" else uniform)]
        elif OPERATIONS[name].sequences:
            line = name, [pick(drawn, everything)]
        else:
            line = name, pick((drawn * 3)[: len(OPERATIONS[name].operands)], everything)
        try:
            result = evaluated(line, values)
        except (ValueError, ArithmeticError):
            continue
        if isinstance(result, Value) and repr(line) not in map(repr, lines):
            depends = any(i in varying for x in line[1] for i in (x if isinstance(x, list) else [x]) if type(i) is int)
            (varying if depends else uniform).append(len(values))
            values.append(result)
            lines.append(line)
    return lines


def evaluated(line, values):
    def operand(x):
        return [operand(each) for each in x] if isinstance(x, list) else values[x] if type(x) is int else x

    name, operands = line
    return getattr(autograd, name)(*map(operand, operands))


def run(lines, leaves, noise=None):
    """All values, of the leaves and the lines. With noise, each result is off by a relative error of 1e-12."""
    values = list(leaves)
    for line in lines:
        result = evaluated(line, values)
        values.append(result if noise is None else result * (1.0 + noise.choice([-1e-12, 1e-12])))
    return values


def outputs_and_gradients(lines, numbers, outputs, noise=None):
    """In eager graphs; None if they raise."""
    leaves = [Value(number) for number in numbers]
    try:
        values = run(lines, leaves, noise)
    except (ValueError, ArithmeticError):
        return None
    gradients = []
    for k in outputs:
        for leaf in leaves:
            leaf.grad = 0.0
        values[k].backward()
        gradients.append([leaf.grad for leaf in leaves])
    return [values[k].data for k in outputs], gradients


def errors(lines, numbers, outputs, expected):
    """What a relative error of 1e-12 in each operation makes of the outputs and gradients."""
    noise, largest = random.Random(0), [np.zeros_like(part) for part in map(np.array, expected)]
    for _ in range(4):
        noisy = outputs_and_gradients(lines, numbers, outputs, noise)
        if noisy is None:
            return [np.full_like(part, INF) for part in largest]
        with np.errstate(invalid="ignore"):
            largest = [
                np.fmax(part, abs(np.array(mine) - theirs))
                for part, mine, theirs in zip(largest, noisy, expected, strict=True)
            ]
    return largest


@settings(max_examples=100, deadline=None)
@given(st.lists(steps, min_size=1, max_size=14), st.integers(0, 3), st.integers(0, 3), st.integers(0, 10**6), st.data())
def test_random_programs(program, inputs, parameters, seed, data):
    """Alone and as a batch: to the bit with the native executor, if there is one output; else as far as errors go."""
    source = random.Random(seed)
    numbers = [source.uniform(0.1, 2.0) for _ in range(inputs + parameters)]
    lines = lines_of(program, numbers, inputs)
    if not lines:
        return
    values = run(lines, map(Value, numbers))
    count = len(values)
    outputs = [count - 1, *data.draw(st.lists(st.integers(0, count - 1), max_size=2))]
    leaves = values[: inputs + parameters]
    batch = np.array([[source.uniform(-2.0, 2.0) for _ in range(inputs)] for _ in range(5)]).reshape(5, inputs)
    examples = [[*example, *numbers[inputs:]] for example in batch]
    expected = [outputs_and_gradients(lines, example, outputs) for example in examples]
    tolerances = [
        each and errors(lines, example, outputs, each) for example, each in zip(examples, expected, strict=True)
    ]
    for executor in EXECUTORS:
        given = [values[k] for k in outputs] if len(outputs) > 1 else values[-1]
        tape = Tape(given, leaves[:inputs], executor=executor)
        columns = [*range(inputs), *(leaves.index(parameter) for parameter in tape.parameters)]
        found = tape.forward(batch).reshape(5, len(outputs))
        by_inputs = tape.jacobian(batch, wrt="inputs").reshape(5, len(outputs), inputs)
        jacobian = np.concatenate([by_inputs, tape.jacobian(batch).reshape(5, len(outputs), -1)], axis=2)
        for e, (each, tolerance) in enumerate(zip(expected, tolerances, strict=True)):
            if each is None:
                continue
            truth, gradients = each[0], np.array(each[1])[:, columns]
            alone = tape.forward(batch[e : e + 1]), tape.backward(1.0, inputs=True)
            if executor == "native":
                assert same_bits(found[e], truth)
                assert same_bits(np.ravel(alone[0]), truth)
                if len(outputs) == 1:
                    assert same_bits(jacobian[e], gradients)
                    assert same_bits(alone[1], gradients[:, :inputs])
            assert close(found[e], truth, tolerance[0])
            assert close(jacobian[e], gradients, tolerance[1][:, columns])
