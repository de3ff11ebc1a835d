"""Folded pictures: what a box says is true, edges say how many values flow, and every box opens in the page."""

from __future__ import annotations

import gc
import math
import random
import re
import weakref
from contextlib import nullcontext
from itertools import combinations
from xml.etree import ElementTree

import pytest

from autograd import Value, dot, draw, exp, sum, tanh
from autograd.drawing import folded
from autograd.drawing.pen import Group, Shape, Text, flat
from autograd.drawing.themes import THEMES
from autograd.graph import topological_order
from nn import MLP, Module

SVG = "{http://www.w3.org/2000/svg}"
LIGHT = THEMES["light"]


def batch(model, count):
    random.seed(3)
    rows = [[Value(random.random()) for _ in range(2)] for _ in range(count)]
    loss = sum([(model(row) - 1.0) ** 2 for row in rows]) * (1 / count)
    loss.backward()
    return loss


@pytest.fixture(scope="module")
def network():
    random.seed(1)
    model = MLP(2, [16, 16, 1])
    return model, batch(model, 10)


def groups(picture):
    """The named groups of a picture, boxes and edges."""
    found, unseen = {}, [*picture.pieces]
    while unseen:
        piece = unseen.pop()
        if isinstance(piece, Group):
            if piece.name:
                assert piece.name not in found
                found[piece.name] = piece
            unseen += piece.pieces
    return found


def texts(piece):
    return [text.text for text in flat([piece]) if isinstance(text, Text)]


def levels(level):
    unseen = [level]
    while unseen:
        unseen += unseen[0].inside.values()
        yield unseen.pop(0)


def test_a_box_says_what_is_inside(network):
    model, loss = network
    layer = groups(draw(loss, model=model).picture)["part layers[1]"]
    own = {id(p) for p in model.layers[1].parameters()}
    weights = [p for p in topological_order(loss) if id(p) in own]
    name, what, nodes, data, grad = texts(layer)
    assert (name, what) == ("layers[1]", "16 relu neurons of 16 inputs, 10 times")
    assert nodes == f"{16 * 17 + 2 * 160} nodes"
    low, high = map(float, data.removeprefix("data ").split(" … "))
    assert low <= min(p.data for p in weights)
    assert high >= max(p.data for p in weights)
    assert float(grad.removeprefix("|grad| ≤ ")) >= max(abs(p.grad) for p in weights)
    assert layer.title.splitlines()[-1] == "open='layers[1]' shows what is inside"


def test_edges_say_how_many_values_flow(network):
    model, loss = network
    picture = draw(loss, model=model).picture
    counts = {text: sum_of for text in texts(Group(picture.pieces)) for sum_of in re.findall(r"^(\d+) values$", text)}
    assert set(counts.values()) == {"20", "160", "10"}  # inputs, activations, scores and losses


def test_nodes_in_no_part_are_drawn_with_their_numbers_and_local_derivatives(network):
    model, loss = network
    named = groups(draw(loss, model=model).picture)
    last = len(topological_order(loss)) - 1
    assert texts(named[f"v{last}"]) == [f"data {loss.data:.4g}", "grad 1"]
    assert texts(named[f"v{last - 1} o{last} 0"]) == ["0.1"]
    model = MLP(2, [2, 1])
    score = model([Value(1.0), Value(2.0)])
    score.label = "score"
    one = draw(score * 3.0, model=model, fold=True)
    assert ["3"] in [texts(group) for name, group in groups(one.picture).items() if " o" in name]


def test_small_graphs_are_drawn_whole_and_large_ones_folded_as_one_is_told():
    value = Value(0.5)
    for _ in range(60):
        value = tanh(value)
    assert "times the same" not in draw(value).svg
    assert "times the same" in draw(value, max_nodes=60).svg
    assert "times the same" not in draw(value, max_nodes=61).svg
    assert "times the same" in draw(value, fold=True).svg
    assert "times the same" not in draw(value, max_nodes=2, fold=False).svg
    dense = sum([dot(xs, xs) for xs in [[Value(1.0) for _ in range(9)]] * 9])
    assert " values" in draw(dense, max_nodes=60).svg  # 19 nodes, but more than twice 60 edges
    assert " values" not in draw(dense, max_nodes=90).svg


def test_dots_that_are_spelled_out_count_and_are_drawn_so(network):
    model, loss = network
    single = MLP(3, [1])([1.0, 2.0, 3.0])
    assert draw(single, expand=True).nodes == 8
    picture = draw(loss, model=model, expand=True, open="layers[2]").picture
    assert len([name for name in groups(picture) if re.fullmatch(r"v\d+\.\d+", name)]) == 160


def test_every_box_opens_in_the_page_and_says_where_its_values_come_from(network):
    model, loss = network
    top = draw(loss, model=model).level
    assert {*top.inside} == {name for name in groups(top.paint(LIGHT)) if name.startswith("part ")}
    inside = top.inside["part layers[1]"]
    assert inside.title == "layers[1]"
    picture = inside.paint(LIGHT)
    assert "layers[0]" in texts(Group(picture.pieces))
    assert "layers[2]" in texts(Group(picture.pieces))
    assert "part layers[1].neurons[15]" in groups(picture)
    for level in levels(top):
        assert {*level.inside} <= {*groups(level.paint(LIGHT))}


def test_the_first_of_what_repeats_says_that_the_next_follows():
    value = Value(0.5)
    for _ in range(200):
        value = exp(tanh(value))
    [steps] = draw(value, fold=True).level.inside.values()
    seen = texts(Group(steps.paint(LIGHT).pieces))
    assert "the next of 99" in seen or "the next of 199" in seen
    assert seen.count("tanh") == seen.count("exp") == 1


def random_graph(count, seed=1):
    random.seed(seed)
    values = [Value(random.random(), label=f"x{k}") for k in range(4)]
    while len(values) < count:
        a, b = random.choice(values[-50:]), random.choice(values)
        values.append(random.choice([lambda a, b: a * 0.5 + b, lambda a, b: a - b, lambda a, b: tanh(a)])(a, b))
    return sum(values[-50:])


@pytest.mark.parametrize("rankdir", ["LR", "TB", "RL", "BT"])
def test_in_no_picture_do_boxes_overlap(rankdir, network):
    model, loss = network
    for drawing in (draw(loss, model=model, rankdir=rankdir), draw(random_graph(1500), rankdir=rankdir)):
        for level in levels(drawing.level):
            picture = level.paint(LIGHT)
            boxes = [group for name, group in groups(picture).items() if re.match(r"part |v\d+$", name)]
            outlines = [next(p.points for p in flat([box]) if isinstance(p, Shape)) for box in boxes]
            for (left, top), (right, bottom) in outlines:
                assert min(left, top) >= 0
                assert right <= picture.width
                assert bottom <= picture.height
            for ((a, b), (c, d)), ((e, f), (g, h)) in combinations(outlines, 2):
                assert min(c, g) - max(a, e) < 0.1 or min(d, h) - max(b, f) < 0.1


def test_a_page_is_bounded_whatever_the_graph():
    small, large = (draw(random_graph(count)) for count in (3000, 9000))
    for drawing in (small, large):
        assert len([*levels(drawing.level)]) <= folded.MOST_LEVELS + 1
    assert len(large.html) < 2 * len(small.html)


def test_the_same_graph_gives_the_same_picture(network):
    model, loss = network
    assert draw(loss, model=model).html == draw(loss, model=model).html


def test_a_highlighted_path_leads_through_the_parts(network):
    model, loss = network
    weight = model.layers[1].neurons[3].w[5]
    named = groups(draw(loss, model=model, highlight=(weight, loss)).picture)

    def outline(name):
        return next(piece for piece in flat([named[name]]) if isinstance(piece, Shape)).width

    assert outline("part layers[1]") == outline("part layers[2]") == LIGHT.raised.outline
    assert outline("part layers[0]") == LIGHT.outline


class Hostile(Module):
    def __init__(self):
        self.parts = {"<b>&\"]}'\n\x00\ud800 {|}": MLP(2, [30, 1]), "\\N/": MLP(1, [30, 1])}

    def __call__(self, x):
        for model in self.parts.values():
            x = [model(x)]
        return x[0]


def test_no_name_breaks_a_picture(tmp_path):
    model = Hostile()
    loss = batch(model, 5)
    for value in topological_order(loss)[::7]:
        value.label = "<&>\"'\n\x00\ud800]]> {|}\\N"
    drawing = draw(loss, model=model)
    for suffix in (".svg", ".html", ".tex"):
        drawing.save(tmp_path / f"x{suffix}")
    ElementTree.fromstring(drawing.svg)
    for level in levels(drawing.level):
        for piece in flat(level.paint(LIGHT).pieces):
            assert not isinstance(piece, Text) or piece.text.isprintable()


def test_extreme_numbers_are_told_as_they_are():
    values = [Value(x) for x in (math.inf, -math.inf, math.nan, 1e308, 0.0)] * 20
    picture = draw(sum([tanh(x) for x in values]), fold=True).picture
    assert any("data -inf … inf, and nan" in text for text in texts(Group(picture.pieces)))
    nothing = [Value(math.nan) for _ in range(100)]
    picture = draw(sum([tanh(x) for x in nothing]), fold=True).picture
    assert "data nan" in texts(Group(picture.pieces))


@pytest.mark.parametrize("poisoned", [True, False])
def test_nan_among_the_numbers_is_told_in_boxes_and_tooltips(poisoned):
    model = MLP(2, [4, 1])
    loss = batch(model, 6)
    loss.backward()
    if poisoned:
        model.layers[0].neurons[1].w[0].data = model.layers[0].neurons[0].w[0].grad = math.nan
    with pytest.warns(UserWarning, match="data have been assigned since") if poisoned else nullcontext():
        part = groups(draw(loss, model=model, fold=True).picture)["part layers[0]"]
    assert [text.endswith(", and nan") for text in texts(part)[-2:]] == [poisoned] * 2
    assert [", and nan" in line for line in part.title.splitlines()[-3:-1]] == [poisoned] * 2


def test_where_all_is_nan_no_bound_is_told():
    values = [Value(1.0) for _ in range(100)]
    total = sum([tanh(x) for x in values])
    for node in topological_order(total):
        node.grad = math.nan
    picture = draw(total, fold=True).picture
    assert "|grad| nan" in texts(Group(picture.pieces))
    assert not any("|grad| ≤" in text for text in texts(Group(picture.pieces)))


def test_no_gradient_exceeds_its_bound_and_tooltips_have_it_in_full(network):
    model, loss = network
    drawn = groups(draw(loss, model=model).picture)
    for k in range(2):
        layer, own = drawn[f"part layers[{k}]"], {id(p) for p in model.layers[k].parameters()}
        steepest = max(abs(p.grad) for p in topological_order(loss) if id(p) in own)
        in_box, in_full = (
            float(text.removeprefix("|grad| ≤ ")) for text in (texts(layer)[-1], layer.title.splitlines()[-2])
        )
        assert steepest <= in_full <= in_box <= in_full * 1.001
        assert repr(in_full) in layer.title


def test_graphs_whose_parents_were_set_by_hand_may_have_cycles():
    a = Value(1.0, label="a")
    values = [a]
    for _ in range(100):
        values.append(tanh(values[-1]))
    a._prev = (values[50],)
    assert "<svg" in draw(values[-1], fold=True).svg
    assert "<svg" in draw(values[-1], fold=False).svg


def test_a_drawing_that_is_gone_keeps_no_graph_alive(network):
    model, _ = network
    loss = batch(model, 10)
    last = weakref.ref(loss)
    gc.collect()
    gc.disable()
    try:
        drawing = draw(loss, model=model)
        assert drawing.html
        del drawing, loss
        assert last() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("fold", ["yes", 2, 0.5, []])
def test_fold_is_true_false_or_none(fold):
    with pytest.raises(TypeError, match=r"draw: expected fold= to be True, False or None, got"):
        draw(Value(1.0), fold=fold)


@pytest.mark.parametrize("name", ["", "layers", "layers[0].neurons[3].w[1]", "#99999999"])
def test_what_is_no_part_cannot_be_opened(name, network):
    model, loss = network
    with pytest.raises(ValueError, match="draw: nothing to open is called"):
        draw(loss, model=model, open=name)
