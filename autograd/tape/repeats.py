"""find_repeats() finds where a sequence repeats itself: steps of an integrator, or the examples of a written-out loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd.packages import numpy

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 1200  # of what is repeated
FEWEST_REPEATS = 4
FEWEST = 64  # elements of all repeats


def find_repeats(elements: Sequence[object]) -> list[tuple[int, int, int]]:
    """Places that do not overlap, in their order: (first, period, repeats). The longest are found first.

    >>> find_repeats("_" + 20 * "abcd" + "-" + 70 * "a")
    [(1, 4, 20), (82, 1, 70)]
    """
    number: dict[object, int] = {}
    found = numpy.array([number.setdefault(element, len(number)) for element in elements], int)
    candidates: list[tuple[int, int, int]] = []
    for period in range(1, min(LONGEST, len(found) // FEWEST_REPEATS) + 1):
        is_same = numpy.concatenate([[False], found[period:] == found[:-period], [False]])
        edges = numpy.flatnonzero(is_same[1:] != is_same[:-1])
        starts, lengths = edges[::2], edges[1::2] - edges[::2]
        repeats = lengths // period + 1
        are_enough = (repeats >= FEWEST_REPEATS) & (repeats * period >= FEWEST)
        candidates += [(int(s), period, int(k)) for s, k in zip(starts[are_enough], repeats[are_enough], strict=True)]
    candidates.sort(key=lambda each: (-each[1] * each[2], each[1]))
    is_taken = numpy.zeros(len(found), bool)
    chosen = []
    for first, period, repeats in candidates:
        place = slice(first, first + period * repeats)
        if not is_taken[place].any():
            is_taken[place] = True
            chosen.append((first, period, repeats))
    return sorted(chosen)
