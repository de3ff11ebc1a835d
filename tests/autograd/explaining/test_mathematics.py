"""Formulas of the table in LaTeX: brackets where they must be, and nothing that a renderer does not know."""

from __future__ import annotations

import pytest
from matplotlib.mathtext import MathTextParser

from autograd.explaining.mathematics import in_latex
from autograd.formulas import derivatives
from autograd.operations import ROWS, TABLE


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("x - (y - 1)", r"x - \left(y - 1\right)"),
        ("(x - y) - 1", "x - y - 1"),
        ("x * (y + 1)", r"x \, \left(y + 1\right)"),
        ("(x * y) * 2", r"x \, y \, 2"),
        ("-x * y", r"-x \, y"),
        ("x * -y", r"x \, \left(-y\right)"),
        ("-(x + y)", r"-\left(x + y\right)"),
        ("-x / y ** 2", r"-\frac{x}{y^{2}}"),
        ("(x + 1) / 2", r"\frac{x + 1}{2}"),
        ("(x / 2) ** 2", r"\left(\frac{x}{2}\right)^{2}"),
        ("(x ** 2) ** y", r"\left(x^{2}\right)^{y}"),
        ("2 ** (x + 1)", "2^{x + 1}"),
        ("exp(x) ** 2", r"\left(e^{x}\right)^{2}"),
        ("(x + 1) ** 1.5", r"\left(x + 1\right)^{3/2}"),
        ("cosh(x / 2) ** 2", r"\cosh^{2}\left(\frac{x}{2}\right)"),
        ("2 * expm1(x)", r"2 \, \left(e^{x} - 1\right)"),
        ("log1p(-x)", r"\log(1 + \left(-x\right))"),
        ("abs(x) * sqrt(y)", r"\lvert x \rvert \, \sqrt{y}"),
        ("atan2(y, x)", r"\operatorname{atan2}(y, x)"),
        ("alpha * slope", r"\alpha \, \mathit{slope}"),
        ("sum(x)", r"\sum_{i} x_{i}"),
        ("sum(x_i for x_i in weights) / 2", r"\frac{\sum_{i} \mathit{weights}_{i}}{2}"),
        ("1 if x == y else 0", r"\begin{cases} 1 & \text{if } x = y \\ 0 & \text{else} \end{cases}"),
        ("2 * (1 if x == y else 0)", r"2 \, [x = y]"),
    ],
)
def test_an_expression_is_bracketed_as_it_is_bound(formula, expected):
    assert in_latex(formula) == expected


def test_a_choice_can_be_written_in_one_line():
    assert in_latex("1 if x > 0 else -1 if x < 0 else 0", one_line=True) == (
        r"1\text{ if }x > 0,\; -1\text{ if }x < 0,\; 0\text{ else}"
    )


@pytest.mark.parametrize("operation", ROWS[:TABLE], ids=lambda operation: operation.name)
def test_every_formula_of_the_table_and_its_derivatives_are_understood(operation):
    """By matplotlib, which knows less of LaTeX's mathematics than others."""
    parser = MathTextParser("path")
    for formula in (operation.formula, *derivatives(operation).values()):
        assert in_latex(formula).count("{") == in_latex(formula).count("}")
        assert parser.parse(f"${in_latex(formula, one_line=True)}$").width > 0


def test_what_is_no_formula_is_refused():
    with pytest.raises(SyntaxError):
        in_latex("x +")
