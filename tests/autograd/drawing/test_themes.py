"""Themes: every text stands out from what it is written on, and the signs' colours from each other, to all eyes."""

from __future__ import annotations

import math
from itertools import combinations

import pytest

from autograd import Value, draw, leaky_relu
from autograd.drawing.pen import Text
from autograd.drawing.themes import THEMES, mixed

# What is left of a colour in linear RGB: Machado, Oliveira and Fernandes, "A physiologically-based model for simulation
# of color vision deficiency", 2009, at full severity.
VISIONS = {
    "full": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    "no red cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green cones": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "no blue cones": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]  # sRGB's, IEC 61966-2-1
WHITE = [0.9505, 1.0, 1.089]


def times(matrix, vector):
    return [math.fsum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def linear(colour: str) -> list[float]:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def contrast(first: str, second: str) -> float:
    darker, lighter = sorted(times(TO_XYZ, linear(colour))[1] for colour in (first, second))
    return (lighter + 0.05) / (darker + 0.05)


def seen(colour: str, vision: str) -> list[float]:
    """The colour in CIELAB, in which a distance of 2.3 is just noticeable."""
    xyz = times(TO_XYZ, [min(max(channel, 0.0), 1.0) for channel in times(VISIONS[vision], linear(colour))])
    shares = [part / whole for part, whole in zip(xyz, WHITE, strict=True)]
    x, y, z = (math.cbrt(share) if share > 0.008856 else 7.787 * share + 16 / 116 for share in shares)
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


def test_contrast_is_the_standards():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("highlighted", [False, True])
@pytest.mark.parametrize("theme", THEMES)
def test_every_text_of_a_picture_stands_out(theme, highlighted):
    a, b, c = Value(2.0, label="a"), Value(-3.0, label="b"), Value(0.0, label="c")
    result = leaky_relu(a * b) * c + 2 * a
    result.backward()
    picture = draw(result, theme=theme, highlight=(a, result) if highlighted else None).picture
    pairs = set()
    for group in (group for kind in picture.pieces for group in kind.pieces):
        under = group.pieces[0].fill or THEMES[theme].background
        pairs |= {(text.colour, under) for text in group.pieces if isinstance(text, Text)}
    assert len(pairs) >= 7
    assert {pair: contrast(*pair) for pair in pairs if contrast(*pair) < 4.5} == {}


@pytest.mark.parametrize("theme", THEMES)
def test_strokes_stand_out_from_the_background(theme):
    for look in (THEMES[theme], THEMES[theme].raised):
        assert all(contrast(stroke, look.background) >= 3 for stroke in [look.line, *vars(look.flow).values()])


@pytest.mark.parametrize("theme", THEMES)
def test_what_is_dimmed_stands_back_behind_what_is_not(theme):
    plain, dimmed = THEMES[theme], THEMES[theme].dimmed
    for before, after in zip(vars(plain.flow).values(), vars(dimmed.flow).values(), strict=True):
        assert contrast(after, plain.background) < 0.6 * contrast(before, plain.background)
    assert dimmed.widest == plain.thinnest < plain.raised.thinnest


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("theme", THEMES)
def test_the_signs_of_gradients_are_told_apart(theme, vision):
    for signs in (THEMES[theme].gradient, THEMES[theme].flow):
        for first, second in combinations(vars(signs).values(), 2):
            assert math.dist(seen(first, vision), seen(second, vision)) > 20


def test_colours_mix():
    assert mixed("#ff8000", "#00ff80", 0.0) == "#00ff80"
    assert mixed("#ff8000", "#00ff80", 1.0) == "#ff8000"
    assert mixed("#ff8000", "#00ff80", 0.25) == "#40df60"


def test_no_number_has_no_sign():
    signs = THEMES["light"].flow
    assert [signs.of(number) for number in (-1e-300, -0.0, 0.0, math.nan, math.inf)] == [
        signs.negative, signs.zero, signs.zero, signs.zero, signs.positive,
    ]  # fmt: skip
