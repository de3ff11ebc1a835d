"""Ranks: nodes stand behind what they need, near to what needs them."""

from __future__ import annotations

import pytest

from autograd.drawing.layered import Edge
from autograd.drawing.layered.ranks import MOST_SLOTS, in_ranks


def ranks(count, *ends, label=None):
    sizes = {f"n{k}": (10.0, 10.0) for k in range(count)}
    items = in_ranks(sizes, [Edge(f"e{a}{b}", f"n{a}", f"n{b}", label) for a, b in ends], "LR")
    return items.rank[:count]


def test_a_node_stands_behind_all_that_it_needs():
    assert ranks(4, (0, 1), (1, 2), (0, 2), (2, 3)) == [0, 1, 2, 3]
    assert ranks(3, (0, 1), (1, 2), label=(5.0, 5.0)) == [0, 2, 4]  # with a rank for the labels between


def test_leaves_stand_just_before_their_use():
    assert ranks(6, (0, 1), (1, 2), (2, 4), (3, 4), (4, 5)) == [0, 1, 2, 2, 3, 4]
    # and so does what is computed from leaves alone: 5, from 3 and 4
    assert ranks(7, (0, 1), (1, 2), (3, 5), (4, 5), (2, 6), (5, 6)) == [0, 1, 2, 1, 1, 2, 3]


def test_every_rank_that_an_edge_passes_has_a_slot_of_it():
    sizes = {f"n{k}": (10.0, 10.0) for k in range(4)}
    edges = [Edge("a", "n0", "n1"), Edge("b", "n1", "n2"), Edge("c", "n2", "n3"), Edge("d", "n0", "n3", (9.0, 5.0))]
    items = in_ranks(sizes, edges, "LR")
    assert [items.rank[item] for item in items.chains[3]] == [0, 1, 2, 3]
    assert items.labels == {3: items.chains[3][-2]}


def test_there_are_never_too_many_slots():
    sizes = {f"n{k}": (10.0, 10.0) for k in range(400)}
    edges = [Edge(f"e{k}", f"n{k}", f"n{k + 1}") for k in range(399)]
    edges += [Edge(f"f{k}", "n0", f"n{k}") for k in range(2, 400)]
    items = in_ranks(sizes, edges, "LR")
    assert len(items.rank) - 400 <= MOST_SLOTS + 400
    assert len(items.chains[-1]) == 2  # the longest goes straight


@pytest.mark.parametrize("is_flat", [True, False])
def test_labels_stand_beside_their_edges(is_flat):
    sizes = {"a": (10.0, 10.0), "b": (10.0, 10.0)}
    items = in_ranks(sizes, [Edge("e", "a", "b", (30.0, 12.0))], "LR" if is_flat else "TB")
    [slot] = items.labels.values()
    assert items.length[slot] == (30.0 if is_flat else 12.0)
    assert (items.before[slot] > 12.0) == is_flat
    assert (items.after[slot] > 30.0) != is_flat
