"""PNG and PDF by the layout program: pixels are what the picture says, and what Chromium makes of its SVG."""

from __future__ import annotations

import io

import pytest

from autograd import Value, draw, tanh
from autograd.drawing import svg, xdot
from autograd.drawing.pen import Group, Image, Picture, Shape, Text

pytestmark = pytest.mark.usefixtures("program")


def opened(data: bytes):
    return pytest.importorskip("PIL.Image").open(io.BytesIO(data)).convert("RGB")


def colours(picture: Picture, *places: tuple[float, float]) -> list[str]:
    """The colours at these places, in points."""
    image = opened(xdot.png(picture))
    assert image.size == pytest.approx((2 * picture.width, 2 * picture.height), abs=1)
    return ["#{:02x}{:02x}{:02x}".format(*image.getpixel((round(2 * x), round(2 * y)))) for x, y in places]


def test_every_kind_of_piece_is_where_the_picture_says():
    red, green, blue, black = "#ff0000", "#00ff00", "#0000ff", "#000000"
    picture = Picture(100.0, 80.0, "#eeeeee", (
        Group((Shape("polygon", ((10.0, 10.0), (30.0, 10.0), (30.0, 20.0)), "", red),), "t", "n"),
        Shape("box", ((40.0, 10.0), (60.0, 30.0)), black, green, 2.0, 6.0),
        Shape("ellipse", ((80.0, 20.0), (10.0, 5.0)), blue, "", 2.0),
        Shape("line", ((10.0, 40.0), (30.0, 40.0), (30.0, 60.0)), red, "", 4.0),
        Shape("curve", ((40.0, 40.0), (40.0, 60.0), (60.0, 60.0), (60.0, 40.0)), blue, "", 4.0),
        Image((70.0, 40.0), 20.0, 20.0, ((red, green), (blue, black))),
    ))  # fmt: skip
    grey = picture.background
    assert colours(picture, (28, 12), (12, 19), (1, 1), (98, 78)) == [red, grey, grey, grey]
    assert colours(picture, (50, 20), (40, 20), (40.4, 10.4)) == [green, black, grey]  # the corner is round
    assert colours(picture, (80, 20), (70, 20), (71, 15.5)) == [grey, blue, grey]
    assert colours(picture, (20, 40), (30, 50), (20, 50)) == [red, red, grey]
    assert colours(picture, (50, 55), (50, 45)) == [blue, grey]
    assert colours(picture, (75, 45), (85, 45), (75, 55), (85, 55)) == [red, green, blue, black]


@pytest.mark.parametrize("align", ["left", "center", "right"])
@pytest.mark.parametrize("text", ["data", "<&>\\N]\"'", "Größe β", "\\"])
def test_a_text_stands_at_its_place_whatever_it_says(align, text):
    picture = Picture(200.0, 40.0, "#ffffff", (Text((100.0, 25.0), align, text, 11.0, True, "#000000"),))
    seen = opened(xdot.png(picture)).convert("L").point(lambda grey: 255 if grey < 128 else 0).getbbox()
    left, top, right, bottom = (length / 2 for length in seen)
    width = 0.602 * 11 * len(text)
    start = 100.0 - {"left": 0.0, "center": width / 2, "right": width}[align]
    assert start - 2 < left < right < start + width + 2
    assert right - left > width - 8
    assert 25.0 - 11.0 < top < bottom < 25.0 + 4.5
    if text == "data":
        assert bottom == pytest.approx(25.0, abs=1.6)  # programs know fonts by different measures


def test_it_is_what_chromium_makes_of_the_svg(browser):
    x, w = Value(2.0, label="x"), Value(-0.5, label="w")
    y = tanh(x * w + 0.25)
    y.backward()
    picture = draw(y).picture
    page = browser.new_page(viewport={"width": 1500, "height": 600})
    page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{svg.element(picture)}")
    expected = opened(page.locator("svg").screenshot()).convert("L")
    shown = opened(xdot.png(picture)).convert("L").resize(expected.size)
    differences = [abs(a - b) for a, b in zip(shown.tobytes(), expected.tobytes(), strict=True)]
    assert sum(differences) / len(differences) < 8
    assert sum(difference > 128 for difference in differences) / len(differences) < 0.02  # at the borders of letters


def test_a_picture_of_nothing_is_its_background():
    assert colours(Picture(20.0, 10.0, "#123456", ()), (10, 5)) == ["#123456"]


def test_a_program_that_writes_no_pdf_says_so(program):
    if program == "dot":
        assert xdot.pdf(Picture(20.0, 10.0, "#123456", ())).startswith(b"%PDF-")
    else:
        with pytest.raises(xdot.UnknownFormatError, match="not recognized"):
            xdot.pdf(Picture(20.0, 10.0, "#123456", ()))


def test_a_picture_may_have_any_number_of_shapes_and_any_length_of_line():
    """Graphviz reads at most 16,384 characters between two quotes."""
    green = Image((0.0, 0.0), 20.0, 10.0, (("#00ff00",) * 40,) * 20)
    zigzag = Shape("line", tuple((i / 100, 12.0 + i % 2) for i in range(2001)), "#0000ff", "", 2.0)
    assert colours(Picture(20.0, 20.0, "#ffffff", (green, zigzag)), (10, 5), (10, 12.5)) == ["#00ff00", "#0000ff"]


def test_a_large_picture_has_fewer_dots(monkeypatch):
    monkeypatch.setattr(xdot, "MOST_PIXELS", 10_000)
    image = opened(xdot.png(Picture(400.0, 100.0, "#ffffff", ())))
    assert image.size == pytest.approx((200, 50), abs=1)
