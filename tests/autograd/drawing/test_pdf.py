"""A PDF by matplotlib, where the layout program writes none, is the same picture."""

from __future__ import annotations

import subprocess
import sys

import pytest

from autograd import Value, tanh
from autograd.drawing import Drawing, draw, layout, pdf, pen


def picture() -> Drawing:
    y = tanh(Value(2.0, label="weight") * -3.0)
    y.backward()
    return draw(y)


def refuse(dot: str) -> bytes:
    raise layout.UnknownFormatError('Format: "pdf" not recognized.')


def test_matplotlib_draws_it_where_the_layout_program_writes_none(monkeypatch):
    monkeypatch.setattr(layout, "pdf_of", refuse)
    drawing = picture()
    assert drawing.pdf.startswith(b"%PDF-")
    assert drawing.pdf == pdf.picture([*pen.drawn(drawing.svg)])


def test_the_same_picture_gives_the_same_bytes():
    pieces = [*pen.drawn(picture().svg)]
    assert pdf.picture(pieces) == pdf.picture(pieces)


def test_each_shape_and_text_is_drawn(monkeypatch):
    from matplotlib.figure import Figure

    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: figures.append(figure))
    pieces = [*pen.drawn(picture().svg)]
    pdf.picture(pieces)
    [[axes]] = [figure.axes for figure in figures]
    assert len(axes.patches) == sum(isinstance(piece, pen.Shape) for piece in pieces)
    texts = [piece for piece in pieces if isinstance(piece, pen.Text)]
    assert [(text.get_text(), text.get_position()) for text in axes.texts] == [(text.text, text.at) for text in texts]
    left, bottom, right, top = pen.extent(pieces)
    assert figures[0].get_size_inches() * 72 == pytest.approx([right - left, top - bottom])


@pytest.mark.parametrize(("label", "shown"), [("漢字 1", "□□□□ 1"), ("δ_1", "δ_1"), ("$x^2$", "$x^2$")])
def test_a_character_that_the_font_does_not_have_is_a_square_for_each_column(label, shown):
    font = pdf.FontProperties(family="DejaVu Sans Mono")
    assert pdf.in_font(label, font) == shown
    assert pdf.picture([*pen.drawn(draw(Value(1.0, label=label)).svg)]).startswith(b"%PDF-")


def test_without_matplotlib_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from autograd import Value, draw\nfrom autograd.drawing import layout\n"
        "def refuse(dot): raise layout.UnknownFormatError('x')\n"
        "layout.pdf_of = refuse\n"
        "draw(Value(1.0)).pdf"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ImportError: the layout program writes no PDF" in done.stderr
    assert "pip install matplotlib, or install Graphviz" in done.stderr
