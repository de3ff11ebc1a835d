"""The arrangement: nothing lies on anything else, and what is not drawn is counted."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from autograd import tanh
from autograd.drawing.arrangement import (
    BLOCKS,
    MOST_EDGES,
    MOST_UNITS,
    MOST_WIDTH,
    SMALL,
    Arrangement,
    folded,
    wrapped,
)
from autograd.drawing.blocks import network_of
from autograd.drawing.evaluation import Evaluation
from nn import MLP, Convolution, Layer, Module, Recurrent, Sequential, TransformerBlock


def numbers(*shape: int):
    if not shape:
        return random.uniform(-1.0, 1.0)
    return [numbers(*shape[1:]) for _ in range(shape[0])]


def lenet():
    maps = {"size": 5, "stride": 2, "padding": 2}
    return Sequential(
        Convolution((1, 16, 16), maps=12, **maps), Convolution((12, 8, 8), maps=12, **maps), Layer(192, 30),
        Layer(30, 10, nonlin=False),
    )  # fmt: skip


class Reader(Module):
    def __init__(self) -> None:
        self.cell, self.out = Recurrent(2, 6), Layer(6, 1)

    def __call__(self, sequence):
        return self.out(self.cell(sequence)[-1])


MODELS = {
    "micrograd's": (MLP(2, [16, 16, 1]), [1.0, -0.5]),
    "wide": (MLP(50, [60, 3]), numbers(50)),
    "image": (MLP(64, [30, 10]), numbers(64)),
    "LeNet": (lenet(), numbers(256)),
    "recurrent": (Reader(), numbers(8, 2)),
    "GPT": (TransformerBlock(16, heads=4), numbers(6, 16)),
    "deep": (MLP(3, [4] * 30, activation=tanh), [1.0, 2.0, 3.0]),
    "one": (MLP(1, [1]), [1.0]),
}


def arranged(name: str, *opened: str) -> Arrangement:
    return Arrangement(Evaluation(network_of(*MODELS[name])), opened)


@pytest.mark.parametrize("name", MODELS)
def test_nothing_lies_on_anything_else(name):
    arrangement = arranged(name)
    boxes = [box for b, box in enumerate(arrangement.boxes) if arrangement.is_seen(b)]
    for box, other in combinations(boxes, 2):
        beside = box.right < other.left or other.right < box.left
        lines = 11.0 * (max(len(box.title), len(other.title)) + max(len(box.caption), len(other.caption)))
        apart = box.bottom + lines < other.top or other.bottom + lines < box.top
        assert beside or apart, (box.title, other.title)
    for box in boxes:
        heights = [*box.middles.values(), *([] if box.fold is None else [box.fold])]
        assert all(abs(a - b) > 0.99 * box.pitch for a, b in combinations(heights, 2))
        assert all(box.top <= y <= box.bottom for y in heights)
        assert box.left > 0
        assert box.right < arrangement.width


@pytest.mark.parametrize("name", MODELS)
def test_edges_go_from_left_to_right(name):
    arrangement = arranged(name)
    for edges in arrangement.edges:
        for edge in edges:
            assert arrangement.exit(edge.source)[0] < arrangement.entry(edge.target)[0]


@pytest.mark.parametrize("name", MODELS)
def test_text_can_be_read_where_the_picture_is_a_thousand_pixels_wide(name):
    assert SMALL * 1000 / max(arranged(name).width, 1000) > 8


@pytest.mark.parametrize("name", MODELS)
def test_every_weight_is_drawn_or_counted(name):
    arrangement = arranged(name)
    for b, block in enumerate(arrangement.blocks):
        weights = [(unit.name, w) for unit in block.units for w in unit.weights]
        edges = [*arrangement.edges[b], *arrangement.loops[b]]
        drawn = [(block.units[e.target[1]].name, w) for e in edges for w in e.weights]
        assert len(drawn) == len({*drawn})
        assert {*drawn} <= {*weights}
        assert arrangement.counts(b) == (len(weights), len(drawn))
        caption = " ".join(arrangement.boxes[b].caption)
        if weights:
            assert f"{len(weights):,} weight" in caption
            assert (f"{len(drawn):,} of " in caption) == (0 < len(drawn) < len(weights))


@pytest.mark.parametrize("inputs", [True, False])
def test_the_strongest_edges_are_drawn(inputs):
    model, x = MODELS["wide"]
    numbers = Evaluation(network_of(model, x if inputs else None))
    arrangement = Arrangement(numbers)
    block, box = arrangement.blocks[1], arrangement.boxes[1]
    shown = arrangement.boxes[0].units
    strengths = sorted(
        abs(numbers.of(w) * (numbers.of(v) if inputs else 1.0))
        for unit in (block.units[u] for u in box.units)
        for w, v in zip(unit.weights, unit.inputs, strict=True)
        if arrangement.network.places[v][1] in shown
    )
    edges = arrangement.edges[1]
    drawn = [abs(numbers.of(e.weights[0]) * (numbers.of(e.inputs[0]) if inputs else 1.0)) for e in edges]
    assert len(strengths) == MOST_UNITS**2 == MOST_EDGES == len(edges)
    image = Evaluation(network_of(MODELS["image"][0], MODELS["image"][1] if inputs else None))
    [weights] = [Arrangement(image).edges[1]]
    strong = [abs(image.of(e.weights[0]) * (image.of(e.inputs[0]) if inputs else 1.0)) for e in weights]
    every = [
        abs(image.of(w) * (image.of(v) if inputs else 1.0))
        for u in folded(30, MOST_UNITS)
        for w, v in zip(image.network.blocks[1].units[u].weights, range(64), strict=True)
    ]
    assert sorted(drawn) == strengths
    assert sorted(strong) == pytest.approx(sorted(every)[-MOST_EDGES:])


def test_a_kernel_is_an_edge():
    edges = arranged("LeNet").edges
    assert {len(edge.weights) for edge in edges[1]} == {25}
    assert len(edges[2]) == 144


def test_what_goes_back_in_time_is_a_loop():
    arrangement = arranged("recurrent")
    assert len(arrangement.loops[1]) == 36
    assert {edge.source[0] for edge in arrangement.edges[1]} == {0}


def test_loops_take_no_room_from_edges():
    model = Recurrent(30, 25)
    for neuron in model.layer.neurons:
        for weight in neuron.weights[30:]:
            weight.data = 9.0
    arrangement = Arrangement(Evaluation(network_of(model, numbers(3, 30))))
    assert (len(arrangement.edges[1]), len(arrangement.loops[1])) == (MOST_EDGES, 625)


def test_units_are_folded_and_opened():
    arrangement = arranged("wide")
    assert arrangement.folded == {"inputs": 0, "layers[0]": 1}
    assert len(arrangement.boxes[1].middles) == MOST_UNITS
    assert folded(7, 7) == [0, 1, 2, 3, 4, 5, 6]
    assert folded(7, 4) == [0, 1, 5, 6]
    opened = arranged("wide", "layers[0]")
    assert opened.folded == {"inputs": 0}
    assert len(opened.boxes[1].middles) == 60


def test_columns_are_folded_and_opened():
    arrangement = arranged("deep")
    assert arrangement.folded == {BLOCKS: None}
    assert [*arrangement.seen_columns()].count(-1) == 1
    assert 0.9 * MOST_WIDTH < arrangement.width < 1.05 * MOST_WIDTH
    hidden = {*arrangement.hidden}
    assert not any(edge.target[0] in hidden for edges in arrangement.edges for edge in edges)
    opened = arranged("deep", BLOCKS)
    assert opened.folded == {}
    assert all(opened.edges[1:])


def test_blocks_of_one_name_are_numbered():
    names = arranged("GPT").names
    assert names[1], names[7] == ("operations 1", "operations 2")
    assert len({*names}) == len(names)


def test_long_ways_are_broken_behind_a_dot():
    assert wrapped("encoder.layers[11].attention", 100.0, 9.0) == ["encoder.", "layers[11].", "attention"]
    assert wrapped("3 neurons, relu", 60.0, 9.0) == ["3 neurons,", "relu"]
