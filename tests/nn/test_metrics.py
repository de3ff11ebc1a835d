"""Metrics count right answers, and their means are those of all examples."""

from __future__ import annotations

import numpy as np
import pytest

from autograd import Value
from nn.losses import squared_error
from nn.metrics import correct_class, correct_sign, evaluate, predicted_class


def test_evaluate():
    p = Value(2.0)
    outputs = []
    means = evaluate(
        lambda x: outputs.append(p * x) or outputs[-1], [1.0, 2.0], [1.0, 7.0], squared_error, correct_sign
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
