"""The fuzzer runs, finds a difference that was planted, and shows the smallest program that has it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import autograd

from . import fuzz

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


def test_what_make_fuzz_prints():
    script = str(Path(__file__).with_name("fuzz.py"))
    result = subprocess.run([sys.executable, script, "20", "3"], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "fuzz: 20 programs from the seed 3 on: no difference\n")


def test_what_a_failure_prints(monkeypatch, capsys):
    monkeypatch.setattr(fuzz, "search", lambda programs, seed: (seed + 4, ["v0 = Value(1.0)", "v0.x"], "why"))
    with pytest.raises(SystemExit) as stopped:
        fuzz.main("10", "8")
    assert stopped.value.code == 1
    assert capsys.readouterr().out == "# fuzz: why\n# again: make fuzz PROGRAMS=1 SEED=12\nv0 = Value(1.0)\nv0.x\n"
