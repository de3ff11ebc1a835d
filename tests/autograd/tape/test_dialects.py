"""The dialects of C: how numbers are spelled, and what a rule becomes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autograd.operation import Operation
from autograd.operations import OPERATIONS
from autograd.tape.dialects import Floats, Lanes, Rules, Scalars, float_literal


@pytest.mark.parametrize("dialect", [Scalars, Floats, Lanes])
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_row_can_be_written(operation, dialect):
    rules = Rules(dialect)
    for partial in (None, *range(len(operation.partials))):
        rule = rules.rule(operation, partial)
        assert rule is rules.rule(operation, partial)
        assert bool(rule.expression) != bool(operation.sequences)


def test_a_short_rule_is_an_expression_of_its_operands():
    rule = Rules(Scalars).rule(OPERATIONS["divide"], 1)
    assert (rule.needed, rule.function != "") == ({"r", "y"}, True)
    rule = Rules(Scalars).rule(OPERATIONS["subtract"])
    assert rule.on({"x": "v1", "y": "f[3]"}) == "v1 - f[3]"
    rule = Rules(Lanes).rule(OPERATIONS["relu"])
    assert rule.on({"x": "v1"}) == "choose((v1 <= splat(0.0)), splat(0.0), v1)"
    assert Rules(Scalars).rule(OPERATIONS["exp"]).called == {"exp"}


def test_floats_are_spelled_as_such():
    assert [float_literal(x) for x in (0.5, -2.0, 1e300, -1e300, 1e-300, 0.0, 1e10)] == [
        "0.5f", "(-2.0f)", "3.4028235e+38f", "(-3.4028235e+38f)", "1e-45f", "0.0f", "1e+10f",
    ]  # fmt: skip
    for number in (0.1, math.pi, 1e-40, 134217729.0):
        assert np.float32(float_literal(number)[:-1]) == np.float32(number)
    assert [Rules(Floats).literal(x) for x in (math.nan, math.inf, -math.inf)] == ["NAN", "INFINITY", "(-INFINITY)"]


@pytest.mark.parametrize(
    ("compute", "said"),
    [
        (lambda m, x: x if x > 0 else 0.0, "which C cannot know then: use m.where"),
        (lambda m, x: math.sin(x), "which C cannot know then"),
        (lambda m, double: double, "the operand 'double' has a name that means something there already"),
        (lambda m, σ: σ, "'σ' is no name in C"),
        (lambda m, x: m.gamma(x), "no function 'gamma' here"),
    ],
)
def test_a_rule_that_is_no_formula_is_an_error_that_names_its_operation(compute, said):
    operation = Operation("odd_one", "odd", "x", compute, [lambda m, r, x: 1.0], samples=[])
    with pytest.raises(TypeError, match="the rule of odd_one cannot be written in C") as error:
        Rules(Scalars).rule(operation)
    assert said in str(error.value)
