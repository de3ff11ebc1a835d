"""A convolution is its formula; the full LeNet of 1989 has its counts, and the gradients of finite differences."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd import Tape, Value, check_gradients, engine, softmax, sum, tanh
from nn import Convolution, Layer, Sequential, half_squared_error
from nn.initial import uniform

pytestmark = pytest.mark.both_engines

THIRDS = [[*range(8)]] * 4 + [[*range(4, 12)]] * 4 + [[*range(4), *range(8, 12)]] * 4
IMAGES = np.random.default_rng(3).uniform(-1.0, 1.0, (2, 4, 5))
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "strides, beyond the edge": {"stride": 2, "padding": 1, "padding_value": -1.0},
    "much padding": {"size": 3, "stride": 3, "padding": 4, "padding_value": 0.5},
    "some sources, in their order": {"sources": [[1], [1, 0], [0]]},
    "a bias for each unit": {"unit_biases": True, "stride": 2},
    "one square": {"shape": (2, 3, 3), "size": 3},
    "one pixel": {"size": 1, "maps": 1},
}
every_kind = pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)


def made(options: dict[str, Any]) -> tuple[Convolution, list[float]]:
    """A convolution with random weights and biases, and numbers that it may get."""
    options = {"shape": (2, 4, 5), "maps": 3, "size": 2, "activation": tanh} | options
    layer = Convolution(options.pop("shape"), options.pop("maps"), options.pop("size"), **options)
    uniform(layer.parameters(), -1.0, 1.0, seed=1)
    maps, height, width = layer.shape
    return layer, IMAGES[:maps, :height, :width].ravel().tolist()


def lenet() -> Sequential:
    edge: dict[str, Any] = {"stride": 2, "padding": 2, "padding_value": -1.0}
    first = Convolution((1, 16, 16), 12, 5, unit_biases=True, activation=tanh, **edge)
    second = Convolution(first.output_shape, 12, 5, sources=THIRDS, unit_biases=True, activation=tanh, **edge)
    model = Sequential(first, second, Layer(192, 30, activation=tanh), Layer(30, 10, activation=tanh))
    uniform(model.parameters(), -0.1, 0.1, seed=1)
    return model


PIXELS = np.random.default_rng(4).uniform(-1.0, 1.0, 256).tolist()
TARGETS = [1.0] + [-1.0] * 9


# ---- Its formula


def by_formula(layer: Convolution, x: list[float], *, padding_value: float, unit_biases: bool) -> list[float]:
    _, height, width = layer.shape

    def pixel(s: int, row: int, column: int) -> float:
        inside = 0 <= row < height and 0 <= column < width
        return x[(s * height + row) * width + column] if inside else padding_value

    def unit(m: int, i: int, j: int) -> float:
        place, numbers = i * layer.output_shape[2] + j, iter(layer.weights[m])
        bias = layer.biases[m][place if unit_biases else 0].data
        top, left = layer.stride * i - layer.padding, layer.stride * j - layer.padding
        offsets = product(layer.sources[m], range(layer.size), range(layer.size))
        terms = [next(numbers).data * pixel(s, top + row, left + column) for s, row, column in offsets]
        return math.tanh(bias + math.fsum(terms))

    return [unit(m, i, j) for m, i, j in product(*map(range, layer.output_shape))]


@every_kind
def test_it_is_its_formula_on_numbers_and_on_values(options: dict[str, Any]) -> None:
    layer, x = made(options)
    expected = by_formula(
        layer,
        x,
        padding_value=options.get("padding_value", 0.0),
        unit_biases=options.get("unit_biases", False),
    )
    units = layer(x)
    assert [unit.data for unit in units] == pytest.approx(expected, rel=1e-13, abs=1e-15)
    assert [unit.data for unit in layer([Value(number) for number in x])] == [unit.data for unit in units]
    assert [unit.data for unit in layer(np.array(x))] == [unit.data for unit in units]
    assert len(units) == math.prod(layer.output_shape)


@every_kind
def test_the_gradients_of_its_inputs_weights_and_biases(options: dict[str, Any]) -> None:
    layer, x = made(options)
    parameters = layer.parameters()

    def total(*numbers: Value) -> Value:
        given = iter(numbers[len(x) :])
        for own in (*layer.weights, *layer.biases):
            own[:] = [next(given) for _ in own]
        units = layer(numbers[: len(x)])
        return sum([(k + 1.0) * unit for k, unit in enumerate(units)])

    check_gradients(total, [*x, *(parameter.data for parameter in parameters)])


@every_kind
def test_a_tape_gives_what_backward_gives(options: dict[str, Any]) -> None:
    layer, x = made(options)
    tape = Tape.record(lambda x: sum([unit**2 for unit in layer(x)]), [x])
    sees_inputs = layer.padding < layer.size  # else some units are computed from parameters alone
    assert_the_same(tape, sum([unit**2 for unit in layer(x)]), x, to_the_bit=sees_inputs)


def assert_the_same(tape: Tape, loss: Value, example: list[float], *, to_the_bit: bool = True) -> None:
    """To the bit only of the compiled executor."""
    for parameter in tape.parameters:
        parameter.grad = 0.0
    loss.backward()
    outputs, gradient = tape.value_and_grad([example])
    expected = np.array([loss.data, *(parameter.grad for parameter in tape.parameters)])
    got = np.array([outputs[0], *gradient])
    if to_the_bit and tape.executor == "native":
        assert got.tolist() == expected.tolist()
    else:
        assert np.abs(got - expected).max() <= 1e-14 * np.abs(expected).max()


def test_names_and_states() -> None:
    layer, x = made({"unit_biases": True})
    assert {name: np.shape(numbers) for name, numbers in layer.state_dict().items()} == {
        "weights": (3, 8),
        "biases": (3, 12),
    }
    other, _ = made({"unit_biases": True})
    uniform(other.parameters(), -1.0, 1.0, seed=2)
    other.load_state_dict(layer.state_dict())
    assert [unit.data for unit in other(x)] == [unit.data for unit in layer(x)]


def test_weights_are_drawn_as_a_neuron_s_are_and_biases_are_zero() -> None:
    layer = Convolution((1, 4, 4), 40, 4)
    weights = [weight.data for own in layer.weights for weight in own]
    assert -1.0 <= min(weights) < -0.98 < 0.98 < max(weights) <= 1.0
    assert {bias.data for own in layer.biases for bias in own} == {0.0}
    assert repr(layer) == "Convolution((1, 4, 4), maps=40, size=4, stride=1)"


# ---- LeNet


def test_lenet_s_parameters_and_connections_layer_by_layer() -> None:
    model = lenet()
    assert [len(layer.parameters()) for layer in model.layers] == [1068, 2592, 5790, 310]
    assert [layer.output_shape for layer in model.layers[:2]] == [(12, 8, 8), (12, 4, 4)]
    assert [layer.connections for layer in model.layers[:2]] == [19_968, 38_592]
    assert len(model.parameters()) == 9_760


def test_a_connection_is_an_edge_of_the_graph_from_a_weight_or_a_bias() -> None:
    model = lenet()
    layer_of = {parameter: k for k, layer in enumerate(model.layers) for parameter in layer.parameters()}
    counts, unseen = [0, 0, 0, 0], [*model(PIXELS)]
    seen = set(unseen)
    while unseen:
        for parent in unseen.pop().parents:
            if parent in layer_of:
                counts[layer_of[parent]] += 1
            elif parent not in seen:
                seen.add(parent)
                unseen.append(parent)
    assert counts == [19_968, 38_592, 5_790, 310]
    assert np.sum(counts) == 64_660


def recorded(model: Sequential) -> Tape:
    return Tape.record(lambda x, t: half_squared_error(model(x), t), [PIXELS, TARGETS], threads=1)


def test_a_tape_finds_lenet_s_layers() -> None:
    sixteen = "4 neurons of 200 inputs, tanh, 16 times with the same weights; "
    assert recorded(lenet()).layers() == (
        "12 neurons of 25 inputs, tanh, 64 times with the same weights; "
        + 3 * sixteen
        + "30 neurons of 192 inputs, tanh; 10 neurons of 30 inputs, tanh; "
        "10 subtract; 10 power; 1 sum; 1 multiply"
    )


def test_lenet_on_a_tape_and_by_backward() -> None:
    model = lenet()
    assert_the_same(recorded(model), half_squared_error(model(PIXELS), TARGETS), [*PIXELS, *TARGETS])


def test_lenet_s_gradient_against_finite_differences() -> None:
    """In a random direction for the weights, and for the biases, of each layer; and for some parameters alone."""
    tape, example = recorded(model := lenet()), [[*PIXELS, *TARGETS]]
    _, gradient = tape.value_and_grad(example)
    start = np.array([parameter.data for parameter in tape.parameters])
    place = {parameter: k for k, parameter in enumerate(tape.parameters)}
    are_biases = [parameter.label.startswith("b") for parameter in tape.parameters]
    random, directions = np.random.default_rng(5), []
    for layer in model.layers:
        for kind in (False, True):
            own = [place[p] for p in layer.parameters() if are_biases[place[p]] is kind]
            directions.append(np.zeros(len(start)))
            directions[-1][own] = random.normal(size=len(own))
    assert (np.sum(directions, axis=0) != 0.0).all()
    directions += [np.eye(1, len(start), k)[0] for k in range(0, len(start), 97)]
    for direction in directions:
        [above], [below] = (tape.forward(example, parameters=start + h * direction) for h in (1e-5, -1e-5))
        assert direction @ gradient == pytest.approx((above - below) / 2e-5, rel=1e-6, abs=1e-9)


@pytest.mark.slow
def test_lenet_s_numbers_are_the_other_engine_s_to_the_bit() -> None:
    """The loss, and all derivatives, by backward()."""
    code = "from tests.nn import test_convolution as t; print(*t.bits())"
    other = "python" if engine == "native" else "native"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=Path(__file__).parents[2],
            env=os.environ | {"AUTOGRAD_ENGINE": other}, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        if "ImportError" in error.stderr and other == "native":
            pytest.skip("the native engine is not built")
        raise
    assert done.stdout.split() == bits()


def bits() -> list[str]:
    model = lenet()
    loss = half_squared_error(model(PIXELS), TARGETS)
    loss.backward()
    return [number.hex() for number in (loss.data, *(parameter.grad for parameter in model.parameters()))]


# ---- What is refused


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((16, 1, 5), {}, ValueError, r"shape: expected \(maps, height, width\), such as \(1, 16, 16\), got 16"),
        (((16, 16), 1, 5), {}, ValueError, r"shape: expected \(maps, height, width\).*, got \(16, 16\)"),
        (((1, 0, 16), 1, 5), {}, ValueError, "shape: expected a positive int, got 0"),
        (((1, 16.0, 16), 1, 5), {}, TypeError, "shape: expected a positive int, got 16.0"),
        (((1, 4, 4), 0, 2), {}, ValueError, "maps: expected a positive int, got 0"),
        (((1, 4, 4), 1, True), {}, TypeError, "size: expected a positive int, got True"),
        (((1, 4, 4), 1, 5), {}, ValueError, "size: expected at most 4, the side of the padded input maps, got 5"),
        (((1, 9, 4), 1, 7), {"padding": 1}, ValueError, "size: expected at most 6, .*, got 7"),
        (((1, 4, 4), 1, 2), {"stride": 0}, ValueError, "stride: expected a positive int, got 0"),
        (((1, 4, 4), 1, 2), {"padding": -1}, ValueError, "padding: expected an int of at least 0, got -1"),
        (((1, 4, 4), 1, 2), {"padding_value": math.inf}, ValueError, "padding_value: expected a finite number"),
        (((1, 4, 4), 1, 2), {"unit_biases": "no"}, TypeError, "unit_biases: expected True or False, got 'no'"),
        (((1, 4, 4), 1, 2), {"activation": "tanh"}, TypeError, "activation: expected a function, got 'tanh'"),
        (((1, 4, 4), 1, 2), {"activation": softmax}, ValueError, "activation: softmax is of all outputs of a model"),
        (((2, 4, 4), 2, 2), {"sources": [[0, 1]]}, ValueError, "sources: expected 2 lists, one for each map, got"),
        (((2, 4, 4), 2, 2), {"sources": 0}, ValueError, "sources: expected 2 lists, one for each map, got 0"),
        (((2, 4, 4), 2, 2), {"sources": [[0], [2]]}, ValueError, r"sources\[1\]: expected input maps from 0 to 1"),
        (((2, 4, 4), 2, 2), {"sources": [[0], [1, 1]]}, ValueError, r"sources\[1\]: .* each once, got \[1, 1\]"),
        (((2, 4, 4), 2, 2), {"sources": [[], [1]]}, ValueError, r"sources\[0\]: .*, at least one"),
        (((2, 4, 4), 2, 2), {"sources": [0, 1]}, ValueError, r"sources\[0\]: .*, got 0"),
        (((2, 4, 4), 2, 2), {"sources": [[-1], [1]]}, ValueError, r"sources\[0\]: expected an int of at least 0"),
    ],
)  # fmt: skip
def test_what_is_no_convolution(arguments: Any, options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"Convolution: {message}"):
        Convolution(*arguments, **options)


def test_what_are_no_inputs() -> None:
    layer, x = made({})
    with pytest.raises(ValueError, match=r"row by row, in one sequence: x.ravel\(\); got the shape \(2, 4, 5\)"):
        layer(np.zeros((2, 4, 5)))
    with pytest.raises(ValueError, match="Convolution got 39 inputs, expected 40, 2 maps of 4 × 5, row by row"):
        layer(x[1:])
    with pytest.raises(TypeError, match="expected the inputs as one sequence"):
        layer(x, x)
    with pytest.raises(TypeError, match="expected a sequence of inputs, Values or numbers, got float"):
        layer(0.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Convolution's inputs"):
        layer([*IMAGES])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="str"):
        layer(["a"] * 40)  # type: ignore[list-item]
