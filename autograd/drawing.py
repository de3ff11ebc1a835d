"""How does a graph look? `draw` shows data, gradients, operations and the local derivative on every edge.

The graph is written as DOT and laid out by Graphviz: by the system's `dot` where there is one, else by the program that
the package graphviz-pure brings. Its SVG is then cleaned of all that could meet its like on the same page.
"""

from __future__ import annotations

import math
import os
import reprlib
import secrets
import shutil
import subprocess
import sysconfig
import unicodedata
from contextlib import suppress
from functools import cached_property
from html import escape
from itertools import zip_longest
from pathlib import Path
from xml.etree import ElementTree

from autograd.engines import Value
from autograd.graph import topological_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LAYOUT_SECONDS = 20.0

BOX_CHARACTERS = 24  # of a label in its box; what is longer ends in …
HOVER_CHARACTERS = 1_000

BACKGROUND, INK, FAINT = "#ffffff", "#1f2933", "#7b8794"
LEAF, COMPUTED, OPERATION = "#fdf6e3", "#ffffff", "#e4e7eb"
POSITIVE, NEGATIVE, ZERO = "#0072b2", "#c04f00", "#9aa5b1"  # blue and orange: apart for colour-blind readers too

# Both programs measure text right in Courier, and so do readers' fonts: no monospaced one is wider than 0.602 em.
FONT, FONT_SIZE = "Courier", 11
FONT_FAMILY = "Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', Courier, monospace"


def draw(value: Value, *, max_nodes: int = 500) -> Drawing:
    """The picture of the graph that `value` was computed from, with the numbers that it holds now.

    Every Value is a box with its label, data and gradient; every operation a circle, with the constants among its
    operands (`2 *`). On an operand's edge stands the local derivative d result / d operand. The colour of an edge is
    the sign of the gradient that flows back along it, blue for positive and orange for negative; its width grows with
    the size. In the SVG, hovering shows every number in full.

    Arguments:
        value: the result whose graph is drawn; call its `backward()` first, or all gradients are 0.
        max_nodes: how many Values the graph may have, with twice as many edges: the layout of larger graphs takes
            long, and nobody can read it.

    Raises TypeError if `value` is not a Value, and ValueError if its graph has more than `max_nodes` Values, or more
    than twice as many edges.

    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> c = a * b
    >>> c.backward()
    >>> draw(c)
    <Drawing of 3 nodes: .svg, .dot, .save("x.svg"), .save("x.png") or .save("x.dot")>
    """
    if not isinstance(value, Value):
        raise TypeError(f"draw: expected a Value, got {type(value).__name__}: {reprlib.repr(value)}")
    order = topological_order(value)
    edges, max_edges = sum(len(node.parents) for node in order), 2 * max_nodes  # a dense layer has fewer
    if len(order) > max_nodes or edges > max_edges:
        raise ValueError(
            f"draw: {len(order):,} nodes (limit {max_nodes:,}), {edges:,} edges (limit {max_edges:,}): "
            "draw one example's loss, or pass max_nodes="
        )
    return Drawing(in_dot(order), nodes=len(order))


class Drawing:
    """A picture of a graph: `dot` is its source, `svg` an SVG element that fits into any page. Notebooks display it.

    `draw` makes drawings. The layout is left to a program, the system's `dot` or `graphviz-pure`, when first needed.

    The SVG has an opaque background, and neither ids, classes, styles nor scripts, so drawings on one page don't meet.
    The same graph gives the same source, and with the same layout program the same SVG.

    >>> picture = draw(Value(2.0, label="a"))
    >>> picture.svg[:4], picture.png[1:4], picture.dot[:7]
    ('<svg', b'PNG', 'digraph')
    """

    def __init__(self, dot: str, nodes: int) -> None:
        self.dot = dot
        self.nodes = nodes

    @cached_property
    def svg(self) -> str:
        """The picture as an SVG element.

        Raises RuntimeError if no layout program is found, or it fails, and TimeoutError if it takes longer than 20 s.
        """
        return cleaned(laid_out(self.dot, "svg"))

    def _addressed_svg(self) -> str:
        """The SVG with its pieces marked, for a page that shows one step after the other.

        With i a Value's place in topological order, v0, v1, ... are the boxes and o0, o1, ... the operations' circles:
        their `<g>` have `data-node="v<i>"` and `"o<i>"`. The edge from the parent at place p, the k-th of `parents`
        (from 0), has `data-edge="v<p> o<i> <k>"`, the edge from circle to box `data-edge="o<i> v<i>"`. In a box, the
        texts of the numbers have `data-part="data"` and `"grad"`.
        """
        return cleaned(laid_out(self.dot, "svg"), addressed=True)

    @cached_property
    def png(self) -> bytes:
        """The picture as the bytes of a PNG file, with 144 dots per inch. Raises what `svg` raises."""
        return laid_out(self.dot, "png")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the picture to a file, in the format that its suffix names: `.svg`, `.png` or `.dot`.

        An existing file is replaced once the new one is complete, and left as it is on any error.

        Raises ValueError for another suffix, OSError if the file cannot be written, and what `svg` raises.
        """
        path = Path(path)
        formats: dict[str, Callable[[], bytes]] = {
            ".svg": lambda: self.svg.encode(),
            ".png": lambda: self.png,
            ".dot": lambda: self.dot.encode(),
        }
        if path.suffix.lower() not in formats:
            raise ValueError(f"save: expected a file name that ends in .svg, .png or .dot, got {str(path)!r}")
        replace(path.resolve(), formats[path.suffix.lower()]())  # of a link, the file that it stands for

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str | bytes]:
        """What notebooks choose from. JupyterLab shows an SVG only in a notebook that it trusts, a PNG in every one."""
        return {"image/svg+xml": self.svg, "image/png": self.png, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f'<Drawing of {self.nodes:,} nodes: .svg, .dot, .save("x.svg"), .save("x.png") or .save("x.dot")>'


# ---- From the graph to DOT. A Value is the node v0, v1, ..., in topological order; its operation is o0, o1, ...


def in_dot(order: list[Value]) -> str:
    import graphviz

    graph = graphviz.Digraph(graph_attr=GRAPH_STYLE, node_attr=NODE_STYLE, edge_attr=EDGE_STYLE)
    number = {node: i for i, node in enumerate(order)}
    flows = [node.grad for node in order]
    flows += [derivative * node.grad for node in order for derivative in node.local_derivatives]
    largest = max((abs(flow) for flow in flows if math.isfinite(flow)), default=0.0)
    for i, node in enumerate(order):
        fill = COMPUTED if node.parents else LEAF
        graph.node(f"v{i}", box(node), **BOX_STYLE, id=f"v{i}", fillcolor=fill, tooltip=hover(value_in_full(node)))
        if not node.parents:
            continue
        graph.node(f"o{i}", circle(node), **CIRCLE_STYLE, id=f"o{i}", tooltip=hover(operation_in_full(node)))
        whole = stroke(node.grad, largest)
        graph.edge(f"o{i}", f"v{i}", **whole, id=f"o{i} v{i}", tooltip=hover([f"gradient {node.grad!r}"]))
        ranks = str(min(1 + len(node.parents) // 6, 6))  # room for many edges to fan out, with their labels beside them
        for k, (parent, derivative) in enumerate(zip_longest(node.parents, node.local_derivatives)):
            tail, part = f"v{number[parent]}", edge(derivative, node.grad, largest)
            graph.edge(tail, f"o{i}", **part, id=f"{tail} o{i} {k}", minlen=ranks)
    return str(graph.source)


GRAPH_STYLE = {"rankdir": "LR", "bgcolor": BACKGROUND, "nodesep": "0.12", "ranksep": "0.25", "pad": "0.1"}
NODE_STYLE = {"fontname": FONT, "fontsize": str(FONT_SIZE), "fontcolor": INK, "color": FAINT}
EDGE_STYLE = {"fontname": FONT, "fontsize": str(FONT_SIZE - 1), "fontcolor": INK, "arrowsize": "0.5"}
BOX_STYLE = {"shape": "box", "style": "rounded,filled", "margin": "0.06,0.05", "height": "0"}
CIRCLE_STYLE = {"shape": "ellipse", "style": "filled", "fillcolor": OPERATION} | {
    "margin": "0.04,0.02", "width": "0.36", "height": "0.36",
}  # fmt: skip


def box(node: Value) -> str:
    label = shown(node.label, BOX_CHARACTERS)
    title = f'<TD ROWSPAN="2" WIDTH="{width(label)}"><B>{markup(label)}</B></TD>' if label else ""
    data, grad = (
        f'<TD ALIGN="LEFT" WIDTH="{width(name)}"><FONT COLOR="{FAINT}">{name}</FONT></TD>'
        f'<TD ALIGN="RIGHT"><FONT COLOR="{colour}">{short(number)}</FONT></TD>'
        for name, number, colour in [("data", node.data, INK), ("grad", node.grad, sign_colour(node.grad, INK))]
    )
    table = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">'
    return f"<{table}<TR>{title}{data}</TR><TR>{grad}</TR></TABLE>>"


def circle(node: Value) -> str:
    """The symbol, and the constants among the operands: `2 *` and `** 3`, or below the symbol `slope = 0.01`."""
    symbol = str(node.op)
    below = []
    if is_infix(node):
        left, right = ("" if isinstance(operand, Value) else short(operand) for operand in node.operands)  # type: ignore[arg-type]
        symbol = f"{left} {symbol} {right}".strip()
    else:
        below = [f"{name} = {', '.join(map(short, numbers))}" for name, numbers in constants(node)]
    lines = [markup(shown(symbol, BOX_CHARACTERS)) or " "]
    lines += [f'<FONT COLOR="{FAINT}">{markup(shown(line, BOX_CHARACTERS))}</FONT>' for line in below]
    return f"<{'<BR/>'.join(lines)}>"


def is_infix(node: Value) -> bool:
    operation = node.operation
    if operation is None or operation.sequences:
        return False
    return len(operation.operands) == 2 and not operation.symbol.isidentifier()


def constants(node: Value) -> list[tuple[str, list[float]]]:
    """The operands that are numbers, or sequences with numbers among them: name in the table, and the numbers."""
    names = node.operation.operands if node.operation else ()
    sequences = [operand if isinstance(operand, tuple) else (operand,) for operand in node.operands]
    numbers = [[element for element in sequence if not isinstance(element, Value)] for sequence in sequences]
    return [(name, constants) for name, constants in zip(names, numbers, strict=True) if constants]


def edge(derivative: float | None, gradient: float, largest: float) -> dict[str, str]:
    """An operand's edge. An operation from outside the table need not know its local derivatives."""
    if derivative is None:
        return stroke(0.0, largest)
    flow = derivative * gradient  # what it adds to the operand's gradient
    tooltip = hover([f"local derivative {derivative!r}", f"× gradient {gradient!r} = {flow!r}"])
    return {**stroke(flow, largest), "label": f" {short(derivative)} ", "tooltip": tooltip, "labeltooltip": tooltip}


def stroke(flow: float, largest: float) -> dict[str, str]:
    size = min(abs(flow) / largest, 1.0) if largest and not math.isnan(flow) else 0.0
    return {"color": sign_colour(flow, ZERO), "penwidth": f"{0.8 + 2.2 * math.sqrt(size):.2f}"}


def sign_colour(number: float, otherwise: str) -> str:
    return POSITIVE if number > 0 else NEGATIVE if number < 0 else otherwise


# ---- Text. A label may hold anything, so all of it goes through `shown`, and then through `markup` or `hover`.


def value_in_full(node: Value) -> list[str]:
    return [shown(node.label, HOVER_CHARACTERS), f"data {node.data!r}", f"grad {node.grad!r}"]


def operation_in_full(node: Value) -> list[str]:
    if node.operation is None:
        return [shown(node.op, HOVER_CHARACTERS)]
    numbers = [f"{name} = {', '.join(map(repr, numbers))}" for name, numbers in constants(node)]
    return [
        f"{node.operation.signature} = {node.operation.formula}",
        *(shown(line, HOVER_CHARACTERS) for line in numbers),
    ]


def short(number: float) -> str:
    return f"{number:.4g}"


def shown(text: object, limit: int) -> str:
    r"""The text, what can't be printed as Python's escapes (`\n`, `\x00`, `\ud800`), cut to `limit` characters."""
    text = "" if text is None else str(text)
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 1] + "…"


def width(text: str) -> int:
    """What a cell with the text takes in points; layouts don't know that East Asian characters take two columns."""
    columns = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    return math.ceil(columns * 0.602 * FONT_SIZE) + 8


def markup(text: str) -> str:
    r"""The text for an HTML-like label, in which Graphviz replaces `\N` and its like, and trips over a single `]`."""
    return escape(text.replace("\\", "\\\\")).replace("]", "&#93;")


def hover(lines: list[str]) -> str:
    """The lines as a tooltip, in which Graphviz reads entities, and backslashes twice over."""
    import graphviz

    escaped = [line.replace("\\", "\\\\\\\\").replace("&", "&amp;") for line in lines if line]
    tooltip: str = graphviz.nohtml(r"\n".join(escaped))
    return tooltip


# ---- From DOT to a picture.


def laid_out(dot: str, format: str) -> bytes:
    """What the layout program makes of the graph. Raises RuntimeError if it fails, TimeoutError if it takes long."""
    command = [layout_program(), f"-T{format}", *(["-Gdpi=144"] if format == "png" else [])]
    no_window = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # on Windows, where a program would open one
    try:
        done = subprocess.run(
            command, input=dot.encode(), capture_output=True, timeout=LAYOUT_SECONDS, creationflags=no_window
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(
            f"draw: the layout took longer than {LAYOUT_SECONDS:g} s: draw a graph with fewer edges, "
            "such as one example's loss, or one neuron"
        ) from None
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"draw: {' '.join(command)} failed with exit status {done.returncode}: {message}")
    return done.stdout


def layout_program() -> str:
    """The system's `dot`, else `graphviz-pure`, from where pip puts programs or from the search path."""
    user = sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))
    pip = os.pathsep.join([sysconfig.get_path("scripts"), user])
    program = shutil.which("dot") or shutil.which("graphviz-pure", path=pip) or shutil.which("graphviz-pure")
    if program is None:
        raise RuntimeError("draw: a picture needs a layout program: pip install graphviz-pure, or install Graphviz")
    return program


def cleaned(svg: bytes, addressed: bool = False) -> str:
    """The SVG element alone: tooltips become `title` elements; ids, classes and the nodes' names in DOT go."""
    root = ElementTree.fromstring(svg)
    if addressed:
        address(root)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for name in element.findall("{*}title"):
            element.remove(name)
        if tooltip := element.get("{http://www.w3.org/1999/xlink}title"):
            element.tag = "g"  # it was a link, to nowhere
            title = ElementTree.Element("title")
            title.text = tooltip
            element.insert(0, title)
        for attribute in list(element.keys()):
            if attribute in ("id", "class", "font-family") or attribute.startswith("{"):
                del element.attrib[attribute]
    root.attrib |= {"xmlns": "http://www.w3.org/2000/svg", "font-family": FONT_FAMILY}
    return ElementTree.tostring(root, encoding="unicode")


def address(root: ElementTree.Element) -> None:
    """Gives every drawn piece the name that it has in DOT as an attribute of its own."""
    for group in root.iterfind(".//{*}g"):
        if (kind := group.get("class")) in ("node", "edge"):
            group.set(f"data-{kind}", group.attrib["id"])
            if kind == "node" and group.attrib["id"].startswith("v"):
                *_, data, _, grad = group.iterfind(".//{*}text")
                data.set("data-part", "data")
                grad.set("data-part", "grad")


def replace(path: Path, content: bytes) -> None:
    """Writes the file beside its place and then puts it there, so that a failure leaves the old file alone."""
    unfinished = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None  # not the name of the unfinished file
    finally:
        with suppress(OSError):
            unfinished.unlink()
