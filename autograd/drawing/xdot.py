"""A picture as PNG or PDF by the layout program, which need not lay anything out: it draws what it is told to.

Shapes are told in xdot, Graphviz's language for what is drawn (https://graphviz.org/docs/outputs/canon/#xdot), as the
background of a graph; texts are its nodes, each at its place. So whoever can lay out a graph has its PNG, too.
"""

from __future__ import annotations

import math

from autograd.drawing import layout
from autograd.drawing.dot import FONT, markup
from autograd.drawing.pen import Image, Shape, Text, flat, rounded, squares
from autograd.drawing.sizes import wide

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from autograd.drawing.pen import Picture

RISE = 0.14  # of a font's size: how far above the base line the middle of a cell lies, for either program about
NOTHING = "#fffffe00"
MOST_PIXELS = 16_000_000  # with more, a PNG takes longer than a layout


class UnknownFormatError(RuntimeError):
    """The layout program cannot write the format: graphviz-pure knows no PDF, and Graphviz needs Cairo for it."""


def png(picture: Picture) -> bytes:
    """The picture as the bytes of a PNG file, with 144 dots per inch, or as many as make `MOST_PIXELS`.

    Raises what `layout.output` raises.
    """
    inches = picture.width * picture.height / layout.POINTS**2
    return drawn(picture, ["-Tpng", f"-Gdpi={min(144.0, math.sqrt(MOST_PIXELS / inches)):.2f}"])


def pdf(picture: Picture) -> bytes:
    """The same as a PDF file of one page. Raises UnknownFormatError if the program writes none."""
    try:
        return drawn(picture, ["-Tpdf", "-Gmargin=0"])
    except RuntimeError as error:
        if "not recognized" in str(error):
            raise UnknownFormatError(str(error)) from None
        raise


def drawn(picture: Picture, options: Sequence[str]) -> bytes:
    return layout.output(source(picture), ["-Kneato", "-n2", *options])


def source(picture: Picture) -> str:
    """A graph in DOT that shows the picture. Graphviz's y grows upwards."""
    shapes: list[str] = []
    texts: list[str] = []
    for piece in flat(picture.pieces):
        if isinstance(piece, Text):
            texts.append(f"n{len(texts)} {text(piece, picture.height)}")
        else:
            parts = squares(piece) if isinstance(piece, Image) else [piece]
            shapes += [operation for part in parts for operation in operations(part, picture.height)]
    width, height = picture.width, picture.height
    background = quoted(" ".join(changes(shapes)))
    view = f"{width:.2f},{height:.2f},1,{width / 2:.2f},{height / 2:.2f}"  # its size, zoom and centre
    return (
        f'graph {{ graph [bgcolor="{picture.background}" pad=0 viewport="{view}" _background={background}] '
        f"node [shape=plaintext fontname={FONT} margin=0 width=0 height=0] {' '.join(texts)} "
        f'end [pos="0,0" style=invis label=""] }}'  # a graph without nodes has no picture
    )


def changes(shapes: Iterable[str]) -> Iterator[str]:
    """The operations without those that set a pen or a filling to what it is already."""
    last: dict[str, str] = {}
    for shape in shapes:
        kind = shape[0]
        if kind in "ScC" and last.get(kind) == shape:
            continue
        last[kind] = shape
        yield shape


def quoted(text: str) -> str:
    """A string of DOT, in parts: Graphviz reads at most 16,384 characters between two quotes."""
    return " + ".join(f'"{text[k : k + 8000]}"' for k in range(0, len(text), 8000)) or '""'


def operations(piece: Shape, height: float) -> Iterator[str]:
    """What draws a shape: its pen, its filling, and its outline."""
    yield colour("c", piece.line or NOTHING)
    if piece.line:
        yield f"S {len(style := f'setlinewidth({piece.width:.2f})')} -{style}"
    if piece.fill:
        yield colour("C", piece.fill)
    if piece.kind == "ellipse":
        (x, y), (across, down) = piece.points
        yield f"{'E' if piece.fill else 'e'} {x:.2f} {height - y:.2f} {across:.2f} {down:.2f}"
        return
    points = rounded(piece) if piece.kind == "box" else piece.points
    kind = {"polygon": "P" if piece.fill else "p", "line": "L"}.get(piece.kind, "b" if piece.fill else "B")
    yield f"{kind} {len(points)} {' '.join(f'{x:.2f} {height - y:.2f}' for x, y in points)}"


def colour(what: str, of: str) -> str:
    return f"{what} {len(of)} -{of}"


def text(piece: Text, height: float) -> str:
    """A node that is nothing but a cell with the text at its left end: programs measure what is not ASCII too wide."""
    (x, y), width = piece.at, wide(piece.text, piece.size)
    x += {"left": width / 2, "center": 0.0, "right": -width / 2}[piece.align]
    y -= RISE * piece.size
    written = f"<B>{markup(piece.text)}</B>" if piece.bold else markup(piece.text)
    size = f'WIDTH="{width}" HEIGHT="{round(1.4 * piece.size)}"'
    cell = f'<TABLE {layout.BARE} {size}><TR><TD ALIGN="LEFT">{written}</TD></TR></TABLE>'
    look = f'fontsize={piece.size:g} fontcolor="{piece.colour}"'
    return f'[{look} pos="{x:.2f},{height - y:.2f}" label=<{cell}>]' if piece.text else '[style=invis label=""]'
