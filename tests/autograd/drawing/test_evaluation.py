"""Evaluation: the numbers in a network's picture are the model's, to the bit, and δ is what backpropagation finds."""

from __future__ import annotations

import math
import random
from itertools import chain

import pytest

from autograd import Value, dot, tanh
from autograd.drawing.blocks import network_of
from autograd.drawing.evaluation import MOST_NUMBERS, PLANE, Evaluation, compact, in_lines, listed
from nn import MLP, Convolution, Embedding, Layer, Module, Recurrent, TransformerBlock, half_squared_error, rms_norm

pytestmark = pytest.mark.both_engines


def evaluated(model, inputs=None) -> Evaluation:
    return Evaluation(network_of(model, inputs))


def numbers(*shape: int):
    if not shape:
        return random.uniform(-1.0, 1.0)
    return [numbers(*shape[1:]) for _ in range(shape[0])]


def activations(seen: Evaluation, b: int) -> list[list[float]]:
    return [seen.activations(unit) for unit in seen.network.blocks[b].units]


def data(outputs):
    return [data(output) for output in outputs] if isinstance(outputs, (list, tuple)) else outputs.data


@pytest.mark.parametrize("fused", [True, False])
def test_activations_and_net_inputs_are_those_of_the_model(fused):
    model, x = MLP(3, [5, 4, 2], activation=tanh, fused=fused), numbers(3)
    seen = evaluated(model, x)
    assert activations(seen, 0) == [[number] for number in x]
    for b, layer in enumerate(model.layers, 1):
        x = layer(x)
        assert activations(seen, b) == [[number] for number in data(x)]
        net_inputs = [y.parents[0].data if y.op == "tanh" else y.data for y in x]
        assert [seen.of(unit.uses[0][0]) for unit in seen.network.blocks[b].units] == net_inputs


def test_maps_are_those_of_a_convolution():
    model, x = Convolution((1, 5, 5), maps=2, size=3, activation=tanh), numbers(25)
    assert [*chain.from_iterable(activations(evaluated(model, x), 1))] == data(model(x))


def test_a_unit_has_a_number_for_each_step():
    model, x = Recurrent(2, 3), numbers(6, 2)
    seen = evaluated(model, x)
    assert [*zip(*activations(seen, 0), strict=True)] == [*map(tuple, x)]
    assert [*zip(*activations(seen, 1), strict=True)] == [*map(tuple, data(model(x)))]


def test_attention_is_that_of_the_module():
    model, x = TransformerBlock(6, heads=3), numbers(4, 6)
    seen = evaluated(model, x)
    [block] = [block for block in seen.network.blocks if block.attention]
    weights = [[[seen.of(v) for v in row.values()] for row in head] for head in block.attention]
    assert weights == data(model.attention.weights([rms_norm(place) for place in x]))
    assert [*zip(*activations(seen, 10), strict=True)] == [*map(tuple, data(model(x)))]


def test_delta_is_the_derivative_by_the_net_input():
    model, x = MLP(2, [4, 3, 1], activation=tanh), [0.5, -0.25]
    first = model.layers[0](x)
    second = model.layers[1](first)
    output = model.layers[2](second)
    half_squared_error(output, 1.0).backward()
    seen = evaluated(model, x)
    for b, outputs in ((1, first), (2, second)):
        assert [seen.delta(unit) for unit in seen.network.blocks[b].units] == [[y.parents[0].grad] for y in outputs]
    assert seen.delta(seen.network.blocks[3].units[0]) == [output.grad] == [output.data - 1.0]
    assert seen.gradient(seen.network.blocks[1].units[0].weights[0]) == model.layers[0].neurons[0].weights[0].grad


def test_units_with_a_bias_each_have_a_delta_each():
    model, x = Convolution((1, 3, 3), maps=1, size=2, unit_biases=True, activation=tanh), numbers(9)
    units = model(x)
    half_squared_error(units, [1.0] * 4).backward()
    [unit] = evaluated(model, x).network.blocks[1].units
    assert evaluated(model, x).delta(unit) == [u.parents[0].grad for u in units]


def test_a_constant_bias_is_what_it_is():
    class Constants(Module):
        def __init__(self) -> None:
            self.w = [[Value(0.5)], [Value(1.5)]]

        def __call__(self, x):
            return [dot(row, x, bias) for row, bias in zip(self.w, [0.75, -3.0], strict=True)]

    seen = evaluated(Constants(), [2.0])
    assert [seen.all(unit.biases) for unit in seen.network.blocks[1].units] == [[0.75], [-3.0]]


def test_there_is_no_delta_without_a_backward_pass_nor_without_a_bias_of_ones_own():
    class Shared(Module):
        def __init__(self) -> None:
            self.w, self.b = [[Value(0.5)], [Value(1.5)]], Value(0.25)

        def __call__(self, x):
            return [dot(row, x, self.b) for row in self.w]

    model = MLP(2, [2])
    assert [evaluated(model, [1.0, 2.0]).delta(unit) for unit in network_of(model).blocks[1].units] == [None, None]
    shared = Shared()
    sum(shared([2.0])).backward()
    seen = evaluated(shared, [2.0])
    assert seen.has_gradients
    assert [seen.delta(unit) for unit in seen.network.blocks[1].units] == [None, None]


def test_the_plane_is_what_each_neuron_says_there():
    model = MLP(2, [3, 1], activation=tanh)
    seen = evaluated(model)
    steps = [2.0 * (2 * k / (PLANE - 1) - 1) for k in range(PLANE)]
    points = [[x, y] for y in reversed(steps) for x in steps]
    for k, unit in enumerate(seen.network.blocks[1].units):
        assert seen.plane(unit) == pytest.approx([model.layers[0](point)[k].data for point in points], rel=1e-12)
    assert seen.plane(seen.network.blocks[2].units[0]) == pytest.approx([model(p).data for p in points], rel=1e-12)


def test_the_plane_reaches_beyond_the_inputs():
    assert evaluated(MLP(2, [1]), [8.0, math.inf]).reach == 10.0
    assert evaluated(MLP(2, [1])).reach == 2.0


def test_there_is_no_plane_for_other_inputs_nor_with_branches():
    class Choosing(Module):
        def __init__(self) -> None:
            self.layer = Layer(2, 2)

        def __call__(self, x):
            return self.layer(x) if x[0] > 0 else self.layer([0.0, x[1]])

    for model, inputs in ((MLP(3, [1]), None), (Recurrent(2, 1), [[1.0, 2.0]] * 2), (Choosing(), [1.0, 2.0])):
        seen = evaluated(model, inputs)
        assert seen.plane(seen.network.blocks[1].units[0]) is None


def test_there_is_no_plane_where_an_input_is_looked_up():
    class Pair(Module):
        def __init__(self) -> None:
            self.words, self.layer = Embedding(4, 2), Layer(4, 1)

        def __call__(self, indices):
            return self.layer([number for index in indices for number in self.words(index)])

    model = Pair()
    seen = evaluated(model, [3, 1])
    assert not seen.is_plane
    assert activations(seen, 1) == [[number.data] for index in (3, 1) for number in model.words(index)]


def test_numbers_that_are_not_finite_are_shown():
    model = MLP(2, [2, 1])
    for p in model.parameters():
        p.data = 1e300
    model.layers[0].neurons[0].weights[0].data = math.nan
    seen = evaluated(model, [1e300, 1.0])
    [a], [b] = activations(seen, 1)
    assert math.isnan(a)
    assert b == math.inf


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"), (-0.0, "−0"), (1.0, "1"), (0.123456, "0.123"), (-0.123456, "−0.12"), (123456.0, "1.2e5"),
        (-1e-7, "−1e-7"), (1e-100, "1e-100"), (math.nan, "nan"), (math.inf, "inf"), (-math.inf, "−inf"), (99.96, "100"),
    ],
)  # fmt: skip
def test_numbers_are_short(number, text):
    assert compact(number) == text


def test_numbers_are_listed_in_full():
    assert listed([0.1, -2.0, math.nan]) == "0.1, -2.0, nan"
    assert listed([1.5] * (MOST_NUMBERS + 7)).endswith("1.5 and 7 more")


def test_lines_have_no_line_breaks_of_their_own():
    assert in_lines("a\nb", "c\x00") == "a\\nb\nc\\x00"
