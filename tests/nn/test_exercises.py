"""A check tells a right answer from wrong ones and from none, and does not tell the answer."""

from __future__ import annotations

import math
import re

import numpy
import pytest

from autograd import Value
from nn.exercises import NOT_YET, check, described


def said(capsys, *arguments, **options) -> str:
    check(*arguments, **options)
    return capsys.readouterr().out.removesuffix("\n")


@pytest.mark.parametrize("answer", [..., None, [1.0, ...], (..., ...), [1.0, [2.0, ...]], {1.0, ...}])
def test_what_is_not_filled_in_is_not_yet_an_answer(answer, capsys):
    assert said(capsys, answer, [1.0, 2.0]) == NOT_YET


@pytest.mark.parametrize("body", [None, ..., [..., 1.0]])
def test_a_function_that_is_not_written_is_not_yet_an_answer(body, capsys):
    assert said(capsys, lambda x: body, lambda x: x, at=[1.0]) == NOT_YET


@pytest.mark.parametrize(
    ("answer", "truth"),
    [
        (5, 5.0), (Value(5.0), 5.0), (numpy.float64(5.0), 5), (5.000001, 5.0), (1e-12, 0.0), (-math.inf, -math.inf),
        ([1, 2], (1.0, 2.0)), ((1, [2, 3]), [1, [2, 3]]), (numpy.eye(2), [[1, 0], [0, 1]]), ("line", "line"),
        (math.nan, math.nan), (5, Value(5.0)), (5, numpy.array(5.0)), (numpy.array(5.0), 5),
        ((1, "line"), {"rate": 1.0, "kind": "line"}), (Value(5.0), Value),
        (True, numpy.bool_(True)), ({1, 2}, {2, 1}), (set(), set()), (["reverse", 1], ["reverse", 1]),
    ],
)  # fmt: skip
def test_right(answer, truth, capsys):
    assert said(capsys, answer, truth) == "Right."


@pytest.mark.parametrize(
    ("answer", "truth", "fault"),
    [
        (4.0, 5.0, "the answer is too small"),
        (6.0, 5.0, "the answer is too large"),
        (-5.0, 5.0, "the answer has the wrong sign"),
        (math.nan, 5.0, "the answer is not a number"),
        (3.0, math.inf, "the answer is too small"),
        ("five", 5.0, "the answer should be a number, not 'five'"),
        (True, 5.0, "the answer should be a number, not True"),
        ([5.0], 5.0, "the answer should be a number, not [5.0]"),
        ([1.0, 3.0], [1.0, 2.0], "number 2 of 2 is too large"),
        ([[1.0, 3.0]], [[1.0, 2.0]], "number 2 of 2 in number 1 of 1 is too large"),
        ([1.0], [1.0, 2.0], "the answer should have length 2, not 1"),
        (1.0, [1.0, 2.0], "the answer should be 2 of them in a list or tuple, not 1.0"),
        ([1.0, 3.0], {"rate": 1.0, "height": 2.0}, "height is too large"),
        ([1.0, [3.0]], {"rate": 1.0, "heights": [2.0]}, "number 1 of 1 in heights is too large"),
        ([[1.0, 3.0]], [{"rate": 1.0, "height": 2.0}], "height in number 1 of 1 is too large"),
        ([1.0], {"rate": 1.0, "height": 2.0}, "the answer should have length 2, not 1"),
        (1.0, Value, "the answer should be a Value, not 1.0"),
        ([1.0, 2.0], {"exp(x)": Value, "its number": 2.0}, "exp(x) should be a Value, not 1.0"),
        ("12", [1.0, 2.0], "the answer should be 2 of them in a list or tuple, not '12'"),
        ("curve", "line", "the answer is a different one"),
        (1, "line", "the answer should be a text, not 1"),
        (False, True, "the answer is a different one"),
        (0, True, "the answer should be True or False, not 0"),
        ({1, 3}, {1, 2}, "of the answer's elements, 1 too many and 1 missing"),
        ({1}, {1, 2}, "of the answer's elements, 1 missing"),
        ([1], {1}, "the answer should be a set, not [1]"),
        (10**400, 5.0, "the answer is too large"),
        (-(10**400), 5.0, "the answer is too small"),
        (1.0, math.nan, "the answer is a different one"),
        (numpy.bool_(True), 1.0, f"the answer should be a number, not {numpy.bool_(True)!r}"),
        (numpy.array([5.0, 5.0]), 5.0, "the answer should be a number, not an array of shape (2,)"),
        (numpy.eye(2), [1.0, 2.0], "number 1 of 2 should be a number, not an array of shape (2,)"),
        (numpy.complex128(5.0), 5.0, f"the answer should be a number, not {numpy.complex128(5.0)!r}"),
        (int, 5.0, "the answer should be a number, not <class 'int'>"),
        (b"12", [49, 50], "the answer should be 2 of them in a list or tuple, not b'12'"),
        ({1.0: 0, 2.0: 0}, [1.0, 2.0], "the answer should be 2 of them in a list or tuple, not {1.0: 0, 2.0: 0}"),
    ],
)
def test_what_is_wrong_is_said(answer, truth, fault, capsys):
    assert said(capsys, answer, truth) == f"Not right: {fault}."
    assert said(capsys, answer, truth, hint="Think of h.") == f"Not right: {fault}. Think of h."


def test_numbers_may_differ_by_what_is_told(capsys):
    assert said(capsys, 5.0, 5.05) == "Not right: the answer is too small."
    assert said(capsys, 5.0, 5.05, within=0.1) == "Right."
    assert said(capsys, 5.0, 5.05, relative=0.1) == "Right."
    assert said(capsys, 5.0 + 1e-9, 5.0, relative=1e-15, within=0.0) == "Not right: the answer is too large."


def test_a_function_is_compared_at_each_place(capsys):
    assert said(capsys, lambda x: 2 * x, lambda x: x + x, at=[1.0, -2.0]) == "Right."
    assert (
        said(capsys, lambda x: x * x, lambda x: x + x, at=[2.0, 3.0]) == "Not right: for 3.0 the answer is too large."
    )
    assert said(capsys, lambda a, b: [a, a], lambda a, b: [a, b], at=[(1, 1), (1, 2)]) == (
        "Not right: for 1, 2 number 2 of 2 is too small."
    )
    assert said(capsys, lambda x: [x, x], lambda x: {"the number": x, "its slope": 2 * x}, at=[0.0, 3.0]) == (
        "Not right: for 3.0 its slope is too small."
    )
    matrix = numpy.zeros((2, 3))
    assert said(capsys, lambda a: a.T, lambda a: a, at=[matrix]) == (
        "Not right: for an array of shape (2, 3) the answer should have length 2, not 3."
    )


def test_an_error_of_the_answer_is_told_and_one_of_the_truth_is_not_hidden(capsys):
    assert said(capsys, lambda x: 1 / x, lambda x: x, at=[0.0]) == (
        "Not right: for 0.0 it raises ZeroDivisionError: float division by zero."
    )
    with pytest.raises(ZeroDivisionError):
        check(lambda x: x, lambda x: 1 / x, at=[0.0])


def test_where_a_function_is_asked_for_nothing_else_is_called(capsys):
    assert said(capsys, ..., lambda x: x, at=[1.0]) == NOT_YET
    assert said(capsys, 1.0, lambda x: x, at=[1.0]) == "Not right: the answer should be a function, not 1.0."


def test_an_answer_that_changes_its_operand_is_compared_with_what_was_asked(capsys):
    def emptied(numbers):
        numbers.clear()
        return 0.0

    assert said(capsys, emptied, sum, at=[[1.0, 2.0]]) == "Not right: for [1.0, 2.0] the answer is too small."


class Unreadable(str):
    def __eq__(self, other):
        raise RuntimeError("no text")

    __hash__ = str.__hash__


def test_an_answer_that_cannot_be_read_is_no_error_of_the_check_and_such_a_truth_is(capsys):
    itself: list[object] = []
    itself.append(itself)
    assert said(capsys, itself, [1.0]).startswith("Not right: the answer cannot be read: it raises RecursionError")
    assert said(capsys, lambda x: itself, lambda x: [x], at=[1.0]).startswith("Not right: for 1.0 the answer cannot be")
    assert (
        said(capsys, Unreadable("a"), "a") == "Not right: the answer cannot be read: it raises RuntimeError: no text."
    )
    with pytest.raises(TypeError, match="real number, got object"):
        check(1.0, object())


def test_no_message_has_the_truth_in_it(capsys):
    for wrong in (1.0, -7.25, "x", [2.0], {3}, True, math.nan):
        assert not re.search(r"7\.25", said(capsys, wrong, 7.25).replace(described(wrong), ""))
