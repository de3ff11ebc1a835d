"""A picture as data has all of its pieces, where they were to a tenth of a point."""

from __future__ import annotations

import pytest

from autograd import Value, dot, draw, tanh
from autograd.drawing import Group, Image, Picture, Shape, Text
from autograd.explaining.pieces import SCALE, as_data


def read_back(data):
    """The pieces again."""
    pen = [0, 0]

    def points(moves):
        found = []
        for right, down in zip(moves[::2], moves[1::2], strict=True):
            pen[0] += right
            pen[1] += down
            found.append((pen[0] / SCALE, pen[1] / SCALE))
        return tuple(found)

    def piece(written):
        head, *rest = written
        if isinstance(head, str):
            return Group(tuple(map(piece, rest)), "", head)
        style = dict(data["styles"][head])
        kind = style.pop("kind")
        if kind == "text":
            [at] = points(rest[:2])
            return Text(at, text=rest[2], name="".join(rest[3:]), **style)
        return Shape(kind, points(rest), **style)

    return tuple(map(piece, data["pieces"]))


def same(a, b):
    if isinstance(a, Group):
        return a.name == b.name and all(same(x, y) for x, y in zip(a.pieces, b.pieces, strict=True))
    ours, theirs = vars(a), vars(b)
    near = [key for key in ("at", "points") if key in ours]
    rest = [key for key in ours if key not in near]
    flat = lambda points: [x for p in points for x in p] if isinstance(points[0], tuple) else [*points]  # noqa: E731
    return all(ours[key] == theirs[key] for key in rest) and all(
        flat(ours[key]) == pytest.approx(flat(theirs[key]), abs=0.5 / SCALE + 1e-9) for key in near
    )


def test_all_pieces_of_a_graph_are_there():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    result = tanh(dot([a, b], [b, a], 0.5)) * a
    result.backward()
    picture = draw(result).picture
    data = as_data(picture)
    assert (data["width"], data["height"]) == (picture.width, picture.height)
    again = read_back(data)
    assert all(same(x, y) for x, y in zip(picture.pieces, again, strict=True))


def test_a_graph_has_no_images():
    with pytest.raises(TypeError, match="no images"):
        as_data(Picture(1.0, 1.0, "#ffffff", (Image((0.0, 0.0), 1.0, 1.0, (("#000000",),)),)))
