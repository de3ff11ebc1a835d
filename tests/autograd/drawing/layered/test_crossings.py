"""Crossings: counted as by hand, and few."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from autograd.drawing.layered import Edge, lay_out
from autograd.drawing.layered.crossings import count_crossings, depth_first, order
from autograd.drawing.layered.ranks import in_ranks


def test_a_tree_has_no_crossing():
    sizes = {f"n{k}": (10.0, 10.0) for k in range(31)}  # the leaves of a binary tree first, its root last
    edges = [Edge(f"e{k}", f"n{k}", f"n{16 + k // 2}") for k in range(30)]
    tree = lay_out(sizes, edges)
    for one, other in combinations(edges, 2):
        (x, y), (end_x, end_y) = (tree.centres[edge.tail] for edge in (one, other))
        if x == end_x:
            assert (y - end_y) * (tree.centres[one.head][1] - tree.centres[other.head][1]) >= 0


@pytest.mark.parametrize("seed", range(5))
def test_crossings_are_counted_and_sweeps_leave_no_more_of_them(seed):
    random.seed(seed)
    sizes = {f"n{k}": (10.0, 10.0) for k in range(30)}
    ends = [sorted(random.sample(range(30), 2)) for _ in range(60)]
    items = in_ranks(sizes, [Edge(f"e{k}", f"n{a}", f"n{b}") for k, (a, b) in enumerate(ends)], "LR")
    items.ranks = depth_first(items)
    before = count_crossings(items)
    assert before == by_pairs(items)
    order(items)
    assert count_crossings(items) == by_pairs(items) <= before
    assert sorted(item for rank in items.ranks for item in rank) == [*range(len(items.rank))]


def by_pairs(items):
    place = {item: k for rank in items.ranks for k, item in enumerate(rank)}
    pieces = [(items.rank[a], place[a], place[b]) for a, downs in enumerate(items.downs) for b in downs]
    return sum(p == q and (a - c) * (b - d) < 0 for (p, a, b), (q, c, d) in combinations(pieces, 2))
