"""check_gradients(): it passes what is right, and finds what is wrong."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter

from autograd import Value, check_gradients, dot, exp, functions, log, logsumexp, sin, tanh
from autograd.checking import Component, GradientCheck, GradientError
from autograd.operations import OPERATIONS


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "dot"])
def test_every_operation_passes_where_differences_can_see(name):
    for point in OPERATIONS[name].samples:
        numbers = [x for operand in point for x in (operand if isinstance(operand, list) else [operand])]
        at_the_edge = any(0 < abs(abs(number) - 1) < 1e-2 for number in numbers)
        if not at_the_edge and all(1e-2 <= abs(number) <= 30 for number in numbers):
            check_gradients(getattr(functions, name), point, relative_tolerance=1e-4)


def test_components_are_named_and_compared():
    check = check_gradients(lambda w, x, bias: tanh(dot(w, x, bias)), ([0.5, -1.0], np.array([2.0, 0.25]), 0.125))
    assert [component.name for component in check.components] == ["w[0]", "w[1]", "x[0]", "x[1]", "bias"]
    slope = 1 - math.tanh(0.875) ** 2
    expected = [2 * slope, 0.25 * slope, 0.5 * slope, -slope, slope]
    assert [component.backward for component in check.components] == pytest.approx(expected, rel=1e-14)
    assert [component.differences for component in check.components] == pytest.approx(expected, rel=1e-8)
    assert check.failures == []
    assert "w[1]" in repr(check)


def test_nested_sequences_and_a_single_number():
    matrix = [[1.0, 2.0], [3.0, 4.0]]
    check = check_gradients(lambda rows: logsumexp([dot(row, [1.0, -1.0]) for row in rows]), [matrix])
    assert [component.name for component in check.components] == [f"rows[{i}][{j}]" for i in (0, 1) for j in (0, 1)]
    assert check_gradients(lambda x: x**3, 2.0).components[0].backward == 12.0


def computed(data, parents, derivatives):
    """A node with derivatives of one's own choice, as micrograd's scripts define their operations."""
    result = Value(data, tuple(parents), "wrong")

    def backward():
        for parent, derivative in zip(parents, derivatives, strict=True):
            parent.grad += derivative * result.grad

    result._backward = backward
    return result


def wrong_product(x, y):
    """x y with a derivative by y that is 1 % off."""
    return computed(x.data * y.data, [x, y], [y.data, x.data * 1.01])


def test_a_wrong_derivative_is_found_and_shown():
    with pytest.raises(GradientError, match="1 of 2 components disagree") as caught:
        check_gradients(wrong_product, (2.0, 3.0))
    table = str(caught.value).splitlines()[1:]
    assert table[0].split() == ["component", "backward", "differences", "relative", "error"]
    assert table[1].split() == ["y", "2.02", "2", "1e-02"]
    assert len(table) == 2
    assert isinstance(caught.value, AssertionError)
    assert caught.value.check.components[0].relative_error < 1e-9


def test_the_worst_components_come_first_and_not_all_are_shown():
    def wrong(xs):
        return computed(sum(x.data for x in xs), xs, [1.0 + 0.001 * i for i in range(len(xs))])

    with pytest.raises(GradientError, match=r"49 of 50 components disagree") as caught:
        check_gradients(wrong, ([1.0] * 50,), worst=3)
    lines = str(caught.value).splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["xs[49]", "xs[48]", "xs[47]"]
    assert lines[5] == "... and 46 more"


def test_a_kink_and_a_derivative_that_is_not_finite_are_found():
    with pytest.raises(GradientError, match="kink"):
        check_gradients(lambda x: x.relu(), 0.0)
    with pytest.raises(GradientError, match="nan"):
        check_gradients(lambda x: computed(x.data, [x], [math.nan]), 1.0)


def test_derivatives_that_differences_see_only_roughly_pass():
    """The error of the differences' formula is not held against the gradient."""
    for function, x in [(lambda x: x**3, 0.0), (lambda x: x**3, 1e-3), (lambda x: sin(x) ** 3, 0.0),
                        (lambda x: sin(1e3 * x), 1.0), (exp, 700.0)]:  # fmt: skip
        assert check_gradients(function, x).failures == []


def test_what_is_not_a_number_comes_first():
    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x, y: computed(x.data + y.data, [x, y], [2.0, math.nan]), (1.0, 1.0))
    assert [line.split()[0] for line in str(caught.value).splitlines()[2:]] == ["y", "x"]


def test_a_method_is_named_by_its_parameters():
    class Line:
        def at(self, x):
            return 2.0 * x

    assert [component.name for component in check_gradients(Line().at, 1.0).components] == ["x"]


def test_no_other_grad_is_changed():
    w = Value(2.0)
    w.grad = 0.5
    check_gradients(lambda x: w * x * w, 3.0)
    assert w.grad == 0.5


def test_bad_arguments():
    with pytest.raises(TypeError, match="expected the function to return one Value, got list"):
        check_gradients(lambda x: [x], 1.0)
    with pytest.raises(TypeError, match="expected a real number, got str"):
        check_gradients(lambda x: x, ["a"])
    with pytest.raises(ValueError, match="expected at least one number in point, got none"):
        check_gradients(lambda: Value(1.0), [])
    with pytest.raises(ValueError, match="log"):
        check_gradients(log, -1.0)


def test_notebooks_show_the_table():
    check = check_gradients(lambda w, x: tanh(dot(w, [x, 1.0])), ([0.5, -1.0], 2.0))
    bundle, _ = DisplayFormatter().format(check)
    assert bundle["text/plain"] == repr(check)
    table = ElementTree.fromstring(bundle["text/html"])
    assert "".join(table.find("caption").itertext()) == "3 of 3 components agree"
    head, *rows = [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
    assert head == ["component", "backward", "differences", "relative error", "agree"]
    assert [row[0] for row in rows] == ["w[0]", "w[1]", "x"]
    for row, component in zip(rows, check.components, strict=True):
        assert row[1:3] == [f"{component.backward:.10g}", f"{component.differences:.10g}"]
        assert row[4] == "✓ yes"
    assert not {"style", "color", "bgcolor"} & {name for element in table.iter() for name in element.attrib}


def test_the_table_of_a_failure_says_in_words_which_components_disagree():
    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x, y: x.relu() + y, (0.0, 1.0))
    table = ElementTree.fromstring(caught.value.check._repr_html_())
    assert "".join(table.find("caption").itertext()) == "1 of 2 components agree"
    assert ["".join([*row][-1].itertext()) for row in table.iter("tr")] == ["agree", "✗ no", "✓ yes"]


def test_names_cannot_bring_markup_into_the_table():
    check = GradientCheck([Component("<b>&\"'", 1.0, 1.0, 0.0)], 1e-6)
    [code] = ElementTree.fromstring(check._repr_html_()).iter("code")
    assert code.text == "<b>&\"'"
