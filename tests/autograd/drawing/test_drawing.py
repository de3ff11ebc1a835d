"""Drawings: what a picture shows is what the engine holds, and no label, page or failure can break it.

The pictures are read back with an XML parser, and the DOT as the layout program understood it (its JSON).
Every picture is drawn by each layout program that there is: graphviz-pure, and the system's dot if it is installed.
"""

from __future__ import annotations

import errno
import json
import math
import os
import pickle
import random
import re
import subprocess
import sys
import zlib
from base64 import b64decode
from collections import Counter
from html import unescape
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter

from autograd import Value, define, dot, leaky_relu, logsumexp, maximum, relu, sqrt, sum, tanh
from autograd.drawing import Drawing, diagram, draw, layout, svg, xdot
from autograd.drawing.themes import THEMES
from autograd.functions import forget_definition
from autograd.graph import topological_order
from nn import MLP

if TYPE_CHECKING:
    from autograd.drawing.pen import Group, Shape

pytestmark = pytest.mark.usefixtures("program")

SVG = "{http://www.w3.org/2000/svg}"
LIGHT = THEMES["light"]
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"  # what Graphviz writes for the second of two spaces


def neuron() -> Value:
    x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
    w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    o = tanh(x1 * w1 + x2 * w2 + b)
    o.label = "o"
    o.backward()
    return o


def groups(picture: Drawing) -> list[tuple[str, list[str]]]:
    """Everything that has a hover text, with the texts that are seen."""
    root = ElementTree.fromstring(picture.svg)
    return [
        (title.replace(NO_BREAK_SPACE, " "), [visible(text) for text in group.findall(f"{SVG}text")])
        for group in root.iter(f"{SVG}g")
        if (title := group.findtext(f"{SVG}title")) is not None
    ]


def visible(text: ElementTree.Element) -> str:
    return (text.text or "").replace(NO_BREAK_SPACE, " ").strip(" ")


class Tags(HTMLParser):
    """The tags of a page, as a browser's parser sees them, with the names of their attributes."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, [name for name, _ in attributes]))


def boxes(picture: Drawing) -> list[tuple[str, list[str]]]:
    return [(title, texts) for title, texts in groups(picture) if any(text.startswith("data ") for text in texts)]


def circles(picture: Drawing) -> list[list[str]]:
    root = ElementTree.fromstring(picture.svg)
    return [
        [visible(text) for text in group.findall(f"{SVG}text")]
        for group in root.iter(f"{SVG}g")
        if group.find(f"{SVG}ellipse") is not None or group.find(f"{SVG}circle") is not None
    ]


def pieces(picture: Drawing) -> dict[str, Group]:
    """The boxes, circles and edges by their names, in the order in which they are drawn."""
    return {group.name: group for kind in picture.picture.pieces for group in kind.pieces}


def outline(group: Group) -> Shape:
    return group.pieces[0]


def arrows(picture: Drawing) -> dict[str, tuple[str, float]]:
    """Of every edge its colour and its width."""
    edges = {name: outline(group) for name, group in pieces(picture).items() if " " in name}
    return {name: (line.line, line.width) for name, line in edges.items()}


def in_dot(picture: Drawing) -> dict[str, dict[str, str]]:
    """The pieces of the graph in DOT, as the layout program reads them, by their names."""
    graph = json.loads(layout.output(picture.dot, ["-Tjson"]))
    return {piece["id"]: piece for piece in graph["objects"] + graph.get("edges", [])}


# ---- What is shown.


def test_a_box_for_each_value_shows_its_label_data_and_gradient():
    value = neuron()
    nodes = topological_order(value)
    unseen = boxes(draw(value))
    assert len(unseen) == len(nodes) == 10
    for node in nodes:
        label = [node.label] if node.label else []
        title = "\n".join([*label, f"data {node.data!r}", f"grad {node.grad!r}"])
        *label_shown, data, grad = unseen.pop([title for title, _ in unseen].index(title))[1]
        (data, data_shown), (grad, grad_shown) = data.split(" "), grad.split(" ")
        assert (label_shown, data, grad) == (label, "data", "grad")
        assert math.isclose(float(data_shown), node.data, rel_tol=5e-4)
        assert math.isclose(float(grad_shown), node.grad, rel_tol=5e-4)


def test_data_assigned_since_are_warned_of():
    w, x = Value(2.0, label="w"), Value(3.0, label="x")
    product = w * x
    product.backward()
    draw(product)
    w.data -= 1.0
    with pytest.warns(UserWarning, match=r"^draw: Value\(data=6\.0, .* now give multiply\(1\.0, 3\.0\) = 3\.0 .*since"):
        draw(product)
    draw(w * x)


def test_an_operation_of_ones_own_may_raise_on_data_assigned_since():
    look_up = {2.0: 1.0}
    chosen = define("chosen", lambda m, x: look_up[x], [lambda m, r, x: 0.0])
    try:
        x = Value(2.0)
        y = chosen(x)
        x.data = 3.0
        assert "chosen" in draw(y).svg
    finally:
        forget_definition("chosen")


def test_the_local_derivative_stands_on_each_edge_and_hovering_shows_the_product():
    value = neuron()

    def product(derivative: float, gradient: float) -> str:
        return f"× gradient {gradient!r}" + (f" = {derivative * gradient!r}" if derivative != 1.0 else "")

    expected = Counter(
        (f"local derivative {derivative!r}\n{product(derivative, node.grad)}", f"{derivative:.4g}")
        for node in topological_order(value)
        for derivative in node.local_derivatives
    )
    labels = Counter(
        (title, texts[0]) for title, texts in groups(draw(value)) if title.startswith("local derivative") and texts
    )
    assert labels == expected
    assert sorted(labels.elements())[-1][1] == "2"


a, b = Value(3.0, label="a"), Value(4.0, label="b")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (a, []),
        (a + b, ["v0 o2 1", "v1 o2 1", "o2 v2"]),
        (a * a, ["v0 o1 3", "v0 o1 3", "o1 v1"]),
        ((a * 2) * (a + 1), ["v0 o1 2", "o1 v1", "v0 o2 1", "o2 v2", "v1 o3 4", "v2 o3 6", "o3 v3"]),
        (dot([a, b], [b, a], a), ["v0 o2 4", "v1 o2 3", "v1 o2 3", "v0 o2 4", "v0 o2 1", "o2 v2"]),
        (Value(1.0, (a, b), "foreign"), ["v0 o2", "v1 o2", "o2 v2"]),
    ],
    ids=["leaf", "sum", "square", "diamond", "dot", "without local derivatives"],
)
def test_every_edge_of_the_graph_is_an_edge_of_the_picture(value, expected):
    picture, nodes = draw(value), topological_order(value)
    read = [
        " ".join([*name.split()[:2], *(text.text for text in group.pieces[2:])])
        for name, group in pieces(picture).items()
        if " " in name
    ]
    assert Counter(read) == Counter(expected)
    root = ElementTree.fromstring(picture.svg)
    assert len(boxes(picture)) == len(nodes)
    assert len(circles(picture)) == len([node for node in nodes if node.parents])
    assert len([*root.iter(f"{SVG}path")]) == len(expected)
    graph = {name: piece.get("label", "").strip() for name, piece in in_dot(picture).items() if " " in name}
    assert Counter(" ".join([*name.split()[:2], label]).strip() for name, label in graph.items()) == Counter(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (a + b, ["+"]),
        (2 * a, ["2 *"]),
        (a * 2, ["* 2"]),
        (a**3, ["** 3"]),
        (2**a, ["2 **"]),
        (1 - a, ["1 -"]),
        (a / -1.23456, ["/ -1.235"]),
        (-a, ["neg"]),
        (leaky_relu(a), ["leaky_relu", "slope = 0.01"]),
        (maximum(0.0, a), ["maximum", "x = 0"]),
        (dot([a, 1.5], [2.5, b], -1.0), ["dot", "weights = 1.5", "inputs = 2.5", "bias = -1"]),
        (logsumexp([a, b, 0.5, 0.25]), ["logsumexp", "x = 0.5, 0.25"]),
        (sum([a, *[1.0] * 100]), ["sum", "x = 1, 1, 1, 1, 1, 1, 1, 1,…"]),
        (Value(1.0, (a,), "<&>"), ["<&>"]),
        (Value(1.0, (a,)), []),
    ],
    ids=lambda case: "" if isinstance(case, Value) else "".join(case[:1]),
)
def test_a_circle_shows_the_operation_and_its_constants(value, expected):
    assert circles(draw(value)) == [expected]


def test_hovering_over_an_operation_shows_its_formula_and_constants_in_full():
    titles = [title for title, texts in groups(draw(dot([a], [1 / 3]))) if "dot" in texts]
    formula = "dot(weights, inputs, bias=0.0) = bias + sum(w * x for w, x in zip(weights, inputs))"
    assert titles == [f"{formula}\ninputs = 0.3333333333333333\nbias = 0.0"]


def test_an_edge_has_the_colour_of_its_gradients_sign_and_a_width_that_grows_with_its_size():
    large, small, negative, zero = (Value(x) for x in (4.0, 1.0, -1.0, 0.0))
    result = dot([large, small, negative, zero], [3.0, 1.0, -2.0, 0.0])
    assert set(arrows(draw(result)).values()) == {(LIGHT.flow.zero, 0.8)}
    result.backward()
    picture = draw(result)
    by_leaf = {name[:2]: arrow for name, arrow in arrows(picture).items() if name[0] == "v"}
    colours, widths = zip(*(by_leaf[f"v{i}"] for i in range(4)), strict=True)
    assert colours == (LIGHT.flow.positive, LIGHT.flow.positive, LIGHT.flow.negative, LIGHT.flow.zero)
    assert widths[0] > widths[2] > widths[1] > widths[3]
    assert (widths[0], widths[3]) == (3.0, 0.8)
    for name, (colour, width) in arrows(picture).items():
        assert (in_dot(picture)[name]["color"], in_dot(picture)[name]["penwidth"]) == (colour, f"{width:.2f}")


def test_an_edge_ends_at_its_box_or_circle_with_its_head_there():
    picture = draw(neuron())
    found = pieces(picture)
    for name, group in found.items():
        if " " not in name:
            continue
        (x, y), end = group.pieces[1].points[1], outline(found[name.split()[1]])
        if end.kind == "ellipse":
            (across, down), radii = end.points
            from_edge = math.hypot((x - across) / radii[0], (y - down) / radii[1]) * min(radii) - min(radii)
        else:
            (left, top), (right, bottom) = end.points
            from_edge = max(left - x, x - right, top - y, y - bottom)
        assert 0 < from_edge < group.pieces[0].width + 1  # of the line itself, whose corner is the tip
        assert group.pieces[0].points[-1] == (x, y)


def test_numbers_that_are_not_finite_are_shown():
    x = Value(0.0)
    y = sqrt(x) * 0.0
    y.backward()
    assert Counter(text for _, texts in groups(draw(y)) for text in texts) >= Counter(["inf", "grad nan"])
    assert ("data 0.0\ngrad nan", ["data 0", "grad nan"]) in boxes(draw(y))


# ---- How it is shown.


@pytest.mark.parametrize(
    ("rankdir", "forward"),
    [("LR", (1, 0)), ("TB", (0, 1)), ("RL", (-1, 0)), ("BT", (0, -1))],
)
def test_the_graph_goes_in_the_direction_of_rankdir(rankdir, forward):
    centres = [
        [(one + other) / 2 for one, other in zip(*outline(group).points, strict=True)]
        for name, group in pieces(draw(tanh(relu(a)), rankdir=rankdir)).items()
        if name.startswith("v") and " " not in name
    ]
    steps = [(after[0] - before[0], after[1] - before[1]) for before, after in pairwise(centres)]
    assert len(steps) == 2
    for step in steps:
        assert step[0] * forward[0] + step[1] * forward[1] > 40
        assert abs(step[0] * forward[1]) + abs(step[1] * forward[0]) < 40


def test_the_theme_changes_colours_and_nothing_else():
    light, dark = draw(neuron(), theme="light"), draw(neuron(), theme="dark")
    assert light.svg == draw(neuron()).svg
    assert groups(light) == groups(dark)
    assert re.sub("#[0-9a-f]{6}", "", light.svg) == re.sub("#[0-9a-f]{6}", "", dark.svg)
    used = [set(re.findall("#[0-9a-f]{6}", picture.dot + picture.svg)) for picture in (light, dark)]
    assert used[0].isdisjoint(used[1])
    assert {THEMES["light"].background, THEMES["light"].ink, THEMES["light"].flow.positive} <= used[0]
    assert {THEMES["dark"].background, THEMES["dark"].ink, THEMES["dark"].flow.positive} <= used[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rankdir": "up"}, "draw: expected rankdir= to be one of 'LR', 'TB', 'RL', 'BT', got 'up'"),
        ({"rankdir": None}, "draw: expected rankdir= to be one of 'LR', 'TB', 'RL', 'BT', got None"),
        ({"theme": "Dark"}, "draw: expected theme= to be one of 'light', 'dark', got 'Dark'"),
        ({"theme": ["dark"]}, "draw: expected theme= to be one of 'light', 'dark', got ['dark']"),
    ],
)
def test_an_unknown_rankdir_or_theme_is_refused_and_the_known_ones_are_named(options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        draw(a, **options)


def test_several_results_share_one_picture():
    x = Value(2.0, label="x")
    first, second = relu(x), tanh(x)
    picture = draw(first, second, x, first)
    assert sorted(arrows(picture)) == ["o1 v1", "o2 v2", "v0 o1 0", "v0 o2 0"]
    assert picture.nodes == len(boxes(picture)) == 3
    assert circles(picture) == [["relu"], ["tanh"]]


def test_a_spelled_out_neuron_is_the_neuron_that_was_written_out():
    """Boxes, circles and edges, with all their numbers, are those of w1 x1 + w2 x2 + b made of products and a sum."""
    data = {"w1": -3.0, "x1": 2.0, "w2": 1.0, "x2": 0.25, "b": 0.1}
    pictures = []
    for fused in (True, False):
        w1, x1, w2, x2, b = (Value(number, label=label) for label, number in data.items())
        net = dot([w1, w2], [x1, x2], b) if fused else sum([w1 * x1, w2 * x2, b])
        net.label = "net"
        tanh(net).backward()
        pictures.append(draw(net, expand=fused))
    assert Counter(map(repr, groups(pictures[0]))) == Counter(map(repr, groups(pictures[1])))
    assert pictures[0].nodes == 8


def test_what_is_highlighted_stands_out_and_all_else_is_dimmed():
    x, w, other = Value(2.0, label="x"), Value(0.0, label="w"), Value(1.0, label="other")
    product = w * x
    left, right = relu(product), tanh(product)
    result = left * right + other * x
    result.backward()
    order = topological_order(result)
    v = {node: f"v{order.index(node)}" for node in order}
    o = {node: f"o{order.index(node)}" for node in order}
    top = result.parents[0]
    expected = {
        v[product], v[left], v[right], v[top], v[result], o[left], o[right], o[top], o[result],
        f"{v[product]} {o[left]} 0", f"{v[product]} {o[right]} 0", f"{v[left]} {o[top]} 0", f"{v[right]} {o[top]} 1",
        f"{v[top]} {o[result]} 0", *(f"{o[node]} {v[node]}" for node in (left, right, top, result)),
    }  # fmt: skip
    for highlight in [(product, result), (result, product), [product, result]]:
        picture = draw(result, highlight=highlight)
        drawn = {name: outline(group) for name, group in pieces(picture).items()}
        dimmed = {LIGHT.dimmed.line, *vars(LIGHT.dimmed.flow).values()}
        assert {name for name, shape in drawn.items() if shape.line not in dimmed} == expected
        assert {name for name, shape in drawn.items() if shape.width >= 1.6} == expected
        assert {name for name, piece in in_dot(picture).items() if piece["color"] not in dimmed} == expected
        assert {name for name, piece in in_dot(picture).items() if float(piece["penwidth"]) >= 1.6} == expected
        assert Counter(map(repr, groups(picture))) == Counter(map(repr, groups(draw(result))))


def test_one_highlighted_value_is_its_own_path():
    picture = draw(a * b, highlight=(a, a))
    assert [name for name, group in pieces(picture).items() if outline(group).width > 1] == ["v0"]


def test_a_path_through_a_spelled_out_neuron_goes_through_the_products_of_the_value():
    w, x, c = Value(2.0), Value(3.0), Value(4.0)
    net = dot([w, c, w], [x, x, 5.0])
    picture = draw(net, expand=True, highlight=(w, net))
    dimmed = {LIGHT.dimmed.line, *vars(LIGHT.dimmed.flow).values()}
    assert {name for name, group in pieces(picture).items() if outline(group).line not in dimmed} == {
        "v0", "o3.0", "v3.0", "o3.2", "v3.2", "o3", "v3", "v0 o3.0 0", "o3.0 v3.0", "v0 o3.2 0", "o3.2 v3.2",
        "v3.0 o3 0", "v3.2 o3 2", "o3 v3",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("highlight", "error", "message"),
    [
        ((a, b), ValueError, "no path: neither of Value(data=3.0, grad=0.0, label='a') and Value(data=4.0, grad=0.0"),
        ((a, Value(5.0)), ValueError, "draw: highlight: the drawn graph has no Value(data=5.0, grad=0.0)"),
        ((a,), TypeError, "draw: expected highlight= to be two Values, (operand, result), got (Value("),
        ((a, 3.0), TypeError, "expected highlight= to be two Values, (operand, result), got (Value("),
        (a, TypeError, "expected highlight= to be two Values, (operand, result), got Value("),
        ("ab", TypeError, "expected highlight= to be two Values, (operand, result), got 'ab'"),
    ],
)
def test_what_cannot_be_highlighted_is_refused(highlight, error, message):
    with pytest.raises(error, match=re.escape(message)):
        draw(a * b, highlight=highlight)


@pytest.mark.parametrize(("rankdir", "expand"), [("LR", False), ("TB", True)])
def test_text_fits_its_boxes_and_circles(rankdir, expand):
    labels = ["w", "-", "a label as long as it may", "Größe ∂ρ", "漢字テスト日本語漢字", "L" * 10_000]
    terms = [Value(-1.234567e-300 * i, label=label) for i, label in enumerate(labels)]
    picture = draw(leaky_relu(dot(terms, [0.5] * 6)), rankdir=rankdir, expand=expand)
    seen = 0
    for name, group in pieces(picture).items():
        if " " in name:
            continue
        (x, y), (u, v) = outline(group).points
        kind = outline(group).kind
        left, right, top, bottom = (x, u, y, v) if kind == "box" else (x - u, x + u, y - v, y + v)
        ends = []
        for text in group.pieces[1:]:
            columns = len(text.text) + len(re.findall(r"[\u3000-\u9fff]", text.text))
            length = columns * 0.602 * text.size
            start = text.at[0] - {"left": 0.0, "center": length / 2, "right": length}[text.align]
            rise, fall = 0.76 * text.size, 0.24 * text.size  # from the base line to where a d ends, and a g
            assert top + 1 < text.at[1] - rise < text.at[1] + fall < bottom - 1
            assert left + 1 < start < start + length < right - 1, text
            ends.append((start, start + length, text.at[1]))
            seen += 1
        for one, other in combinations(ends, 2):  # two texts of a line, or of half a line, do not meet
            assert abs(one[2] - other[2]) > 12 or one[1] < other[0] or other[1] < one[0]
    assert seen > 25


# ---- Whatever the labels hold.

NASTY = [
    "<", ">", "&", "|", "{", "}", '"', "'", "\\", "\\\\", "\\N", "\\n\\l\\r", "a\nb", "\r", "\t", "\0", "\x1b[31m",
    "\x7f", "\ud800", "\ufffe", "\u202egnirts", "מספר", " ", "   ", "<b>bold</b>", "<>", "&amp;", "&#92;N", "&lt;",
    "{a|<port>b}", "]", "]]>", "<!--", "%s", "é", "é", "漢字", "🙂", "\\", "\\E\\T\\G\\L",
]  # fmt: skip


@pytest.mark.parametrize("label", NASTY, ids=ascii)
def test_a_label_is_shown_as_it_is_and_what_cannot_be_printed_as_an_escape(label):
    ((title, texts),) = boxes(draw(Value(1.0, label=label)))
    expected = label if label.isprintable() else ascii(label)[1:-1] if label.isascii() else None
    if expected is not None:
        assert title == f"{expected}\ndata 1.0\ngrad 0.0"
        assert texts == [expected.strip(" "), "data 1", "grad 0"]
    assert (title + "".join(texts)).replace("\n", "").isprintable()


def texts() -> st.SearchStrategy[str]:
    """Any text, with more than its share of what means something in DOT, HTML and XML."""
    return st.text(st.characters() | st.sampled_from("\\NGLnlr&#92lt;<>\"'|{}[]-! \n\0"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(label=texts(), op=texts())
@example(label="\\" * 30, op="<>")
def test_any_label_and_any_operation_make_well_formed_xml(label, op):
    picture = draw(Value(1.0, (Value(2.0, label=label),), op, label=label))
    assert len(boxes(picture)) == 2
    assert len(circles(picture)) == 1
    if op.isprintable() and len(op) <= diagram.BOX_CHARACTERS:
        assert circles(picture) == ([[op.strip(" ")]] if op else [[]])
    if label.isprintable():
        in_full = label if len(label) <= diagram.HOVER_CHARACTERS else label[: diagram.HOVER_CHARACTERS - 1] + "…"
        assert Counter(title for title, _ in boxes(picture)) == Counter(
            "\n".join([*([in_full] if label else []), f"data {data}", "grad 0.0"]) for data in (1.0, 2.0)
        )


def test_a_long_label_is_shortened_in_the_box_and_less_so_on_hover():
    ((title, texts),) = boxes(draw(Value(1.0, label="x" * 10_000)))
    assert texts[0] == "x" * 27 + "…"
    assert title.splitlines()[0] == "x" * 999 + "…"


@pytest.mark.parametrize("label", [None, 3, 2.5, ("w", 1)])
def test_a_label_need_not_be_a_string(label):
    ((_, texts),) = boxes(draw(Value(1.0, label=label)))
    assert texts[:-2] == ([] if label is None else [str(label)])


@pytest.mark.parametrize(
    "label",
    [
        "<script>alert(1)</script>",
        "</text></svg><script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        '" onload="alert(1)',
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "<![CDATA[<script>alert(1)</script>",
        '</TD><TD HREF="javascript:alert(1)">',
        '<IMG SRC="/etc/passwd"/>',
        '"]; evil [URL="javascript:alert(1)"',
        "</title><a href='javascript:alert(1)'>",
    ],
)
def test_a_label_never_becomes_markup(label):
    picture = draw(Value(1.0, (Value(2.0, label=label),), label, label=label))
    root = ElementTree.fromstring(picture.svg)
    plain = ElementTree.fromstring(draw(Value(1.0, (Value(2.0, label="x"),), "y" * 9, label="x")).svg)
    assert Counter(element.tag for element in root.iter()) == Counter(element.tag for element in plain.iter())
    attributes = {attribute for element in root.iter() for attribute in element.attrib}
    assert attributes <= {attribute for element in plain.iter() for attribute in element.attrib}
    assert "<script" not in picture.svg
    assert [title.splitlines()[0] for title, _ in boxes(picture)] == [label, label]
    page, tags = draw(Value(1.0, label=label)).html, Tags()
    tags.feed(page)
    expected = Tags()
    expected.feed(draw(Value(1.0, label="x")).html)
    assert tags.seen == expected.seen


# ---- On a page.


def test_nothing_in_a_drawing_can_meet_another_one_or_the_page():
    root = ElementTree.fromstring(draw(neuron()).svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg", "g", "title", "desc", "text", "path", "rect", "circle", "ellipse",
    }  # fmt: skip
    attributes = {attribute for element in root.iter() for attribute in element.attrib}
    assert not attributes & {"id", "class", "style", "href"}
    assert not [attribute for attribute in attributes if ":" in attribute or "}" in attribute]


def test_two_drawings_fit_into_one_page():
    page = ElementTree.fromstring(f"<body>{draw(neuron()).svg}{draw(a * b).svg}</body>")
    assert [len([*svg.iter(f"{SVG}circle")]) for svg in page] == [4, 1]


def test_the_background_is_opaque_and_covers_the_picture():
    root = ElementTree.fromstring(draw(neuron()).svg)
    _, _, background, *_ = root
    assert background.attrib == {"width": "100%", "height": "100%", "fill": LIGHT.background}


def test_an_svg_has_a_title_a_description_and_a_role():
    root = ElementTree.fromstring(draw(neuron()).svg)
    assert [root.get("role"), *(element.tag.removeprefix(SVG) for element in root[:2])] == ["img", "title", "desc"]
    assert root[0].text == "o"
    assert root[1].text == (
        "A computation graph of 10 Values and 5 operations: *, +, tanh. "
        "The result o is 0.7071. Of its leaves, x1 has the largest gradient, -1.5."
    )
    assert ElementTree.fromstring(draw(a).svg)[1].text == "A computation graph of 1 Value. The result a is 3."
    several = ElementTree.fromstring(draw(*(tanh(a) for _ in range(5))).svg)
    assert "are 2 more results" in several[1].text


def test_the_size_of_a_picture_is_that_of_what_is_in_it():
    """In pixels without a unit, of which there are 96 in 72 points: some renderers know no other."""
    root = ElementTree.fromstring(draw(neuron()).svg)
    size = [float(root.attrib[name]) for name in ("width", "height")]
    box = [float(length) for length in root.attrib["viewBox"].split()]
    assert box[:2] == [0, 0]
    assert size == pytest.approx([length * 96 / 72 for length in box[2:]], abs=0.1)
    places = [at for group in pieces(draw(neuron())).values() for at in outline(group).points if len(group.pieces) > 3]
    assert min(x for x, _ in places) == pytest.approx(7, abs=1)
    assert max(x for x, _ in places) == pytest.approx(box[2] - 7, abs=1)
    assert max(y for _, y in places) == pytest.approx(box[3] - 7, abs=1)


def thicket() -> Value:
    """Operations on two of the sixty nodes before, drawn at random: edges are long and cross each other."""
    source = random.Random(0)
    nodes = [Value(source.random()) for _ in range(40)]
    while len(nodes) < 490:
        one, other = source.choice(nodes[-60:]), source.choice(nodes[-60:])
        nodes.append((one * other).tanh() if source.random() < 0.3 else one + other)
    return sum(nodes[-60:])


@pytest.mark.parametrize(
    "drawn", [neuron, lambda: MLP(3, [4, 4, 1])([1.0, 2.0, 3.0]), thicket], ids=["neuron", "network", "thicket"]
)
@pytest.mark.parametrize("theme", THEMES)
def test_a_node_takes_at_most_900_bytes(drawn, theme):
    output = drawn()
    output.backward()
    picture = draw(output, fold=False, theme=theme)
    assert len(picture.svg.encode()) <= 900 * picture.nodes


# The representations that a front end knows, best first, and the one that it shows of a drawing. JupyterLab ranks them
# in packages/rendermime/src/factories.ts; VS Code has them in notebookCommon.ts, nbconvert in HTMLExporter and
# LatexExporter. What is seen where nobody trusts the notebook, is in test_front_ends.py.
FRONT_ENDS = {
    "JupyterLab": ("html markdown svg latex png plain", "html"),
    "VS Code": ("html svg latex markdown png plain", "html"),
    "nbconvert to HTML": ("html markdown svg latex png plain", "html"),
    "nbconvert to LaTeX": ("latex png plain", "png"),
    "a terminal": ("plain", "plain"),
}
TYPES = {"svg": "image/svg+xml", "png": "image/png"}


@pytest.mark.parametrize(("known", "shown"), FRONT_ENDS.values(), ids=FRONT_ENDS)
def test_every_front_end_shows_a_picture_or_says_how_to_save_one(known, shown):
    picture = draw(Value(1.0, label="<&>]]>\ud800"))
    bundle, _ = DisplayFormatter().format(picture)
    assert next(kind for kind in known.split() if TYPES.get(kind, f"text/{kind}") in bundle) == shown
    if shown == "html":
        assert bundle["text/html"].count("<iframe srcdoc=") == bundle["text/html"].count("<img src=") == 1
        ElementTree.fromstring(bundle["image/svg+xml"].encode())
    elif shown == "png":
        assert bundle["image/png"].startswith(b"\x89PNG\r\n\x1a\n")
    else:
        assert '.save("x.svg|png|pdf|tex|html")' in bundle["text/plain"]


def test_notebooks_get_svg_png_and_text():
    picture = draw(a * b)
    bundle, metadata = DisplayFormatter().format(picture)
    html = bundle.pop("text/html")
    assert bundle == {"image/svg+xml": picture.svg, "image/png": picture.png, "text/plain": repr(picture)}
    assert unescape(re.findall(r'srcdoc="(.*?)"', html)[0]) == picture.html
    assert b64decode(re.findall(r"data:image/svg\+xml;base64,(.*?)\"", html)[0]).decode() == picture.svg
    assert "\n" not in html  # a part of a text in Markdown, it is one block
    pixels = [int.from_bytes(picture.png[start : start + 4], "big") for start in (16, 20)]
    size = metadata["image/png"]
    assert [size["width"], size["height"]] == pytest.approx([length / 144 * 96 for length in pixels], abs=1)
    assert repr(picture).startswith("<Drawing of 3 nodes")


def test_where_nothing_makes_a_png_notebooks_get_the_others(monkeypatch):
    def fail(picture):
        raise RuntimeError("no layout program")

    picture = draw(a * b)
    assert picture.svg
    monkeypatch.setattr(xdot, "png", fail)
    assert DisplayFormatter().format(picture)[0].keys() == {"text/html", "image/svg+xml", "text/plain"}


def test_the_same_graph_gives_the_same_bytes():
    first, second = draw(neuron()), draw(neuron())
    assert first.dot == second.dot
    assert first.svg == second.svg
    assert first.png == second.png
    code = (
        "from autograd import Value, draw; a = Value(1.0, label='a'); b = Value(2.0, label='b'); "
        "print(draw(a * b + a / b - b.tanh()).svg)"
    )
    pictures = {
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(pictures) == 1


# ---- Files.


def test_png(tmp_path):
    picture = draw(neuron())
    picture.save(tmp_path / "x.png")
    content = (tmp_path / "x.png").read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert content[-8:-4] == b"IEND"
    size = [int.from_bytes(content[start : start + 4], "big") for start in (16, 20)]
    points = [float(x) for x in ElementTree.fromstring(picture.svg).attrib["viewBox"].split()[2:]]
    assert size == pytest.approx([2 * length for length in points], abs=4)


def test_pdf(program, tmp_path):
    """One page of the size of the picture, by whichever program writes it."""
    picture = draw(neuron())
    picture.save(tmp_path / "x.pdf")
    content = (tmp_path / "x.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    points = [float(x) for x in ElementTree.fromstring(picture.svg).attrib["viewBox"].split()[2:]]
    page = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", content) or re.search(
        rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", unpacked(content)
    )
    assert page
    assert [float(length) for length in page.groups()] == pytest.approx(points, abs=2)


def unpacked(pdf: bytes) -> bytes:
    """The streams of a PDF in which its objects may be packed."""
    return b"".join(
        zlib.decompressobj().decompress(stream)
        for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
        if stream[:1] == b"x"
    )


@pytest.mark.parametrize("theme", THEMES)
def test_a_page_shows_the_picture_and_needs_nothing_else(theme, tmp_path):
    value = neuron()
    picture = draw(value, value.parents[0], theme=theme)
    picture.save(tmp_path / "x.html")
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert page == picture.html
    assert "<title>o</title>" in page
    assert "<title>A computation graph</title>" in draw(Value(1.0)).html
    assert not re.search(r"https?:(?!//www.w3.org/2000/svg)|<link|src=|url\(|@import", page)
    assert "default-src 'none'" in page


@pytest.mark.parametrize("name", ["x.svg", "x.SVG", "x.dot", "x.tikz", "x.tex"])
def test_what_is_saved_is_what_is_shown(name, tmp_path):
    picture = draw(Value(1.0, label="Größe\n漢字\ud800"))
    picture.save(str(tmp_path / name))
    content = (tmp_path / name).read_bytes().decode("utf-8")
    assert content == getattr(picture, name.lower().removeprefix("x."))


def test_a_drawing_shows_the_numbers_of_when_it_was_made():
    value = Value(1.0)
    picture = draw(value)
    value.data = 2.0
    assert boxes(picture)[0][1] == ["data 1", "grad 0"]


def test_the_dot_source_says_what_the_picture_says():
    """Once the layout program has read it and written it again, its own SVG has the same texts and titles."""
    picture = draw(neuron())
    again = layout.output(picture.dot, ["-Tcanon"])
    root = ElementTree.fromstring(layout.output(again.decode(), ["-Tsvg"]))
    assert sorted(visible(text) for text in root.iter(f"{SVG}text")) == sorted(
        text for _, texts in groups(picture) for text in texts
    )
    titles = {link.get("{http://www.w3.org/1999/xlink}title") for link in root.iter(f"{SVG}a")}
    assert titles == {title for title, _ in groups(picture)}


@pytest.mark.parametrize("fold", [False, True])
def test_a_drawing_can_be_pickled(fold):
    picture = draw(MLP(2, [3, 1])([1.0, 2.0]), fold=fold)
    again = pickle.loads(pickle.dumps(picture))
    assert (again.svg, again.html, repr(again)) == (picture.svg, picture.html, repr(picture))
    assert fold or again.dot == picture.dot


@pytest.mark.parametrize("name", ["x.ps", "x", "x.svg.gz", ".svg", "svg"])
def test_an_unknown_suffix_is_refused_and_the_known_ones_are_named(name, tmp_path):
    with pytest.raises(
        ValueError, match=r"ends in \.svg, \.png, \.pdf, \.html, .* or \.tex, got '.*" + re.escape(name)
    ):
        draw(a).save(tmp_path / name)
    assert [*tmp_path.iterdir()] == []


def test_an_unwritable_path_is_named_in_the_error(tmp_path):
    missing = tmp_path / "missing" / "x.svg"
    with pytest.raises(FileNotFoundError, match=re.escape(repr(str(missing.resolve())))):
        draw(a).save(missing)
    directory = tmp_path / "x.svg"
    directory.mkdir()
    with pytest.raises(OSError, match=r"x\.svg'$"):
        draw(a).save(directory)
    with pytest.raises(OSError, match=r"y\.svg'$"):
        draw(a).save(Path(__file__) / "y.svg")
    assert [*tmp_path.iterdir()] == [directory]


def full_disk(descriptor):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def interrupt(source, target):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("owner", "name", "failure", "error"),
    [
        (os, "fsync", full_disk, OSError),
        (Path, "replace", interrupt, KeyboardInterrupt),
        (svg, "element", full_disk, OSError),
    ],
    ids=["full disk", "interrupt", "no picture"],
)
def test_when_saving_fails_the_old_file_survives(owner, name, failure, error, tmp_path, monkeypatch):
    path = tmp_path / "x.svg"
    path.write_text("old")
    picture = draw(a)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, failure)
        with pytest.raises(error):
            picture.save(path)
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_saving_replaces_the_file_that_a_link_stands_for(tmp_path):
    target, link = tmp_path / "target.svg", tmp_path / "link.svg"
    target.write_text("old")
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("this system makes no links")
    draw(a).save(link)
    assert link.is_symlink()
    assert target.read_text() == draw(a).svg


# ---- Limits and faults.


def chain(nodes: int) -> Value:
    value = Value(1.0)
    for _ in range(nodes - 1):
        value = relu(value)
    return value


def test_a_graph_of_any_size_is_drawn_and_what_is_over_the_limit_folded():
    picture = draw(chain(5640))
    assert picture.nodes == 5640
    assert len(boxes(picture)) < 10
    assert "times the same" in picture.svg
    assert len(boxes(draw(chain(60), max_nodes=60))) == 60
    assert len(boxes(draw(chain(60), max_nodes=59))) < 10
    assert len(boxes(draw(chain(3), max_nodes=2))) == 3  # of so few, nothing is folded
    with pytest.raises(ValueError, match=r"this picture of 5,640 nodes is not a graph in DOT"):
        _ = picture.dot
    assert draw(chain(5640), fold=False).dot.startswith("digraph")


def test_a_graph_of_too_many_edges_is_folded_too():
    xs = [Value(1.0) for _ in range(80)]
    dense = sum([dot(xs[:40], xs[40:]) for _ in range(40)])
    assert " values</text>" in draw(dense).svg
    assert " values</text>" in draw(dense, max_nodes=1619).svg  # there are 3,240 edges
    assert " values</text>" not in draw(dense, max_nodes=1620).svg
    assert draw(dense).nodes == 121


def test_a_spelled_out_graph_is_counted_as_it_is_drawn():
    xs = [Value(1.0) for _ in range(5)]
    net = dot(xs, [*xs[:4], 2.0], 1.0)
    assert draw(net).nodes == 6
    assert draw(net, expand=True).nodes == 11
    many = sum([dot(xs, [*xs[:4], float(k)], 1.0) for k in range(30)])
    assert " values</text>" not in draw(many, max_nodes=151).svg  # 30 dots of 10 operands each
    assert " values</text>" in draw(many, max_nodes=151, expand=True).svg  # with 150 products


def test_the_limit_is_of_all_results_together():
    assert len(boxes(draw(chain(30), max_nodes=59))) == 30
    assert len(boxes(draw(chain(30), chain(30), max_nodes=60))) == 60
    assert len(boxes(draw(chain(30), chain(30), max_nodes=59))) < 10


@pytest.mark.parametrize(
    ("given", "message"),
    [(1.5, "float: 1.5"), (None, "NoneType: None"), ([a], "list: "), ("a", "str: 'a'"), (abs, "builtin_function")],
)
def test_only_a_value_can_be_drawn(given, message):
    for values in ([given], [a, given]):
        with pytest.raises(TypeError, match=re.escape(f"draw: expected a Value or a model, got {message}")):
            draw(*values)
    with pytest.raises(
        TypeError,
        match=r"got MLP: .*such as draw\(function\(x\)\); a model that names parameters goes as model=$",
    ):
        draw(a, MLP(2, [1]))


def test_of_a_list_its_elements_can_be_drawn_and_of_nothing_nothing():
    with pytest.raises(TypeError, match=r"got list: \[Value.*\]; for several: draw\(\*values\)$"):
        draw([a, b])
    with pytest.raises(TypeError, match="expected a Value or a model, got none"):
        draw()


def test_importing_drawing_imports_neither_graphviz_nor_numpy():
    code = "import sys, autograd.drawing; sys.exit(str({'graphviz', 'numpy'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stderr.strip() == "set()"


@pytest.mark.parametrize("of", [Value(1.0), MLP(1, [1])], ids=["a Value", "a model"])
@pytest.mark.parametrize(
    ("option", "error", "message"),
    [
        ({"expand": "no"}, TypeError, "draw: expected expand= to be True or False, got str: 'no'"),
        ({"expand": 3}, TypeError, "draw: expected expand= to be True or False, got int: 3"),
        ({"max_nodes": "all"}, TypeError, "draw: expected max_nodes= to be a number, got str: 'all'"),
        ({"max_nodes": None}, TypeError, "draw: expected max_nodes= to be a number, got NoneType: None"),
        ({"max_nodes": -1}, ValueError, "draw: expected max_nodes= to be at least 0, got -1"),
        ({"max_nodes": float("nan")}, ValueError, "draw: expected max_nodes= to be at least 0, got nan"),
    ],
)
def test_options_of_another_kind(of, option, error, message):
    with pytest.raises(error, match=re.escape(message)):
        draw(of, **option)


@pytest.mark.parametrize("of", [Value(1.0), MLP(1, [1])], ids=["a Value", "a model"])
@pytest.mark.parametrize("array", [["LR", "TB"], ["LR"], [1, 2], [True]])
@pytest.mark.parametrize("name", ["rankdir", "theme", "expand", "fold"])
def test_an_array_is_no_option(of, name, array):
    numpy = pytest.importorskip("numpy")
    of_model = "|a model's picture has no" if name == "fold" else ""
    with pytest.raises((TypeError, ValueError), match=f"^draw: (expected {name}= to be{of_model})"):
        draw(of, **{name: numpy.array(array)})


def test_without_a_limit_nothing_is_folded():
    assert len(boxes(draw(chain(300), max_nodes=math.inf))) == 300


def test_a_drawing_says_what_there_is_of_it():
    assert repr(draw(MLP(1, [1]))) == '<Drawing of 2 blocks: .svg, .png, .save("x.svg|png|pdf|tex|html")>'
    with pytest.raises(ValueError, match="not a graph in DOT"):
        draw(MLP(1, [1])).dot  # noqa: B018
