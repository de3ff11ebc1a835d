"""What every text has in common, whatever its language. What C and Python make of it, their own tests compare."""

from __future__ import annotations

import gc
import math
import weakref

import pytest

from autograd.operation import Operation
from autograd.writer import Writer


class Words(Writer):
    """A language of its own."""

    language = "Words"
    symbols = {"abs": "size", "nan": "nothing", "inf": "boundless", "or": "or else", "and": "and also"}  # noqa: RUF012

    def assignment(self, variable, expression):
        return f"let {variable} be {expression}"

    def choice(self, condition, x, y):
        return f"{x} where {condition} else {y}"


def row(compute):
    return Operation("new", "new", "", compute, [], samples=[])


def written(compute):
    writer = Words(row(compute), {"exp"})
    return writer, writer.literal(compute(writer, *writer.operands))


def lines_of(compute):
    writer, result = written(compute)
    return [*writer.lines, result]


def test_arithmetic_writes_a_statement_once():
    assert lines_of(lambda m, x, y: (x + y) * (x + y) - 2 / (x + y)) == [
        "let v0 be x + y", "let v1 be v0 * v0", "let v2 be 2.0 / v0", "let v3 be v1 - v2", "v3",
    ]  # fmt: skip


def test_functions_are_called_and_the_rules_of_other_rows_are_written_out():
    assert lines_of(lambda m, x: m.exp(m.negative(x)) + m.relu(x)) == [
        "let v0 be -x", "let v1 be exp(v0)", "let v2 be 0.0 where (x <= 0.0) else x", "let v3 be v1 + v2", "v3",
    ]  # fmt: skip
    with pytest.raises(AttributeError, match="no function 'gamma' here"):
        lines_of(lambda m, x: m.gamma(x))


def test_signs_conditions_and_constants():
    rule = lambda m, x, y: m.where((x < 0) | (y >= -1.5) & (1 > y), abs(x), -math.inf)  # noqa: E731, SIM300
    assert lines_of(rule) == [
        "let v0 be size(x)",
        "let v1 be v0 where ((x < 0.0) or else ((y >= (-1.5)) and also (y < 1.0))) else (-boundless)",
        "v1",
    ]  # fmt: skip
    writer, _ = written(lambda m, x: x)
    assert [writer.literal(number) for number in (math.nan, math.inf, -0.0, 3)] == [
        "nothing",
        "boundless",
        "-0.0",
        "3.0",
    ]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            lambda m, x: 1.0 if x else 0.0,
            "it asks in Python whether x is true, which Words cannot know then: use m.where",
        ),
        (lambda m, x: x if x > 0 else -x, "whether (x > 0.0), which Words cannot know then: use m.where"),
        (lambda m, x: x * float(x), "it asks in Python for the number of x, which Words cannot know then"),
        (lambda m, x: math.exp(x), "it asks in Python for the number of x, which Words cannot know then"),
    ],
)
def test_what_a_text_cannot_know(rule, said):
    with pytest.raises(TypeError) as caught:
        written(rule)
    assert said in str(caught.value)


def test_elements_stay_in_their_loop():
    operation = Operation("new", "new", "", lambda m, x, y: x, [], samples=[], sequences=1)
    writer = Words(operation, {"exp"})
    x, y = writer.operands
    [element] = x
    assert str((element + y) * 2.0) == "((x[i] + y) * 2.0)"
    assert writer.lines == []


def test_a_writer_is_freed_at_once():
    gc.collect()
    gc.disable()
    try:
        writer, _ = written(lambda m, x: m.exp(m.sigmoid(x)) * m.exp(x))
        alive = weakref.ref(writer)
        del writer
        assert alive() is None
    finally:
        gc.enable()
