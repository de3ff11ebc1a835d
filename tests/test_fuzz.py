"""The fuzzer runs, finds a difference that was planted, and shows the smallest program that has it."""

from __future__ import annotations

import math
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
from autograd.operations import OPERATIONS
from autograd.tape.executors import compiling, missing

from . import fuzz

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(autograd.engine != "native", reason="the native engine is not in use")


def test_the_engines_agree_on_some_hundred_programs():
    assert fuzz.search(300, 7) is None


def test_a_seed_has_one_program():
    assert fuzz.written(5) == fuzz.written(5) != fuzz.written(6)


def wrong_number(x):
    return autograd.tanh(x * (1.0 + 2.0**-50))


def wrong_error(x):
    try:
        return autograd.tanh(x)
    except TypeError as error:
        raise TypeError(f"{error}!") from None


def wrong_graph(x):
    return autograd.tanh(x + 0.0) if isinstance(x, autograd.Value) else autograd.tanh(x)


@pytest.mark.parametrize("planted", [wrong_number, wrong_error, wrong_graph])
def test_a_planted_difference_is_found(planted):
    seed, lines, how = fuzz.search(3000, 0, native=fuzz.NATIVE | {"tanh": planted})
    assert len(lines) <= 3
    assert "tanh(" in lines[-1]
    assert "python" in how
    assert "native" in how
    assert fuzz.difference(lines) == ""
    assert fuzz.search(1, seed) is None


def test_a_planted_difference_of_a_tape_is_found(monkeypatch):
    class Planted(autograd.Tape):
        def forward(self, *arguments, **keywords):
            return super().forward(*arguments, **keywords) + 1.0

    monkeypatch.setattr(fuzz, "Tape", Planted)
    _, lines, how = fuzz.search(300, 0)
    assert len(lines) <= 2
    assert how.startswith("a tape's output")


@pytest.mark.parametrize("executor", ["numpy", "c"])
def test_now_and_then_other_executors_replay(executor, monkeypatch, tmp_path):
    """And find what only they do not agree on: some programs' tapes compute more than 1.0 there."""
    if reason := missing(executor):
        pytest.skip(reason)
    replayed = []

    class Planted(autograd.Tape):
        def forward(self, *arguments, **keywords):
            replayed.append(self.executor)
            return super().forward(*arguments, **keywords) + 1.0 * (self.executor == executor)

    monkeypatch.setattr(compiling, "platform_folder", lambda: tmp_path)
    monkeypatch.setattr(fuzz, "Tape", Planted)
    monkeypatch.setattr(fuzz, "EVERY", {executor: 5})
    seed, lines, how = fuzz.search(300, 0)
    assert seed % 5 == 0
    assert len(lines) <= 2
    assert how.startswith(f"a tape's output, by {executor}, ")
    assert replayed.count("native") > 3
    monkeypatch.setattr(fuzz, "EVERY", {})
    assert fuzz.search(30, 0) is None
    assert fuzz.search(30, 0, executors=[executor]) is not None


def test_what_is_the_same_but_for_rounding():
    x = autograd.Value(3.0)
    agree = fuzz.nearly([x])
    assert agree([1.0, math.nan, math.inf], [1.0 + 2**-50, math.nan, math.inf])
    for found, expected in ((1.0, 1.1), (1.0, math.inf), (-math.inf, math.inf), (math.nan, 1.0), (1.0, math.nan)):
        assert not agree([found], [expected])
    assert fuzz.nearly([x * 1e200])([math.inf, math.nan], [1e300, 1.0])


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_row_is_called_by_its_signature(name):
    """Also a row of a kind that the table had not before: most calls have as many operands as it has."""
    writer = fuzz.Writer(random.Random(name))
    writer.names.append("v0")
    names = fuzz.NATIVE | {"v0": autograd.Value(0.5)}
    errors = [fuzz.outcome(writer.called(name), dict(names)) for _ in range(100)]
    assert sum(error is not None and error[1].startswith("expected ") for error in errors) < 30
    assert None in errors


def test_what_make_fuzz_prints():
    """By the Makefile's own words: they must find the package, and not the folder of its tests."""
    words = re.search(
        r"\$\(BIN\)/python (.*fuzz.py) \$\(PROGRAMS\) \$\(SEED\) \$\(EXECUTORS\)", (ROOT / "Makefile").read_text()
    )[1]
    command = [sys.executable, *words.split(), "20", "3"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "fuzz: 20 programs from the seed 3 on: no difference\n")


def test_what_a_failure_prints(monkeypatch, capsys):
    monkeypatch.setattr(
        fuzz, "search", lambda programs, seed, executors: (seed + 4, ["v0 = Value(1.0)", "v0.x"], "why")
    )
    with pytest.raises(SystemExit) as stopped:
        fuzz.main("10", "8")
    assert stopped.value.code == 1
    assert capsys.readouterr().out == "# fuzz: why\n# again: make fuzz PROGRAMS=1 SEED=12\nv0 = Value(1.0)\nv0.x\n"
