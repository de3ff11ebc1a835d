from __future__ import annotations

import random

import numpy as np
import pytest

from autograd import Value, dot, exp, leaky_relu, logsumexp, relu, tanh


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


def layers(source, inputs):
    """Two layers with frozen and shared weights, a computed bias, a skip connection, and another activation."""
    weights = [[Value(source.gauss(0.0, 0.4)) for _ in inputs] for _ in range(11)]
    weights[1][2], weights[4][0], bias = 0.5, weights[3][1], weights[0][0] * 2.0
    hidden = [relu(dot(w, inputs, w[0] if j % 3 else bias)) for j, w in enumerate(weights)]
    hidden[5] = tanh(hidden[5]) + inputs[1] * hidden[0]
    weights = [[Value(source.gauss(0.0, 0.4)) for _ in hidden] for _ in range(4)]
    return [dot(hidden, w, Value(0.1)) for w in weights]


def chains(source, inputs):
    """Neurons in several spellings, so that nothing is a `dot`. No product is there twice: it would become one."""
    outputs = []
    for j in range(9):
        weights, net_input = [Value(source.gauss(0.0, 0.4)) for _ in inputs], Value(0.1)
        for w, x in zip(weights, inputs, strict=True):
            net_input = net_input + (w * x if j % 2 else x * w)
        if j % 3 == 0:
            net_input = sum((x * w if j % 2 else w * x for w, x in zip(weights, inputs, strict=True)), net_input)
        outputs.append(relu(net_input) if j % 4 else net_input)
    return outputs


def late_biases(source, inputs):
    """Neurons with inputs of their own, whose biases are added when all sums are done, in another order."""
    outputs = []
    for j in range(4):
        first, *others = [Value(source.gauss(0.0, 0.4)) * inputs[k % 7] for k in (j, j + 1, j + 3)]
        outputs.append(sum(others, first))
    for j in (3, 1, 2, 0):
        outputs[j] = tanh(outputs[j] + Value(source.gauss(0.0, 0.4))) * inputs[j]
    return outputs


def recurrence(source, inputs):
    """A network of three neurons that goes over the inputs one by one; its weights have a use in each step."""
    w, u = ([[Value(source.gauss(0.0, 0.5)) for _ in range(n)] for _ in range(3)] for n in (3, 1))
    bias, h = [Value(0.1) for _ in range(3)], [Value(0.2) for _ in range(3)]
    for x in inputs:
        h = [tanh(dot(row, h, dot(v, [x], b))) for row, v, b in zip(w, u, bias, strict=True)]
    return h


def convolution(source, inputs):
    """Two kernels over places, padded, kernel by kernel; then two more over both maps, place by place."""
    padded = [-1.0, *inputs, -1.0]
    kernels, places = [[Value(source.gauss(0.0, 0.5)) for _ in range(3)] for _ in range(2)], range(len(inputs))
    maps = [[tanh(dot(kernel, padded[i : i + 3], kernel[0])) for i in places] for kernel in kernels]
    kernels = [[Value(source.gauss(0.0, 0.5)) for _ in range(4)] for _ in range(2)]
    return [
        dot(kernel, [*maps[0][i : i + 2], *maps[1][i : i + 2]], maps[0][0]) for i in places[1:-1] for kernel in kernels
    ]


def gated(source, inputs):
    """Dots of which few terms have two factors that depend on inputs: at the ends, side by side, on either side."""
    hidden = [tanh(source.gauss(0.0, 1.0) * inputs[k % 7] + Value(0.1)) for k in range(20)]
    outputs, product = [], hidden[0] * hidden[1]
    for places in ([0], [19], [7, 8], [3, 16], [0, 1], []):
        for bias in (Value(0.2), product, 0.5):
            weights = [Value(source.gauss(0.0, 0.4)) for _ in hidden]
            weights[5], weights[6] = 0.5, weights[2] * 2.0
            left, right = [*weights], [*hidden]
            for k in places:
                left[k] = inputs[k % 7]
            left[11], right[11] = right[11], left[11]
            outputs.append(relu(dot(left, right, bias)))
    twice = [*weights[:-1], hidden[0]]
    return [*outputs, dot(twice, hidden, hidden[3])]


def gated_layers(source, inputs):
    """Layers of dots that are cut alike, but for some. A bias is a factor elsewhere; the inputs have other uses."""
    hidden = [tanh(source.gauss(0.0, 1.0) * inputs[k % 7] + Value(0.1)) for k in range(17)]
    gates = [*map(tanh, inputs)]
    for varies, places in ((False, [0, 16]), (True, [7, 8])):
        outputs = []
        for j in range(9):
            weights, sources = [Value(source.gauss(0.0, 0.4)) for _ in hidden], [*hidden]
            weights[4], weights[5] = 0.5, weights[1] * 2.0
            for i, k in enumerate(places if j != 4 else [3]):
                weights[k] = gates[(j + i) % 7]
            if j == 5:
                sources[9], sources[10] = sources[10], sources[9]
            if j % 3 == 0:
                weights, sources = sources, weights
            net_input = dot(weights, sources, gates[(j + 5) % 7] if varies and j > 0 else Value(0.1))
            outputs.append(tanh(net_input) * hidden[j])
        hidden = outputs + hidden[:8]
    return hidden


def attention(source, inputs):
    """One head over seven places: dots of two sequences that depend on inputs, and their softmax."""
    query, key, value = ([[Value(source.gauss(0.0, 0.7)) for _ in range(2)] for _ in inputs] for _ in range(3))
    queries, keys, values = (
        [[w * x for w in row] for row, x in zip(rows, inputs, strict=True)] for rows in (query, key, value)
    )
    outputs = []
    for q in queries:
        scores = [dot(q, k) for k in keys]
        total = logsumexp(scores)
        shares = [exp(score - total) for score in scores]
        outputs += [dot(shares, column) for column in zip(*values, strict=True)]
    return outputs


STRUCTURES = [layers, chains, late_biases, recurrence, convolution, gated, gated_layers, attention]


@pytest.fixture(params=STRUCTURES, ids=lambda structure: structure.__name__)
def structured(request):
    """What has products: outputs, inputs, and 1,100 examples."""
    source = random.Random(2)
    inputs = [Value(0.1) for _ in range(7)]
    outputs = request.param(source, inputs)
    batch = np.array([[source.uniform(-2.0, 2.0) for _ in inputs] for _ in range(1100)])
    return [logsumexp(outputs) - outputs[0], outputs[1] * inputs[0]], inputs, batch
