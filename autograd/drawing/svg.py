"""A picture as an SVG element that fits into any page and looks alike in every renderer.

It has neither ids, classes, styles nor scripts, so pictures on one page do not meet.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections import Counter
from functools import lru_cache
from html import escape
from typing import NamedTuple

from autograd.drawing.pen import Group, Image, Shape, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from autograd.drawing.pen import Picture, Piece

# Unquoted, and first a font that is there: CairoSVG reads the first family alone, resvg finds no quoted one.
FONT_FAMILY = "DejaVu Sans Mono, Menlo, Consolas, Liberation Mono, Courier, monospace"
ANCHORS = {"left": "start", "center": "middle", "right": "end"}
PIXELS = 96 / 72  # of a point; sizes have no unit, since resvg refuses points


class Look(NamedTuple):
    """Colours, widths and fonts, None where nothing is said. Paths, texts, ... inherit all of these from groups."""

    fill: str | None = None
    stroke: str | None = None
    stroke_width: str | None = None
    font_size: str | None = None
    font_weight: str | None = None
    text_anchor: str | None = None


NOTHING = Look()
INITIAL = Look("#000000", "none", "1", "", "normal", "start")  # of what says nothing, nor any group around it
ATTRIBUTES = [name.replace("_", "-") for name in Look._fields]


def element(picture: Picture, *, named: bool = False) -> str:
    """The picture as an SVG element, with a title, a description and a role for screen readers.

    It is as large as the picture. If `named`, groups and texts have their names as `data-name`, for a page's script.
    """
    width, height = picture.width, picture.height
    size = f'width="{number(width * PIXELS)}" height="{number(height * PIXELS)}"'
    title = f"<title>{escape(picture.title, quote=False)}</title>" if picture.title else ""
    description = f"<desc>{escape(picture.description, quote=False)}</desc>" if picture.description else ""
    shared = common(picture.pieces, INITIAL)
    within = inherited(shared, INITIAL)
    pieces = "".join([written(piece, within, named) for piece in picture.pieces])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {number(width)} {number(height)}" role="img" '
        f'font-family="{FONT_FAMILY}"{attributes(shared, INITIAL)}>{title}{description}'
        f'<rect width="100%" height="100%" fill="{picture.background}"{attributes(Look(stroke="none"), within)}/>'
        f"{pieces}</svg>"
    )


def written(piece: Piece, around: Look, named: bool, *more: Shape) -> str:
    """The element of a piece, which inherits what the groups around it say, with more shapes of the same look."""
    match piece:
        case Group():
            shared = common(piece.pieces, around)
            title = f"<title>{escape(piece.title, quote=False)}</title>" if piece.title else ""
            name, look, within = name_of(piece, named), attributes(shared, around), inherited(shared, around)
            parts = "".join([written(part, within, named, *others) for part, *others in runs(piece.pieces)])
            return f"<g{name}{look}>{title}{parts}</g>"
        case Text():
            place = f'x="{number(piece.at[0])}" y="{number(piece.at[1])}"'
            look = attributes(looks(piece), around)
            return f"<text {place}{look}{name_of(piece, named)}>{text(piece.text)}</text>"
        case Image():
            (x, y), data = piece.at, base64.b64encode(png(piece)).decode()
            size = f'width="{number(piece.width)}" height="{number(piece.height)}" preserveAspectRatio="none"'
            place = f'x="{number(x)}" y="{number(y)}" {size} image-rendering="pixelated"'
            return f'<image {place} href="data:image/png;base64,{data}"/>'
        case Shape():
            return f"<{outline(piece, *more)}{attributes(looks(piece), around)}/>"


def name_of(piece: Group | Text, named: bool) -> str:
    return f' data-name="{escape(piece.name)}"' if named and piece.name else ""


# ---- Looks: a group says what most of its parts are, and the others say what they are instead.
# A picture has few looks, and asks for them often: each is made once.


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


def looks(piece: Piece) -> Look:
    """Colours, widths and fonts; of a group and an image nothing."""
    if isinstance(piece, Text):
        return look_of_text(piece.colour, piece.size, piece.bold, piece.align)
    if isinstance(piece, Shape):
        return look_of_shape(piece.fill, piece.line, piece.width)
    return NOTHING


@lru_cache(maxsize=1000)
def look_of_text(colour: str, size: float, bold: bool, align: str) -> Look:
    return Look(colour, "none", None, number(size), "bold" if bold else "normal", ANCHORS[align])


@lru_cache(maxsize=1000)
def look_of_shape(fill: str, line: str, width: float) -> Look:
    return Look(fill or "none", line or "none", number(width) if line else None)


def common(pieces: Iterable[Piece], around: Look) -> Look:
    """What most of the pieces, and of those within their groups, are, where that is not what is around them."""
    return most(tuple(Counter(all_looks(pieces)).items()), around)


@lru_cache(maxsize=1000)
def most(times: tuple[tuple[Look, int], ...], around: Look) -> Look:
    """Of each attribute the value that occurs most often, if that is twice and more often than what is around."""
    found: list[str | None] = []
    for place, outer in enumerate(around):
        count: Counter[str] = Counter()
        for look, often in times:
            if (value := look[place]) is not None:
                count[value] += often
        [(value, often)] = count.most_common(1) or [("", 0)]
        found.append(value if often > max(1, count[outer or ""]) else None)
    return Look(*found)


def all_looks(pieces: Iterable[Piece]) -> Iterator[Look]:
    for piece in pieces:
        if isinstance(piece, Group):
            yield from all_looks(piece.pieces)
        else:
            yield looks(piece)


@lru_cache(maxsize=1000)
def inherited(look: Look, around: Look) -> Look:
    """What the parts of a group inherit that says so much."""
    return Look(*(outer if value is None else value for value, outer in zip(look, around, strict=True)))


@lru_cache(maxsize=1000)
def attributes(look: Look, around: Look) -> str:
    """What has to be said of a look."""
    pairs = zip(ATTRIBUTES, look, around, strict=True)
    return "".join(f' {name}="{value}"' for name, value, outer in pairs if value is not None and value != outer)


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
    starts = [(0, 0), *(tenths(line.points[-1]) for line in lines[:-1])]
    return f'path d="M{"m".join([commands(line, start) for line, start in zip(lines, starts, strict=True)])}"'


def commands(line: Shape, start: tuple[int, int]) -> str:
    """A path's commands, with distances, which are shorter than places. What is straight of a curve is a line.

    Distances are between rounded points, so that what is rounded away does not add up.
    """
    at, *points = map(tenths, line.points)
    written = [distances(at[0] - start[0], at[1] - start[1])]
    last, steps = "", 3 if line.kind == "curve" else 1
    for i in range(0, len(points), steps):
        (x, y), end = at, points[i + steps - 1]
        if any(control not in (at, end) for control in points[i : i + steps - 1]):
            (u, v), (s, t) = points[i : i + 2]
            command, numbers = "c", distances(u - x, v - y, s - x, t - y, end[0] - x, end[1] - y)
        elif end[1] == y:
            command, numbers = "h", distances(end[0] - x)
        elif end[0] == x:
            command, numbers = "v", distances(end[1] - y)
        else:
            command, numbers = "l", distances(end[0] - x, end[1] - y)
        again = "" if numbers.startswith("-") else " "  # a command need not be said again
        written.append((again if command == last else command) + numbers)
        at, last = end, command
    return "".join(written) + ("z" if line.kind == "polygon" else "")


def distances(*lengths: int) -> str:
    """Numbers, in tenths, with nothing between them where a sign is."""
    return "".join(map(spaced, lengths)).removeprefix(" ")


@lru_cache(maxsize=10_000)
def spaced(length: int) -> str:
    return f"{'' if length < 0 else ' '}{number(length / 10)}"


def tenths(at: tuple[float, float]) -> tuple[int, int]:
    return round(at[0] * 10), round(at[1] * 10)


@lru_cache(maxsize=10_000)
def number(length: float) -> str:
    """To a tenth of a point, which nobody sees; enlarged ten times, it is the width of a line."""
    written = f"{length:.1f}".removesuffix(".0")
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
