"""The C executor: its numbers are the native executor's to the bit, whatever the batch, the threads and the list.

The contract of all executors is the matter of test_executor.py.
"""

from __future__ import annotations

import pickle
import random
from contextlib import suppress

import numpy as np
import pytest

import autograd
from autograd import Tape, Value, dot, erf, exp, log, relu, sqrt, take, tanh
from autograd.tape import executors
from autograd.tape.executors import c, compiling
from autograd.tape.executors.c_units import Units

pytestmark = pytest.mark.skipif(bool(compiling.missing()), reason=f"the C executor: {compiling.missing()}")
native_too = pytest.mark.skipif(autograd.engine != "native", reason="there is no native executor to compare with")
LEVEL = c.level  # which the tests replace


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache") / "compiled"
        patch.setattr(compiling, "platform_folder", lambda: folder)
        patch.setattr(c, "level", lambda *_: ("-O0",))  # which is quicker; the bits are the same
        yield


def same_bits(mine, others):
    alike = (mine == others) & (np.signbit(mine) == np.signbit(others)) | np.isnan(mine) & np.isnan(others)
    return np.shape(mine) == np.shape(others) and np.all(alike)


def everything(tape, batch):
    """Outputs, the gradient with seeds of their own, and the input gradients."""
    outputs = tape.forward(batch)
    seeds = np.sin(np.arange(float(outputs.size))).reshape(outputs.shape)
    first, gradient = tape.value_and_grad(batch, gradient=seeds)
    tape.forward(batch)
    by_inputs = tape.backward(inputs=True)
    last = np.zeros(outputs.shape[1:] or ())
    last[...] = 1.0
    if last.ndim:
        last[:-1] = 0.0
    return outputs, first, gradient, by_inputs, tape.value_and_grad(batch, gradient=last)[1]


def in_one(tape, batch):
    """The same, as far as one replay goes: two texts are compiled for it, and not six."""
    parameters = np.array([parameter.data for parameter in tape.parameters])
    outputs = len(tape._wengert.outputs)
    every = np.sin(np.arange(float(len(batch) * outputs))).reshape(-1, outputs)
    last = np.eye(outputs)[-1]
    return [part for seeds in (every, last) for part in tape._replay(batch, parameters, seeds, True)]


def check(outputs, inputs, batch, sizes=(1, 2, 9, 130, 600), threads=2, replays=in_one):
    others, mine = (Tape(outputs, inputs, executor=name, threads=n) for name, n in (("native", 1), ("c", threads)))
    for n in sizes:
        for x, y in zip(replays(mine, batch[:n]), replays(others, batch[:n]), strict=True):
            assert same_bits(x, y), n


def uniform(examples, width, seed=1):
    return np.random.default_rng(seed).uniform(-1.5, 1.5, (examples, width))


@pytest.mark.slow
@native_too
def test_structures_have_the_bits_of_the_native_executor(structured):
    outputs, inputs, batch = structured
    check(outputs, inputs, batch, replays=everything)


@pytest.mark.slow
@native_too
def test_random_structures_have_the_bits_of_the_native_executor(random_graph):
    for seed in (3, 8):
        outputs, inputs = random_graph(seed)
        check(outputs, inputs, uniform(130, len(inputs)), (1, 9, 130))


@native_too
def test_layers_that_kernels_compute_have_them_too():
    """Weights in rows, frozen ones, shared ones, a bias from a slot; several outputs, of which one is not asked for."""
    source = random.Random(5)
    x = inputs = [Value(0.1) for _ in range(11)]
    for width in (17, 13):
        rows = [[Value(source.gauss(0.0, 0.4)) for _ in x] for _ in range(width)]
        rows[2][3], rows[4] = 0.5, rows[1][::-1]
        x = [tanh(dot(row, x, row[0] if j % 2 else Value(0.1))) for j, row in enumerate(rows)]
        x[0] = x[0] * inputs[1]
    rows = [[Value(source.gauss(0.0, 0.4)) for _ in x] for _ in range(12)]
    outputs = [relu(dot(row, x, x[0] * x[1])) for row in rows]
    check([autograd.sum(outputs[:-1]), outputs[-1], outputs[3]], inputs, uniform(600, 11))


@native_too
def test_lookups_have_them_too():
    """Of uniform elements several lookups, and other uses, so that the order of the sums counts."""
    source = random.Random(7)
    rows, i, j, x = [Value(source.gauss(0, 1)) for _ in range(5)], Value(0.0), Value(0.0), Value(0.0)
    chosen = take(rows, i) * x + take([*rows[1:], x * x], j) * take(rows, j)
    outputs = [tanh(chosen) * rows[0] + rows[1], dot(rows[:3], [x, chosen, x * x], rows[4])]
    batch = np.column_stack([*np.random.default_rng(2).integers(0, 5, (2, 600)), np.linspace(-1.0, 1.0, 600)])
    check(outputs, [i, j, x], batch.astype(float))


@native_too
def test_a_list_that_repeats_itself_has_them_too():
    """As loops: of one example, and of many, with inputs that differ in each repeat."""
    z, w, v, constants = [Value(0.1) for _ in range(300)], Value(1.5), Value(0.3), [0.01 * k for k in range(300)]
    u = Value(0.7)
    for z_k, constant in zip(z, constants, strict=True):
        u = u + 0.01 * (w * u - u * u * v) + tanh(z_k * u) * constant
    batch = uniform(20, len(z))
    check(u, z, batch, (1, 20))
    check(u, [], np.empty((1, 0)), (1,))


def unlike(instructions, seed=0):
    """A graph whose instructions repeat nothing."""
    chance = random.Random(seed)
    leaves = [Value(chance.uniform(0.5, 1.5)) for _ in range(9)]
    nodes = [*leaves]
    while len(nodes) < instructions:
        x, y = (chance.choice(nodes[-40:]) for _ in range(2))
        nodes.append(chance.choice([x * y, x + y, x - y, tanh(x), exp(-x * x), x / (y * y + 1.0)]))
        if abs(nodes[-1].data) > 2.0:
            nodes[-1] = tanh(nodes[-1])
    return sum(nodes[-39:], nodes[-40]), leaves


@pytest.mark.slow
@native_too
@pytest.mark.parametrize("optimised", [False, True])
def test_a_long_list_of_unlike_instructions_has_them_too(optimised, monkeypatch):
    if optimised:
        monkeypatch.setattr(c, "level", LEVEL)
    result, leaves = unlike(1300 if optimised else 2600)
    check(result, leaves[:5], uniform(300, 5), sizes=(1, 130, 300))


def test_how_much_is_optimised_depends_on_the_length_and_fast_mathematics():
    result, leaves = unlike(2600)
    for units, length in ((Tape(result, leaves)._wengert, True), (Tape(tanh(leaves[0]), leaves)._wengert, False)):
        assert all(
            each.is_long == length for each in (Units(units).of_lanes(True, True), Units(units).of_one(True, True))
        )
    assert LEVEL(5, False, False) == LEVEL(5, False, True) == c.OF_SHORT
    assert LEVEL(500, False, False) == LEVEL(5000, True, True) == c.OF_OTHERS
    assert LEVEL(5000, True, False) == c.OF_LONG


@native_too
def test_what_is_uniform_has_them_too():
    w, v, x = Value(0.7), Value(-1.2), Value(0.3)
    scale = exp(w * v) + w**2
    check([scale * x + tanh(scale), scale, w, x * v], [x], uniform(1100, 1), (1, 2, 600, 1100))


SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 5e-324, -2.3e-308, 1e308, 745.2, 0.5, 3.0]


def random_program(source):
    """Outputs and inputs of a program of any rows of the table, whose leaves may be outputs, or be used by nothing."""
    inputs, parameters = ([Value(source.uniform(-2.0, 2.0)) for _ in range(source.randint(1, 4))] for _ in range(2))
    values = [*inputs, *parameters]

    def operand():
        return source.choice([*values, *values, 0.5, -0.0, 2.0, -1.0, np.inf])

    for _ in range(source.choice([0, 5, 30])):
        row = source.choice(
            [row for row in autograd.operations.OPERATIONS.values() if row.name not in ("take", "softmax_of")]
        )
        count = source.choice([1, 2, 5])
        operands = [[operand() for _ in range(count)] for _ in row.operands[: row.sequences]]
        operands += [operand() for _ in row.operands[row.sequences :]]
        with suppress(ValueError, OverflowError, ZeroDivisionError):
            if isinstance(result := by_row(row.name, operands), Value):
                values.append(result)
    outputs = [source.choice(values[len(values) // 2 :]) for _ in range(source.choice([1, 1, 3]))]
    return ([*outputs, outputs[0], *parameters[:1]] if source.random() < 0.3 else outputs), inputs


def by_row(name, operands):
    infix = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}
    if name in infix:
        return eval(f"x {infix[name]} y", {"x": operands[0], "y": operands[1]})
    return -operands[0] if name == "negative" else getattr(autograd, name)(*operands)


@native_too
@pytest.mark.parametrize("seed", range(6))
def test_random_programs_of_all_rows_have_them_too(seed):
    """On numbers of all kinds: infinite, tiny, nan and both zeros."""
    source, generator = random.Random(seed), np.random.default_rng(seed)
    outputs, inputs = random_program(source)
    batch = generator.uniform(-2.0, 2.0, (600, len(inputs)))
    batch[generator.random(batch.shape) < 0.2] = generator.choice(SPECIAL)
    places = generator.random(batch.shape) < 0.2
    batch[places] = generator.choice(SPECIAL, places.sum())
    check(outputs, inputs, batch, (1, 2, 7, 600), threads=source.choice([1, 3]))


def test_operations_that_were_defined_at_run_time_are_compiled_or_named():
    name = "cube_for_the_c_executor"
    cube = autograd.define(name, lambda m, x: x * x * x, [lambda m, r, x: 3.0 * x * x])
    x = Value(2.0)
    tape = Tape(cube(x) + 1.0, [x], executor="c")
    assert tape.forward([1.0, 2.0, 3.0]).tolist() == [2.0, 9.0, 28.0]
    assert tape.backward(1.0, inputs=True).ravel().tolist() == [3.0, 12.0, 27.0]
    branching = autograd.define(
        "branch_for_the_c_executor", lambda m, x: x if float(x) > 0 else 0.0 * x, [lambda m, r, x: 1.0]
    )
    with pytest.raises(ValueError, match="the rule of branch_for_the_c_executor cannot be written in C"):
        Tape(branching(x), [x], executor="c")


def test_a_pickled_tape_is_compiled_anew_or_found():
    x, w = Value(0.5), Value(2.0)
    tape = Tape(tanh(w * x), [x], executor="c", fast_math=True)
    outputs = tape.forward([0.1, 0.2])
    again = pickle.loads(pickle.dumps(tape))
    assert (again.executor, again.fast_math) == ("c", True)
    assert again.forward([0.1, 0.2]).tolist() == outputs.tolist()


def test_compile_does_it_before_the_first_replay(monkeypatch):
    x, w = Value(0.5), Value(2.0)
    tape = Tape(exp(x) * x * w**2, [x], executor="c")
    tape.compile()
    monkeypatch.setattr(compiling, "compiled", None)
    for n in (1, 2):
        assert tape.forward([0.0] * n).tolist() == [0.0] * n
        assert tape.value_and_grad([0.0] * n)[1].tolist() == [0.0]
        assert tape.value_and_grad([0.0] * n, gradient=1.0, inputs=True)[2].tolist() == [[4.0]] * n
    Tape(x * 2.0, executor="numpy").compile()  # which has nothing to compile


def test_an_empty_batch_and_seeds_that_are_all_0():
    x, w = Value(0.5), Value(2.0)
    tape = Tape([w * x, log(x)], [x], executor="c")
    assert tape.forward(np.empty((0, 1))).shape == (0, 2)
    assert tape.value_and_grad(np.zeros((3, 1)), gradient=0.0)[1].tolist() == [0.0]
    assert tape.value_and_grad(np.zeros((3, 1)), gradient=[1.0, 0.0])[1].tolist() == [0.0]


def test_without_a_compiler_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(ValueError, match="'c': it needs a C compiler, gcc or clang: install one, or set"):
        Tape(Value(1.0) * 2.0, executor="c")


# ---- Fast mathematics


def test_fast_mathematics_deviates_by_rounding_alone():
    x, w = Value(0.5), Value(1.25)
    y = erf(x) * exp(-x * x) + log(1.5 + tanh(w * x)) + autograd.sin(x) * autograd.cos(w * x) + sqrt(x * x + w) ** 3
    exact, fast = (Tape(y, [x], executor="c", fast_math=is_fast) for is_fast in (False, True))
    batch = uniform(333, 1)
    for n in (1, 333):
        for mine, others in zip(everything(fast, batch[:n]), everything(exact, batch[:n]), strict=True):
            assert np.allclose(mine, others, rtol=1e-13, atol=1e-14)
    assert everything(fast, batch)[0].tobytes() != everything(exact, batch)[0].tobytes()


def test_fast_mathematics_keeps_inf_and_nan_and_large_angles():
    x = Value(0.5)
    numbers = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e300, -1e300, 1e-310, 710.0, -746.0, 1e9, -3e7, 5.0]
    functions = ["exp", "log", "log1p", "tanh", "erf", "sin", "cos"]
    outputs = [getattr(autograd, name)(x) for name in functions]
    fast, exact = (
        Tape(outputs, [x], executor="c", fast_math=is_fast).forward(np.array(numbers)[:, np.newaxis])
        for is_fast in (True, False)
    )
    assert np.allclose(fast, exact, rtol=4e-16, atol=0.0, equal_nan=True)
    assert (np.signbit(fast) == np.signbit(exact))[~np.isnan(exact)].all()


def test_other_executors_have_no_fast_mathematics():
    with pytest.raises(ValueError, match="got 'numpy': it has no fast_math"):
        Tape(Value(1.0) * 2.0, executor="numpy", fast_math=True)
    tape = Tape(Value(1.0) * 2.0, executor="numpy")
    with pytest.raises(ValueError, match="it has no fast_math"):
        tape.fast_math = True
    assert tape.fast_math is False
    with pytest.raises(TypeError, match="fast_math: expected True or False, got 1"):
        Tape(Value(1.0) * 2.0, fast_math=1)
    assert Tape(Value(1.0) * 2.0, fast_math=True).executor == ("native" if autograd.engine == "native" else "c")


def test_where_no_executor_has_fast_mathematics(monkeypatch):
    native = executors.made(executors.EXECUTORS["native"])
    monkeypatch.setattr(native, "missing", lambda wengert=None: "not built")
    monkeypatch.setattr(compiling, "missing", lambda: "no compiler")
    with pytest.raises(ValueError, match=r"no executor has it here: native: not built; c: no compiler$"):
        Tape(Value(1.0) * 2.0, fast_math=True)


@pytest.mark.parametrize("given", [np.zeros((2, 20)).T, np.zeros((20, 2), np.float32), np.zeros((40, 2))[::2]])
def test_arrays_that_lie_otherwise_are_refused(given):
    x, y = Value(1.0), Value(2.0)
    program = c.Program(Tape(x * y, [x, y])._wengert, fast_math=False)
    with pytest.raises(ValueError, match=r"replay: expected C-contiguous arrays of float64, got one of float"):
        program.replay(20, given, np.zeros(0), np.zeros((20, 1)), None, np.zeros(0), None, 1)
