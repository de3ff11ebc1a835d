"""The guard of a recording: a branch that depends on an input is refused, whoever else records or asks meanwhile."""

from __future__ import annotations

import copy
import math
import pickle
import threading

import numpy as np
import pytest

from autograd import Tape, Value, log, maximum, tanh
from autograd.recording import recorded_inputs
from autograd.tape import branches
from autograd.tape.branches import RecordingError, guarded

pytestmark = pytest.mark.both_engines


class Index:
    def __index__(self):
        return 1


BRANCHES = {
    "<": lambda x, w: w if x < 1.0 else x,
    "<=": lambda x, w: w if w <= x else x,
    ">": lambda x, w: w if w > x else x,
    ">=": lambda x, w: w if tanh(x * w) >= w else x,
    "==": lambda x, w: w if x == 1.0 else x,
    "!=": lambda x, w: w if x != 1 else x,
    "in": lambda x, w: w if x in (np.float64(0.0), 1) else x,
    "== an index": lambda x, w: w if x == Index() else x,
    "max": lambda x, w: max(x, w),
    "sorted": lambda x, w: sorted([w, x])[0],
    "if": lambda x, w: w if x * w else x,
    "not": lambda x, w: w * float(not x),
    "and": lambda x, w: x and w,
    "float": lambda x, w: w * float(x + 1.0),
    "math": lambda x, w: w * math.exp(x),
    "numpy": lambda x, w: w * np.exp(np.array([x], float))[0],
    "a Value of it": lambda x, w: w * Value(x),
    "a copy": lambda x, w: w * copy.copy(x),
    "a deep copy": lambda x, w: w * copy.deepcopy([x])[0],
    "a pickle": lambda x, w: w * pickle.loads(pickle.dumps(x)),
    "an array's choice": lambda x, w: np.where(np.array([x]) > 0, w, x)[0],
}


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_recorded_branch_is_refused(branch):
    w = Value(2.0)
    with pytest.raises(
        RecordingError, match=r"^Tape\.record: (a comparison|bool\(\)|float\(\)|a copy) of Value\(.*on an input"
    ):
        Tape.record(lambda x: BRANCHES[branch](x, w), [1.0])
    assert w > 1.0  # the guard has gone
    assert bool(w * 2.0)


def test_what_does_not_depend_on_an_input_may_be_asked_for():
    w = Value(2.0)
    tape = Tape.record(lambda x: x * w if w > 1.0 and w and Value(w) < 3.0 else x, [1.0])
    assert tape.forward([3.0]).tolist() == [6.0]


def test_whether_it_is_the_same_value_may_be_asked():
    w = Value(2.0)
    tape = Tape.record(lambda x: w * x if x != w and x in [w, x] and x not in (None, "x", 1j) else w, [1.0])
    assert tape.forward([3.0]).tolist() == [6.0]


def test_choices_within_the_graph():
    tape = Tape.record(lambda x: maximum(x, 0.0) + abs(x).relu(), [1.0])
    assert tape.forward([3.0, -4.0]).tolist() == [6.0, 4.0]


def test_shown_and_read_is_not_asked_for():
    seen = []
    Tape.record(lambda x: seen.append((f"{x}", f"{x:.1f}", repr(x), x.data)) or x * 2.0, [1.5])
    assert seen == [("Value(data=1.5, grad=0.0)", "1.5", "Value(data=1.5, grad=0.0)", 1.5)]


def test_what_the_function_raises_ends_the_recording():
    x = Value(1.0)
    with pytest.raises(ValueError, match=r"log\(-1\.0\)"):
        Tape.record(log, [-1.0])
    with pytest.raises(ZeroDivisionError):
        Tape.record(lambda a: 1 // 0, [x])
    assert x > 0.0


def test_a_recording_within_a_recording():
    def outer(x):
        inner = Tape.record(lambda y: y * 2.0, [5.0])  # whose end is not the end of this one
        with pytest.raises(RecordingError):
            bool(x)
        return x * inner.forward([10.0])[0]

    assert Tape.record(outer, [1.0]).forward([2.0]).tolist() == [40.0]


def test_other_threads_may_ask_while_one_records():
    inside, asked, answers = threading.Event(), threading.Event(), []
    other = Value(3.0)

    def ask():
        assert inside.wait(10)
        answers.extend([other * 2.0 > 5.0, bool(other), other.item()])
        asked.set()

    def function(x):
        inside.set()
        assert asked.wait(10)
        with pytest.raises(RecordingError):
            bool(x)
        return x * 2.0

    thread = threading.Thread(target=ask)
    thread.start()
    Tape.record(function, [1.0])
    thread.join()
    assert answers == [True, True, 3.0]


# ---- the guard itself


def test_whoever_ends_last_ends_the_guard():
    """Recordings need not end in the order in which they began: other threads have theirs."""
    x, y = Value(1.0), Value(2.0)
    first, second = guarded([x]), guarded([y])
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert x > 0.0
    with pytest.raises(RecordingError):
        bool(y * x)
    second.__exit__(None, None, None)
    assert y > 0.0
    assert recorded_inputs.contents() == []


def test_it_is_known_whether_a_tape_is_recorded():
    answers = []

    def function(x):
        answers.append(branches.is_recording_tapes())
        return x * 2.0

    Tape.record(function, [1.0])
    with pytest.raises(RecordingError) as kept:
        Tape.record(lambda x: x if x > 0.0 else -x, [1.0])
    assert answers == [True]
    assert kept.value.__traceback__ is not None
    assert not branches.is_recording_tapes()
