"""draw() makes a Drawing of a graph: data, gradients, operations and the local derivative on every edge.

`diagram.py` says what is drawn, `sizes.py` how large, `layout.py` where, `themes.py` in which colours. `picture.py`
makes a picture of these, which `svg.py`, `xdot.py` (PNG), `pdf.py`, `tikz.py` and `viewer.py` (HTML) write.
"""

from __future__ import annotations

import reprlib
import warnings
from base64 import b64encode
from contextlib import suppress
from functools import cache, cached_property
from html import escape

from autograd import files, pages
from autograd.by_hand import change_since
from autograd.drawing import diagram, dot, folded, folding, layered, naming, svg, tikz, viewer, xdot
from autograd.drawing.models import is_model
from autograd.drawing.picture import of_graph
from autograd.drawing.themes import THEMES
from autograd.drawing.viewer import Level
from autograd.engines import Value, recording
from autograd.graph import topological_order
from autograd.operands import described, real_number
from autograd.wording import counted, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from autograd.drawing.models import Model
    from autograd.drawing.pen import Picture

RANKDIRS = ("LR", "TB", "RL", "BT")
LEAST_HEIGHT = 160  # of the frame in a notebook, in pixels, however flat the picture is


def warn_of_changes(order: list[Value]) -> None:
    """Of the first node that its operands no longer give."""
    change = ""
    with suppress(Exception), recording(raises=False):  # an operation of one's own may raise whatever it likes
        change = first_change(order)
    if change:
        warnings.warn(
            f"draw: {change}: data have been assigned since, as by a step of an optimiser; compute it again to draw "
            "what is now",
            stacklevel=3,
        )


def first_change(order: list[Value]) -> str:
    for node in order:
        if node.parents and node.operation is not None and (change := change_since(node)):
            return f"{node!r} is the result of before: {change}"
    return ""


def draw(
    *values: Any,  # Any: Values, or a model and what it takes
    rankdir: str = "LR",
    theme: str = "light",
    expand: bool = False,
    highlight: tuple[Value, Value] | None = None,
    model: Model | None = None,
    fold: bool | None = None,
    open: str | Sequence[str] = (),
    max_nodes: int = 200,
) -> Drawing:
    """The picture of the graph that the values were computed from, with the numbers that it holds now; or of a model.

    Every Value is a box with its label, data and gradient; every operation a circle, with the constants among its
    operands (`2 *`). On an operand's edge stands the local derivative d result / d operand. The colour of an edge is
    the sign of the gradient that flows back along it, blue for positive and orange for negative; its width grows with
    the size. In the SVG, hovering shows every number in full, and the chain rule's product on each edge.

    `draw(model)` and `draw(model, inputs)` show a network at a glance: its layers from left to right, neurons as
    circles, weights as edges, blue for positive ones and orange for negative ones, the wider the larger. With inputs,
    activations are in the circles, and below them δ where a backward pass has been: the derivative by the net input,
    which is the gradient of the bias. It is of what `backward()` was called on since gradients were 0, so after `fit`
    of the last batch: to see that of these inputs, call `model.zero_grad()` and `backward()` on their loss first.

    Beside a neuron is what it sees: the weights as an image where the inputs are one, its activation over the plane
    where there are two. Maps of a convolution, steps of a sequence, and the weights of attention are images. The layers
    are found in the graph that the model computes when it is called once, in the mode that it is in: so a class of
    one's own has its picture, too. The call leaves no trace: neither gradients nor data change, and random numbers are
    as they were. What is too much to be read is counted in words, and opens in the HTML by a click.

    Arguments:
        values: the results whose graph is drawn, one or several; call `backward()` first, or all gradients are 0.
            Or a model, something to call that has `named_parameters()` or `parameters()`, such as an `nn.Module`; and
            what it is called with, numbers or Values, nested as it takes them. Without, as many numbers are made up as
            its first weights tell.
        rankdir: where the graph goes: "LR" from left to right, "TB" from top to bottom, or "RL", "BT".
        theme: "light" or "dark"; either has an opaque background.
        expand: spell out every `dot`, a neuron's net input: each product and the sum get nodes of their own.
        highlight: two Values, an operand and a result: the paths between them, along which the gradient of the one
            flows back to the other, stand out, and all else is dimmed.
        model: what has the graph's parameters, an `nn.Module` or whatever else has `named_parameters()`: they are named
            by where they stand in it, `layers[0].neurons[3].w[1]`, without what all in the picture have in common.
        fold: whether to fold the graph: its modules, its layers and what repeats in it become boxes that say what is
            inside. None folds a graph of more than `max_nodes` nodes. In the page, `.html`, a click opens a box.
        open: the names of boxes that are to show what is inside, such as "layers[1]"; they are written in the boxes, or
            seen when hovering over them. The graph is folded then, however small it is.
        max_nodes: how many Values, with twice as many edges, both as drawn, are still drawn one by one.

    Warns if data have been assigned since a Value was computed from them, as by an optimiser's step: then the picture
    has the new data, and results and derivatives of before.

    Raises TypeError if what is given is neither Values nor a model, or model= has no parameters by name; ValueError if
    no path leads from one highlighted Value to the other, if nothing is found to `open`, or for an unknown rankdir or
    theme; either for an argument that is not of its kind, or that a model's picture does not have. For a model, it
    raises what the model raises; and TypeError or ValueError if the model has no parameters, if what it returns does
    not depend on them and on the inputs, or if there are no inputs and the weights do not tell how many it takes.

    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> c = a * b
    >>> c.backward()
    >>> draw(c)
    <Drawing of 3 nodes: .svg, .png, .dot, .save("x.svg|png|pdf|tex|html")>

    >>> from nn import MLP
    >>> draw(MLP(2, [16, 16, 1]), [0.5, -1.0]).picture.title
    'MLP, 337 parameters'
    """
    if not values:
        raise TypeError("draw: expected a Value or a model, got none")
    for name, given, known in [("rankdir", rankdir, RANKDIRS), ("theme", theme, [*THEMES])]:
        if not is_among(known, given):
            raise ValueError(f"draw: expected {name}= to be one of {', '.join(map(repr, known))}, got {given!r}")
    if not is_among((False, True), expand):
        raise TypeError(f"draw: expected expand= to be True or False, got {described(expand)}")
    check_limit("draw", max_nodes)
    if is_model(values[0]):
        if expand or highlight is not None or model is not None or fold is not None or rankdir != "LR":
            options = "rankdir=, expand=, highlight=, model= or fold="
            raise ValueError(f"draw: a model's picture has no {options}; that of what it computes has: draw(model(x))")
        return of_model(theme, folding.names_to_open(open), *values)
    for value in values:
        if not isinstance(value, Value):
            instead = "; for several: draw(*values)" if isinstance(value, (list, tuple)) else ""
            instead = "; draw what it computes, such as draw(function(x))" if callable(value) else instead
            instead += "; a model that names parameters goes as model=" if is_model(value) else ""
            raise TypeError(f"draw: expected a Value or a model, got {described(value)}{instead}")
    if not is_among((None, False, True), fold):
        raise TypeError(f"draw: expected fold= to be True, False or None, got {described(fold)}")
    order = topological_order(*values)
    warn_of_changes(order)
    standing = {} if model is None else naming.places(model)
    if model is not None and not any(id(node) in standing for node in order):
        raise ValueError(f"draw: model=: none of its parameters is in the graph: {described(model)}")
    opened = folding.names_to_open(open)
    places = {node: str(i) for i, node in enumerate(order)}
    labels = [label for value in values if (label := shown(value.label, diagram.BOX_CHARACTERS))]
    title = ", ".join(labels) or "A computation graph"

    def nodes_of(shown: Sequence[Value]) -> list[diagram.Node]:
        return [*diagram.pictured(shown, places, expand, naming.names(shown, standing))]

    count = len(order) + (sum(map(diagram.number_of_products, order)) if expand else 0)
    if opened or fold or (fold is None and excess(order, expand, max_nodes)):
        graph = folding.Graph(order, standing, diagram.number_of_products if expand else lambda _: 0, opened)
        items = graph.seen()
        if any(isinstance(item, folding.Part) for item in items):
            highlighted = None if highlight is None else paths(nodes_of(order), places, highlight)
            canvas = folded.Canvas(graph, lambda shown: nodes_of([order[i] for i in shown]), rankdir, highlighted)
            return Drawing(folded.levels(canvas, items, title), count, theme=theme)
    nodes = nodes_of(order)
    highlighted = None if highlight is None else paths(nodes, places, highlight)
    laid_out = cache(lambda: layered.placed(nodes, rankdir))
    return Drawing(
        Level(lambda colours: of_graph(nodes, laid_out(), colours, highlighted, title), title),
        count,
        theme=theme,
        dot=lambda: dot.source(nodes, rankdir, THEMES[theme], highlighted),
    )


def is_among(known: Sequence[object], given: object) -> bool:
    """Whether it is one of these; an array, whose equality has no truth value, is none of them."""
    return (isinstance(given, str) or not hasattr(given, "__len__")) and given in known


def of_model(
    theme: str, opened: Sequence[str], model: Any, inputs: Any = None, *others: object
) -> Drawing:  # Any: a model, and what it takes
    """The picture of a model, as `draw` returns it."""
    if others:
        raise TypeError(f"draw: expected a model and what it takes, in one structure, got {1 + len(others)} inputs")
    from autograd.drawing import network  # which needs NumPy

    seen = network.Seen(model, inputs, opened)
    inside = {name: Level(paint, name) for name, paint in seen.folded()}
    return Drawing(Level(seen.paint, seen.title, inside), len(seen.blocks), "block", theme=theme)


def check_size(order: Sequence[Value], expand: bool, max_nodes: int, what: str) -> None:
    """Raises ValueError if it is too much for `what`, such as "explain"; and what `check_limit` raises."""
    check_limit(what, max_nodes)
    if excess(order, expand, max_nodes):
        nodes, edges = len(order), sum(len(node.parents) for node in order)
        raise ValueError(
            f"{what}: {counted(nodes, 'node')} (limit {max_nodes:,}), {counted(edges, 'edge')} (limit "
            f"{2 * max_nodes:,}): {what} one example's loss, or pass max_nodes="
        )


def check_limit(what: str, max_nodes: float) -> None:
    """Raises TypeError if the limit is no number, and ValueError if it is below 0 or nan. There may be none: inf."""
    try:
        limit = real_number(max_nodes)
    except TypeError:
        raise TypeError(f"{what}: expected max_nodes= to be a number, got {described(max_nodes)}") from None
    if not limit >= 0.0:
        raise ValueError(f"{what}: expected max_nodes= to be at least 0, got {max_nodes!r}")


def excess(order: Sequence[Value], expand: bool, max_nodes: int) -> bool:
    """Whether there are more nodes than `max_nodes`, as drawn, or more than twice as many edges."""
    products = sum(map(diagram.number_of_products, order)) if expand else 0
    nodes, edges = len(order) + products, sum(len(node.parents) for node in order) + products
    return nodes > max_nodes or edges > 2 * max_nodes  # a dense layer has fewer edges


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
    """A picture: `svg` is an SVG element that fits into any page, `html` a page to look around in. Notebooks show it.

    `draw` makes drawings. Where everything lies is found when first needed.

    The SVG has an opaque background, and neither ids, classes, styles nor scripts, so drawings on one page don't meet;
    it is as large as the picture, and on a page `svg { max-width: 100%; height: auto }` makes it fit. Notebooks show
    the page in a frame that fits the cell, and the same picture as an image where they take frames out. The same graph
    gives the same source, and with the same layout program the same SVG.

    Arguments:
        level: makes the picture in the colours of a theme, and those of what is folded in it.
        nodes: how many of them it shows.
        what: they are, in the singular.
        theme: "light" or "dark".
        dot: writes the graph in DOT; None if what is shown is not a graph.

    >>> picture = draw(Value(2.0, label="a"))
    >>> picture.svg[:4], picture.png[1:4], picture.dot[:7]
    ('<svg', b'PNG', 'digraph')
    """

    def __init__(
        self,
        level: Level,
        nodes: int,
        what: str = "node",
        *,
        theme: str = "light",
        dot: Callable[[], str] | None = None,
    ) -> None:
        self.level = level
        self.nodes = nodes
        self.what = what
        self.theme = theme
        self._dot = dot

    def __getstate__(self) -> dict[str, object]:
        """A drawing that is pickled has its pictures made, since what makes them stays where it is."""
        made = {"dot": self.dot} if self._dot else {}
        return {**vars(self), **made, "level": self.level.painted(), "_dot": None}

    @cached_property
    def picture(self) -> Picture:
        """The shapes and texts that it consists of. Raises RuntimeError if the layout program fails."""
        return self.level.paint(THEMES[self.theme])

    @cached_property
    def dot(self) -> str:
        """The graph in DOT, for Graphviz. Raises ValueError if the picture is not one of a graph."""
        if self._dot is None:
            raise ValueError(f"this picture of {counted(self.nodes, self.what)} is not a graph in DOT: take .svg")
        return self._dot()

    @cached_property
    def svg(self) -> str:
        """The picture as an SVG element. Raises what `picture` raises."""
        return svg.element(self.picture)

    @cached_property
    def png(self) -> bytes:
        """The picture as the bytes of a PNG file, with 144 dots per inch, or as many as make 16 million pixels.

        The layout program draws it. Raises RuntimeError if there is none, or it fails, and TimeoutError if it takes
        longer than 20 s.
        """
        return xdot.png(self.picture)

    @cached_property
    def pdf(self) -> bytes:
        """The picture as the bytes of a PDF file of one page, which has its size.

        The layout program writes it where it can. Else matplotlib draws it: graphviz-pure writes no PDF yet. Raises
        ImportError if neither is there, and what `picture` raises.
        """
        try:
            return xdot.pdf(self.picture)
        except xdot.UnknownFormatError:
            from autograd.drawing import pdf

            return pdf.picture(self.picture)

    @cached_property
    def tikz(self) -> str:
        r"""The picture for LaTeX: an environment `tikzpicture` in a group of its own, for a text that has
        `\usepackage{tikz}`. Its text is set in the document's monospaced font. Raises what `picture` raises.
        """
        return tikz.picture(self.picture)

    @property
    def tex(self) -> str:
        """A document in LaTeX of one page, with the picture in TikZ. Raises what `picture` raises."""
        return tikz.document(self.picture)

    @cached_property
    def html(self) -> str:
        """A page to look around in: it zooms, searches, and shows every number in full. It needs no network.

        With the light theme it follows the reader's setting. Raises what `picture` raises.
        """
        return viewer.page(self.level, self.theme)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the picture to a file, in the format that its suffix names.

        These are `.svg`, `.png`, `.pdf`, `.html`, `.dot`; `.tikz`, the picture for a text in LaTeX (`\\input{x.tikz}`);
        and `.tex`, a document with this picture alone.

        An existing file is replaced once the new one is complete, and left as it is on any error.

        Raises ValueError for another suffix, OSError if the file cannot be written, and what `picture` raises.
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
        save_as(path, formats, "the drawing")

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, str | bytes], dict[str, dict[str, int]]]:
        """What notebooks choose from, and how large the PNG is, which is left out where nothing can make one.

        The HTML is the page in a frame, and behind it the SVG as an image, for notebooks that nobody trusts yet.
        """
        width, height = (round(length * svg.PIXELS) for length in (self.picture.width, self.picture.height))
        data = b64encode(self.svg.encode()).decode()
        about = escape(self.picture.description or self.picture.title)
        image = f'<img src="data:image/svg+xml;base64,{data}" alt="{about}" style="display: block; width: 100%">'
        html = pages.framed(self.html, self.picture.title, width, min(height, LEAST_HEIGHT), image)
        bundle: dict[str, str | bytes] = {"text/html": html, "image/svg+xml": self.svg, "text/plain": repr(self)}
        with suppress(RuntimeError, TimeoutError):  # the layout program is needed for this alone
            bundle["image/png"] = self.png
        return bundle, {"image/png": {"width": width, "height": height}}

    def __repr__(self) -> str:
        dot = ".dot, " if self._dot or "dot" in vars(self) else ""
        return f'<Drawing of {counted(self.nodes, self.what)}: .svg, .png, {dot}.save("x.svg|png|pdf|tex|html")>'


def save_as(path: str | os.PathLike[str], formats: Mapping[str, Callable[[], bytes | str]], what: str) -> None:
    """Writes a file in the one of the formats, by suffix, that its name ends in. Raises ValueError if there is none."""
    path = files.path_of(path)
    if path.suffix.lower() not in formats:
        *others, last = formats
        raise ValueError(f"save: expected a file name that ends in {', '.join(others)} or {last}, got {str(path)!r}")
    files.write(path, formats[path.suffix.lower()](), what)
