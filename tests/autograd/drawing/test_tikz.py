"""The picture in TikZ has every shape and text of the SVG, and no label is read as a command of TeX."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from autograd import Value, leaky_relu
from autograd.drawing import draw, pen, tikz

pytestmark = pytest.mark.usefixtures("program")

HOSTILE = [
    "_",
    "%",
    "# $&",
    "\\ \\par",
    "{",
    "}}",
    "^^M~",
    "x_1^2",
    "--",
    "`'\"<>",
    "Größe ą",
    "δη₁ Δ²",
    "漢字",
    "🙂",
    "и",
]

COMMANDS = {name: shutil.which(name) for name in ("pdflatex", "lualatex", "tectonic")}  # `program` changes the path


def graph(label: str):
    y = leaky_relu(Value(2.0, label=label) * -3.0)
    y.backward()
    return y


def test_every_piece_of_the_picture_is_drawn_at_its_place():
    picture = draw(graph("a"))
    pieces = [*pen.flat(picture.picture.pieces)]
    shapes = [piece for piece in pieces if isinstance(piece, pen.Shape)]
    assert len(re.findall(r"^\\path", picture.tikz, re.MULTILINE)) == len(shapes) + 1  # the background
    texts = [piece for piece in pieces if isinstance(piece, pen.Text)]
    written = re.findall(r"^\\node\[anchor=(.*?),.*\] at \((.*),(.*)\) \{", picture.tikz, re.MULTILINE)
    assert [float(x) for _, x, _ in written] == pytest.approx([text.at[0] for text in texts], abs=0.1)
    assert [float(y) for _, _, y in written] == pytest.approx([text.at[1] for text in texts], abs=0.1)
    assert picture.tikz.count("controls") == sum(len(p.points) // 3 for p in shapes if p.kind == "curve")
    assert picture.tikz.count(" rectangle ") == sum(piece.kind == "box" for piece in shapes)


def test_an_image_is_its_squares():
    image = pen.Image((5.0, 6.0), 20.0, 10.0, (("#ff0000", "#00ff00"), ("#0000ff", "#ff0000")))
    written = tikz.picture(pen.Picture(30.0, 20.0, "#ffffff", (image,)))
    assert r"\path[fill=colour00ff00] (15,6) -- (25,6) -- (25,11) -- (15,11) -- cycle;" in written
    assert written.count("fill=colourff0000") == 2


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("ab 1", "ab~1"),
        ("x_1", r"x\char" + '"5F{}1'),
        ("\\{%}", r'\char"5C{}\char"7B{}\char"25{}\char"7D{}'),
        ("η", r"\ensuremath{\eta}"),
        ("Δλ", r"\ensuremath{\Delta}\ensuremath{\lambda}"),
        ("Α", r"\character{Α}{0391}{1}"),
        ("w₁²", r"w\textsubscript{1}\textsuperscript{2}"),
        ("漢é", r"\character{漢}{6F22}{2}\character{é}{00E9}{1}"),
    ],
)
def test_a_character_is_written_as_latex_has_it(written, expected):
    assert "".join(tikz.in_latex(written)) == expected


@pytest.mark.parametrize("label", HOSTILE)
def test_no_label_is_read_as_a_command(label):
    """In every text, braces are balanced, and no other character stands that TeX reads as more than itself."""
    for line in draw(graph(label)).tikz.split("\\begin{tikzpicture}")[1].splitlines():
        if line.startswith("\\node"):
            text = line.partition("} at")[2] or line.partition(" at ")[2]
            depth = 0
            for character in text:
                depth += {"{": 1, "}": -1}.get(character, 0)
                assert depth >= 0
            assert depth == 0
            assert not set(re.sub(r"\\[A-Za-z]+", "", text)) & set("%#$&^_\\")


def test_a_document_has_the_size_of_the_picture():
    picture = draw(graph("a"))
    size = f"paperwidth={picture.picture.width:g}bp, paperheight={picture.picture.height:g}bp"
    assert size in picture.tex
    assert picture.tikz in picture.tex


@pytest.mark.slow
@pytest.mark.parametrize("tex", COMMANDS)
def test_latex_makes_one_page_of_it(tex, tmp_path):
    """With every hostile label in one picture."""
    command = COMMANDS[tex]
    if command is None:
        pytest.skip(f"{tex} is not installed")
    values = [graph(label) for label in HOSTILE]
    picture = draw(*values, theme="dark")
    picture.save(tmp_path / "x.tex")
    options = [] if tex == "tectonic" else ["-interaction=nonstopmode", "-halt-on-error"]
    path = os.environ | {"PATH": os.pathsep.join([os.path.dirname(command), os.defpath])}
    done = subprocess.run([command, *options, "x.tex"], cwd=tmp_path, env=path, capture_output=True, check=False)
    log = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    assert done.returncode == 0, log
    assert "Overfull" not in log
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF-")
    if tex != "tectonic":
        assert "(1 page" in re.sub(r"\n", "", log)
