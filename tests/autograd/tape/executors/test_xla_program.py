"""What XLA's programs have besides the contract of executors: sizes, JAX's own arrays, several devices."""

from __future__ import annotations

import copy
import subprocess
import sys

import numpy as np
import pytest

import autograd
from autograd import Tape, Value, dot, exp, log, logsumexp, take, tanh
from nn import SGD, Embedding, fit

jax = pytest.importorskip("jax")

from autograd.tape import executors  # noqa: E402
from autograd.tape.executors import xla_program  # noqa: E402  # which imports JAX


def network(executor="xla"):
    """Two outputs, and their leaves."""
    numbers = iter(np.random.default_rng(0).normal(size=100).tolist())
    x = inputs = [Value(0.1) for _ in range(3)]
    for width in (5, 4):
        x = [tanh(dot([Value(next(numbers)) for _ in x], x, Value(next(numbers)))) for _ in range(width)]
    return Tape([logsumexp(x) - x[0], x[1] * inputs[0]], inputs, executor=executor)


BATCH = np.random.default_rng(1).uniform(-1.0, 1.0, (37, 3))


def test_sizes_that_are_compiled():
    sizes = [xla_program.compiled_size(n) for n in range(1, 2049)]
    assert all(n <= size <= n * 17 / 16 for n, size in enumerate(sizes, 1))
    assert all(len({size for size in sizes if n < size <= 2 * n}) <= 16 for n in (1, 8, 100, 1000, 1024))
    assert [xla_program.compiled_size(n) for n in (31, 33, 100, 10_000)] == [31, 34, 100, 10_240]
    assert [xla_program.compiled_size(n, 8) for n in (8, 9, 800, 801)] == [8, 16, 800, 832]


def test_batches_of_very_many_sizes_compile_few_functions():
    x = Value(0.0)
    tape = Tape(x * 2.0, [x], executor="xla")
    for n in range(65, 129, 3):
        tape.forward(np.ones(n))
    assert tape._program.compiled._cache_size() <= 2 * 16  # padded, and not


def test_padding_reaches_nothing_though_an_infinite_derivative_is_in_it():
    w, x = Value(2.0), Value(0.0)
    batch = np.ones((33, 1))
    for last, slope in ((0.0, np.inf), (-1.0, np.nan)):
        batch[-1] = last
        tape = Tape(autograd.sqrt(w * x), [x], executor="xla")
        tape.forward(batch)
        by_inputs = tape.backward(1.0, inputs=True)
        np.testing.assert_array_equal(by_inputs[-1], slope)
        np.testing.assert_allclose(by_inputs[:-1], 2.0 * 0.5 / np.sqrt(2.0))


def test_own_arrays_stay_where_they_are_and_as_they_are():
    tape, reference = network(), network("numpy")
    vector = np.array([parameter.data for parameter in tape.parameters])
    for dtype, error in (("float64", 1e-12), ("float32", 1e-5)):
        with jax.enable_x64(True):
            batch, parameters = (jax.numpy.asarray(array, dtype) for array in (BATCH, vector))
        for found in (tape.value_and_grad(batch, parameters=parameters), tape.value_and_grad(batch)):
            for mine, other in zip(found, reference.value_and_grad(BATCH), strict=True):
                assert isinstance(mine, jax.Array)
                assert mine.dtype == dtype
                np.testing.assert_allclose(mine, other, rtol=error, atol=error)
        assert isinstance(tape.forward(batch), jax.Array)
        for parameter in tape.parameters:
            parameter.grad = 0.0
        by_inputs = tape.backward(1.0, inputs=True)
        assert isinstance(by_inputs, jax.Array)
        reference.forward(BATCH)
        np.testing.assert_allclose(by_inputs, reference.backward(1.0, inputs=True), rtol=error, atol=error)
        gradient = [parameter.grad for parameter in tape.parameters]
        np.testing.assert_allclose(gradient, reference.value_and_grad(BATCH, gradient=1.0)[1], rtol=error, atol=error)
        assert type(tape.jacobian(batch)) is np.ndarray
        np.testing.assert_allclose(tape.jacobian(batch), reference.jacobian(BATCH), rtol=error, atol=error)


def test_own_arrays_of_other_types_and_shapes():
    tape = network()
    assert type(tape.forward(jax.numpy.ones((2, 3), "int32"))) is np.ndarray
    with pytest.raises(ValueError, match=r"expected the shape \(n, 3\)"):
        tape.forward(jax.numpy.ones((2, 4)))
    numpy = network("numpy")
    assert type(numpy.forward(jax.numpy.ones((2, 3)))) is np.ndarray


def test_the_users_configuration_stays():
    before = jax.config.jax_enable_x64
    assert network().forward(BATCH).dtype == np.float64
    assert jax.config.jax_enable_x64 == before


def test_outputs_that_are_not_asked_for_compile_one_function_and_are_not_walked():
    tape = network()
    jacobian = tape.jacobian(BATCH, wrt="inputs")
    functions = tape._program.compiled._cache_size()
    assert functions == 1
    np.testing.assert_allclose(jacobian, network("numpy").jacobian(BATCH, wrt="inputs"), rtol=1e-12, atol=1e-13)


def same(tape, batch):
    """Checks that its numbers are those of the NumPy executor, nan and inf included."""
    reference = copy.copy(tape)
    reference.executor = "numpy"
    for mine, other in zip(tape.value_and_grad(batch), reference.value_and_grad(batch), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-13)


def test_a_batch_of_several_blocks_compiles_one_function():
    tape = network()
    tape._program.most = 10
    same(tape, BATCH)
    assert tape._program.compiled._cache_size() == 1
    assert not tape.value_and_grad(BATCH[:0], gradient=1.0)[1].any()


@pytest.mark.parametrize("beside", [0.0, np.nan, np.inf])
def test_what_stands_in_a_batch_beside_a_layers_inputs_is_not_in_its_sums(beside):
    """Most of a batch is multiplied where it stands, all columns of it."""
    x, target = [Value(0.1) for _ in range(20)], Value(0.0)
    w = [[Value(0.1 * k - 0.3 * j) for k in range(20)] for j in range(3)]
    y = [tanh(dot(row, x, Value(0.2))) for row in w]
    batch = np.random.default_rng(2).uniform(-0.1, 0.1, (16, 21))
    batch[3, 20] = beside
    same(Tape([*y, y[0] * target], [*x, target], executor="xla"), batch)
    assert np.isfinite(Tape([*y, target], [*x, target], executor="xla").forward(batch)[:, :3]).all()


def test_a_chain_that_is_too_deep_for_fused_loops():
    w, x = Value(0.9), Value(0.0)
    y = x
    for _ in range(80):
        y = tanh(y * w)
    tape = Tape(y, [x], executor="xla")
    assert len(tape._program.steps) > xla_program.MOST_FUSED
    same(tape, [[0.5], [-1.0]])


# ---- lookups


def test_indices_in_an_own_array_are_checked():
    x, i = Value(1.0), Value(0.0)
    tape = Tape(take([Value(0.5), Value(-2.0)], i) * x, [x, i], executor="xla")
    for dtype in ("float32", "float64"):
        with jax.enable_x64(True):
            good, bad = (jax.numpy.asarray([[3.0, 1.0], [2.0, k]], dtype) for k in (0.0, 2.0))
        assert tape.forward(good).tolist() == [-6.0, 1.0]
        assert tape.value_and_grad(good, gradient=1.0)[1].tolist() == [2.0, 3.0]
        with pytest.raises(ValueError, match=r"example 1: input 1 is the index of a lookup: .* from 0 to 1, got 2$"):
            tape.forward(bad)


def test_a_lookup_makes_no_array_of_every_examples_elements():
    """Nor does it put together the table, or a copy of it, for each example."""
    embedding, i = Embedding(1000, 4), Value(0.0)
    tape = Tape(tanh(dot(embedding(i), [0.5, -1.0, 2.0, 0.1])), [i], executor="xla")
    batch = np.arange(0.0, 1000.0, 25.0)
    same(tape, batch)
    program, vector = tape._program, np.array([parameter.data for parameter in tape.parameters])
    with jax.enable_x64(True):
        traced = program.compiled.trace(
            batch[:, None], vector, np.ones(1), None, None, program.indices(None), backward=True, for_inputs=False
        )
    sizes = [variable.aval.size for equation in traced.jaxpr.eqns for variable in equation.outvars]
    assert max(sizes) == 4000


class Last:
    """A number of a sequence of tokens, of any length."""

    def __init__(self):
        self.embedding = Embedding(5, 2)
        for k, value in enumerate(v for row in self.embedding.weights for v in row):
            value.data = 0.3 * k - 1.0

    def parameters(self):
        return self.embedding.parameters()

    def __call__(self, tokens):
        state = [0.0, 0.0]
        for token in tokens:
            state = [tanh(x + 0.5 * s) for x, s in zip(self.embedding(token), state, strict=True)]
        return state[0] - state[1]


def test_sequences_of_several_lengths_learn_as_with_the_default(monkeypatch):
    examples = [[1, 2], [4], [0, 3], [2], [3, 3]], [0.5, -1.0, 0.25, 1.0, 0.0]
    losses = []
    for names in (("native", "numpy"), ("xla",)):
        chosen = {name: executors.EXECUTORS[name] for name in names}
        with monkeypatch.context() as patch:
            patch.setattr(executors, "EXECUTORS", chosen)
            model = Last()
            history = fit(
                model, *examples, lambda y, t: (y - t) ** 2, SGD(model.parameters(), 0.1), epochs=3, batch_size=3,
                shuffle=False, tape=True, progress=False,
            )  # fmt: skip
            losses.append(history.loss)
    np.testing.assert_allclose(*losses, rtol=1e-12)


SEVERAL_DEVICES = """
import os
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"
import numpy, jax
from autograd import Tape, Value, dot, tanh
from autograd.tape.executors.xla_program import Program
assert len(jax.local_devices()) == 4
x = [Value(0.1) for _ in range(3)]
w = [[Value(0.3 * i - 0.2 * j + 0.1) for i in range(3)] for j in range(5)]
output = dot([Value(0.5 - k) for k in range(5)], [tanh(dot(row, x)) for row in w])
spread = []
def on_devices(self, *arguments, original=Program.on_devices):
    found = original(self, *arguments)
    spread.append(len(found[0].sharding.device_set))
    return found
Program.on_devices = on_devices
for n in (1, 4, 10, 37, 1000):
    batch = numpy.random.default_rng(n).uniform(-1.0, 1.0, (n, 3))
    one, several = (Tape(output, x, executor=executor) for executor in ("numpy", "xla"))
    for mine, other in zip(several.value_and_grad(batch), one.value_and_grad(batch), strict=True):
        numpy.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-13)
    one.forward(batch), several.forward(batch)
    numpy.testing.assert_allclose(several.backward(inputs=True), one.backward(inputs=True), rtol=1e-12, atol=1e-13)
assert spread == [1, 1, 1, *[4] * 12], spread
"""


def test_a_batch_is_spread_over_several_devices():
    subprocess.run([sys.executable, "-c", SEVERAL_DEVICES], check=True)


@pytest.mark.parametrize(
    ("formula", "numbers"),
    [
        (lambda a, b, c: (a / b) / c, (1e300, 1e200, 1e200)),
        (lambda a, b, c: a / (b / c), (1e300, 1e200, 1e200)),
        (lambda a, b, c: log(exp(a)) + b * c, (800.0, 1.0, 1.0)),
        (lambda a, b, c: exp(a) * exp(b) + c, (-700.0, 800.0, 1.0)),
    ],
)
def test_what_overflows_is_not_rearranged(formula, numbers):
    """XLA would make a / (b * c) of the first, and x of log(exp(x))."""
    leaves = [Value(1.0) for _ in numbers]
    found = []
    for executor in ("xla", "numpy"):
        tape = Tape(formula(*leaves), leaves, executor=executor)
        found.append([*tape.forward([numbers] * 4), *tape.backward(1.0, inputs=True)[0]])
    assert found[0] == pytest.approx(found[1], rel=1e-12, nan_ok=True)
