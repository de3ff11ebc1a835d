"""draw() makes a Drawing of a graph: data, gradients, operations and the local derivative on every edge.

`diagram.py` says what is drawn, `themes.py` in which colours, and `layout.py` makes a picture of it.
"""

from __future__ import annotations

import reprlib
from functools import cached_property
from html import escape
from pathlib import Path

from autograd import files
from autograd.drawing import diagram, layout, pen, tikz
from autograd.drawing.themes import THEMES
from autograd.engines import Value
from autograd.graph import topological_order
from autograd.operands import described
from autograd.wording import counted, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

RANKDIRS = ("LR", "TB", "RL", "BT")


def draw(
    *values: Value,
    rankdir: str = "LR",
    theme: str = "light",
    expand: bool = False,
    highlight: tuple[Value, Value] | None = None,
    max_nodes: int = 500,
) -> Drawing:
    """The picture of the graph that the values were computed from, with the numbers that it holds now.

    Every Value is a box with its label, data and gradient; every operation a circle, with the constants among its
    operands (`2 *`). On an operand's edge stands the local derivative d result / d operand. The colour of an edge is
    the sign of the gradient that flows back along it, blue for positive and orange for negative; its width grows with
    the size. In the SVG, hovering shows every number in full, and the chain rule's product on each edge.

    Arguments:
        values: the results whose graph is drawn, one or several; call `backward()` first, or all gradients are 0.
        rankdir: where the graph goes: "LR" from left to right, "TB" from top to bottom, or "RL", "BT".
        theme: "light" or "dark"; either has an opaque background.
        expand: spell out every `dot`, a neuron's net input: each product and the sum get nodes of their own.
        highlight: two Values, an operand and a result: the paths between them, along which the gradient of the one
            flows back to the other, stand out, and all else is dimmed.
        max_nodes: how many Values the graph may have, with twice as many edges, both as drawn: the layout of larger
            graphs takes long, and nobody can read it.

    Raises TypeError if what is given is not a Value, and ValueError if the graph has more than `max_nodes` Values or
    more than twice as many edges, if no path leads from one highlighted Value to the other, or for an unknown rankdir
    or theme.

    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> c = a * b
    >>> c.backward()
    >>> draw(c)
    <Drawing of 3 nodes: .svg, .png, .dot, .save("x.svg|png|pdf|tex|html")>
    """
    if not values:
        raise TypeError("draw: expected a Value, got none")
    for value in values:
        if not isinstance(value, Value):
            instead = "; for several: draw(*values)" if isinstance(value, (list, tuple)) else ""
            instead = "; draw what it computes, such as draw(model(x))" if callable(value) else instead
            raise TypeError(f"draw: expected a Value, got {described(value)}{instead}")
    for name, given, known in [("rankdir", rankdir, RANKDIRS), ("theme", theme, [*THEMES])]:
        if given not in known:
            raise ValueError(f"draw: expected {name}= to be one of {', '.join(map(repr, known))}, got {given!r}")
    order = topological_order(*values)
    check_size(order, expand, max_nodes)
    places = {node: str(i) for i, node in enumerate(order)}
    nodes = list(diagram.pictured(order, places, expand))
    highlighted = None if highlight is None else paths(nodes, places, highlight)
    title = ", ".join(label for value in values if (label := shown(value.label, diagram.BOX_CHARACTERS)))
    return Drawing(
        diagram.in_dot(nodes, rankdir, THEMES[theme], highlighted), len(nodes), title, THEMES[theme].background
    )


def check_size(order: Sequence[Value], expand: bool, max_nodes: int, what: str = "draw") -> None:
    """Raises ValueError if it is too much to `draw` (or to `explain`)."""
    products = sum(map(diagram.number_of_products, order)) if expand else 0
    nodes, edges = len(order) + products, sum(len(node.parents) for node in order) + products
    max_edges = 2 * max_nodes  # a dense layer has fewer
    if nodes > max_nodes or edges > max_edges:
        smaller = "draw one neuron, leave out expand=True" if products else f"{what} one example's loss"
        raise ValueError(
            f"{what}: {counted(nodes, 'node')} (limit {max_nodes:,}), {counted(edges, 'edge')} (limit {max_edges:,}): "
            f"{smaller}, or pass max_nodes="
        )


def paths(nodes: Sequence[diagram.Node], places: dict[Value, str], highlight: tuple[Value, Value]) -> set[str]:
    """The names of what lies between two Values, whichever of them was computed from the other."""
    if not (
        isinstance(highlight, (tuple, list)) and len(highlight) == 2 and all(isinstance(v, Value) for v in highlight)
    ):
        raise TypeError(f"draw: expected highlight= to be two Values, (operand, result), got {reprlib.repr(highlight)}")
    for value in highlight:
        if value not in places:
            raise ValueError(f"draw: highlight: the drawn graph has no {value!r}")
    start, end = (places[value] for value in highlight)
    names = diagram.between(nodes, start, end) or diagram.between(nodes, end, start)
    if not names:
        raise ValueError(
            "draw: highlight: no path: neither of {!r} and {!r} was computed from the other".format(*highlight)
        )
    return names


class Drawing:
    """A picture of a graph: `dot` is its source, `svg` an SVG element that fits into any page. Notebooks display it.

    `draw` makes drawings. The layout is left to a program, the system's `dot` or `graphviz-pure`, when first needed.

    The SVG has an opaque background, and neither ids, classes, styles nor scripts, so drawings on one page don't meet.
    The same graph gives the same source, and with the same layout program the same SVG. JupyterLab displays it as an
    image, without what hovering shows; `IPython.display.HTML(picture.svg)` has that there, too.

    >>> picture = draw(Value(2.0, label="a"))
    >>> picture.svg[:4], picture.png[1:4], picture.dot[:7]
    ('<svg', b'PNG', 'digraph')
    """

    def __init__(self, dot: str, nodes: int, title: str = "", background: str = THEMES["light"].background) -> None:
        self.dot = dot
        self.nodes = nodes
        self.title = title
        self.background = background

    @cached_property
    def svg(self) -> str:
        """The picture as an SVG element.

        Raises RuntimeError if no layout program is found, or it fails, and TimeoutError if it takes longer than 20 s.
        """
        return layout.svg_of(self.dot)

    @cached_property
    def png(self) -> bytes:
        """The picture as the bytes of a PNG file, with 144 dots per inch. Raises what `svg` raises."""
        return layout.png_of(self.dot)

    @cached_property
    def pdf(self) -> bytes:
        """The picture as the bytes of a PDF file of one page, which has its size.

        The layout program writes it where it can. Else matplotlib draws what the layout program has laid out:
        graphviz-pure writes no PDF yet. Raises ImportError if neither is there, and what `svg` raises.
        """
        try:
            return layout.pdf_of(self.dot)
        except layout.UnknownFormatError:
            from autograd.drawing import pdf

            return pdf.picture(self._pieces)

    @cached_property
    def tikz(self) -> str:
        r"""The picture for LaTeX: an environment `tikzpicture` in a group of its own, for a text that has
        `\usepackage{tikz}`. Its text is set in the document's monospaced font. Raises what `svg` raises.
        """
        return tikz.picture(self._pieces)

    @property
    def tex(self) -> str:
        """A document in LaTeX of one page, with the picture in TikZ. Raises what `svg` raises."""
        return tikz.document(self._pieces)

    @property
    def html(self) -> str:
        """A page that shows the picture. It needs no network and no script. Raises what `svg` raises."""
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
            f"<title>{escape(self.title or 'A computation graph')}</title>\n</head>\n"
            f'<body style="margin: 0; background: {self.background}">\n{self.svg}\n</body>\n</html>\n'
        )

    @property
    def _pieces(self) -> list[pen.Shape | pen.Text]:
        return [*pen.drawn(self.svg)]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the picture to a file, in the format that its suffix names.

        These are `.svg`, `.png`, `.pdf`, `.html`, `.dot`; `.tikz`, the picture for a text in LaTeX (`\\input{x.tikz}`);
        and `.tex`, a document with this picture alone.

        An existing file is replaced once the new one is complete, and left as it is on any error.

        Raises ValueError for another suffix, OSError if the file cannot be written, and what `svg` raises.
        """
        formats: dict[str, Callable[[], bytes | str]] = {
            ".svg": lambda: self.svg,
            ".png": lambda: self.png,
            ".pdf": lambda: self.pdf,
            ".html": lambda: self.html,
            ".dot": lambda: self.dot,
            ".tikz": lambda: self.tikz,
            ".tex": lambda: self.tex,
        }
        save_as(Path(path), formats, "the drawing")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str | bytes]:
        """What notebooks choose from. JupyterLab shows an SVG only in a notebook that it trusts, a PNG in every one."""
        return {"image/svg+xml": self.svg, "image/png": self.png, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f'<Drawing of {counted(self.nodes, "node")}: .svg, .png, .dot, .save("x.svg|png|pdf|tex|html")>'


def save_as(path: Path, formats: Mapping[str, Callable[[], bytes | str]], what: str) -> None:
    """Writes a file in the one of the formats, by suffix, that its name ends in. Raises ValueError if there is none."""
    if path.suffix.lower() not in formats:
        *others, last = formats
        raise ValueError(f"save: expected a file name that ends in {', '.join(others)} or {last}, got {str(path)!r}")
    files.write(path, formats[path.suffix.lower()](), what)
