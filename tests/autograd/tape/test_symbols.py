"""Symbols: what the rules write computes what they compute on floats."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autograd import RecordingError, Value, tanh
from autograd.operation import strict
from autograd.tape import executors
from autograd.tape.record import write_down
from autograd.tape.symbols import Draft, Symbol
from autograd.tape.wengert import WengertList

pytestmark = pytest.mark.both_engines

NUMBERS = [-math.inf, -1e308, -2.0, -5e-324, -0.0, 0.0, 5e-324, 1e-300, 1.0, 2.0, 1e308, math.inf]


def draft_of(inputs):
    """A draft without instructions, and its inputs."""
    none = np.empty(0, np.int32)
    draft = Draft(WengertList(inputs, 0, np.empty(0), none, none, none, none))
    return draft, [draft.symbol(i) for i in range(inputs)]


def replayed(draft, outputs, batch):
    wengert = draft.finished(outputs)
    batch, results = np.array(batch, float), np.empty((len(batch), len(outputs)))
    program = executors.program(next(executors.available()), wengert)
    program.replay(len(batch), batch, np.empty(0), results, None, np.empty(0), None, 1)
    return results


def test_comparisons_choose_as_those_of_floats():
    draft, (x, y) = draft_of(2)
    conditions = [x > y, x < y, x >= y, x <= y, (x > y) | (x < y), (x >= y) & (x <= y)]
    outputs = [draft.where(condition, x, 7.0) for condition in conditions]
    pairs = [(x, y) for x in NUMBERS for y in NUMBERS if not (x == y and math.isinf(x))]
    expected = [
        [x if holds else 7.0 for holds in (x > y, x < y, x >= y, x <= y, x != y, x == y)] for x, y in pairs
    ]  # fmt: skip
    for lanes in (pairs, *[[pair] for pair in pairs]):
        results = replayed(draft, outputs, lanes)
        assert results.tolist() == (expected if lanes is pairs else [expected[pairs.index(lanes[0])]])


def test_a_comparison_with_nan_chooses_nan():
    draft, (x,) = draft_of(1)
    assert math.isnan(replayed(draft, [draft.where(x > 0.0, 1.0, 2.0)], [[math.nan]])[0, 0])


def test_known_conditions_are_settled_at_once():
    draft, (x,) = draft_of(1)
    above = x > 0.0
    assert draft.where(True, x, 1.0) is x
    assert draft.where(False, x, 1.0) == 1.0
    assert (above & True) is above
    assert (above & False) is False
    assert (True | above) is True
    assert (False | above) is above


def test_what_depends_on_no_symbol_is_computed_at_once():
    draft, _ = draft_of(1)
    m = draft.mathematics
    assert m.exp(1.0) == math.e
    assert m.divide(1.0, 0.0) == math.inf
    assert m.sum([1.0, 2.0]) == strict.sum([1.0, 2.0])
    assert m.logsumexp([0.0, 0.0]) == math.log(2.0)
    assert not draft.known


def test_what_changes_nothing_is_not_written():
    draft, (x,) = draft_of(1)
    assert all(result is x for result in (x * 1.0, 1.0 * x, 0.0 + x, x - 0.0, x / 1.0, x**1.0))
    assert not draft.known
    for result in (0.0 * x, 0.0 - x, 1.0 / x, 1.0**x, x + 0.0):  # 0 times an infinite number is nan, -0.0 + 0.0 is 0.0
        assert isinstance(result, Symbol)


def test_the_same_is_written_once():
    draft, (x, y) = draft_of(2)
    assert (x * y).variable == (y * x).variable
    assert (x - y).variable != (y - x).variable
    assert len(draft.known) == 3


def test_a_finished_list_has_what_its_outputs_need_and_nothing_else():
    x, w = Value(2.0), Value(3.0)
    wengert, _ = write_down([tanh(w * x), w * w], [x])
    draft = Draft(wengert)
    assert draft.finished([draft.symbol(v) for v in wengert.outputs.tolist()]).alike(wengert)
    first, further = draft.symbol(draft.variables[2]), draft.further_symbol()
    _ = further * 5.0
    shorter = draft.finished([first * further, 4.0], [further])
    assert (shorter.inputs, shorter.parameters, len(shorter)) == (2, 1, 2)
    assert shorter.constants.tolist() == [4.0]


def test_a_rule_that_branches_is_refused():
    _, (x,) = draft_of(1)
    with pytest.raises(RecordingError, match=r"branches on its operands, which a list cannot; write it with m.where"):
        bool(x > 0.0)


def test_a_result_may_be_given():
    draft, (x,) = draft_of(1)
    square = x * x
    wengert = draft.finished([square + x, square], [square])
    assert (wengert.inputs, len(wengert)) == (2, 1)  # x and its square are given, and their sum is computed
    results = np.empty((1, 2))
    program = executors.program(next(executors.available()), wengert)
    program.replay(1, np.array([[3.0, 10.0]]), np.empty(0), results, None, np.empty(0), None, 1)
    assert results.tolist() == [[13.0, 10.0]]
