"""A picture in PDF, drawn by matplotlib where the layout program writes none; its monospaced font comes with it."""

from __future__ import annotations

import io

from autograd.drawing.pen import Shape, extent
from autograd.wording import columns

try:
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

    from autograd.drawing.pen import Text

POINTS = 72  # of an inch


def picture(pieces: list[Shape | Text]) -> bytes:
    """A page of the size of the picture. The same picture gives the same bytes."""
    left, bottom, right, top = extent(pieces)
    figure = Figure(figsize=((right - left) / POINTS, (top - bottom) / POINTS))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(left, right), ylim=(bottom, top))
    axes.axis("off")
    for piece in pieces:
        if isinstance(piece, Shape):
            axes.add_patch(patch(piece))
        else:
            font = FontProperties(family="DejaVu Sans Mono", weight="bold" if piece.bold else "normal", size=piece.size)
            axes.text(
                *piece.at, in_font(piece.text, font), horizontalalignment=piece.align, verticalalignment="baseline",
                color=piece.colour, fontproperties=font, parse_math=False,
            )  # fmt: skip
    file = io.BytesIO()
    figure.savefig(file, format="pdf", metadata={"CreationDate": None})
    return file.getvalue()


def patch(piece: Shape) -> Patch:
    style: dict[str, Any] = {"edgecolor": piece.line or "none", "facecolor": piece.fill or "none"}
    style["linewidth"] = piece.width
    if piece.kind == "ellipse":
        centre, (across, upwards) = piece.points
        return Ellipse(centre, 2 * across, 2 * upwards, **style)
    if piece.kind == "polygon":
        return Polygon(piece.points, **style)
    codes = [Path.MOVETO] + [Path.CURVE4] * (len(piece.points) - 1)
    return PathPatch(Path(piece.points, codes), **style)


def in_font(text: str, font: FontProperties) -> str:
    """The text, with a square for each column of a character that the font does not have."""
    known = get_font(findfont(font)).get_char_index
    return "".join(character if known(ord(character)) else "□" * columns(character) for character in text)
