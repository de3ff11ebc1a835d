"""write_down(): a graph is written down as it is, every instruction once and in order, and by both engines alike."""

from __future__ import annotations

import gc
import math
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
from autograd.tape import record
from autograd.tape.record import write_down
from autograd.tape.wengert import ROW, ROWS

pytestmark = pytest.mark.both_engines

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
    with patch.object(record, "engine", "python"):
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


def test_parameters_stand_in_the_order_of_their_creation():
    a, b, c, d, x = leaves(5)
    first, second = (b * x) + a, (d * b) / c
    assert write_down([first, second], [x])[1] == [a, b, c, d]
    assert write_down([second, first], [x])[1] == [a, b, c, d]
    assert write_down([second, first], [x, b])[1] == [a, c, d]
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
