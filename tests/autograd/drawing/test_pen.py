"""What is read back from an SVG is what the graph's picture has: a text for each number, a curve for each edge."""

from __future__ import annotations

from collections import Counter

import pytest

from autograd import Value, tanh
from autograd.drawing import draw, pen
from autograd.drawing.themes import THEMES

pytestmark = pytest.mark.usefixtures("program")

LIGHT = THEMES["light"]


def pieces(label: str = "a") -> list[pen.Shape | pen.Text]:
    a = Value(2.0, label=label)
    y = tanh(a * -3.0)
    y.backward()
    return [*pen.drawn(draw(y).svg)]


def test_there_is_a_shape_for_each_box_circle_edge_and_arrow_head():
    shapes = [piece for piece in pieces() if isinstance(piece, pen.Shape)]
    background, *rest = shapes
    assert (background.kind, background.fill, background.line) == ("polygon", LIGHT.background, "")
    filled = Counter((shape.kind, bool(shape.fill)) for shape in rest)
    assert filled == {("curve", True): 3, ("ellipse", True): 2, ("curve", False): 4, ("polygon", True): 4}
    left, bottom, right, top = pen.extent(shapes)
    for shape in rest:
        points = shape.points[:1] if shape.kind == "ellipse" else shape.points
        assert all(left < x < right and bottom < y < top for x, y in points)
        assert (
            shape.kind != "curve" or len(shape.points) % 3 == 1
        )  # Bézier's pieces: three points each, after the first


def test_the_texts_have_places_sizes_colours_and_weight():
    texts = {piece.text: piece for piece in pieces() if isinstance(piece, pen.Text)}
    assert {"a", "data", "grad", "2", "-6", "* -3", "-3", "tanh"} <= texts.keys()
    assert (texts["a"].bold, texts["data"].bold) == (True, False)
    assert (texts["a"].colour, texts["data"].colour) == (LIGHT.ink, LIGHT.muted)
    assert (texts["a"].size, texts["a"].align) == (11.0, "left")
    assert (texts["-3"].size, texts["-3"].align) == (10.0, "center")
    assert texts["data"].at[1] > texts["grad"].at[1]  # upwards, as in mathematics


@pytest.mark.parametrize("label", ["\\", "\\\\", "a\\n", "&amp;", "<b>", "漢字", "a b"])
def test_a_label_comes_back_as_it_is(label):
    assert [piece.text for piece in pieces(label) if isinstance(piece, pen.Text) and piece.bold] == [label]
