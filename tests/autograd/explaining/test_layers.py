"""Layers in a trace: found as the tape finds them, whatever way they were written; and no others."""

from __future__ import annotations

import pytest

from autograd import Value, dot, relu, tanh
from autograd.explaining.layers import find_layers
from autograd.explaining.trace import Entry, trace
from nn import MLP

pytestmark = pytest.mark.both_engines


def data(part):
    """The numbers of a layer's part."""
    if isinstance(part, list):
        return [*map(data, part)]
    return part.data if isinstance(part, Entry) else part


WEIGHTS, BIASES, X = [[0.5, -1.0], [2.0, 0.25], [0.1, 0.2]], [0.3, -0.4, 0.7], [1.5, -2.0]


def written_as_dot(w, x, b):
    return dot(w, x, b)


def written_as_sum(w, x, b):
    return sum((wi * xi for wi, xi in zip(w, x, strict=True)), b)


def written_from_the_left(w, x, b):
    return w[0] * x[0] + w[1] * x[1] + b


@pytest.mark.parametrize("neuron", [written_as_dot, written_as_sum, written_from_the_left])
def test_a_layer_is_found_whatever_way_it_was_written(neuron):
    x, biases = [*map(Value, X)], [*map(Value, BIASES)]
    weights = [[*map(Value, row)] for row in WEIGHTS]
    hidden = [relu(neuron(w, x, b)) for w, b in zip(weights, biases, strict=True)]
    output = dot([Value(1.0), Value(2.0), Value(-3.0)], hidden)
    first, second = find_layers(trace(output))
    assert (data(first.weights), data(first.inputs), data(first.biases)) == (WEIGHTS, X, BIASES)
    assert (first.activation, data(first.outputs)) == ("relu", [h.data for h in hidden])
    assert data(first.nets) == [
        sum((a * b for a, b in zip(w, X, strict=True)), b) for w, b in zip(WEIGHTS, BIASES, strict=True)
    ]
    assert (data(second.weights), second.inputs, second.biases) == ([[1.0, 2.0, -3.0]], first.outputs, [])
    assert (second.activation, second.nets) == ("", second.outputs)


def test_inputs_may_be_numbers():
    model = MLP(2, [3, 1])
    first, second = find_layers(trace(model([0.5, -1.0]) ** 2))
    assert first.inputs == [0.5, -1.0]
    assert data(first.weights) == [[w.data for w in neuron.w] for neuron in model.layers[0].neurons]
    assert data(second.biases) == [model.layers[1].neurons[0].b.data]


def test_the_activation_is_one_that_all_neurons_have():
    x, w = [*map(Value, X)], [[*map(Value, row)] for row in WEIGHTS]
    mixed = [tanh(dot(w[0], x)), relu(dot(w[1], x)), dot(w[2], x) * 2.0]
    [layer] = find_layers(trace(mixed[0] * mixed[1] * mixed[2]))
    assert (layer.activation, layer.outputs) == ("", layer.nets)


def test_what_is_no_layer():
    a, b, c = Value(2.0), Value(3.0), Value(-1.0)
    by_hand = Value(6.0, (a, b), (3.0, 2.0))
    for result in (a, a * b + c, tanh(a) * b, a * a + b * b, by_hand + a):
        assert find_layers(trace(result)) == []
