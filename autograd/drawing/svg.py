"""A picture as an SVG element that fits into any page and looks alike in every renderer.

It has neither ids, classes, styles nor scripts, so pictures on one page do not meet.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections import Counter, defaultdict
from functools import lru_cache
from html import escape
from itertools import chain

from autograd.drawing.pen import Group, Image, Shape, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from autograd.drawing.pen import Picture, Piece, Point

    Attributes = Mapping[str, str]

# Unquoted, and first a font that is there: CairoSVG reads the first family alone, resvg finds no quoted one.
FONT_FAMILY = "DejaVu Sans Mono, Menlo, Consolas, Liberation Mono, Courier, monospace"
ANCHORS = {"left": "start", "center": "middle", "right": "end"}
DIGITS = 1  # behind the point
PIXELS = 96 / 72  # of a point; sizes have no unit, since resvg refuses points

# What an element is that says nothing, nor any group around it. Paths, texts, ... inherit all of these.
INITIAL = {
    "fill": "#000000", "stroke": "none", "stroke-width": "1", "font-size": "", "font-weight": "normal",
    "text-anchor": "start",
}  # fmt: skip


def element(picture: Picture, *, named: bool = False) -> str:
    """The picture as an SVG element, with a title, a description and a role for screen readers.

    It is as large as the picture. If `named`, groups and texts have their names as `data-name`, for a page's script.
    """
    width, height = picture.width, picture.height
    size = f'width="{number(width * PIXELS)}" height="{number(height * PIXELS)}"'
    title = f"<title>{escape(picture.title, quote=False)}</title>" if picture.title else ""
    description = f"<desc>{escape(picture.description, quote=False)}</desc>" if picture.description else ""
    shared = {"font-family": FONT_FAMILY, **common(picture.pieces, INITIAL)}
    pieces = chain.from_iterable(written(piece, INITIAL | shared, named) for piece in picture.pieces)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {number(width)} {number(height)}" role="img"'
        f'{attributes(shared)}>{title}{description}<rect width="100%" height="100%" fill="{picture.background}"'
        f"{attributes(own({'stroke': 'none'}, INITIAL | shared))}/>{''.join(pieces)}</svg>"
    )


def written(piece: Piece, around: Attributes, named: bool, *more: Shape) -> Iterator[str]:
    """The element of a piece, which inherits what the groups around it say, with more shapes of the same look."""
    name = f' data-name="{escape(piece.name)}"' if named and isinstance(piece, (Group, Text)) and piece.name else ""
    look = attributes(own(looks(piece), around))
    match piece:
        case Group():
            shared = common(piece.pieces, around)
            yield f"<g{name}{attributes(shared)}>"
            if piece.title:
                yield f"<title>{escape(piece.title, quote=False)}</title>"
            for part, *others in runs(piece.pieces):
                yield from written(part, {**around, **shared}, named, *others)
            yield "</g>"
        case Text():
            yield f'<text x="{number(piece.at[0])}" y="{number(piece.at[1])}"{look}{name}>{text(piece.text)}</text>'
        case Image():
            (x, y), data = piece.at, base64.b64encode(png(piece)).decode()
            size = f'width="{number(piece.width)}" height="{number(piece.height)}" preserveAspectRatio="none"'
            yield f'<image x="{number(x)}" y="{number(y)}" {size} image-rendering="pixelated" '
            yield f'href="data:image/png;base64,{data}"/>'
        case Shape():
            yield f"<{outline(piece, *more)}{look}/>"


# ---- Looks: a group says what most of its parts are, and the others say what they are instead.


def runs(pieces: Iterable[Piece]) -> Iterator[list[Any]]:
    """The pieces, with those together that can be one path: lines of the same look, one after the other."""
    run: list[Any] = []
    for piece in pieces:
        if run and not (is_line(piece) and is_line(run[-1]) and looks(piece) == looks(run[-1])):
            yield run
            run = []
        run.append(piece)
    if run:
        yield run


def is_line(piece: Piece) -> bool:
    return isinstance(piece, Shape) and piece.kind in ("curve", "line") and not piece.fill


def looks(piece: Piece) -> Attributes:
    """Colours, widths and fonts; of a group and an image nothing."""
    if isinstance(piece, Text):
        return look_of_text(piece.colour, piece.size, piece.bold, piece.align)
    if isinstance(piece, Shape):
        return look_of_shape(piece.fill, piece.line, piece.width)
    return NOTHING


# A picture has few looks, and asks for them often: each is made once.
NOTHING: Attributes = {}


@lru_cache(maxsize=1000)
def look_of_text(colour: str, size: float, bold: bool, align: str) -> Attributes:
    return {
        "fill": colour, "stroke": "none", "font-size": number(size), "font-weight": "bold" if bold else "normal",
        "text-anchor": ANCHORS[align],
    }  # fmt: skip


@lru_cache(maxsize=1000)
def look_of_shape(fill: str, line: str, width: float) -> Attributes:
    return {"fill": fill or "none", "stroke": line or "none", **({"stroke-width": number(width)} if line else {})}


def common(pieces: Iterable[Piece], around: Attributes) -> Attributes:
    """What most of the pieces, and of those within their groups, are, where that is not what is around them."""
    found = [*all_looks(pieces)]
    times_found, different = Counter(map(id, found)), {id(look): look for look in found}
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, look in different.items():
        for attribute, value in look.items():
            counts[attribute][value] += times_found[name]
    most = {attribute: count.most_common(1)[0] for attribute, count in counts.items()}
    return {
        attribute: value
        for attribute, (value, times) in most.items()
        if times > 1 and times > counts[attribute][around[attribute]] and value != around[attribute]
    }


def all_looks(pieces: Iterable[Piece]) -> Iterator[Attributes]:
    for piece in pieces:
        if isinstance(piece, Group):
            yield from all_looks(piece.pieces)
        else:
            yield looks(piece)


def own(look: Attributes, around: Attributes) -> Attributes:
    return {attribute: value for attribute, value in look.items() if value != around[attribute]}


def attributes(look: Attributes) -> str:
    return "".join(f' {attribute}="{value}"' for attribute, value in look.items())


# ---- Shapes, numbers, texts, images.


def outline(piece: Shape, *more: Shape) -> str:
    """The element's name and where it goes; more shapes of the same look are parts of one path."""
    points = piece.points
    if piece.kind == "ellipse":
        (x, y), (across, down) = points
        if number(across) == number(down):
            return f'circle cx="{number(x)}" cy="{number(y)}" r="{number(across)}"'
        return f'ellipse cx="{number(x)}" cy="{number(y)}" rx="{number(across)}" ry="{number(down)}"'
    if piece.kind == "box":
        (left, top), (right, bottom) = points
        size = f'width="{number(right - left)}" height="{number(bottom - top)}"'
        corners = f' rx="{number(piece.radius)}"' if piece.radius else ""
        return f'rect x="{number(left)}" y="{number(top)}" {size}{corners}'
    lines = (piece, *more)
    starts = [(0.0, 0.0), *(rounded(line.points[-1]) for line in lines[:-1])]
    return f'path d="M{"m".join("".join(commands(line, start)) for line, start in zip(lines, starts, strict=True))}"'


def commands(line: Shape, start: Point) -> Iterator[str]:
    """A path's commands, with distances, which are shorter than places. What is straight of a curve is a line.

    Distances are between rounded points, so that what is rounded away does not add up.
    """
    before, *points = map(rounded, line.points)
    yield distances(start, before)
    last, steps = "", 3 if line.kind == "curve" else 1
    for ends in (points[i : i + steps] for i in range(0, len(points), steps)):
        straight = all(control in (before, ends[-1]) for control in ends)
        command, numbers = "l" if straight else "c", distances(before, *(ends[-1:] if straight else ends))
        if straight and numbers.endswith(" 0"):
            command, numbers = "h", numbers.removesuffix(" 0")
        again = "" if numbers.startswith("-") else " "  # a command need not be said again
        yield f"{again if command == last else command}{numbers}"
        before, last = ends[-1], command
    yield "z" if line.kind == "polygon" else ""


def distances(start: Point, *ends: Point) -> str:
    """Numbers, with nothing between them where a sign is."""
    numbers = (number(end[i] - start[i]) for end in ends for i in (0, 1))
    return "".join(n if n.startswith("-") else f" {n}" for n in numbers).removeprefix(" ")


def rounded(at: Point) -> Point:
    return round(at[0], DIGITS), round(at[1], DIGITS)


@lru_cache(maxsize=10_000)
def number(length: float) -> str:
    """To a tenth of a point, which nobody sees; enlarged ten times, it is the width of a line."""
    written = f"{length:.{DIGITS}f}".removesuffix(".0")
    return "0" if written == "-0" else written


def text(written: str) -> str:
    """The text, escaped, with all of its spaces: XML would make one of several, and none of those at the ends."""
    if "  " in written or written != written.strip(" "):
        written = written.replace(" ", "\N{NO-BREAK SPACE}")
    return escape(written, quote=False)


def png(image: Image) -> bytes:
    """The image as the bytes of a PNG file, one pixel for each square."""
    rows = [bytes.fromhex("".join(colour[1:] for colour in row)) for row in image.rows]
    head = struct.pack(">IIBBBBB", len(image.rows[0]), len(rows), 8, 2, 0, 0, 0)  # 8 bits each of red, green, blue
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(chunk, [b"IHDR", b"IDAT", b"IEND"], [head, data, b""]))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
