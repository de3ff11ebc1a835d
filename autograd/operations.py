"""The table: every primitive operation, with its value and its partial derivatives, written once.

A row's rules get the mathematics that fits their operands as `m` (see `operation.py`). A rule that runs on floats,
Values, arrays and names alike

- takes the result as `r`, so that nothing is computed twice;
- chooses with `m.where`, which evaluates both branches, and compares with `<`, `<=`, `>`, `>=`, `|`, `&`
  (`==` on Values is identity);
- may call `m.name(...)` for any other row of the table;
- divides with `m.divide` where the divisor can be zero although the value is finite;
- may ask `m.varies(y)`: will the derivative that the rule returns be differentiated again by y? Then a shortcut that is
  right only as a number is not allowed.

To add an operation, add a row to `OPERATIONS`: the method on Value, the function, the drawing, the reference
and the tests (against `formula`, at `samples` and `kinks`) follow from it.
"""

from __future__ import annotations

import math

from autograd.operation import (
    LARGEST_FLOAT,
    Mathematics,
    Operation,
    difference,
    distance,
    finite_shift,
    gaussian,
    normal_distribution,
    shifted_exponentials,
    square,
    undifferentiable,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from autograd.operation import Point

LN2 = math.log(2)
LN10 = math.log(10)
SQRT_2PI = math.sqrt(2 * math.pi)
TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)


def power_by_base(m: Any, x: Any, y: Any) -> Any:
    """y x^(y - 1), with the part of y - 1 that is lost in rounding, since x to that power may be far from 1.

    The factor y alone makes it 0 where y is, at x = 0 as well: the exponent is 0 then; but not if y varies and x is not
    0, as the derivative by y is not 0. 1e-300 keeps log from 0 without a question after x, to which a recording would
    not have the answer for all examples.
    """
    where_y_is_0 = m.where((x < 0) | (x > 0), y, 1.0) if m.varies(y) else 1.0
    exponent, lost = difference(m.where((y < 0) | (y > 0), y, where_y_is_0), 1.0)
    logarithm = m.log(m.where((lost < 0) | (lost > 0), abs(x) + 1e-300, 1.0))
    slope = y * m.power(x, exponent) * (1.0 + lost * logarithm)
    return slope + m.where(is_corner(x, y), undifferentiable(m, y), 0.0) if m.varies(y) else slope


def power_by_exponent(m: Any, r: Any, x: Any, y: Any) -> Any:
    """r log(x), and 0 at base 0: the derivative there of 0**y for y > 0."""
    slope = r * m.log(m.where((x < 0) | (x > 0), x, 1.0))
    return slope + m.where(is_corner(x, y), undifferentiable(m, x), 0.0) if m.varies(x) else slope


def is_corner(x: Any, y: Any) -> Any:
    """Whether x**y has no mixed second derivative there: at base 0, up to the exponent 1."""
    return (x >= 0) & (x <= 0) & (y <= 1)


def logsumexp(m: Any, x: Any) -> Any:
    """shift + log(sum(exp(x_i - shift))), with what the rounding of that sum loses, as it may be next to 1."""
    shift, exponentials = shifted_exponentials(m, x)
    ones = m.sum([m.where(x_i >= shift, 1.0, 0.0) for x_i in x])
    others = m.sum([m.where(x_i >= shift, 0.0, e_i) for x_i, e_i in zip(x, exponentials, strict=True)])
    total, lost = difference(ones, -others)
    return shift + (m.log(total) + lost)


def softmax(m: Any, x: Any) -> Any:
    """p_i = exp(x_i) / sum(exp(x_j)); from the operands, since exp(x_i - r) loses the digits before the point of r."""
    if m.varies(x):
        return each_among_the_others(m, x)
    _, exponentials = shifted_exponentials(m, x)
    total = m.sum(exponentials)
    return [m.divide(exponential, total) for exponential in exponentials]


def each_among_the_others(m: Any, x: Any) -> list[Any]:
    """The softmax of each x_i, as a row of its own, so that its derivatives keep their digits."""
    return [m.softmax_of(without(i, x), x_i) for i, x_i in enumerate(x)]


def without(i: int, x: Any) -> list[Any]:
    return [*x[:i], *x[i + 1 :]]


def softmax_of(m: Any, others: Any, x: Any) -> Any:
    own, rest = exponentials_beside(m, others, x)
    return m.divide(own, own + m.sum(rest))


def exponentials_beside(m: Any, others: Any, x: Any) -> tuple[Any, Any]:
    """exp(x - shift), and exp(x_i - shift) of the others."""
    shift = finite_shift(m, m.maximum(m.largest(others), x))
    return m.exp_of_difference(x, shift), [m.exp_of_difference(x_i, shift) for x_i in others]


def softmax_by_others(m: Any, r: Any, others: Any, x: Any) -> Any:
    """-p p_i."""
    if m.varies([*others, x]):
        if len(others) == 1:
            return [-logistic_slope(m, x - others[0])]
        return [-r * m.softmax_of([x, *without(i, others)], x_i) for i, x_i in enumerate(others)]
    own, rest = exponentials_beside(m, others, x)
    total = own + m.sum(rest)
    return [-r * m.divide(exponential, total) for exponential in rest]


def softmax_by_own(m: Any, r: Any, others: Any, x: Any) -> Any:
    """p times the sum of the other p_i, since the difference 1 - p has no digits where p is next to 1.

    That sum is sigmoid(logsumexp(others) - x), or logsumexp of the x_i - x, which a shift common to all leaves as they
    are. Of -inf a finite number is made, lest all others are -inf.
    """
    if m.varies([*others, x]):
        if len(others) < 2:
            return logistic_slope(m, x - others[0]) if others else 0.0
        return r * m.sigmoid(m.logsumexp([finite_difference(m, x_i, x) for x_i in others]))
    own, rest = exponentials_beside(m, others, x)
    total = m.sum(rest)
    return r * m.divide(total, own + total)


def finite_difference(m: Any, x: Any, y: Any) -> Any:
    """x - y, and the least float for -inf."""
    return m.maximum(m.maximum(x, -LARGEST_FLOAT) - y, -LARGEST_FLOAT)


def logistic_slope(m: Any, x: Any) -> Any:
    """sech(x / 2)² / 4, the derivative of the logistic function, with its digits next to 0 to all orders."""
    return 0.25 * square(m.sech(0.5 * x))


def or_nan(m: Any, r: Any, x: Any) -> Any:
    """r, or nan where one of x is: a comparison with nan is false, and so `m.largest` may leave it out."""
    others = m.sum([m.where((x_i <= r) | (x_i >= r), 0.0, x_i) for x_i in x])
    return m.where((others <= 0) & (others >= 0), r, others)


def evenly(m: Any, r: Any, x: Any) -> Any:
    """1 / k for each of the k elements that are r, and 0 for all others."""
    ties = [m.where((x_i >= r) & (x_i <= r), 1.0, 0.0) for x_i in x]
    count = m.sum(ties)
    return [m.divide(tie, count) for tie in ties]


def chosen(m: Any, sequence: Any, index: Any) -> list[Any]:
    """1 for the element at the index, and 0 for all others, by arithmetic alone: a recording may not compare inputs."""
    return [m.relu(1.0 - m.abs(index - place)) for place in m.places(sequence)]


def direction(m: Any, x: Any, y: Any) -> Any:
    """x / hypot(x, y), both scaled where hypot could overflow; 0 at the origin."""
    scale = m.where(abs(x) + abs(y) > 1e300, 0.25, 1.0)
    return scale * x / distance(m, scale * x, scale * y)


def mish_slope(m: Any, x: Any) -> Any:
    """tanh(s) + x tanh'(s) s', with s = softplus(x)."""
    s = m.softplus(x)
    return m.tanh(s) + x * m.sigmoid(x) * square(m.sech(s))


def sech(m: Any, x: Any) -> Any:
    """2 / (e^x + e^-x), without its overflow."""
    small = m.exp(-abs(x))
    return 2.0 * small / (1.0 + square(small))


def unary(*points: float) -> list[Point]:
    return [(point,) for point in points]


ANYWHERE = unary(-3.0, -1.5, -0.7, -1e-3, 1e-8, 0.3, 1.0, 2.5)
WIDE = unary(-30.0, -7.5, -2.0, -0.4, -1e-9, 1e-3, 0.6, 1.9, 5.0, 20.0)
POSITIVE = unary(1e-12, 1e-3, 0.4, 1.3, 7.0, 1e6)
INSIDE_ONE = unary(-0.999999, -0.7, -1e-6, 1e-9, 0.2, 0.5, 0.999)
PAIRS = [(-3.0, 0.5), (2.0, 1e-3), (1.25, -7.0), (-0.1, -4.0), (1e5, 3.0)]

# fmt: off
OPERATIONS: dict[str, Operation] = {operation.name: operation for operation in [
    # ---- arithmetic
    Operation(
        "add", "+", "x + y",
        lambda m, x, y: x + y,
        [lambda m, r, x, y: 1.0,
         lambda m, r, x, y: 1.0],
        samples=PAIRS,
    ),
    Operation(
        "subtract", "-", "x - y",
        lambda m, x, y: x - y,
        [lambda m, r, x, y: 1.0,
         lambda m, r, x, y: -1.0],
        samples=PAIRS,
    ),
    Operation(
        "multiply", "*", "x * y",
        lambda m, x, y: x * y,
        [lambda m, r, x, y: y,
         lambda m, r, x, y: x],
        samples=PAIRS,
    ),
    Operation(
        # Where sqrt's derivative, 0.5 / r, is inf, its own has a divisor that is 0.
        "divide", "/", "x / y",
        lambda m, x, y: x / y,
        [lambda m, r, x, y: m.divide(1.0, y),
         lambda m, r, x, y: m.divide(-r, y)],
        samples=PAIRS, domain="y != 0",
    ),
    Operation(
        # 0**0 is 1, and d(x**0)/dx is 0 at 0 as well. The derivative by the exponent is nan for a negative base, since
        # fractional powers of it are not real; at base 0 it is 0, the derivative of 0**y for y > 0.
        "power", "**", "x ** y",
        lambda m, x, y: m.power(x, y),
        [lambda m, r, x, y: power_by_base(m, x, y),
         lambda m, r, x, y: power_by_exponent(m, r, x, y)],
        samples=[(0.5, 3.0), (2.0, -1.5), (1e-3, 0.3), (7.0, 0.001), (30.0, 12.5), (1e300, 0.3), (355593.97, -3.77)],
        kinks={(0.0, 0.0): (0.0, 0.0), (0.0, 2.0): (0.0, 0.0), (0.0, 1.0): (1.0, 0.0), (0.0, 0.5): (math.inf, 0.0),
               (-2.0, 3.0): (12.0, math.nan), (-2.0, 0.0): (0.0, math.nan)},
        domain="x >= 0 or y whole (a fractional power of a negative number is not real)",
    ),
    Operation(
        "negative", "neg", "-x",
        lambda m, x: -x,
        [lambda m, r, x: -1.0],
        samples=ANYWHERE,
    ),
    Operation(
        # The left and the right derivative at 0 are -1 and 1; the convention is 0.
        "abs", "abs", "abs(x)",
        lambda m, x: abs(x),
        [lambda m, r, x: m.where(x > 0, 1.0, m.where(x < 0, -1.0, 0.0))],
        samples=ANYWHERE, kinks={(0.0,): (0.0,)},
    ),

    # ---- exponentials, logarithms, roots
    Operation(
        "exp", "exp", "e ** x",
        lambda m, x: m.exp(x),
        [lambda m, r, x: r],
        samples=WIDE,
    ),
    Operation(
        # Not r + 1, which loses every digit where exp(x) is small.
        "expm1", "expm1", "exp(x) - 1",
        lambda m, x: m.expm1(x),
        [lambda m, r, x: m.exp(x)],
        samples=WIDE,
    ),
    Operation(
        "exp2", "exp2", "2 ** x",
        lambda m, x: m.exp2(x),
        [lambda m, r, x: r * LN2],
        samples=WIDE,
    ),
    Operation(
        "log", "log", "log(x)",
        lambda m, x: m.log(x),
        [lambda m, r, x: m.divide(1.0, x)],
        samples=POSITIVE, domain="x > 0",
    ),
    Operation(
        "log1p", "log1p", "log(1 + x)",
        lambda m, x: m.log1p(x),
        [lambda m, r, x: m.divide(1.0, 1.0 + x)],
        samples=[*INSIDE_ONE, *POSITIVE], domain="x > -1",
    ),
    Operation(
        "log2", "log2", "log(x) / log(2)",
        lambda m, x: m.log2(x),
        [lambda m, r, x: m.divide(1.0 / LN2, x)],
        samples=POSITIVE, domain="x > 0",
    ),
    Operation(
        "log10", "log10", "log(x) / log(10)",
        lambda m, x: m.log10(x),
        [lambda m, r, x: m.divide(1.0 / LN10, x)],
        samples=POSITIVE, domain="x > 0",
    ),
    Operation(
        # r + 0.0, since the root of -0.0 is -0.0.
        "sqrt", "sqrt", "sqrt(x)",
        lambda m, x: m.sqrt(x),
        [lambda m, r, x: m.divide(0.5, r + 0.0)],
        samples=POSITIVE, kinks={(0.0,): (math.inf,)}, domain="x >= 0",
    ),
    Operation(
        "cbrt", "cbrt", "sign(x) * cbrt(abs(x))",
        lambda m, x: m.cbrt(x),
        [lambda m, r, x: m.divide(1.0, 3.0 * r * r)],
        samples=ANYWHERE, kinks={(0.0,): (math.inf,)},
    ),

    # ---- trigonometric and hyperbolic functions, and their inverses
    Operation(
        "sin", "sin", "sin(x)",
        lambda m, x: m.sin(x),
        [lambda m, r, x: m.cos(x)],
        samples=ANYWHERE, domain="x is finite",
    ),
    Operation(
        "cos", "cos", "cos(x)",
        lambda m, x: m.cos(x),
        [lambda m, r, x: -m.sin(x)],
        samples=ANYWHERE, domain="x is finite",
    ),
    Operation(
        "tan", "tan", "tan(x)",
        lambda m, x: m.tan(x),
        [lambda m, r, x: 1.0 + r * r],
        samples=ANYWHERE, domain="x is finite",
    ),
    Operation(
        "asin", "asin", "asin(x)",
        lambda m, x: m.asin(x),
        [lambda m, r, x: m.divide(1.0, m.semicircle(x))],
        samples=INSIDE_ONE, kinks={(1.0,): (math.inf,), (-1.0,): (math.inf,)}, domain="-1 <= x <= 1",
    ),
    Operation(
        "acos", "acos", "acos(x)",
        lambda m, x: m.acos(x),
        [lambda m, r, x: m.divide(-1.0, m.semicircle(x))],
        samples=INSIDE_ONE, kinks={(1.0,): (-math.inf,), (-1.0,): (-math.inf,)}, domain="-1 <= x <= 1",
    ),
    Operation(
        # The derivatives of asin, acos and atanh are powers of it. (1 - x)(1 + x), not 1 - x², which loses its digits
        # near ±1; and that product's derivative, of which -2x is a difference, would lose them near 0.
        "semicircle", "semicircle", "sqrt(1 - x**2)",
        lambda m, x: m.sqrt((1.0 - x) * (1.0 + x)),
        [lambda m, r, x: m.divide(-x, r)],
        samples=INSIDE_ONE, kinks={(1.0,): (-math.inf,), (-1.0,): (math.inf,)}, domain="-1 <= x <= 1",
    ),
    Operation(
        "atan", "atan", "atan(x)",
        lambda m, x: m.atan(x),
        [lambda m, r, x: 1.0 / (1.0 + x * x)],
        samples=WIDE,
    ),
    Operation(
        # The angle of the point (x, y): x / hypot², divided in two steps, since the square could overflow or vanish.
        "atan2", "atan2", "atan2(y, x)",
        lambda m, y, x: m.atan2(y, x),
        [lambda m, r, y, x: m.direction(x, y) / distance(m, x, y),
         lambda m, r, y, x: -m.direction(y, x) / distance(m, x, y)],
        samples=[*PAIRS, (1e-150, 2e-150), (3e200, -1e200)], kinks={(0.0, 0.0): (0.0, 0.0)},
    ),
    Operation(
        "sinh", "sinh", "(exp(x) - exp(-x)) / 2",
        lambda m, x: m.sinh(x),
        [lambda m, r, x: m.cosh(x)],
        samples=WIDE,
    ),
    Operation(
        "cosh", "cosh", "(exp(x) + exp(-x)) / 2",
        lambda m, x: m.cosh(x),
        [lambda m, r, x: m.sinh(x)],
        samples=WIDE,
    ),
    Operation(
        "tanh", "tanh", "sinh(x) / cosh(x)",
        lambda m, x: m.tanh(x),
        [lambda m, r, x: square(m.sech(x))],
        samples=WIDE,
    ),
    Operation(
        # Its square is the derivative of tanh, and keeps its digits to all orders: 1 - tanh² loses them where tanh is
        # close to ±1, and products of sigmoids lose those of their derivative near 0.
        "sech", "sech", "1 / cosh(x)",
        sech,
        [lambda m, r, x: -r * m.tanh(x)],
        samples=WIDE,
    ),
    Operation(
        "asinh", "asinh", "log(x + sqrt(x**2 + 1))",
        lambda m, x: m.asinh(x),
        [lambda m, r, x: 1.0 / m.hypot(1.0, x)],
        samples=[*WIDE, (1e200,)],
    ),
    Operation(
        "acosh", "acosh", "log(x + sqrt(x**2 - 1))",
        lambda m, x: m.acosh(x),
        [lambda m, r, x: m.divide(m.divide(1.0, m.sqrt(x - 1.0)), m.sqrt(x + 1.0))],
        samples=unary(1.000001, 1.3, 2.0, 7.5, 1e6, 1e200), kinks={(1.0,): (math.inf,)}, domain="x >= 1",
    ),
    Operation(
        "atanh", "atanh", "log((1 + x) / (1 - x)) / 2",
        lambda m, x: m.atanh(x),
        [lambda m, r, x: m.divide(1.0, square(m.semicircle(x)))],
        samples=INSIDE_ONE, domain="-1 < x < 1",
    ),

    # ---- special functions
    Operation(
        "erf", "erf", "erf(x)",
        lambda m, x: m.erf(x),
        [lambda m, r, x: TWO_OVER_SQRT_PI * gaussian(m, x, -1.0)],
        samples=[*ANYWHERE, *unary(-6.1, 4.7)],
    ),
    Operation(
        # 1 - erf(x), with all its digits where erf is close to 1.
        "erfc", "erfc", "erfc(x)",
        lambda m, x: m.erfc(x),
        [lambda m, r, x: -TWO_OVER_SQRT_PI * gaussian(m, x, -1.0)],
        samples=[*ANYWHERE, *unary(-6.1, 4.7, 20.3)],
    ),
    Operation(
        # A cone: at its tip, the origin, the convention is 0, as for abs.
        "hypot", "hypot", "sqrt(x**2 + y**2)",
        lambda m, x, y: m.hypot(x, y),
        [lambda m, r, x, y: m.direction(x, y),
         lambda m, r, x, y: m.direction(y, x)],
        samples=[*PAIRS, (1e-200, 2e-200), (3e200, -1e200)], kinks={(0.0, 0.0): (0.0, 0.0)},
    ),
    Operation(
        # The derivative of hypot: the cosine of the angle of the point (x, y). That of the quotient would have y² as
        # the difference hypot² - x². At the origin it is 0, and has no derivatives.
        "direction", "direction", "x / sqrt(x**2 + y**2)",
        direction,
        [lambda m, r, x, y: m.divide(square(m.direction(y, x)), m.hypot(x, y)),
         lambda m, r, x, y: m.divide(-r * m.direction(y, x), m.hypot(x, y))],
        samples=[*PAIRS, (1e-100, 2e-100), (3e200, -1e200)], kinks={(0.0, 0.0): (math.nan, math.nan)},
    ),
    Operation(
        # A tie is split evenly, so that maximum(x, x) has the derivative 1. x + y is nan where either is.
        "maximum", "maximum", "max(x, y)",
        lambda m, x, y: m.where(x > y, x, m.where(y >= x, y, x + y)),
        [lambda m, r, x, y: m.where(x > y, 1.0, m.where(x < y, 0.0, 0.5)),
         lambda m, r, x, y: m.where(x > y, 0.0, m.where(x < y, 1.0, 0.5))],
        samples=PAIRS, kinks={(2.0, 2.0): (0.5, 0.5)},
    ),
    Operation(
        "minimum", "minimum", "min(x, y)",
        lambda m, x, y: m.where(x < y, x, m.where(y <= x, y, x + y)),
        [lambda m, r, x, y: m.where(x < y, 1.0, m.where(x > y, 0.0, 0.5)),
         lambda m, r, x, y: m.where(x < y, 0.0, m.where(x > y, 1.0, 0.5))],
        samples=PAIRS, kinks={(2.0, 2.0): (0.5, 0.5)},
    ),

    # ---- activation functions; at the kinks the derivative from the left
    Operation(
        # x <= 0 asks so that nan, which is not, goes through.
        "relu", "relu", "max(x, 0)",
        lambda m, x: m.where(x <= 0, 0.0, x),
        [lambda m, r, x: m.where(x <= 0, 0.0, 1.0)],
        samples=ANYWHERE, kinks={(0.0,): (0.0,)},
    ),
    Operation(
        "leaky_relu", "leaky_relu", "max(x, 0) + slope * min(x, 0)",
        lambda m, x, slope=0.01: m.where(x <= 0, slope * x, x),
        [lambda m, r, x, slope: m.where(x <= 0, slope, 1.0),
         lambda m, r, x, slope: m.where(x <= 0, x, 0.0)],
        samples=[(-3.0, 0.01), (-0.2, 0.3), (1e-3, 0.1), (4.0, 0.01)], kinks={(0.0, 0.1): (0.1, 0.0)},
    ),
    Operation(
        "elu", "elu", "max(x, 0) + alpha * (exp(min(x, 0)) - 1)",
        lambda m, x, alpha=1.0: m.where(x > 0, x, alpha * m.expm1(m.where(x > 0, 0.0, x))),
        [lambda m, r, x, alpha: m.where(x > 0, 1.0, alpha * m.exp(m.where(x > 0, 0.0, x))),
         lambda m, r, x, alpha: m.expm1(m.where(x > 0, 0.0, x))],
        samples=[(-30.0, 1.0), (-3.0, 1.0), (-0.2, 0.3), (1e-3, 1.5), (4.0, 1.0)], kinks={(0.0, 0.5): (0.5, 0.0)},
    ),
    Operation(
        "softplus", "softplus", "log(1 + exp(x))",
        lambda m, x: m.relu(x) + m.log1p(m.exp(-m.abs(x))),
        [lambda m, r, x: m.sigmoid(x)],
        samples=WIDE,
    ),
    Operation(
        # The logistic function. Its derivative, r (1 - r), is that of tanh: r is (1 + tanh(x / 2)) / 2.
        "sigmoid", "sigmoid", "1 / (1 + exp(-x))",
        lambda m, x: m.where(x < 0, m.exp(-m.abs(x)), 1.0) / (1.0 + m.exp(-m.abs(x))),
        [lambda m, r, x: logistic_slope(m, x)],
        samples=WIDE,
    ),
    Operation(
        # Swish (Ramachandran et al., 2017), also called SiLU (Elfwing et al., 2017).
        "silu", "silu", "x / (1 + exp(-x))",
        lambda m, x: x * m.sigmoid(x),
        [lambda m, r, x: m.sigmoid(x) + 0.25 * x * square(m.sech(0.5 * x))],
        samples=WIDE,
    ),
    Operation(
        # x Φ(x), Φ the normal distribution function (Hendrycks and Gimpel, 2016); erfc keeps the digits of its tail.
        "gelu", "gelu", "x * (1 + erf(x / sqrt(2))) / 2",
        lambda m, x: x * normal_distribution(m, x),
        [lambda m, r, x: normal_distribution(m, x) + x * gaussian(m, x, -0.5) / SQRT_2PI],
        samples=unary(-6.3, -3.0, -1.5, -0.5, -1e-3, 1e-8, 0.3, 2.5, 9.0),
    ),
    Operation(
        # x tanh(s) with s = softplus(x) (Misra, 2019).
        "mish", "mish", "x * tanh(log(1 + exp(x)))",
        lambda m, x: x * m.tanh(m.softplus(x)),
        [lambda m, r, x: mish_slope(m, x)],
        samples=WIDE,
    ),

    # ---- n-ary operations: one node with an edge per term
    Operation(
        "sum", "sum", "sum(x)",
        lambda m, x: m.sum(x),
        [lambda m, r, x: [1.0 for _ in x]],
        samples=[([1.5, -2.0, 1e-3],), ([4.0],)], sequences=1,
    ),
    Operation(
        # A neuron's net input: the bias first, then the products from left to right.
        "dot", "dot", "bias + sum(w * x for w, x in zip(weights, inputs))",
        lambda m, weights, inputs, bias=0.0: m.sum([w * x for w, x in zip(weights, inputs, strict=True)], bias),
        [lambda m, r, weights, inputs, bias: inputs,
         lambda m, r, weights, inputs, bias: weights,
         lambda m, r, weights, inputs, bias: 1.0],
        samples=[([1.5, -2.0, 0.3], [0.7, 1.1, -5.0], 0.25), ([3.0], [-0.5], 0.0)], sequences=2,
    ),
    Operation(
        "logsumexp", "logsumexp", "log(sum(exp(x_i) for x_i in x))",
        logsumexp,
        [lambda m, r, x: softmax(m, x)],
        samples=[([1.5, -2.0, 0.3],), ([1000.0, 1001.5],), ([-5.0],), ([2.0, 2.0, 2.0, -20.0],)], sequences=1,
        domain="any x_i > -inf",
    ),
    Operation(
        # A probability of a softmax: a node with an edge per logit, whose derivatives have their digits next to 1 too.
        "softmax_of", "softmax", "exp(x) / (exp(x) + sum(exp(x_i) for x_i in others))",
        softmax_of,
        [softmax_by_others,
         softmax_by_own],
        samples=[([1.5, -2.0], 0.3), ([1000.0], 1001.5), ([-20.0, -21.0, 2.0], 2.0), ([0.5, 0.25], -3.0)], sequences=1,
        domain="x or any x_i > -inf",
    ),
    Operation(
        # All that tie share the derivative evenly, as in `maximum`, in JAX's max and in PyTorch's amax.
        "max", "max", "max(x)",
        lambda m, x: or_nan(m, m.largest(x), x),
        [lambda m, r, x: evenly(m, r, x)],
        samples=[([1.5, -2.0, 0.3],), ([4.0],)], sequences=1, domain="x is not empty",
    ),
    Operation(
        "min", "min", "min(x)",
        lambda m, x: or_nan(m, -m.largest([-x_i for x_i in x]), x),
        [lambda m, r, x: evenly(m, r, x)],
        samples=[([1.5, -2.0, 0.3],), ([4.0],)], sequences=1, domain="x is not empty",
    ),
    Operation(
        # A lookup: of the chosen element alone the derivative is not 0. Executors leave out what the zeros multiply.
        "take", "take", "sequence[round(index)]",
        lambda m, sequence, index: m.element(sequence, index),
        [lambda m, r, sequence, index: chosen(m, sequence, index),
         lambda m, r, sequence, index: 0.0],
        samples=[([1.5, -2.0, 0.3], 1.0), ([4.0], 0.0), ([0.5, 0.25], 1.0)], sequences=1,
        domain="a whole index, 0 <= index < len(sequence)",
    ),
]}
# fmt: on

ROWS = [*OPERATIONS.values()]  # by their number, as tapes and the native engine call them
TABLE = len(ROWS)  # so many are in this file; behind them stand those that are defined at run time
ROW = {name: number for number, name in enumerate(OPERATIONS)}

Mathematics.rows = OPERATIONS


def add_row(operation: Operation) -> None:
    """Adds a row at run time, behind all others."""
    OPERATIONS[operation.name] = operation
    ROW[operation.name] = len(ROWS)
    ROWS.append(operation)
