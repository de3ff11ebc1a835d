"""The NumPy executor: what is its own. Its contract is the matter of test_executor.py."""

from __future__ import annotations

import pytest

from autograd import Tape, Value, dot, logsumexp
from autograd.tape.executors import numpy as executor

pytestmark = pytest.mark.both_engines


@pytest.mark.parametrize("block", [8, 100, 1000, 5000])
def test_numpys_numbers_depend_on_blocks_by_rounding_only(large, block, monkeypatch):
    outputs, inputs, batch = large
    tape = Tape(outputs, inputs, executor="numpy")
    values, gradient = tape.value_and_grad(batch)
    sizes = abs(tape.jacobian(batch)).mean(axis=0).sum(axis=0)
    monkeypatch.setattr("autograd.tape.executors.numpy.MOST_EXAMPLES", block)
    again = Tape(outputs, inputs, executor="numpy").value_and_grad(batch)
    assert (abs(again[0] - values) <= 1e-14 * (1.0 + abs(values))).all()
    assert (abs(again[1] - gradient) <= 1e-14 * sizes).all()


def test_sequences_of_a_group_are_bounded_in_memory():
    """They are computed at once, so a block has fewer examples where they are long and many."""
    queries, keys = ([[Value(0.1 * (i + j)) for i in range(60)] for j in range(50)] for _ in range(2))
    inputs = [x for row in (*queries, *keys) for x in row]
    program = Tape([logsumexp([dot(q, k) for k in keys]) for q in queries], inputs, executor="numpy")._program
    largest = 50 * 50 * 60
    assert largest in [step.largest for step in program.steps]
    assert 8 <= program.block <= max(8, executor.MOST_NUMBERS // largest)
