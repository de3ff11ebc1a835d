"""Curves: bows between rows lie one within the other, and what is level is straight."""

from __future__ import annotations

from itertools import pairwise

import pytest

from autograd.drawing.layered import Edge, lay_out
from autograd.drawing.layered.curves import BOW


def test_a_chain_has_no_bend():
    sizes = {f"n{k}": (40.0 + k, 20.0) for k in range(10)}
    layout = lay_out(sizes, [Edge(f"e{k}", f"n{k}", f"n{k + 1}", (20.0, 10.0)) for k in range(9)])
    assert len({y for _, y in layout.centres.values()}) == 1
    assert all(len(curve) == 4 for curve in layout.curves.values())


def test_bows_lie_one_within_the_other():
    sizes = {f"n{lane}{k}": (40.0, 20.0) for k in range(120) for lane in "abc"}
    edges = [Edge(f"{lane}{k}", f"n{lane}{k}", f"n{lane}{k + 1}") for k in range(119) for lane in "abc"]
    layout = lay_out(sizes, edges)
    bows = [curve for curve in layout.curves.values() if abs(curve[-1][1] - curve[0][1]) > 30]
    assert len(bows) >= 6
    for turn in (bows[:3], bows[3:6]):  # at the right, and at the left
        inner, middle, outer = sorted(turn, key=lambda bow: abs(bow[-1][1] - bow[0][1]))
        for one, other in [(inner, middle), (middle, outer)]:
            assert abs(other[1][0] - other[0][0]) - abs(one[1][0] - one[0][0]) == pytest.approx(BOW * 4 / 3, abs=0.02)


def test_many_edges_reach_a_circle_around_its_side():
    sizes = {f"n{k}": (40.0, 20.0) for k in range(9)} | {"sum": (30.0, 30.0)}
    layout = lay_out(sizes, [Edge(f"e{k}", f"n{k}", "sum") for k in range(9)], rounds={"sum"})
    ends = sorted((layout.curves[f"e{k}"][-1] for k in range(9)), key=lambda end: end[1])
    assert all(one[1] < other[1] for one, other in pairwise(ends))
    x, y = layout.centres["sum"]
    for end in ends:
        assert (end[0] - x) ** 2 + (end[1] - y) ** 2 == pytest.approx(15**2, rel=0.01)
    for k in (0, 8):  # those from far above and below point to the centre
        (u, v), (end_x, end_y) = layout.curves[f"e{k}"][-2:]
        assert (v - y) / (u - x) == pytest.approx((end_y - y) / (end_x - x), rel=0.02)
