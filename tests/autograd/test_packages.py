"""Packages: what is told to be installed, and what works, and what does not, in a Python without NumPy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograd import packages

pytestmark = pytest.mark.both_engines

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "tests" / "without_numpy.py"


def test_the_command_that_installs_is_the_one_of_this_python(monkeypatch):
    assert packages.install("jax") == "pip install jax"
    monkeypatch.setattr(sys, "platform", "emscripten")
    assert packages.install("numpy", "onnx") == "this page can install nothing"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "micropip" or None)
    assert packages.install("numpy", "onnx") == "import micropip; await micropip.install(['numpy', 'onnx'])"


def test_what_there_is_not_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'scipy'"):
        packages.scipy  # noqa: B018


def test_where_there_is_numpy_it_is_numpys_own_module():
    import numpy

    assert packages.numpy is numpy


HIDDEN = "import sys, runpy; sys.modules['numpy'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"


def test_without_numpy_the_engine_and_the_layers_work_and_the_others_say_what_they_need(tmp_path):
    """NumPy is hidden here; test_distribution.py runs the same program where it was never installed."""
    subprocess.run(
        [sys.executable, "-W", "error", "-c", HIDDEN, PROGRAM],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True,
    )  # fmt: skip


BROKEN = """
import sys
class Broken:
    def find_spec(name, path=None, target=None):
        if name == "numpy":
            raise ModuleNotFoundError("No module named 'of_numpy'", name="of_numpy")
sys.meta_path.insert(0, Broken)
import nn
"""


def test_a_numpy_that_is_there_but_broken_raises_its_own_error(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", BROKEN],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'of_numpy'"
