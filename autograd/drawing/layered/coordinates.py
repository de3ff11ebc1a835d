"""settle() places all items across: in each rank the least squares of what bends the edges, with all distances kept.

That is an isotonic regression, solved exactly in linear time by pooling (M. J. Best and N. Chakravarti, "Active set
algorithms for isotonic regression", Mathematical Programming 47, 1990). Then edges are straightened as far as there is
room.
"""

from __future__ import annotations

import math
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograd.drawing.layered.ranks import Items


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
        *[(forward, (items.ups, items.downs)), (backward, (items.ups, items.downs))] * 2,
    ]:  # fmt: skip
        for number in way:
            settle_rank(items, items.ranks[number], sides)
    straighten(items)
    items.at = [math.floor(place + 0.5) for place in items.at]  # whole points are short in a file


def settle_rank(items: Items, rank: list[int], sides: Sequence[list[list[int]]]) -> None:
    """Places a rank where its neighbours want it: minimises Σ w (x - wanted)², with the distances kept.

    A bend in a long edge weighs most, one between two nodes least.
    """
    at, nodes = items.at, items.nodes
    offsets = [0.0]
    for one, other in pairwise(rank):
        offsets.append(offsets[-1] + items.distance(one, other))
    wanted: list[float] = []
    weights: list[float] = []
    for item, offset in zip(rank, offsets, strict=True):
        total = weight = 0.0
        own = 1.0 if item < nodes else 2.0
        for neighbours in sides:
            for neighbour in neighbours[item]:
                heavy = own if neighbour < nodes else own * own * 2.0
                total += heavy * at[neighbour]
                weight += heavy
        wanted.append((total / weight if weight else at[item]) - offset)
        weights.append(weight or 0.01)
    for item, offset, place in zip(rank, offsets, increasing(wanted, weights), strict=True):
        at[item] = place + offset


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
