"""Where a sequence repeats itself."""

from __future__ import annotations

import random

from autograd.tape.repeats import FEWEST, FEWEST_REPEATS, find_repeats


def test_nothing_repeats_itself():
    assert find_repeats([]) == []
    assert find_repeats(range(500)) == []
    assert find_repeats("ab" * (FEWEST // 2 - 1)) == []  # too few
    assert find_repeats([*range(100)] * (FEWEST_REPEATS - 1)) == []  # too seldom


def test_the_longest_is_found_with_its_shortest_period():
    assert find_repeats("ab" * 100) == [(0, 2, 100)]
    assert find_repeats([*"xy", *["a", "a", "b"] * 40, *"z"]) == [(2, 3, 40)]


def test_what_is_found_repeats_itself_and_does_not_overlap():
    source = random.Random(1)
    for _ in range(20):
        elements = [source.choice("abc") for _ in range(40)]
        for _ in range(4):
            elements += [source.choice("abc") for _ in range(source.randint(1, 30))] * source.randint(1, 30)
        end = 0
        for first, period, repeats in find_repeats(elements):
            assert first >= end
            end = first + period * repeats
            assert elements[first:end] == elements[first : first + period] * repeats
