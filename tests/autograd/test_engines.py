"""Which engine runs: the choice, and what is said where the native one is missing or does not fit."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd

PACKAGE = Path(autograd.__file__).parent
BUILT = importlib.util.find_spec("autograd.native.engine")
needs_the_native_engine = pytest.mark.skipif(BUILT is None, reason="the native engine has not been built")


def python(code, folder, engine, *options):
    environment = {name: value for name, value in os.environ.items() if name != "AUTOGRAD_ENGINE"}
    environment |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    if engine is not None:
        environment["AUTOGRAD_ENGINE"] = engine
    result = subprocess.run(
        [sys.executable, *options, "-c", code],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return result.stdout.strip(), result.stderr.strip()


@pytest.fixture
def without_native(tmp_path):
    """A copy of the package in which nothing has been compiled."""
    shutil.copytree(
        PACKAGE, tmp_path / "autograd", ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "*.c")
    )
    return tmp_path


@pytest.fixture
def stale(without_native):
    """A copy whose native engine was built from another table."""
    shutil.copy(BUILT.origin, without_native / "autograd" / "native")
    with (without_native / "autograd" / "operations.py").open("a", encoding="utf-8") as table:
        table.write("# changed since\n")
    return without_native


TELL = (
    "import autograd; print(autograd.engine, autograd.Value.__module__, type(autograd.exp(autograd.Value(1))).__name__)"
)


@pytest.mark.parametrize("engine", ["c", "Native", "auto"])
def test_another_name_is_an_error_that_says_which_there_are(engine):
    out, error = python(TELL, PACKAGE.parent, engine)
    assert out == ""
    expected = (
        f"ImportError: AUTOGRAD_ENGINE={engine}: expected python or native, or nothing for the faster one there is"
    )
    assert error.splitlines()[-1] == expected


@pytest.mark.parametrize("engine", ["python", pytest.param("native", marks=needs_the_native_engine)])
def test_the_engine_that_was_chosen_runs(engine):
    assert python(TELL, PACKAGE.parent, engine, "-W", "error") == (f"{engine} autograd Value", "")


@needs_the_native_engine
@pytest.mark.parametrize("engine", [None, ""])
def test_without_a_choice_the_native_engine_runs(engine):
    assert python(TELL, PACKAGE.parent, engine, "-W", "error") == ("native autograd Value", "")


@pytest.mark.parametrize("engine", [None, "", "python"])
def test_where_it_was_not_built_python_serves_without_a_word(engine, without_native):
    assert python(TELL, without_native, engine, "-W", "error") == ("python autograd Value", "")


def test_where_it_was_not_built_the_choice_of_it_is_an_error(without_native):
    out, error = python(TELL, without_native, "native")
    assert out == ""
    last = error.splitlines()[-1]
    assert last == (
        "ImportError: the native engine cannot be used: it was not built; install again, with a C compiler at hand"
    )
    (without_native / "autograd" / "native" / "not_built.txt").write_text("no cc", encoding="utf-8")
    assert "cannot be used: it was not built: no cc; install" in python(TELL, without_native, "native")[1]


REPORT = "from autograd import engines; print(engines.report())"


def test_which_engine_runs_and_why_not_the_other_is_reported(without_native):
    not_native = "The Python engine runs; the native one, which is faster, does not: "
    assert python(REPORT, PACKAGE.parent, "python") == (f"{not_native}AUTOGRAD_ENGINE=python.", "")
    assert python(REPORT, without_native, None) == (f"{not_native}it was not built.", "")
    (without_native / "autograd" / "native" / "not_built.txt").write_text("no cc", encoding="utf-8")
    assert python(REPORT, without_native, None) == (f"{not_native}it was not built: no cc.", "")


@needs_the_native_engine
def test_the_native_engine_is_reported():
    assert python(REPORT, PACKAGE.parent, None) == ("The native engine was built, and runs.", "")


@needs_the_native_engine
def test_an_engine_of_another_table_is_not_used_and_a_warning_says_so(stale):
    out, error = python(TELL, stale, None)
    assert out == "python autograd Value"
    assert (
        "RuntimeWarning: the native engine cannot be used: it was built from another table of operations; "
        "install again, with a C compiler at hand. Until then the slower Python engine serves."
    ) in error


@needs_the_native_engine
def test_the_choice_of_an_engine_of_another_table_is_an_error(stale):
    out, error = python(TELL, stale, "native")
    assert out == ""
    assert error.splitlines()[-1] == (
        "ImportError: the native engine cannot be used: it was built from another table of operations; "
        "install again, with a C compiler at hand"
    )


@needs_the_native_engine
def test_python_needs_no_engine_that_fits(stale):
    assert python(TELL, stale, "python", "-W", "error") == ("python autograd Value", "")


# ---- what one engine has written the other reads

WRITE = """
import pickle, sys
from autograd import Value, tanh
v, w = Value(1.5, label="v"), Value(-0.0)
v.grad, w.grad = 0.1, float("inf")
v.history = [1.0, 2.0]
v.partner = w
print(pickle.dumps({"values": [v, w, v], "activation": tanh}, protocol=PROTOCOL).hex())
"""

READ = """
import pickle, math
from autograd import Value, tanh
saved = pickle.loads(bytes.fromhex(DATA))
v, w, again = saved["values"]
assert v is again and v.partner is w and type(v) is type(w) is Value
assert (v.data, v.grad, v.label, v.history, v.parents, v.op) == (1.5, 0.1, "v", [1.0, 2.0], (), "")
assert math.copysign(1.0, w.data) == -1.0 and w.grad == math.inf and w.label == ""
assert saved["activation"] is tanh
(v * 2).backward()
assert v.grad == 2.1
print("read")
"""


@needs_the_native_engine
@pytest.mark.parametrize("protocol", [2, 5])
@pytest.mark.parametrize(("writer", "reader"), [("python", "native"), ("native", "python"), ("native", "native")])
def test_pickles_go_from_one_engine_to_the_other(writer, reader, protocol):
    data, error = python(WRITE.replace("PROTOCOL", str(protocol)), PACKAGE.parent, writer)
    assert not error
    assert python(READ.replace("DATA", repr(data)), PACKAGE.parent, reader) == ("read", "")
