"""The pieces of a picture, for what knows no groups, no boxes and no images."""

from __future__ import annotations

import pytest

from autograd.drawing.pen import Group, Image, Shape, Text, flat, rounded, squares


def test_groups_are_taken_apart_in_their_order():
    a, b, c = (Shape("line", ((0.0, float(i)), (1.0, float(i))), "#000000") for i in range(3))
    assert [*flat([a, Group((Group((b,)), Text((0.0, 0.0), "left", "x", 1.0, False, "#000000"))), Group(()), c])][
        ::3
    ] == [a, c]


@pytest.mark.parametrize("radius", [0.0, 4.0, 100.0])
def test_a_box_is_a_closed_curve_along_its_sides_and_round_its_corners(radius):
    left, top, right, bottom = 10.0, 20.0, 50.0, 40.0
    curve = rounded(Shape("box", ((left, top), (right, bottom)), "#000000", radius=radius))
    r = min(radius, 10.0)
    assert curve[0] == curve[-1]
    assert len(curve) % 3 == 1
    for i in range(0, len(curve) - 1, 3):
        piece = curve[i : i + 4]
        for t in (0.0, 0.25, 0.5, 0.75, 1.0):
            weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3]
            x, y = (sum(w * at[k] for w, at in zip(weights, piece, strict=True)) for k in (0, 1))
            across, down = (
                max(low + r - u, u - high + r, 0.0) for u, low, high in ((x, left, right), (y, top, bottom))
            )
            assert max(across, down) == pytest.approx(r, abs=1e-9) or (across**2 + down**2) ** 0.5 == pytest.approx(
                r, rel=5e-4
            )


def test_squares_cover_an_image_and_no_more():
    found = [*squares(Image((1.0, 2.0), 30.0, 10.0, (("#ff0000", "#00ff00", "#0000ff"), ("#000000",))))]
    assert [shape.fill for shape in found] == ["#ff0000", "#00ff00", "#0000ff", "#000000"]
    assert found[1].points == ((11.0, 2.0), (21.0, 2.0), (21.0, 7.0), (11.0, 7.0))
    assert found[3].points == ((1.0, 7.0), (31.0, 7.0), (31.0, 12.0), (1.0, 12.0))
