"""Initial weights are drawn from the distribution and the seed that are given, and from nothing else."""

from __future__ import annotations

import random

import pytest

from autograd import Value
from nn import MLP
from nn.initial import uniform


def numbers(model: MLP) -> list[float]:
    return [parameter.data for parameter in model.parameters()]


def test_the_numbers_are_those_of_the_seed_within_the_limits() -> None:
    first, second = MLP(3, [20, 2]), MLP(3, [20, 2])
    uniform(first.parameters(), -0.3, 0.1, seed=7)
    uniform(second.parameters(), -0.3, 0.1, seed=7)
    generator = random.Random(7)
    assert numbers(first) == numbers(second) == [generator.uniform(-0.3, 0.1) for _ in numbers(first)]
    assert -0.3 <= min(numbers(first)) < -0.25
    assert 0.05 < max(numbers(first)) <= 0.1
    uniform(second.parameters(), -0.3, 0.1, seed=8)
    assert numbers(first) != numbers(second)


def test_limits_may_be_as_far_apart_as_floats_go() -> None:
    model = MLP(2, [20, 1])
    uniform(model.parameters(), -0.8e308, 0.9e308)
    assert -0.8e308 <= min(numbers(model)) < -0.7e308
    assert 0.7e308 < max(numbers(model)) <= 0.9e308
    uniform(model.parameters(), 1.7e308, 1.7e308)
    assert set(numbers(model)) == {1.7e308}


def test_python_s_global_state_is_left_alone() -> None:
    model = MLP(2, [1])
    random.seed(1)
    state = random.getstate()
    uniform(model.parameters(), -1.0, 1.0)
    uniform(model.parameters(), -1.0, 1.0, seed=None)
    assert random.getstate() == state


@pytest.mark.parametrize(
    ("low", "high", "error"),
    [
        (1.0, 0.0, ValueError),
        (float("nan"), 1.0, ValueError),
        (0.0, float("inf"), ValueError),
        ("0", 1.0, ValueError),
        (-1.7e308, 1.7e308, ValueError),
        (-1e308, 0.9e308, ValueError),
    ],
)
def test_limits_that_are_none(low: float, high: float, error: type[Exception]) -> None:
    parameter = Value(5.0)
    with pytest.raises(error, match="uniform"):
        uniform([parameter], low, high)
    assert parameter.data == 5.0


@pytest.mark.parametrize("parameters", [[], [1.0], [Value(1.0) * 2.0], None])
def test_parameters_that_are_none(parameters: list[Value]) -> None:
    with pytest.raises((TypeError, ValueError), match="uniform"):
        uniform(parameters, -1.0, 1.0)
