"""A tape from a file that is damaged, or was made by somebody else: it is refused, or it replays like any other."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np
import pytest

from autograd import Tape, Value, dot, maximum, tanh
from autograd.tape import executors
from autograd.tape.wengert import NAMES, WengertList

pytestmark = pytest.mark.both_engines


def tape():
    x, y, w, b = (Value(0.5 + i) for i in range(4))
    return Tape([tanh(dot([w, 2.0], [x, y], b)), maximum(w * b, x), b], [x, y], threads=1)


NUMBERS = [-(2**63), -(2**31), -2, -1, 0, 1, 2, 3, 5, 2**30 - 1, 2**30, 2**31 - 1, 2**31, 2**32 + 1, 2**63, 2**70]
THINGS = [
    None,
    True,
    1.5,
    "x",
    b"",
    (),
    [],
    {},
    object(),
    np.ones(2),
    np.ones((2, 2), np.int32),
    np.array([None]),
    float,
]


def changed_array(chance, array):
    """With another number, another length, other places, another type, or something else."""
    array = array.copy()
    ways = [
        lambda: THINGS[chance.randrange(len(THINGS))],
        lambda: array.astype(chance.choice([np.float32, np.int64, np.int16, np.uint32, complex, object, "S8", bool])),
        lambda: array.astype(array.dtype.newbyteorder()),
        lambda: array[:: chance.choice([-1, 2])],
        lambda: array[: chance.randrange(len(array) + 1)],
        lambda: np.repeat(array, chance.randrange(3)),
        lambda: chance.choice([array.tolist(), array[:, None], array.reshape(1, -1), array.tobytes()]),
        lambda: np.frombuffer(b"\0" + array.tobytes(), np.uint8)[1:].view(array.dtype),  # at an odd address
    ]
    if len(array) and chance.random() < 0.6:
        limits = np.iinfo(array.dtype) if array.dtype.kind == "i" else None
        number = chance.choice(NUMBERS)
        array[chance.randrange(len(array))] = number if limits is None else np.clip(number, limits.min, limits.max)
        return array
    return chance.choice(ways)()


def changed(chance, name, part):
    if isinstance(part, np.ndarray):
        return changed_array(chance, part)
    if name == "rows":
        names = list(part)
        names[chance.randrange(len(names))] = chance.choice(["sum", "add", "exp", "x", 1, None, "dot", "tanh"])
        return chance.choice([names, names, part[1:], part * 2, tuple(part), "add", None, [ord("a")], 3])
    return chance.choice([*NUMBERS, *THINGS])


def replay(loaded):
    """Everything that a tape computes."""
    for n in (0, 1, 3):
        batch = np.linspace(-1.0, 1.0, n * len(loaded.inputs)).reshape(n, len(loaded.inputs))
        loaded.forward(batch)
        if n:
            loaded.backward(inputs=True)
            loaded.jacobian(batch)
            loaded.jacobian(batch, wrt="inputs")
    return loaded.listing(), repr(loaded), len(loaded)


@pytest.mark.parametrize("seed", range(40))
def test_a_list_that_was_tampered_with(seed):
    chance = random.Random(seed)
    accepted = 0
    for _ in range(60):
        original = tape()
        state = original._wengert.__getstate__()
        for name in chance.sample(NAMES, chance.choice([1, 1, 2, 3])):
            state[name] = changed(chance, name, state[name])
        if chance.random() < 0.1:
            del state[chance.choice(NAMES)]
        if chance.random() < 0.5:
            state["dependences"] = np.full(9, 255, np.uint8)  # not taken: it is found anew
        wengert = WengertList.__new__(WengertList)
        loaded = Tape.__new__(Tape)
        try:
            wengert.__setstate__(state)
            loaded.__setstate__(original.__getstate__() | {"_wengert": wengert})
        except (ValueError, TypeError):
            continue
        assert wengert.dependences.max(initial=0) <= 3
        replay(loaded)
        accepted += 1
    assert accepted < 60


@pytest.mark.parametrize("seed", range(10))
def test_a_tape_that_was_tampered_with(seed):
    chance = random.Random(seed)
    for _ in range(100):
        original = tape()
        state = original.__getstate__() | {"executor": original.executor}
        leaves = [*original.inputs, *original.parameters, Value(1.0)]
        name = chance.choice(list(state))
        others = [*THINGS, *NUMBERS, leaves, tuple(leaves[:2]), leaves[:1], "numpy", original._wengert]
        state[name] = chance.choice(others)
        if chance.random() < 0.2:
            del state[chance.choice(list(state))]
        loaded = Tape.__new__(Tape)
        try:
            loaded.__setstate__(state)
            replay(loaded)
        except (ValueError, TypeError):
            continue
    for nothing in THINGS:
        with pytest.raises(TypeError, match=r"^Tape: expected the state of a tape, got "):
            Tape.__new__(Tape).__setstate__(nothing)


X, Y, W, B = LEAVES = [Value(float(i), label=name) for i, name in enumerate("xywb")]
TWICE, COMPUTED = r"expected each Value once, got Value\(", r"expected leaves, got Value\(.*, which was computed, as "


@pytest.mark.parametrize(
    ("leaves", "error", "message"),
    [
        ({"inputs": (X, X)}, ValueError, rf"inputs: {TWICE}.* as input 0 and as input 1$"),
        ({"parameters": (W, W)}, ValueError, rf"parameters: {TWICE}.* as parameter 0 and as parameter 1$"),
        ({"parameters": (W, Y)}, ValueError, rf"parameters: {TWICE}.* as input 1 and as parameter 1$"),
        ({"inputs": (X, Y * 1.0)}, TypeError, rf"inputs: {COMPUTED}input 1$"),
        ({"parameters": (W * 1.0, B)}, TypeError, rf"parameters: {COMPUTED}parameter 0$"),
    ],
)
def test_the_leaves_of_a_loaded_tape_are_leaves_each_once(leaves, error, message):
    state = Tape(X * W + Y * B, [X, Y]).__getstate__()
    with pytest.raises(error, match=f"^Tape: {message}"):
        Tape.__new__(Tape).__setstate__(state | leaves)


@pytest.mark.parametrize("name", ["inputs", "parameters"])
def test_a_count_is_held_against_the_leaves_before_memory_is_taken_for_it(name):
    recorded = tape()
    wengert = WengertList.__new__(WengertList)
    tracemalloc.start()
    try:
        wengert.__setstate__(recorded._wengert.__getstate__() | {name: 5 * 10**8})
        with pytest.raises(ValueError, match=rf"it is of 500,000,000 {name}, and the tape has 2$"):
            Tape.__new__(Tape).__setstate__(recorded.__getstate__() | {"_wengert": wengert})
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize("name", ["constants", "lengths", "operands", "outputs"])
def test_a_masked_array_is_no_part_of_a_list(name, mask):
    state = tape()._wengert.__getstate__()
    state[name] = np.ma.array(state[name], mask=mask)
    with pytest.raises(ValueError, match=f"^the Wengert list is damaged: {name}: expected a vector of "):
        WengertList.__new__(WengertList).__setstate__(state)


@pytest.mark.parametrize("executor", list(executors.available()))
@pytest.mark.parametrize("name", ["inputs", "outputs", "parameters"])
def test_what_the_instructions_were_recorded_with_cannot_be_assigned(name, executor):
    recorded = tape()
    recorded.executor = executor
    before = dict(vars(recorded))
    with pytest.raises(AttributeError, match=rf"^Tape: {name} cannot be assigned: .*; make a Tape$"):
        setattr(recorded, name, [Value(1.0)])
    assert vars(recorded) == before
    replay(recorded)


@pytest.mark.parametrize("executor", list(executors.available()))
def test_what_can_be_assigned_is_checked_and_holds_from_then_on(executor):
    recorded = tape()
    expected = recorded.forward([[1.0, 2.0]])
    with pytest.raises(ValueError, match=r"^Tape: threads: expected a positive int, got 0$"):
        recorded.threads = 0
    with pytest.raises(ValueError, match=r"^Tape: executor: expected .*, got 'abacus'$"):
        recorded.executor = "abacus"
    assert recorded.forward([[1.0, 2.0]]).tolist() == expected.tolist()
    recorded.executor, recorded.threads, recorded.note = executor, 2, "kept"
    assert type(recorded._program).__module__.endswith("numpy") is (executor == "numpy")
    assert recorded.forward([[1.0, 2.0]]) == pytest.approx(expected)
    assert (recorded.threads, recorded.note) == (2, "kept")
