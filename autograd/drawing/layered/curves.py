"""Pen turns places along and across into points, and chains of slots into Bézier's curves."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import pairwise

from autograd.drawing.layered.rows import MOST_IN_A_TURN, RANK_GAPS, ROW_GAP
from autograd.drawing.layout import Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from autograd.drawing.layered.ranks import Items
    from autograd.drawing.layered.rows import Row
    from autograd.drawing.pen import Point

MARGIN = 7.0  # around the picture, in points
STEEPEST = 0.4  # the cosine of the angle at which an edge reaches a circle, at least
LEAST_APART = 0.2  # two of them, in radians, as far as there is room
PORT_GAP = 8.0  # between two edges that leave or reach a node side by side
MOST_ASIDE = 4.0  # how far within its rank a curve may turn aside, where others of the rank may be
BOW = 6.0  # how far each bow between rows reaches beyond that within


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
        return (x, y) if self.items.is_flat else (y, x)

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
        return Layout(width, height, centres, dict(sizes), curves, labels)

    def begin(self, node: int) -> float:
        """Where it begins along, in the middle of its rank."""
        return (self.lengths[self.items.rank[node]] - self.items.length[node]) // 2

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
                    angle = self.angle(items.chains[k], across - items.at[node], place, len(edges))
                    port = items.before[node] * math.sin(angle)
                ports[1 - is_start][k] = port
        return ports

    def angle(self, chain: list[int], across: float, place: int, count: int) -> float:
        """At which angle an edge reaches a circle, the edge at this place of so many.

        It points to the centre, but hardly reaches into the rank; and the tips of no two arrows meet.
        """
        ranks = [self.items.rank[item] for item in chain[-2:]]
        rows = [self.rows[self.row_of[rank]] for rank in ranks]
        along = RANK_GAPS[0]
        if rows[0] is rows[1]:
            ends = [row.starts[rank - row.first] for row, rank in zip(rows, ranks, strict=True)]
            along = ends[1] + self.lengths[ranks[1]] / 2 - ends[0] - self.lengths[ranks[0]]
        half = self.items.length[chain[-1]] / 2
        steepest = math.acos(max(1.0 - 0.9 * MOST_ASIDE / half, STEEPEST)) if half else 0.0
        apart = min(LEAST_APART, 2.0 * steepest / max(count - 1, 1))
        low, high = -steepest + place * apart, steepest - (count - 1 - place) * apart
        return max(min(math.atan2(across, along), high), low)

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
            is_level = across == next_across
            if is_level and level:  # one piece is enough
                del points[-3:]
                one = points[-1]
            points += between(one, other, self.items.is_flat)
            level = is_level
        if (
            chain[-1] in self.rounds
            and self.begin(chain[-1]) <= MOST_ASIDE
            and self.row_of[stops[-2][0]] == self.row_of[last[0]]
        ):
            points[-2] = self.toward(chain[-1], points[-4:])
        return tuple(points)

    def toward(self, node: int, piece: Sequence[Point]) -> Point:
        """The last control point of a piece that ends at a circle, so that it points to the centre."""
        x, y = self.point(self.items.rank[node], self.begin(node) + self.items.length[node] / 2, self.items.at[node])
        start, _, (u, v), (end_x, end_y) = piece
        if self.items.is_flat:
            return u, clipped(end_y + (u - end_x) * (end_y - y) / ((end_x - x) or 1.0), start[1], end_y)
        return clipped(end_x + (v - end_y) * (end_x - x) / ((end_y - y) or 1.0), start[0], end_x), v

    def bow(self, one: Point, other: Point, rank: int, across: float) -> list[Point]:
        """A piece to the next row, beyond all that begin and end within it."""
        row = self.row_of[rank]
        sign = -1.0 if row % 2 else 1.0  # what lies further on, towards the next row, is within
        places = [sign * self.items.at[item] for item in self.items.ranks[rank] for _ in self.items.downs[item]]
        within = sum(place > sign * across for place in places)
        is_backward = (row % 2 == 1) != (self.rankdir in ("RL", "BT"))
        reach = BOW * (2 + within) * 4 / 3  # a cubic reaches 3/4 of its control points
        reach = -reach if is_backward else reach
        (x, y), (end_x, end_y) = one, other
        if self.items.is_flat:
            return [(x + reach, y), (end_x + reach, end_y), other]
        return [(x, y + reach), (end_x, end_y + reach), other]


def between(one: Point, other: Point, is_flat: bool) -> list[Point]:
    """A Bézier piece that begins and ends along; a straight one has its control points where it begins."""
    (x, y), (end_x, end_y) = one, other
    if x == end_x or y == end_y:
        return [one, one, other]
    if is_flat:
        middle = clipped(round((x + end_x) / 2), x, end_x)
        return [(middle, y), (middle, end_y), other]
    middle = clipped(round((y + end_y) / 2), y, end_y)
    return [(x, middle), (end_x, middle), other]


def clipped(number: float, one: float, other: float) -> float:
    return round(max(min(one, other), min(max(one, other), number)), 1)
