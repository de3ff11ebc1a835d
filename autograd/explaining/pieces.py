"""as_data() is a picture as data, from which a page's script draws it: picture.js reads them.

A group is a list that begins with its name. All else is a list that begins with a number, the place of its style; then
come points, and of a text, behind its point, what is written, and its name if it has one. A point is how far it lies to
the right of and below the point before, whose piece may be another one, in tenths of a point of the printers.
"""

from __future__ import annotations

from autograd.drawing import Group, Image, Shape, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograd.drawing import Picture, Piece, Point
    from autograd.explaining.program import Json

SCALE = 10  # so many units are a point of the printers


def as_data(picture: Picture) -> dict[str, Json]:
    """The picture as data: its size, its styles, and the pieces.

    >>> from autograd.drawing import Group, Picture, Shape
    >>> as_data(Picture(9.0, 9.0, "#fff", (Group((Shape("box", ((1.0, 1.0), (8.0, 8.0)), fill="#999"),), "", "a"),)))
    ... # doctest: +NORMALIZE_WHITESPACE
    {'width': 9.0, 'height': 9.0,
     'styles': [{'kind': 'box', 'line': '', 'fill': '#999', 'width': 1.0, 'radius': 0.0}],
     'pieces': [['a', [0, 10, 10, 70, 70]]]}
    """
    styles: dict[tuple[tuple[str, str | float | bool], ...], int] = {}

    pen = (0, 0)

    def place(**style: str | float | bool) -> int:
        return styles.setdefault(tuple(style.items()), len(styles))

    def moves(*points: Point) -> Iterator[int]:
        nonlocal pen
        for x, y in points:
            before, pen = pen, (round(SCALE * x), round(SCALE * y))
            yield from (pen[0] - before[0], pen[1] - before[1])

    def data(piece: Piece) -> list[Json]:
        match piece:
            case Group():
                return [piece.name, *map(data, piece.pieces)]
            case Text():
                style = place(kind="text", align=piece.align, size=piece.size, bold=piece.bold, colour=piece.colour)
                return [style, *moves(piece.at), piece.text, *([piece.name] if piece.name else [])]
            case Shape():
                style = place(kind=piece.kind, line=piece.line, fill=piece.fill, width=piece.width, radius=piece.radius)
                return [style, *moves(*piece.points)]
            case Image():
                raise TypeError("a graph has no images")

    pieces: list[Json] = [*map(data, picture.pieces)]
    return {
        "width": picture.width, "height": picture.height, "styles": [dict(style) for style in styles], "pieces": pieces,
    }  # fmt: skip
