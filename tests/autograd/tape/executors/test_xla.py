"""When the XLA executor cannot be used, and what it says then."""

from __future__ import annotations

import subprocess
import sys

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
    assert str(error).endswith('got \\'xla\\': it needs JAX: pip install "scalar-autograd[xla]"'), error
else:
    raise AssertionError
"""


def test_without_jax_it_says_what_to_install_and_importing_autograd_never_imports_it():
    subprocess.run([sys.executable, "-c", WITHOUT_JAX], check=True)
