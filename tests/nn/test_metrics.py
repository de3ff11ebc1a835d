"""Metrics count right answers, and their means are those of all examples."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from autograd import Value, no_grad, tanh
from nn import MLP, SGD, Module, cross_entropy, fit
from nn.losses import squared_error
from nn.metrics import correct_bit, correct_class, correct_sign, evaluate, predicted_class


def test_evaluate():
    p = Value(2.0)
    outputs = []
    means = evaluate(
        lambda x: outputs.append(p * x) or outputs[-1], [1.0, 2.0], [1.0, 1.0], squared_error, correct_sign
    )
    assert means == [(1.0 + 9.0) / 2, 1.0]
    assert all(output.parents == () for output in outputs)
    with pytest.raises(ValueError, match="evaluate: expected at least one example, got none"):
        evaluate(lambda x: x, [], [], squared_error)


def test_metrics():
    assert predicted_class([Value(-1.0), Value(3.0), 2.0]) == 1
    assert predicted_class([5.0, 5.0]) == 0
    assert [correct_class([0.0, Value(1.0)], target) for target in (0, 1, np.int64(1), [0.2, 0.8])] == [0, 1, 1, 1]
    scores, targets = (0.5, -0.5, Value(0.0)), (-1, 0, 1)
    assert [[correct_sign(s, t) for t in targets] for s in scores] == [[0, 0, 1], [1, 1, 0], [1, 1, 0]]
    assert [[correct_bit(x, t) for t in (0, 1)] for x in (0.5, Value(0.1), -3.0)] == [[1, 0]] * 3
    assert [[correct_bit(x, t) for t in (0, True)] for x in (0.51, Value(0.9), 3)] == [[0, 1]] * 3


# ---- a score that is nan is never right


@pytest.mark.parametrize("logits", [logits for logits in itertools.product([math.nan, 0.0, 1.0, -math.inf], repeat=3)
                                    if any(map(math.isnan, logits))], ids=str)  # fmt: skip
def test_no_class_is_right_where_a_logit_is_nan(logits):
    for target in (0, 1, 2, [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]):
        assert correct_class(logits, target) == correct_class([*map(Value, logits)], target) == 0.0
    with pytest.raises(ValueError, match="predicted_class: expected logits to compare, got nan among"):
        predicted_class(logits)


@pytest.mark.parametrize("target", [-1, 0, 1, True, np.int64(1), np.array(1.0), Value(1.0)], ids=repr)
@pytest.mark.parametrize("score", [math.nan, np.float64(math.nan), Value(math.nan), np.array(math.nan)], ids=repr)
def test_no_sign_is_right_where_the_score_is_nan(score, target):
    assert correct_sign(score, target) == 0.0
    assert correct_bit(score, max(target, 0)) == 0.0


def test_a_model_that_returns_nan_has_the_accuracy_0():
    assert evaluate(lambda x: [math.nan] * 3, [1.0, 2.0], [0, 2], correct_class) == [0.0]
    assert evaluate(lambda x: math.nan, [1.0, 2.0], [-1, 1], correct_sign) == [0.0]


# ---- what is no output and no target

WRONG = {
    "a class that no logit has": (
        correct_class,
        [0.0, 1.0],
        2,
        IndexError,
        "a class from 0 to 1, one per logit, got 2",
    ),
    "a negative class": (correct_class, [0.0, 1.0], -1, IndexError, "a class from 0 to 1, one per logit, got -1"),
    "a class in a Value": (correct_class, [0.0, 1.0], Value(0.5), IndexError, "a class from 0 to 1, .* got 0.5"),
    "a class that is nan": (correct_class, [0.0, 1.0], math.nan, TypeError, "the index of a class, an int, .* got nan"),
    "a class that is a float": (correct_class, [0.0, 1.0], 1.0, TypeError, "the index of a class, an int, .* got 1.0"),
    "a class that is a string": (correct_class, [0.0, 1.0], "blue", TypeError, "the index of a class.* got 'blue'"),
    "no class": (correct_class, [0.0, 1.0], None, TypeError, "the index of a class, an int, .* got None"),
    "probabilities that are nan": (correct_class, [0.0, 1.0], [math.nan, 1.0], ValueError, "probabilities in"),
    "too many probabilities": (correct_class, [0.0, 1.0], [1.0, 0.0, 0.0], ValueError, "2 probabilities, .* got 3"),
    "no probabilities": (
        correct_class,
        [0.0, 1.0],
        [3.0, 4.0],
        ValueError,
        r"probabilities in \[0, 1\] with the sum 1",
    ),
    "a single logit": (correct_class, Value(0.5), 0, TypeError, "a sequence of logits, .* there is correct_sign"),
    "a 0-d array": (correct_class, np.array(0.5), 0, TypeError, "a sequence of logits, one per class, got array"),
    "no logits": (correct_class, [], 0, ValueError, "at least one logit, got none"),
    "logits that are none": (correct_class, [0.5, None], 0, TypeError, "a real number, got NoneType"),
    "a batch": (correct_class, [[0.5, 1.0]], 0, TypeError, "a real number, got list.*; a batch goes through one"),
    "a sign that is none": (correct_sign, 0.5, 2, ValueError, r"a target of -1, 0 or \+1, got 2"),
    "a probability": (correct_sign, 0.5, 0.3, ValueError, r"a target of -1, 0 or \+1, got 0.3"),
    "a sign that is nan": (correct_sign, 0.5, math.nan, ValueError, r"a target of -1, 0 or \+1, got nan"),
    "a sign that is a string": (correct_sign, 0.5, "1", TypeError, "a real number, got str"),
    "a bit that is none": (correct_bit, 0.5, -1, ValueError, "a target of 0 or 1, got -1"),
    "a bit that is nan": (correct_bit, 0.5, math.nan, ValueError, "a target of 0 or 1, got nan"),
    "bits": (correct_bit, [0.5], 1, TypeError, "a real number, got list"),
    "scores": (correct_sign, [0.5], 1, TypeError, "a real number, got list"),
    "no score": (correct_sign, None, 1, TypeError, "a real number, got NoneType"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_output_or_no_target(name):
    metric, output, target, error, message = WRONG[name]
    with pytest.raises(error, match=f"^{metric.__name__}: expected {message}"):
        metric(output, target)


@pytest.mark.parametrize("wrong", [None, "", 5.0, [], [None]], ids=repr)
def test_what_has_no_predicted_class(wrong):
    with pytest.raises((TypeError, ValueError), match=r"^predicted_class: expected "):
        predicted_class(wrong)


RETURNED = {"None": None, "a string": "1.5", "a list": [1.0], "a complex number": 1j, "a matrix": np.eye(2)}


@pytest.mark.parametrize("name", RETURNED)
def test_what_a_loss_or_metric_may_not_return(name):
    def strange(output, target):
        return RETURNED[name]

    message = "^strange: as a loss or metric, it has to return a number: expected a real number, got "
    with pytest.raises(TypeError, match=message):
        evaluate(lambda x: x, [1.0], [1.0], strange)
    for tape in (True, False):
        model = MLP(1, [2])
        before = [parameter.data for parameter in model.parameters()]
        with pytest.raises(TypeError, match=message):
            fit(model, [[1.0]], [0], cross_entropy, SGD(model.parameters(), 0.1), epochs=1, metric=strange, tape=tape,
                progress=False)  # fmt: skip
        assert [parameter.data for parameter in model.parameters()] == before


@pytest.mark.parametrize("name", ["accuracy", None, 1.0], ids=repr)
def test_what_is_no_function_to_evaluate(name):
    with pytest.raises(TypeError, match=r"evaluate: expected a function, got .*correct_class"):
        evaluate(lambda x: x, [1.0], [1.0], name)
    with pytest.raises(TypeError, match="evaluate: model: expected a function, got "):
        evaluate(name, [1.0], [1.0], correct_sign)


def test_numbers_of_all_kinds_are_returned():
    returned = iter([1, True, np.float32(0.5), np.array(2.0), Value(3.0)])
    assert evaluate(lambda x: x, [1.0] * 5, [1.0] * 5, lambda output, target: next(returned)) == [7.5 / 5]
    with no_grad():
        assert evaluate(Value, [1.0], [1.0], squared_error) == [0.0]


def test_evaluating_by_no_function():
    with pytest.raises(TypeError, match="expected functions of output and target, such as correct_class, got none"):
        evaluate(tanh, [1.0], [1.0])


def test_functions_that_are_not_given_as_such():
    class Ported(Module):
        def forward(self, x):
            return x

    with pytest.raises(
        TypeError, match=r"a function, got \[.*\]; give it by itself; several to evaluate one after the"
    ):
        evaluate(lambda x: x, [1.0], [1.0], [squared_error, correct_sign])
    with pytest.raises(TypeError, match="rename Ported's method forward to __call__"):
        evaluate(Ported(), [1.0], [1.0], squared_error)
