"""When the XLA executor cannot be used, and what it says then."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from autograd import Tape, Value, tanh


def test_more_groups_than_it_takes():
    pytest.importorskip("jax")
    w, x = Value(0.5), Value(0.0)
    y = x
    for _ in range(600):
        y = tanh(y * w)
    with pytest.raises(ValueError, match=r"it compiles each group of instructions, and here are 1,200 \(limit 1000\)$"):
        Tape(y, [x], executor="xla")


WITHOUT_JAX = """
import sys
import autograd
from autograd import Tape, Value
x = Value(1.0)
Tape(x * 2.0, [x]).forward([1.0])
assert "jax" not in sys.modules
sys.meta_path.insert(0, type("No", (), {"find_spec": staticmethod(lambda name, path=None, target=None: None)}))
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "jax" else find_spec(name, package)
sys.modules.pop("autograd.tape.executors.xla", None)
from autograd.tape import executors
executors.made.cache_clear()
try:
    Tape(x * 2.0, [x], executor="xla")
except ValueError as error:
    assert str(error).endswith('got \\'xla\\': it needs JAX: pip install jax'), error
else:
    raise AssertionError
"""


def test_without_jax_it_says_what_to_install_and_importing_autograd_never_imports_it():
    subprocess.run([sys.executable, "-c", WITHOUT_JAX], check=True)


# ---- JAX's own arrays


def squares():
    """(w x + 1)²: the tape, and w."""
    w, x = Value(2.0), Value(0.0)
    return Tape((w * x + 1.0) ** 2, [x], executor="xla"), w


def jax_array(numbers, dtype):
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        return jax.numpy.asarray(numbers, dtype)


@pytest.mark.parametrize("of_parameters", [None, "float64", "float32"])
@pytest.mark.parametrize("of_batch", [None, "float64", "float32"])
@pytest.mark.parametrize("then", ["xla", "numpy"])
def test_any_array_may_be_a_batch_or_parameters_and_any_executor_may_go_on(of_parameters, of_batch, then):
    pytest.importorskip("jax")
    tape, w = squares()
    batch, numbers = np.array([[1.0], [2.0]]), np.array([3.0])
    batch = batch if of_batch is None else jax_array(batch, of_batch)
    numbers = numbers if of_parameters is None else jax_array(numbers, of_parameters)
    assert tape.forward(batch, parameters=numbers).tolist() == [16.0, 49.0]
    tape.executor = then
    assert np.asarray(tape.backward(inputs=True)).tolist() == [[12.0], [21.0]]
    assert (w.data, w.grad) == (2.0, (8.0 + 28.0) / 2)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_empty_batch_of_jax(dtype):
    batch = jax_array(np.empty((0, 1)), dtype)
    tape, w = squares()
    assert tape.forward(batch).shape == (0,)
    with pytest.raises(ValueError, match="an empty batch has no mean"):
        tape.backward()
    assert tape.backward(1.0, inputs=True).shape == (0, 1)
    assert w.grad == 0.0
    outputs, gradient = tape.value_and_grad(batch, gradient=1.0)
    assert (outputs.shape, outputs.dtype, gradient.tolist()) == ((0,), dtype, [0.0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_is_told_that_jax_does_not_work_there():
    pytest.importorskip("jax")
    code = (
        "import os; from autograd import Tape, Value\n"
        "x = Value(0.0); tape = Tape(x * 2.0, [x], executor='xla'); tape.forward([1.0])\n"
        "if os.fork() == 0:\n"
        "    try: tape.forward([1.0])\n"
        "    except RuntimeError as error: os._exit(3 if 'spawn' in str(error) else 4)\n"
        "os._exit(os.waitstatus_to_exitcode(os.wait()[1]))"
    )
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False, timeout=120).returncode == 3
