"""Every schedule is its formula, reads well, and serves an optimizer."""

from __future__ import annotations

import math
import pickle

import pytest

from autograd import Value
from nn import SGD
from nn.schedules import CosineDecay, ExponentialDecay, LinearDecay, StepDecay, Warmup

FORMULAS = {
    LinearDecay(0.5, 8, 0.1): lambda t: 0.5 + (0.1 - 0.5) * min(t / 8, 1),
    CosineDecay(0.5, 8, 0.1): lambda t: 0.1 + (0.5 - 0.1) * (1 + math.cos(math.pi * min(t / 8, 1))) / 2,
    ExponentialDecay(0.5, 0.9, 3): lambda t: 0.5 * 0.9 ** (t / 3),
    StepDecay(0.5, 0.1, 3): lambda t: 0.5 * 0.1 ** (t // 3),
    Warmup(4, StepDecay(0.5, 0.1, 3)): lambda t: 0.5 * (t + 1) / 5 if t < 4 else 0.5 * 0.1 ** ((t - 4) // 3),
}


@pytest.mark.parametrize(("schedule", "formula"), FORMULAS.items(), ids=map(repr, FORMULAS))
def test_a_schedule_is_its_formula(schedule, formula):
    assert [schedule(t) for t in range(20)] == pytest.approx([formula(t) for t in range(20)], rel=1e-14, abs=1e-16)


@pytest.mark.parametrize("schedule", FORMULAS, ids=repr)
def test_an_optimizer_takes_the_rate_of_each_step(schedule):
    p = Value(0.0)
    optimizer = SGD([p], schedule)
    position = 0.0
    for t in range(12):
        assert (optimizer.learning_rate, optimizer.steps) == (schedule(t), t)
        p.grad = 1.0
        optimizer.step()
        position -= schedule(t)
        assert p.data == position


@pytest.mark.parametrize("schedule", FORMULAS, ids=repr)
def test_a_schedule_is_equal_to_its_pickle(schedule):
    assert pickle.loads(pickle.dumps(schedule)) == schedule


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: LinearDecay(-0.1, 5), ValueError, "LinearDecay: rate: expected 0.0 <= "),
        (lambda: CosineDecay(0.1, 0), ValueError, "CosineDecay: steps: expected a positive int, got 0"),
        (lambda: CosineDecay(0.1, 2.5), TypeError, "CosineDecay: steps: expected a positive int, got 2.5"),
        (lambda: StepDecay(0.1, math.nan, 5), ValueError, "StepDecay: factor: expected 0.0 <= "),
        (lambda: ExponentialDecay("0.1", 0.5), TypeError, "ExponentialDecay: rate: expected a real number"),
        (lambda: Warmup(3, 0.1), TypeError, r"Warmup: schedule: expected a schedule, such as CosineDecay\(0.1, 500\)"),
    ],
)
def test_bad_options_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_schedule_that_ends_in_something_else_stops_the_step_and_changes_nothing():
    p = Value(1.0)
    p.grad = 1.0
    optimizer = SGD([p], lambda t: [0.1, "0.1"][t])
    optimizer.step()
    with pytest.raises(ValueError, match=r"at step 1, got TypeError: .*: expected a real number, got '0\.1'"):
        optimizer.step()
    assert (p.data, optimizer.steps) == (0.9, 1)
    optimizer.learning_rate = 0.5
    optimizer.step()
    assert p.data == 0.4


def test_the_rate_of_micrograds_demo():
    schedule = LinearDecay(1.0, 100, 0.1)
    assert [schedule(k) for k in range(100)] == pytest.approx([1.0 - 0.9 * k / 100 for k in range(100)], rel=1e-15)
