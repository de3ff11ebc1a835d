"""Rows: a long picture is bent, a tangle is not, and every rank is in one row."""

from __future__ import annotations

import pytest

from autograd.drawing.layered import Edge, lay_out
from autograd.drawing.layered.coordinates import settle
from autograd.drawing.layered.crossings import order
from autograd.drawing.layered.ranks import in_ranks
from autograd.drawing.layered.rows import LONG, MOST_IN_A_TURN, find_rows


def lanes(count, steps=120):
    sizes = {f"n{lane} {k}": (40.0, 20.0) for k in range(steps) for lane in range(count)}
    edges = [Edge(f"{lane} {k}", f"n{lane} {k}", f"n{lane} {k + 1}") for k in range(steps - 1) for lane in range(count)]
    return sizes, edges


@pytest.mark.parametrize("rankdir", ["LR", "TB", "RL", "BT"])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_rank_is_in_one_row_and_all_rows_but_the_last_are_full(count, rankdir):
    items = in_ranks(*lanes(count), rankdir)
    order(items)
    settle(items)
    rows = find_rows(items)
    assert [rank for row in rows for rank in range(row.first, row.end)] == [*range(len(items.ranks))]
    assert len(rows) > 1 or rankdir in ("TB", "BT")
    assert len({round(row.length, 6) for row in rows[:-1]}) <= 1
    assert rows[-1].length <= rows[0].length + 1e-6
    for row in rows:
        assert row.starts == sorted(row.starts)


def test_where_many_edges_would_turn_there_is_one_row():
    assert lay_out(*lanes(MOST_IN_A_TURN)).width < 2 * LONG
    assert lay_out(*lanes(MOST_IN_A_TURN + 1)).width > 4 * LONG
