"""An SVG says what its picture says, whatever groups say for their parts; every renderer that there is shows the same.

Renderers are Chromium, CairoSVG, resvg (for Python and for Node), and librsvg; of these, tests use what is installed.
"""

from __future__ import annotations

import io
import random
import re
import shutil
import struct
import subprocess
import zlib
from base64 import b64decode
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from autograd import Value, draw, leaky_relu, tanh
from autograd.drawing import svg
from autograd.drawing.pen import Group, Image, Picture, Shape, Text, flat

SVG = "{http://www.w3.org/2000/svg}"
COLOURS = ["#000000", "#ff0000", "#00ff00", "#1f2933"]


# ---- What is read back.


def read(element: ElementTree.Element, around: dict[str, str]) -> list[tuple[str, dict[str, str], str]]:
    """Every element that is drawn: its kind, its attributes with those that it inherits, and its text."""
    inherited = {name: value for name, value in element.attrib.items() if name in svg.ATTRIBUTES}
    look = around | inherited
    kind = element.tag.removeprefix(SVG)
    if kind in ("svg", "g"):
        return [found for part in element for found in read(part, look)]
    return [] if kind in ("title", "desc") else [(kind, look | element.attrib, element.text or "")]


def points(path: str) -> list[list[tuple[float, float]]]:
    """The places that a path with distances goes through, in parts that begin with M or m."""
    parts: list[list[tuple[float, float]]] = []
    at = (0.0, 0.0)
    for command, written in re.findall(r"([MmclhvzZ])([^MmclhvzZ]*)", path):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", written)]
        if command in "Mm":
            at = (numbers[0] + at[0], numbers[1] + at[1]) if command == "m" else (numbers[0], numbers[1])
            parts.append([at])
            continue
        if command == "h":
            numbers = [part for distance in numbers for part in (distance, 0.0)]
        if command == "v":
            numbers = [part for distance in numbers for part in (0.0, distance)]
        steps = 3 if command == "c" else 1
        for i in range(0, len(numbers), 2 * steps):
            ends = [(at[0] + numbers[i + k], at[1] + numbers[i + k + 1]) for k in range(0, 2 * steps, 2)]
            parts[-1] += ends if command == "c" else [at, ends[-1], ends[-1]]
            at = ends[-1]
    return parts


def random_shape(generator: random.Random) -> Shape:
    def at():
        return generator.choice([0.0, 7.0, 12.345, 1000.06]), generator.uniform(-1.0, 20.0)

    kind = generator.choice(["polygon", "line", "curve", "box", "ellipse"])
    number = {"box": 2, "ellipse": 2, "curve": 3 * generator.randint(1, 4) + 1}.get(kind, 3)
    fill = generator.choice(["", *COLOURS])
    line = generator.choice(["", *COLOURS]) if fill else generator.choice(COLOURS)
    return Shape(kind, tuple(at() for _ in range(number)), line, fill, generator.choice([1.0, 2.5]))


def random_piece(generator: random.Random, depth: int = 3) -> Shape | Text | Group:
    if depth and generator.random() < 0.5:
        pieces = tuple(random_piece(generator, depth - 1) for _ in range(generator.randint(0, 5)))
        return Group(pieces, generator.choice(["", "a < b\nc"]), generator.choice(["", "v1"]))
    if generator.random() < 0.5:
        align = generator.choice(["left", "center", "right"])
        bold, size = generator.random() < 0.5, generator.choice([10.0, 11.0])
        return Text((1.25, 2.0), align, generator.choice(["a", "<&>"]), size, bold, generator.choice(COLOURS))
    return random_shape(generator)


@pytest.mark.parametrize("seed", range(100))
def test_every_piece_looks_as_the_picture_says(seed):
    generator = random.Random(seed)
    pieces = tuple(random_piece(generator) for _ in range(4))
    written = svg.element(Picture(30.0, 20.0, "#ffffff", pieces, "title", "description"))
    background, *drawn = read(ElementTree.fromstring(written), dict(zip(svg.ATTRIBUTES, svg.INITIAL, strict=True)))
    assert (background[1]["fill"], background[1]["stroke"]) == ("#ffffff", "none")
    expected = [*flat(pieces)]
    found = []
    for kind, look, text in drawn:
        parts = points(look["d"]) if kind == "path" else [[]]
        found += [(kind, look, text, part) for part in parts]
    assert len(found) == len(expected)
    for piece, (kind, look, text, part) in zip(expected, found, strict=True):
        if isinstance(piece, Text):
            assert (kind, text, look["fill"], look["stroke"]) == ("text", piece.text, piece.colour, "none")
            assert (float(look["font-size"]), look["font-weight"] == "bold") == (piece.size, piece.bold)
            assert look["text-anchor"] == svg.ANCHORS[piece.align]
            continue
        assert (look["fill"], look["stroke"]) == (piece.fill or "none", piece.line or "none")
        assert not piece.line or float(look["stroke-width"]) == piece.width
        assert kind in {"box": {"rect"}, "ellipse": {"ellipse", "circle"}}.get(piece.kind, {"path"})
        if piece.kind == "curve":
            assert_near(part, piece)
        elif kind == "path":
            ends = [part[0], *part[3::3]]
            assert all(
                abs(x - u) < 0.06 and abs(y - v) < 0.06 for (x, y), (u, v) in zip(ends, piece.points, strict=True)
            )
            assert look["d"].count("z") == (piece.kind == "polygon")


def assert_near(part, piece):
    """What was straight has other controls, on the same line."""
    assert len(part) == len(piece.points)
    for i in range(0, len(part) - 1, 3):
        straight = part[i + 1] == part[i] and part[i + 2] == part[i + 3]
        for k in (0, 3) if straight else range(4):
            assert part[i + k] == pytest.approx(piece.points[i + k], abs=0.06)


def test_a_path_ends_where_it_should_however_long_it_is():
    """What rounding takes away from one distance, the next one has."""
    step = 1 / 3
    curve = Shape("curve", tuple((i * step, i * step) for i in range(3001)), "#000000")
    [part] = points(svg.outline(curve).partition('"')[2])
    assert part[-1] == pytest.approx((1000.0, 1000.0), abs=0.06)
    assert max(abs(one[0] - i * step) for i, one in enumerate(part)) < 0.06


def test_lines_of_one_look_are_one_path_and_others_are_not():
    line = Shape("line", ((0.0, 0.0), (5.0, 5.0)), "#000000")
    curve = Shape("curve", ((5.0, 5.0), (6.0, 5.0), (7.0, 6.0), (7.0, 7.5)), "#000000")
    other = Shape("line", ((0.0, 0.0), (5.0, 5.0)), "#ff0000")
    one = svg.element(Picture(9.0, 9.0, "#ffffff", (Group((line, curve, other)),)))
    assert re.findall(' d="(.*?)"', one) == ["M0 0l5 5m0 0c1 0 2 1 2 2.5", "M0 0l5 5"]


@pytest.mark.parametrize(("text", "shown"), [("a b", "a b"), ("  a", "__a"), ("a  b c", "a__b_c"), (" ", "_")])
def test_all_spaces_of_a_text_are_seen(text, shown):
    written = svg.element(Picture(9.0, 9.0, "#ffffff", (Text((0.0, 0.0), "left", text, 11.0, False, "#000000"),)))
    [element] = ElementTree.fromstring(written).iter(f"{SVG}text")
    assert element.text.replace("\N{NO-BREAK SPACE}", "_") == shown


def test_names_are_for_pages_alone():
    picture = Picture(9.0, 9.0, "#ffffff", (Group((), "", 'a"<b'),))
    assert "data-name" not in svg.element(picture)
    [group] = ElementTree.fromstring(svg.element(picture, named=True)).iter(f"{SVG}g")
    assert group.attrib == {"data-name": 'a"<b'}


def test_an_image_is_a_png_with_a_pixel_for_each_square():
    image = Image((1.0, 2.0), 30.0, 10.0, (("#ff0000", "#00ff00", "#0000ff"), ("#000000", "#ffffff", "#010203")))
    written = svg.element(Picture(40.0, 20.0, "#ffffff", (image,)))
    [element] = ElementTree.fromstring(written).iter(f"{SVG}image")
    assert [element.get(name) for name in ("x", "y", "width", "height")] == ["1", "2", "30", "10"]
    data = b64decode(element.attrib["href"].partition(",")[2])
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        content = data[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + content) == struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0]
        chunks[kind] = content
        at += 12 + length
    assert struct.unpack(">II", chunks[b"IHDR"][:8]) == (3, 2)
    assert zlib.decompress(chunks[b"IDAT"]).hex(" ", 1).split("00", 1)[0] == ""
    assert zlib.decompress(chunks[b"IDAT"]) == bytes.fromhex("00ff000000ff000000ff00000000ffffff010203")


# ---- Every renderer.


def picture() -> Picture:
    """Boxes, circles, ellipses, edges of all signs and widths, and texts of every alignment."""
    x, w, b = Value(2.0, label="x"), Value(-0.5, label="weight[1]"), Value(1.25, label="Größe β₁ <&>")
    y = tanh(leaky_relu(x * w + b) * w + 0 * x)
    y.label = "result"
    y.backward()
    return draw(y).picture


def by_cairosvg(text: str, size: tuple[int, int]) -> bytes:
    try:
        import cairosvg
    except (ImportError, OSError) as error:  # without the library cairo
        pytest.skip(f"CairoSVG is not there: {error}")
    return cairosvg.svg2png(bytestring=text.encode())


def by_resvg(text: str, size: tuple[int, int]) -> bytes:
    return bytes(pytest.importorskip("resvg_py").svg_to_bytes(svg_string=text))


RESVG_JS = """
const { Resvg } = require("@resvg/resvg-js");
process.stdout.write(new Resvg(require("fs").readFileSync(0, "utf8")).render().asPng());
"""


def by_program(*command: str):
    def rendered(text: str, size: tuple[int, int]) -> bytes:
        if not shutil.which(command[0]):
            pytest.skip(f"{command[0]} is not installed")
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
        if b"Cannot find module" in done.stderr:
            pytest.skip("@resvg/resvg-js is not installed")
        assert done.returncode == 0, done.stderr
        return done.stdout

    return rendered


RENDERERS = {
    "CairoSVG": by_cairosvg,
    "resvg-py": by_resvg,
    "resvg-js": by_program("node", "-e", RESVG_JS),
    "rsvg-convert": by_program("rsvg-convert"),
}


def pixels(data: bytes):
    image = pytest.importorskip("PIL.Image").open(io.BytesIO(data)).convert("RGBA")
    white = image.copy()
    white.paste("white", (0, 0, *image.size))
    white.alpha_composite(image)
    return white.convert("L")


@pytest.fixture(scope="module")
def in_chromium(browser):
    page = browser.new_page(viewport={"width": 1500, "height": 600})
    page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{svg.element(picture())}")
    return pixels(page.locator("svg").screenshot())


@pytest.mark.parametrize("renderer", RENDERERS)
def test_every_renderer_shows_the_same_picture(renderer, in_chromium):
    """Every text is at its place and has its size; the rest differs by how lines are smoothed.

    CairoSVG aligns what is seen of a text, and not its width, to the right: "]" then lies two or three pixels further.
    """
    if not shutil.which("fc-list") or b"DejaVu Sans Mono" not in subprocess.run("fc-list", capture_output=True).stdout:
        pytest.skip("the font DejaVu Sans Mono is not installed")
    drawn = picture()
    shown = pixels(RENDERERS[renderer](svg.element(drawn), in_chromium.size))
    assert shown.size == pytest.approx(in_chromium.size, abs=1)
    shown = shown.crop((0, 0, *in_chromium.size))
    texts = [piece for piece in flat(drawn.pieces) if isinstance(piece, Text)]
    assert {text.align for text in texts} == {"left", "center", "right"}
    for text in texts:
        assert ink(shown, text) == pytest.approx(ink(in_chromium, text), abs=3), text
    differences = [abs(a - b) for a, b in zip(shown.tobytes(), in_chromium.tobytes(), strict=True)]
    assert sum(differences) / len(differences) < 4


def ink(image, text: Text) -> tuple[int, int, int, int]:
    """From where to where the text goes, in pixels, as the background around it shows."""
    width, (x, y) = len(text.text) * 0.602 * text.size, text.at
    left = x - {"left": 0.0, "center": width / 2, "right": width}[text.align]
    box = [left - 1, y - 0.78 * text.size, left + width + 1, y + 0.2 * text.size]
    cut = image.crop([round(length * svg.PIXELS) for length in box])
    light = max(cut.getextrema())
    found = cut.point(lambda grey: 255 if grey < light - 40 else 0).getbbox()
    assert found, text
    return found


def test_in_chromium_it_has_its_size_and_its_background(browser):
    page = browser.new_page(viewport={"width": 1500, "height": 600})
    page.set_content(f'<body style="background: red">{svg.element(picture())}')
    box = page.locator("svg").bounding_box()
    drawn = picture()
    assert box["width"] == pytest.approx(drawn.width * 96 / 72, abs=0.1)
    assert box["height"] == pytest.approx(drawn.height * 96 / 72, abs=0.1)
    assert page.get_by_role("img", name="result").count() == 1
    corner = pixels(page.locator("svg").screenshot())
    assert corner.getpixel((1, 1)) == corner.getpixel((corner.width - 3, corner.height - 3)) == 255


def test_curves_in_a_row_are_joined(browser):
    """A path of several shapes is drawn as they are one by one: Chromium measures the same length."""
    shapes = [p for p in flat(picture().pieces) if isinstance(p, Shape) and p.kind in ("curve", "line")]
    page = browser.new_page()
    page.set_content("<svg></svg>")
    length = """d => { const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
        path.setAttribute("d", d); return path.getTotalLength(); }"""

    def measured(*lines):
        return page.evaluate(length, svg.outline(*lines).partition('"')[2].rstrip('"'))

    for one, other in pairwise(shapes):
        assert measured(one, other) == pytest.approx(measured(one) + measured(other), abs=0.5)
