"""Derivatives as formulas: each is evaluated with 60 digits, and held against what the row's textbook formula gives."""

from __future__ import annotations

import math
import re

import mpmath
import pytest

import autograd
from autograd import Value, define
from autograd.formulas import Algebra, Formula, derivatives, description
from autograd.functions import forget_definition
from autograd.operation import Operation
from autograd.operations import OPERATIONS, ROWS, TABLE

mp = mpmath.mp.clone()
mp.dps = 60

FUNCTIONS = """erf erfc sin cos tan asin acos atan sinh cosh tanh log exp sqrt pi e expm1 log1p hypot asinh acosh atanh
    atan2 sign"""
NAMES = {name: getattr(mp, name) for name in re.findall(r"\w+", FUNCTIONS)}
NAMES |= {"abs": abs, "sum": sum, "max": max, "min": min, "zip": zip, "exp2": lambda x: mp.mpf(2) ** x}
NAMES |= {"round": lambda x: int(mp.nint(x)), "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x))}


def evaluated(formula, operands):
    return eval(formula, NAMES | operands)


def by(name, formula, operands):
    """The derivative of the formula by an operand, or by the i-th element of one: by t in x (1 + t)."""

    def moved(t):
        others = dict(operands)
        if isinstance(operands[name], list):
            i = operands["i"]
            others[name] = [*operands[name]]
            others[name][i] += (others[name][i] or mp.mpf(1)) * t
        else:
            others[name] += (operands[name] or mp.mpf(1)) * t
        return evaluated(formula, others)

    x = operands[name][operands["i"]] if isinstance(operands[name], list) else operands[name]
    return mp.diff(moved, 0) / (x or mp.mpf(1))


@pytest.mark.parametrize(
    ("operation", "point"),
    [
        pytest.param(operation, point, id=f"{operation.name}{point}")
        for operation in OPERATIONS.values()
        for point in operation.samples
    ],
)
def test_a_formula_is_the_derivative(operation, point):
    numbers = [[*map(mp.mpf, x)] if isinstance(x, list) else mp.mpf(x) for x in point]
    operands = dict(zip(operation.operands, numbers, strict=True))
    written = derivatives(operation)
    assert len(written) == len(operation.operands)
    for name, formula in zip(operation.operands, written.values(), strict=True):
        for i in range(len(operands[name])) if isinstance(operands[name], list) else [None]:
            elements = {f"{other}_i": x[i] for other, x in operands.items() if isinstance(x, list) and i is not None}
            elements = {other: x for other, x in elements.items() if i is not None}
            here = operands | elements | {"i": i}
            if operation.name == "take" and name == "index":
                assert formula == "0"
                continue
            found, true = evaluated(formula, here), by(name, operation.formula, here)
            assert abs(found - true) <= 1e-15 * abs(true) + mp.mpf(10) ** -30, formula


@pytest.mark.parametrize(
    ("name", "formulas"),
    [
        ("multiply", {"x": "y", "y": "x"}),
        ("divide", {"x": "1 / y", "y": "-x / y ** 2"}),
        ("power", {"x": "y * x ** (y - 1)", "y": "x ** y * log(x)"}),
        ("abs", {"x": "1 if x > 0 else -1 if x < 0 else 0"}),
        ("sqrt", {"x": "1 / (2 * sqrt(x))"}),
        ("tanh", {"x": "1 / cosh(x) ** 2"}),
        ("asin", {"x": "1 / sqrt(1 - x ** 2)"}),
        ("erf", {"x": "2 * exp(-x ** 2) / sqrt(pi)"}),
        ("atan2", {"y": "x / (x ** 2 + y ** 2)", "x": "-y / (x ** 2 + y ** 2)"}),
        ("gelu", {"x": "erfc(-x / sqrt(2)) / 2 + x * exp(-x ** 2 / 2) / sqrt(2 * pi)"}),
        ("elu", {"x": "1 if x > 0 else alpha * exp(x)", "alpha": "0 if x > 0 else expm1(x)"}),
        ("dot", {"weights_i": "inputs_i", "inputs_i": "weights_i", "bias": "1"}),
        ("logsumexp", {"x_i": "exp(x_i) / sum(exp(x_i) for x_i in x)"}),
    ],
)
def test_it_is_written_as_a_textbook_has_it(name, formulas):
    assert derivatives(OPERATIONS[name]) == formulas


def test_arithmetic_is_that_of_real_numbers():
    x, y = Formula.of("x"), Formula.of("y")
    assert str((x + y) - x) == "y"
    assert str(x * y / x) == "y"
    assert str(2.0 * x - 2.0 * x) == "0"
    assert str(1e-17 * x + y) == "y"
    assert str((x - y) / (x + y) ** 2.0) == "(x - y) / (x + y) ** 2"
    assert str(-(x + 1.0)) == "-1 - x"
    assert str(3.0 - x) == "3 - x"
    assert str(x / 3.0) == "x / 3"
    assert str(x**y) == "x ** y"
    assert str((x + y) ** (y + 1.0)) == "(x + y) ** (1 + y)"
    assert str((x * x) ** 0.5) == "sqrt(x ** 2)"
    assert str((x / y) ** 0.5) == "sqrt(x / y)"
    assert str((x**y) ** 2.0) == "(x ** y) ** 2"


def test_off_the_kinks_operands_are_unequal_to_numbers_and_not_to_each_other():
    m, x, y = Algebra([]), Formula.of("x"), Formula.of("y")
    assert str(m.where((x < 0) | (x > 0), x, 1.0)) == "x"
    assert str(m.where((x >= 0) & (x <= 0), 1.0, x)) == "x"
    assert str(m.where((x >= y) & (x <= y), 1.0, x)) == "1 if x == y else x"
    assert str(m.where(x > y, x, x)) == "x"


def test_a_function_of_a_choice_is_a_choice_of_functions():
    m, x, y = Algebra([]), Formula.of("x"), Formula.of("y")
    assert str(m.exp(m.where(x > 0, 0.0, x))) == "1 if x > 0 else exp(x)"
    assert str(y * m.exp(m.where(x > 0, 0.0, x))) == "y * (1 if x > 0 else exp(x))"
    assert str(m.sin(m.exp(m.where(x > y, y, x)))) == "sin(exp(y)) if x > y else sin(exp(x))"
    assert str(m.where(x > 0, 1.0, y * m.where(x > 0, 0.0, x))) == "1 if x > 0 else y * x"
    assert str(m.where(x > 0, 1.0, y * m.where(x > 0, 0.0, x + y))) == "1 if x > 0 else y * (x + y)"
    assert str(m.where(x > 0, 1.0, m.maximum(m.where(x > 0, 0.0, x), y))) == "1 if x > 0 else max(x, y)"


# ---- Docstrings


def test_a_description_has_formula_derivatives_domain_and_kinks():
    lines = description(OPERATIONS["sqrt"]).splitlines()
    assert lines[:3] == ["sqrt(x) = sqrt(x)", "", "d/dx = 1 / (2 * sqrt(x))"]
    assert lines[3].startswith("Domain: x >= 0; else ValueError")
    assert lines[-1] == "At x = 0.0: d/dx = inf."
    assert "Domain: all numbers." in description(OPERATIONS["tanh"])


def test_rules_that_are_no_formulas_are_left_out():
    def stepped(m, x):
        return math.floor(x)

    row = Operation("stepped", "stepped", "the next integer below", stepped, [lambda m, r, x: float(x)], samples=[])
    assert "d/d" not in description(row)
    assert description(row).startswith("stepped(x) = the next integer below\n")


@pytest.mark.both_engines
@pytest.mark.parametrize("row", ROWS[:TABLE], ids=lambda row: row.name)
def test_functions_and_methods_show_it(row):
    spelled_out = {"sum", "max", "min", "take"}
    if row.name not in spelled_out:
        assert getattr(autograd, row.name).__doc__ == description(row)
    if not row.sequences:
        assert getattr(Value, row.name).__doc__ == description(row)
        assert getattr(Value(0.5), row.name).__doc__ == description(row)


@pytest.mark.both_engines
def test_a_users_operation_shows_its_derivative():
    function = define("fourth_power", lambda m, x: x * x * x * x, [lambda m, r, x: 4.0 * x * x * x], formula="x ** 4")
    try:
        assert "d/dx = 4 * x ** 3" in function.__doc__
    finally:
        forget_definition("fourth_power")


def a_row(partial):
    return Operation("defined", "f", "defined(x)", lambda m, x: x, [partial], samples=[])


@pytest.mark.parametrize(
    ("partial", "formula"),
    [
        (lambda m, r, x: 6.626e-34 * x, "6.626e-34 * x"),  # a small number is no rounding error
        (lambda m, r, x: x * (0.1 + 0.2) - x * 0.3, "0"),  # and this is one
        (lambda m, r, x: 1234567.0 * x, "1234567 * x"),
        (lambda m, r, x: 0.123456789 * x, "0.123456789 * x"),
        (lambda m, r, x: x**2.123456789, "x ** 2.123456789"),
        (lambda m, r, x: 2.0**x, "2 ** x"),
        (lambda m, r, x: x**0 + 1.0, "2"),
    ],
)
def test_numbers_are_written_as_the_rule_has_them(partial, formula):
    assert derivatives(a_row(partial)) == {"x": formula}


def grown(x):
    for _ in range(60):
        x = x * x + 1.0 / (x + 1.0)
    return x


@pytest.mark.parametrize(
    "partial",
    [
        lambda m, r, x: 1.0 if x > 0.0 else 0.0,  # which of them, no formula tells
        lambda m, r, x: x * math.nan,
        lambda m, r, x: x * math.inf,
        lambda m, r, x: grown(x),  # of more characters than there are atoms
    ],
)
def test_a_rule_that_is_no_formula_has_none(partial):
    with pytest.raises((TypeError, ValueError, OverflowError)):
        derivatives(a_row(partial))
    assert "d/dx" not in description(a_row(partial))
