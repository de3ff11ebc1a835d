"""Blocks: what a network consists of is found in its graph, however it is written, with every parameter."""

from __future__ import annotations

import random
from itertools import chain

import pytest

from autograd import Value, dot, sigmoid, softmax, tanh
from autograd.drawing.blocks import network_of
from nn import MLP, Convolution, Embedding, FIRLayer, Layer, LayerNorm, Module, Neuron, Recurrent, Sequential
from nn import TransformerBlock as Block

pytestmark = pytest.mark.both_engines


class Mine(Module):
    """A network without `nn`'s layers, written with sums of products."""

    def __init__(self) -> None:
        self.w = [[Value(random.uniform(-1, 1)) for _ in range(3)] for _ in range(4)]
        self.v, self.c = [Value(random.uniform(-1, 1)) for _ in range(4)], Value(0.1)

    def __call__(self, x):
        hidden = [sum(w * x_i for w, x_i in zip(row, x, strict=True)).tanh() for row in self.w]
        return sum(v * h for v, h in zip(self.v, hidden, strict=True)) + self.c


class Residual(Module):
    def __init__(self) -> None:
        self.steps = [Layer(3, 3) for _ in range(2)]

    def __call__(self, x):
        for step in self.steps:
            x = [a + b for a, b in zip(x, step(x), strict=True)]
        return x


class Gated(Module):
    """A recurrence through operations, as an LSTM is one."""

    def __init__(self) -> None:
        self.keep, self.new = Layer(2 + 3, 3, activation=sigmoid), Layer(2 + 3, 3, activation=tanh)

    def __call__(self, sequence):
        h = [0.0] * 3
        for x in sequence:
            keep, new = self.keep([*x, *h]), self.new([*x, *h])
            h = [k * h_i + (1.0 - k) * n for k, h_i, n in zip(keep, h, new, strict=True)]
        return h


class Twice(Module):
    def __init__(self) -> None:
        self.layer = Layer(2, 2)

    def __call__(self, x):
        return self.layer(self.layer(x))


class Tied(Module):
    """An autoencoder: the weights are used once more, transposed."""

    def __init__(self) -> None:
        self.w = [[Value(random.uniform(-1, 1)) for _ in range(3)] for _ in range(2)]

    def __call__(self, x):
        hidden = [dot(row, x).tanh() for row in self.w]
        return [dot(column, hidden) for column in zip(*self.w, strict=True)]


def numbers(*shape: int):
    if not shape:
        return random.uniform(-1.0, 1.0)
    return [numbers(*shape[1:]) for _ in range(shape[0])]


def convolutions():
    return Sequential(Convolution((1, 6, 6), maps=3, size=3), Convolution((3, 4, 4), maps=2, size=2), Layer(18, 4))


MODELS = {
    "MLP": (MLP(2, [4, 3, 1]), [1.0, 2.0]),
    "unfused MLP": (MLP(2, [4, 3, 1], fused=False), [1.0, 2.0]),
    "neuron": (Neuron(3), [1.0, 2.0, 3.0]),
    "softmax": (Layer(2, 3, activation=softmax), [1.0, 2.0]),
    "norm": (Sequential(Layer(3, 4, nonlin=False), LayerNorm(4), Layer(4, 2)), [1.0, 2.0, 3.0]),
    "convolutions": (convolutions(), numbers(36)),
    "recurrent": (Recurrent(2, 4), numbers(5, 2)),
    "one step": (Recurrent(2, 4), numbers(1, 2)),
    "filter": (FIRLayer(2, 3, taps=2), numbers(4, 2)),
    "attention": (Block(6, heads=2), numbers(3, 6)),
    "embedding": (Sequential(Embedding(5, 3), Layer(3, 2)), 2),
    "mine": (Mine(), [1.0, 2.0, 3.0]),
    "residual": (Residual(), [1.0, 2.0, 3.0]),
    "gated": (Gated(), numbers(4, 2)),
    "twice": (Twice(), [1.0, -2.0]),
    "tied": (Tied(), [1.0, 2.0, 3.0]),
}


def summary(model, inputs=None):
    """Of each block: its kind, its path, how many units it has, and at how many places they are."""
    blocks = network_of(model, inputs).blocks
    return [(b.kind, b.path, len(b.units), *sorted({len(unit.uses) for unit in b.units})) for b in blocks]


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_that_is_needed_is_in_a_block(name):
    model, inputs = MODELS[name]
    network = network_of(model, inputs)
    units = [unit for block in network.blocks for unit in block.units]
    placed = {v for unit in units for v in (*unit.weights, *unit.biases)}
    placed |= {v for block in network.blocks for v in block.parameters}
    first = network.wengert.inputs
    assert {v for v in placed if v >= 0} == {*range(first, network.wengert.first_result)}
    assert len(network.parameters) + network.unused == len(model.parameters())


@pytest.mark.parametrize("name", MODELS)
def test_blocks_stand_in_the_order_in_which_they_need_each_other(name):
    model, inputs = MODELS[name]
    network = network_of(model, inputs)
    assert network.blocks[0].kind == "inputs"
    for b, block in enumerate(network.blocks[1:], 1):
        needed = {network.places[v][0] for unit in block.units for v in unit.inputs if v in network.places}
        assert any(s < b for s in needed | block.reads)
        if name not in ("recurrent", "one step", "gated", "twice"):
            assert all(s < b for s in needed | block.reads)


def test_layers_are_found_however_they_are_written():
    layers = [("inputs", "", 2, 1), ("neurons", "layers.0", 4, 1), ("neurons", "layers.1", 3, 1),
              ("neurons", "layers.2", 1, 1)]  # fmt: skip
    for name in ("MLP", "unfused MLP"):
        assert summary(*MODELS[name]) == layers
    assert summary(*MODELS["mine"]) == [("inputs", "", 3, 1), ("neurons", "w", 4, 1), ("neurons", "v", 1, 1)]
    assert [unit.activation for unit in network_of(*MODELS["mine"]).blocks[1].units] == ["tanh"] * 4


def test_without_inputs_the_structure_is_the_same():
    for name in ("MLP", "unfused MLP", "softmax", "norm", "convolutions", "mine", "residual", "tied"):
        model, inputs = MODELS[name]
        assert summary(model) == summary(model, inputs)


def test_a_convolution_is_maps():
    network = network_of(*MODELS["convolutions"])
    assert [(block.path, len(block.units), block.shape) for block in network.blocks] == [
        ("", 1, (6, 6)), ("layers.0", 3, (4, 4)), ("layers.1", 2, (3, 3)), ("layers.2", 4, None),
    ]  # fmt: skip
    assert [len(unit.weights) for unit in network.blocks[2].units] == [12, 12]


def test_at_the_edge_a_weight_has_the_input_that_it_meets_elsewhere():
    network = network_of(Convolution((1, 3, 3), maps=1, size=3, padding=1), numbers(9))
    assert all(v in network.places for v in network.blocks[1].units[0].inputs)


def test_an_image_is_one_if_the_inputs_are_a_square():
    assert network_of(MLP(64, [2])).blocks[0].shape == (8, 8)
    assert network_of(MLP(64, [2])).blocks[0].is_image
    for width in (63, 49):  # which is no square, and too small
        assert not network_of(MLP(width, [2])).blocks[0].is_image


def test_what_comes_again_is_one_block():
    assert summary(*MODELS["recurrent"]) == [("inputs", "", 2, 5), ("neurons", "layer", 4, 5)]
    assert summary(*MODELS["filter"]) == [("inputs", "", 2, 4), ("neurons", "layer", 3, 3)]
    assert summary(*MODELS["gated"]) == [
        ("inputs", "", 2, 4), ("neurons", "keep", 3, 4), ("neurons", "new", 3, 4), ("operations", "", 3, 4),
    ]  # fmt: skip
    assert network_of(*MODELS["twice"]).blocks[1].reads == {1}  # the second time, it sees itself


def test_a_block_of_a_transformer():
    network = network_of(*MODELS["attention"])
    assert summary(*MODELS["attention"]) == [
        ("inputs", "", 6, 3), ("operations", "", 6, 3),
        ("neurons", "attention.values", 6, 3), ("neurons", "attention.queries", 6, 3),
        ("neurons", "attention.keys", 6, 3), ("operations", "", 6, 3), ("neurons", "attention.mix", 6, 3),
        ("operations", "", 6, 3), ("neurons", "hidden", 24, 3), ("neurons", "back", 6, 3), ("operations", "", 6, 3),
    ]  # fmt: skip
    assert [[[*row] for row in head] for head in network.blocks[5].attention] == [[[0], [0, 1], [0, 1, 2]]] * 2
    assert network.blocks[7].reads == {0, 6}  # the residual connection


def test_operations_are_called_after_the_module_of_their_parameters():
    [norm] = [block for block in network_of(*MODELS["norm"]).blocks if block.kind == "operations"]
    assert (norm.path, norm.part, len(norm.parameters)) == ("layers.1", "LayerNorm", 8)
    [softmax_of] = [block for block in network_of(*MODELS["softmax"]).blocks if block.kind == "operations"]
    assert (softmax_of.operations, softmax_of.reads) == ({"softmax_of": 3}, {1})


def test_weights_may_be_used_in_two_blocks():
    _, encoder, decoder = network_of(*MODELS["tied"]).blocks
    assert {*chain.from_iterable(unit.weights for unit in encoder.units)} == {
        *chain.from_iterable(unit.weights for unit in decoder.units)
    }


def test_what_is_not_needed_is_counted():
    class Half(Module):
        def __init__(self) -> None:
            self.used, self.unused = Layer(2, 1), Layer(2, 3)

        def __call__(self, x):
            return self.used(x)

    assert network_of(Half()).unused == 9


def test_inputs_are_called_by_their_labels_or_places():
    named = network_of(MLP(2, [1]), [Value(1.0, label="height"), 2.0])
    assert [unit.name for unit in named.blocks[0].units] == ["height", "x[1]"]
