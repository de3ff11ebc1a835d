r"""A picture in TikZ, for handouts in LaTeX: `picture` is the environment, `document` a document of this one page.

Text is set in the document's own monospaced font, scaled to the width that the layout has measured. A character that
this font does not have stands as its number, U+6F22, as small as it must be.
"""

from __future__ import annotations

import unicodedata

from autograd.drawing.pen import Image, Shape, Text, corners, flat, squares
from autograd.drawing.svg import number as length
from autograd.wording import columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograd.drawing.pen import Picture, Point

SPECIAL = frozenset(
    "\\{}$&#^_%~`'\"<>-"
)  # as commands, or for ligatures; monospaced fonts have them at their ASCII place
# The letters that have a command of their own; capitals that look like Latin ones have none.
GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
    "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
}  # fmt: skip

# \scale is for a font of one point: all of the layout's characters are 0.6 of their size wide, one \column or two.
# \character asks the font (XeTeX, LuaTeX) or LaTeX's table of input characters (pdfTeX) for one that is not ASCII.
HEAD = r"""
\begingroup
\setbox0\hbox{\ttfamily 0}%
\pgfmathsetmacro\scale{0.60225/\wd0}%
\edef\column{\the\wd0}%
\def\unknown#1#2{\resizebox{\dimexpr\column*#2\relax}{!}{U+#1}}%
\ifdefined\Umathchar
\def\character#1#2#3{\iffontchar\font"#2 #1\else\unknown{#2}{#3}\fi}%
\else
\def\character#1#2#3{\ifcsname u8:\detokenize{#1}\endcsname#1\else\unknown{#2}{#3}\fi}%
\def\TextSymbolUnavailable#1{?}%
\fi
\begin{tikzpicture}[x=1bp, y=-1bp, inner sep=0pt, outer sep=0pt]
""".lstrip()
TAIL = "\\end{tikzpicture}%\n\\endgroup\n"

DOCUMENT = r"""
\documentclass{article}
\ifdefined\Umathchar\else\IfFileExists{lmodern.sty}{\usepackage[T1]{fontenc}\usepackage{lmodern}}{}\fi
\usepackage{tikz}
\usepackage[paperwidth=%gbp, paperheight=%gbp, margin=0pt]{geometry}
\pagestyle{empty}
\parindent=0pt
\topskip=0pt
\begin{document}
%s\end{document}
""".lstrip()


def document(drawn: Picture) -> str:
    """A document of one page, which has the size of the picture."""
    return DOCUMENT % (drawn.width, drawn.height, picture(drawn))


def picture(drawn: Picture) -> str:
    r"""The environment `tikzpicture`, with its own colours and measures; it needs \usepackage{tikz}."""
    background = Shape("polygon", corners(0.0, 0.0, drawn.width, drawn.height), fill=drawn.background)
    pieces: list[Shape | Text] = [background]
    for piece in flat(drawn.pieces):
        pieces += squares(piece) if isinstance(piece, Image) else [piece]
    colours = sorted({colour for piece in pieces for colour in colours_of(piece) if colour})
    defined = [f"\\definecolor{{{name(colour)}}}{{HTML}}{{{colour[1:]}}}\n" for colour in colours]
    written = [shape(piece) if isinstance(piece, Shape) else text(piece) for piece in pieces]
    return "".join([HEAD, *defined, *written, TAIL])


def colours_of(piece: Shape | Text) -> tuple[str, ...]:
    return (piece.line, piece.fill) if isinstance(piece, Shape) else (piece.colour,)


def name(colour: str) -> str:
    """What TikZ calls a colour that is #rrggbb."""
    return f"colour{colour[1:]}"


def shape(piece: Shape) -> str:
    options = [f"{what}={name(colour)}" for what, colour in (("draw", piece.line), ("fill", piece.fill)) if colour]
    options += [f"line width={length(piece.width)}bp"] if piece.line else []
    options += [f"rounded corners={length(piece.radius)}bp"] if piece.kind == "box" and piece.radius else []
    return f"\\path[{', '.join(options)}] {path(piece)};\n"


def path(piece: Shape) -> str:
    if piece.kind == "ellipse":
        centre, (across, down) = piece.points
        return f"{point(centre)} ellipse [x radius={length(across)}, y radius={length(down)}]"
    if piece.kind == "box":
        return " rectangle ".join(map(point, piece.points))
    if piece.kind in ("polygon", "line"):
        return " -- ".join([*map(point, piece.points), *(["cycle"] if piece.kind == "polygon" else [])])
    start, *rest = map(point, piece.points)
    return " ".join([start, *(f".. controls {a} and {b} .. {c}" for a, b, c in zip(*[iter(rest)] * 3, strict=True))])


def point(at: Point) -> str:
    return f"({length(at[0])},{length(at[1])})"


def text(piece: Text) -> str:
    anchor = {"left": "base west", "center": "base", "right": "base east"}[piece.align]
    font = r"\ttfamily\bfseries" if piece.bold else r"\ttfamily"
    options = f"anchor={anchor}, scale={length(piece.size)}*\\scale, text={name(piece.colour)}"
    return f"\\node[{options}] at {point(piece.at)} {{{font} {''.join(in_latex(piece.text))}}};\n"


def in_latex(written: str) -> Iterator[str]:
    """Each character as LaTeX has it: Greek letters and digits below are its own, others must be in the font."""
    for character in written:
        full_name = unicodedata.name(character, "")
        digit = unicodedata.digit(character, None)
        if character in SPECIAL:
            yield rf'\char"{ord(character):02X}{{}}'
        elif character.isascii():
            yield character.replace(" ", "~")
        elif (letter := greek_letter(full_name)) in GREEK:
            yield rf"\ensuremath{{\{letter}}}"
        elif full_name.startswith(("SUBSCRIPT ", "SUPERSCRIPT ")) and digit is not None:
            yield rf"\text{full_name.split()[0].lower()}{{{digit}}}"
        else:
            yield rf"\character{{{character}}}{{{ord(character):04X}}}{{{max(columns(character), 1)}}}"


def greek_letter(full_name: str) -> str:
    """The name that Unicode gives a Greek letter, as LaTeX spells it; any other name as it is."""
    match full_name.replace("LAMDA", "LAMBDA").split():
        case ["GREEK", "SMALL", "LETTER", letter]:
            return letter.lower()
        case ["GREEK", "CAPITAL", "LETTER", letter]:
            return letter.capitalize()
    return full_name
