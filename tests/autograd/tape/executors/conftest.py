from __future__ import annotations

import random

import numpy as np
import pytest

from autograd import Value, dot, leaky_relu, logsumexp, tanh


@pytest.fixture(scope="session")
def large():
    """Two outputs of a network whose weights all have several uses, its inputs, and 5,000 examples."""
    source = random.Random(1)
    x = inputs = [Value(0.1) for _ in range(3)]
    bias = Value(0.2)
    for width in (12, 8, 2):
        weights = [[Value(source.gauss(0.0, 0.5)) for _ in x] for _ in range(width)]
        x = [tanh(dot(w, x, bias)) + leaky_relu(dot(w, x[::-1], 0.5), bias) * w[0] for w in weights]
    batch = np.array([[source.uniform(-2.0, 2.0) for _ in inputs] for _ in range(5000)])
    return [logsumexp(x) - x[0], x[1] * inputs[0]], inputs, batch
