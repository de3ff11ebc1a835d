"""order() sorts the ranks so that few edges cross, by the mean places of the neighbours.

K. Sugiyama, S. Tagawa and M. Toda, "Methods for visual understanding of hierarchical system structures", IEEE
Transactions on Systems, Man, and Cybernetics 11, 1981.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from autograd.drawing.layered.ranks import Items

ROUNDS = 12  # of sweeps that reduce crossings; fewer where there are very many edges


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
            for end in ends:  # those of one item do not cross: they are sorted
                before = bisect_right(ended, end)
                crossings += len(ended) - before
                ended.insert(before, end)
    return crossings
