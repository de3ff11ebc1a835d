"""The table: each row's value and derivatives against its formula with 60 digits, and its rules on all operands.

Every test here runs once for each row, at the points that the row itself brings.
"""

from __future__ import annotations

import math
import random
import re
import sys
from functools import cache
from itertools import combinations_with_replacement, product

import mpmath
import numpy as np
import pytest

from autograd import Tape, Value, derivative, grad, hessian, jacobian, logsumexp
from autograd.functions import _functions, value_mathematics
from autograd.operation import Mathematics, Operation, ieee, places, strict
from autograd.operations import OPERATIONS

pytestmark = pytest.mark.both_engines

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


def truth(operation: Operation, point, functions=None):
    """The formula as a function of the flat operands, on mpmath's numbers; on others, with functions of these."""
    exact = re.sub(r"(?<![\w.])(\d+)", r"mpf(\1)", operation.formula)
    names = {name: getattr(mp, name) for name in dir(mp) if not name.startswith("_")}
    names |= {"abs": abs, "sum": sum, "max": max, "min": min, "zip": zip} | (functions or {})

    def function(*numbers):
        return eval(exact, names | dict(zip(operation.operands, unflatten(numbers, point), strict=True)))

    return function


def difference_quotient(function, numbers, i, order=1):
    """The derivative by the i-th number: by t in x (1 + t), so that the step is in proportion to it."""
    scale = numbers[i] or mp.mpf(1)
    return mp.diff(lambda t: function(*numbers[:i], numbers[i] + scale * t, *numbers[i + 1 :]), 0, order) / scale**order


def second_derivative(function, numbers, i, j):
    if i == j:
        return difference_quotient(function, numbers, i, 2)
    return difference_quotient(lambda *moved: difference_quotient(function, list(moved), i), numbers, j)


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
        true = difference_quotient(truth(operation, point), numbers, i)
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
            size = max(abs(true), abs(getattr(partial, "data", partial) / max(abs(value.data), 1e-3)))
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


# ---- over the whole domain: the truth by dual numbers, of 60 digits and more


class Dual:
    """x + d ε, where ε² = 0: f(x + d ε) = f(x) + f'(x) d ε. Where x and d are duals, it has second derivatives too."""

    def __init__(self, x, d):
        self.x, self.d = x, d

    def __neg__(self):
        return Dual(-self.x, -self.d)

    def __abs__(self):
        return -self if self < 0 else self

    def __add__(self, other):
        return Dual(self.x + other.x, self.d + other.d) if isinstance(other, Dual) else Dual(self.x + other, self.d)

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __mul__(self, other):
        if isinstance(other, Dual):
            return Dual(self.x * other.x, self.x * other.d + self.d * other.x)
        return Dual(self.x * other, self.d * other)

    def __truediv__(self, other):
        return self * (1 / other)

    def __rtruediv__(self, other):
        return Dual(other / self.x, -other / (self.x * self.x) * self.d)

    def __pow__(self, exponent):
        if not isinstance(exponent, Dual):
            return Dual(self.x**exponent, exponent * self.x ** (exponent - 1) * self.d if exponent else 0 * self.d)
        power = self.x**exponent.x
        by_base = exponent.x * self.x ** (exponent.x - 1)
        return Dual(power, by_base * self.d + power * logarithm(self.x) * exponent.d)

    def __rpow__(self, base):
        return Dual(base**self.x, base**self.x * logarithm(base) * self.d)

    def __round__(self):
        return round(self.x)

    def __lt__(self, other):
        return self.x < (other.x if isinstance(other, Dual) else other)

    def __gt__(self, other):
        return self.x > (other.x if isinstance(other, Dual) else other)

    __radd__, __rmul__ = __add__, __mul__


def on_duals(name, slope):
    def function(x):
        return Dual(function(x.x), slope(x.x) * x.d) if isinstance(x, Dual) else getattr(mp, name)(x)

    return function


def logarithm(x):
    """Of what is negative it is nan: fractional powers of that are not real."""
    return DUAL["log"](x) if x > 0 else mp.nan


def angle(y, x):
    if not isinstance(y, Dual) and not isinstance(x, Dual):
        return mp.atan2(y, x)
    y, x = (number if isinstance(number, Dual) else Dual(number, 0) for number in (y, x))
    return Dual(angle(y.x, x.x), (x.x * y.d - y.x * x.d) / (x.x * x.x + y.x * y.x))


SLOPES = {
    "exp": lambda x: DUAL["exp"](x),
    "log": lambda x: 1 / x,
    "sqrt": lambda x: 1 / (2 * DUAL["sqrt"](x)),
    "cbrt": lambda x: 1 / (3 * DUAL["cbrt"](x) ** 2),
    "sign": lambda x: 0,
    "sin": lambda x: DUAL["cos"](x),
    "cos": lambda x: -DUAL["sin"](x),
    "tan": lambda x: 1 + DUAL["tan"](x) ** 2,
    "asin": lambda x: 1 / DUAL["sqrt"](1 - x * x),
    "acos": lambda x: -1 / DUAL["sqrt"](1 - x * x),
    "atan": lambda x: 1 / (1 + x * x),
    "sinh": lambda x: DUAL["cosh"](x),
    "cosh": lambda x: DUAL["sinh"](x),
    "tanh": lambda x: 1 - DUAL["tanh"](x) ** 2,
    "erf": lambda x: 2 / mp.sqrt(mp.pi) * DUAL["exp"](-x * x),
    "erfc": lambda x: -2 / mp.sqrt(mp.pi) * DUAL["exp"](-x * x),
}
DUAL = {name: on_duals(name, slope) for name, slope in SLOPES.items()} | {"atan2": angle}


class Truth:
    """The derivatives of a row's formula at a point."""

    def __init__(self, operation, point):
        self.numbers = flatten(point)
        self.formula = truth(operation, point, DUAL)
        self.digits = 60 + max(map(cancelled_digits, self.numbers)) * bool(re.search("[-+/]|sum", operation.formula))
        self.known = {}

    def __call__(self, *by):
        """The derivative by the numbers with these indices, one after the other."""
        by = tuple(sorted(by))
        if by not in self.known:
            with mp.workdps(self.digits):
                result = self.formula(*[as_dual(number, i, by) for i, number in enumerate(self.numbers)])
            for _ in by:
                result = result.d if isinstance(result, Dual) else mp.mpf(0)
            self.known[by] = result
        return self.known[by]

    def condition(self, *by):
        """Σ |x_k ∂/∂x_k| of that derivative: its error where the numbers x_k have relative errors of 1."""
        terms = [abs(x * self(*by, k)) for k, x in enumerate(self.numbers) if x and math.isfinite(x)]
        return sum(term for term in terms if not mp.isnan(term))


def as_dual(number, i, by):
    if i not in by:
        return mp.mpf(number)
    return Dual(as_dual(number, i, by[1:]), int(by[0] == i))


def cancelled_digits(x):
    """How many digits the formulas lose, at most: x + sqrt(x² + 1), exp(x) - exp(-x), 1 + erf(x)."""
    if not x or not math.isfinite(x):
        return 0
    return int(2 * abs(math.log10(abs(x))) + min(x * x if abs(x) < 30 else 40 * abs(x), 330))


def error(computed: float, true, condition, tolerance: float) -> float:
    """In units of the tolerance, which is relative to the true number; to its condition, if that is 10 times as large.

    A true number beyond the largest float must be found not to be finite. One below 1e-290 is compared absolutely: some
    intermediate result may have no digits left.
    """
    if mp.isnan(true) or abs(true) > sys.float_info.max:
        return math.inf if math.isfinite(computed) else 0.0
    if not math.isfinite(computed):
        return math.inf
    size = abs(true) if condition < 10 * abs(true) else abs(true) + condition
    return float(abs(mp.mpf(computed) - true) / (size * tolerance if size >= 1e-290 else 1e-290))


MAGNITUDES = [
    1e-300,
    1e-150,
    1e-30,
    1e-16,
    1e-12,
    1e-8,
    1e-5,
    1e-3,
    0.1,
    0.3,
    1.0,
    3.0,
    30.0,
    1e3,
    1e8,
    1e30,
    1e150,
    1e300,
]
NEXT_TO_ONE = [0.9, 0.999999, 1 - 1e-12, 1 - 2**-53, 1 + 2**-52, 1 + 1e-9, 1.001]
ROOTS = [0.7517915, 1.1924312, 1.2784645, 1.4142136, 2.2557, 2.3993573]  # of first and second derivatives
GROWS = re.compile("exp|sinh|cosh|tanh|erf")  # in the formula: its numbers are too large for mpmath far out


@cache
def domain(name):
    """The truth at points of all magnitudes, next to edges and roots, and at random."""
    operation, draw = OPERATIONS[name], random.Random(0)
    if name == "logsumexp":
        points = [([x, 0.0],) for x in (1e-300, 1e-9, 0.3, 36.0, 40.0, -40.0, 700.0)]
        points += [([draw.uniform(-s, s) for _ in range(n)],) for n in (2, 3, 4) for s in (1e-9, 1.0, 50.0, 300.0)]
        points += [([-math.inf, 1.0, 2.0],), ([1.0, -math.inf],)]
    elif name == "softmax_of":
        points = [([x], 0.0) for x in (1e-300, 1e-9, 0.3, 36.0, 40.0, -40.0, 700.0, -math.inf)]
        points += [([draw.uniform(-s, s) for _ in range(n)], draw.uniform(-s, s)) for n in (1, 2, 3)
                   for s in (1e-9, 1.0, 50.0, 300.0)]  # fmt: skip
        points += [([-math.inf, 1.0], 2.0), ([-math.inf, -math.inf], 2.0), ([1.0, 0.5], -math.inf)]
    elif name in ("max", "min"):
        points = [([draw.uniform(-s, s) for _ in range(n)],) for n in (1, 2, 5) for s in (1e-300, 1.0, 1e300)]
        points += [([-math.inf, 1.0, math.inf],)]
    elif operation.sequences:
        points = [*operation.samples]
    elif len(operation.operands) == 1:
        numbers = [*MAGNITUDES, *NEXT_TO_ONE, *ROOTS, *(draw.uniform(0, 40) for _ in range(8)), 700.0]
        points = [(sign * x,) for x in numbers for sign in (1.0, -1.0)] + [(0.0,)]
    else:
        numbers = [sign * x for x in (1e-150, 1e-8, 0.3, 1.7, 1e5, 1e150) for sign in (1.0, -1.0)]
        points = [*product(numbers, repeat=2), (0.5, 0.0), (1.0, 2.5), (-2.0, 3.0), (3.0, 2.0)]
        points += [(draw.uniform(-3, 3), draw.uniform(-3, 3)) for _ in range(20)]
    return [(point, Truth(operation, point)) for point in points if is_regular(operation, point)]


def is_regular(operation, point):
    """Whether there is a value, and no kink."""
    if not operation.sequences and point in operation.kinks:
        return False
    if operation.name in ("maximum", "minimum") and point[0] == point[1]:
        return False
    if GROWS.search(operation.formula) and any(1e3 < abs(number) < math.inf for number in flatten(point)):
        return False
    return has_value(operation, point)


def of_numbers(operation, point):
    """The operation as a function of a flat list."""
    return lambda numbers: _functions[operation.name](*unflatten(numbers, point))


def assert_accurate(found, tolerance):
    """Of (computed, truth, indices) the worst is good enough."""
    errors = [error(computed, true(*by), true.condition(*by), tolerance) for computed, true, by in found]
    worst = max(range(len(found)), key=errors.__getitem__, default=None)
    if worst is not None and not errors[worst] <= 1:
        computed, true, by = found[worst]
        raise AssertionError(f"at {true.numbers} by {by}: {computed}, in truth {mp.nstr(true(*by), 20)}")


@every_operation
def test_values_over_the_domain(operation):
    assert_accurate(
        [(operation.compute(strict, *point), true, ()) for point, true in domain(operation.name)], ULPS * 2**-52
    )


@every_operation
def test_first_derivatives_over_the_domain(operation):
    assert_accurate(
        [
            (partial, true, (i,))
            for point, true in domain(operation.name)
            for i, partial in enumerate(partials_on_floats(operation, point))
        ],
        ULPS * 2**-52,
    )


WAYS = {
    "forward over reverse": hessian,
    "reverse over reverse": lambda function: jacobian(grad(function), mode="reverse"),
    "forward over forward": lambda function: jacobian(jacobian(function, mode="forward"), mode="forward"),
}


@every_operation
@pytest.mark.parametrize("way", WAYS)
def test_second_derivatives_over_the_domain(operation, way):
    found = []
    for point, true in domain(operation.name):
        matrix = WAYS[way](of_numbers(operation, point))(true.numbers)
        found += [(second, true, (i, j)) for i, row in enumerate(matrix) for j, second in enumerate(row)]
    assert_accurate(found, 1e-13)


@pytest.mark.parametrize("name", [name for name, row in OPERATIONS.items() if len(row.operands) == 1])
def test_third_derivatives_over_the_domain(name):
    found = []
    for point, true in domain(name):
        tensor = jacobian(hessian(of_numbers(OPERATIONS[name], point)))(true.numbers)
        for i, j, k in combinations_with_replacement(range(len(true.numbers)), 3):
            found.append((tensor[i][j][k], true, (i, j, k)))
        if not OPERATIONS[name].sequences:
            found.append((derivative(_functions[name], order=3)(*point), true, (0, 0, 0)))
    assert_accurate(found, 1e-11)


GELU_TAIL = [-38.0 + 0.37 * k for k in range(100)]


@pytest.mark.parametrize("x", GELU_TAIL)
def test_gelu_has_its_digits_in_its_tail(x):
    with mp.workdps(60):
        true = x * mp.erfc(-x / mp.sqrt(2)) / 2
    assert ulps(OPERATIONS["gelu"].compute(strict, x), true) <= ULPS


@pytest.mark.parametrize("spread", [1e-3, 5.0, 40.0, 300.0])
def test_the_hessian_of_logsumexp_keeps_its_signs(spread):
    """p_i (1 - p_i) > 0 and -p_i p_j < 0, in rows whose sum is 0: so it is positive semidefinite."""
    point = [spread, 0.0, -spread / 3, spread / 7]
    matrix = hessian(logsumexp)(point)
    for i, row in enumerate(matrix):
        assert row[i] > 0
        assert all(second < 0 for j, second in enumerate(row) if j != i)
        assert math.fsum(row) == pytest.approx(0.0, abs=1e-15 * row[i])


@pytest.mark.parametrize("shift", [1e8, -1e12, 1e15])
def test_what_is_added_to_all_operands_changes_no_derivative_of_logsumexp(shift):
    """The third are the second of the probabilities, the softmax."""
    point = [3.0, 0.0, -8.0, 0.5]
    for derivatives in (grad(logsumexp), hessian(logsumexp), jacobian(hessian(logsumexp))):
        assert derivatives([shift + x for x in point]) == derivatives(point)


def test_the_second_derivative_of_logsumexp_far_out():
    for x in (40.0, -40.0):
        assert derivative(lambda x: logsumexp([x, 0.0]), order=2)(x) == pytest.approx(4.248354255291589e-18, rel=1e-15)
    assert hessian(logsumexp)([3.0]) == [[0.0]]


# ---- where derivatives are conventions, infinite, or none


def is_same(x, y):
    return x == y or (math.isnan(x) and math.isnan(y))


def singular_points(operation):
    """The kinks, and points with zeros, where there is a value."""
    if operation.name == "logsumexp":
        return [([1.0, -math.inf],), ([-math.inf, 1.0, -math.inf],), ([math.inf, 1.0],), ([2.0, 2.0],)]
    if operation.name == "softmax_of":
        return [([1.0], -math.inf), ([-math.inf, -math.inf], 1.0), ([1.0, math.inf], 2.0)]
    if operation.name in ("max", "min"):
        return [([2.0, 2.0],), ([0.0, 0.0, -1.0],), ([0.0, 0.0, 1.0],), ([math.inf, math.inf, 0.0],), ([0.0],)]
    if operation.sequences:
        return []
    others = [-2.0, 0.0, 1 / 3, 0.5, 1.0, 1.5, 2.0]
    points = [(0.0,)] if len(operation.operands) == 1 else [p for x in others for p in ((0.0, x), (x, 0.0))]
    return [point for point in {*points, *operation.kinks} if has_value(operation, point)]


def has_value(operation, point):
    try:
        operation.compute(strict, *point)
    except (ValueError, ArithmeticError):
        return False
    return True


@every_operation
def test_hessians_at_singular_points_are_symmetric_and_the_same_in_every_way(operation):
    for point in singular_points(operation):
        function, numbers = of_numbers(operation, point), flatten(point)
        expected = hessian(function)(numbers)
        for way, of in WAYS.items():
            matrix = of(function)(numbers)
            for i, j in product(range(len(numbers)), repeat=2):
                assert is_same(matrix[i][j], matrix[j][i]), f"{way} at {point}: {matrix}"
                assert is_same(matrix[i][j], expected[i][j]), f"{way} at {point}: {matrix}, not {expected}"


@every_operation
def test_both_zeros_have_the_same_derivatives(operation):
    """0.0 and -0.0 are one number, though some values differ (atan2(0.0, -1.0) is π, atan2(-0.0, -1.0) is -π)."""
    for point in singular_points(operation):
        function = of_numbers(operation, point)
        zeros = [(0.0, -0.0) if x == 0 else (x,) for x in flatten(point)]
        for numbers in map(list, product(*zeros)):
            for of in (grad, hessian):
                found = np.ravel(of(function)(numbers))
                expected = np.ravel(of(function)(flatten(point)))
                assert all(map(is_same, found, expected)), f"{numbers}: {found}, not {expected}"


HAS_CASES = {"abs", "power", "maximum", "minimum", "relu", "leaky_relu", "elu", "max", "min"}
HAS_CASES |= {"take"}  # whose index has to be an input by itself


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in HAS_CASES])
def test_derivatives_without_cases_are_recorded(name):
    """One graph is that of the derivatives at all points; of atan(f), since those of a sum are constants."""
    first, *others = OPERATIONS[name].samples
    function = of_numbers(OPERATIONS[name], first)
    tape = Tape.record(grad(lambda numbers: function(numbers).atan()), [flatten(first)])
    for point in others:
        numbers = flatten(point)
        if len(numbers) == len(flatten(first)):
            expected = grad(lambda numbers: function(numbers).atan())(numbers)
            assert np.ravel(tape.forward([numbers])) == pytest.approx(expected, rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("exponent", [-1.7, -0.1, 1 / 3, 0.3, 2.0, 2.5])
def test_the_derivative_of_a_power_is_recorded(exponent):
    slope = grad(lambda x: x**exponent)
    assert Tape.record(slope, [1.0]).forward([4.0, 1e-9]).tolist() == pytest.approx(
        [slope(4.0), slope(1e-9)], rel=1e-14
    )


# ---- the same rules on arrays and on names


def vectorised(function):
    return np.vectorize(function, otypes=[float])


OF_SEQUENCES = {"sum", "largest", "places", "element"}

ARRAYS = Mathematics(
    **{name: vectorised(function) for name, function in ieee.given.items() if name not in {"where", *OF_SEQUENCES}},
    where=np.where,
    sum=lambda terms, start=0.0: sum(terms, start),
    largest=lambda x: np.max(x, axis=0),
    places=places,
    element=lambda x, index: np.choose(index.astype(int), x),
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
    **{name: written(name) for name in ieee.given if name not in {"where", *OF_SEQUENCES}},
    where=lambda condition, x, y: Name(f"({x} if {condition} else {y})"),
    sum=lambda terms, start=0.0: Name(f"sum([{', '.join(map(str, terms))}], {start})"),
    largest=lambda x: Name(f"largest([{', '.join(map(str, x))}])"),
    places=places,
    element=lambda x, index: Name(f"element([{', '.join(map(str, x))}], {index})"),
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
    others = OPERATIONS.keys() - {operation.name}
    assert operation.symbol not in others, "a drawing would show another function's name"


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
        ("softmax_of", ([1000.0], -1000.0), 0.0),
        ("softmax_of", ([-1e308], 1e308), 1.0),
        ("softmax_of", ([-math.inf], 3.0), 1.0),
        ("softmax_of", ([3.0], math.inf), 1.0),
        ("max", ([-math.inf, -math.inf],), -math.inf),
        ("max", ([-1.0, -2.0],), -1.0),
        ("min", ([math.inf, 5.0],), 5.0),
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


@pytest.mark.parametrize("name", ["logsumexp", "max", "min"])
def test_nan_goes_through_a_sequence_at_any_place(name):
    for other in (900.0, 0.0, -1.0, math.inf, -math.inf):
        assert math.isnan(_functions[name]([math.nan, other]))
        assert math.isnan(_functions[name]([other, math.nan]))
        assert math.isnan(_functions[name]([other, math.nan, other]))


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize("ties", [1, 2, 3, 7])
def test_what_ties_in_a_sequence_shares_the_derivative_evenly(name, ties):
    far = -5.0 if name == "max" else 5.0
    values = [Value(x) for x in [far, *[0.0, -0.0] * 4][: ties + 1]]
    result = _functions[name](values)
    result.backward()
    assert result.data == 0.0
    assert [value.grad for value in values] == [0.0] + [1.0 / ties] * ties


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
        if operation.name == "take":  # it goes through where it is chosen, and is no index
            continue
        assert math.isnan(operation.compute(strict, *unflatten(numbers, point)))
