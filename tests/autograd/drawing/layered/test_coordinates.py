"""Coordinates: least squares, exactly, and edges as straight as their neighbours let them be."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.drawing.layered import Edge, lay_out
from autograd.drawing.layered.coordinates import increasing


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0.1, 10)), min_size=1, max_size=12))
def test_pooling_finds_the_least_squares_with_increasing_numbers(pairs):
    """By the conditions of Karush, Kuhn and Tucker: within a pool, no beginning of it wants to be lower."""
    wanted, weights = zip(*pairs, strict=True)
    found = increasing(wanted, weights)
    assert all(one <= other for one, other in pairwise(found))
    pull = [w * (x - y) for w, x, y in zip(weights, found, wanted, strict=True)]
    multiplier = 0.0
    for k, force in enumerate(pull):
        multiplier += force
        assert multiplier <= 1e-7
        if k + 1 < len(found) and found[k] < found[k + 1]:
            assert multiplier == pytest.approx(0, abs=1e-7)
    assert multiplier == pytest.approx(0, abs=1e-7)


def test_a_long_edge_is_level_as_far_as_its_neighbours_leave_room():
    sizes = {f"n{k}": (40.0, 20.0) for k in range(8)}
    edges = [Edge(f"e{k}", f"n{k}", f"n{k + 1}") for k in range(7)]
    curve = lay_out(sizes, [*edges, Edge("far", "n0", "n7")]).curves["far"]
    levels = {y for (x, y), (end_x, end_y) in pairwise(curve[::3]) if y == end_y}
    assert len(levels) == 1
