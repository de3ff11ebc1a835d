"""check_gradients(): it passes what is right, finds what is wrong, and says where it cannot tell.

The truth for the table's rows is their formula with 50 digits.
"""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections import Counter
from xml.etree import ElementTree

import mpmath
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter

from autograd import (
    Value,
    abs,
    asin,
    atanh,
    cbrt,
    check_gradients,
    cos,
    cosh,
    dot,
    exp,
    functions,
    hypot,
    log,
    log10,
    logsumexp,
    maximum,
    no_grad,
    relu,
    sin,
    sqrt,
    tanh,
    transforms,
)
from autograd.checking import AGREES, CANNOT_TELL, DISAGREES, Component, GradientCheck, GradientError
from autograd.operations import OPERATIONS

mp = mpmath.mp.clone()
mp.dps = 50


def checked(function, point, **options):
    """The check, also where it raises."""
    try:
        return check_gradients(function, point, **options)
    except GradientError as error:
        return error.check


def states(check):
    return Counter(component.state for component in check.components)


def component_of(function, point, **options) -> Component:
    [component] = checked(function, point, **options).components
    return component


# ---- the table's rows

every_sample = pytest.mark.parametrize(
    ("name", "point"),
    [
        pytest.param(name, point, id=f"{name}{point}")
        for name, operation in OPERATIONS.items()
        for point in operation.samples
        if name != "take"  # whose index may not be moved
    ],
)
every_kink = pytest.mark.parametrize(
    ("name", "point"),
    [
        pytest.param(name, point, id=f"{name}{point}")
        for name, operation in OPERATIONS.items()
        for point in operation.kinks
    ],
)


def flat(point):
    return [number for operand in point for number in (operand if isinstance(operand, list) else [operand])]


def is_within_uncertainty(component, relative_error=1e-13):
    """Whether the differences are as close to the derivative as they say. That is exact but for the relative error."""
    distance = math.fabs(component.derivative - component.differences)
    return distance <= component.uncertainty + relative_error * math.fabs(component.derivative)


@every_sample
def test_every_row_agrees_in_both_modes_and_orders(name, point):
    function = getattr(functions, name)
    check = checked(function, point, modes=["reverse", "forward"], order=2)
    assert check.failures == []
    n = len(flat(point))
    assert len(check.components) == 2 * n + 4 * n**2
    assert all(is_within_uncertainty(component) for component in check.components if component.state == AGREES)


@every_sample
def test_it_cannot_tell_only_where_a_derivative_is_lost_in_rounding(name, point):
    function = getattr(functions, name)
    for number, component in zip(flat(point), checked(function, point).components, strict=True):
        if component.state != AGREES:
            change = math.fabs(component.derivative) * max(1.0, math.fabs(number))
            assert change <= 1e-11 * math.fabs(function(*point))


def test_typically_nine_digits_are_compared():
    checks = [checked(getattr(functions, name), point) for name, row in OPERATIONS.items() for point in row.samples]
    components = [component for check in checks for component in check.components if component.derivative]
    digits = [-math.log10(component.uncertainty / math.fabs(component.derivative)) for component in components]
    assert sorted(digits)[len(digits) // 2] > 9
    assert sorted(digits)[len(digits) // 10] > 6


def one_sided_derivatives(name, point, i):
    """The derivatives by the i-th operand from the left and the right, nan where there is none, by the formula."""
    operation = OPERATIONS[name]
    exact = re.sub(r"(?<![\w.])(\d+)", r"mpf(\1)", operation.formula)
    names = {name: getattr(mp, name) for name in dir(mp) if not name.startswith("_")} | {"max": max, "min": min}

    def value(step):
        moved = [mp.mpf(number) + (step if j == i else 0) for j, number in enumerate(point)]
        try:
            result = eval(exact, names | {"abs": mp.fabs} | dict(zip(operation.operands, moved, strict=True)))
        except (ZeroDivisionError, ValueError):
            return mp.nan
        return result if mp.im(result) == 0 else mp.nan

    return [float((value(step) - value(0)) / step) for step in (-(mp.mpf(10) ** -30), mp.mpf(10) ** -30)]


@every_kink
def test_a_kink_never_passes_with_a_wrong_number(name, point):
    check = checked(getattr(functions, name), point)
    for i, component in enumerate(check.components):
        left, right = one_sided_derivatives(name, point, i)
        if component.state == AGREES:
            assert (left, right) == pytest.approx((component.derivative, component.derivative), abs=1e-12)
        elif component.state == DISAGREES:
            assert component.sides == pytest.approx((left, right), abs=1e-12)
        else:
            assert not (left == right == component.derivative)


@every_kink
def test_second_derivatives_at_a_kink_never_pass_with_a_wrong_number(name, point):
    check = checked(getattr(functions, name), point, order=2)
    seen = {component.name: component for component in check.components if component.mode == "reverse over reverse"}
    for component in seen.values():
        if component.state == AGREES:
            assert math.isfinite(component.derivative)
            assert is_within_uncertainty(component)
        else:
            assert component.state == CANNOT_TELL or component.sides


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if not operation.sequences])
def test_every_row_at_every_scale(name):
    """What the differences find is true, and nothing disagrees."""
    function, operands = getattr(functions, name), OPERATIONS[name].operands
    for number in [sign * digits * 10.0**k for k in range(-12, 13) for digits in (1.0, 3.7) for sign in (1, -1)]:
        points = [(number,)] if len(operands) == 1 else [(number, 0.7), (0.7, number), (number, 1.3 * number)]
        for point in points:
            try:
                function(*point)
            except (ValueError, ArithmeticError):
                continue
            check = checked(function, point)
            assert check.failures == [], point
            for component in check.components:  # 1e-10, as a row may lose digits in its tail
                assert component.state == CANNOT_TELL or is_within_uncertainty(component, 1e-10), point


@pytest.mark.parametrize("x", [sign * 1.9 * 10.0**k for k in (-90, -30, -12, -5, 0, 5, 12, 30, 90) for sign in (1, -1)])
@pytest.mark.parametrize(
    "function",
    [lambda x: x**3, lambda x: 1 / x, cbrt, lambda x: x * abs(x), lambda x: hypot(x, 2 * x), lambda x: log(abs(x))],
    ids=["cube", "reciprocal", "cbrt", "x abs(x)", "hypot", "log"],
)
def test_functions_without_a_scale_agree_at_every_scale(function, x):
    component = component_of(function, x)
    assert component.state == AGREES
    assert component.uncertainty < 1e-4 * math.fabs(component.derivative)


# ---- what is wrong

HIDDEN = {
    "x x'": lambda x: x * x.data,
    "x / x'^2": lambda x: x * x.data**-2,
    "x / x'^3": lambda x: x / x.data**3,
    "sqrt(x x')": lambda x: sqrt(abs(x) * math.fabs(x.data)),
    "x + x'": lambda x: x + x.data,
    "1 + x + x'": lambda x: 1.0 + x + x.data,
    "x'": lambda x: 0.0 * x + x.data,
    "x sin(x')": lambda x: x * math.sin(x.data),
    "hypot(x, 2 x')": lambda x: hypot(x, 2.0 * x.data),
}


@pytest.mark.parametrize("x", [sign * 2.7 * 10.0**k for k in range(-12, 13) for sign in (1, -1)])
@pytest.mark.parametrize("function", HIDDEN.values(), ids=HIDDEN)
def test_what_hides_behind_data_is_found_at_every_scale(function, x):
    assert component_of(function, x).state == DISAGREES


@pytest.mark.parametrize("x", [1e-5, 1.0, 1e5])
def test_the_difference_of_a_hidden_derivative_is_the_true_one(x):
    component = component_of(lambda x: x * x.data**-2, x)
    assert component.derivative == pytest.approx(x**-2, rel=1e-14)
    assert component.differences == pytest.approx(-(x**-2), rel=1e-9)


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
    with pytest.raises(GradientError, match="1 of 2 components agrees, 1 disagrees; look at the rules") as caught:
        check_gradients(wrong_product, (2.0, 3.0))
    head, row, *more = str(caught.value).splitlines()[1:]
    assert re.split(r"\s{2,}", head) == ["component", "derivative", "differences", "relative error", "agrees"]
    assert re.fullmatch(r"y +2\.02  2 ± \de-\d+ +1e-02  no", row)
    assert more == []
    assert isinstance(caught.value, AssertionError)
    assert caught.value.check.components[0].relative_error < 1e-9


@pytest.mark.parametrize("error", [1e-5, 1e-3, 1.0])
def test_small_errors_are_found(error):
    wrong = component_of(lambda x: computed(x.data**3, [x], [3 * x.data**2 * (1 + error)]), 1.7)
    assert wrong.state == DISAGREES
    assert wrong.relative_error == pytest.approx(error / (1 + error), rel=1e-3)


def test_the_tolerance_is_the_users():
    def slightly_wrong(x):
        return computed(x.data**3, [x], [3 * x.data**2 * (1 + 1e-7)])

    assert component_of(slightly_wrong, 1.7).state == AGREES
    assert component_of(slightly_wrong, 1.7, relative_tolerance=1e-8).state == DISAGREES


def test_the_worst_components_come_first_and_not_all_are_shown():
    def wrong(xs):
        return computed(sum(x.data for x in xs), xs, [1.0 + 0.001 * i for i in range(len(xs))])

    with pytest.raises(GradientError, match=r"1 of 50 components agrees, 49 disagree") as caught:
        check_gradients(wrong, ([1.0] * 50,), worst=3)
    lines = str(caught.value).splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["xs[49]", "xs[48]", "xs[47]"]
    assert lines[5] == "... and 46 more"


def test_what_is_not_a_number_comes_first():
    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x, y: computed(x.data + y.data, [x, y], [2.0, math.nan]), (1.0, 1.0))
    assert [line.split()[0] for line in str(caught.value).splitlines()[2:]] == ["y", "x"]


@pytest.mark.parametrize("derivative", [math.nan, math.inf, -math.inf, 0.0, 1e20])
def test_a_derivative_that_is_finite_is_not_taken_for_another(derivative):
    assert component_of(lambda x: computed(x.data, [x], [derivative]), 1.0).state == DISAGREES


# ---- kinks, edges, rounding


def test_a_kink_disagrees_and_both_sides_are_shown():
    with pytest.raises(GradientError, match=r"no, a kink: 0 from the left, 1 from the right$"):
        check_gradients(lambda x: x.relu(), 0.0)
    with pytest.raises(GradientError, match=r"no, a kink: -1 from the left, 1 from the right$"):
        check_gradients(abs, 0.0)
    component = component_of(lambda x: maximum(2.0 * x, x * x), 2.0)
    assert component.sides == pytest.approx((2.0, 4.0), rel=1e-9)


@pytest.mark.parametrize("distance", [1e-3, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_kink_beside_the_point_does_no_harm(distance, sign):
    for function in (lambda x: relu(x - 1.0), lambda x: abs(x - 1.0) + x):
        assert component_of(function, 1.0 + sign * distance).state == AGREES
    assert component_of(lambda x: maximum(x, 1.3 * distance), distance).state == AGREES
    if distance > 1e-12:  # there, 1 + x is lost in rounding
        assert component_of(lambda x: exp(relu(sign * x)), -sign * distance).state == AGREES


def test_where_pieces_meet_smoothly_there_is_no_kink():
    for function in (lambda x: relu(x) ** 2, lambda x: x * abs(x), functions.elu):
        assert component_of(function, 0.0).state == AGREES


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (lambda x: x**2.5, 0.0),
        (lambda x: (1.0 - x) ** 2.5 + 3.0 * x, 1.0),
        (lambda x: exp(x) + (x - 7.0) ** 1.5, 7.0),
        (lambda x: asin(x) * (1.0 - x) if x.data < 1 else x * 0.0 - math.pi / 2 * (x - 1.0), 1.0),
        (lambda x: sqrt(x), 1e-300),
        (lambda x: log(x), 1e-6),
        (lambda x: asin(x), 0.999999),
        (lambda x: exp(x), 709.7),
    ],
)
def test_on_the_edge_of_a_domain_one_side_is_compared(function, x):
    assert component_of(function, x).state == AGREES


def test_on_the_edge_of_a_domain_a_wrong_derivative_is_found():
    component = component_of(lambda x: x**2.5 + 3.0 * x + x.data, 0.0)
    assert (component.state, component.derivative) == (DISAGREES, 3.0)
    assert component.differences == pytest.approx(4.0, rel=1e-6)


def test_a_kink_that_only_small_steps_surround_is_found():
    def function(x):
        if x.data < -1e-9:
            raise ValueError
        return computed(math.fabs(x.data), [x], [1.0])

    assert component_of(function, 0.0).sides == pytest.approx((-1.0, 1.0))


def test_where_the_function_returns_another_structure_its_domain_ends():
    check = check_gradients(lambda x: [x, x * x] if x.data >= 1 else [x], 1.0)
    assert [component.differences for component in check.components] == pytest.approx([1.0, 2.0])


@pytest.mark.parametrize(
    ("function", "x"), [(sqrt, 0.0), (cbrt, 0.0), (asin, -1.0), (lambda x: abs(x) ** 0.5, 0.0), (lambda x: x**0.9, 0.0)]
)
def test_where_quotients_have_no_limit_it_cannot_tell(function, x):
    component = component_of(function, x)
    assert component.state == CANNOT_TELL
    assert math.isnan(component.differences)
    assert component.uncertainty == math.inf


def test_where_quotients_are_lost_in_rounding_before_they_have_a_limit_no_derivative_agrees():
    for derivative in (0.0, 1.0, 1e10):
        component = component_of(lambda x, slope=derivative: computed(1.0 + math.sqrt(x.data), [x], [slope]), 0.0)
        assert component.state != AGREES


def test_where_a_function_has_no_values_on_either_side_it_cannot_tell():
    component = checked(lambda x, y: x**y, (-2.0, 3.0)).components[1]
    assert (component.name, component.state) == ("y", CANNOT_TELL)


def test_it_raises_if_it_can_tell_of_nothing():
    for function in (tanh, lambda x: 1.0 + 1e-30 * x):
        with pytest.raises(GradientError, match="the check cannot tell for 1; take a point where") as caught:
            check_gradients(function, 20.0)
        assert str(caught.value).endswith("cannot tell")
    check = check_gradients(lambda x, y: tanh(x) * y, (20.0, 1.0))
    assert [component.state for component in check.components] == [CANNOT_TELL, AGREES]
    assert [component.name for component in check.undecided] == ["x"]


CANCELLING = {  # f is rounded in steps that are large beside ε |f|: atanh magnifies what tanh has lost, and so on
    "atanh(tanh)": (lambda x: atanh(tanh(hypot(x, -13.31))), -1.47),
    "log(cosh)": (lambda x: log10(cosh(x * x)), -4.7e-4),
    "sum": (lambda x: (x + 1e9) - 1e9, 1e-3),
    "dot": (lambda x: dot([1e9, 1.0, -1e9], [1.0, x, 1.0]), 0.01234),
    "sin(exp)": (lambda x: sin(exp(x)), 40.0),
    "sin": (sin, 3.7e14),
    "sqrt beside 1": (lambda x: 1.0 + sqrt(x), 0.0),
    "cbrt beside 1": (lambda x: 1.0 + cbrt(x), 0.0),
    "sqrt beside 27": (lambda x: Value(3.0) * 3.0 * 3.0 + sqrt(x), 0.0),
    "underflow": (lambda x: x * 1.3e-300, 1e-300),
}


@pytest.mark.parametrize(("function", "x"), CANCELLING.values(), ids=CANCELLING)
def test_a_large_rounding_error_is_not_held_against_the_gradient(function, x):
    assert component_of(function, x).state != DISAGREES


def test_differences_of_a_function_that_is_rounded_strongly():
    assert component_of(lambda x: (x + 1e8) - 1e8, 1 / 3).state == AGREES
    assert component_of(lambda x: math.sqrt(x.data) ** 2 / x.data, 3.0).state == AGREES  # a constant, but for rounding
    assert component_of(lambda x: 1.0 + x, 1e-11).uncertainty < 1e-3


def test_a_derivative_whose_own_terms_cancel_may_be_rounded():
    """The function is constant. Its derivative is the difference of two terms of the size 1e6."""
    component = component_of(lambda x: (x / 0.07093801699363188) * (1.6200914287046837 / x), 5.230956316925225e-06)
    assert 0 < math.fabs(component.derivative) < 1e-9
    assert component.state == CANNOT_TELL


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (lambda x: x**3, 0.0),
        (lambda x: x**3, 1e-3),
        (lambda x: sin(x) ** 3, 0.0),
        (cos, 0.0),
        (lambda x: sin(1e3 * x), 1.0),
        (lambda x: sin(1e9 * x), 1.0),
        (lambda x: tanh(1e9 * (x - 1.0)), 1.0),
        (exp, 700.0),
        (exp, 1e-12),
        (lambda x: 1.0 + 1e-4 * x, 1e-12),
    ],
)
def test_steps_fit_the_function(function, x):
    assert component_of(function, x).state == AGREES


def test_a_derivative_of_zero_is_compared():
    for function in (lambda x: x * 0.0, relu, lambda x: 3.0 + relu(x), lambda x: (x + 2.0) ** 2):
        assert component_of(function, -2.0).state == AGREES
    assert component_of(lambda x: computed((x.data + 2.0) ** 2, [x], [0.0]), -2.001).state == DISAGREES
    assert component_of(lambda x: computed(5.0, [x], [1.0]), -2.0).state == DISAGREES
    for x in (1e-17, 1e-30):  # to steps in proportion to x, it is a constant
        assert component_of(lambda x: 1.0 + x.data, x).state == DISAGREES


@pytest.mark.parametrize("x", [math.inf, -math.inf, math.nan, sys.float_info.max, 5e-324, -0.0])
def test_points_at_the_end_of_the_floats(x):
    for function in (lambda x: x, lambda x: 2.0 * x, tanh):
        assert component_of(function, x).state != DISAGREES
    assert component_of(lambda x: 1.0 * x, sys.float_info.max / 2).state == AGREES


# ---- modes and orders


def test_both_modes_and_orders_in_one_table():
    check = check_gradients(lambda x, y: x * x * y, (3.0, 2.0), modes=("reverse", "forward"), order=2)
    modes = ["reverse", "forward"] + [f"{a} over {b}" for b in ("reverse", "forward") for a in ("reverse", "forward")]
    rows = {"x": 12.0, "y": 9.0}, {"x, x": 4.0, "x, y": 6.0, "y, x": 6.0, "y, y": 0.0}
    expected = [(mode, *row) for mode in modes for row in rows[" over " in mode].items()]
    assert [(c.mode, c.name, c.derivative) for c in check.components] == expected
    assert [c.differences for c in check.components] == pytest.approx([row[2] for row in expected], rel=1e-9, abs=1e-9)
    assert repr(check).splitlines()[0].split()[1] == "mode"


def test_reverse_mode_and_first_order_are_the_default():
    check = check_gradients(lambda x: x**3, 2.0)
    assert [(c.name, c.mode, c.derivative, c.backward) for c in check.components] == [("x", "reverse", 12.0, 12.0)]
    assert "mode" not in repr(check)
    [component] = check_gradients(lambda x: x**3, 2.0, modes="forward").components
    assert (component.mode, component.derivative) == ("forward", 12.0)


def test_a_wrong_second_derivative_behind_a_right_first_one_is_found():
    """x² in value and gradient, but the gradient does not know that it depends on x."""

    def linearised(x):
        return x.data**2 + 2.0 * x.data * (x - x.data)

    assert check_gradients(linearised, 3.0).failures == []
    for mode in ("reverse", "forward"):
        with pytest.raises(GradientError, match="1 of 2 components agrees, 1 disagrees") as caught:
            check_gradients(linearised, 3.0, modes=mode, order=2)
        [component] = caught.value.check.failures
        assert (component.name, component.mode, component.derivative) == ("x, x", f"{mode} over {mode}", 0.0)
        assert component.differences == pytest.approx(2.0, rel=1e-9)


def test_each_mode_is_compared_for_itself(monkeypatch):
    right = transforms.jacobian

    def wrong_forward(function, mode):
        return (lambda numbers: [[7.0]]) if mode == "forward" else right(function, mode=mode)

    monkeypatch.setattr(transforms, "jacobian", wrong_forward)
    check = checked(lambda x: x * x, 3.0, modes=["reverse", "forward"])
    assert [(c.mode, c.derivative, c.state) for c in check.components] == [
        ("reverse", 6.0, AGREES),
        ("forward", 7.0, DISAGREES),
    ]


def test_a_model_to_second_order():
    w = [[0.3, -0.8, 0.5], [-0.2, 0.6, 0.1]]

    def loss(hidden, output, scale):
        units = [tanh(dot(row, [1.0, -0.5, 2.0])) for row in hidden]
        return (scale * dot(output, units) - 1.0) ** 2

    check = check_gradients(loss, (w, [0.7, -1.1], 1e-4), modes=["reverse", "forward"], order=2)
    assert states(check) == {AGREES: 2 * 9 + 4 * 81}
    assert "output[0], hidden[0][2]" in [component.name for component in check.components]


# ---- what is given and returned


def test_components_are_named_and_compared():
    check = check_gradients(lambda w, x, bias: tanh(dot(w, x, bias)), ([0.5, -1.0], np.array([2.0, 0.25]), 0.125))
    assert [component.name for component in check.components] == ["w[0]", "w[1]", "x[0]", "x[1]", "bias"]
    slope = 1 - math.tanh(0.875) ** 2
    expected = [2 * slope, 0.25 * slope, 0.5 * slope, -slope, slope]
    assert [component.derivative for component in check.components] == pytest.approx(expected, rel=1e-14)
    assert [component.differences for component in check.components] == pytest.approx(expected, rel=1e-9)
    assert check.failures == []
    assert "w[1]" in repr(check)


def test_nested_sequences_and_a_single_number():
    matrix = [[1.0, 2.0], [3.0, 4.0]]
    check = check_gradients(lambda rows: logsumexp([dot(row, [1.0, -1.0]) for row in rows]), [matrix])
    assert [component.name for component in check.components] == [f"rows[{i}][{j}]" for i in (0, 1) for j in (0, 1)]
    assert check_gradients(lambda x: x**3, 2.0).components[0].derivative == 12.0


def test_a_method_is_named_by_its_parameters():
    class Line:
        def at(self, x):
            return 2.0 * x

    assert [component.name for component in check_gradients(Line().at, 1.0).components] == ["x"]


def test_structures_of_results():
    def function(x, y):
        return {"product": x * y, "others": [x - y, 5.0]}

    check = check_gradients(function, (3.0, 2.0), modes=["reverse", "forward"], order=2)
    first = [(c.name, c.derivative) for c in check.components[:6]]
    assert first == [("output['product'] by x", 2.0), ("output['product'] by y", 3.0),
                     ("output['others'][0] by x", 1.0), ("output['others'][0] by y", -1.0),
                     ("output['others'][1] by x", 0.0), ("output['others'][1] by y", 0.0)]  # fmt: skip
    second = {c.name: c.derivative for c in check.components if c.mode == "forward over reverse"}
    assert len(second) == 12
    assert {name for name, derivative in second.items() if derivative} == {
        "output['product'] by x, y",
        "output['product'] by y, x",
    }
    assert states(check) == {AGREES: 60}


def test_a_wrong_number_among_several_is_found():
    check = checked(lambda x, y: (x + y, wrong_product(x, y)), (2.0, 3.0))
    assert [component.name for component in check.failures] == ["output[1] by y"]


def test_a_number_that_has_lost_its_graph_disagrees():
    component = component_of(lambda x: x.data**2, 3.0)
    assert (component.derivative, component.state) == (0.0, DISAGREES)


def test_bad_arguments():
    with pytest.raises(TypeError, match=r"what the function has returned: expected a real number, got str.* at \[1\]"):
        check_gradients(lambda x: [x, "a"], 1.0)
    with pytest.raises(TypeError, match="expected a real number, got str"):
        check_gradients(lambda x: x, ["a"])
    with pytest.raises(ValueError, match="expected at least one number in point, got none"):
        check_gradients(lambda: Value(1.0), [])
    with pytest.raises(ValueError, match="expected the function to return at least one number, got none"):
        check_gradients(lambda x: [], 1.0)
    with pytest.raises(ValueError, match="log"):
        check_gradients(log, -1.0)
    for modes in ("backward", [], ["reverse", "both"]):
        with pytest.raises(ValueError, match="modes: expected 'reverse', 'forward' or both, got"):
            check_gradients(lambda x: x, 1.0, modes=modes)
    for order in (0, 3):
        with pytest.raises(ValueError, match=f"order: expected 1 or 2, got {order}"):
            check_gradients(lambda x: x, 1.0, order=order)


def test_a_function_that_is_random_is_refused():
    numbers = iter(range(10))
    with pytest.raises(
        ValueError, match="has returned other numbers when it was called again; take what is random out"
    ):
        check_gradients(lambda x: x * float(next(numbers)), 1.0)


def test_the_function_is_evaluated_a_few_times_for_each_number():
    evaluations = []

    def function(xs):
        evaluations.append(xs)
        return dot(xs, [1.0, 2.0, 3.0])

    check_gradients(function, [[1.0, 2.0, 3.0]])
    assert len(evaluations) == 3 + 3 * 2 * 4  # at the point, and four steps to both sides


# ---- what is left alone


class Chosen(Exception):  # noqa: N818 - no error
    pass


@pytest.mark.both_engines
@pytest.mark.parametrize("modes", ["reverse", "forward", ["reverse", "forward"]], ids=str)
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("raised", [None, Chosen, KeyboardInterrupt, ValueError])
def test_no_grad_of_any_value_is_changed(modes, order, raised):
    w, b = Value(2.0), Value(0.5)
    both = w * b
    inner = both.exp()
    (inner * 3.0).backward()
    w.grad, both.grad = 0.5, 7.0
    before = [node.grad for node in (w, b, both, inner)]
    for last in range(1, 60, 7):
        calls = 0

        def function(x, last=last):
            nonlocal calls
            calls += 1
            if raised and calls == last:
                raise raised
            return [w * x * both, inner + tanh(x) * b]

        try:
            check_gradients(function, 3.0, modes=modes, order=order)
        except (Chosen, KeyboardInterrupt, ValueError):
            assert raised
        assert [node.grad for node in (w, b, both, inner)] == before


@pytest.mark.both_engines
@pytest.mark.parametrize("raised", [Chosen, KeyboardInterrupt])
def test_no_grad_is_changed_if_backward_is_interrupted(raised):
    w = Value(2.0)
    outside = w * 3.0
    outside.grad, w.grad = 7.0, 0.5

    def function(x):
        node = computed(x.data * outside.data, [x, outside], [outside.data, x.data])

        def interrupted():
            outside.grad += 1.0
            raise raised

        node._backward = interrupted
        return node * outside

    with pytest.raises(raised):
        check_gradients(function, 3.0)
    assert (outside.grad, w.grad) == (7.0, 0.5)


@pytest.mark.both_engines
def test_the_point_may_be_made_of_values():
    x = Value(3.0)
    y = x * x
    y.backward()
    assert [c.derivative for c in check_gradients(lambda x, y: x * y, (x, y)).components] == [9.0, 3.0]
    assert (x.grad, y.grad, y.parents) == (6.0, 1.0, (x, x))


def test_in_a_no_grad_block():
    with no_grad():
        check = check_gradients(lambda x: x**3, 2.0, modes=["reverse", "forward"], order=2)
        assert (Value(1.0) + Value(2.0)).parents == ()
    assert states(check) == {AGREES: 6}


def test_transforms_are_loaded_only_for_what_needs_them():
    code = (
        "import sys, autograd; autograd.check_gradients(lambda x: x, 1.0); print('autograd.transforms' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


# ---- how it is shown


def cells(html):
    return [["".join(cell.itertext()) for cell in row] for row in ElementTree.fromstring(html).iter("tr")]


def caption(html):
    return "".join(ElementTree.fromstring(html).find("caption").itertext())


def test_notebooks_show_the_table():
    check = check_gradients(lambda w, x: tanh(dot(w, [x, 1.0])), ([0.5, -1.0], 2.0))
    bundle, _ = DisplayFormatter().format(check)
    assert bundle["text/plain"] == repr(check)
    assert caption(bundle["text/html"]) == "3 of 3 components agree"
    head, *rows = cells(bundle["text/html"])
    assert head == ["component", "derivative", "differences", "relative error", "agrees"]
    assert [row[0] for row in rows] == ["w[0]", "w[1]", "x"]
    for row, component in zip(rows, check.components, strict=True):
        assert row[1:3] == [
            f"{component.derivative:.10g}",
            f"{component.differences:.10g} ± {component.uncertainty:.0e}",
        ]
        assert row[4] == "✓ yes"


def test_the_table_says_in_words_which_components_disagree_and_of_which_it_cannot_tell():
    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x, y, z, u: x.relu() + y + z.sqrt() + tanh(u), (0.0, 1.0, 0.0, 20.0))
    check = caught.value.check
    html = check._repr_html_()
    assert caption(html) == "1 of 4 components agrees, 1 disagrees, the check cannot tell for 2"
    _, x, y, z, u = cells(html)
    assert x[4] == "✗ no, a kink: 0 from the left, 1 from the right"
    assert y[4] == "✓ yes"
    assert z[4] == "? cannot tell"
    assert u[4] == "? cannot tell"
    lines = repr(check).splitlines()[1:]
    assert [line.split("  ")[-1] for line in lines] == [row[4][2:] for row in (x, y, z, u)]
    assert cells(checked(sqrt, 0.0)._repr_html_())[1] == ["argument 0", "inf", "none found", "", "? cannot tell"]


def test_a_long_table_is_cut_and_those_that_do_not_agree_come_first():
    def function(xs):
        return computed(sum(x.data for x in xs), xs, [1.0] * 150 + [2.0])

    check = checked(function, ([1.0] * 151,))
    for rows in (cells(check._repr_html_()), [line.split() for line in repr(check).splitlines()]):
        assert len(rows) == 102
        assert rows[1][0] == "xs[150]"
        assert rows[2][0] == "xs[0]"
        assert " ".join(rows[-1]) == "... and 51 more"


def test_names_cannot_bring_markup_into_the_table():
    check = GradientCheck([Component("<b>&\"'", "reverse", 1.0, 1.0, 0.0, AGREES)])
    [code] = ElementTree.fromstring(check._repr_html_()).iter("code")
    assert code.text == "<b>&\"'"
