"""A layout says where things lie: here is what is drawn there. The same nodes and layout give the same picture."""

from __future__ import annotations

import math
from itertools import zip_longest

from autograd.drawing import sizes
from autograd.drawing.diagram import (
    BOX_CHARACTERS,
    edge_in_full,
    largest_flow,
    operation_in_full,
    short,
    symbols,
    value_in_full,
)
from autograd.drawing.pen import Group, Picture, Shape, Text
from autograd.drawing.themes import looks
from autograd.wording import counted, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from autograd.drawing.diagram import Node
    from autograd.drawing.layout import Layout
    from autograd.drawing.pen import Piece, Point
    from autograd.drawing.themes import Theme

CORNER = 6.0  # the radius of a box's corners
HEAD, HALF = 4, 2.2  # of an arrow: how long its head is, and half of how wide, beside the line


def of_graph(
    nodes: Sequence[Node],
    layout: Layout,
    theme: Theme,
    highlighted: Collection[str] | None = None,
    title: str = "A graph",
) -> Picture:
    """The picture of a graph: edges below, circles and boxes above. If names are `highlighted`, all else is dimmed."""
    look, largest = looks(theme, highlighted), largest_flow(nodes)
    edges: dict[tuple[float, str], list[Group]] = {}  # by width and colour, so that these are said once of many
    for node in nodes:
        for kind, group in edges_of(node, layout, look, largest):
            edges.setdefault(kind, []).append(group)
    circles = [circle(node, layout, look(node.circle)) for node in nodes if node.parents]
    boxes = [box(node, layout, look(node.box)) for node in nodes]
    return Picture(
        layout.width,
        layout.height,
        theme.background,
        tuple(Group(tuple(kind)) for kind in (*(edges[kind] for kind in sorted(edges)), circles, boxes) if kind),
        title,
        description(nodes),
    )


def description(nodes: Sequence[Node]) -> str:
    """What a person who cannot see the picture has to know."""
    computed = [node for node in nodes if node.parents]
    operations = dict.fromkeys(name for node in computed if (name := shown(node.op, BOX_CHARACTERS)))
    said = [f"A computation graph of {counted(len(nodes), 'Value')}"]
    said[0] += f" and {counted(len(computed), 'operation')}" if computed else ""
    said[0] += f": {', '.join(operations)}." if operations else "."
    used = {parent for node in nodes for parent in node.parents}
    results = [node for node in nodes if node.place not in used]
    said += [f"The result {named(node)}is {short(node.data)}." for node in results[:3]]
    said += [f"There are {counted(len(results) - 3, 'more result')}."] if len(results) > 3 else []
    leaves = [node for node in nodes if not node.parents and math.isfinite(node.grad)]
    steepest = max(leaves, key=lambda node: abs(node.grad), default=None)
    if steepest is not None and steepest.grad:
        said.append(f"Of its leaves, {named(steepest, 'one ')}has the largest gradient, {short(steepest.grad)}.")
    return " ".join(said)


def named(node: Node, otherwise: str = "") -> str:
    return f"{label} " if (label := shown(node.label, BOX_CHARACTERS)) else otherwise


# ---- Boxes and circles.


def box(node: Node, layout: Layout, theme: Theme) -> Group:
    """The label, and beside it `data` over `grad`, each with its number."""
    (x, y), (width, height) = layout.centres[node.box], layout.sizes[node.box]
    left, right = x - width / 2, x + width / 2
    fill = theme.computed if node.parents else theme.leaf
    outline = ((left, y - height / 2), (right, y + height / 2))
    pieces: list[Piece] = [Shape("box", outline, theme.line, fill, theme.outline, CORNER)]
    size, start = sizes.FONT_SIZE, right - sizes.MARGIN - sizes.of_numbers(node)
    upper, middle, lower = y + sizes.RISE - sizes.LINE / 2, y + 4, y + sizes.RISE + sizes.LINE / 2
    if label := shown(node.label, BOX_CHARACTERS):
        pieces.append(Text((start - sizes.GAP, middle), "right", label, size, True, theme.ink))
    for name, number, line, colour in [
        ("data", node.data, upper, theme.ink),
        ("grad", node.grad, lower, theme.gradient.of(node.grad)),
    ]:
        pieces.append(Text((start, line), "left", f"{name} {short(number)}", size, False, colour, name))
    return Group(tuple(pieces), "\n".join(line for line in value_in_full(node) if line), node.box)


def circle(node: Node, layout: Layout, theme: Theme) -> Group:
    """The operation's symbol, and below it the constants among its operands."""
    (x, y), (width, height) = layout.centres[node.circle], layout.sizes[node.circle]
    lines = symbols(node)
    first = y + sizes.RISE - (len(lines) - 1) / 2 * sizes.LINE
    outline = Shape("ellipse", ((x, y), (width / 2, height / 2)), theme.line, theme.operation, theme.outline)
    texts = [
        Text((x, first + i * sizes.LINE), "center", line, sizes.FONT_SIZE, False, theme.muted if i else theme.ink)
        for i, line in enumerate(lines)
        if line
    ]
    return Group((outline, *texts), "\n".join(filter(None, operation_in_full(node))), node.circle)


# ---- Edges.


def edges_of(
    node: Node, layout: Layout, look: Callable[[str], Theme], largest: float
) -> Iterator[tuple[tuple[float, str], Group]]:
    """The edges from the operands to the circle, with their local derivatives, and from the circle to the box.

    Each comes with its width and colour. An operation from outside the table need not know its local derivatives.
    """

    def edge(name: str, flow: float, lines: list[str], *text: Text) -> tuple[tuple[float, str], Group]:
        line, head = arrow(layout.curves[name], look(name), flow, largest)
        return (line.width, line.line), Group((line, head, *text), "\n".join(lines), name)

    if not node.parents:
        return
    for k, (_, derivative) in enumerate(zip_longest(node.parents, node.local_derivatives)):
        name = node.edge_from(k)
        if name not in layout.curves:  # it is one of many to or from a folded part
            continue
        if derivative is None:
            yield edge(name, 0.0, [])
            continue
        (x, y), size = layout.labels[name], sizes.EDGE_FONT
        text = Text((x, y + 3), "center", short(derivative), size, False, look(name).ink)
        yield edge(name, derivative * node.grad, edge_in_full(node, derivative), text)
    yield edge(node.edge, node.grad, edge_in_full(node))


def arrow(curve: tuple[Point, ...], theme: Theme, flow: float, largest: float) -> Iterator[Shape]:
    """A curve and its head: coloured by the sign of the gradient that flows along it, wide by its size."""
    colour, width = theme.flow.of(flow), theme.width_of(flow, largest)
    *before, (u, v), (x, y) = curve
    dx, dy = unit((u, v), (x, y)) or unit(curve[0], (x, y)) or (1.0, 0.0)
    back = max(1, round(width))  # the line's own corner is the tip; whole numbers are short in a file
    x, y = x - back * dx, y - back * dy
    if before[-2:] != [(u, v)] * 2:  # a straight piece has its control points where it begins
        u, v = u - back * dx, v - back * dy
    yield Shape("curve", (*before, (u, v), (x, y)), colour, "", width)
    along, across = HEAD + back, round(HALF + 0.4 * width)
    shoulders = [(x - along * dx - side * dy, y - along * dy + side * dx) for side in (across, -across)]
    yield Shape("line", (shoulders[0], (x, y), shoulders[1]), colour, "", width)


def unit(start: Point, end: Point) -> Point | None:
    """The direction from one point to another; None if they are one."""
    length = math.dist(start, end)
    return ((end[0] - start[0]) / length, (end[1] - start[1]) / length) if length > 1e-6 else None
