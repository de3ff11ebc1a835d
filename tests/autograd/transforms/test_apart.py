"""The arguments of a call, apart: what tells structures from each other, and which of their leaves are numbers."""

from __future__ import annotations

import copy
import itertools
from collections import defaultdict, deque
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import pytest

from autograd import Value
from autograd.structures import unflatten
from autograd.transforms.apart import Apart, Static, quick_key

STRUCTURES = [
    1.0, [1.0], [], [1.0, 2.0], (1.0, 2.0), [[1.0, 2.0]], [[1.0], [2.0]], [(1.0, 2.0)], np.zeros(2), np.zeros((1, 2)),
    np.zeros((2, 1)), np.zeros(()), [np.zeros(2)], [np.zeros(2), 1.0],
]  # fmt: skip
SLOW = [{"a": 1.0}, {"b": 1.0}, deque([1.0]), None, "text", [True], [1.0, None], np.zeros(2, int), [Value(1.0)], 1j]


def test_usual_structures_have_keys_that_tell_them_apart():
    keys = [quick_key((structure,), []) for structure in STRUCTURES]
    assert None not in keys
    for a, b in itertools.combinations(keys, 2):
        assert a != b


def test_numbers_and_order_are_those_of_the_leaves():
    structure = [1, (2.0, [3.0, 4.0]), np.array([[5.0, 6.0], [7.0, 8.0]]), 9.0]
    numbers = []
    assert quick_key((structure,), numbers) == quick_key(([2.0, *structure[1:]],), [])
    assert numbers == Apart((structure,), {}).numbers == [float(k) for k in range(1, 10)]


@pytest.mark.parametrize("structure", SLOW, ids=repr)
def test_others_have_no_quick_key(structure):
    assert quick_key((structure,), []) is None
    assert quick_key((1.0, [structure]), []) is None


def test_a_circle_has_no_quick_key():
    circle = [1.0]
    circle.append(circle)
    assert quick_key((circle,), []) is None


def test_keys_of_other_structures_tell_them_apart():
    others = [*STRUCTURES, *[each for each in SLOW if not (isinstance(each, list) and isinstance(each[0], Value))]]
    keys = [Apart((structure,), {}).key for structure in others]
    for (a, one), (b, other) in itertools.combinations(zip(keys, others, strict=True), 2):
        are_alike = isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and one.shape == other.shape
        assert (a == b) == are_alike or (repr(one), repr(other)) == ("[1.0]", "[True]")  # truths are numbers
    assert Apart((), {"a": 1.0}).key != Apart((), {"b": 1.0}).key
    assert Apart((1.0, "text"), {}).key == Apart((2.0, "text"), {}).key != Apart((1.0, "other"), {}).key
    assert Apart((1.0, Static(1)), {}).key != Apart((1.0, Static(True)), {}).key


@dataclass(frozen=True)
class Setting:
    number: object
    note: list = field(default_factory=list, hash=False)


class Level(float):
    def __repr__(self):
        return f"level {round(self)}"


TWINS = [  # equal to Python, and not the same
    (0.0, -0.0), (1, True), (1, 1.0), (np.float64(0.0), np.float64(-0.0)), (np.float32(0.0), np.float32(-0.0)),
    (np.float64(1.0), 1.0), (complex(0.0, 0.0), complex(0.0, -0.0)), (Decimal("1.0"), Decimal("1.000")),
    (Level(0.0), Level(-0.0)), ((0.0,), (-0.0,)), ((1, (True,)), (1, (1,))), (frozenset({1}), frozenset({True})),
    (np.datetime64("2020"), np.datetime64("2020-01-01")), (Setting(0.0), Setting(-0.0)), (Setting(1), Setting(True)),
    (Setting((Setting(0.0),)), Setting((Setting(-0.0),))),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), TWINS, ids=repr)
def test_what_python_takes_for_equal_has_another_key_wherever_it_stands(one, other):
    assert one == other
    for around in (Static, lambda leaf: Static((leaf,)), lambda leaf: {leaf: 1.0}, lambda leaf: [{(leaf, 2): [1.0]}]):
        key = Apart((1.0, around(one)), {}).key
        assert key != Apart((1.0, around(other)), {}).key
        assert key == Apart((1.0, around(copy.deepcopy(one))), {}).key


def test_what_a_function_can_see_of_a_container_is_in_the_key():
    assert Apart((deque([1.0], 2),), {}).key != Apart((deque([1.0], 3),), {}).key
    assert Apart((defaultdict(int),), {}).key != Apart((defaultdict(float),), {}).key
    nan = {float("nan"): 1.0}
    assert Apart((Static(float("nan")),), {}).key == Apart((Static(float("nan")),), {}).key
    assert Apart((nan,), {}).key == Apart((nan,), {}).key


def test_what_cannot_be_hashed_is_refused():
    with pytest.raises(
        TypeError, match=r"compiled: expected numbers as arguments, and else what can be hashed, got unha"
    ):
        _ = Apart((1.0, {1, 2}), {}).key
    with pytest.raises(TypeError, match="got unhashable type: 'list' among them"):
        _ = Apart((1.0, Static([1])), {}).key


def test_filled_puts_numbers_in_their_places():
    apart = Apart((1.0, "text", [2.0, None]), {"k": (3.0,), "n": Static(4)})
    assert apart.filled([10.0, 20.0, 30.0]) == ((10.0, "text", [20.0, None]), {"k": (30.0,), "n": 4})


def test_chosen_arguments():
    apart = Apart((1.0, [2.0, 3.0], "text", {"a": 4.0}), {"k": 5.0})
    numbers, form = apart.chosen([1], is_single=True)
    assert (numbers, unflatten(form, [7.0, 8.0])) == ([1, 2], [7.0, 8.0])
    numbers, form = apart.chosen([3, 0], is_single=False)
    assert (numbers, unflatten(form, [7.0, 8.0])) == ([3, 0], ({"a": 7.0}, 8.0))
    with pytest.raises(TypeError, match="compiled: the argument: expected a real number, got str: 'text'"):
        apart.chosen([0, 2], is_single=False)


def test_a_static_argument_is_not_one_to_differentiate_by():
    apart = Apart((1.0, [], Static(3.0), 4.0), {})
    assert apart.chosen([0, 1, 3], is_single=False)[0] == [0, 1]
    with pytest.raises(
        ValueError,
        match=r"^compiled: static: expected .*, got the one at position 2, float: 3.0: take it out of static=, or",
    ):
        apart.chosen([1, 2], is_single=False)


def test_values_are_noticed_wherever_they_are():
    for structure in (Value(1.0), [Value(1.0)], {"a": (1.0, Value(1.0))}, np.array([1.0, Value(2.0)])):
        assert Apart((structure,), {}).has_values
    assert not Apart(([1.0, None],), {}).has_values
