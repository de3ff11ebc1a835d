"""A picture in PDF, drawn by matplotlib where the layout program writes none; its monospaced font comes with it."""

from __future__ import annotations

import io

from autograd.drawing.pen import Image, Shape, flat, rounded
from autograd.wording import columns

try:
    from matplotlib.colors import to_rgb
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties, findfont, get_font
    from matplotlib.patches import Ellipse, Patch, PathPatch, Polygon
    from matplotlib.path import Path
except ImportError as error:
    raise ImportError(
        "the layout program writes no PDF, so matplotlib would draw it: pip install matplotlib, or install Graphviz"
    ) from error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from autograd.drawing.pen import Picture

POINTS = 72  # of an inch


def picture(drawn: Picture) -> bytes:
    """A page of the size of the picture. The same picture gives the same bytes."""
    size = drawn.width, drawn.height
    figure = Figure(figsize=(size[0] / POINTS, size[1] / POINTS), facecolor=drawn.background)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0.0, size[0]), ylim=(size[1], 0.0))
    axes.axis("off")
    for piece in flat(drawn.pieces):
        if isinstance(piece, Image):
            (left, top), colours = piece.at, [[to_rgb(colour) for colour in row] for row in piece.rows]
            within = (left, left + piece.width, top + piece.height, top)
            axes.imshow(colours, extent=within, interpolation="nearest", aspect="auto", zorder=1)
            axes.set(xlim=(0.0, size[0]), ylim=(size[1], 0.0))
        elif isinstance(piece, Shape):
            axes.add_patch(patch(piece))
        else:
            font = FontProperties(family="DejaVu Sans Mono", weight="bold" if piece.bold else "normal", size=piece.size)
            axes.text(
                *piece.at, in_font(piece.text, font), horizontalalignment=piece.align, verticalalignment="baseline",
                color=piece.colour, fontproperties=font, parse_math=False,
            )  # fmt: skip
    file = io.BytesIO()
    figure.savefig(file, format="pdf", facecolor=drawn.background, metadata={"CreationDate": None})
    return file.getvalue()


def patch(piece: Shape) -> Patch:
    style: dict[str, Any] = {"edgecolor": piece.line or "none", "facecolor": piece.fill or "none"}
    style["linewidth"] = piece.width
    if piece.kind == "ellipse":
        centre, (across, down) = piece.points
        return Ellipse(centre, 2 * across, 2 * down, **style)
    if piece.kind in ("polygon", "line"):
        return Polygon(piece.points, closed=piece.kind == "polygon", **style)
    points = rounded(piece) if piece.kind == "box" else piece.points
    return PathPatch(Path(points, [Path.MOVETO] + [Path.CURVE4] * (len(points) - 1)), **style)


def in_font(text: str, font: FontProperties) -> str:
    """The text, with a square for each column of a character that the font does not have."""
    known = get_font(findfont(font)).get_char_index
    return "".join(character if known(ord(character)) else "□" * columns(character) for character in text)
