"""find_rows() places the ranks along: what is very long is bent into rows that go to and fro, as an ox ploughs."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograd.drawing.layered.ranks import Items

RANK_GAPS = 18.0, 90.0  # between ranks: the least, and the most, for edges that go far across
SLOPE = 0.3  # how much of the distance across is added to the gap between ranks
LONG, ASPECT, ROW_GAP = 1_500.0, 4.0, 24.0  # what is longer, and so many times as long as high, gets rows
LEAST_ROW = 900.0  # how long a row is at least
MOST_IN_A_TURN = 6  # edges between two rows


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
        gaps.append(min(max(least, float(round(SLOPE * across))), most))
    return gaps


def placed_row(row: Row, lengths: Sequence[float], gaps: Sequence[float], length: float) -> Row:
    """The row with places for its ranks, its gaps widened until it is so long."""
    own = sum(lengths[row.first : row.end]) + sum(gaps[row.first : row.end - 1])
    more = max(length - own, 0.0) / max(row.end - row.first - 1, 1)
    starts, place = [], 0.0
    for rank in range(row.first, row.end):
        starts.append(float(round(place)))
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
