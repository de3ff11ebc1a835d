"""Insets: each square has the colour of its number."""

from __future__ import annotations

import math

import pytest

from autograd.drawing.insets import colours, image, scale_of, share_of, side_of
from autograd.drawing.themes import THEMES, mixed

LIGHT = THEMES["light"]


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_the_colour_is_the_sign_and_the_shade_is_the_size(theme):
    positive, half, zero, negative, nan = colours([2.0, 1.0, 0.0, -2.0, math.nan], theme)
    assert (positive, negative) == (theme.flow.positive, theme.flow.negative)
    assert half == mixed(theme.flow.positive, theme.background, 0.5)
    assert (zero, nan) == (theme.background, theme.ink)


def test_the_scale_is_that_of_what_is_finite():
    assert scale_of([1.0, -3.0, math.inf, math.nan]) == 3.0
    assert scale_of([0.0]) == scale_of([]) == scale_of([math.nan]) == 1.0
    assert (share_of(math.inf, 3.0), share_of(-6.0, 3.0), share_of(1.5, 3.0)) == (1.0, -1.0, 0.5)
    assert math.isnan(share_of(math.nan, 1.0))
    assert colours([1.0], LIGHT, scale=2.0) == [mixed(LIGHT.flow.positive, LIGHT.background, 0.5)]


def test_an_image_has_its_numbers_row_by_row():
    group = image([1.0, 0.0, -1.0, 0.0, 0.0, 1.0], 3, (5.0, 6.0), 30.0, 20.0, LIGHT, title="weights")
    squares, frame = group.pieces
    plus, nothing, minus = LIGHT.flow.positive, LIGHT.background, LIGHT.flow.negative
    assert squares.rows == ((plus, nothing, minus), (nothing, nothing, plus))
    assert (squares.at, squares.width, squares.height, group.title) == ((5.0, 6.0), 30.0, 20.0, "weights")
    assert frame.points == ((5.0, 6.0), (35.0, 26.0))


def test_a_square_has_as_many_columns_as_rows():
    assert [side_of(count) for count in (1, 9, 25, 6, 784)] == [1, 3, 5, 6, 28]
