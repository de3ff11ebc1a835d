"""Functions that write themselves: the same as apply(), to the bit, in all that they do themselves, and in all else."""

from __future__ import annotations

import gc
import itertools
import linecache
import math
import struct
import subprocess
import sys
import threading
import traceback

import pytest

from autograd import engines, specialised, value, writer
from autograd.functions import on_floats
from autograd.operands import arguments
from autograd.operation import Operation
from autograd.operations import OPERATIONS, ROWS, TABLE
from autograd.recording import no_grad, recording
from autograd.value import Value, apply, function

every_row = pytest.mark.parametrize("operation", ROWS[:TABLE], ids=lambda row: row.name)
NUMBERS = [0.0, -0.0, 1.0, -1.0, 0.5, 2, -3, 710.5, -745.2, 1e200, -5e-324, math.inf, -math.inf, math.nan]


def bits(thing):
    """What can be compared: of a float its bits, of a node its number among those given."""
    if isinstance(thing, tuple):
        return tuple(map(bits, thing))
    if isinstance(thing, float):
        return "nan" if math.isnan(thing) else struct.pack("d", thing).hex()
    return id(thing)


def seen(call):
    """All that can be seen of what a call returns, or raises."""
    try:
        result = call()
    except Exception as error:
        return type(error), str(error)
    if not isinstance(result, Value):
        return type(result), bits(result)
    parts = (result.data, result.grad, result.parents, result.local_derivatives, result.operands)
    return type(result), *map(bits, parts), result.op, result.operation, result.label


def by_apply(operation, operands):
    return apply(operation, *arguments(operation, operands, {}, Value))


def choices(point):
    """The point with each choice of its numbers made Values."""
    flat = [number for operand in point for number in (operand if isinstance(operand, list) else [operand])]
    for are_values in itertools.product([True, False], repeat=len(flat)):
        numbers = iter(
            [Value(number) if is_value else number for number, is_value in zip(flat, are_values, strict=True)]
        )
        yield tuple(
            [[next(numbers) for _ in operand] if isinstance(operand, list) else next(numbers) for operand in point]
        )


def points(operation):
    """Samples, kinks, and what is next to no other number."""
    yield from operation.samples
    yield from operation.kinks
    for numbers in itertools.product(NUMBERS, repeat=min(2, len(operation.operands) + operation.sequences)):
        sequence = list(numbers) if operation.sequences else []
        scalars = iter(numbers)
        yield tuple([[*sequence] if i < operation.sequences else next(scalars) for i in range(len(operation.operands))])


@every_row
def test_a_function_is_as_apply_is_to_the_bit(operation):
    quick = function(operation)
    for point in points(operation):
        for operands in choices(point):
            assert seen(lambda: quick(*operands)) == seen(lambda: by_apply(operation, operands)), operands  # noqa: B023


INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}


@pytest.mark.parametrize("name", INFIX)
def test_an_operator_is_as_apply_is_to_the_bit(name):
    infix = eval(f"lambda x, y: x {INFIX[name]} y")
    for x, y in itertools.product(NUMBERS, repeat=2):
        for operands in [(Value(x), Value(y)), (Value(x), y), (x, Value(y))]:
            expected = seen(lambda: by_apply(OPERATIONS[name], operands))  # noqa: B023
            assert seen(lambda: infix(*operands)) == expected, operands  # noqa: B023


def test_signs_are_as_apply_is_to_the_bit():
    for x in map(Value, NUMBERS):
        assert seen(lambda: -x) == seen(lambda: apply(OPERATIONS["negative"], x))  # noqa: B023
        assert seen(lambda: abs(x)) == seen(lambda: apply(OPERATIONS["abs"], x))  # noqa: B023


@every_row
def test_no_row_needs_apply_for_what_happens_most(operation, monkeypatch):
    quick = function(operation)
    quick(*next(choices(operation.samples[0])))
    monkeypatch.setattr(value, "apply", lambda *operands: pytest.fail("it was called"))
    for point in operation.samples:
        for operands in choices(point):
            if any(
                isinstance(number, Value)
                for operand in operands
                for number in (operand if isinstance(operand, list) else [operand])
            ):
                result = quick(*operands)
                assert result.operation is operation
                assert hasattr(result, "_parents") is (operation.sequences > 0 or len(operands) > 2)


def test_operators_need_no_apply(monkeypatch):
    x, y = Value(0.5), Value(2.0)
    calls = [
        lambda: x + y,
        lambda: x - 1,
        lambda: 2 * x,
        lambda: 1.0 / y,
        lambda: x**y,
        lambda: x**2,
        lambda: -x,
        lambda: abs(x),
    ]
    for call in calls:
        call()
    monkeypatch.setattr(value, "apply", lambda *operands: pytest.fail("it was called"))
    for call in calls:
        assert type(call()) is Value


# ---- what is left to apply()


def test_blocks_without_recording_and_their_ends():
    x, exp = Value(0.5), function(OPERATIONS["exp"])
    assert exp(x).parents == (x,)
    with no_grad():
        assert (exp(x).parents, (x * x).parents) == ((), ())
        with recording():
            assert (x * x).parents == (x, x)
    with recording(raises=False):
        assert (exp(Value(1000.0)).data, (x / 0).data) == (math.inf, math.inf)
    assert (exp(x).parents, (x * x).parents) == ((x,), (x, x))


def test_iterators_are_read_once_and_sequences_are_copied():
    dot, x = function(OPERATIONS["dot"]), [Value(1.0), 2, 3.0]
    result = dot(x, iter([4, Value(5.0), 6]), bias=1)
    assert result.data == 1.0 + 4.0 + 10.0 + 18.0
    listed = dot(x, [4, 5, 6.0])
    x.clear()
    assert listed.operands[0][1:] == (2.0, 3.0)
    assert all(type(number) is float for number in (*listed.operands[0][1:], *listed.operands[1], listed.operands[2]))


def test_a_rule_that_is_no_formula_is_left_to_apply(monkeypatch):
    row = Operation(
        "steps", "steps", "", lambda m, x: x if x > 0 else 0.5 * x, [lambda m, r, x: 1.0 if x > 0 else 0.5], samples=[]
    )
    monkeypatch.setattr(specialised, "ROWS", [row])
    steps, x = function(row), Value(-3.0)
    result = steps(x)
    assert (result.data, result.local_derivatives, result.parents) == (-1.5, (0.5,), (x,))


def test_an_operation_that_a_user_defines_reads_what_it_refers_to_each_time():
    factor = [2.0]
    row = Operation("scaled", "scaled", "", lambda m, x: factor[0] * x, [lambda m, r, x: factor[0]], samples=[])
    row.compute = on_floats("value", row.compute)
    scaled, x = function(row), Value(3.0)
    assert (scaled(x).data, scaled(x).local_derivatives) == (6.0, (2.0,))
    factor[0] = 5.0
    assert (scaled(x).data, scaled(x).local_derivatives) == (15.0, (5.0,))


RULES = {
    "a quotient that a choice leaves out": lambda m, x: m.sum([m.where(x_i > 0, 1.0 / x_i, x_i) for x_i in x]),
    "a function that a choice leaves out": lambda m, x: m.sum([m.where(x_i < 700, m.exp(x_i), 1.0) for x_i in x]),
    "sums in each other": lambda m, x: m.sum([(x_i - m.sum(x)) * (x_i - m.sum(x)) for x_i in x], 0.5),
    "no element": lambda m, x: m.sum([2.0 for _ in x]) - m.largest([-x_i for x_i in x]) + m.largest(x),
    "functions of functions": lambda m, x: m.sum([m.exp(m.sin(x_i) / 3.0) * m.relu(x_i) for x_i in x], m.largest(x)),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_on_elements_is_written_as_it_is(rule, monkeypatch):
    partial = lambda m, r, x: [r * rule(m, x) * x_i for x_i in x]  # noqa: E731
    row = Operation("new", "new", "", rule, [partial], samples=[], sequences=1)
    monkeypatch.setattr(specialised, "ROWS", [row])
    quick = function(row)
    for point in [[0.5], [1.0, 2.0], [-0.5, 0.0, 3.0], [800.0, 1.0], [math.inf, math.nan], []]:
        for operands in choices((point,)):
            assert seen(lambda: quick(*operands)) == seen(lambda: by_apply(row, operands)), operands  # noqa: B023
    assert "slow" not in quick.__code__.co_names[:1]
    assert quick.__code__.co_name == "new"  # it is not the text that leaves all to slow


# ---- texts


def test_a_function_is_the_same_before_and_after_its_text_is_written():
    tanh = function(OPERATIONS["tanh"])
    kept, signature = {tanh: 1}, (tanh.__name__, tanh.__doc__, tanh.__module__)
    assert tanh.__code__.co_filename == specialised.__file__
    tanh(Value(0.5))
    assert tanh.__code__.co_filename == "<tanh(), written from the table>"
    assert kept[tanh] == 1
    assert (tanh.__name__, tanh.__doc__, tanh.__module__) == signature


def test_a_traceback_shows_the_text():
    log = function(OPERATIONS["log"])
    try:
        log(Value(-1.0))
    except ValueError as error:
        shown = "".join(traceback.format_exception(error))
    assert '<log(), written from the table>", line' in shown
    assert "\n    return slow(first)\n" in shown
    assert shown.endswith("\nValueError: log(-1.0): expected x > 0\n")
    linecache.checkcache()
    assert linecache.getline("<log(), written from the table>", 1) == "def log(*operands, **keywords):\n"


ERRORS = (ValueError, ZeroDivisionError, AttributeError, KeyError)


def interrupted(call, files, event, error):
    """Calls it, and raises the error from a function that comes in between, as a signal's handler does."""

    def handler(frame, happened, _):
        if happened == event and any(part in frame.f_code.co_filename for part in files):
            raise error("time is up")
        return handler

    before = sys.gettrace()
    sys.settrace(handler)
    try:
        return call()
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("error", ERRORS)
@every_row
def test_a_signals_handler_may_raise_what_a_text_leaves_to_apply(operation, error):
    quick, operands = function(operation), next(choices(operation.samples[0]))
    quick(*operands)
    with pytest.raises(error, match="time is up"):
        interrupted(lambda: quick(*operands), ["written from the table"], "line", error)


@pytest.mark.parametrize("error", [TypeError, *ERRORS])
@every_row
def test_a_first_call_that_a_signals_handler_ends_is_none(operation, error):
    quick, operands = function(operation), next(choices(operation.samples[0]))
    with pytest.raises(error, match="time is up"):
        interrupted(lambda: quick(*operands), [writer.__file__, specialised.__file__], "line", error)
    with pytest.raises(error, match="time is up"):
        interrupted(lambda: quick(*operands), [writer.__file__, value.__file__], "call", error)
    quick(*operands)
    assert quick.__code__.co_name != "unwritten"


def test_a_first_call_when_the_interpreter_ends():
    code = """
from autograd.value import Value, function
from autograd.operations import ROWS, TABLE
class Late:
    def __del__(self):
        for row in ROWS[:TABLE]:
            operands = row.samples[0]
            assert function(row)(*operands) is not None
        print((Value(2.0) - 1.0).data)
late = Late()
"""
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("1.0\n", "")


def test_threads_may_call_it_for_the_first_time_at_once():
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for name in ("sigmoid", "logsumexp", "multiply"):
            quick = function(OPERATIONS[name])
            point = next(choices(OPERATIONS[name].samples[0]))
            barrier, results = threading.Barrier(8), []

            def first(quick=quick, point=point, barrier=barrier, results=results):
                barrier.wait()
                results.append(quick(*point))

            threads = [threading.Thread(target=first) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            expected = seen(lambda: by_apply(OPERATIONS[name], point))  # noqa: B023
            assert [seen(lambda: result) for result in results] == [expected] * 8  # noqa: B023
    finally:
        sys.setswitchinterval(switch)


def test_writing_leaves_nothing_to_the_garbage_collector():
    functions = [(function(operation), next(choices(operation.samples[0]))) for operation in ROWS[:TABLE]]
    gc.collect()
    gc.disable()
    try:
        for quick, operands in functions:
            quick(*operands)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_what_an_operation_of_the_same_name_was_is_forgotten():
    """In a process of its own: the first definition is taken back, and another has its name."""
    code = """
import autograd
from autograd import Value, functions
from autograd.operations import OPERATIONS, ROW, ROWS
x = Value(3.0)
doubled = autograd.define("scaled", lambda m, x: 2.0 * x, [lambda m, r, x: 2.0])
assert (doubled(x).data, x.scaled().data) == (6.0, 6.0)
ROWS.remove(OPERATIONS.pop("scaled")); del ROW["scaled"], functions._functions["scaled"], Value.scaled
tripled = autograd.define("scaled", lambda m, x: 3.0 * x, [lambda m, r, x: 3.0])
y = x.scaled()
y.backward()
assert (tripled(x).data, y.data, x.grad, doubled(x).data) == (9.0, 9.0, 3.0, 6.0)
"""
    subprocess.run([sys.executable, "-c", code], check=True, env=None)
    assert engines.engine in ("python", "native")
