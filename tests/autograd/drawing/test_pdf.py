"""A PDF by matplotlib, where the layout program writes none, is the same picture."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from autograd import Value, tanh
from autograd.drawing import Drawing, draw, pdf, pen, xdot


def picture() -> Drawing:
    y = tanh(Value(2.0, label="weight") * -3.0)
    y.backward()
    return draw(y)


def refuse(picture: pen.Picture) -> bytes:
    raise xdot.UnknownFormatError('Format: "pdf" not recognized.')


def test_matplotlib_draws_it_where_the_layout_program_writes_none(monkeypatch):
    monkeypatch.setattr(xdot, "pdf", refuse)
    drawing = picture()
    assert drawing.pdf.startswith(b"%PDF-")
    assert drawing.pdf == pdf.picture(drawing.picture)


def test_the_same_picture_gives_the_same_bytes():
    assert pdf.picture(picture().picture) == pdf.picture(picture().picture)


def test_each_shape_and_text_is_drawn(monkeypatch):
    from matplotlib.figure import Figure

    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: figures.append(figure))
    image = pen.Image((5.0, 6.0), 20.0, 10.0, (("#ff0000", "#00ff00"),))
    drawn = replace(picture().picture, pieces=(*picture().picture.pieces, image))
    pdf.picture(drawn)
    [[axes]] = [figure.axes for figure in figures]
    pieces = [*pen.flat(drawn.pieces)]
    assert len(axes.patches) == sum(isinstance(piece, pen.Shape) for piece in pieces)
    texts = [piece for piece in pieces if isinstance(piece, pen.Text)]
    assert [(text.get_text(), text.get_position()) for text in axes.texts] == [(text.text, text.at) for text in texts]
    assert [shown.get_extent() for shown in axes.images] == [[5.0, 25.0, 16.0, 6.0]]
    assert figures[0].get_size_inches() * 72 == pytest.approx([drawn.width, drawn.height])
    assert (axes.get_xlim(), axes.get_ylim()) == ((0.0, drawn.width), (drawn.height, 0.0))


@pytest.mark.parametrize(("label", "shown"), [("漢字 1", "□□□□ 1"), ("δ_1", "δ_1"), ("$x^2$", "$x^2$")])
def test_a_character_that_the_font_does_not_have_is_a_square_for_each_column(label, shown):
    font = pdf.FontProperties(family="DejaVu Sans Mono")
    assert pdf.in_font(label, font) == shown
    assert pdf.picture(draw(Value(1.0, label=label)).picture).startswith(b"%PDF-")


def test_without_matplotlib_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from autograd import Value, draw\nfrom autograd.drawing import xdot\n"
        "def refuse(picture): raise xdot.UnknownFormatError('x')\n"
        "xdot.pdf = refuse\n"
        "draw(Value(1.0)).pdf"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ImportError: the layout program writes no PDF" in done.stderr
    assert "pip install matplotlib, or install Graphviz" in done.stderr
