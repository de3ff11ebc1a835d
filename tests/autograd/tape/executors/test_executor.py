"""The contract of executors: whatever the batch and the threads, a replay's numbers are those of eager graphs.

Every executor of the registry is held to it, and a toy, which is what the interface asks for at its plainest.
"""

from __future__ import annotations

import copy
import itertools
import math
import pickle
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Tape, Value, dot, leaky_relu, logsumexp, sqrt, take, tanh
from autograd import sum as sum_of
from autograd.graph import topological_order
from autograd.operation import ieee
from autograd.operations import OPERATIONS
from autograd.tape import executors
from autograd.tape.executors import c, compiling
from autograd.tape.executors.executor import Executor
from autograd.tape.executors.native import Native
from autograd.tape.executors.numpy import arrays

pytestmark = pytest.mark.both_engines

AVAILABLE = list(executors.available())
# XLA compiles every graph, which takes a twentieth of a second and more. So it is left out where there are thousands of
# graphs, and has tests where all of them are one; and it is the same with both engines, so that one is enough.
COMPILED = {"c", "xla"}
REGISTERED = [name for name in AVAILABLE if name not in COMPILED or autograd.engine == "native"]
OF_TESTS = ["toy", *["fast"] * (autograd.engine == "native")]  # which are registered below
USABLE = " or ".join([*AVAILABLE, *OF_TESTS])
INTERPRETED = [*(name for name in AVAILABLE if name not in COMPILED), *OF_TESTS]
EXECUTORS = [*REGISTERED, *OF_TESTS]
EXACT = {"c", "native", "toy"}  # one example's numbers are those of backward() to the bit

every_executor = pytest.mark.parametrize("executor", EXECUTORS)
every_interpreted = pytest.mark.parametrize("executor", INTERPRETED)
registered = pytest.mark.parametrize("executor", REGISTERED)
every_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


@pytest.fixture(scope="module", autouse=True)
def toy():
    """The toy is registered as any other executor: by its file, which is this one, and a line. "fast" is likewise."""
    executors.EXECUTORS |= {"toy": f"{__name__}.Toy", "fast": f"{__name__}.Fast"}
    yield
    del executors.EXECUTORS["toy"], executors.EXECUTORS["fast"]


@pytest.fixture(scope="module", autouse=True)
def quick_compiler(tmp_path_factory):
    """What is compiled is not optimised, which takes less time and changes no number; in a cache of its own."""
    folder = tmp_path_factory.mktemp("cache") / "compiled"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(c, "level", lambda *_: ("-O0",))
        patch.setattr(compiling, "platform_folder", lambda: folder)
        yield


class Fast(Native):
    """The native executor with fast mathematics, which is held to the contract too, but for rounding."""

    def program(self, wengert):
        return self.fast_program(wengert)


class Toy(Executor):
    """The table's rules on floats, example by example."""

    def program(self, wengert):
        return ToyProgram(wengert)


class ToyProgram:
    def __init__(self, wengert):
        self.wengert, self.depends = wengert, wengert.dependences.tolist()
        self.instructions = list(wengert.instructions())

    def replay(self, examples, batch, parameters, outputs, seeds, gradient, input_gradients, threads):
        wengert, inputs = self.wengert, self.wengert.inputs
        if seeds is not None:
            seeds = np.broadcast_to(seeds, outputs.shape)
            gradient[:] = 0.0
        for e in range(examples):
            numbers = dict(enumerate([*batch[e].tolist(), *parameters.tolist()]))
            numbers |= {-1 - k: number for k, number in enumerate(wengert.constants.tolist())}
            for result, operation, operands in self.instructions:
                numbers[result] = by(operation.compute, *read(numbers, operands))
            outputs[e] = [numbers[variable] for variable in wengert.outputs.tolist()]
            if seeds is not None:
                adjoints = self.adjoints(numbers, seeds[e].tolist(), seeds.any(axis=0))
                gradient += [adjoints.get(inputs + i, 0.0) for i in range(wengert.parameters)]
                if input_gradients is not None:
                    input_gradients[e] = [adjoints.get(i, 0.0) for i in range(inputs)]

    def adjoints(self, numbers, seeds, asked_for):
        adjoints = {}
        for variable, seed, is_asked_for in zip(self.wengert.outputs.tolist(), seeds, asked_for, strict=True):
            if is_asked_for:
                adjoints[variable] = adjoints.get(variable, 0.0) + seed
        for result, operation, operands in reversed(self.instructions):
            if result not in adjoints:
                continue
            for operand, partial in zip(operands, operation.partials, strict=True):
                derivatives = by(partial, numbers[result], *read(numbers, operands))
                flat = operand if isinstance(operand, list) else [operand]
                for variable, derivative in zip(flat, derivatives if flat is operand else [derivatives], strict=True):
                    if variable >= 0 and self.depends[variable]:
                        adjoints[variable] = adjoints.get(variable, 0.0) + derivative * adjoints[result]
        return adjoints


def read(numbers, operands):
    return [[numbers[v] for v in x] if isinstance(x, list) else numbers[x] for x in operands]


def by(rule, *operands):
    """On floats; where these raise, on NumPy's numbers, which have inf and nan there."""
    try:
        return rule(ieee, *operands)
    except (ValueError, ArithmeticError):
        numbers = [[np.float64(number) for number in x] if isinstance(x, list) else np.float64(x) for x in operands]
        with np.errstate(all="ignore"):
            return np.array(rule(arrays, *numbers)).tolist()


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
    return same_bits(mine, others) if executor in EXACT else close(mine, others, 1e-12 * np.abs(others))


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


@every_interpreted
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


@every_interpreted
@every_operation
def test_an_operation_on_inputs_parameters_and_constants(operation, executor):
    """In each of an operand's roles, for one example and for three alike."""
    for point in [*operation.samples, *operation.kinks]:
        numbers = flatten(point)
        for roles in roles_of(len(numbers)):
            if operation.name == "take" and roles[-1] != "x":
                continue  # an index is an input
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


@every_interpreted
@every_operation
def test_not_a_number_goes_through(operation, executor):
    if operation.name == "take":
        pytest.skip("nan goes through where it is chosen, and is refused as an index")
    [points, *_] = points_by_shape(operation)
    numbers = flatten(points[0])
    tape = recorded(operation, points[0], "x" * len(numbers), executor)
    expected = tape.forward([numbers])[0]
    for i in range(len(numbers)):
        with_nan = [*numbers[:i], math.nan, *numbers[i + 1 :]]
        assert same_bits(tape.forward([numbers, with_nan, numbers]), [expected, math.nan, expected])


@registered
def test_all_operations_at_all_points_in_all_roles_at_once(executor):
    """One tape of very many outputs, each with leaves of its own. What is alike is computed together."""
    outputs, inputs, expected = [], [], []
    slopes: dict[Value, float] = {}
    for operation in OPERATIONS.values():
        for point in [*operation.samples, *operation.kinks]:
            for roles in roles_of(len(flatten(point)))[:: 3 if executor in COMPILED else 1]:
                if operation.name == "take" and roles[-1] != "x":
                    continue  # an index is an input
                value, gradient = eager(operation, point, roles)
                flat = [x if role == "c" else Value(x) for x, role in zip(flatten(point), roles, strict=True)]
                outputs.append(applied(operation, point, flat))
                expected.append(value)
                slopes |= zip((leaf for leaf in flat if isinstance(leaf, Value)), gradient, strict=True)
                inputs += [leaf for leaf, role in zip(flat, roles, strict=True) if role == "x"]
    example = [leaf.data for leaf in inputs]
    tape = Tape(outputs, inputs, executor=executor)
    by_inputs, by_parameters = ([slopes[leaf] for leaf in leaves] for leaves in (inputs, tape.parameters))
    assert agree(executor, tape.forward([example] * 3), [expected] * 3)
    assert agree(executor, tape.backward(1.0, inputs=True), [by_inputs] * 3)
    total = 3.0 * np.array(by_parameters)
    assert close([parameter.grad for parameter in tape.parameters], total, 1e-12 * abs(total))


def roles_of(count):
    """Of so many operands: inputs, parameters and constants, not all of them constants."""
    every_role = itertools.product("xwc", repeat=count) if count < 3 else ["xwc" * 7, "wxc" * 7, "wwx" * 7]
    return [roles for roles in ("".join(roles)[:count] for roles in every_role) if set(roles) != {"c"}]


@registered
@pytest.mark.parametrize("place", [0, 1])
def test_operations_with_a_constant_operand_each_alone(place, executor):
    """So that executors may compute with the constant as such: x ** 2, and not a power that may be any."""
    outputs, inputs, expected, slopes = [], [], [], []
    for operation in OPERATIONS.values():
        if len(operation.operands) < 2 or operation.sequences:
            continue
        point = operation.samples[0]
        roles = "cx" if place == 0 else "xc"
        value, gradient = eager(operation, point, roles)
        flat = [x if role == "c" else Value(x) for x, role in zip(point, roles, strict=True)]
        outputs.append(applied(operation, point, flat))
        inputs.append(flat[1 - place])
        expected.append(value)
        slopes += gradient
    tape = Tape(outputs, inputs, executor=executor)
    batch = [[leaf.data for leaf in inputs]] * 2
    assert agree(executor, tape.forward(batch), [expected] * 2)
    assert agree(executor, tape.backward(1.0, inputs=True), [slopes] * 2)


@registered
def test_not_a_number_goes_through_all_operations_at_once(executor):
    outputs, examples = [], []
    inputs: list[Value] = []
    for operation in OPERATIONS.values():
        numbers = flatten(operation.samples[0])
        for i in range(len(numbers) if operation.name != "take" else 0):
            leaves = [Value(number) for number in numbers]
            outputs.append(applied(operation, operation.samples[0], leaves))
            inputs += leaves
            examples += [math.nan if k == i else number for k, number in enumerate(numbers)]
    tape = Tape(outputs, inputs, executor=executor)
    usual = [leaf.data for leaf in inputs]
    before, found, after = tape.forward([usual, examples, usual])
    assert np.isnan(found).all()
    assert same_bits(before, after)
    assert not np.isnan(before).any()


# ---- where an operation on Values raises

INF, NAN = math.inf, math.nan
UNDEFINED = {
    "divide": [((1.0, 0.0), INF), ((-1.0, 0.0), -INF), ((1.0, -0.0), -INF), ((0.0, 0.0), NAN)],
    "power": [
        ((0.0, -1.0), INF),
        ((-0.0, -3.0), -INF),
        ((-8.0, 0.5), NAN),
        ((10.0, 400.0), INF),
        ((-10.0, 401.0), -INF),
    ],
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


@every_interpreted
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
            assert same_bits(
                tape.forward([flatten(usual), *batch, flatten(usual)]), [expected, *[number] * n, expected]
            )


@registered
def test_inf_and_nan_of_all_operations_at_once(executor):
    outputs, expected = [], []
    inputs, examples = [], []
    for name, points in UNDEFINED.items():
        usual = ([0.5, 0.5],) if OPERATIONS[name].sequences else OPERATIONS[name].samples[0]
        for point, number in points:
            leaves = [Value(each) for each in flatten(usual)]
            outputs.append(applied(OPERATIONS[name], usual, leaves))
            inputs += leaves
            examples += flatten(point)
            expected.append(number)
    tape = Tape(outputs, inputs, executor=executor)
    usual = [leaf.data for leaf in inputs]
    before, found, after = tape.forward([usual, examples, usual])
    assert same_bits(found, expected)
    assert same_bits(before, after)
    assert np.isfinite(before).all()


# ---- random programs

operands = st.lists(
    st.one_of(st.integers(0, 20), st.sampled_from([0.5, -1.0, 2.0, 0.0])), min_size=1, max_size=7
)  # fmt: skip
steps = st.tuples(
    st.sampled_from([*(name for name in OPERATIONS if name != "take"), "dot", "dot", "dot"]),
    st.sampled_from(["any", "neuron", "mirrored"]),
    operands,
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
            sides = {"any": (everything, everything), "neuron": (uniform, varying), "mirrored": (varying, uniform)}[
                side
            ]
            weights, factors = pick(drawn[:half], sides[0]), pick(drawn[half : 2 * half], sides[1])
            line = name, [weights, factors, *pick(drawn[-1:], everything if side == "any" else uniform)]
        elif OPERATIONS[name].sequences:
            scalars = len(OPERATIONS[name].operands) - 1
            line = name, [pick(drawn, everything), *pick(drawn[-1:] * scalars, everything)]
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
    """All values, of the leaves and the lines. With noise, each result is off by a relative error of about 1e-12."""
    values = list(leaves)
    for line in lines:
        result = evaluated(line, values)
        values.append(result if noise is None else result * (1.0 + noise.gauss(0.0, 1e-12)))
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
    for _ in range(6):
        noisy = outputs_and_gradients(lines, numbers, outputs, noise)
        if noisy is None:
            return [np.full_like(part, INF) for part in largest]
        with np.errstate(invalid="ignore"):
            largest = [
                np.fmax(part, abs(np.array(mine) - theirs))
                for part, mine, theirs in zip(largest, noisy, expected, strict=True)
            ]
    return largest


programs = given(
    st.lists(steps, min_size=3, max_size=24), st.integers(0, 3), st.integers(0, 3), st.integers(0, 10**6), st.data()
)


@settings(max_examples=100, deadline=None)
@programs
def test_random_programs(program, inputs, parameters, seed, data):
    check_program(program, inputs, parameters, seed, data, INTERPRETED)


@pytest.mark.slow
@pytest.mark.skipif(not COMPILED & {*REGISTERED}, reason="no executor that compiles is here")
@settings(max_examples=5, deadline=None)
@programs
def test_random_programs_where_they_are_compiled(program, inputs, parameters, seed, data):
    check_program(program, inputs, parameters, seed, data, COMPILED)


def check_program(program, inputs, parameters, seed, data, names):
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
    for executor in names:
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
            if executor in EXACT:
                assert same_bits(found[e], truth)
                assert same_bits(np.ravel(alone[0]), truth)
                if len(outputs) == 1:
                    assert same_bits(jacobian[e], gradients)
                    assert same_bits(alone[1], gradients[:, :inputs])
            assert close(found[e], truth, tolerance[0])
            assert close(jacobian[e], gradients, tolerance[1][:, columns])
        if None not in expected:
            truth, error = (
                np.mean([np.sum(part[1], axis=0)[columns[inputs:]] for part in each], axis=0)
                for each in (expected, tolerances)
            )
            assert close(tape.value_and_grad(batch)[1], truth, error + 1e-15 * abs(truth))


# ---- sums and products of constants, parameters and inputs

W, X = (1.25, -0.5, 3.0), (0.75, -2.0, 0.3)  # parameters, and an example
MIXED = {
    "a weight twice": lambda w, x: dot([w[0], w[0]], [x[0], x[1]]),
    "a weight three times": lambda w, x: dot([w[0], w[0], w[0]], x),
    "a weight twice, apart": lambda w, x: dot([w[0], w[1], w[0]], x, w[0]),
    "an input twice": lambda w, x: dot(w[:2], [x[0], x[0]]),
    "the bias is a weight": lambda w, x: dot(w, x, w[1]),
    "the bias is an input": lambda w, x: dot(w, x, x[1]),
    "the bias is computed": lambda w, x: dot(w, x, w[0] * w[1]),
    "constant weights": lambda w, x: dot([2.0, -1.0, 0.5], x, w[0]),
    "some weights are constant": lambda w, x: dot([w[0], 2.0, w[1], 3.0, 4.0], [*x, x[0], x[1]], 1.0),
    "some factors are computed from parameters": lambda w, x: dot(w, [x[0], w[0] * 2.0, x[1]]),
    "inputs on the left": lambda w, x: dot(x, w, 0.5),
    "inputs on either side": lambda w, x: dot([x[0], w[0], 2.0], [w[1], x[1], x[2]]),
    "inputs times inputs": lambda w, x: dot(x, [x[2], x[0], x[0]], w[0]),
    "an input squared": lambda w, x: dot([x[0]], [x[0]], x[0]),
    "of length 0": lambda w, x: dot([], [], x[0]) * dot([], [], w[0]),
    "nested": lambda w, x: dot(w[:2], [dot(w, x), tanh(dot(x, w, w[0]))], dot(w, w)),
    "nested in its weights": lambda w, x: dot([dot(w, w), dot([2.0], [w[0]])], x[:2]),
    "of 33 products": lambda w, x: dot([w[i % 3] * 1.0 for i in range(33)], [x[i * 2 % 3] for i in range(33)]),
    "shared weights": lambda w, x: tanh(dot(w, x)) + tanh(dot(w, x[::-1])) * w[0] + dot(w[::-1], x) * w[0],
    "a sum of everything": lambda w, x: sum_of([w[0], 1.0, x[0], w[0], x[0], w[0] * w[1], x[1] * w[1]]),
    "a sum of one": lambda w, x: sum_of([x[0]]) + sum_of([w[0]]),
    "logsumexp of everything": lambda w, x: logsumexp([w[0], 1.0, x[0], w[0], x[0], w[0] * w[1], x[1] * w[1]]),
    "a slope that is a parameter": lambda w, x: leaky_relu(x[1], w[0]) + leaky_relu(-x[0], slope=w[1]),
    "a slope that is an input": lambda w, x: leaky_relu(w[1], x[0]) * x[1].elu(alpha=x[0]) + w[1].elu(x[2]),
    "the same operand twice": lambda w, x: x[0] * x[0] + w[0] * w[0] + x[2] ** x[2] + (x[2] - x[2]) / w[1],
    "parameters alone": lambda w, x: tanh(w[0] * w[1]) + w[2] / w[0],
    "parameters alone in a part": lambda w, x: (w[0] * w[1] + w[0]) * x[0] + tanh(w[0] * w[1] + w[0]) * x[1],
    "inputs alone": lambda w, x: tanh(x[0] * x[1]) + x[2],
}


@every_executor
@pytest.mark.parametrize("name", MIXED)
def test_sums_and_products_of_constants_parameters_and_inputs(name, executor):
    w, x = [Value(number) for number in W], [Value(1.0), Value(-1.0), Value(1.0)]
    tape = Tape(MIXED[name](w, x), x, executor=executor)
    for n in (33,) if executor in COMPILED else (1, 2, 7, 8, 9, 40, 300):
        examples = [[number + 0.01 * ((e * 7) % 11) for number in X] for e in range(n)]
        outputs, by_inputs, by_parameters = [], [], []
        for example in examples:
            v, y = [Value(number) for number in W], [Value(number) for number in example]
            result = MIXED[name](v, y)
            result.backward()
            outputs.append(result.data)
            by_inputs.append([value.grad for value in y])
            by_parameters.append([v[w.index(parameter)].grad for parameter in tape.parameters])
        assert agree(executor, tape.forward(examples), outputs)
        assert agree(executor, tape.backward(1.0, inputs=True), by_inputs)
        jacobian = tape.jacobian(examples)
        assert close(jacobian, by_parameters, 1e-14 * np.abs(by_parameters))  # an instruction may be that of two
        total = np.sum(by_parameters, axis=0)
        sizes = np.sum(np.abs(by_parameters), axis=0)
        assert close(tape.value_and_grad(examples, gradient=1.0)[1], total, 1e-13 * sizes)


# ---- many examples


@registered
def test_the_gradient_is_the_sum_of_the_examples_gradients(large, executor):
    outputs, inputs, batch = large
    tape = Tape(outputs, inputs, executor=executor)
    for n in (9,) if executor in COMPILED else (1, 2, 9, 129, 513, 5000):
        seeds = np.sin(np.arange(2.0 * n)).reshape(n, 2)
        terms = (seeds[:, :, np.newaxis] * tape.jacobian(batch[:n])).reshape(2 * n, -1)
        truth = [math.fsum(column) for column in terms.T]
        error = 1e-14 if executor == "native" else 1e-12  # NumPy's products of matrices round as their shapes have it
        assert close(tape.value_and_grad(batch[:n], gradient=seeds)[1], truth, error * abs(terms).sum(axis=0))


@registered
def test_threads_and_repetitions_change_nothing(large, executor):
    outputs, inputs, batch = large
    counts = (1,) if executor in COMPILED else (1, 2, 5, 1000, None)
    [first, *others] = [Tape(outputs, inputs, executor=executor, threads=threads) for threads in counts]
    values, gradient = first.value_and_grad(batch)
    outputs_alone = first.forward(batch)
    assert agree(executor, outputs_alone, values)
    for tape in [first, *others]:
        for _ in range(3):
            again = tape.value_and_grad(batch)
            assert again[0].tobytes() == values.tobytes()
            # XLA has compiled another function for the outputs alone
            assert tape.forward(batch).tobytes() == (outputs_alone if executor in COMPILED else values).tobytes()
            assert again[1].tobytes() == gradient.tobytes()


def test_the_sum_over_very_many_examples_is_exact_to_rounding():
    """Of what depends on no input, too: its seeds are not added one by one."""
    w, x = Value(3.0), Value(0.0)
    n = 1_000_000
    for executor in REGISTERED:
        tape = Tape([w * w, x * w, w], [x], executor=executor)
        batch = np.full((n, 1), 0.1)
        for gradient in (None, np.full((n, 3), 1 / n)):
            values, [slope] = tape.value_and_grad(batch, gradient=gradient)
            assert values[-1].tolist() == [9.0, 0.1 * 3.0, 3.0]
            assert slope == pytest.approx(6.0 + 0.1 + 1.0, rel=1e-13)


# ---- layers, chains, recurrences and convolutions


@every_executor
def test_structures_have_the_eager_numbers(structured, executor):
    """Each example's outputs and input gradients, in a batch and alone; and the gradient of a batch."""
    outputs, inputs, batch = structured
    batch = batch[:11]
    expected = []
    for example in batch:
        for x, number in zip(inputs, example, strict=True):
            x.data = number
        expected.append(eager_again(outputs, inputs))
    for k, output in enumerate(outputs):
        tape = Tape(output, inputs, executor=executor)
        values, by_inputs, gradients = zip(*(each[k] for each in expected), strict=True)
        assert agree(executor, tape.forward(batch), values)
        assert agree(executor, tape.backward(1.0, inputs=True), by_inputs)
        truth = [[gradient[parameter] for parameter in tape.parameters] for gradient in gradients]
        assert agree(executor, tape.jacobian(batch), truth)
        found = tape.value_and_grad(batch, gradient=1.0)[1]
        assert close(found, np.sum(truth, axis=0), 1e-13 * np.sum(np.abs(truth), axis=0))
        if executor in COMPILED:
            return
        for e, example in enumerate(batch):
            assert agree(executor, tape.value_and_grad([example], gradient=1.0)[1], truth[e])


@pytest.mark.parametrize("seeds", [range(first, first + 25) for first in range(0, 200, 25)], ids=str)
def test_random_structures_have_the_numbers_of_the_list(random_graph, seeds):
    check_structures(random_graph, seeds)


@pytest.mark.parametrize(
    "seeds",
    [
        *[range(first, first + 3) for first in range(1, 16, 3)],
        pytest.param(range(50, 51), marks=pytest.mark.slow),  # compiled, too
    ],
    ids=str,
)
def test_random_attention_has_the_numbers_of_the_list(random_attention, seeds):
    check_structures(random_attention, seeds)


@registered
@pytest.mark.parametrize("count", [1, 2, 9, 130])
def test_a_parameter_that_stands_several_times_among_the_inputs_of_a_dot(executor, count):
    """One of its terms has two factors that vary; in the others the parameter stands where inputs do."""
    x, y, w = Value(0.0), Value(0.0), Value(1.0)
    for plain, expected in (([1.0] * 7, 7.0), ([2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], 35.0), ([w] * 7, 14.0)):
        tape = Tape(dot([x, *plain], [y] + [w] * 7), [x, y], executor=executor)
        assert tape.value_and_grad([[1.0, 2.0]] * count, gradient=1.0)[1].tolist() == [expected * count]


@registered
def test_single_dots_with_gates_of_which_some_are_not_asked_for(executor):
    """In the Jacobian of several outputs, each has seeds of 0 in turn."""
    for count in (2, 5):
        x, w = [[Value(0.3) for _ in range(8)] for _ in range(count)], [Value(0.1 * i) for i in range(7)]
        gates = [Value(0.5) for _ in range(count)]
        tape = Tape(
            [dot(row, [*w, g], 0.0) for row, g in zip(x, gates, strict=True)],
            [*(v for row in x for v in row), *gates],
            executor=executor,
        )
        truth = np.zeros((count, 9 * count))
        for j in range(count):
            truth[j, 8 * j : 8 * j + 8] = [*(0.1 * i for i in range(7)), 2.0]
            truth[j, 8 * count + j] = 3.0
        batch = np.concatenate([np.full((9, 8 * count), 3.0), np.full((9, count), 2.0)], axis=1)
        assert tape.jacobian(batch, wrt="inputs").tolist() == [truth.tolist()] * 9


@every_executor
def test_roots_and_powers_of_a_half_at_the_ends_of_their_domain(executor):
    """C's pow and sqrt differ there, and so do the derivatives' signs if -0.0 is taken as it is."""
    x = Value(1.0)
    batch = [[-math.inf], [-0.0], [0.0], [4.0]]
    power, root = Tape(x**0.5, [x], executor=executor), Tape(sqrt(x), [x], executor=executor)
    assert same_bits(power.forward(batch), [math.inf, 0.0, 0.0, 2.0])
    if executor != "xla":  # which drops the sum with 0 that makes 0.0 of -0.0
        assert same_bits(root.hessian([[-0.0], [0.0]], wrt="inputs", gradient=1.0), [[[-math.inf]]] * 2)
        assert same_bits(root.jacobian([[-0.0], [0.0]], wrt="inputs"), [[math.inf]] * 2)


@registered
def test_a_variable_that_is_a_gate_in_some_neurons_and_a_bias_in_another(executor):
    """Its adjoint is added to neuron by neuron, from the last to the first."""
    x, w = [Value(0.1) for _ in range(9)], [[Value(0.1 * (i + j)) for i in range(7)] for j in range(3)]
    shared, *own = (tanh(x[8] * factor) for factor in (0.5, 1.0, 1.5, 2.0))
    gates, biases = [shared, own[0], shared], [own[1], shared, own[2]]
    dots = [dot([*row, gate], x[:8], bias) for row, gate, bias in zip(w, gates, biases, strict=True)]
    output = tanh(dots[0]) * 0.3 + tanh(dots[1]) * 0.7 + tanh(dots[2]) * 0.9
    batch = np.random.default_rng(1).uniform(-1.0, 1.0, (100, 9))
    found = []
    for name in ("toy", executor):
        tape = Tape(output, x, executor=name)
        tape.forward(batch)
        found.append(tape.backward(1.0, inputs=True))
    assert agree(executor, *found[::-1])


@registered
def test_a_long_dot_of_one_input_beside_a_long_neuron(executor):
    """The C executor's loops have names of their own."""
    x = Value(0.1)
    inner = dot([x] * 9, [Value(0.1 * i) for i in range(9)])
    tape = Tape(dot([Value(0.5) for _ in range(9)], [inner + float(i) for i in range(1, 10)]), [x], executor=executor)
    assert tape.forward(np.full((8, 1), 2.0)) == pytest.approx([55.9 - 1.0] * 8)


@pytest.mark.parametrize("seeds", [range(first, first + 8) for first in range(1, 41, 8)], ids=str)
def test_random_gates_have_the_numbers_of_the_list(random_gates, seeds):
    check_structures(random_gates, seeds)


@pytest.mark.parametrize("seeds", [range(first, first + 25) for first in range(0, 200, 25)], ids=str)
def test_random_columns_have_the_numbers_of_the_list(random_columns, seeds):
    check_structures(random_columns, seeds)


def check_structures(random_structure, seeds):
    """Against the toy, which takes the instructions one by one: but for sums over examples, to the bit."""
    for seed in seeds:
        outputs, inputs = random_structure(seed)
        toy = Tape(outputs, inputs, executor="toy")
        batch = np.random.default_rng(seed).uniform(-1.0, 1.0, (19, len(inputs)))
        jacobian = toy.jacobian(batch)
        sizes = abs(jacobian).sum(axis=(0, 1))
        values, gradient = toy.value_and_grad(batch, gradient=1.0)
        by_inputs = toy.backward(1.0, inputs=True) if len(toy.forward(batch)) else None
        for executor in REGISTERED if seed % 50 == 0 else [name for name in REGISTERED if name not in COMPILED]:
            tape = Tape(outputs, inputs, executor=executor)
            found = tape.value_and_grad(batch, gradient=1.0)
            assert executor not in EXACT or same_bits(found[0], values), seed
            assert close(found[0], values, 1e-12 * (1.0 + abs(values))), seed
            assert close(found[1], gradient, 1e-12 * sizes + 1e-15), seed
            tape.forward(batch)
            mine = tape.backward(1.0, inputs=True)
            assert executor not in EXACT or same_bits(mine, by_inputs), seed
            assert close(mine, by_inputs, 1e-12 * (1.0 + abs(by_inputs))), seed
            for example in batch[:3]:
                alone = toy.value_and_grad([example], gradient=1.0), tape.value_and_grad([example], gradient=1.0)
                for theirs, mine in zip(*alone, strict=True):
                    error = 0.0 if executor == "native" else 1e-12 * (1.0 + sizes.max(initial=0.0))
                    assert close(mine, theirs, error), seed


def used_between(w, x, y, z):
    """A bias among a sum's terms, with uses before, between this and what is added to the sum, and after."""
    before, total = tanh(w[0] * z), sum_of([w[0], w[1] * x])
    between, net_input = tanh(w[0] * before), total + w[2] * y
    return before * between * tanh(net_input) * tanh(w[0] * net_input)


def added_in_another_order(w, x, y, z):
    """Two neurons, of which the second gets its bias first."""
    first, second = w[0] * x + w[1] * y, w[2] * x + w[3] * z
    net_inputs = [second + w[4], first + w[5]]
    return tanh(net_inputs[1]) * tanh(net_inputs[0]) * x


@registered
@pytest.mark.parametrize("formula", [used_between, added_in_another_order])
def test_a_chain_keeps_the_order_of_what_is_added_to_an_adjoint(formula, executor):
    w, x = [Value(0.5) for _ in range(6)], [Value(0.1) for _ in range(3)]
    tape = Tape(formula(w, *x), x, executor=executor)
    source = np.random.default_rng(3)
    for _ in range(100):
        numbers = source.normal(size=9)
        leaves = [*map(Value, numbers.tolist())]
        formula(leaves[:6], *leaves[6:]).backward()
        parameters, example = numbers[: len(tape.parameters)], numbers[6:]
        slopes, by_inputs = (np.array([leaf.grad for leaf in some]) for some in (leaves[: len(parameters)], leaves[6:]))
        for n in (1, 2, 9):
            batch = np.array([example] * n)
            _, *found = tape.value_and_grad(batch, parameters=parameters, gradient=1.0, inputs=True)
            truth = n * slopes, np.array([by_inputs] * n)
            assert executor not in EXACT or same_bits(found[1], truth[1])
            assert executor not in EXACT or n > 1 or same_bits(found[0], truth[0])
            assert all(close(mine, each, 1e-12 * (1.0 + abs(each))) for mine, each in zip(found, truth, strict=True))


def eager_again(outputs, inputs):
    """Of each output: its number, the derivatives by the inputs, and those by all leaves."""
    order = topological_order(*outputs)
    numbers = {}
    for node in order:  # a graph keeps the numbers that it was built with; this builds it again
        numbers[node] = rebuilt(node, numbers) if node.parents else Value(node.data)
    found = []
    for output in outputs:
        for value in numbers.values():
            value.grad = 0.0
        numbers[output].backward()
        gradient = {leaf: numbers[leaf].grad for leaf in order if not leaf.parents}
        found.append((numbers[output].data, [gradient[x] for x in inputs], gradient))
    return found


def rebuilt(node, numbers):
    def operand(x):
        return [operand(each) for each in x] if isinstance(x, tuple) else numbers[x] if isinstance(x, Value) else x

    return getattr(autograd, node.operation.name)(*map(operand, node.operands))


@registered
def test_a_neuron_that_is_not_asked_for_is_not_walked(executor):
    """Its weight is inf, its adjoint 0: their product, nan, must reach neither the inputs nor the weights."""
    x, w = [Value(0.0), Value(1.0)], [[Value(1.0), Value(2.0)] for _ in range(3)]
    neurons = [dot(row, [tanh(x[0]), tanh(x[1])]) for row in w]
    tape = Tape(neurons, x, executor=executor)
    w[1][0].data = math.inf
    for n in (1, 2, 40):
        batch = [[0.0, 1.0]] * n
        assert np.isfinite(tape.value_and_grad(batch, gradient=[1.0, 0.0, 1.0])[1]).all()
        tape.forward(batch)
        assert np.isfinite(tape.backward([1.0, 0.0, 1.0], inputs=True)).all()
        assert not np.isfinite(tape.backward(1.0, inputs=True)).all()


@registered
def test_the_weights_of_a_neuron_that_is_not_asked_for_have_no_gradient(executor):
    """Though its adjoint, 0, times an input that is inf is nan."""
    x, w = [Value(0.0), Value(1.0)], [[Value(1.0), Value(2.0)] for _ in range(3)]
    tape = Tape([dot(row, x) for row in w], x, executor=executor)
    for n in (2, 40):
        _, gradient = tape.value_and_grad([[INF, 1.0]] * n, gradient=[1.0, 0.0, 1.0])
        found = dict(zip(tape.parameters, gradient.tolist(), strict=True))
        assert [[found[weight] for weight in row] for row in w] == [[INF, n], [0.0, 0.0], [INF, n]]


# ---- nan and inf in a batch


@registered
def test_nan_and_inf_stay_in_their_example(large, executor):
    outputs, inputs, batch = large
    tape = Tape(outputs, inputs, executor=executor)
    count = 30 if executor in COMPILED else 1100
    batch = batch[:count].copy()
    values, by_inputs, jacobian = everything_of_the_examples(tape, batch)
    strange = {5: NAN, 8: INF, 9: -INF, 127: 1e308, 128: NAN, 511: INF, 512: NAN, 1099: -1e308}
    strange = {example % count: number for example, number in strange.items()}
    for example, number in strange.items():
        batch[example, example % 3] = number
    found = everything_of_the_examples(tape, batch)
    others = [i for i in range(count) if i not in strange]
    for mine, theirs in zip(found, (values, by_inputs, jacobian), strict=True):
        assert mine[others].tobytes() == theirs[others].tobytes()
    for example in strange:
        alone = everything_of_the_examples(tape, batch[example : example + 1])
        for mine, theirs in zip(found, alone, strict=True):
            assert agree(executor, mine[example], theirs[0])
    assert np.isnan(found[0][5]).all()
    assert np.isnan(tape.value_and_grad(batch)[1]).all()


def everything_of_the_examples(tape, batch):
    values = tape.forward(batch)
    return values, tape.backward(1.0, inputs=True), tape.jacobian(batch)


@every_executor
def test_nan_and_inf_in_parameters_are_everywhere(executor):
    w, v, x = Value(1.0), Value(1.0), Value(2.0)
    tape = Tape([w * x, v * x, w * v + x], [x], executor=executor)
    w.data = math.nan
    assert same_bits(tape.forward([1.0, 2.0]), [[NAN, 1.0, NAN], [NAN, 2.0, NAN]])
    w.data, v.data = math.inf, 0.0
    assert same_bits(tape.forward([1.0, 0.0]), [[INF, 0.0, NAN], [NAN, 0.0, NAN]])


# ---- what no output asks for is not walked


@every_executor
def test_an_infinite_derivative_does_not_reach_another_output(executor):
    """0 times inf is nan: an output whose seed is 0 in all examples must not be differentiated."""
    x, w = Value(1.0), Value(1.0)
    tape = Tape([(w * x).sqrt(), x * 2.0, w * x], [x], executor=executor)
    for n in (1, 2, 40):
        assert same_bits(tape.jacobian([0.0] * n, wrt="inputs"), [[[INF], [2.0], [1.0]]] * n)
        assert same_bits(tape.jacobian([0.0] * n), [[[NAN], [0.0], [0.0]]] * n)
        assert same_bits(tape.value_and_grad([0.0] * n, gradient=[0.0, 1.0, 1.0])[1], [0.0])
    uniform = Tape([w.sqrt(), w * 3.0 + x], [x], executor=executor)
    w.data = 0.0
    for n in (1, 2, 40):
        assert same_bits(uniform.jacobian([0.0] * n), [[[INF], [3.0]]] * n)
        assert same_bits(uniform.value_and_grad([0.0] * n, gradient=[0.0, 1.0])[1], [3.0 * n])


# ---- what depends on inputs, and what on parameters alone


@every_executor
def test_a_jacobian_of_what_is_computed_from_parameters_alone(executor):
    """There the parameters are inputs: nothing is uniform, though for outputs and gradients it is."""
    w, v, x = Value(3.0), Value(0.5), Value(1.0)
    uniform = dot([w, v], [v, w], w)  # 2 w v + w
    tape = Tape([uniform * x + v, uniform, x], [x], executor=executor)
    for n in (1, 2, 40):
        batch = np.arange(1.0, n + 1.0)
        rows = [[[2.0 * e, 6.0 * e + 1.0], [2.0, 6.0], [0.0, 0.0]] for e in batch]
        assert tape.parameters == (w, v)
        assert tape.jacobian(batch).tolist() == rows
        assert tape.jacobian(batch, wrt="inputs").tolist() == [[[6.0], [0.0], [1.0]]] * n
        assert tape.value_and_grad(batch, gradient=1.0)[1].tolist() == np.sum(rows, axis=(0, 1)).tolist()


# ---- the registry


def test_a_toy_works_through_everything_that_a_tape_offers():
    def function(x, t):
        return (w * x[0] + b * x[1] - t) ** 2

    w, b = Value(2.0, label="w"), Value(1.0, label="b")
    tape = Tape.record(function, ([0.0, 0.0], 0.0), executor="toy", threads=2)
    batch = [[1.0, 2.0, 1.0], [0.0, -1.0, 3.0]]
    assert (tape.executor, tape.threads, len(tape), tape.parameters) == ("toy", 2, 5, (w, b))
    assert tape.forward(batch).tolist() == [9.0, 16.0]
    assert tape.forward(batch, parameters=[1.0, 0.0]).tolist() == [0.0, 9.0]
    tape.forward(batch)
    assert tape.backward(inputs=True).tolist() == [[6.0, 3.0, -3.0], [-8.0, -4.0, 4.0]]
    assert (w.grad, b.grad) == (3.0, 6.0 + 4.0)
    outputs, gradient = tape.value_and_grad(batch, gradient=[1.0, 0.0])
    assert (outputs.tolist(), gradient.tolist()) == ([9.0, 16.0], [6.0, 12.0])
    assert tape.jacobian(batch).tolist() == [[6.0, 12.0], [0.0, 8.0]]
    assert tape.jacobian(batch, wrt="inputs").tolist() == [[12.0, 6.0, -6.0], [-16.0, -8.0, 8.0]]
    assert tape.jacobian(batch, parameters=[1.0, 0.0]).tolist() == [[0.0, 0.0], [0.0, 6.0]]
    assert tape.forward(np.empty((0, 3))).shape == (0,)
    changed = np.ones((2, 3))
    tape.forward(changed)
    changed[:] = 2.0
    with pytest.raises(RuntimeError, match="the batch has been changed"):
        tape.backward()
    for again in (pickle.loads(pickle.dumps(tape)), copy.copy(tape), copy.deepcopy(tape)):
        assert (again.executor, again.alike(tape), again.listing()) == ("toy", True, tape.listing())
        assert again.forward(batch).tolist() == [9.0, 16.0]
    assert Tape(Value(3.0) * 2.0, executor="toy").forward().tolist() == [6.0]


def test_an_executor_that_there_is_not(monkeypatch):
    x = Value(1.0)
    with pytest.raises(ValueError, match=f"^Tape: executor: expected {USABLE}, got 'gpu'$"):
        Tape(x * 2.0, [x], executor="gpu")
    monkeypatch.setitem(executors.EXECUTORS, "absent", f"{__name__}.Absent")
    with pytest.raises(
        ValueError,
        match=f"^Tape: executor: expected {USABLE}, got 'absent': it is on the moon$",
    ):
        Tape(x * 2.0, [x], executor="absent")


class Absent(Toy):
    def missing(self, wengert=None):
        return "it is on the moon"


def test_the_native_executor_is_part_of_the_native_engine():
    x = Value(1.0)
    if autograd.engine == "native":
        assert Tape(x * 2.0, [x]).executor == "native"
        return
    reason = "it is part of the native engine, and the python engine is in use"
    with pytest.raises(ValueError, match=f"^Tape: executor: expected {USABLE}, got 'native': {reason}$"):
        Tape(x * 2.0, [x], executor="native")
    assert Tape(x * 2.0, [x]).executor == "numpy"


def test_the_first_that_can_be_used_is_the_default(monkeypatch):
    x = Value(1.0)
    tape = Tape(x * 2.0, [x])
    monkeypatch.setattr(executors, "EXECUTORS", {"absent": f"{__name__}.Absent", "toy": f"{__name__}.Toy"})
    assert list(executors.available()) == ["toy"]
    assert Tape(x * 2.0, [x]).executor == "toy"
    assert pickle.loads(pickle.dumps(Tape(x * 2.0, [x], executor="toy"))).executor == "toy"
    with pytest.raises(ValueError, match=r"expected toy, got 'numpy'$"):
        Tape(x * 2.0, [x], executor="numpy")
    assert tape.executor == AVAILABLE[0]  # and stays so


def test_a_tape_whose_executor_is_missing_where_it_goes_says_so(monkeypatch):
    """Until then it can be looked at, and replayed by another."""
    x = Value(1.0, label="x")
    pickled = pickle.dumps(Tape(x * 2.0, [x], executor="toy"))
    monkeypatch.setitem(executors.EXECUTORS, "toy", f"{__name__}.Absent")
    tape = pickle.loads(pickled)
    assert tape.listing().splitlines()[0] == "v0   input x"
    with pytest.raises(ValueError, match=r"^Tape: executor: expected .* got 'toy': it is on the moon$"):
        tape.forward([3.0])
    tape.executor = "numpy"
    assert tape.forward([3.0]).tolist() == [6.0]


def test_an_executor_has_a_program():
    with pytest.raises(TypeError, match="abstract"):
        Executor()


# ---- lookups


def of_lookups(source):
    """Rows of computed, constant and shared elements, looked up by three inputs; with as many outputs."""
    indices, x = [Value(0.0) for _ in range(3)], [Value(0.1), Value(0.2)]
    table = [Value(source.gauss(0.0, 1.0)) for _ in range(9)]
    elements = [*table, table[0] * table[1], 0.75, tanh(table[2] * x[0]), x[1], table[0], table[0]]
    found = [take(sequence, i) for i in indices for sequence in (table, elements, elements[4:])]
    mixed = tanh(dot(table, found, found[1] * x[0]))
    return [mixed * take(found, indices[0]) + found[2], logsumexp(found), found[5] * found[8]], [*indices, *x]


def batch_of_lookups(source, count):
    return np.array(
        [
            [*(float(source.randrange(9)) for _ in range(3)), source.gauss(0, 1), source.gauss(0, 1)]
            for _ in range(count)
        ]
    )


@every_executor
@pytest.mark.parametrize("count", [1, 2, 9, 130, 700])
def test_lookups(executor, count):
    if executor in COMPILED and count not in (1, 130):
        pytest.skip("it compiles for each size")
    source = random.Random(4)
    outputs, inputs = of_lookups(source)
    tape = Tape(outputs, inputs, executor=executor, threads=2)
    batch, seeds = batch_of_lookups(source, count), np.array([0.5, -1.25, 2.0])
    values, by_inputs, sums = [], [], np.zeros(len(tape.parameters))
    for example in batch if executor != "toy" or count < 100 else batch[:0]:
        for value, number in zip(inputs, example, strict=True):
            value.data = number
        leaves = [*tape.parameters, *inputs]
        graph = of_lookups_again(outputs, inputs)
        for leaf in leaves:
            leaf.grad = 0.0
        dot(seeds.tolist(), graph).backward()
        values.append([output.data for output in graph])
        by_inputs.append([value.grad for value in inputs])
        sums += [parameter.grad for parameter in tape.parameters]
    if not values:
        return
    for leaf in tape.parameters:
        leaf.grad = 0.0
    assert close(tape.forward(batch), values, 1e-13 * np.abs(values).max())
    assert close(tape.backward(seeds, inputs=True), by_inputs, 1e-12)
    assert close([leaf.grad for leaf in tape.parameters], sums, 1e-12 * np.abs(sums).max())
    assert close(tape.value_and_grad(batch, gradient=seeds)[1], sums, 1e-12 * np.abs(sums).max())
    few = batch if executor in COMPILED else batch[:5]
    jacobian = tape.jacobian(few)
    assert close(seeds @ jacobian.sum(axis=0), tape.value_and_grad(few, gradient=seeds)[1], 1e-12 * len(few))
    assert not tape.jacobian(few, wrt="inputs")[:, :, :3].any()


def of_lookups_again(outputs, inputs):
    """The same graph, computed anew from its leaves, with the numbers that they have now."""
    known = {}

    def again(x):
        if isinstance(x, tuple):
            return [again(each) for each in x]
        if not isinstance(x, Value) or not x.parents:
            return x
        return known[x]

    for node in topological_order(*outputs):
        if node.parents:
            known[node] = by_row(node.operation)(*map(again, node.operands))
    return [known[output] for output in outputs]


def by_row(operation):
    return getattr(autograd, operation.name)


@registered
def test_the_sums_of_lookups_do_not_depend_on_the_threads(executor):
    source = random.Random(5)
    outputs, inputs = of_lookups(source)
    batch = batch_of_lookups(source, 3000)
    found = [
        Tape(outputs, inputs, executor=executor, threads=threads).value_and_grad(batch)
        for threads in ((1, 7) if executor in COMPILED else (1, 2, 3, 7))
    ]
    assert all(same_bits(each, found[0][k]) for both in found for k, each in enumerate(both))


@every_executor
def test_what_is_not_chosen_gets_nothing_where_an_adjoint_is_infinite(executor):
    x, y, i = Value(0.0), Value(4.0), Value(0.0)
    tape = Tape(autograd.sqrt(take([x, y], i)), [i], executor=executor)
    chosen = {"toy": [0.25]}.get(executor, [0.25])
    assert tape.value_and_grad([[1.0]])[1][1] == chosen[0]
    if executor != "toy":  # the rule's own zeros
        assert tape.value_and_grad([[0.0]])[1].tolist() == [math.inf, 0.0]


@registered
def test_a_recorded_gradient_of_lookups(executor):
    """Derivatives by rule are recorded for every index."""
    table, i = [Value(0.5), Value(-1.0), Value(2.0)], Value(0.0)
    slopes = autograd.gradients(tanh(take(table, i)) ** 2, table, create_graph=True)
    tape = Tape(slopes, [i], executor=executor)
    truth = Tape(tanh(take(table, i)) ** 2, [i], executor=executor).jacobian([0, 1, 2])
    assert tape.forward([0, 1, 2]) == pytest.approx(truth, rel=1e-14)
    assert np.diag(truth).all()


# ---- a single example of large layers, which may be computed as a batch is


def large_layers(kind):
    """Two layers of 800 products: written with dots, with `*` and `+`, with weights that are shared, or computed."""
    source = random.Random(kind)
    x = [Value(0.0) for _ in range(40)]
    weights = [[Value(source.uniform(-1.0, 1.0)) for _ in range(40)] for _ in range(20)]
    biases = [Value(source.uniform(-1.0, 1.0)) for _ in range(20)]
    if kind == "shared weights":
        weights = [[row[k - j] for k in range(40)] for row in weights[:4] for j in range(5)]
    if kind == "shared biases":
        biases = biases[:1] * 20
    if kind == "computed weights":
        scale = Value(0.5)
        weights = [[w * scale for w in row] for row in weights]
    if kind == "chains":
        z = [sum((w * v for w, v in zip(row, x, strict=True)), b) for row, b in zip(weights, biases, strict=True)]
    else:
        z = [dot(row, x, b) for row, b in zip(weights, biases, strict=True)]
    hidden = [tanh(v) for v in z]
    last = weights[0][:20] if kind == "a weight twice" else [Value(source.uniform(-1.0, 1.0)) for _ in hidden]
    return [dot(last, hidden), hidden[0] * hidden[1]], x


ODD_ONES = [(), (-0.0, 0.0), (math.inf,), (math.nan,), (1e300, -1e300), (5e-324,)]


@every_interpreted
@pytest.mark.parametrize(
    "kind", ["dots", "chains", "shared weights", "shared biases", "computed weights", "a weight twice"]
)
def test_a_single_example_of_large_layers_has_the_numbers_of_backward(executor, kind):
    outputs, inputs = large_layers(kind)
    draw = np.random.default_rng(0)
    for odd in ODD_ONES:
        example = draw.uniform(-1.0, 1.0, len(inputs))
        example[: len(odd)] = odd
        for x, number in zip(inputs, example, strict=True):
            x.data = number
        for output, (number, by_inputs, gradient) in zip(outputs, eager_again(outputs, inputs), strict=True):
            tape = Tape(output, inputs, executor=executor)
            truth = [gradient[parameter] for parameter in tape.parameters]
            assert agree(executor, tape.forward([example]), [number])
            found = tape.value_and_grad([example], gradient=1.0)
            assert agree(executor, found[0], [number])
            if executor in EXACT or not odd:
                assert agree(executor, found[1], truth)
                assert agree(executor, tape.backward(1.0, inputs=True), [by_inputs])
