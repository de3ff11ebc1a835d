"""Is a graph written down as it is: every instruction once and in order, and by both engines alike?"""

from __future__ import annotations

import copy
import gc
import math
import pickle
import re
import sys
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Value, dot, leaky_relu, logsumexp, maximum, tanh
from autograd import sum as sum_of
from autograd.operations import OPERATIONS
from autograd.tape import wengert
from autograd.tape.wengert import ROW, ROWS, listing, write_down

native = pytest.mark.skipif(autograd.engine != "native", reason="the native engine is not in use")


def leaves(count):
    return [Value(0.5 + i) for i in range(count)]


def instructions(written):
    """As (name, operands), with constants in the place of their variables."""

    def operand(variable):
        if isinstance(variable, list):
            return [operand(v) for v in variable]
        return variable if variable >= 0 else float(written.constants[-1 - variable])

    return [(operation.name, *map(operand, operands)) for _, operation, operands in written.instructions()]


def written_in_python(outputs, inputs):
    """What write_down() does where there is no native engine."""
    with patch.object(wengert, "engine", "python"):
        return write_down(outputs, inputs)


# ---- a list, and what its parts are


def test_the_list_of_a_neuron():
    w, b, x, y = leaves(4)
    written, parameters = write_down([tanh(dot([w, 2.0], [x, y], b)) - 2.0, b], [x, y])
    assert parameters == [w, b]
    assert (written.inputs, written.parameters, len(written)) == (2, 2, 3)
    assert written.constants.tolist() == [2.0]
    assert [ROWS[row].name for row in written.rows] == ["dot", "tanh", "subtract"]
    assert written.lengths.tolist() == [2, 1, 1]
    assert written.operands.tolist() == [2, -1, 0, 1, 3, 4, 5, -1]
    assert written.outputs.tolist() == [6, 3]
    assert {part.dtype for part in (written.rows, written.lengths, written.operands, written.outputs)} == {
        np.dtype("int32")
    }
    assert instructions(written) == [("dot", [2, 2.0], [0, 1], 3), ("tanh", 4), ("subtract", 5, 2.0)]
    assert [result for result, _, _ in written.instructions()] == [4, 5, 6]


def test_parameters_stand_in_topological_order_of_all_outputs():
    a, b, c, d, x = leaves(5)
    first, second = (b * x) + a, (d * b) / c
    assert write_down([first, second], [x])[1] == [b, a, d, c]
    assert write_down([second, first], [x])[1] == [d, b, c, a]
    assert write_down([second, first], [x, b])[1] == [d, c, a]
    assert write_down([a, first, a], [])[1] == [a, b, x]


def test_outputs_may_be_leaves_or_the_same_twice():
    w, x, unused = leaves(3)
    y = w * x
    written, parameters = write_down([x, y, w, y, x], [unused, x])
    assert (parameters, written.outputs.tolist()) == ([w], [1, 3, 2, 3, 1])
    written, parameters = write_down([w], [])
    assert (parameters, written.outputs.tolist(), len(written)) == ([w], [0], 0)


def test_what_no_output_needs_is_not_written():
    w, x, other = leaves(3)
    y = tanh(w * x)
    _ = y * other  # computed from what is needed, but not needed itself
    written, parameters = write_down([y], [x])
    assert (len(written), parameters) == (2, [w])


def test_a_computed_value_without_recording_is_a_parameter():
    w, x = leaves(2)
    with autograd.no_grad():
        scale = w * 2.0
    written, parameters = write_down([scale * x], [x])
    assert (len(written), parameters) == (1, [scale])


def test_dependent_variables():
    w, x, y = leaves(3)
    written, _ = write_down([dot([w * w, 1.0], [x, y]), tanh(w), x * 1.0], [x, y])
    # x, y, w are 0, 1, 2; w * w is 3, dot 4, tanh 5, x * 1.0 6
    assert written.dependent(range(2)) == {0, 1, 4, 6}
    assert written.dependent(range(1, 2)) == {1, 4}
    assert written.dependent(range(2, 3)) == {2, 3, 4, 5}
    assert written.dependent(range(0)) == set()


# ---- what becomes one instruction, and what does not


def test_an_operation_that_was_recorded_twice_is_written_once():
    w, x = leaves(2)

    def network():
        return tanh(dot([w, w], [x, 1.0])) * leaky_relu(x, 0.1)

    written, _ = write_down([network(), network() + network()], [x])
    assert instructions(written) == [
        ("dot", [1, 1], [0, 1.0], 0.0), ("tanh", 2), ("leaky_relu", 0, 0.1), ("multiply", 3, 4), ("add", 5, 5)
    ]  # fmt: skip
    assert written.outputs.tolist() == [5, 6]


def test_what_is_alike_but_not_the_same_stays_apart():
    x, y = leaves(2)
    nan = float("nan")
    different = [
        x + y, y + x, x - y, x + 1.0, 1.0 + x, x + 0.0, x + -0.0, x + math.nextafter(1.0, 2.0), x + nan,
        sum_of([x, y]), sum_of([x]), sum_of([x, x]), logsumexp([x, x]), maximum(x, x), dot([x], [y]),
        dot([x], [y], 1.0), dot([y], [x]), dot([x, x], [y, y]), dot([x, y], [x, y]), sum_of([x, x, y, y, 0.0]),
    ]  # fmt: skip
    written, _ = write_down(different, [x, y])
    assert len(written) == len(different)
    again = [x + nan, x + -0.0, dot([x], [y], bias=0.0), sum_of((x, y))]
    assert write_down(different + again, [x, y])[0].outputs.tolist()[-4:] == [10, 8, 16, 11]


def test_constants_are_told_apart_by_their_bits():
    x = Value(0.5)
    numbers = [0.0, -0.0, 1.0, math.inf, -math.inf, math.nan, 5e-324, 1.0, 0.0, math.nan]
    written, _ = write_down([sum_of([x, *numbers])], [x])
    assert written.constants.tobytes() == np.array(numbers[:7]).tobytes()
    assert written.operands.tolist() == [0, -1, -2, -3, -4, -5, -6, -7, -3, -1, -6]


# ---- both engines' lists

SCALARS = [name for name, operation in OPERATIONS.items() if not operation.sequences]
HARMLESS = ["add", "subtract", "multiply", "negative", "tanh", "relu", "maximum", "atan2", "leaky_relu", "elu"]
steps = st.tuples(
    st.sampled_from([*HARMLESS, "sum", "dot", "logsumexp"]),
    st.lists(st.one_of(st.integers(0, 50), st.sampled_from([0.0, -0.0, 1.0, 0.1, -3.0])), min_size=1, max_size=9),
)


def graph(leaf_count, program):
    """The leaves, and the Values that the steps of the program make: an operand k is the k-th of the Values before."""
    values = leaves(leaf_count)
    for name, drawn in program:
        operands = [values[-1 - x % len(values)] if isinstance(x, int) else x for x in drawn]
        half = len(operands) // 2
        if name == "dot":
            result = dot(operands[:half], operands[half : 2 * half], operands[-1])
        elif name in ("sum", "logsumexp"):
            result = getattr(autograd, name)(operands)
        else:
            count = len(OPERATIONS[name].operands)
            result = getattr(autograd, name)(*(operands * 2)[:count])
        if isinstance(result, Value):
            values.append(tanh(result) if abs(result.data) > 100 else result)
    return values[:leaf_count], values


def assert_same(outputs, inputs):
    (native, parameters), (python, expected) = write_down(outputs, inputs), written_in_python(outputs, inputs)
    assert parameters == expected
    assert native.alike(python)
    assert {name: part.dtype for name, part in vars(native).items() if hasattr(part, "dtype")} == {
        name: part.dtype for name, part in vars(python).items() if hasattr(part, "dtype")
    }


@native
@settings(max_examples=200, deadline=None)
@given(st.integers(1, 4), st.lists(steps, max_size=25), st.data())
def test_the_native_engine_writes_the_same_list(leaf_count, program, data):
    xs, values = graph(leaf_count, program)
    inputs = data.draw(st.lists(st.sampled_from(xs), unique=True))
    outputs = data.draw(st.lists(st.sampled_from(values[::-1]), min_size=1, max_size=4))
    assert_same(outputs, inputs)


@native
def test_the_native_engine_writes_the_same_list_of_long_operations():
    xs = leaves(300)
    for length in (0, 1, 2, 3, 63, 64, 65, 66, 300):
        outputs = [
            dot(xs[:length], xs[::-1][:length], xs[0]),
            sum_of([xs[1], *xs[:length], 2.0]),
            logsumexp([xs[2]] * 70),
        ]
        assert_same(outputs, xs[::7])


def test_each_operation_is_written_with_its_own_row():
    for name in SCALARS:
        operation = OPERATIONS[name]
        values = [Value(number) for number in operation.samples[0]]
        written, parameters = write_down([getattr(autograd, name)(*values)], values[:1])
        assert instructions(written) == [(name, *range(len(values)))]
        assert written.rows.tolist() == [ROW[name]]
        assert parameters == values[1:]


# ---- size


@pytest.mark.parametrize("count", [65_000, pytest.param(200_000, marks=native)])
def test_long_chains(count):
    w, x = leaves(2)
    y = x
    for _ in range(count // 2):
        y = tanh(y + w)
    written, parameters = write_down([y], [x])
    assert (len(written), parameters, written.outputs.tolist()) == (count, [w], [count + 1])
    assert written.operands[:6].tolist() == [0, 1, 2, 3, 1, 4]


def test_an_operation_of_many_operands():
    xs = leaves(100_000)
    written, parameters = write_down([sum_of(xs) + sum_of(xs)], xs[:50_000])
    assert parameters == xs[50_000:]
    assert written.lengths.tolist() == [100_000, 1]
    assert written.operands[:100_000].tolist() == list(range(100_000))


def test_a_list_holds_no_graph():
    w, x = leaves(2)
    gc.collect()
    before = [sys.getrefcount(value) for value in (w, x)]
    for _ in range(50):
        y = tanh(w * x) + dot([w, x], [x, w], w)
        written = write_down([y, y], [x])
        del y
    assert [sys.getrefcount(value) for value in (w, x)] == [before[0] + 1, before[1]]  # the list of parameters has w
    del written
    assert [sys.getrefcount(value) for value in (w, x)] == before


# ---- what cannot be written


@pytest.mark.parametrize("op", ["", "square"])
def test_a_value_that_no_operation_of_the_table_computed(op):
    x = Value(3.0)
    square = Value(9.0, (x,), op)
    message = f"{square!r} was not computed by an operation of the table, so a tape cannot compute it again"
    for outputs in ([square], [square * 2.0], [x * 2.0, x + tanh(square)]):
        with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
            write_down(outputs, [x])
    assert write_down([x * 2.0], [x])[0].rows.tolist() == [ROW["multiply"]]  # nothing is left behind


def test_a_leaf_may_have_a_symbol():
    leaf, x = Value(1.0, (), "given"), Value(2.0)
    written, parameters = write_down([leaf * x], [x])
    assert (parameters, instructions(written)) == ([leaf], [("multiply", 1, 0)])


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
        assert instructions(again) == instructions(written)


def test_a_pickle_has_the_operations_by_name():
    """So that a tape of this version is right in another, whose table has other rows."""
    state = some_list().__getstate__()
    assert state["rows"] == ["multiply", "tanh", "sum", "add"]
    other = some_list()
    with pytest.raises(ValueError, match=r"^this tape has operations that are not in the table here: cosine, sine$"):
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
