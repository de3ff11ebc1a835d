"""A picture as an SVG element that fits into any page and looks alike in every renderer.

It has neither ids, classes, styles nor scripts, so pictures on one page do not meet.
"""

from __future__ import annotations

import base64
import struct
import zlib
from html import escape
from itertools import chain

from autograd.drawing.pen import Group, Image, Shape, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograd.drawing.pen import Picture, Piece, Point

# Unquoted, and first a font that is there: CairoSVG reads the first family alone, resvg finds no quoted one.
FONT_FAMILY = "DejaVu Sans Mono, Menlo, Consolas, Liberation Mono, Courier, monospace"
ANCHORS = {"left": "start", "center": "middle", "right": "end"}


def element(picture: Picture) -> str:
    """The picture as an SVG element, with a title, a description and a role for screen readers."""
    size = f'width="{number(picture.width)}" height="{number(picture.height)}"'
    box = f"0 0 {number(picture.width)} {number(picture.height)}"
    title = f"<title>{text(picture.title)}</title>" if picture.title else ""
    description = f"<desc>{text(picture.description)}</desc>" if picture.description else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="{box}" role="img" font-family="{FONT_FAMILY}">'
        f'{title}{description}<rect width="100%" height="100%" fill="{picture.background}"/>'
        f"{''.join(chain.from_iterable(map(written, picture.pieces)))}</svg>"
    )


def written(piece: Piece) -> Iterator[str]:
    match piece:
        case Group():
            name = f' data-name="{escape(piece.name)}"' if piece.name else ""
            yield f"<g{name}>"
            if piece.title:
                yield f"<title>{text(piece.title)}</title>"
            for part in piece.pieces:
                yield from written(part)
            yield "</g>"
        case Text():
            yield from of_text(piece)
        case Image():
            (x, y), data = piece.at, base64.b64encode(png(piece)).decode()
            size = f'width="{number(piece.width)}" height="{number(piece.height)}"'
            yield f'<image x="{number(x)}" y="{number(y)}" {size} '
            yield f'style="image-rendering:pixelated" preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'
        case Shape():
            line = f' stroke="{piece.line}" stroke-width="{number(piece.width)}"' if piece.line else ""
            yield f'<{outline(piece)} fill="{piece.fill or "none"}"{line}/>'


def of_text(piece: Text) -> Iterator[str]:
    (x, y), anchor = piece.at, ANCHORS[piece.align]
    name = f' data-name="{escape(piece.name)}"' if piece.name else ""
    bold = ' font-weight="bold"' if piece.bold else ""
    at = f'x="{number(x)}" y="{number(y)}"'
    yield f'<text {at} text-anchor="{anchor}" font-size="{number(piece.size)}" fill="{piece.colour}"{bold}{name}>'
    yield f"{text(piece.text)}</text>"


def outline(piece: Shape) -> str:
    """The element's name and where it goes."""
    points = piece.points
    if piece.kind == "ellipse":
        (x, y), (across, down) = points
        return f'ellipse cx="{number(x)}" cy="{number(y)}" rx="{number(across)}" ry="{number(down)}"'
    if piece.kind == "box":
        (left, top), (right, bottom) = points
        size = f'width="{number(right - left)}" height="{number(bottom - top)}"'
        return f'rect x="{number(left)}" y="{number(top)}" {size} rx="{number(piece.radius)}"'
    if piece.kind == "curve":
        return f'path d="M{point(points[0])}C{" ".join(map(point, points[1:]))}"'
    kind = {"polygon": "polygon", "line": "polyline"}[piece.kind]
    return f'{kind} points="{" ".join(map(point, points))}"'


def point(at: Point) -> str:
    return f"{number(at[0])},{number(at[1])}"


def number(length: float) -> str:
    """To a hundredth of a point, which nobody sees."""
    return f"{length:.2f}".rstrip("0").rstrip(".")


def text(written: str) -> str:
    return escape(written, quote=False)


def png(image: Image) -> bytes:
    """The image as the bytes of a PNG file, one pixel for each square."""
    rows = [bytes.fromhex("".join(colour[1:] for colour in row)) for row in image.rows]
    head = struct.pack(">IIBBBBB", len(image.rows[0]), len(rows), 8, 2, 0, 0, 0)  # 8 bits each of red, green, blue
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(chunk, [b"IHDR", b"IDAT", b"IEND"], [head, data, b""]))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
