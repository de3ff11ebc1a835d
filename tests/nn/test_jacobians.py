"""Each example's derivatives: the same through a tape as example by example, and the textbook's where there is one."""

from __future__ import annotations

import random

import numpy as np
import pytest

from autograd import Value, dot, engine, exp, maximum, relu, softplus, tanh
from nn.differentiation import NotAlikeError
from nn.jacobians import HessianByTape, JacobianByExample, JacobianByTape
from nn.layers import MLP
from nn.losses import cross_entropy, residuals

EXECUTORS = ["native", "numpy"] if engine == "native" else ["numpy"]
RNG = np.random.default_rng(0)


def vector_of(parameters):
    return np.array([parameter.data for parameter in parameters])


def ways(function, parameters, examples, by_tape=JacobianByTape):
    yield JacobianByExample(function, parameters, examples)
    for executor in EXECUTORS:
        yield by_tape(function, parameters, examples, executor=executor)


def test_the_jacobian_of_two_outputs_by_hand():
    a, b, unused = Value(2.0), Value(3.0), Value(7.0)
    examples = [(1.0, [2.0, 0.5]), (-2.0, [0.0, 4.0]), (0.5, [1.0, 1.0])]
    for way in ways(lambda x, u: [a * b * x + u[0], a**2 * u[1]], [a, unused, b], examples):
        assert way.outputs(np.array([5.0, 0.0, 4.0])).tolist() == [[22.0, 12.5], [-40.0, 100.0], [11.0, 25.0]]
        assert way.jacobian(np.array([5.0, 0.0, 4.0])).tolist() == [
            [[4.0 * x, 0.0, 5.0 * x], [10.0 * u[1], 0.0, 0.0]] for x, u in examples
        ]
        assert way.depends_on_parameters()


def test_a_function_without_data_has_one_example():
    a, b = Value(2.0), Value(3.0)
    for way in ways(lambda: [a * b, a, 1.5], [a, b], [()]):
        assert way.outputs(np.array([2.0, 3.0])).tolist() == [[6.0, 2.0, 1.5]]
        assert way.jacobian(np.array([2.0, 3.0])).tolist() == [[[3.0, 2.0], [1.0, 0.0], [0.0, 0.0]]]


def test_a_network_replayed_and_example_by_example():
    random.seed(2)
    model = MLP(2, [3, 2], activation=tanh)
    parameters = model.parameters()
    examples = [(x.tolist(), t.tolist()) for x, t in zip(RNG.normal(size=(9, 2)), RNG.normal(size=(9, 2)), strict=True)]
    vector = vector_of(parameters) * 1.5
    one_by_one, *replayed = ways(lambda x, t: residuals(model(x), t), parameters, examples)
    assert one_by_one.jacobian(vector).shape == (9, 2, len(parameters))
    for way in replayed:
        np.testing.assert_allclose(way.outputs(vector), one_by_one.outputs(vector), rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(way.jacobian(vector), one_by_one.jacobian(vector), rtol=1e-13, atol=1e-15)


def test_no_gradient_is_touched():
    a, b = Value(2.0), Value(3.0)
    a.grad, b.grad = 5.0, 7.0
    for way in ways(lambda x: a * b * x, [a], [(1.0,), (2.0,)]):
        assert way.jacobian(np.array([2.0])).tolist() == [[[3.0]], [[6.0]]]
        assert (a.grad, b.grad) == (5.0, 7.0)


def test_whether_anything_depends_on_the_parameters():
    a, b = Value(2.0), Value(0.0)
    for function, expected in [(lambda x: a * b * x, True), (lambda x: b * x, False), (lambda x: a, True)]:
        assert [way.depends_on_parameters() for way in ways(function, [a], [(0.0,)])] == [expected] * (
            1 + len(EXECUTORS)
        )


W = Value(0.5)
RANDOM = random.Random(0)
UNLIKE = {
    "a branch": (lambda x: W * x if x > 0 else W * 2.0, [(1.0,), (-1.0,)]),
    "a branch that is not seen": (lambda x: W * x if getattr(x, "data", x) > 0 else W + 1.0, [(1.0,), (-1.0,)]),
    "an index": (lambda k: [W, exp(W)][k], [(0,), (1,)]),
    "a class that no logit has": (lambda k: cross_entropy([W, 2.0 * W], k), [(0,), (2,)]),
    "chance": (lambda x: W * x * RANDOM.random(), [(1.0,), (2.0,)]),
    "more outputs": (lambda x: [W * x] * (1 if getattr(x, "data", x) > 0 else 2), [(-1.0,), (-2.0,), (1.0,)]),
    "texts": (lambda word: W * len(word), [("ab",), ("abc",)]),
    "a text and a number": (lambda word, x: W * len(word) * x, [("ab", 1.0), ("abc", 2.0)]),
}


@pytest.mark.parametrize("case", UNLIKE)
def test_where_no_tape_can_be_had(case):
    function, examples = UNLIKE[case]
    with pytest.raises((NotAlikeError, IndexError, ValueError)) as raised:
        JacobianByTape(function, [W], examples)
    expected = {"a class that no logit has": IndexError, "more outputs": ValueError}.get(case, NotAlikeError)
    assert raised.type is expected


def test_a_choice_within_the_graph_is_no_branch():
    for way in ways(lambda x: maximum(W * x, 0.0), [W], [(1.0,), (-1.0,)]):
        assert way.jacobian(np.array([0.5])).tolist() == [[[1.0]], [[0.0]]]


def test_outputs_that_are_none_or_not_equally_many():
    with pytest.raises(ValueError, match="at least one Value, got an empty list"):
        JacobianByExample(lambda x: [], [W], [(1.0,)]).outputs(np.array([0.5]))
    with pytest.raises(ValueError, match="got 1 for the first one and 2 for another"):
        JacobianByExample(lambda k: [W] * k, [W], [(1,), (2,)]).outputs(np.array([0.5]))


# ---- second derivatives


def test_the_hessian_of_logistic_regression():
    """(1/n) Σ p (1 − p) x xᵀ, with p = sigmoid(w x); of a parameter that the loss does not depend on it is 0."""
    w, unused = [Value(0.5), Value(-1.0), Value(0.25)], Value(1.0)
    xs = RNG.normal(size=(10, 3))
    vector = np.array([0.3, 0.7, -0.2, 0.0])
    p = 1 / (1 + np.exp(-xs @ vector[:3]))
    expected = np.zeros((4, 4))
    expected[:3, :3] = (xs.T * p * (1 - p)) @ xs / 10
    for way in ways(lambda x: softplus(dot(w, x)), [*w, unused], [(x.tolist(),) for x in xs], HessianByTape):
        gradient, hessian = way.gradient_and_hessian(vector)
        np.testing.assert_allclose(gradient, [*(xs.T @ p / 10), 0.0], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(hessian, expected, rtol=1e-12, atol=1e-16)


def test_a_networks_hessian_replayed_and_example_by_example():
    random.seed(4)
    model = MLP(2, [3, 1], activation=tanh)
    parameters = model.parameters()
    examples = [(x.tolist(), t) for x, t in zip(RNG.normal(size=(6, 2)), [0.0, 1.0, 0.5] * 2, strict=True)]
    vector = vector_of(parameters) * 0.7
    one_by_one, *replayed = ways(lambda x, t: softplus(model(x) - t), parameters, examples, HessianByTape)
    gradient, hessian = one_by_one.gradient_and_hessian(vector)
    np.testing.assert_allclose(gradient, one_by_one.jacobian(vector)[:, 0].mean(axis=0), rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-13, atol=1e-16)
    for way in replayed:
        again = way.gradient_and_hessian(vector)
        np.testing.assert_allclose(again[0], gradient, rtol=1e-13, atol=1e-16)
        np.testing.assert_allclose(again[1], hessian, rtol=1e-12, atol=1e-15)


def test_the_hessian_of_the_cross_entropy():
    """diag p − p pᵀ, whatever the class: by example, since the largest logit is looked for."""
    z = [Value(1.0), Value(-0.5), Value(0.25)]
    way = JacobianByExample(lambda k: cross_entropy(z, k), z, [(0,), (2,), (2,)])
    vector = np.array([0.5, 2.0, -1.0])
    p = np.exp(vector) / np.exp(vector).sum()
    gradient, hessian = way.gradient_and_hessian(vector)
    np.testing.assert_allclose(gradient, p - [1 / 3, 0.0, 2 / 3], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(hessian, np.diag(p) - np.outer(p, p), rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize(
    ("function", "examples"),
    [(lambda x: relu(W * x), [(1.0,), (-1.0,)]), (lambda x: x * abs(W), [(1.0,)]), (lambda: abs(W), [()])],
)
def test_a_derivative_that_has_cases_is_not_recorded(function, examples):
    """Not even where it is the parameter that decides: it changes."""
    JacobianByTape(function, [W], examples)
    with pytest.raises(NotAlikeError, match="comparison"):
        HessianByTape(function, [W], examples)
