"""Tape: what it takes and what it refuses, whose numbers it reads and writes, and what becomes of memory and time.

That its numbers are those of eager graphs is the matter of executors/test_executor.py.
"""

from __future__ import annotations

import base64
import copy
import dataclasses
import gc
import json
import math
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import warnings
from collections import namedtuple
from fractions import Fraction
from functools import partial
from unittest.mock import patch
from xml.etree import ElementTree

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter

import autograd
from autograd import Tape, Value, dot, no_grad, sqrt, take, tanh
from autograd import sum as sum_of
from autograd.operations import OPERATIONS
from autograd.tape import RecordingError, executors, replayed, write_down
from autograd.tape.tape import EXAMPLES_AT_ONCE

pytestmark = pytest.mark.both_engines

EXECUTORS = list(executors.available())

every_executor = pytest.mark.parametrize("executor", EXECUTORS)
native = pytest.mark.skipif(autograd.engine != "native", reason="the native engine is not in use")
linux = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux how much memory the process has")
timers = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the platform has no timers")


def line(**options):
    """w x + b y: the tape, and its parameters."""
    w, b, x, y = Value(2.0, label="w"), Value(1.0, label="b"), Value(0.0, label="x"), Value(0.0)
    return Tape(w * x + b * y, [x, y], **options), w, b


# ---- what it is made from

X, W = Value(0.5), Value(2.0)
PRODUCT = W * X
CUSTOM = Value(1.0, (X,), "f")
REFUSED = {
    "a number as output": ((1.0,), TypeError, "outputs: expected a Value, or a sequence of Values, got float: 1.0"),
    "numbers as outputs": (([PRODUCT, 1.0],), TypeError, "outputs: expected Values, got float: 1.0"),
    "no output": (([],), ValueError, "expected at least one output, got none"),
    "None": ((None,), TypeError, "outputs: expected a Value, or a sequence of Values, got NoneType: None"),
    "a single input": ((PRODUCT, X), TypeError, f"inputs: expected a sequence of Values, got Value: {X!r}"),
    "outputs in no order": (
        ({X},),
        TypeError,
        f"outputs: expected a Value, or a sequence of Values, got set: {{{X!r}}}, which has no order",
    ),
    "inputs in no order": (
        (PRODUCT, {X: 0.5}),
        TypeError,
        f"inputs: expected a sequence of Values, got dict: {{{X!r}: 0.5}}, which has no order",
    ),
    "a number as input": ((PRODUCT, [0.5]), TypeError, "inputs: expected Values, got float: 0.5"),
    "a computed input": (
        (PRODUCT + 1.0, [X, PRODUCT]),
        TypeError,
        f"inputs: expected leaves, got {PRODUCT!r}, which was computed, as input 1",
    ),
    "an input twice": (
        (PRODUCT, [X, W, X]),
        ValueError,
        f"inputs: expected each Value once, got {X!r} as input 0 and as input 2",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_tape_can_be_made_from(case):
    arguments, error, message = REFUSED[case]
    with pytest.raises(error, match=f"^Tape: {re.escape(message)}$"):
        Tape(*arguments)


def test_a_value_that_no_operation_of_the_table_computed():
    with pytest.raises(TypeError, match=f"^{re.escape(repr(CUSTOM))} was not computed by an operation of the table"):
        Tape(CUSTOM * 2.0, [X])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"executor": "gpu"}, f"executor: expected {' or '.join(EXECUTORS)}, got 'gpu'"),
        ({"executor": np.ones(2)}, r"executor: expected .*, got array.*"),
        ({"threads": 0}, "threads: expected a positive int, got 0"),
        ({"threads": True}, "threads: expected a positive int, got True"),
        ({"threads": 1.5}, r"threads: expected a positive int, got 1\.5"),
    ],
)
def test_options_that_there_are_not(options, message):
    with pytest.raises(ValueError, match=f"^Tape: {message}$"):
        Tape(PRODUCT, [X], **options)


@every_executor
def test_outputs_may_depend_on_inputs_parameters_or_nothing_and_be_leaves(executor):
    """What is no input is a parameter, even where a model has made it as a constant."""
    x, w, unused = Value(0.0), Value(3.0), Value(7.0)
    constant = Value(4.0) * 2.0
    tape = Tape([x, w, w * w, constant, x * w, x], [unused, x], executor=executor)
    assert (len(tape), len(tape.parameters)) == (3, 2)
    batch = [[0.0, 5.0], [1.0, 6.0]]
    assert tape.forward(batch).tolist() == [[5.0, 3.0, 9.0, 8.0, 15.0, 5.0], [6.0, 3.0, 9.0, 8.0, 18.0, 6.0]]
    by_inputs = tape.backward([1.0, 1.0, 1.0, 1.0, 1.0, 10.0], inputs=True)
    assert by_inputs.tolist() == [[0.0, 14.0]] * 2
    assert w.grad == 2 * (1.0 + 6.0) + 5.0 + 6.0
    assert tape.jacobian(batch)[1, :, tape.parameters.index(w)].tolist() == [0.0, 1.0, 6.0, 0.0, 6.0, 0.0]


@every_executor
def test_without_inputs_there_is_one_example(executor):
    w = Value(3.0)
    tape = Tape(w * w, executor=executor)
    assert tape.forward().tolist() == [9.0]
    tape.backward()
    assert w.grad == 6.0
    assert tape.value_and_grad()[1].tolist() == tape.jacobian()[0].tolist() == [6.0]
    assert tape.forward(np.empty((3, 0))).tolist() == [9.0] * 3
    assert tape.value_and_grad(np.empty((3, 0)), gradient=1.0)[1].tolist() == [18.0]


@every_executor
def test_without_parameters_and_without_instructions(executor):
    x, y = Value(1.0), Value(2.0)
    for n in (1, 3):
        batch = [[2.0, 3.0]] * n
        product = Tape(x * y, [x, y], executor=executor)
        assert product.value_and_grad(batch)[1].shape == (0,)
        assert product.jacobian(batch).shape == (n, 0)
        product.forward(batch)
        assert product.backward(1.0, inputs=True).tolist() == [[3.0, 2.0]] * n
        swapped = Tape([y, x], [x, y], executor=executor)
        assert (len(swapped), swapped.forward(batch).tolist()) == (0, [[3.0, 2.0]] * n)
        assert swapped.jacobian(batch, wrt="inputs").tolist() == [[[0.0, 1.0], [1.0, 0.0]]] * n


@every_executor
def test_a_parameter_that_was_dropped_since_lives_in_the_tape(executor):
    tape, w, b = line(executor=executor)
    del w, b
    gc.collect()
    assert tape.forward([[1.0, 10.0]]).tolist() == [12.0]
    tape.backward()
    assert [parameter.grad for parameter in tape.parameters] == [1.0, 10.0]


def test_a_tape_keeps_no_graph_alive():
    w, x = Value(2.0), Value(0.0)
    before = sys.getrefcount(x)
    y = tanh(w * x) * x
    tape = Tape(y, [x])
    del y
    gc.collect()
    assert sys.getrefcount(x) == before + 1  # the tape's inputs
    assert tape.forward([0.0]).tolist() == [0.0]


# ---- batches

GOOD = {
    "integers": [[1, 2], [3, 4]],
    "booleans and integers": [[True, 2], [3, 4]],
    "float32": np.array([[1, 2], [3, 4]], np.float32),
    "float16": np.array([[1, 2], [3, 4]], np.float16),
    "long double": np.array([[1, 2], [3, 4]], np.longdouble),
    "uint8": np.array([[1, 2], [3, 4]], np.uint8),
    "the other byte order": np.array([[1, 2], [3, 4]], np.dtype(float).newbyteorder()),
    "columns first": np.asfortranarray([[1.0, 2.0], [3.0, 4.0]]),
    "every other row": np.array([[1.0, 2.0], [0.0, 0.0], [3.0, 4.0]])[::2],
    "from right to left": np.array([[2.0, 1.0], [4.0, 3.0]])[:, ::-1],
    "read-only": np.broadcast_to([[1.0, 2.0], [3.0, 4.0]], (2, 2)),
    "at an odd address": np.ndarray((2, 2), buffer=b"?" + np.array([1.0, 2.0, 3.0, 4.0]).tobytes(), offset=1),
    "integers as objects": np.array([[1, 2], [3, 4]], object),
    "masked, but nothing is": np.ma.array([[1.0, 2.0], [3.0, 4.0]], mask=False),
    "tuples of scalars": ((np.float32(1), np.int8(2)), (3.0, np.float64(4))),
}


@every_executor
@pytest.mark.parametrize("kind", GOOD)
def test_batches_that_are_converted(kind, executor):
    tape, w, _ = line(executor=executor)
    outputs = tape.forward(GOOD[kind])
    assert (outputs.dtype, outputs.tolist()) == (np.float64, [4.0, 10.0])
    tape.backward()
    assert w.grad == 2.0


def test_numbers_that_float64_has_not():
    tape, *_ = line()
    assert tape.forward([[2**70, 0], [2**53 + 1, 2**64]]).tolist() == [2.0**71, 2.0**54 + 2.0**64]
    if np.finfo(np.longdouble).maxexp > 1024:
        assert tape.forward(np.array([[np.longdouble("1e4000"), 0.0]])).tolist() == [math.inf]
    with pytest.raises(OverflowError, match=r"^Tape: batch: an integer is beyond the largest float, 1\.8e308$"):
        tape.forward([[10**5000, 0]])


BAD = {
    "nothing": (
        None,
        TypeError,
        r"expected the shape \(n, 2\), an example in each row, got none: the tape has 2 inputs$",
    ),
    "a string": ("12", TypeError, "expected real numbers, got str: '12' of the type"),
    "strings": ([["1", "2"]], TypeError, r"expected real numbers, got list: \[\['1', '2'\]\] of the type"),
    "a string among numbers": ([[1.0, "2"]], TypeError, "expected real numbers, got list"),
    "None among numbers": ([[1.0, None]], TypeError, "expected real numbers, got list.* of the type object"),
    "fractions": ([[Fraction(1, 2), 1]], TypeError, "expected real numbers, got list.* of the type object"),
    "Values": (
        [[Value(1.0), Value(2.0)]],
        TypeError,
        "expected real numbers, got list.* of the type object; give the Values' data$",
    ),
    "objects": ([[object(), 1.0]], TypeError, "expected real numbers, got list.* of the type object"),
    "a generator": (iter([[1.0, 2.0]]), TypeError, "expected real numbers, got list_iterator.* of the type object"),
    "complex numbers": ([[1j, 2.0]], TypeError, "expected real numbers, got list.* of the type complex128"),
    "dates": (np.zeros((1, 2), "M8[D]"), TypeError, "expected real numbers, got ndarray.* of the type datetime64"),
    "durations": (np.zeros((1, 2), "m8[s]"), TypeError, "expected real numbers, got ndarray.* of the type timedelta64"),
    "records": (np.zeros(1, [("a", float), ("b", float)]), TypeError, "expected real numbers, got ndarray"),
    "masked": (np.ma.array([[1.0, 2.0]], mask=[[True, False]]), TypeError, "expected real numbers, got a masked array"),
    "rows of different lengths": ([[1.0, 2.0], [3.0]], ValueError, "expected rows of the same length, got list"),
    "a number": (1.0, ValueError, r"expected the shape \(n, 2\), an example in each row, got \(\)"),
    "one row": ([1.0, 2.0], ValueError, r"expected the shape \(n, 2\), an example in each row, got \(2,\)"),
    "too narrow": ([[1.0]], ValueError, r"expected the shape \(n, 2\), an example in each row, got \(1, 1\)"),
    "too wide": ([[1.0] * 3], ValueError, r"expected the shape \(n, 2\), an example in each row, got \(1, 3\)"),
    "three axes": ([[[1.0, 2.0]]], ValueError, r"expected the shape \(n, 2\), an example in each row, got \(1, 1, 2\)"),
    "empty, of no width": ([], ValueError, r"expected the shape \(n, 2\), an example in each row, got \(0,\)"),
    "empty, too wide": (np.empty((0, 3)), ValueError, r"expected the shape \(n, 2\), .* got \(0, 3\)"),
}


@pytest.mark.parametrize("kind", BAD)
def test_batches_that_are_refused(kind):
    """The batch that backward() differentiates is that of the last forward(), which may have refused it."""
    batch, error, message = BAD[kind]
    tape, w, _ = line()
    tape.forward([[5.0, 1.0]])
    for method in (tape.value_and_grad, tape.jacobian, tape.check):
        with pytest.raises(error, match=f"^Tape: batch: {message}"):
            method(batch)
    tape.backward()
    assert w.grad == 5.0
    with pytest.raises(error, match=f"^Tape: batch: {message}"):
        tape.forward(batch)
    with pytest.raises(RuntimeError, match="expected forward"):
        tape.backward()


@every_executor
def test_a_single_input_needs_no_second_axis(executor):
    x = Value(0.0)
    tape = Tape(x * 2.0, [x], executor=executor)
    assert tape.forward([1.0, 2.0]).tolist() == tape.forward([[1.0], [2.0]]).tolist() == [2.0, 4.0]
    assert tape.backward(1.0, inputs=True).shape == (2, 1)
    assert tape.forward([]).shape == (0,)
    with pytest.raises(ValueError, match=r"expected the shape \(n, 1\)"):
        tape.forward([[1.0, 2.0]])


@every_executor
def test_an_empty_batch_has_sums_but_no_mean(executor):
    tape, w, b = line(executor=executor)
    empty = np.empty((0, 2))
    assert tape.forward(empty).shape == (0,)
    for differentiate in (tape.backward, lambda: tape.value_and_grad(empty)):
        with pytest.raises(
            ValueError, match=r"^Tape: an empty batch has no mean; pass gradient= to differentiate a sum$"
        ):
            differentiate()
    assert tape.backward(1.0, inputs=True).shape == (0, 2)
    assert tape.backward(np.empty(0), inputs=True).shape == (0, 2)
    assert (w.grad, b.grad) == (0.0, 0.0)
    assert [part.tolist() for part in tape.value_and_grad(empty, gradient=1.0)] == [[], [0.0, 0.0]]
    assert tape.jacobian(empty).shape == tape.jacobian(empty, wrt="inputs").shape == (0, 2)
    several = Tape([X, PRODUCT, W], [X], executor=executor)
    assert several.forward([]).shape == (0, 3)
    assert several.jacobian([]).shape == (0, 3, 1)


# ---- forward() and backward()


@every_executor
def test_parameters_are_read_afresh_and_their_gradients_accumulate(executor):
    tape, w, b = line(executor=executor)
    assert tape.forward([[3.0, 4.0]]).tolist() == [10.0]
    w.data, b.grad = 100.0, 0.5
    assert tape.forward([[3.0, 4.0], [5.0, 6.0]]).tolist() == [304.0, 506.0]
    tape.backward()
    assert (w.grad, b.grad) == (4.0, 5.5)
    tape.backward(gradient=1.0)
    assert (w.grad, b.grad) == (12.0, 15.5)


@every_executor
def test_backward_has_the_parameters_as_they_were(executor):
    x, w = Value(0.0), Value(3.0)
    tape = Tape(w * w * x, [x], executor=executor)
    tape.forward([1.0, 1.0])
    w.data = 50.0
    tape.backward()
    assert w.grad == 6.0
    vector, w.grad = np.array([4.0]), 0.0
    tape.forward([1.0, 1.0], parameters=vector)
    vector[:] = 50.0
    tape.backward()
    assert w.grad == 8.0


@every_executor
def test_backward_without_forward_and_with_a_batch_that_has_changed(executor):
    tape, w, _ = line(executor=executor)
    with pytest.raises(RuntimeError, match=r"^Tape\.backward: expected forward\(batch\) before"):
        tape.backward()
    batch = np.ones((3, 2))
    tape.forward(batch)
    batch[1, 0] = 2.0
    with pytest.raises(RuntimeError, match=r"^Tape\.backward: the batch has been changed since forward\(\)"):
        tape.backward()
    assert w.grad == 0.0


@every_executor
@pytest.mark.parametrize("examples", [3, 5_000], ids=["few", "many"])
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("inputs", [False, True])
def test_a_changed_batch_is_noticed_although_its_outputs_are_the_same(executor, examples, several, inputs):
    """w is 0, so every batch has the outputs 0; and the sum of x and y is that of y and x."""
    w, x, y = Value(0.0), Value(0.0), Value(0.0)
    outputs = [w * x, w * y] if several else w * x + (x + y)
    tape = Tape(outputs, [x, y], executor=executor)
    batch = np.zeros((examples, 2))
    batch[-1] = [1.0, 2.0]
    before = tape.forward(batch)
    batch[-1] = [2.0, 1.0]
    np.testing.assert_array_equal(Tape(outputs, [x, y], executor=executor).forward(batch), before)
    with pytest.raises(RuntimeError, match="the batch has been changed"):
        tape.backward(1.0, inputs=inputs)
    assert w.grad == 0.0
    batch[-1] = [1.0, 2.0]  # the buffer holds what it held
    tape.backward(1.0, inputs=inputs)
    assert w.grad == (3.0 if several else 1.0)


HIDDEN = np.ma.array([1.0, 2.0], mask=[False, True])
MASKED = {
    "a constant": np.ma.masked,
    "in a list": [np.ma.masked],
    "in a tuple": (1.0, np.ma.masked),
    "in a row": [[1.0, 2.0], [np.ma.masked, 3]],
    "an array of objects": np.array([1.0, np.ma.masked], object),
    "rows": [HIDDEN, HIDDEN],
    "elements": [[HIDDEN[0], HIDDEN[1]]],
    "an array in an array of objects": [np.array([np.ma.masked, 1.0], object)],
    "among integers": [1, np.ma.masked],
}


@pytest.mark.parametrize("name", MASKED)
def test_masked_elements_are_refused_wherever_they_are(name):
    tape, w, _ = line()
    message = r"expected real numbers, got a (masked array|list|tuple|ndarray), of which some are masked; fill them$"
    with pytest.raises(TypeError, match=f"^Tape: batch: {message}"):
        tape.forward(MASKED[name])
    with pytest.raises(TypeError, match=f"^Tape: parameters: {message}"):
        tape.forward([[1.0, 2.0]], parameters=MASKED[name])
    with pytest.raises(TypeError, match=f"^Tape: gradient: {message}"):
        tape.value_and_grad([[1.0, 2.0]], gradient=MASKED[name])
    assert w.grad == 0.0


def test_what_a_mask_does_not_hide_is_a_number_in_lists_too():
    tape, _, _ = line()
    shown = np.ma.array([1.0, 2.0], mask=[False, False])
    assert tape.forward([shown, [shown[0], np.float32(2.0)]]).tolist() == tape.forward([[1.0, 2.0]] * 2).tolist()


@every_executor
def test_outputs_are_the_callers_own(executor):
    tape, w, _ = line(executor=executor)
    tape.forward(np.ones((3, 2)))[:] = 7.0
    tape.backward()
    assert w.grad == 1.0


@every_executor
def test_gradients_that_overflow_and_that_are_not_finite(executor):
    """As with `Value.backward()`: inf and nan, and no warning."""
    tape, w, b = line(executor=executor)
    w.grad, b.grad = 1e308, math.inf
    tape.forward([[1.0, -math.inf]])
    tape.backward(1e308)
    assert w.grad == math.inf
    assert math.isnan(b.grad)


@every_executor
def test_gradients_of_every_form(executor):
    tape, *_ = line(executor=executor)
    batch = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])
    forms = {
        "a number": (2, [18.0, 26.0]),
        "one for all": ([2.0], [18.0, 26.0]),
        "one for each": ([1, 0, 10], [51.0, 72.0]),
    }
    for gradient, expected in forms.values():
        assert tape.value_and_grad(batch, gradient=gradient)[1].tolist() == expected
    both = Tape([PRODUCT, W * 3.0], [X], executor=executor)
    numbers = [1.0, 10.0, 100.0]
    for gradient, expected in [
        (1.0, 111.0 + 9.0),
        ([1.0, 2.0], 111.0 + 18.0),
        ([[1.0], [0.0], [2.0]], 201.0 + 9.0),
        ([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], 101.0 + 6.0),
        (np.asfortranarray([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), 101.0 + 6.0),
    ]:
        assert both.value_and_grad(numbers, gradient=gradient)[1].tolist() == [expected]


@pytest.mark.parametrize(
    ("gradient", "error", "message"),
    [
        ([1.0, 2.0], ValueError, r"expected what fits the shape \(3,\), got \(2,\)"),
        ([[1.0, 2.0, 3.0]] * 3, ValueError, r"expected what fits the shape \(3,\), got \(3, 3\)"),
        ("1", TypeError, "expected real numbers, got str: '1'"),
        ([1j, 2.0, 3.0], TypeError, "expected real numbers, got list"),
        ([[1.0], [1.0, 2.0]], ValueError, "expected rows of the same length"),
    ],
)
def test_gradients_that_do_not_fit(gradient, error, message):
    tape, w, _ = line()
    tape.forward(np.ones((3, 2)))
    with pytest.raises(error, match=f"^Tape: gradient: {message}"):
        tape.backward(gradient)
    assert w.grad == 0.0


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ([1.0], ValueError, r"expected the shape \(2,\), got \(1,\)"),
        ([[1.0, 2.0]], ValueError, r"expected the shape \(2,\), got \(1, 2\)"),
        (["a", "b"], TypeError, "expected real numbers, got list"),
        (np.ma.array([1.0, 2.0], mask=[True, False]), TypeError, "expected real numbers, got a masked array"),
    ],
)
def test_parameters_that_do_not_fit(parameters, error, message):
    tape, *_ = line()
    for method in (tape.forward, tape.value_and_grad, tape.jacobian):
        with pytest.raises(error, match=f"^Tape: parameters: {message}"):
            method([[1.0, 2.0]], parameters=parameters)


@every_executor
def test_what_no_example_asks_for_is_not_walked_whatever_form_the_gradient_has(executor):
    """0 times the infinite derivative of the root at 0 would be nan."""
    x, w = Value(1.0), Value(1.0)
    tape = Tape([sqrt(w * x), w * x], [x], executor=executor)
    for n in (1, 2, 40):
        for gradient in ([0.0, 1.0], [[0.0, 1.0]], [[0.0, 1.0]] * n):
            tape.forward([0.0] * n)
            assert tape.backward(gradient, inputs=True).tolist() == [[1.0]] * n
            assert tape.value_and_grad([0.0] * n, gradient=gradient)[1].tolist() == [0.0]


@every_executor
def test_value_and_grad_and_jacobian_touch_no_value(executor):
    tape, w, b = line(executor=executor)
    tape.value_and_grad([[1.0, 2.0]], parameters=[7.0, 8.0])
    tape.jacobian([[1.0, 2.0]], parameters=[7.0, 8.0])
    assert (w.data, b.data, w.grad, b.grad) == (2.0, 1.0, 0.0, 0.0)
    with pytest.raises(RuntimeError, match="expected forward"):
        tape.backward()


@every_executor
def test_the_jacobian_of_more_examples_than_are_computed_at_once(executor):
    x, y, w, v = (Value(1.0) for _ in range(4))
    n = 2 * EXAMPLES_AT_ONCE + 3
    batch = np.arange(2.0 * n).reshape(n, 2) % 7
    tape = Tape([w * x * y + v, v * v * x], [x, y], executor=executor)
    jacobian = tape.jacobian(batch, parameters=[3.0, 5.0])
    a, b = batch.T
    zeros, ones = np.zeros(n), np.ones(n)
    assert tape.parameters == (w, v)
    assert jacobian.tolist() == np.array([[a * b, ones], [zeros, 10.0 * a]]).transpose(2, 0, 1).tolist()
    by_inputs = tape.jacobian(batch, wrt="inputs", parameters=[3.0, 5.0])
    assert by_inputs.tolist() == np.array([[3 * b, 3 * a], [25 * ones, zeros]]).transpose(2, 0, 1).tolist()
    with pytest.raises(ValueError, match=r"^Tape\.jacobian: wrt: expected 'parameters' or 'inputs', got 'weights'$"):
        tape.jacobian(batch, wrt="weights")


# ---- record()


Point = namedtuple("Point", "x y")


def test_arguments_of_every_form():
    def function(a, b, c):
        assert (type(a), type(b), type(b[1]), type(c)) == (Value, list, tuple, Point)
        return a * b[0] + b[1][0] * c.x + c.y[0]

    tape = Tape.record(function, (1.0, [2, (3.0,)], Point(np.float64(4.0), [5.0])))
    assert [x.data for x in tape.inputs] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert tape.forward([[1.0, 2.0, 3.0, 4.0, 5.0]]).tolist() == [19.0]
    leaf = Value(2.0, label="x")
    assert Tape.record(lambda x: x * 3.0, [leaf]).inputs == (leaf,)
    assert Tape.record(lambda: W * 3.0, []).forward().tolist() == [6.0]


@pytest.mark.parametrize("outputs", [list, tuple])
def test_functions_of_several_results(outputs):
    tape = Tape.record(lambda x: outputs([x * 2.0, x]), [1.0])
    assert tape.forward([3.0]).tolist() == [[6.0, 3.0]]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (1.0, r"expected a sequence .* for each argument, got float: 1\.0; for one argument, \[1\.0\]$"),
        (np.array(1.0), r"expected a sequence .* for each argument, got ndarray: .*; for one argument, \["),
        ({"a": 1.0}, r"expected a sequence .* for each argument, got dict: .*; for one argument, \["),
        ("12", r"expected a sequence .* for each argument, got str: '12'$"),
        ([None], r"expected a real number, got NoneType: None at \[0\]; expected"),
        ([[1.0, {2.0}]], r"expected a real number, got set: {2\.0} at \[0\]\[1\]; expected"),
        ([np.array(["x"])], r"expected a real number, got str_: .* at \[0\]\[0\]; expected"),
    ],
)
def test_inputs_that_cannot_be_recorded(inputs, message):
    with pytest.raises(OverflowError, match=r"^Tape\.record: inputs: .* got a number beyond .* at \[0\]"):
        Tape.record(lambda x: x, [10**400])
    with pytest.raises(TypeError, match=rf"^Tape\.record: inputs: {message}"):
        Tape.record(lambda *_: W * 1.0, inputs)


@pytest.mark.parametrize("inputs", [[1.0, 2.0], np.array([1.0, 2.0]), []])
def test_inputs_that_do_not_fit_the_function(inputs):
    expected = (
        rf"expected one for each argument of the function, \(x\), got {len(inputs)}: .*; for one argument, a list"
    )
    with pytest.raises(TypeError, match=rf"^Tape\.record: inputs: {expected} of one, \["):
        Tape.record(lambda x: x[0] * x[1], inputs)


def test_a_function_that_none_can_be_recorded_of():
    with pytest.raises(TypeError, match=r"^Tape\.record: expected a function, got float: 3\.0$"):
        Tape.record(3.0, [1.0])


def test_where_there_should_be_a_batch_a_vector_or_a_tape():
    tape, *_ = line()
    nothing = r"^Tape: batch: expected the shape \(n, 2\), an example in each row, got none: the tape has 2 inputs$"
    for method in (tape.forward, tape.value_and_grad, tape.jacobian, tape.hessian, tape.hvp, tape.check):
        with pytest.raises(TypeError, match=nothing):
            method()
    with pytest.raises(TypeError, match=r"^Tape\.hvp: vector: expected the shape \(1, 2\), got none$"):
        tape.hvp([[1.0, 2.0]], wrt="inputs")
    with pytest.raises(TypeError, match=r"^Tape\.alike: expected a Tape, got float: 3\.0$"):
        tape.alike(3.0)


@pytest.mark.parametrize("take_number", [math.exp, float, int, lambda x: x.item()])
def test_a_number_is_not_called_a_branch(take_number):
    with pytest.raises(
        RecordingError, match=r"what follows from this number .*: autograd\.exp\(x\) for math\.exp\(x\)$"
    ):
        Tape.record(lambda x: x * take_number(x), [1.0])


@pytest.mark.parametrize("result", [None, 1.0, [1.0], (W, "x"), np.array([W])])
def test_functions_that_return_something_else(result):
    with pytest.raises(RecordingError, match=r"^Tape\.record: expected a function that returns Values, got "):
        Tape.record(lambda x: result, [1.0])


def test_a_function_that_returns_lists_of_lists_is_told_to_return_one():
    with pytest.raises(
        RecordingError, match=r"; put those of all its lists into one, as \[y for row in rows for y in row\]$"
    ):
        Tape.record(lambda x: [[x * W, x + W], [W * 1.0]], [1.0])


def test_within_no_grad_there_is_nothing_to_record():
    with no_grad(), pytest.raises(RecordingError, match=r"^Tape\.record: within no_grad\(\) nothing is recorded"):
        Tape.record(lambda x: x * W, [1.0])


def test_an_input_twice_or_computed():
    x = Value(1.0)
    with pytest.raises(ValueError, match="expected each Value once"):
        Tape.record(lambda a, b: a * b, [x, x])
    with pytest.raises(TypeError, match="expected leaves"):
        Tape.record(lambda a: a * x, [x * 1.0])


# ---- what it says of itself


def test_length_repr_and_listing():
    tape, *_ = line()
    assert len(tape) == 3
    assert repr(tape) == (
        f"<Tape of 3 instructions, 2 inputs, 2 parameters, 1 output, by {tape.executor}: "
        ".forward(batch), .backward(), .listing()>"
    )
    assert repr(Tape([X])).startswith("<Tape of 0 instructions, 0 inputs, 1 parameter, 1 output, by ")
    assert tape.listing().splitlines() == [
        "v0   input x", "v1   input", "v2   parameter w", "v3   parameter b",
        "v4 = v2 * v0", "v5 = v3 * v1", "v6 = v4 + v5", "output v6",
    ]  # fmt: skip


def test_notebooks_show_what_was_recorded():
    tape, *_ = line(threads=3)
    bundle, _ = DisplayFormatter().format(tape)
    assert bundle["text/plain"] == repr(tape)
    table = ElementTree.fromstring(bundle["text/html"])
    rows = {row[0].text: row[1].text for row in table.iter("tr")}
    assert rows.pop("executor") == tape.executor
    assert rows == {
        "part": "in this tape", "inputs": "2", "parameters": "2", "outputs": "1", "instructions": "3",
        "layers": tape.layers(), "threads": "up to 3",
    }  # fmt: skip


def test_alike():
    def product(factor, several=False):
        x, w = Value(0.0), Value(1.0)
        return Tape([w * x * factor] if several else w * x * factor, [x])

    assert product(2.0).alike(product(2.0))
    assert not product(2.0).alike(product(3.0))
    assert not product(2.0).alike(product(2.0, several=True))


# ---- copied and pickled


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickled_tape_has_its_numbers_and_no_batch(protocol):
    tape, w, _ = line(threads=3)
    w.data, w.grad = 5.0, 7.0
    tape.forward(np.ones((100_000, 2)))
    tape.jacobian(np.ones((1, 2)))
    pickled = pickle.dumps(tape, protocol)
    assert len(pickled) < 5000
    again = pickle.loads(pickled)
    assert again.alike(tape)
    assert again.listing() == tape.listing()
    assert (again.threads, again.executor, again.parameters[0].grad) == (3, tape.executor, 7.0)
    with pytest.raises(RuntimeError, match="expected forward"):
        again.backward()
    assert again.forward([[1.0, 2.0]]).tolist() == [7.0]
    again.backward()
    assert (again.parameters[0].grad, w.grad) == (8.0, 7.0)


def test_copies():
    tape, w, _ = line(executor="numpy")
    shallow, deep = copy.copy(tape), copy.deepcopy(tape)
    w.data = 10.0
    assert [each.forward([[1.0, 0.0]]).tolist() for each in (tape, shallow, deep)] == [[10.0], [10.0], [2.0]]
    assert [each.executor for each in (shallow, deep)] == ["numpy"] * 2
    model, of_model = copy.deepcopy(([w], tape))
    assert of_model.parameters[0] is model[0]


ELSEWHERE = """
import pickle, sys, autograd
tape = pickle.load(sys.stdin.buffer)
print(autograd.engine, tape.executor, tape.value_and_grad([[1.0, 2.0], [3.0, 4.0]]))
"""


@native
def test_a_tape_goes_where_there_is_no_native_engine():
    tape, *_ = line(executor="native")
    result = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], input=pickle.dumps(tape),
        env=os.environ | {"AUTOGRAD_ENGINE": "python"}, capture_output=True, check=True,
    )  # fmt: skip
    assert result.stdout.decode().split() == f"python numpy {tape.value_and_grad([[1.0, 2.0], [3.0, 4.0]])}".split()


def test_a_table_without_an_operation_of_the_tape_refuses_it():
    pickled = pickle.dumps(Tape(tanh(X), [X]))
    others = {name: row for row, name in enumerate(OPERATIONS) if name != "tanh"}
    with patch("autograd.tape.wengert.ROW", others), pytest.raises(ValueError, match="not in the table here: tanh"):
        pickle.loads(pickled)


# [tanh(w · x + b) * 2 + w0², logsumexp of it and x0], pickled when the list was still `autograd.wengert.WengertList`.
PICKLED_BEFORE = """
gASVHAMAAAAAAACMDWF1dG9ncmFkLnRhcGWUjARUYXBllJOUKYGUfZQojApfaXNfc2luZ2xllImMBmlucHV0c5SMCGF1dG9ncmFklIwFVmFsdWWU
k5QpgZQoRwAAAAAAAAAARwAAAAAAAAAAjAJ4MJR9lHSUYmgJKYGUKEcAAAAAAAAAAEcAAAAAAAAAAIwCeDGUfZR0lGKGlIwIX3dlbmdlcnSUjBBh
dXRvZ3JhZC53ZW5nZXJ0lIwLV2VuZ2VydExpc3SUk5QpgZR9lChoBksCjApwYXJhbWV0ZXJzlEsDjAljb25zdGFudHOUjBZudW1weS5fY29yZS5t
dWx0aWFycmF5lIwMX3JlY29uc3RydWN0lJOUjAVudW1weZSMB25kYXJyYXmUk5RLAIWUQwFilIeUUpQoSwFLAYWUaB6MBWR0eXBllJOUjAJmOJSJ
iIeUUpQoSwOMATyUTk5OSv////9K/////0sAdJRiiUMIAAAAAAAAAECUdJRijARyb3dzlF2UKIwDZG90lIwEdGFuaJSMCG11bHRpcGx5lIwFcG93
ZXKUjANhZGSUjAlsb2dzdW1leHCUZYwHbGVuZ3Roc5RoHWggSwCFlGgih5RSlChLAUsGhZRoJ4wCaTSUiYiHlFKUKEsDaCtOTk5K/////0r/////
SwB0lGKJQxgCAAAAAQAAAAEAAAABAAAAAQAAAAIAAACUdJRijAhvcGVyYW5kc5RoHWggSwCFlGgih5RSlChLAUsOhZRoPolDOAIAAAADAAAAAAAA
AAEAAAAEAAAABQAAAAYAAAD/////AgAAAP////8HAAAACAAAAAkAAAAAAAAAlHSUYowHb3V0cHV0c5RoHWggSwCFlGgih5RSlChLAUsChZRoPolD
CAkAAAAKAAAAlHSUYnViaBloCSmBlChHP+AAAAAAAABHAAAAAAAAAACMAncwlH2UdJRiaAkpgZQoR7/4AAAAAAAARwAAAAAAAAAAjAJ3MZR9lHSU
YmgJKYGUKEc/0AAAAAAAAEcAAAAAAAAAAIwBYpR9lHSUYoeUjAd0aHJlYWRzlEsCdWIu
"""

UNPICKLED = """
import pickle, sys
tape = pickle.load(sys.stdin.buffer)
print(tape.forward([[1.0, 2.0], [3.0, -1.0]]).tolist())
print(tape.listing())
"""


def test_a_tape_that_was_pickled_before_its_list_had_moved():
    """In a new process, which has imported nothing of the tape before."""
    result = subprocess.run(
        [sys.executable, "-c", UNPICKLED], input=base64.b64decode(PICKLED_BEFORE), capture_output=True, check=True
    )
    outputs, *listing = result.stdout.decode().splitlines()
    expected = [[-1.7060522294776272, 1.0646635113822047], [2.243995270973052, 3.3849484866109814]]
    if EXECUTORS[0] == "native":
        assert json.loads(outputs) == expected
    assert np.allclose(json.loads(outputs), expected, rtol=1e-15, atol=0.0)
    assert listing == [
        "v0    input x0", "v1    input x1", "v2    parameter w0", "v3    parameter w1", "v4    parameter b",
        "v5  = dot([v2, v3], [v0, v1], v4)", "v6  = tanh(v5)", "v7  = v6 * 2", "v8  = v2 ** 2", "v9  = v7 + v8",
        "v10 = logsumexp([v9, v0])", "outputs v9, v10",
    ]  # fmt: skip


# ---- threads, interrupts, size


@every_executor
def test_threads_that_replay_one_tape_while_another_changes_its_parameter(executor):
    w, x = Value(2.0), Value(0.0)
    tape = Tape(w * x + tanh(w * 0.0), [x], executor=executor, threads=2)
    batch = np.ones(5_000)
    errors, stop = [], threading.Event()

    def replay():
        try:
            for _ in range(20):
                outputs, gradient = tape.value_and_grad(batch)
                assert set(outputs.tolist()) in ({2.0}, {3.0})
                assert gradient.tolist() == [pytest.approx(1.0, rel=1e-12)]
                assert tape.jacobian(batch[:10]).tolist() == [[1.0]] * 10
        except BaseException as error:
            errors.append(error)

    def change():
        while not stop.is_set():
            w.data = 5.0 - w.data

    changing = threading.Thread(target=change)
    replaying = [threading.Thread(target=replay) for _ in range(3)]
    for thread in [changing, *replaying]:
        thread.start()
    for thread in replaying:
        thread.join()
    stop.set()
    changing.join()
    assert not errors


@every_executor
def test_a_deep_graph(executor):
    depth = {"native": 300_000, "xla": 50}.get(executor, 5_000)
    w, x = Value(1.0), Value(0.0)
    y = x
    for _ in range(depth):
        y = y * w
    tape = Tape(y, [x], executor=executor)
    del y
    assert len(tape) == depth
    for n in (1, 2):
        outputs, gradient = tape.value_and_grad([3.0] * n, gradient=1.0)
        assert (outputs.tolist(), gradient.tolist()) == ([3.0] * n, [3.0 * n * depth])


@every_executor
def test_a_wide_dot(executor):
    width = 20_000
    w, x = ([Value(float(i % 3)) for i in range(width)] for _ in range(2))
    tape = Tape(dot(w, x) + sum_of(x), x, executor=executor)
    batch = np.ones((2, width))
    batch[1] = 2.0
    outputs, gradient = tape.value_and_grad(batch, gradient=1.0)
    total = sum(i % 3 for i in range(width))
    assert outputs.tolist() == [total + width, 2 * (total + width)]
    assert gradient.tolist() == [3.0] * width


MEMORY = """
import os, resource, sys
import numpy as np
from autograd import Tape, Value

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

n, depth = 1_000_000, 20
w, x = Value(0.5), Value(0.0)
y = x
for _ in range(depth):
    y = y * w + 1.0
batch = np.ones((n, 1))
for executor in sys.argv[1:]:
    tape = Tape(y, [x], executor=executor, threads=2)
    tape.value_and_grad(batch[:5000])  # what one replay needs at least
    before = peak()
    outputs = tape.forward(batch)
    by_inputs = tape.backward(inputs=True)
    assert (peak() - before) / n < 80, (executor, (peak() - before) / n)
    child = os.fork()  # in which the tape works on
    if child == 0:
        again = tape.value_and_grad(batch[:5000], gradient=1 / n)
        os._exit(not (again[0] == outputs[:5000]).all())
    assert os.waitpid(child, 0)[1] == 0
"""


@linux
def test_a_million_examples_are_replayed_without_memory_for_each_of_them():
    """A million examples of 42 variables would take 670 bytes each, outputs and gradients some ten numbers."""
    result = subprocess.run(  # JAX does not work after a fork
        [sys.executable, "-W", "error", "-c", MEMORY, *sorted({*EXECUTORS} - {"xla"})],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


# ---- a batch that changes while it is replayed


@every_executor
def test_another_threads_changes_of_a_batch_do_not_answer_for_an_array_that_nobody_touched(executor):
    """The values of a forward replay are kept. They have to be those of the numbers that they are filed under."""
    rng = np.random.default_rng(0)
    x = h = [Value(0.0) for _ in range(20)]
    for inputs, width in ((20, 30), (30, 1)):
        h = [tanh(dot([Value(v) for v in rng.normal(size=inputs)], h)) for _ in range(width)]
    tape = Tape(h[0], x, executor=executor, threads=1)
    good = rng.normal(size=(1000, 20))
    outputs, gradient = tape.value_and_grad(good)
    buffer, is_over = good.copy(), threading.Event()

    def change():
        while not is_over.is_set():
            buffer[900:] = 0.5
            buffer[900:] = good[900:]

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(100 if executor == "native" else 10):
            tape.forward(buffer)  # whose outputs are nobody's
            again = tape.value_and_grad(good)
            assert np.array_equal(again[0], outputs)
            assert np.array_equal(again[1], gradient)
    finally:
        is_over.set()
        thread.join()


@every_executor
@pytest.mark.parametrize(("attribute", "value"), [("shape", (2, 4)), ("shape", (8,)), ("dtype", np.int64)])
def test_a_batch_whose_shape_or_type_was_assigned_has_changed(executor, attribute, value):
    tape, w, _ = line(executor=executor)
    batch = np.ones((4, 2))
    tape.forward(batch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy, for setting either
        setattr(batch, attribute, value)
    with pytest.raises(RuntimeError, match="the batch has been changed since forward"):
        tape.backward()
    assert w.grad == 0.0


@every_executor
def test_a_batch_that_changed_during_forward_is_noticed(executor):
    tape, w, _ = line(executor=executor)
    batch, replay, directly = np.ones((2, 2)), tape._replay, tape._directly

    def changing(function, *arguments, **options):
        result = function(*arguments, **options)
        batch[0, 0] += 7.0  # as another thread may do
        return result

    with patch.object(tape, "_replay", partial(changing, replay)):
        for own in {None, directly and directly._replace(forward=partial(changing, directly.forward))}:
            tape.__dict__["_directly"] = own
            tape.forward(batch)
            with pytest.raises(RuntimeError, match="the batch has been changed since forward"):
                tape.backward()
    assert w.grad == 0.0


WRONG_PARAMETERS = {"batch": [[1.0, 2.0]], "parameters": [1.0] * 9}


@every_executor
def test_after_a_forward_that_fails_there_is_nothing_to_differentiate(executor):
    tape, w, _ = line(executor=executor)
    tape.forward(np.array([[1.0, 2.0]]))
    with patch.object(tape, "_replay", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        tape.forward([[3.0, 4.0]])
    with pytest.raises(RuntimeError, match=r"Tape\.backward: expected forward"):
        tape.backward()
    for keywords in ({"batch": [[1.0, 2.0, 3.0]]}, {"batch": [["one", "two"]]}, {"batch": None}, WRONG_PARAMETERS):
        tape.forward([[1.0, 2.0]])
        with pytest.raises((TypeError, ValueError)):
            tape.forward(**keywords)
        with pytest.raises(RuntimeError, match=r"Tape\.backward: expected forward"):  # not the batch before
            tape.backward()
    assert w.grad == 0.0


# ---- indices of lookups


def lookup(executor=None):
    """take(table, i) * x: the tape, and the table."""
    table, i, x = [Value(2.0), Value(3.0), Value(5.0)], Value(0.0, label="word"), Value(1.0)
    return Tape(take(table, i) * x, [x, i], executor=executor), table


@every_executor
@pytest.mark.parametrize(
    "wrong", [math.nan, 1.5, -1.0, 3.0, 1e300, -1e300, math.inf, -math.inf, -5e-324, 2.0**31, 1.0000000001]
)
def test_an_index_that_is_none_is_refused_before_the_replay_and_the_example_is_named(executor, wrong):
    tape, table = lookup(executor)
    good, bad = np.array([[2.0, 0.0]] * 16), np.array([[2.0, 0.0]] * 16)
    bad[13, 1] = wrong
    tape.forward(good)
    message = (
        re.escape(
            "Tape: batch: example 13: input 1, 'word', is the index of a lookup: expected a whole number from 0 to 2, "
            f"got {repr(wrong).removesuffix('.0')}"
        )
        + "$"
    )
    for refuse in (tape.check, tape.value_and_grad, tape.jacobian):
        with pytest.raises(ValueError, match=message):
            refuse(bad)
    assert tape.check(good) is None
    tape.backward()  # that of the forward before
    with pytest.raises(ValueError, match=message):
        tape.forward(bad)
    assert [element.grad for element in table] == [2.0, 0.0, 0.0]


def test_an_index_of_another_kind_of_number():
    tape, _ = lookup()
    for kind in (np.int64, np.uint8, np.float32, bool):
        assert tape.forward(np.array([[1, 0], [1, 1]], kind)).tolist() == [2.0, 3.0]
    assert tape.forward([[1, True], [1, False]]).tolist() == [3.0, 2.0]


def test_the_shortest_sequence_counts():
    x, i = [Value(number) for number in range(5)], Value(0.0)
    tape = Tape([take(x, i), take(x[:2], i)], [i])
    assert tape.forward([1]).tolist() == [[1.0, 1.0]]
    with pytest.raises(ValueError, match=r"example 0: input 0 is the index of a lookup: .* from 0 to 1, got 2$"):
        tape.forward([2])


def test_an_index_that_is_no_input():
    table, w, x = [Value(2.0), Value(3.0)], Value(1.0, label="w"), Value(1.0)
    with pytest.raises(TypeError, match=r"take: index: expected an input .* got Value\(.*'w'.*, a parameter; name the"):
        Tape(take(table, w) * x, [x])
    for computed in (w * 1.0, x * 1.0, w + x - 1.0):
        with pytest.raises(TypeError, match=r"take: index: expected an input .* got a Value that was computed"):
            Tape(take(table, computed), [x])
        with pytest.raises(TypeError, match=r"take: index: expected an input .* got a Value that was computed"):
            Tape.record(lambda x: take(table, x + w - 1.0), [1.0])
    with pytest.raises(ValueError, match=r"^take\(.*: expected a whole index"):
        Tape.record(lambda i: take(table, i), [0.5])
    assert Tape.record(lambda i: take(table, i), [1]).forward([0, 1]).tolist() == [2.0, 3.0]
    assert Tape(take(table, 1) * x, [x]).forward([7.0]).tolist() == [21.0]


@every_executor
def test_a_tape_of_lookups_is_kept_in_a_file(executor):
    tape, table = lookup(executor)
    again = pickle.loads(pickle.dumps(tape))
    batch = [[2.0, 1.0], [3.0, 0.0]]
    assert again.forward(batch).tolist() == tape.forward(batch).tolist() == [6.0, 6.0]
    with pytest.raises(ValueError, match="example 0: input 1, 'word', is the index of a lookup"):
        again.forward([[1.0, 3.0]])
    state = tape.__getstate__()
    operands = np.where(state["_wengert"].operands == 1, 2, state["_wengert"].operands).astype(np.int32)
    state["_wengert"] = dataclasses.replace(state["_wengert"], operands=operands)  # the index is the first parameter
    with pytest.raises(TypeError, match="take: index: expected an input of the tape"):
        Tape.__new__(Tape).__setstate__(state)
    assert len(table) == 3


def test_lookups_by_one_index_are_a_group():
    rows, i = [[Value(number) for number in range(4)] for _ in range(3)], Value(0.0)
    tape = Tape(sum_of([take(column, i) for column in zip(*rows, strict=True)]), [i])
    assert tape.layers() == "4 take; 1 sum"
    assert "= take([v1, v5, v9], v0), and 3 more" in tape.listing(folded=True)


def test_the_numbers_of_any_variables_can_be_replayed():
    w, b, x = Value(2.0), Value(1.0), Value(0.0)
    wengert, parameters = write_down([(w * x + b).tanh()], [x])
    numbers = replayed(wengert, [0, 2, 3, 4, 5], np.array([[3.0], [-1.0]]), np.array([p.data for p in parameters]))
    assert numbers.tolist() == [[3.0, 1.0, 6.0, 7.0, math.tanh(7.0)], [-1.0, 1.0, -2.0, -1.0, math.tanh(-1.0)]]


def test_value_and_grad_has_the_derivatives_by_the_inputs_too():
    w, x, y = Value(2.0), Value(0.0), Value(0.0)
    tape = Tape(w * x * y, inputs=[x, y])
    outputs, gradient, by_inputs = tape.value_and_grad([[1.0, 3.0], [4.0, 5.0]], gradient=1.0, inputs=True)
    assert outputs.tolist() == [6.0, 40.0]
    assert gradient.tolist() == [23.0]
    assert by_inputs.tolist() == [[6.0, 2.0], [10.0, 8.0]]
