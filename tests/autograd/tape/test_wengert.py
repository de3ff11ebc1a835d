"""WengertList: what its variables depend on, by both engines alike; lists compared, copied, pickled, and as text."""

from __future__ import annotations

import copy
import math
import pickle
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Value, dot, leaky_relu, maximum, tanh
from autograd import sum as sum_of
from autograd.tape import executors, wengert
from autograd.tape.record import write_down
from autograd.tape.wengert import MOST, ON_INPUTS, ON_PARAMETERS, ROW, ROWS, WengertList, find_dependences, listing

pytestmark = pytest.mark.both_engines

native = pytest.mark.skipif(autograd.engine != "native", reason="the native engine is not in use")


def leaves(count):
    return [Value(0.5 + i) for i in range(count)]


# ---- what depends on what


def test_dependences():
    w, x, y = leaves(3)
    written, _ = write_down([dot([w * w, 1.0], [x, y]), tanh(w), x * 1.0, dot([], [], 2.0 * w)], [x, y])
    # x, y, w are 0, 1, 2; w * w is 3, dot 4, tanh 5, x * 1.0 6, 2.0 * w 7, the empty dot 8
    assert (ON_INPUTS, ON_PARAMETERS) == (1, 2)
    assert written.dependences.tolist() == [1, 1, 2, 2, 3, 2, 1, 2, 2]
    assert written.dependences.dtype == np.uint8
    assert written.with_parameters_as_inputs().dependences.tolist() == [1] * 9


def test_what_depends_on_nothing():
    """A graph of Values has no such thing; a list may: what is computed from constants alone."""
    tanh_of_constant = a_list(1, 1, [0.5], [("tanh", 1, [-1]), ("add", 1, [2, 0])], [2, 3])
    assert tanh_of_constant.dependences.tolist() == [ON_INPUTS, ON_PARAMETERS, 0, ON_INPUTS]
    for executor in executors.available():
        program = executors.program(executor, tanh_of_constant)
        for n in (1, 3):
            outputs, gradient, by_inputs = np.empty((n, 2)), np.empty(1), np.empty((n, 1))
            program.replay(n, np.ones((n, 1)), np.ones(1), outputs, np.ones(2), gradient, by_inputs, 1)
            assert np.allclose(outputs, [math.tanh(0.5), 1.0 + math.tanh(0.5)], rtol=1e-15)
            assert (gradient.tolist(), by_inputs.tolist()) == ([0.0], [[1.0]] * n)


def a_list(inputs, parameters, constants, instructions, outputs):
    rows = [ROW[name] for name, _, _ in instructions]
    lengths = [length for _, length, _ in instructions]
    operands = [variable for _, _, read in instructions for variable in read]
    indices = [np.array(numbers, np.int32) for numbers in (rows, lengths, operands, outputs)]
    return WengertList(inputs, parameters, np.array(constants, float), *indices)


def count_of(operation, length):
    return operation.sequences * length + len(operation.operands) - operation.sequences


@st.composite
def lists(draw):
    """Any list: of some instructions, each with operands from anywhere before it."""
    inputs, parameters, constants = (draw(st.integers(0, 4)) for _ in range(3))
    instructions = []
    for _ in range(draw(st.integers(0, 12))):
        operation = draw(st.sampled_from(ROWS))
        length = draw(st.integers(0, 5)) if operation.sequences else 1
        count, variables = count_of(operation, length), inputs + parameters + len(instructions)
        if count and constants + variables == 0:
            continue
        read = draw(st.lists(st.integers(-constants, variables - 1), min_size=count, max_size=count)) if count else []
        instructions.append((operation.name, length, read))
    variables = inputs + parameters + len(instructions)
    outputs = draw(st.lists(st.integers(-constants, variables - 1), max_size=3)) if constants + variables else []
    return a_list(inputs, parameters, [0.5] * constants, instructions, outputs)


@settings(max_examples=200, deadline=None)
@given(lists())
def test_dependences_of_any_list(drawn):
    """By both engines, which are held against the leaves that each variable is computed from."""
    leaves_of = [{i} for i in range(drawn.first_result)]
    for _, _, operands in drawn.instructions():
        flat = [v for operand in operands for v in (operand if isinstance(operand, list) else [operand])]
        leaves_of.append(set().union(*(leaves_of[v] for v in flat if v >= 0)))
    truth = [
        ON_INPUTS * any(i < drawn.inputs for i in found) + ON_PARAMETERS * any(i >= drawn.inputs for i in found)
        for found in leaves_of
    ]
    assert find_dependences(drawn).tolist() == truth
    assert drawn.dependences.tolist() == truth
    as_inputs = drawn.with_parameters_as_inputs()
    assert as_inputs.dependences.tolist() == find_dependences(as_inputs).tolist()
    assert as_inputs.dependences.tolist() == [ON_INPUTS * bool(found) for found in leaves_of]


def good():
    return a_list(1, 1, [0.5], [("dot", 2, [0, -1, 1, 1, 0]), ("tanh", 1, [2])], [3, -1])


def with_number(name, place, number):
    array = getattr(good(), name).copy()
    array[place] = number
    return {name: array}


ARRAYS = "its arrays do not fit each other"
FIRST, SECOND = (f"instruction {k} has an operand that does not stand before it" for k in (0, 1))
NO_OPERATION = "instruction 1 has no operation of the table"
NO_SEQUENCE = "instruction 1 has a length, but no sequence"
REST = "it has operands of no instruction, or an output that is not computed"
DAMAGED = {
    "fewer inputs than none": ({"inputs": -1}, ARRAYS),
    "fewer parameters than none": ({"parameters": -1}, ARRAYS),
    "too many inputs": ({"inputs": MOST}, ARRAYS),
    "far too many": ({"inputs": 2**31 - 1, "parameters": 2**31 - 1}, ARRAYS),
    "a length too many": ({"lengths": np.array([2, 1, 1], np.int32)}, ARRAYS),
    "a length too few": ({"lengths": np.array([2], np.int32)}, ARRAYS),
    "a row before the table": (with_number("rows", 1, -1), NO_OPERATION),
    "a row after the table": (with_number("rows", 1, len(ROWS)), NO_OPERATION),
    "a negative length": (with_number("lengths", 1, -1), NO_OPERATION),
    "a length beyond the operands": (with_number("lengths", 0, 3), FIRST),
    "a length without a sequence": (
        with_number("lengths", 1, 2**31 - 1),
        "instruction 1 has a length, but no sequence",
    ),
    "no length without a sequence": (with_number("lengths", 1, 0), NO_SEQUENCE),
    "a length far beyond them": (with_number("lengths", 0, 2**31 - 1), FIRST),
    "an operand that is the result": (with_number("operands", 5, 3), SECOND),
    "an operand that comes later": (with_number("operands", 1, 3), FIRST),
    "an operand beyond the list": (with_number("operands", 4, 2**31 - 1), FIRST),
    "a constant that there is not": (with_number("operands", 5, -2), SECOND),
    "a constant far away": (with_number("operands", 0, -(2**31)), FIRST),
    "no operand": ({"operands": np.empty(0, np.int32)}, FIRST),
    "an operand too few": ({"operands": good().operands[:-1]}, SECOND),
    "an operand too many": ({"operands": np.append(good().operands, np.int32(0))}, REST),
    "an output that is not computed": (with_number("outputs", 0, 4), REST),
    "an output that is no constant": (with_number("outputs", 1, -2), REST),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_list(damage):
    """Nobody is let near it: neither engine's analysis, nor a program."""
    changes, message = DAMAGED[damage]
    damaged = replace(good(), **changes)
    ways = [lambda: damaged.dependences, lambda: find_dependences(damaged)]
    ways += [lambda name=name: executors.program(name, damaged) for name in executors.available()]
    if autograd.engine == "native":
        from autograd.native import engine

        ways.append(lambda: engine.Program(damaged.parts(), None))
    for way in ways:
        with pytest.raises(ValueError, match=f"^the Wengert list is damaged: {message}$"):
            way()


def test_the_list_that_the_damaged_ones_are_made_from_is_good():
    for name in executors.available():
        outputs = np.empty((1, 2))
        executors.program(name, good()).replay(1, np.ones((1, 1)), np.ones(1), outputs, None, np.empty(1), None, 1)
        assert outputs == pytest.approx(np.array([[math.tanh(1.0 + 0.5 + 1.0), 0.5]]))


@native
def test_the_python_engine_asks_no_compiled_analysis():
    with patch.object(wengert, "engine", "python"), patch.object(wengert, "native", None):
        assert good().dependences.tolist() == find_dependences(good()).tolist()


def test_dependences_are_found_once_and_belong_to_no_copy():
    drawn = good()
    assert drawn.dependences is drawn.dependences
    assert drawn.alike(good())
    assert good().alike(drawn)
    assert pickle.dumps(drawn) == pickle.dumps(good())
    assert replace(drawn, inputs=2, parameters=0).dependences.tolist() == [ON_INPUTS] * 4


# ---- lists compared, copied and pickled


def some_list(factor=2.0, length=2):
    w, x = Value(1.0), Value(0.0)
    return write_down([tanh(w * factor) + sum_of([x] * length)], [x])[0]


def test_alike():
    assert some_list().alike(some_list())
    assert not some_list().alike(some_list(factor=3.0))
    assert not some_list(0.0).alike(some_list(-0.0))
    assert some_list(math.nan).alike(some_list(math.nan))
    assert not some_list().alike(some_list(length=3))
    w, x = leaves(2)
    lists = [write_down([w * x], inputs)[0] for inputs in ([w], [x], [w, x], [x, w])]
    assert not lists[0].alike(lists[1])  # w * x is input times parameter in one, parameter times input in the other
    assert not lists[0].alike(lists[2])
    assert not lists[2].alike(lists[3])
    assert not write_down([w * x], [])[0].alike(write_down([w * x, w], [])[0])


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickled(protocol):
    written = some_list()
    for again in (pickle.loads(pickle.dumps(written, protocol)), copy.copy(written), copy.deepcopy(written)):
        assert again.alike(written)
        assert again.rows.dtype == np.int32
        assert list(again.instructions()) == list(written.instructions())


def test_a_pickle_has_the_operations_by_name():
    """So that a tape of this version is right in another, whose table has other rows."""
    state = some_list().__getstate__()
    assert state["rows"] == ["multiply", "tanh", "sum", "add"]
    other = some_list()
    with pytest.raises(
        ValueError,
        match=r"^this tape has operations that are not in the table here: cosine, sine; those of your own must be "
        r"defined before it is loaded$",
    ):
        other.__setstate__(state | {"rows": ["sine", "tanh", "cosine", "sine"]})


# ---- as text


def text(outputs, inputs=()):
    written, parameters = write_down(outputs, inputs)
    return listing(written, [value.label for value in (*inputs, *parameters)]).splitlines()


def test_listing_shows_operators_functions_and_sequences():
    w, b, x = Value(1.0, label="w"), Value(1.0), Value(0.0, label="pixel 1")
    y = -((w * x - 1.0 / b) ** 2)
    assert text([maximum(dot([w, 0.5], [x, y], b), leaky_relu(sum_of([x, 2.0])))], [x]) == [
        "v0    input pixel 1",
        "v1    parameter w",
        "v2    parameter",
        "v3  = v1 * v0",
        "v4  = 1 / v2",
        "v5  = v3 - v4",
        "v6  = v5 ** 2",
        "v7  = negative(v6)",
        "v8  = dot([v1, 0.5], [v0, v7], v2)",
        "v9  = sum([v0, 2])",
        "v10 = leaky_relu(v9, 0.01)",
        "v11 = maximum(v8, v10)",
        "output v11",
    ]


def test_listing_shows_constants_in_full():
    x = Value(0.5)
    numbers = [2.0, 0.1, 1 / 3, 1e6, 123456.0, 1234567.0, 1e-7, -0.0, math.inf, -math.inf, math.nan]
    shown = "2, 0.1, 0.3333333333333333, 1e+06, 123456, 1234567.0, 1e-07, -0, inf, -inf, nan"
    assert text([sum_of([x, *numbers])], [x])[1] == f"v1 = sum([v0, {shown}])"


def test_listing_of_leaves_and_several_outputs():
    x, w = Value(0.5), Value(1.0, label="w")
    assert text([x, w, x], [x]) == ["v0   input", "v1   parameter w", "outputs v0, v1, v0"]
    assert text([w]) == ["v0   parameter w", "output v0"]
    assert text([dot([], [], w)]) == ["v0   parameter w", "v1 = dot([], [], v0)", "output v1"]


@pytest.mark.parametrize(("count", "first"), [(9, "v0   input"), (10, "v0    input"), (99, "v0    input")])
def test_listing_is_as_wide_as_its_last_variable(count, first):
    """v0 ... v9 stand in two columns, up to v10 ... v99 in three."""
    x = Value(0.5)
    y = x
    for _ in range(count):
        y = tanh(y)
    lines = text([y], [x])
    assert lines[0] == first
    assert lines[-2] == f"v{count} = tanh(v{count - 1})"


def test_the_indices_of_lookups_and_their_shortest_sequences():
    wengert = a_list(
        2, 3, [0.5], [("take", 3, [2, 3, 4, 1]), ("tanh", 1, [0]), ("take", 2, [5, -1, 1]), ("take", 2, [2, 2, -1]),
                      ("dot", 1, [2, 3, 4]), ("take", 1, [2, 0])], [8]
    )  # fmt: skip
    inputs, lengths = wengert.lookups
    assert (inputs.tolist(), lengths.tolist()) == ([1, 0], [2, 1])
    assert [part.tolist() for part in good().lookups] == [[], []]
