"""The table: each row's value and derivatives against its formula with 60 digits, and its rules on all operands.

Every test here runs once for each row, at the points that the row itself brings.
"""

from __future__ import annotations

import math
import re
import sys
from itertools import product

import mpmath
import numpy as np
import pytest

from autograd import Value
from autograd.functions import _functions, value_mathematics
from autograd.operation import Mathematics, Operation, ieee, strict
from autograd.operations import OPERATIONS

mp = mpmath.mp.clone()
mp.dps = 60

ULPS = 16  # of error that a first derivative may have
SECOND_DERIVATIVE_TOLERANCE = 1e-12

every_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
every_sample = pytest.mark.parametrize(
    ("operation", "point"),
    [
        pytest.param(operation, point, id=f"{operation.name}{point}")
        for operation in OPERATIONS.values()
        for point in operation.samples
    ],
)
every_kink = pytest.mark.parametrize(
    ("operation", "point"),
    [
        pytest.param(operation, point, id=f"{operation.name}{point}")
        for operation in OPERATIONS.values()
        for point in operation.kinks
    ],
)


# ---- the truth: the row's formula, evaluated by mpmath


def flatten(point):
    return [number for operand in point for number in (operand if isinstance(operand, (list, tuple)) else [operand])]


def unflatten(numbers, point):
    numbers = iter(numbers)
    return [[next(numbers) for _ in operand] if isinstance(operand, list) else next(numbers) for operand in point]


def truth(operation: Operation, point):
    """The formula as a function of the flat operands, on mpmath's numbers."""
    exact = re.sub(r"(?<![\w.])(\d+)", r"mpf(\1)", operation.formula)
    names = {name: getattr(mp, name) for name in dir(mp) if not name.startswith("_")}
    names |= {"abs": abs, "sum": sum, "max": max, "min": min, "zip": zip}

    def function(*numbers):
        return eval(exact, names | dict(zip(operation.operands, unflatten(numbers, point), strict=True)))

    return function


def derivative(function, numbers, i, order=1):
    """The derivative by the i-th number: by t in x (1 + t), so that the step is in proportion to it."""
    scale = numbers[i] or mp.mpf(1)
    return mp.diff(lambda t: function(*numbers[:i], numbers[i] + scale * t, *numbers[i + 1 :]), 0, order) / scale**order


def second_derivative(function, numbers, i, j):
    if i == j:
        return derivative(function, numbers, i, 2)
    return derivative(lambda *moved: derivative(function, list(moved), i), numbers, j)


def ulps(computed: float, true) -> float:
    return float(abs(mp.mpf(computed) - true) / math.ulp(float(true)))


def partials_on_floats(operation, point):
    result = operation.compute(strict, *point)
    return flatten([partial(ieee, result, *point) for partial in operation.partials])


@every_sample
def test_value_is_the_formula(operation, point):
    true = truth(operation, point)(*map(mp.mpf, flatten(point)))
    assert ulps(operation.compute(strict, *point), true) <= ULPS


@every_sample
def test_first_derivatives_are_within_16_ulps(operation, point):
    numbers = [mp.mpf(number) for number in flatten(point)]
    for i, partial in enumerate(partials_on_floats(operation, point)):
        true = derivative(truth(operation, point), numbers, i)
        assert ulps(partial, true) <= ULPS, f"by {i}: {partial}, in truth {mp.nstr(true, 20)}"


@every_sample
def test_second_derivatives_by_the_rule_on_values(operation, point):
    numbers = [mp.mpf(number) for number in flatten(point)]
    values = [Value(number) for number in flatten(point)]
    operands = unflatten(values, point)
    result = _functions[operation.name](*operands)
    partials = flatten([partial(value_mathematics, result, *operands) for partial in operation.partials])
    for i, partial in enumerate(partials):
        for value in values:
            value.grad = 0.0
        if isinstance(partial, Value):
            partial.backward()
        for j, value in enumerate(values):
            true = float(second_derivative(truth(operation, point), numbers, i, j))
            # What cancels on the way cannot be better than the first derivative's rounding over the operand.
            size = max(abs(true), abs(float(partial) / max(abs(value.data), 1e-3)))
            assert value.grad == true or abs(value.grad - true) <= SECOND_DERIVATIVE_TOLERANCE * size, f"by {i} and {j}"


@every_kink
def test_derivatives_at_kinks_are_the_convention(operation, point):
    assert partials_on_floats(operation, point) == pytest.approx(operation.kinks[point], rel=0, abs=0, nan_ok=True)


@every_sample
def test_a_value_records_the_derivatives_of_the_table(operation, point):
    values = [Value(number) for number in flatten(point)]
    result = _functions[operation.name](*unflatten(values, point))
    assert result.data == operation.compute(strict, *point)
    assert result.op == operation.symbol
    assert all(parent is value for parent, value in zip(result.parents, values, strict=True))
    assert list(result.local_derivatives) == partials_on_floats(operation, point)
    result.backward()
    assert [value.grad for value in values] == partials_on_floats(operation, point)


# ---- the same rules on arrays and on names


def vectorised(function):
    return np.vectorize(function, otypes=[float])


ARRAYS = Mathematics(
    **{name: vectorised(function) for name, function in ieee.given.items() if name not in ("where", "sum", "max")},
    where=np.where,
    sum=lambda terms, start=0.0: sum(terms, start),
    max=lambda x: np.max(x, axis=0),
)


@every_operation
def test_rules_on_arrays_are_the_rules_on_floats(operation):
    points = [*operation.samples, *operation.kinks] if not operation.sequences else [operation.samples[0]] * 3
    batch = unflatten(np.array([flatten(point) for point in points]).T, points[0])
    with np.errstate(all="ignore"):
        result = operation.compute(ARRAYS, *batch)
        partials = flatten([partial(ARRAYS, result, *batch) for partial in operation.partials])
    assert result == pytest.approx([operation.compute(strict, *point) for point in points], rel=1e-15)
    for i, partial in enumerate(partials):
        expected = [partials_on_floats(operation, point)[i] for point in points]
        assert np.broadcast_to(partial, len(points)) == pytest.approx(expected, rel=1e-15, nan_ok=True)


class Name:
    """An operand that is a text: arithmetic on it writes an expression."""

    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text

    def __neg__(self):
        return Name(f"(-{self})")

    def __abs__(self):
        return Name(f"abs({self})")


def infix(symbol):
    return lambda left, right: Name(f"({left} {symbol} {right})")


def reflected(symbol):
    return lambda right, left: Name(f"({left} {symbol} {right})")


for symbol, method in {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "|": "or", "&": "and"}.items():
    setattr(Name, f"__{method}__", infix(symbol))
    setattr(Name, f"__r{method}__", reflected(symbol))
for symbol, method in {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}.items():
    setattr(Name, f"__{method}__", infix(symbol))


def written(name):
    return lambda *operands: Name(f"{name}({', '.join(map(str, operands))})")


NAMES = Mathematics(
    **{name: written(name) for name in ieee.given if name not in ("where", "sum", "max")},
    where=lambda condition, x, y: Name(f"({x} if {condition} else {y})"),
    sum=lambda terms, start=0.0: Name(f"sum([{', '.join(map(str, terms))}], {start})"),
    max=lambda x: Name(f"max([{', '.join(map(str, x))}])"),
)


@every_operation
def test_rules_on_names_write_the_expressions_that_floats_evaluate(operation):
    for point in [*operation.samples, *operation.kinks]:
        numbers = flatten(point)
        variables = [f"x{i}" for i in range(len(numbers))]
        names = unflatten(map(Name, variables), point)
        scope = vars(ieee) | {"inf": math.inf, "nan": math.nan} | dict(zip(variables, numbers, strict=True))
        scope["r"] = eval(str(operation.compute(NAMES, *names)), scope)
        partials = flatten([partial(NAMES, Name("r"), *names) for partial in operation.partials])
        values = [eval(str(partial), scope) for partial in partials]
        assert scope["r"] == operation.compute(strict, *point)
        assert values == pytest.approx(partials_on_floats(operation, point), rel=0, abs=0, nan_ok=True)


# ---- the table as a whole


def test_the_table_is_complete():
    listed = """add subtract multiply divide power negative abs exp expm1 exp2 log log1p log2 log10 sqrt cbrt
        sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh erf hypot maximum minimum
        relu leaky_relu elu softplus sigmoid silu gelu mish sum dot logsumexp"""
    assert set(listed.split()) <= OPERATIONS.keys()


@every_operation
def test_a_row_is_whole(operation):
    assert operation.samples
    assert len(operation.partials) == len(operation.operands)
    assert len({other.symbol for other in OPERATIONS.values()}) == len(OPERATIONS)


def test_mathematics_names_what_it_lacks():
    with pytest.raises(AttributeError, match="no operation 'nothing' in the table"):
        _ = strict.nothing


# ---- numerics where the naive formula fails


@pytest.mark.parametrize(
    ("name", "point", "expected"),
    [
        ("sigmoid", (-1000.0,), 0.0),
        ("sigmoid", (1000.0,), 1.0),
        ("softplus", (1000.0,), 1000.0),
        ("softplus", (-1000.0,), 0.0),
        ("silu", (-1000.0,), 0.0),
        ("mish", (-1000.0,), 0.0),
        ("gelu", (1e200,), 1e200),
        ("logsumexp", ([1000.0, 1000.0],), 1000.0 + math.log(2.0)),
        ("logsumexp", ([-1000.0, -1000.0],), -1000.0 + math.log(2.0)),
        ("logsumexp", ([-math.inf, 3.0],), 3.0),
        ("logsumexp", ([3.0, -math.inf],), 3.0),
        ("logsumexp", ([900.0, math.inf],), math.inf),
        ("logsumexp", ([math.inf, 900.0],), math.inf),
        ("sum", ([0.1] * 10,), 0.9999999999999999),
        ("relu", (-math.inf,), 0.0),
        ("atan2", (1.5e308, 1.5e308), math.pi / 4),
        ("logsumexp", ([math.inf, 3.0],), math.inf),
        ("hypot", (3e200, 4e200), 5e200),
        ("power", (0.0, 0.0), 1.0),
        ("relu", (-0.0,), 0.0),
        ("elu", (1000.0,), 1000.0),
    ],
)
def test_stable_values(name, point, expected):
    assert abs(_functions[name](*point)) == pytest.approx(abs(expected), rel=1e-15)


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("tanh", 1000.0, 0.0),
        ("sigmoid", -1000.0, 0.0),
        ("softplus", 1000.0, 1.0),
        ("silu", -1e4, 0.0),
        ("silu", 1e4, 1.0),
        ("gelu", 1e305, 1.0),
        ("gelu", -1e305, 0.0),
        ("mish", 1e4, 1.0),
        ("mish", -1e4, 0.0),
        ("erf", 1e305, 0.0),
        ("elu", -1e4, 0.0),
        ("asinh", 1e308, 1e-308),
        ("acosh", 1e308, 1e-308),
    ],
)
def test_derivatives_far_out(name, x, expected):
    value = Value(x)
    _functions[name](value).backward()
    assert value.grad == pytest.approx(expected, abs=0)


def test_atan2_where_the_squares_vanish():
    y, x = Value(3e-200), Value(4e-200)
    _functions["atan2"](y, x).backward()
    assert (y.grad, x.grad) == pytest.approx((0.16e200, -0.12e200), rel=1e-15)


def test_hypot_next_to_its_tip():
    x, y = Value(3e-310), Value(4e-310)
    _functions["hypot"](x, y).backward()
    assert (x.grad, y.grad) == pytest.approx((0.6, 0.8), rel=1e-10)


@pytest.mark.parametrize("spread", [20.0, 100.0, 300.0])
def test_softmax_derivatives_are_within_16_ulps_however_far_the_operands_lie_apart(spread):
    point = ([0.1 + spread, spread / 3, 0.7, -spread / 7],)
    exponentials = [mp.exp(mp.mpf(number)) for number in flatten(point)]
    for partial, exponential in zip(partials_on_floats(OPERATIONS["logsumexp"], point), exponentials, strict=True):
        assert ulps(partial, exponential / sum(exponentials)) <= ULPS


def test_logsumexp_of_nan_is_nan_in_any_order():
    assert math.isnan(_functions["logsumexp"]([math.nan, 900.0]))
    assert math.isnan(_functions["logsumexp"]([900.0, math.nan]))


EXTREMES = [0.0, 5e-324, 1e-308, 0.5, 1.0, 2.0, 3.5, 745.0, 1e308, sys.float_info.max, math.inf]


@every_operation
def test_where_there_is_a_value_no_derivative_raises(operation):
    numbers = [sign * x for x in EXTREMES for sign in (1.0, -1.0)] + [math.nan]
    width = len(flatten(operation.samples[0]))
    for point in product(numbers, repeat=width) if width <= 2 else zip(*[numbers] * width, strict=True):
        operands = unflatten(point, operation.samples[0])
        try:
            result = operation.compute(strict, *operands)
        except (ValueError, ArithmeticError):
            continue
        for partial in operation.partials:
            partial(ieee, result, *operands)


@every_operation
def test_not_a_number_goes_through(operation):
    point = operation.samples[0]
    for i in range(len(flatten(point))):
        numbers = flatten(point)
        numbers[i] = math.nan
        if operation.name == "power" and numbers[1] != numbers[1] and numbers[0] == 1.0:
            continue
        assert math.isnan(operation.compute(strict, *unflatten(numbers, point)))


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
                 (10.0, 400.0), (-8.0, 1 / 3), (2.0, 0.5), (-2.0, 3.0)]
)  # fmt: skip
def test_ieee_power_is_numpys(x, y):
    with np.errstate(all="ignore"):
        expected = float(np.power(x, y))
    assert ieee.power(x, y) == pytest.approx(expected, rel=1e-15, nan_ok=True)
    assert math.isnan(expected) or math.copysign(1.0, ieee.power(x, y)) == math.copysign(1.0, expected)


def test_ieee_exp_and_log():
    assert ieee.exp(1000.0) == math.inf
    assert ieee.log(0.0) == -math.inf
    assert math.isnan(ieee.log(-1.0))
    assert (ieee.exp(1.0), ieee.log(2.0)) == (math.exp(1.0), math.log(2.0))
