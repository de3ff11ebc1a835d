"""lay_out() places the nodes of a graph in layers, with all edges in one direction, in nearly linear time.

It takes the steps of Sugiyama, Tagawa and Toda: `ranks.py`, then `crossings.py`, then `coordinates.py` across and
`rows.py` along, and at last `curves.py`. Everything is a loop, so that a graph's depth is bounded by memory only; the
same graph gives the same layout.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import zip_longest

from autograd.drawing import layout
from autograd.drawing import sizes as sizes_of
from autograd.drawing.layered.coordinates import settle
from autograd.drawing.layered.crossings import order
from autograd.drawing.layered.curves import Pen
from autograd.drawing.layered.ranks import Edge, in_ranks
from autograd.drawing.layered.rows import find_rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from autograd.drawing.diagram import Node
    from autograd.drawing.layered.ranks import Items
    from autograd.drawing.layout import Layout
    from autograd.drawing.pen import Point

MOST_FOR_GRAPHVIZ, MOST_RANKS_FOR_GRAPHVIZ = 150, 60


def lay_out(
    sizes: Mapping[str, Point],
    edges: Sequence[Edge],
    rankdir: str = "LR",
    rounds: Collection[str] = (),
) -> Layout:
    """Where the nodes of these sizes lie, and how the edges run between them.

    Arguments:
        sizes: width and height of each node by name, in an order in which edges go forward. One that goes backward, as
            in a cycle, is drawn against the direction of all others.
        edges: none from a node to itself.
        rankdir: "LR", "TB", "RL" or "BT".
        rounds: the names of those that are ellipses; the others are boxes.

    Raises ValueError for an edge that begins or ends at no node, or ends where it begins.

    >>> layout = lay_out({"a": (40, 20), "b": (40, 20)}, [Edge("a b", "a", "b")])
    >>> layout.centres
    {'a': (27.0, 17.0), 'b': (85.0, 17.0)}
    >>> layout.curves["a b"][0], layout.curves["a b"][-1]
    ((47.0, 17.0), (65.0, 17.0))
    """
    return finished(in_ranks(sizes, edges, rankdir), sizes, rankdir, rounds)


def finished(items: Items, sizes: Mapping[str, Point], rankdir: str, rounds: Collection[str]) -> Layout:
    order(items)
    settle(items)
    return Pen(items, find_rows(items), rankdir, {k for k, name in enumerate(sizes) if name in rounds}).layout(sizes)


def placed(nodes: Sequence[Node], rankdir: str) -> Layout:
    """The layout of a graph: Graphviz's while that is quick, which it is for few nodes, else that of `by_layers`.

    Graphviz has a node of its own for every label and every rank that an edge passes, and takes the square of their
    number and more; so it is not asked where there are many, nor for what would be a very long row. Where no layout
    program is found, or where it takes long all the same, it is not needed.
    """
    places, edges, rounds = shapes(nodes)
    items = in_ranks(places, edges, rankdir)
    if len(items.rank) <= MOST_FOR_GRAPHVIZ and max(items.rank, default=0) < MOST_RANKS_FOR_GRAPHVIZ:
        with suppress(layout.NoProgramError, TimeoutError):
            return layout.by_graphviz(nodes, rankdir)
    return finished(items, places, rankdir, rounds)


def by_layers(nodes: Sequence[Node], rankdir: str) -> Layout:
    """The layout of a graph as diagram.py shows it, without a layout program."""
    places, edges, rounds = shapes(nodes)
    return lay_out(places, edges, rankdir, rounds)


def shapes(nodes: Sequence[Node]) -> tuple[dict[str, Point], list[Edge], set[str]]:
    """The sizes of boxes and circles, the edges, and which of them are circles."""
    places: dict[str, Point] = {}
    edges: list[Edge] = []
    rounds = set()
    for node in nodes:
        if node.parents:
            places[node.circle] = sizes_of.of_circle(node)
            rounds.add(node.circle)
            edges += operand_edges(node)
            edges.append(Edge(node.edge, node.circle, node.box))
        places[node.box] = sizes_of.of_box(node)
    return places, edges, rounds


def operand_edges(node: Node) -> Iterator[Edge]:
    """The edges from the operands to the circle, with room for the local derivatives that are known."""
    for k, (parent, derivative) in enumerate(zip_longest(node.parents, node.local_derivatives)):
        label = None if derivative is None else sizes_of.of_label(derivative)
        yield Edge(node.edge_from(k), f"v{parent}", node.circle, label)
