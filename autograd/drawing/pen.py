"""A picture is a list of shapes, texts and images, whatever they show: svg.py, tikz.py and pdf.py write it down.

Lengths are in points, 1/72 of an inch. The origin is the picture's upper left corner, x grows to the right and y
downwards, as in SVG. What comes first lies below what comes later.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Shape:
    """A polygon, a line, a curve, a rectangle with round corners, or an ellipse.

    Arguments:
        kind: "polygon", which is closed; "line", which is open; "curve", of Bézier's cubic pieces (the first point,
            then three for each piece); "box" or "ellipse".
        points: of a box its upper left and its lower right corner, of an ellipse the centre and the two radii.
        line: the colour of the line, #rrggbb, or "" for none.
        fill: the colour within, or "" for none.
        width: of the line.
        radius: of a box's corners.
    """

    kind: str
    points: tuple[Point, ...]
    line: str = ""
    fill: str = ""
    width: float = 1.0
    radius: float = 0.0


@dataclass(frozen=True)
class Text:
    """A line of text in a monospaced font, each of whose characters is 0.602 of its size wide or less.

    Arguments:
        at: a point on the base line: where the text begins, or its middle or end.
        align: "left", "center" or "right", how it lies at this point.
        text: what is written.
        size: of the font.
        bold: whether it is bold.
        colour: #rrggbb.
        name: by which the script of a page finds it.
    """

    at: Point
    align: str
    text: str
    size: float
    bold: bool
    colour: str
    name: str = ""


@dataclass(frozen=True)
class Image:
    """A picture of coloured squares, such as the weights of a neuron that sees an image.

    Arguments:
        at: its upper left corner.
        width, height: its size.
        rows: the squares' colours, #rrggbb, row by row from above; all rows are of one length.
    """

    at: Point
    width: float
    height: float
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Group:
    """Pieces that belong together: one box, one edge, one neuron.

    Arguments:
        pieces: what it consists of.
        title: what hovering shows, and a screen reader reads; "" for nothing.
        name: by which the script of a page finds it; "" for none.
    """

    pieces: tuple[Piece, ...]
    title: str = ""
    name: str = ""


Piece: TypeAlias = Shape | Text | Image | Group


@dataclass(frozen=True)
class Picture:
    """A whole picture.

    Arguments:
        width, height: its size.
        background: its colour, #rrggbb.
        pieces: what is drawn on it.
        title: what it shows, in a few words.
        description: what a person who cannot see it has to know, in a few sentences.
    """

    width: float
    height: float
    background: str
    pieces: tuple[Piece, ...]
    title: str = ""
    description: str = ""


def flat(pieces: Iterable[Piece]) -> Iterator[Shape | Text | Image]:
    """The pieces one by one, without their groups."""
    for piece in pieces:
        if isinstance(piece, Group):
            yield from flat(piece.pieces)
        else:
            yield piece


def rounded(box: Shape) -> tuple[Point, ...]:
    """The outline of a box as Bézier's cubic pieces, for what knows no boxes; each corner a quarter of a circle."""
    (left, top), (right, bottom) = box.points
    r = min(box.radius, (right - left) / 2, (bottom - top) / 2)
    k = r * (1 - 4 / 3 * (math.sqrt(2) - 1))  # how far a control lies from the corner
    corners = [((left, top), (1, 1)), ((right, top), (-1, 1)), ((right, bottom), (-1, -1)), ((left, bottom), (1, -1))]
    outline: list[Point] = [(left, top + r)]
    for i, ((x, y), (dx, dy)) in enumerate(corners):
        upright, level = [(x, y + dy * r), (x, y + dy * k)], [(x + dx * k, y), (x + dx * r, y)]
        start, one, two, end = [*upright, *level] if i % 2 == 0 else [*level[::-1], *upright[::-1]]
        outline += [outline[-1], start, start, one, two, end]  # a straight piece to the corner, and the corner
    return (*outline, outline[-1], outline[0], outline[0])


def corners(left: float, top: float, right: float, bottom: float) -> tuple[Point, ...]:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def squares(image: Image) -> Iterator[Shape]:
    """The squares of an image as polygons, for what knows no images."""
    (left, top), down = image.at, image.height / len(image.rows)
    for i, row in enumerate(image.rows):
        across = image.width / len(row)
        for k, colour in enumerate(row):
            x, y = left + k * across, top + i * down
            yield Shape("polygon", corners(x, y, x + across, y + down), fill=colour)
