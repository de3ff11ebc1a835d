"""What a row of the table is, and the mathematics that its rules may call."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autograd import Value
from autograd.operation import RAISING, Mathematics, Operation, hypot, ieee, split, strict
from autograd.operations import OPERATIONS


def cube(name="cube", **options):
    return Operation(
        name, "cube", "k * x ** 3", lambda m, x, k=2.0: k * x * x * x,
        [lambda m, r, x, k: 3.0 * k * x * x, lambda m, r, x, k: x * x * x], samples=[], **options,
    )  # fmt: skip


# ---- a row


def test_a_row_tells_of_itself():
    row = cube(kinks={(0.0, 1.0): (0.0, -1.0)}, domain="x > 0")
    assert row.operands == ("x", "k")
    assert row.defaults == {"k": 2.0}
    assert row.signature == "cube(x, k=2.0)"
    assert repr(row) == "<Operation cube(x, k=2.0) = k * x ** 3>"
    assert row.conventions == [("x = 0.0, k = 1.0", "d/dx = 0.0, d/dk = -1.0")]


@pytest.mark.parametrize(
    ("operands", "keywords", "bound"),
    [((5.0,), {}, (5.0, 2.0)), ((5.0, 1.0), {}, (5.0, 1.0)), ((), {"k": 1.0, "x": 5.0}, (5.0, 1.0)),
     ((5.0,), {"k": 1.0}, (5.0, 1.0))],
)  # fmt: skip
def test_operands_are_bound_as_python_binds_arguments(operands, keywords, bound):
    assert cube().bind(operands, keywords) == bound


@pytest.mark.parametrize(
    ("operands", "keywords", "got"),
    [((), {}, "got 0 operands"), ((1.0, 2.0, 3.0), {}, "got 3 operands"), ((1.0,), {"x": 2.0}, "got 1 operand, x="),
     ((1.0,), {"y": 2.0}, "got 1 operand, y=")],
)  # fmt: skip
def test_operands_that_the_function_does_not_take(operands, keywords, got):
    with pytest.raises(TypeError, match=rf"^expected cube\(x, k=2\.0\), {got}$"):
        cube().bind(operands, keywords)


@pytest.mark.parametrize(
    ("error", "labels", "message"),
    [
        (ValueError(), ("", ""), "cube(-1.0, 2.0): expected x > 0"),
        (ZeroDivisionError(), ("a", ""), "cube(-1.0, 2.0): division by zero (x is labelled 'a')"),
        (OverflowError(), ("", ""), "cube(-1.0, 2.0): the result is beyond the largest float, 1.8e308"),
    ],
)  # fmt: skip
def test_an_error_is_explained(error, labels, message):
    explained = cube(domain="x > 0").explained(error, [-1.0, 2.0], labels)
    assert type(explained) is type(error)
    assert str(explained) == message


def test_infix_operations_are_written_so_in_errors():
    assert (
        str(OPERATIONS["divide"].explained(ZeroDivisionError(), [-1.0, 0.0], ["", ""]))
        == "(-1.0) / 0.0: division by zero"
    )


# ---- mathematics


def test_every_row_is_there_by_its_own_rule():
    mathematics = Mathematics(**strict.given | {"exp": lambda x: 7.0})
    assert mathematics.sigmoid(-1.0) == 7.0 / 8.0
    assert strict.relu(-2.0) == 0.0
    assert not strict.varies(Value(1.0))


def test_mathematics_names_what_it_lacks():
    with pytest.raises(AttributeError, match="no operation 'nothing' in the table"):
        _ = strict.nothing


def test_a_head_has_an_exact_square():
    for x in (math.pi, -1.0 / 3.0, 1e-30, 12345.678):
        head, rest = split(x)
        assert head + rest == x
        assert int(math.frexp(head)[0] * 2**26) == math.frexp(head)[0] * 2**26


def is_same(x, y):
    return x == y or (math.isnan(x) and math.isnan(y))


def test_hypot_of_nan_does_not_depend_on_what_ran_before():
    for x, y in [(math.nan, 1.0), (1.0, math.nan), (math.nan, math.nan), (math.nan, math.inf)]:
        Value(-1000.0).exp()  # which leaves errno set
        assert is_same(hypot(x, y), math.hypot(x, y))


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (2.0, 0.0, math.inf),
        (-2.0, 0.0, -math.inf),
        (2.0, -0.0, -math.inf),
        (0.0, 0.0, math.nan),
        (3.0, 2.0, 1.5),
        (math.nan, 0.0, math.nan),
    ],
)
def test_ieee_division(x, y, expected):
    assert ieee.divide(x, y) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("x", "y"), [(0.0, -1.0), (-0.0, -1.0), (-0.0, -3.0), (0.0, -0.5), (-0.0, -2.0), (-10.0, 401.0), (-10.0, 400.0),
                 (10.0, 400.0), (-8.0, 1 / 3), (2.0, 0.5), (-2.0, 3.0),
                 (-0.0, -0.9999999999999999), (-0.0, math.nextafter(-1.0, -2.0)), (-1e200, 2.0000000000000004)]
)  # fmt: skip
def test_ieee_power_is_numpys(x, y):
    with np.errstate(all="ignore"):
        expected = float(np.power(x, y))
    assert ieee.power(x, y) == pytest.approx(expected, rel=1e-15, nan_ok=True)
    assert math.isnan(expected) or math.copysign(1.0, ieee.power(x, y)) == math.copysign(1.0, expected)


@pytest.mark.parametrize("name", RAISING)
def test_functions_under_ieee_754_are_numpys(name):
    numpys = getattr(np, {"asin": "arcsin", "acos": "arccos", "acosh": "arccosh", "atanh": "arctanh"}.get(name, name))
    points = [0.0, 1.0, 2.0, 0.5, 1e-320, 710.4, 710.5, 1100.0, 1e308, math.inf, math.nan]
    with np.errstate(all="ignore"):
        for x in [*points, *[-point for point in points]]:
            assert getattr(ieee, name)(x) == pytest.approx(float(numpys(x)), rel=1e-14, nan_ok=True), x
