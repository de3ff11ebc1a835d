"""A folded graph as a picture: a box for each part, with what it is, and edges that say how many values flow.

Nodes that are in no part are drawn as in any other picture. A part's inside is a picture of its own; what lies around
the part is hinted at by boxes without a line around them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from functools import cached_property
from heapq import heapify, heappop, heappush

from autograd.drawing import diagram, layered, sizes
from autograd.drawing.folding import Part
from autograd.drawing.pen import Group, Shape, Text
from autograd.drawing.picture import CORNER, arrow, of_graph
from autograd.drawing.themes import Signs, looks
from autograd.drawing.viewer import Level
from autograd.wording import counted, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from autograd.drawing.diagram import Node
    from autograd.drawing.folding import Graph, Item
    from autograd.drawing.layout import Layout
    from autograd.drawing.pen import Picture, Piece, Point
    from autograd.drawing.themes import Theme

LINE_CHARACTERS = 48  # of a line in a part's box
MOST_INSIDE, MOST_LEVELS = 1_500, 40  # boxes in all the pictures of what is inside, and pictures
MOST_HINTS = 5  # boxes around a view that are told apart
BEHIND = 4.0  # how far the second box shows behind that of a part that repeats


@dataclass(frozen=True)
class Canvas:
    """What all pictures of a folded graph have in common.

    Arguments:
        graph: the graph.
        nodes_of: what is drawn of some Values, by their places in the graph.
        rankdir: where the graph goes.
        highlighted: the names of what stands out, or None.
    """

    graph: Graph
    nodes_of: Callable[[Sequence[int]], list[Node]]
    rankdir: str
    highlighted: Collection[str] | None = None


def levels(canvas: Canvas, items: Sequence[Item], title: str) -> Level:
    """The picture of what is seen of the graph, and, as far as they are not too many, of what is inside its parts."""
    top = View(canvas, items, title)
    insides: dict[int, dict[str, Level]] = {}
    views, drawn = [top], 0
    for view in views:  # it grows: those further out come first
        for part in view.parts:
            if drawn + len(part.inside) > MOST_INSIDE or len(views) > MOST_LEVELS:
                break
            drawn += len(part.inside)
            title = shown(part.heading, LINE_CHARACTERS)
            views.append(View(canvas, part.inside, title, view, part))
    level = Level(top.paint)
    for view in reversed(views):
        view.look()
        level = Level(view.paint, view.title, insides.pop(id(view), {}))
        if view.outer and view.part:
            insides.setdefault(id(view.outer), {})[name_of(view.part)] = level
    return level


@dataclass(eq=False)
class View:
    """One picture: the items that are seen, within the part that they are the inside of, seen in another view."""

    canvas: Canvas
    items: Sequence[Item]
    title: str
    outer: View | None = None
    part: Part | None = None

    @cached_property
    def parts(self) -> list[Part]:
        return [item for item in self.items if isinstance(item, Part)]

    @cached_property
    def owner(self) -> dict[int, Item]:
        """The item that each node of the view is in."""
        owner: dict[int, Item] = {}
        for item in self.items:
            owner |= dict.fromkeys(item.members, item) if isinstance(item, Part) else {item: item}
        return owner

    @cached_property
    def nodes(self) -> list[Node]:
        return self.canvas.nodes_of(sorted(item for item in self.items if not isinstance(item, Part)))

    def around(self, i: int) -> Item | None:
        """The item of the views around that holds a node.

        None if it is what this view is the inside of, unless that repeats: then the node is in the next of the same.
        """
        view = self
        while view.outer:
            if (item := view.outer.owner.get(i)) is not None:
                return item if item is not view.part or view.part.each else None
            view = view.outer
        return None

    @cached_property
    def flows(self) -> Flows:
        return Flows(self)

    def look(self) -> None:
        """Reads the numbers that it shows, so that it goes on showing these."""
        _ = self.nodes, self.flows

    @cached_property
    def layout(self) -> Layout:
        return laid_out(self)

    def paint(self, theme: Theme) -> Picture:
        layout, highlighted = self.layout, self.canvas.highlighted
        base = of_graph(self.nodes, layout, theme, highlighted, self.title)
        look, flows = looks(theme, highlighted), self.flows
        largest = max((link.steepest for link in flows.links), default=0.0)
        edges = [link.drawn(layout, theme, largest) for link in flows.links]
        boxes = [part_box(part, layout, look(self.raised(part))) for part in self.parts]
        hints = [hint_box(name, text, layout, theme) for name, text in flows.hints.items()]
        description = f"{self.title}: {counted(len(self.owner), 'node')}, folded in {counted(len(self.parts), 'part')}."
        said = [*(f"{part.heading}: {part.what}." for part in self.parts if part.title), base.description]
        pieces = Group((*edges,)), *base.pieces, Group((*hints, *boxes))
        whole = " ".join([description, *said]) if self.parts else base.description
        return replace(base, pieces=pieces, description=whole)

    def raised(self, part: Part) -> str:
        """A highlighted name in a part, if there is one."""
        highlighted = self.canvas.highlighted or ()
        return next((name for i in part.members if (name := f"v{i}") in highlighted), "")


# ---- What flows between the boxes


@dataclass(frozen=True)
class Link:
    """The values, by their places in the graph, that flow from one box to another, and how many they are in words."""

    tail: str
    head: str
    values: Collection[int]
    graph: Graph

    @property
    def edge(self) -> str:
        return f"{self.tail} > {self.head}"

    @property
    def label(self) -> str:
        return counted(len(self.values), "value") if len(self.values) > 1 else ""

    @property
    def shape(self) -> layered.Edge:
        size = (sizes.wide(self.label, sizes.EDGE_FONT) + 10.0, 14.0) if self.label else None
        return layered.Edge(self.edge, self.tail, self.head, size)

    @cached_property
    def steepest(self) -> float:
        return steepest(self.graph, self.values)

    def drawn(self, layout: Layout, theme: Theme, largest: float) -> Group:
        colour = theme.flow.zero  # the values' gradients may have either sign
        neutral = replace(theme, flow=Signs(colour, colour, colour))
        pieces: list[Piece] = [*arrow(layout.curves[self.edge], neutral, self.steepest, largest)]
        if self.label:
            (x, y), size = layout.labels[self.edge], sizes.EDGE_FONT
            pieces.append(Text((x, y + 3), "center", self.label, size, False, theme.muted))
        return Group(tuple(pieces), "\n".join([counted(len(self.values), "value"), *numbers(self.graph, self.values)]))


class Flows:
    """What flows between the boxes of a view, and into it and out of it.

    links  one for each pair of boxes of which at least one is a part, or lies around the view
    tails  of the edges from a part to an operation that has no other operand from it, the part's name: they are drawn
           as other edges are, with the local derivative
    hints  by its name, what is written where something comes from around the view, or goes to
    """

    def __init__(self, view: View) -> None:
        self.view, self.graph = view, view.canvas.graph
        self.hints: dict[str, str] = {}
        self.tails: dict[str, str] = {}
        self.flows: defaultdict[tuple[str, str], dict[int, None]] = defaultdict(dict)
        self.merged = frozenset[str]()
        self.find()
        ways = [name.partition(" ")[0] for name in self.hints]
        if merged := {way for way in ways if ways.count(way) > MOST_HINTS}:
            self.hints, self.tails, self.merged = {}, {}, frozenset(merged)
            self.flows.clear()
            self.find()
        self.links = [Link(*ends, values, self.graph) for ends, values in self.flows.items()]
        del self.view  # which holds this: without a cycle, all is freed at once

    def find(self) -> None:
        owner, graph = self.view.owner, self.graph
        for i, item in owner.items():
            head = name_of(item)
            for parent in graph.parents[i] if isinstance(item, Part) else ():
                if owner.get(parent) is not item and (tail := self.end(parent, "from")):
                    self.flows[tail, head][parent] = None
            for use in graph.uses[i]:
                if use not in owner and (after := self.end(use, "to")):
                    self.flows[head, after][i] = None
        for node in self.view.nodes:
            self.find_operands(node)

    def find_operands(self, node: Node) -> None:
        came: defaultdict[str, list[int]] = defaultdict(list)  # from a part, or from around: which operands
        for k, place in enumerate(node.parents):
            i = place_of(place)
            if isinstance(self.view.owner.get(i), (Part, type(None))) and (tail := self.end(i, "from")):
                came[tail].append(k)
        for tail, operands in came.items():
            if len(operands) == 1:
                self.tails[node.edge_from(operands[0])] = tail
            else:
                self.flows[tail, node.circle] |= dict.fromkeys(place_of(node.parents[k]) for k in operands)

    def end(self, i: int, way: str) -> str:
        """The name of what holds a node: an item, or a hint of what lies around; "" if nothing is to be seen of it."""
        if i in self.view.owner:
            return name_of(self.view.owner[i])
        around = self.view.around(i)
        if around is None:
            return ""
        name = way if way in self.merged else f"{way} {name_of(around)}"
        self.hints[name] = "elsewhere" if way in self.merged else hint_text(self.view, around)
        return name


def place_of(place: str) -> int:
    """The place of the Value in the graph; a product that is spelled out stands behind a dot."""
    return int(place.partition(".")[0])


def name_of(item: Item) -> str:
    """Its name in the picture: of a part, that of its group."""
    return f"part {item.path}" if isinstance(item, Part) else f"v{item}"


# ---- Where everything lies


def laid_out(view: View) -> Layout:
    places: dict[str, Point] = {}
    rounds, edges = set(), []
    first: dict[str, int] = {}
    for part in view.parts:
        places[name_of(part)] = size_of_part(part)
        first[name_of(part)] = next((i for i in part.members if view.canvas.graph.parents[i]), part.members[0])
    for node in view.nodes:
        first[node.box] = first[node.circle] = place_of(node.place)
        if node.parents:
            places[node.circle] = sizes.of_circle(node)
            rounds.add(node.circle)
            edges += [
                replace(edge, tail=view.flows.tails.get(edge.name, edge.tail)) for edge in layered.operand_edges(node)
            ]
            edges.append(layered.Edge(node.edge, node.circle, node.box))
        places[node.box] = sizes.of_box(node)
    for name, text in view.flows.hints.items():
        places[name] = sizes.wide(text, sizes.FONT_SIZE) + 2 * sizes.MARGIN, sizes.LINE + 6.0
        first[name] = -1 if name.startswith("from") else len(view.canvas.graph.values)
    edges = [edge for edge in edges if edge.tail in places]  # the others are in links
    edges += [link.shape for link in view.flows.links]
    order = in_order(list(places), [(edge.tail, edge.head) for edge in edges], first)
    return layered.lay_out({name: places[name] for name in order}, edges, view.canvas.rankdir, rounds)


def in_order(names: Sequence[str], edges: Sequence[tuple[str, str]], first: Mapping[str, int]) -> list[str]:
    """The names so that edges go forward, as far as they are no cycle; of those that can be next, the first."""
    after: defaultdict[str, list[str]] = defaultdict(list)
    waits = dict.fromkeys(names, 0)
    for tail, head in edges:
        after[tail].append(head)
        waits[head] += 1
    rank = {name: (first[name], k) for k, name in enumerate(names)}
    left = sorted(names, key=rank.__getitem__, reverse=True)
    ready = [(rank[name], name) for name in names if not waits[name]]
    heapify(ready)
    order: dict[str, None] = {}
    while left:
        if not ready:  # a cycle: the first is as good as any
            while left and left[-1] in order:
                left.pop()
            if not left:
                break
            heappush(ready, (rank[left[-1]], left[-1]))
        _, name = heappop(ready)
        if name in order:
            continue
        order[name] = None
        for head in after[name]:
            waits[head] -= 1
            if not waits[head]:
                heappush(ready, (rank[head], head))
    return [*order]


# ---- Boxes


def lines_of(part: Part) -> list[str]:
    """What stands in a part's box, line by line, the first in bold."""
    phrases = part.what.split("; ")
    first = [part.heading] if part.title or part.each else [phrases.pop(0)]
    own = [*first, *phrases, counted(len(part.members), "node")]
    own += numbers(part.graph, part.members, in_full=False)
    return [shown(line, LINE_CHARACTERS) for line in own]


def numbers(graph: Graph, members: Collection[int], in_full: bool = True) -> list[str]:
    """The range of the data, and how large the gradients are, and whether nan is among them.

    With four digits, lower bounds are rounded down and upper ones up, so that they stay bounds.
    """
    least, same, most = (repr, repr, repr) if in_full else (rounded_down, diagram.short, rounded_up)
    data, slopes = [graph.data[i] for i in members], [abs(graph.grads[i]) for i in members]
    known, steep = without_nan(data), without_nan(slopes)
    low, high = min(known, default=math.nan), max(known, default=math.nan)
    span = f"{least(low)} … {most(high)}" if low < high else same(low)
    with_nan = [", and nan" if 0 < len(some) < len(every) else "" for some, every in ((known, data), (steep, slopes))]
    bound = f"≤ {most(max(steep))}" if steep else "nan"
    return [f"data {span}{with_nan[0]}", f"|grad| {bound}{with_nan[1]}"]


def without_nan(numbers: Sequence[float]) -> list[float]:
    return [number for number in numbers if not math.isnan(number)]


def rounded_down(number: float) -> str:
    """The number in four digits: a lower bound stays one.

    >>> rounded_down(0.12349), rounded_down(0.1), rounded_down(-2.00001)
    ('0.1234', '0.1', '-2.001')
    """
    return rounded(number, ROUND_FLOOR)


def rounded_up(number: float) -> str:
    """The number in four digits: an upper bound stays one.

    >>> rounded_up(0.12341), rounded_up(0.1), rounded_up(1.7976931348623157e308)
    ('0.1235', '0.1', '1.798e+308')
    """
    return rounded(number, ROUND_CEILING)


def rounded(number: float, rounding: str) -> str:
    if not math.isfinite(number):
        return diagram.short(number)
    exact = Context(4, rounding, traps=[]).create_decimal(repr(number))
    return diagram.short(float(exact)) if math.isfinite(float(exact)) else str(exact).lower()


def steepest(graph: Graph, members: Collection[int]) -> float:
    """The largest gradient by size, for the width of an edge; nan counts for nothing."""
    return max(without_nan([abs(graph.grads[i]) for i in members]), default=0.0)


def size_of_part(part: Part) -> Point:
    lines = lines_of(part)
    width = max(sizes.wide(line, sizes.FONT_SIZE) for line in lines) + 2 * sizes.MARGIN
    behind = BEHIND if part.each else 0.0
    return width + behind, len(lines) * sizes.LINE + 10.0 + behind


def part_box(part: Part, layout: Layout, theme: Theme) -> Group:
    """The part's name in bold, and what it consists of; of a part that repeats, the box looks like a stack of cards."""
    name = name_of(part)
    (x, y), (width, height) = layout.centres[name], layout.sizes[name]
    left, top, right, bottom = x - width / 2, y - height / 2, x + width / 2, y + height / 2
    pieces: list[Piece] = []
    if part.each:
        card = (left + BEHIND, top), (right, bottom - BEHIND)
        pieces.append(Shape("box", card, theme.line, theme.operation, theme.outline, CORNER))
        right, top = right - BEHIND, top + BEHIND
    pieces.append(Shape("box", ((left, top), (right, bottom)), theme.line, theme.operation, theme.outline, CORNER))
    lines = lines_of(part)
    start = (top + bottom) / 2 + sizes.RISE - (len(lines) - 1) / 2 * sizes.LINE
    for k, line in enumerate(lines):
        colour = theme.ink if not k or k < len(lines) - 3 else theme.muted
        at = (left + sizes.MARGIN, start + k * sizes.LINE)
        pieces.append(Text(at, "left", line, sizes.FONT_SIZE, not k, colour))
    opened = f"open={part.path!r} shows what is inside"
    title = [shown(part.heading, diagram.HOVER_CHARACTERS), part.what, counted(len(part.members), "node")]
    title += [*numbers(part.graph, part.members), shown(opened, diagram.HOVER_CHARACTERS)]
    return Group(tuple(pieces), "\n".join(line for line in title if line), name)


def hint_text(view: View, item: Item) -> str:
    """What is written where a value comes from around the view, or goes to."""
    if isinstance(item, Part):
        written = f"the next of {item.times:,}" if item is view.part else item.heading
        return shown(written, LINE_CHARACTERS)
    *_, node = view.canvas.nodes_of([item])
    return shown(node.label, diagram.BOX_CHARACTERS) or diagram.short(node.data)


def hint_box(name: str, written: str, layout: Layout, theme: Theme) -> Group:
    x, y = layout.centres[name]
    text = Text((x, y + sizes.RISE), "center", written, sizes.FONT_SIZE, False, theme.muted)
    return Group((text,), written, name)
