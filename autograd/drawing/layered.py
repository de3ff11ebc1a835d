"""lay_out() places the nodes of a graph in layers, with all edges in one direction, in nearly linear time.

It takes the steps of Sugiyama, Tagawa and Toda ("Methods for visual understanding of hierarchical system structures",
IEEE Transactions on Systems, Man, and Cybernetics 11, 1981):

1. ranks: each node stands behind its predecessors, as near to what uses it as it can. An edge that passes ranks, and
   the label of an edge, get a slot of their own in these, so that nothing else lies there;
2. order: sweeps over the ranks sort each by the mean place of its neighbours, as long as edges cross less;
3. coordinates: in each rank the least squares of what bends the edges, with all distances kept. That is an isotonic
   regression, solved exactly in linear time by pooling (Best and Chakravarti, Mathematical Programming 47, 1990);
4. rows: what is very long is bent into rows that go to and fro, as an ox ploughs.

Inside, `along` is the direction of the edges and `across` the other; `rankdir` turns them into x and y at the end.
Everything is a loop, so that a graph's depth is bounded by memory only; the same graph gives the same layout.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest

from autograd.drawing import layout
from autograd.drawing import sizes as sizes_of
from autograd.drawing.layout import Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from autograd.drawing.diagram import Node
    from autograd.drawing.pen import Point

MARGIN = 7.2  # around the picture, in points
NODE_GAP, SLOT_GAP = 8.0, 5.0  # between two that lie side by side in a rank; where one is a slot, the second
RANK_GAPS = 18.0, 90.0  # between ranks: the least, and the most, for edges that go far across
SLOPE = 0.3  # how much of the distance across is added to the gap between ranks
STEEPEST = math.radians(70.0)  # at which an edge reaches a circle
PORT_GAP = 7.0  # between two edges that leave or reach a node side by side
MOST_SLOTS = 8_000  # of edges that pass ranks; the longest edges beyond go without, straight over what lies there
ROUNDS = 12  # of sweeps that reduce crossings; fewer where there are very many edges
LONG, ASPECT, ROW_GAP = 1_500.0, 4.0, 24.0  # what is longer, and so many times as long as high, gets rows
LEAST_ROW, BOW = 900.0, 7.0  # how long a row is at least, and how far each bow between rows reaches beyond that within
MOST_ASIDE = 4.0  # how far within its rank a curve may turn aside, where others of the rank may be
MOST_FOR_GRAPHVIZ, MOST_RANKS_FOR_GRAPHVIZ = 150, 60
MOST_IN_A_TURN = 6  # edges between two rows


@dataclass(frozen=True)
class Edge:
    """An edge by its name and its ends' names; `label` is the size of its label, if it has one."""

    name: str
    tail: str
    head: str
    label: Point | None = None


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
    {'a': (27.2, 17.2), 'b': (85.2, 17.2)}
    >>> layout.curves["a b"][0], layout.curves["a b"][-1]
    ((47.2, 17.2), (65.2, 17.2))
    """
    items = in_ranks(sizes, edges, rankdir)
    order(items)
    settle(items)
    rows = find_rows(items)
    return Pen(items, rows, rankdir, {k for k, name in enumerate(sizes) if name in rounds}).layout(sizes)


def placed(nodes: Sequence[Node], rankdir: str) -> Layout:
    """The layout of a graph: Graphviz's while that is quick, which it is for few nodes, else that of `by_layers`.

    Graphviz has a node of its own for every label and every rank that an edge passes, and takes the square of their
    number and more; so it is not asked where there are many, nor for what would be a very long row. Where no layout
    program is found, or where it takes long all the same, it is not needed.
    """
    items = in_ranks(*shapes(nodes)[:2], rankdir)
    if len(items.rank) <= MOST_FOR_GRAPHVIZ and max(items.rank, default=0) < MOST_RANKS_FOR_GRAPHVIZ:
        with suppress(layout.NoProgramError, TimeoutError):
            return layout.by_graphviz(nodes, rankdir)
    return by_layers(nodes, rankdir)


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


def in_ranks(sizes: Mapping[str, Point], edges: Sequence[Edge], rankdir: str) -> Items:
    items = Items(sizes, edges, is_flat=rankdir in ("LR", "RL"))
    items.find_ranks()
    items.make_slots()
    return items


class Items:
    """What stands in the ranks, numbered: the nodes, then the slots of edges.

    length         of each item along
    before, after  how far it reaches across, to either side of the line through it
    rank           of each item; `ranks` has the items of each, in their order across
    ups, downs     of each item, its neighbours in the ranks before and behind
    chains         of each edge, from the lower rank to the higher, its items: tail, slots, head
    labels         of each edge that has one, the slot of its label
    turned         whether an edge goes backward
    at             of each item, where it lies across
    """

    def __init__(self, sizes: Mapping[str, Point], edges: Sequence[Edge], is_flat: bool) -> None:
        self.is_flat = is_flat
        number = {name: k for k, name in enumerate(sizes)}
        turn = 0 if is_flat else 1
        self.nodes = len(number)
        self.length = [float(size[turn]) for size in sizes.values()]
        self.before = [size[1 - turn] / 2 for size in sizes.values()]
        self.after = [*self.before]
        self.edges = edges
        self.ends: list[tuple[int, int]] = []
        self.turned: list[bool] = []
        for edge in edges:
            if edge.tail not in number or edge.head not in number or edge.tail == edge.head:
                raise ValueError(f"expected an edge between two of the nodes, got {edge!r}")
            tail, head = number[edge.tail], number[edge.head]
            self.ends.append((min(tail, head), max(tail, head)))
            self.turned.append(tail > head)
        self.rank: list[int] = []
        self.ranks: list[list[int]] = []
        self.ups: list[list[int]] = []
        self.downs: list[list[int]] = []
        self.chains: list[list[int]] = []
        self.labels: dict[int, int] = {}
        self.at: list[float] = []

    def find_ranks(self) -> None:
        """Each node behind its predecessors; then, from the last to the first, as near to what uses it as it can.

        That shortens edges where no more come in than go out; those from leaves don't count, since these come after.
        """
        behind: list[list[tuple[int, int]]] = [[] for _ in range(self.nodes)]
        for (tail, head), edge in zip(self.ends, self.edges, strict=True):
            behind[tail].append((head, 1 if edge.label is None else 2))
        is_leaf = [True] * self.nodes
        for _, head in self.ends:
            is_leaf[head] = False
        came = [0] * self.nodes
        for tail, head in self.ends:
            came[head] += not is_leaf[tail]
        rank = [0] * self.nodes
        for tail, heads in enumerate(behind):
            for head, span in heads:
                rank[head] = max(rank[head], rank[tail] + span)
        for tail in range(self.nodes - 1, -1, -1):
            if came[tail] <= len(behind[tail]) and behind[tail]:
                rank[tail] = min(rank[head] - span for head, span in behind[tail])
        self.rank = rank

    def make_slots(self) -> None:
        """A slot in each rank that an edge passes, if there are not too many, and one for each label."""
        spans = [self.rank[head] - self.rank[tail] for tail, head in self.ends]
        passed, longest = 0, 0
        for longest in sorted(spans):
            passed += longest - 1
            if passed > MOST_SLOTS:
                break
        else:
            longest += 1
        for k, ((tail, head), edge) in enumerate(zip(self.ends, self.edges, strict=True)):
            ranks = range(self.rank[tail] + 1, self.rank[head])
            label = (ranks[0] if self.turned[k] else ranks[-1]) if edge.label else None
            if spans[k] >= longest and spans[k] > 2:
                ranks = range(label, label + 1) if label is not None else range(0)
            chain = [tail]
            for rank in ranks:
                if rank == label:
                    self.labels[k] = len(self.rank)
                chain.append(self.slot(rank, edge.label if rank == label else None))
            self.chains.append([*chain, head])
        count = len(self.rank)
        self.ups, self.downs = [[] for _ in range(count)], [[] for _ in range(count)]
        for chain in self.chains:
            for one, other in pairwise(chain):
                if self.rank[other] == self.rank[one] + 1:
                    self.downs[one].append(other)
                    self.ups[other].append(one)

    def slot(self, rank: int, label: Point | None) -> int:
        """A new item. A label stands above its edge where edges run from left to right, else to the right of it."""
        width, height = label or (0.0, 0.0)
        self.rank.append(rank)
        self.length.append(width if self.is_flat else height)
        self.before.append(height + 1.0 if label and self.is_flat else 1.0)
        self.after.append(width + 4.0 if label and not self.is_flat else 1.0)
        return len(self.rank) - 1

    def distance(self, one: int, other: int) -> float:
        """How far two neighbours in a rank lie apart, at least."""
        gap = NODE_GAP if max(one, other) < self.nodes else SLOT_GAP
        return self.after[one] + gap + self.before[other]


# ---- The order in each rank


def order(items: Items) -> None:
    """Sorts every rank so that few edges cross."""
    items.ranks = depth_first(items)
    crossings = count_crossings(items)
    best, since = [*map(list, items.ranks)], 0
    edges = sum(map(len, items.downs))
    for sweep in range(max(2, min(ROUNDS, 200_000 // (edges + 1)))):
        if not crossings or since == 4:
            break
        forward = sweep % 2 == 0
        indices = range(1, len(items.ranks)) if forward else range(len(items.ranks) - 2, -1, -1)
        for rank in indices:
            fixed = items.ranks[rank - 1 if forward else rank + 1]
            items.ranks[rank] = sorted_by(items.ranks[rank], fixed, items.ups if forward else items.downs)
        now = count_crossings(items)
        since += 1
        if now < crossings:
            crossings, best, since = now, [*map(list, items.ranks)], 0
    items.ranks = best


def depth_first(items: Items) -> list[list[int]]:
    """The ranks in the order of a search back from the last nodes: no edge of a tree crosses another then."""
    ranks: list[list[int]] = [[] for _ in range(max(items.rank, default=-1) + 1)]
    seen = bytearray(len(items.rank))
    lasts = [k for k in range(len(items.rank)) if not items.downs[k]]
    for start in lasts:
        path = [start]
        while path:
            item = path.pop()
            if not seen[item]:
                seen[item] = 1
                ranks[items.rank[item]].append(item)
                path += reversed(items.ups[item])
    return ranks


def sorted_by(rank: list[int], fixed: list[int], neighbours: list[list[int]]) -> list[int]:
    """The rank sorted by the mean places of the neighbours in the fixed one; an item without any stays in its place."""
    place = {item: k for k, item in enumerate(fixed)}
    means = {item: sum(place[n] for n in neighbours[item]) / len(neighbours[item]) for item in rank if neighbours[item]}
    moving = iter(sorted(means, key=means.__getitem__))
    return [next(moving) if item in means else item for item in rank]


def count_crossings(items: Items) -> int:
    """How often two edges cross: for each, how many before it ended further on."""
    crossings = 0
    for upper, lower in pairwise(items.ranks):
        place = {item: k for k, item in enumerate(lower)}
        ended: list[int] = []
        for item in upper:
            ends = sorted([place[n] for n in items.downs[item]])
            for end in ends:
                crossings += len(ended) - bisect_right(ended, end)
            for end in ends:
                insort(ended, end)
    return crossings


# ---- Coordinates across


def settle(items: Items) -> None:
    """Places all items across: by the rank before, then by that behind, at last by both."""
    items.at = [0.0] * len(items.rank)
    for rank in items.ranks:
        place = 0.0
        for one, other in pairwise([*rank[:1], *rank]):
            place += items.distance(one, other) if one != other else 0.0
            items.at[other] = place
        for item in rank:
            items.at[item] -= place / 2
    forward, backward = range(len(items.ranks)), range(len(items.ranks) - 1, -1, -1)
    for way, sides in [
        (forward, (items.ups,)), (backward, (items.downs,)), (forward, (items.ups,)), (backward, (items.downs,)),
        *[(forward, (items.ups, items.downs)), (backward, (items.ups, items.downs))] * 4,
    ]:  # fmt: skip
        for number in way:
            settle_rank(items, items.ranks[number], sides)
    straighten(items)


def settle_rank(items: Items, rank: list[int], sides: Iterable[list[list[int]]]) -> None:
    """Places a rank where its neighbours want it: minimises Σ w (x - wanted)², with the distances kept."""
    wanted: list[float] = []
    weights: list[float] = []
    offset, previous = 0.0, -1
    for item in rank:
        if previous >= 0:
            offset += items.distance(previous, item)
        previous = item
        total = weight = 0.0
        is_slot = item >= items.nodes
        for neighbours in sides:
            for neighbour in neighbours[item]:
                heavy = (
                    (8.0 if neighbour >= items.nodes else 2.0) if is_slot else 2.0 if neighbour >= items.nodes else 1.0
                )
                total += heavy * items.at[neighbour]
                weight += heavy
        if not weight:
            weight = 0.01
            total = weight * items.at[item]
        wanted.append(total / weight - offset)
        weights.append(weight)
    offset, previous = 0.0, -1
    for item, place in zip(rank, increasing(wanted, weights), strict=True):
        if previous >= 0:
            offset += items.distance(previous, item)
        previous = item
        items.at[item] = place + offset


def increasing(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The numbers x_1 ≤ x_2 ≤ … with the least Σ w_i (x_i - wanted_i)²: where they must not cross, they pool.

    >>> increasing([1.0, 4.0, 2.0, 5.0], [1.0, 1.0, 1.0, 1.0])
    [1.0, 3.0, 3.0, 5.0]
    """
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for mean, weight in zip(wanted, weights, strict=True):
        count = 1
        while pools and pools[-1][0] > mean:
            other, heavy, many = pools.pop()
            mean = (mean * weight + other * heavy) / (weight + heavy)
            weight, count = weight + heavy, count + many
        pools.append((mean, weight, count))
    return [mean for mean, _, count in pools for _ in range(count)]


def straighten(items: Items) -> None:
    """Moves the slots of each edge to one level as far as their neighbours leave room, so that it bends seldom.

    From the tail on, slots stay together while some level is free in all of their ranks. It is that of the tail, of the
    head, or else the nearest to their mean.
    """
    place = {item: k for rank in items.ranks for k, item in enumerate(rank)}
    for chain in [*items.chains, *reversed(items.chains)]:  # the second time those before may have made room
        run: list[int] = []
        low, high = -math.inf, math.inf
        for slot in [*chain[1:-1], -1]:
            lowest, highest = room(items, items.ranks[items.rank[slot]], place[slot]) if slot >= 0 else (1.0, 0.0)
            if run and (slot < 0 or max(low, lowest) > min(high, highest)):
                mean = sum(items.at[member] for member in run) / len(run)
                ends = [items.at[end] for end in (chain[0], chain[-1]) if low <= items.at[end] <= high]
                for member in run:
                    items.at[member] = ends[0] if ends else min(max(mean, low), high)
                run, low, high = [], -math.inf, math.inf
            run.append(slot)
            low, high = max(low, lowest), min(high, highest)


def room(items: Items, rank: list[int], place: int) -> tuple[float, float]:
    """Between which places across an item of a rank can move."""
    low, high = -math.inf, math.inf
    if place > 0:
        low = items.at[rank[place - 1]] + items.distance(rank[place - 1], rank[place])
    if place + 1 < len(rank):
        high = items.at[rank[place + 1]] - items.distance(rank[place], rank[place + 1])
    own = items.at[rank[place]]
    return min(low, own), max(high, own)


# ---- Coordinates along, in rows


@dataclass
class Row:
    """Ranks that lie in a row, from `first` to before `end`; where each begins along, and the row across."""

    first: int
    end: int
    starts: list[float] = field(default_factory=list)
    length: float = 0.0


def find_rows(items: Items) -> list[Row]:
    """All ranks in one row, or where that would be very long, and few edges run between rows, in several."""
    lengths = [max((items.length[item] for item in rank), default=0.0) for rank in items.ranks]
    gaps = find_gaps(items)
    whole = placed_row(Row(0, len(items.ranks)), lengths, gaps, 0.0)
    low = min((items.at[k] - items.before[k] for k in range(len(items.rank))), default=0.0)
    high = max((items.at[k] + items.after[k] for k in range(len(items.rank))), default=0.0)
    height = max(high - low, 1.0)
    if whole.length < max(LONG, ASPECT * height) or any(len(chain) != span_of(items, chain) for chain in items.chains):
        return [whole]
    rows_wanted = max(2, round(math.sqrt(whole.length / (1.6 * (height + ROW_GAP)))))
    rows_wanted = min(rows_wanted, int(whole.length / LEAST_ROW) + 1)
    passing = [0] * len(items.ranks)  # behind each rank, how many edges
    for item, downs in enumerate(items.downs):
        passing[items.rank[item]] += len(downs)
    cuts = find_cuts(whole, passing, whole.length / rows_wanted)
    if any(passing[cut - 1] > MOST_IN_A_TURN for cut in cuts):
        return [whole]
    rows = [placed_row(Row(first, end), lengths, gaps, 0.0) for first, end in pairwise([0, *cuts, len(items.ranks)])]
    longest = max(row.length for row in rows)
    return [*(placed_row(row, lengths, gaps, longest) for row in rows[:-1]), rows[-1]]


def span_of(items: Items, chain: list[int]) -> int:
    """How many items a chain has that has a slot in every rank."""
    return items.rank[chain[-1]] - items.rank[chain[0]] + 1


def find_gaps(items: Items) -> list[float]:
    """Behind each rank, how far the next one is: further where edges go far across."""
    least, most = RANK_GAPS
    gaps = []
    for rank in items.ranks[:-1]:
        across = max((abs(items.at[a] - items.at[b]) for a in rank for b in items.downs[a]), default=0.0)
        gaps.append(min(max(least, SLOPE * across), most))
    return gaps


def placed_row(row: Row, lengths: Sequence[float], gaps: Sequence[float], length: float) -> Row:
    """The row with places for its ranks, its gaps widened until it is so long."""
    own = sum(lengths[row.first : row.end]) + sum(gaps[row.first : row.end - 1])
    more = max(length - own, 0.0) / max(row.end - row.first - 1, 1)
    starts, place = [], 0.0
    for rank in range(row.first, row.end):
        starts.append(place)
        place += lengths[rank] + (gaps[rank] + more if rank < row.end - 1 else 0.0)
    return Row(row.first, row.end, starts, place)


def find_cuts(whole: Row, passing: Sequence[int], length: float) -> list[int]:
    """The ranks that rows begin with: in the last third of a full row, where the fewest edges pass."""
    cuts: list[int] = []
    begin = 0
    while True:
        start = whole.starts[begin]
        end = bisect_right(whole.starts, start + length)
        if end >= whole.end:
            return cuts
        first = max(bisect_right(whole.starts, start + length * 2 / 3), begin + 1)
        begin = min(range(max(first, begin + 1), max(end, begin + 1) + 1), key=lambda cut: (passing[cut - 1], -cut))
        cuts.append(begin)


# ---- From places to points


class Pen:
    """Turns places along and across into points: the rows one below the other, every second one backward."""

    def __init__(self, items: Items, rows: list[Row], rankdir: str, rounds: Collection[int]) -> None:
        self.items, self.rows, self.rankdir, self.rounds = items, rows, rankdir, rounds
        self.row_of = [k for k, row in enumerate(rows) for _ in range(row.first, row.end)]
        self.row_length = max((row.length for row in rows), default=0.0)
        self.lengths = [max((items.length[item] for item in rank), default=0.0) for rank in items.ranks]
        self.tops, self.ends = self.find_tops()
        self.margin = MARGIN + (BOW * (MOST_IN_A_TURN + 1) if len(rows) > 1 else 0.0)
        self.width = self.row_length + 2 * self.margin
        self.height = (self.tops[-1] if rows else 0.0) + MARGIN

    def find_tops(self) -> tuple[list[float], list[tuple[float, float]]]:
        """Where each row begins across, and at last where all end; and of each row its lowest and highest place."""
        items, tops, ends, top = self.items, [], [], MARGIN
        for row in self.rows:
            members = [item for rank in items.ranks[row.first : row.end] for item in rank]
            low = min((items.at[item] - items.before[item] for item in members), default=0.0)
            high = max((items.at[item] + items.after[item] for item in members), default=0.0)
            tops.append(top)
            ends.append((low, high))
            top += high - low + ROW_GAP
        return [*tops, top - ROW_GAP], ends

    def point(self, rank: int, along: float, across: float) -> Point:
        """The point at a distance along from where the rank begins, and a place across."""
        number = self.row_of[rank]
        row, (low, high) = self.rows[number], self.ends[number]
        along += row.starts[rank - row.first]
        if number % 2:
            return self.turned(self.row_length - along, self.tops[number] + high - across)
        return self.turned(along, self.tops[number] + across - low)

    def turned(self, along: float, across: float) -> Point:
        along += self.margin
        x, y = (self.width - along if self.rankdir in ("RL", "BT") else along), across
        return (round(x, 2), round(y, 2)) if self.items.is_flat else (round(y, 2), round(x, 2))

    def layout(self, sizes: Mapping[str, Point]) -> Layout:
        items = self.items
        centres = {}
        for k, name in enumerate(sizes):
            rank = items.rank[k]
            centres[name] = self.point(rank, self.begin(k) + items.length[k] / 2, items.at[k])
        starts, stops = self.ports()
        curves, labels = {}, {}
        for k, (edge, chain) in enumerate(zip(items.edges, items.chains, strict=True)):
            curve = self.curve(chain, starts[k], stops[k])
            curves[edge.name] = curve[::-1] if items.turned[k] else curve
            if k in items.labels:
                slot = items.labels[k]
                across = items.at[slot] + (items.after[slot] - items.before[slot]) / 2
                labels[edge.name] = self.point(items.rank[slot], self.lengths[items.rank[slot]] / 2, across)
        width, height = (self.width, self.height) if items.is_flat else (self.height, self.width)
        return Layout(round(width, 2), round(height, 2), centres, dict(sizes), curves, labels)

    def begin(self, node: int) -> float:
        """Where it begins along, in the middle of its rank."""
        return (self.lengths[self.items.rank[node]] - self.items.length[node]) / 2

    def ports(self) -> tuple[list[float], list[float]]:
        """Of each edge, how far from the middles of its nodes it leaves the one and reaches the other.

        Edges at a node are side by side, in the order of where they come from and go to.
        """
        items = self.items
        sides: defaultdict[tuple[int, int], list[tuple[float, int]]] = defaultdict(list)
        for k, chain in enumerate(items.chains):
            sides[chain[0], 1].append((items.at[chain[1]], k))
            sides[chain[-1], 0].append((items.at[chain[-2]], k))
        ports: tuple[list[float], list[float]] = ([0.0] * len(items.chains), [0.0] * len(items.chains))
        for (node, is_start), edges in sides.items():
            edges.sort()
            gap = min(PORT_GAP, items.before[node] * 1.2 / max(len(edges) - 1, 1))
            for place, (across, k) in enumerate(edges):
                port = (place - (len(edges) - 1) / 2) * gap
                if node in self.rounds and not is_start:
                    port = items.before[node] * math.sin(self.angle(items.chains[k], across - items.at[node]))
                ports[1 - is_start][k] = port
        return ports

    def angle(self, chain: list[int], across: float) -> float:
        """At which angle an edge reaches a circle: it points to the centre, but comes from the one side."""
        ranks = [self.items.rank[item] for item in chain[-2:]]
        rows = [self.rows[self.row_of[rank]] for rank in ranks]
        along = RANK_GAPS[0]
        if rows[0] is rows[1]:
            ends = [row.starts[rank - row.first] for row, rank in zip(rows, ranks, strict=True)]
            along = ends[1] + self.lengths[ranks[1]] / 2 - ends[0] - self.lengths[ranks[0]]
        return max(min(math.atan2(across, along), STEEPEST), -STEEPEST)

    def border(self, node: int, port: float, side: int) -> tuple[int, float, float]:
        """The point of a node's border where an edge leaves (side 1) or reaches it (side -1)."""
        items = self.items
        half, rank = items.length[node] / 2, items.rank[node]
        reach = half
        if node in self.rounds:
            reach *= math.sqrt(max(1.0 - (port / items.before[node]) ** 2, 0.0)) if items.before[node] else 1.0
        return rank, self.begin(node) + half + side * reach, items.at[node] + port

    def curve(self, chain: list[int], start: float, stop: float) -> tuple[Point, ...]:
        """Bézier's pieces: level in the slots, and an S between them; a bow where the edge goes on in the next row."""
        items = self.items
        first, last = self.border(chain[0], start, 1), self.border(chain[-1], stop, -1)
        stops = [first]
        if self.lengths[first[0]] - first[1] > MOST_ASIDE:  # others in its rank reach further
            stops.append((first[0], self.lengths[first[0]], first[2]))
        for slot in chain[1:-1]:
            rank = items.rank[slot]
            stops += [(rank, 0.0, items.at[slot]), (rank, self.lengths[rank], items.at[slot])]
        if last[1] > MOST_ASIDE:
            stops.append((last[0], 0.0, last[2]))
        stops.append(last)
        points = [self.point(*stops[0])]
        level = False
        for (rank, _, across), (next_rank, next_along, next_across) in pairwise(stops):
            one, other = points[-1], self.point(next_rank, next_along, next_across)
            if one == other:
                continue
            if self.row_of[rank] != self.row_of[next_rank]:
                points += self.bow(one, other, rank, across)
                level = False
                continue
            is_level = abs(across - next_across) < 0.05
            if is_level and level:  # one piece is enough
                del points[-3:]
                one = points[-1]
            points += between(one, other, self.items.is_flat)
            level = is_level
        if chain[-1] in self.rounds and last[1] <= MOST_ASIDE and self.row_of[stops[-2][0]] == self.row_of[last[0]]:
            points[-2] = self.toward(chain[-1], points[-4:])
        return tuple(points)

    def toward(self, node: int, piece: Sequence[Point]) -> Point:
        """The last control point of a piece that ends at a circle, so that it points to the centre."""
        x, y = self.point(self.items.rank[node], self.begin(node) + self.items.length[node] / 2, self.items.at[node])
        start, _, (u, v), (end_x, end_y) = piece
        if self.items.is_flat:
            return u, clipped(end_y + (u - end_x) * (end_y - y) / (end_x - x), start[1], end_y)
        return clipped(end_x + (v - end_y) * (end_x - x) / (end_y - y), start[0], end_x), v

    def bow(self, one: Point, other: Point, rank: int, across: float) -> list[Point]:
        """A piece to the next row, beyond all that begin and end within it."""
        row = self.row_of[rank]
        sign = -1.0 if row % 2 else 1.0  # what lies further on, towards the next row, is within
        places = [sign * self.items.at[item] for item in self.items.ranks[rank] for _ in self.items.downs[item]]
        within = sum(place > sign * across for place in places)
        is_backward = (row % 2 == 1) != (self.rankdir in ("RL", "BT"))
        reach = (-1.0 if is_backward else 1.0) * BOW * (2 + within) * 4 / 3  # a cubic reaches 3/4 of its control points
        (x, y), (end_x, end_y) = one, other
        if self.items.is_flat:
            return [(round(x + reach, 2), y), (round(end_x + reach, 2), end_y), other]
        return [(x, round(y + reach, 2)), (end_x, round(end_y + reach, 2)), other]


def between(one: Point, other: Point, is_flat: bool) -> list[Point]:
    """A Bézier piece that begins and ends along."""
    (x, y), (end_x, end_y) = one, other
    if is_flat:
        middle = round((x + end_x) / 2, 2)
        return [(middle, y), (middle, end_y), other]
    middle = round((y + end_y) / 2, 2)
    return [(x, middle), (end_x, middle), other]


def clipped(number: float, one: float, other: float) -> float:
    return round(max(min(one, other), min(max(one, other), number)), 2)
