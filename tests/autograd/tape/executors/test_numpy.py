"""The NumPy executor: what is its own. Its contract is the matter of test_executor.py."""

from __future__ import annotations

import pytest

from autograd import Tape

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
