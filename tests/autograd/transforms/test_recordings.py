"""The recordings of a function: what is compared, and how a call is read."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autograd import RecordingError
from autograd.transforms.recordings import Recordings, as_row, compare


@pytest.mark.parametrize(
    ("replayed", "own"),
    [
        (1.0, 1.0 + 1e-12), ([1.0, 1e-13], [1.0, 0.0]), (math.nan, math.nan), (math.inf, math.inf),
        ({"a": [1.0], "name": "x"}, {"a": [1.0], "name": "x"}), (np.ones(2), np.ones(2)), ([], []),
    ],
)  # fmt: skip
def test_what_is_the_same_passes(replayed, own):
    compare(replayed, own)


@pytest.mark.parametrize(
    ("replayed", "own", "message"),
    [
        (1.0, 1.0 + 1e-8, "returns 1.00000001, and its recording 1.0"),
        ([1.0, 2.0, 3.0], [1.0, 5.0, 6.0], r"returns 5.0 at \[1\], and its recording 2.0"),
        (math.nan, 1.0, "returns 1.0, and its recording nan"), (math.inf, -math.inf, "returns -inf, and its recording"),
        ({"name": "x"}, {"name": "y"}, r"returns 'y' at \['name'\], and its recording 'x'"),
        ([1.0], (1.0,), "returns <Form of tuple"),
        ([1.0], [1.0, 2.0], "returns <Form of list: .*, and has returned <Form of list"),
    ],
)  # fmt: skip
def test_the_first_difference_is_named(replayed, own, message):
    with pytest.raises(RecordingError, match=f"^compiled: check: the function {message}"):
        compare(replayed, own)


def test_a_call_is_read_as_a_row():
    recordings = Recordings(sum, frozenset(), False)
    for arguments in [([1.0, 2.0],), (1.0, 2), (np.array([1.0, 2.0]),), ({"a": 1.0, "b": 2.0},), (np.array([1, 2]),)]:
        key, numbers = recordings.read(arguments, {})
        assert numbers.tolist() == [[1.0, 2.0]]
        assert numbers.dtype == np.float64
        assert hash(key) == hash(recordings.read(arguments, {})[0])
    key = recordings.read((1.0,), {"b": 3.0, "a": 2.0})[0]
    assert key == recordings.read((1.0,), {"b": 5.0, "a": 6.0})[0] != recordings.read((1.0,), {"a": 5.0, "b": 6.0})[0]


def test_rows():
    assert as_row([]).shape == (1, 0)
    assert as_row([1, 2.5]).tolist() == [[1.0, 2.5]]
    with pytest.raises(OverflowError):
        as_row([10**400])


def test_a_recording_that_is_given_up_meanwhile_is_made_again():
    """By another thread, between two looks."""

    class Fleeting(dict):
        def __contains__(self, key):
            return super().__contains__(key) and self.pop(key, None) is not None

    recordings = Recordings(lambda x: x * 2.0, frozenset(), False)
    recordings.known = Fleeting()
    assert [recordings((x,), {}) for x in (1.0, 2.0, 3.0)] == [2.0, 4.0, 6.0]
