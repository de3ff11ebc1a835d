"""From nodes and a layout to a picture, without a layout program: what is drawn lies where the layout says."""

from __future__ import annotations

import math

import pytest

from autograd import Value
from autograd.drawing import picture, sizes
from autograd.drawing.diagram import pictured
from autograd.drawing.layout import Layout
from autograd.drawing.pen import Group, Shape, Text
from autograd.drawing.themes import THEMES
from autograd.graph import topological_order

LIGHT = THEMES["light"]


def graph():
    a, b = Value(2.0, label="a"), Value(-3.0)
    c = a * b
    c.label = "c"
    c.backward()
    order = topological_order(c)
    nodes = list(pictured(order, {node: str(i) for i, node in enumerate(order)}, expand=False))
    centres = {"v0": (60.0, 30.0), "v1": (60.0, 90.0), "o2": (160.0, 60.0), "v2": (260.0, 60.0)}
    size = {node.box: sizes.of_box(node) for node in nodes} | {"o2": (26.0, 26.0)}
    curves = {
        "v0 o2 0": ((110.0, 30.0), (120.0, 30.0), (130.0, 40.0), (149.0, 53.0)),
        "v1 o2 1": ((110.0, 90.0), (120.0, 90.0), (149.0, 67.0), (149.0, 67.0)),  # its last control is its tip
        "o2 v2": ((173.0, 60.0), (180.0, 60.0), (190.0, 60.0), (200.0, 60.0)),
    }
    labels = {"v0 o2 0": (130.0, 25.0), "v1 o2 1": (130.0, 95.0)}
    return nodes, Layout(330.0, 120.0, centres, size, curves, labels)


def parts(drawn) -> dict[str, Group]:
    return {group.name: group for kind in drawn.pieces for group in kind.pieces}


def test_everything_lies_where_the_layout_says():
    nodes, layout = graph()
    drawn = picture.of_graph(nodes, layout, LIGHT, title="c")
    assert (drawn.width, drawn.height, drawn.background, drawn.title) == (330.0, 120.0, LIGHT.background, "c")
    found = parts(drawn)
    assert found.keys() == layout.centres.keys() | layout.curves.keys()
    for name, (x, y) in layout.centres.items():
        first, second = found[name].pieces[0].points
        centre = first if name[0] == "o" else ((first[0] + second[0]) / 2, (first[1] + second[1]) / 2)
        assert centre == pytest.approx((x, y))
    for name, (x, y) in layout.labels.items():
        text = found[name].pieces[-1]
        assert (text.at[0], text.align) == (x, "center")
        assert text.at[1] == pytest.approx(y + 0.3 * text.size, abs=1)


def test_a_head_points_where_its_line_goes():
    nodes, layout = graph()
    for name, curve in layout.curves.items():
        line, head, *_ = parts(picture.of_graph(nodes, layout, LIGHT))[name].pieces
        assert (line.kind, head.kind, line.points[0]) == ("curve", "line", curve[0])
        (one, tip, other), end = head.points, line.points[-1]
        assert tip == end
        assert math.dist(tip, curve[-1]) == pytest.approx(round(line.width))
        assert math.dist(one, tip) == pytest.approx(math.dist(other, tip))
        middle = ((one[0] + other[0]) / 2, (one[1] + other[1]) / 2)
        back = [tip[i] - middle[i] for i in (0, 1)]
        ahead = [curve[-1][i] - tip[i] for i in (0, 1)]
        assert back[0] * ahead[1] == pytest.approx(back[1] * ahead[0])
        assert back[0] * ahead[0] + back[1] * ahead[1] > 0


def test_edges_come_before_what_they_lead_to_and_those_of_one_look_together():
    nodes, layout = graph()
    *edges, circles, boxes = picture.of_graph(nodes, layout, LIGHT).pieces
    assert [[group.name for group in kind.pieces] for kind in (circles, boxes)] == [["o2"], ["v0", "v1", "v2"]]
    looks = [{(shape.width, shape.line) for group in kind.pieces for shape in group.pieces[:2]} for kind in edges]
    assert looks == [{(2.1, LIGHT.flow.positive)}, {(2.6, LIGHT.flow.positive)}, {(3.0, LIGHT.flow.negative)}]


def test_names_of_numbers_are_for_the_scripts_of_pages():
    nodes, layout = graph()
    box = parts(picture.of_graph(nodes, layout, LIGHT))["v2"]
    assert [(text.name, text.text) for text in box.pieces if isinstance(text, Text) and text.name] == [
        ("data", "data -6"), ("grad", "grad 1"),
    ]  # fmt: skip


def test_an_edge_of_no_length_has_a_head():
    [line, head] = picture.arrow(((1.0, 2.0),) * 4, LIGHT, 0.0, 1.0)
    assert all(math.isfinite(x) for at in (*line.points, *head.points) for x in at)


@pytest.mark.parametrize(
    ("data", "grad", "said"),
    [(math.nan, 0.0, "The result is nan."), (math.inf, math.nan, "The result is inf."), (1.0, 0.0, "The result is 1.")],
)
def test_a_description_takes_any_number(data, grad, said):
    value = Value(data)
    value.grad = grad
    [node] = pictured([value], {value: "0"}, expand=False)
    assert picture.description([node]) == f"A computation graph of 1 Value. {said}"


def test_what_is_highlighted_has_heavier_lines():
    nodes, layout = graph()
    found = parts(picture.of_graph(nodes, layout, LIGHT, {"v0"}))
    outlines = {name: group.pieces[0] for name, group in found.items()}
    assert {name for name, shape in outlines.items() if isinstance(shape, Shape) and shape.width > 1} == {"v0"}
