"""Items are what stands in the ranks of a layered graph: its nodes, and a slot for each edge that passes a rank.

Each node stands behind its predecessors, as near to what uses it as it can. An edge that passes ranks, and the label of
an edge, get slots of their own, so that nothing else lies there.

Inside this folder, `along` is the direction of the edges and `across` the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autograd.drawing.pen import Point

NODE_GAP, SLOT_GAP = 8.0, 5.0  # between two that lie side by side in a rank; where one is a slot, the second
MOST_SLOTS = 8_000  # of edges that pass ranks; the longest edges beyond go without, straight over what lies there


@dataclass(frozen=True)
class Edge:
    """An edge by its name and its ends' names; `label` is the size of its label, if it has one."""

    name: str
    tail: str
    head: str
    label: Point | None = None


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
