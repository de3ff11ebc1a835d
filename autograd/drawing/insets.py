"""Insets are small images of many numbers: weights, a map of activations, what a neuron says over the plane.

A square's colour is the number's: blue if it is positive, orange if it is negative, the paler the nearer to 0. All
squares of an image have one scale. What is no number has the colour of text, which no eyes take for one of these.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from autograd.drawing.pen import Group, Image, Shape
from autograd.drawing.themes import mixed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from autograd.drawing.pen import Point
    from autograd.drawing.themes import Theme

SHADES = 48


@lru_cache(maxsize=8)
def palette(negative: str, positive: str, background: str) -> list[str]:
    """The colours from -1 to 1 in steps of 1 / SHADES."""
    shares = [k / SHADES for k in range(-SHADES, SHADES + 1)]
    return [mixed(positive if share > 0 else negative, background, abs(share)) for share in shares]


def scale_of(numbers: Iterable[float]) -> float:
    """The largest size of a finite number; 1 if there is none but 0."""
    return max((abs(number) for number in numbers if math.isfinite(number)), default=0.0) or 1.0


def share_of(number: float, scale: float) -> float:
    """The number as a share of the scale, from -1 to 1; nan for nan."""
    return number if math.isnan(number) else max(-1.0, min(1.0, number / scale))


def colours(numbers: Sequence[float], theme: Theme, scale: float | None = None) -> list[str]:
    scale = scale_of(numbers) if scale is None else scale
    shades = palette(theme.flow.negative, theme.flow.positive, theme.background)
    shares = [share_of(number, scale) for number in numbers]
    return [theme.ink if math.isnan(s) else shades[SHADES + round(SHADES * s)] for s in shares]


def image(
    numbers: Sequence[float], columns: int, at: Point, width: float, height: float, theme: Theme, *,
    scale: float | None = None, title: str = "",
) -> Group:  # fmt: skip
    """An image of the numbers, row by row, with a line around it."""
    cells = colours(numbers, theme, scale)
    rows = tuple(tuple(cells[k : k + columns]) for k in range(0, len(cells), columns))
    frame = Shape("box", (at, (at[0] + width, at[1] + height)), line=theme.line, width=0.6)
    return Group((Image(at, width, height, rows), frame), title)


def side_of(count: int) -> int:
    """How many columns an image of so many numbers has: a square's side, else all of them."""
    side = math.isqrt(count)
    return side if side * side == count else count
