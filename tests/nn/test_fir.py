"""A layer of filters is its formula, and its weights get the gradients of all steps of time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autograd import Tape, Value, check_gradients, engine, sum
from nn import FIRLayer, Neuron, Sequential
from nn.initial import uniform

pytestmark = pytest.mark.both_engines

SERIES = np.random.default_rng(0).normal(size=(9, 2)).tolist()


def wan(*taps: int) -> Sequential:
    """Wan's network, in small or, with 25, 5 and 5 taps, as it was."""
    width = 12 if len(taps) == 3 and taps[0] == 25 else 2
    model = Sequential(
        FIRLayer(1, width, taps[0]), FIRLayer(width, width, taps[1]), FIRLayer(width, 1, taps[2], nonlin=False)
    )
    uniform(model.parameters(), -0.5, 0.5, seed=1)
    return model


def neurons_of(model: Sequential) -> list[Neuron]:
    return [neuron for layer in model.layers for neuron in layer.layer.neurons]


@pytest.mark.parametrize("taps", [1, 2, 4, 9])
@pytest.mark.parametrize("width", [1, 3])
def test_a_layer_is_its_formula(width: int, taps: int) -> None:
    layer = FIRLayer(2, width, taps)
    uniform(layer.parameters(), -1.0, 1.0, seed=2)
    x = np.array(SERIES)
    # (neurons, taps, inputs), the oldest step first
    weights = np.array([[w.data for w in neuron.weights] for neuron in layer.layer.neurons]).reshape(width, taps, 2)
    biases = [neuron.bias.data for neuron in layer.layer.neurons]
    outputs = layer(SERIES)
    assert len(outputs) == len(SERIES) - taps + 1
    for t, output in enumerate(outputs, taps - 1):
        net_inputs = biases + np.sum([weights[:, taps - 1 - k] @ x[t - k] for k in range(taps)], axis=0)
        assert [y.data for y in output] == pytest.approx(np.tanh(net_inputs).tolist(), rel=1e-13)


def test_parameters_and_reach_of_the_full_network() -> None:
    model = wan(25, 5, 5)
    assert len(model.parameters()) == 1105 == 12 * 25 + 144 * 5 + 12 * 5 + 25
    series = [[0.1 * k] for k in range(34)]
    assert len(model(series)) == 2
    first = [[Value(x)] for [x] in series[:33]]
    [[output]] = model(first)
    output.backward()
    assert all(x.grad for [x] in first)
    with pytest.raises(ValueError, match="FIRLayer: expected at least 5 steps"):
        model(series[:32])


def test_gradients_are_finite_differences() -> None:
    model, series = wan(3, 2, 2), [[0.3], [-1.0], [0.5], [2.0], [-0.2], [0.7]]

    def loss(*parameters: Value) -> Value:
        given = iter(parameters)
        for neuron in neurons_of(model):
            neuron.weights, neuron.bias = [next(given) for _ in neuron.weights], next(given)
        return sum([y * y for [y] in model(series)])

    check_gradients(loss, [parameter.data for parameter in model.parameters()])


def test_gradients_of_the_full_network_are_finite_differences() -> None:
    """Along a direction: a parameter each would take as many graphs."""
    model = wan(25, 5, 5)
    series = [[math.sin(0.9 * k)] for k in range(36)]
    parameters = model.parameters()

    def loss() -> Value:
        return sum([y * y for [y] in model(series)])

    loss().backward()
    start = [parameter.data for parameter in parameters]
    direction = np.random.default_rng(3).normal(size=1105).tolist()
    step, moved = 1e-5, []
    for sign in (+1.0, -1.0):
        for parameter, number, d in zip(parameters, start, direction, strict=True):
            parameter.data = number + sign * step * d
        moved.append(loss().data)
    slope = math.fsum(parameter.grad * d for parameter, d in zip(parameters, direction, strict=True))
    assert slope == pytest.approx((moved[0] - moved[1]) / (2 * step), rel=1e-7)


def test_a_tape_has_the_bits_of_backward_and_finds_the_filters() -> None:
    """The bits on the compiled engine; NumPy sums up in its own order."""
    model = wan(25, 5, 5)
    series = [[math.sin(0.9 * k)] for k in range(40)]

    def loss(sequence: list[list[Value]]) -> Value:
        return sum([y * y for [y] in model(sequence)])

    tape = Tape.record(loss, [series])
    losses, gradient = tape.value_and_grad([[x for [x] in series]])
    eager = loss(series)
    eager.backward()
    rounding = {"rel": 0, "abs": 0} if engine == "native" else {"rel": 1e-11, "abs": 1e-12}
    assert losses.tolist() == pytest.approx([eager.data], **rounding)
    assert gradient.tolist() == pytest.approx([parameter.grad for parameter in tape.parameters], **rounding)
    assert tape.layers().split("; ")[:3] == [
        "12 neurons of 25 inputs, tanh, 16 times with the same weights",
        "12 neurons of 60 inputs, tanh, 12 times with the same weights",
        "1 neuron of 60 inputs, 8 times with the same weights",
    ]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: FIRLayer(0, 1, 2), ValueError, "FIRLayer: nin: expected a positive int, got 0"),
        (lambda: FIRLayer(1, 1.5, 2), TypeError, "FIRLayer: nout: expected a positive int, got 1.5"),
        (lambda: FIRLayer(1, 1, 0), ValueError, "FIRLayer: taps: expected a positive int, got 0"),
        (lambda: FIRLayer(1, 1, 2, activation="tanh"), TypeError, "activation: expected a function"),
        (lambda: FIRLayer(1, 1, 3)([[1.0], [2.0]]), ValueError, "expected at least 3 steps, one for each tap, got 2"),
        (lambda: FIRLayer(2, 1, 1)([[1.0]]), ValueError, "FIRLayer got 1 input, expected 2"),
        (lambda: FIRLayer(1, 1, 1)([1.0, 2.0]), TypeError, "expected a sequence of inputs, .* got float"),
        (lambda: FIRLayer(1, 1, 1)(1.0), TypeError, "FIRLayer: expected a sequence of steps of 1 input, got 1.0"),
        (lambda: FIRLayer(1, 1, 1)([["a"]]), TypeError, "FIRLayer: expected a real number, got str"),
    ],
)
def test_what_does_not_fit_is_an_error(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_it_says_what_it_is() -> None:
    assert repr(FIRLayer(12, 1, 5)) == "FIRLayer(12, 1, taps=5)"
