"""A picture is a list of shapes and texts, in points: they are read back from its SVG, to be drawn elsewhere.

So `tikz.py` and `pdf.py` make the picture that the SVG shows, whatever program has laid it out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Point = tuple[float, float]


@dataclass(frozen=True)
class Shape:
    """A polygon, a curve or an ellipse.

    Arguments:
        kind: "polygon"; "curve", of Bézier's cubic pieces (the first point, then three for each piece); or "ellipse".
        points: in points, upwards; of an ellipse the centre and the two radii.
        line: the colour of the line, #rrggbb, or "" for none.
        fill: the colour within, or "" for none.
        width: of the line, in points.
    """

    kind: str
    points: tuple[Point, ...]
    line: str
    fill: str
    width: float


@dataclass(frozen=True)
class Text:
    """A line of text in a monospaced font.

    Arguments:
        at: a point on the base line: where the text begins, or its middle or end.
        align: "left", "center" or "right", how it lies at this point.
        text: what is written.
        size: of the font, in points.
        bold: whether it is bold.
        colour: #rrggbb.
    """

    at: Point
    align: str
    text: str
    size: float
    bold: bool
    colour: str


SVG = "{http://www.w3.org/2000/svg}"
ALIGNMENTS = {"start": "left", "middle": "center", "end": "right"}


def drawn(svg: str) -> Iterator[Shape | Text]:
    """What an SVG of the layout program draws, in the order in which it does: the background, nodes, edges."""
    for element in ElementTree.fromstring(svg).iter():
        piece = element.attrib
        match element.tag.removeprefix(SVG):
            case "polygon":
                yield shape("polygon", points_of(piece["points"]), piece)
            case "path":
                yield shape("curve", points_of(piece["d"]), piece)
            case "ellipse":
                (x, y), radii = ((float(piece[a]), float(piece[b])) for a, b in (("cx", "cy"), ("rx", "ry")))
                yield shape("ellipse", ((x, -y), radii), piece)
            case "text":
                at, bold = (float(piece["x"]), -float(piece["y"])), piece.get("font-weight") == "bold"
                written = (element.text or "").replace("\N{NO-BREAK SPACE}", " ").strip()
                align = ALIGNMENTS[piece["text-anchor"]]
                yield Text(at, align, written, float(piece["font-size"]), bold, piece.get("fill", "#000000"))


def shape(kind: str, points: tuple[Point, ...], piece: dict[str, str]) -> Shape:
    line, fill = (colour if (colour := piece[name]).startswith("#") else "" for name in ("stroke", "fill"))
    line = "" if float(piece.get("stroke-opacity", 1.0)) == 0.0 else line
    return Shape(kind, points, line, fill, float(piece.get("stroke-width", 1.0)))


def points_of(text: str) -> tuple[Point, ...]:
    """The points of a path or polygon, upwards as in mathematics; in SVG, y grows downwards."""
    return tuple((float(x), -float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", text))


def extent(pieces: list[Shape | Text]) -> tuple[float, float, float, float]:
    """From where to where the picture goes, (left, bottom, right, top): its background is the first shape."""
    across, upwards = zip(*pieces[0].points, strict=True)  # type: ignore[union-attr]
    return min(across), min(upwards), max(across), max(upwards)
