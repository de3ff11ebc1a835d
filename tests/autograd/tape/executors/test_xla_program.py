"""What XLA's programs have besides the contract of executors: sizes, JAX's own arrays, several devices."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import autograd
from autograd import Tape, Value, dot, logsumexp, tanh

jax = pytest.importorskip("jax")

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
    tape = network()
    for n in range(65, 129, 3):
        tape.forward(np.ones((n, 3)))
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
