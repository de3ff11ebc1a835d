"""Boxes, circles and labels are as large as their text: a layout needs their sizes before anything has a place.

Text is measured here, by columns, and not by a layout program: so every program lays out the same picture.
"""

from __future__ import annotations

import math

from autograd.drawing.diagram import BOX_CHARACTERS, short, symbols
from autograd.wording import columns, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from autograd.drawing.diagram import Node
    from autograd.drawing.pen import Point

FONT_SIZE, EDGE_FONT = 11, 10  # in points
COLUMN = 0.602  # of the font's size: no reader's monospaced font is wider
LINE = 13  # from one base line to the next
RISE = 3.5  # of a line's middle above its base line
MARGIN, GAP = 7, 7  # between the outline of a box and its text; between its label and its numbers
SMALLEST = 26  # of circles, across and down


def wide(text: str, size: float) -> int:
    """How wide the text is, in points, rounded up, since whole numbers are short in a file."""
    return math.ceil(columns(text) * COLUMN * size)


def of_box(node: Node) -> Point:
    """Width and height: the label, and beside it `data` over `grad`, each with its number."""
    label = wide(shown(node.label, BOX_CHARACTERS), FONT_SIZE)
    label += GAP if label else 0
    return even(MARGIN + label + of_numbers(node) + MARGIN), 2 * LINE + 10


def of_numbers(node: Node) -> int:
    """How wide `data` and `grad` are, with their numbers; the gradient may have to have room for other ones."""
    return max(wide(f"data {text}", FONT_SIZE) for text in (short(node.data), short(node.grad), "0" * node.room))


def of_circle(node: Node) -> Point:
    """Width and height: an ellipse around a rectangle is √2 times as wide, and as high."""
    lines = symbols(node)
    width = math.sqrt(2) * max(wide(line, FONT_SIZE) for line in lines) + 6
    return max(even(width), SMALLEST), max(even(math.sqrt(2) * LINE * len(lines) + 2), SMALLEST)


def of_label(derivative: float) -> Point:
    """Width and height of what stands on an edge, with some air on both sides."""
    return even(wide(short(derivative), EDGE_FONT) + 10), 14


def even(length: float) -> int:
    """The next even number: half of it is a whole one."""
    return 2 * math.ceil(length / 2)
