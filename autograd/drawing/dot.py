"""A graph in DOT, for people who lay it out themselves: Graphviz makes of it nearly the picture that `draw` makes."""

from __future__ import annotations

from html import escape
from itertools import zip_longest

from autograd import packages
from autograd.drawing.diagram import (
    BOX_CHARACTERS,
    edge_in_full,
    largest_flow,
    operation_in_full,
    short,
    symbols,
    value_in_full,
)
from autograd.drawing.sizes import EDGE_FONT, FONT_SIZE, wide
from autograd.drawing.themes import looks
from autograd.wording import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from types import ModuleType

    from autograd.drawing.diagram import Node
    from autograd.drawing.themes import Theme

FONT = "Courier"  # both programs measure text right in it
GRAPH_STYLE = {"nodesep": "0.12", "ranksep": "0.25", "pad": "0.1"}
NODE_STYLE = {"fontname": FONT, "fontsize": str(FONT_SIZE), "style": "filled"}
EDGE_STYLE = {"fontname": FONT, "fontsize": str(EDGE_FONT), "arrowsize": "0.5"}
BOX_STYLE = {"shape": "box", "style": "rounded,filled", "margin": "0.06,0.05", "height": "0"}
CIRCLE_STYLE = {"shape": "ellipse", "margin": "0.04,0.02", "width": "0.36", "height": "0.36"}


def source(nodes: Sequence[Node], rankdir: str, theme: Theme, highlighted: Collection[str] | None = None) -> str:
    """The graph in DOT. If some names are `highlighted`, all else is dimmed."""
    look = looks(theme, highlighted)
    graph_style = GRAPH_STYLE | {"rankdir": rankdir, "bgcolor": theme.background}
    graph = graphviz_package().Digraph(graph_attr=graph_style, node_attr=NODE_STYLE, edge_attr=EDGE_STYLE)
    largest = largest_flow(nodes)
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
    title = f'<TD ROWSPAN="2" WIDTH="{cell(label)}"><B>{markup(label)}</B></TD>' if label else ""
    data, grad = (
        f'<TD ALIGN="LEFT"><FONT COLOR="{colour}">{name} {short(number)}</FONT></TD>'
        for name, number, colour in [
            ("data", node.data, theme.ink),
            ("grad", node.grad, theme.gradient.of(node.grad)),
        ]
    )
    table = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">'
    return BOX_STYLE | outlined(theme) | {
        "label": f"<{table}<TR>{title}{data}</TR><TR>{grad}</TR></TABLE>>",
        "fillcolor": theme.computed if node.parents else theme.leaf,
        "tooltip": hover(value_in_full(node)),
    }  # fmt: skip


def circle(node: Node, theme: Theme) -> dict[str, str]:
    symbol, *below = symbols(node)
    lines = [markup(symbol) or " "]
    lines += [f'<FONT COLOR="{theme.muted}">{markup(line)}</FONT>' for line in below]
    return CIRCLE_STYLE | outlined(theme) | {
        "label": f"<{'<BR/>'.join(lines)}>",
        "fillcolor": theme.operation,
        "tooltip": hover(operation_in_full(node)),
    }  # fmt: skip


def outlined(theme: Theme) -> dict[str, str]:
    return {"fontcolor": theme.ink, "color": theme.line, "penwidth": f"{theme.outline:g}"}


def edge(node: Node, derivative: float | None, theme: Theme, largest: float) -> dict[str, str]:
    """An operand's edge to the circle. An operation from outside the table need not know its local derivatives."""
    ranks = {"minlen": str(node.ranks)}
    if derivative is None:
        return stroke(0.0, theme, largest) | ranks
    tooltip = hover(edge_in_full(node, derivative))
    text = {"label": f" {short(derivative)} ", "fontcolor": theme.ink, "tooltip": tooltip, "labeltooltip": tooltip}
    return stroke(derivative * node.grad, theme, largest) | ranks | text


def out_edge(node: Node, theme: Theme, largest: float) -> dict[str, str]:
    """The edge from the circle to the box."""
    return stroke(node.grad, theme, largest) | {"tooltip": hover(edge_in_full(node))}


def stroke(flow: float, theme: Theme, largest: float) -> dict[str, str]:
    return {"color": theme.flow.of(flow), "penwidth": f"{theme.width_of(flow, largest):.2f}"}


def cell(text: str) -> int:
    """What a cell with the text takes in points; layouts don't know that East Asian characters take two columns."""
    return round(wide(text, FONT_SIZE) + 0.5) + 8


def markup(text: str) -> str:
    r"""The text for an HTML-like label, in which Graphviz replaces `\N` and its like, and trips over a single `]`."""
    return escape(text.replace("\\", "\\\\")).replace("]", "&#93;")


def hover(lines: list[str]) -> str:
    """The lines as a tooltip, in which Graphviz reads entities, and backslashes twice over."""
    escaped = [line.replace("\\", "\\\\\\\\").replace("&", "&amp;") for line in lines if line]
    tooltip: str = graphviz_package().nohtml(r"\n".join(escaped))
    return tooltip


def graphviz_package() -> ModuleType:
    """The package graphviz, imported when it is first needed."""
    try:
        import graphviz
    except ModuleNotFoundError as error:
        missing = packages.install("graphviz")
        raise ImportError(f"DOT is written by the package graphviz, which is not installed: {missing}") from error
    return graphviz  # type: ignore[no-any-return]
