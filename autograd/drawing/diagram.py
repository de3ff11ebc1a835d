"""A drawing shows a box for each Value, a circle for each operation, an edge for each local derivative.

The graph is written in DOT, Graphviz's language. The Value at place i of the topological order is the box `v<i>`, its
operation the circle `o<i>`; the k-th product of a `dot` that is spelled out is `v<i>.<k>` and `o<i>.<k>`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from itertools import zip_longest

from autograd import packages
from autograd.engines import Value
from autograd.operations import OPERATIONS
from autograd.structures import number
from autograd.wording import columns, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from types import ModuleType

    from autograd.drawing.themes import Theme
    from autograd.operation import Operation
    from autograd.value import Scalar

BOX_CHARACTERS = 24  # of a label in its box; what is longer ends in …
HOVER_CHARACTERS = 1_000

DOT, MULTIPLY, SUM = (OPERATIONS[name] for name in ("dot", "multiply", "sum"))


@dataclass(frozen=True)
class Node:
    """What is shown of a Value, or of one of the products that a `dot` is spelled out in.

    `operands` are the operation's, with None where it got a Value; `parents` are the places of these. The gradient has
    room for `room` characters, so that another can take its place.
    """

    place: str
    label: object
    data: float
    grad: float
    op: str = ""
    operation: Operation | None = None
    operands: tuple[float | tuple[float | None, ...] | None, ...] = ()
    parents: tuple[str, ...] = ()
    local_derivatives: tuple[float, ...] = ()
    room: int = field(default=0, kw_only=True)

    # The names in DOT: of the box, of the circle, of the edge from the circle to the box, and from the k-th parent.

    @property
    def box(self) -> str:
        return f"v{self.place}"

    @property
    def circle(self) -> str:
        return f"o{self.place}"

    @property
    def edge(self) -> str:
        return f"{self.circle} {self.box}"

    def edge_from(self, k: int) -> str:
        return f"v{self.parents[k]} {self.circle} {k}"


# ---- From Values to nodes.


def pictured(order: Sequence[Value], places: dict[Value, str], expand: bool) -> Iterator[Node]:
    """What is shown of Values in topological order; with `expand`, a `dot` as its products and their sum."""
    for node in order:
        if expand and node.operation is DOT:
            yield from spelled_out(node, places)
        else:
            yield Node(
                places[node], node.label, node.data, node.grad, node.op, node.operation,
                tuple(map(constants_of, node.operands)), tuple(places[parent] for parent in node.parents),
                node.local_derivatives,
            )  # fmt: skip


def spelled_out(node: Value, places: dict[Value, str]) -> Iterator[Node]:
    """The products of a `dot`, and the sum of them and the bias.

    The derivative of w x with respect to w is x, for the `dot` as for the product: so the local derivatives that the
    `dot` recorded are the factors' numbers as well. In the sum every local derivative is 1, and so the adjoint of each
    product is that of the `dot`.
    """
    weights, inputs, bias = operands_of_dot(node)
    recorded = iter(node.local_derivatives)
    by_weight = [next(recorded) if isinstance(w, Value) else math.nan for w in weights]
    by_input = [next(recorded) if isinstance(x, Value) else math.nan for x in inputs]
    terms: list[str | float] = []
    for k, (w, x, dw, dx) in enumerate(zip(weights, inputs, by_weight, by_input, strict=True)):
        product = (dx if isinstance(x, Value) else number(w)) * (dw if isinstance(w, Value) else number(x))
        factors = [(places[factor], d) for factor, d in ((w, dw), (x, dx)) if isinstance(factor, Value)]
        if factors:
            place = f"{places[node]}.{k}"
            operands = constants_of(w), constants_of(x)
            yield Node(place, "", product, node.grad, MULTIPLY.symbol, MULTIPLY, operands, *zip(*factors, strict=True))
            terms.append(place)
        else:
            terms.append(product)
    if isinstance(bias, Value) or bias:
        terms.append(places[bias] if isinstance(bias, Value) else bias)
    parents = tuple(term for term in terms if isinstance(term, str))
    constants = tuple(None if isinstance(term, str) else term for term in terms)
    ones = (1.0,) * len(parents)
    yield Node(places[node], node.label, node.data, node.grad, SUM.symbol, SUM, (constants,), parents, ones)


def number_of_products(node: Value) -> int:
    """How many nodes `spelled_out` adds to the one."""
    if node.operation is not DOT:
        return 0
    weights, inputs, _ = operands_of_dot(node)
    return sum(isinstance(w, Value) or isinstance(x, Value) for w, x in zip(weights, inputs, strict=True))


def operands_of_dot(node: Value) -> tuple[tuple[Scalar, ...], tuple[Scalar, ...], Scalar]:
    operands: tuple[tuple[Scalar, ...], tuple[Scalar, ...], Scalar] = node.operands
    return operands


def constants_of(operand: object) -> float | tuple[float | None, ...] | None:
    """An operand where it is a number, or its numbers where it is a sequence: None in the place of each node."""
    if isinstance(operand, tuple):
        return tuple(element if isinstance(element, float) else None for element in operand)
    return operand if isinstance(operand, float) else None


def between(nodes: Sequence[Node], start: str, end: str) -> set[str]:
    """The names of all that lies on paths from the box at place `start` to that at `end`; none if there is no path."""
    after = {start}
    for node in nodes:  # parents come before their nodes
        if not after.isdisjoint(node.parents):
            after.add(node.place)
    before = {end}
    for node in reversed(nodes):
        if node.place in before:
            before.update(node.parents)
    within, names = after & before, set()
    for node in nodes:
        if node.place in within:
            names.add(node.box)
            passed = [node.edge_from(k) for k, parent in enumerate(node.parents) if parent in after]
            if passed:
                names.update(passed, [node.circle, node.edge])
    return names


# ---- From nodes to DOT.

# Both programs measure text right in Courier, and so do readers' fonts: no monospaced one is wider than 0.602 em.
FONT, FONT_SIZE = "Courier", 11
GRAPH_STYLE = {"nodesep": "0.12", "ranksep": "0.25", "pad": "0.1"}
NODE_STYLE = {"fontname": FONT, "fontsize": str(FONT_SIZE), "style": "filled"}
EDGE_STYLE = {"fontname": FONT, "fontsize": str(FONT_SIZE - 1), "arrowsize": "0.5"}
BOX_STYLE = {"shape": "box", "style": "rounded,filled", "margin": "0.06,0.05", "height": "0"}
CIRCLE_STYLE = {"shape": "ellipse", "margin": "0.04,0.02", "width": "0.36", "height": "0.36"}


def in_dot(nodes: Sequence[Node], rankdir: str, theme: Theme, highlighted: Collection[str] | None = None) -> str:
    """The graph in DOT. If some names are `highlighted`, all else is dimmed."""
    graphviz = graphviz_package()

    def look(name: str) -> Theme:
        return theme if highlighted is None else raised if name in highlighted else dimmed

    raised, dimmed = theme.raised, theme.dimmed
    graph_style = GRAPH_STYLE | {"rankdir": rankdir, "bgcolor": theme.background}
    graph = graphviz.Digraph(graph_attr=graph_style, node_attr=NODE_STYLE, edge_attr=EDGE_STYLE)
    flows = [node.grad for node in nodes]
    flows += [derivative * node.grad for node in nodes for derivative in node.local_derivatives]
    largest = max((abs(flow) for flow in flows if math.isfinite(flow)), default=0.0)
    for node in nodes:
        graph.node(node.box, id=node.box, **box(node, look(node.box)))
        if not node.parents:
            continue
        graph.node(node.circle, id=node.circle, **circle(node, look(node.circle)))
        graph.edge(node.circle, node.box, id=node.edge, **out_edge(node, look(node.edge), largest))
        for k, (parent, derivative) in enumerate(zip_longest(node.parents, node.local_derivatives)):
            name = node.edge_from(k)
            graph.edge(f"v{parent}", node.circle, id=name, **edge(node, derivative, look(name), largest))
    return str(graph.source)


def box(node: Node, theme: Theme) -> dict[str, str]:
    label = shown(node.label, BOX_CHARACTERS)
    title = f'<TD ROWSPAN="2" WIDTH="{width(label)}"><B>{markup(label)}</B></TD>' if label else ""
    room = f' WIDTH="{width("0" * node.room)}"' if node.room else ""
    data, grad = (
        f'<TD ALIGN="LEFT" WIDTH="{width(name)}"><FONT COLOR="{theme.muted}">{name}</FONT></TD>'
        f'<TD ALIGN="RIGHT"{least}><FONT COLOR="{colour}">{short(number)}</FONT></TD>'
        for name, number, colour, least in [
            ("data", node.data, theme.ink, ""),
            ("grad", node.grad, theme.gradient.of(node.grad), room),
        ]
    )
    table = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">'
    return BOX_STYLE | outlined(theme) | {
        "label": f"<{table}<TR>{title}{data}</TR><TR>{grad}</TR></TABLE>>",
        "fillcolor": theme.computed if node.parents else theme.leaf,
        "tooltip": hover(value_in_full(node)),
    }  # fmt: skip


def circle(node: Node, theme: Theme) -> dict[str, str]:
    """The symbol, and the constants among the operands: `2 *` and `** 3`, or below the symbol `slope = 0.01`."""
    symbol = str(node.op)
    below = []
    if node.operation and node.operation.is_infix:
        left, right = ("" if operand is None else short(operand) for operand in node.operands)  # type: ignore[arg-type]
        symbol = f"{left} {symbol} {right}".strip()
    else:
        below = [f"{name} = {', '.join(map(short, numbers))}" for name, numbers in constants(node)]
    lines = [markup(shown(symbol, BOX_CHARACTERS)) or " "]
    lines += [f'<FONT COLOR="{theme.muted}">{markup(shown(line, BOX_CHARACTERS))}</FONT>' for line in below]
    return CIRCLE_STYLE | outlined(theme) | {
        "label": f"<{'<BR/>'.join(lines)}>",
        "fillcolor": theme.operation,
        "tooltip": hover(operation_in_full(node)),
    }  # fmt: skip


def outlined(theme: Theme) -> dict[str, str]:
    return {"fontcolor": theme.ink, "color": theme.line, "penwidth": f"{theme.outline:g}"}


def constants(node: Node) -> list[tuple[str, list[float]]]:
    """The operands that are numbers, or sequences with numbers among them: name in the table, and the numbers."""
    names = node.operation.operands if node.operation else ()
    sequences = [operand if isinstance(operand, tuple) else (operand,) for operand in node.operands]
    numbers = [[element for element in sequence if element is not None] for sequence in sequences]
    return [(name, constants) for name, constants in zip(names, numbers, strict=True) if constants]


def edge(node: Node, derivative: float | None, theme: Theme, largest: float) -> dict[str, str]:
    """An operand's edge to the circle. An operation from outside the table need not know its local derivatives."""
    ranks = {"minlen": str(min(1 + len(node.parents) // 6, 6))}  # room for many to fan out, with their labels beside
    if derivative is None:
        return stroke(0.0, theme, largest) | ranks
    flow = derivative * node.grad  # what it adds to the operand's gradient
    tooltip = hover([f"local derivative {derivative!r}", f"× gradient {node.grad!r} = {flow!r}"])
    text = {"label": f" {short(derivative)} ", "fontcolor": theme.ink, "tooltip": tooltip, "labeltooltip": tooltip}
    return stroke(flow, theme, largest) | ranks | text


def out_edge(node: Node, theme: Theme, largest: float) -> dict[str, str]:
    """The edge from the circle to the box."""
    return stroke(node.grad, theme, largest) | {"tooltip": hover([f"gradient {node.grad!r}"])}


def stroke(flow: float, theme: Theme, largest: float) -> dict[str, str]:
    size = min(abs(flow) / largest, 1.0) if largest and not math.isnan(flow) else 0.0
    points = theme.thinnest + (theme.widest - theme.thinnest) * math.sqrt(size)
    return {"color": theme.flow.of(flow), "penwidth": f"{points:.2f}"}


# ---- Text. A label may hold anything, so all of it goes through `shown`, and then through `markup` or `hover`.


def value_in_full(node: Node) -> list[str]:
    return [shown(node.label, HOVER_CHARACTERS), f"data {node.data!r}", f"grad {node.grad!r}"]


def operation_in_full(node: Node) -> list[str]:
    if node.operation is None:
        return [shown(node.op, HOVER_CHARACTERS)]
    numbers = [f"{name} = {', '.join(map(repr, numbers))}" for name, numbers in constants(node)]
    return [
        f"{node.operation.signature} = {node.operation.formula}",
        *(shown(line, HOVER_CHARACTERS) for line in numbers),
    ]


def short(number: float) -> str:
    return f"{number:.4g}"


def width(text: str) -> int:
    """What a cell with the text takes in points; layouts don't know that East Asian characters take two columns."""
    return math.ceil(columns(text) * 0.602 * FONT_SIZE) + 8


def graphviz_package() -> ModuleType:
    """The package graphviz, imported when it is first needed."""
    try:
        import graphviz
    except ModuleNotFoundError as error:
        missing = packages.install("graphviz", "graphviz-pure")
        raise ImportError(f"draw() writes DOT by the package graphviz, which is not installed: {missing}") from error
    return graphviz  # type: ignore[no-any-return]


def markup(text: str) -> str:
    r"""The text for an HTML-like label, in which Graphviz replaces `\N` and its like, and trips over a single `]`."""
    return escape(text.replace("\\", "\\\\")).replace("]", "&#93;")


def hover(lines: list[str]) -> str:
    """The lines as a tooltip, in which Graphviz reads entities, and backslashes twice over."""
    graphviz = graphviz_package()
    escaped = [line.replace("\\", "\\\\\\\\").replace("&", "&amp;") for line in lines if line]
    tooltip: str = graphviz.nohtml(r"\n".join(escaped))
    return tooltip
