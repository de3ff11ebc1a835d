"""Operation is a row of the table; Mathematics is what a row's rules may call.

A rule is polymorphic. It gets the mathematics that fits its operands as `m`, and it never asks for their kind. On
floats a partial derivative is a local derivative; on Values it is a graph that can be differentiated again; on arrays
it is a batch; on names it is the text of an expression. `strict` and `ieee` are the mathematics of floats. Functions
that several rules share follow at the end.
"""

from __future__ import annotations

import math
import reprlib
from functools import partial, reduce
from operator import add

from autograd.wording import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeVar

    T = TypeVar("T")
    U = TypeVar("U")
    Rule = Callable[..., Any]  # Any: a rule is polymorphic, it returns what its operands make of it
    Point = tuple[Any, ...]  # the operands of one evaluation: floats, or lists of floats for n-ary operations


class Operation:
    """One row: a primitive operation and all that the project knows of it.

    name        the method on Value and the function
    symbol      what a drawing, a trace and `repr` show
    formula     the textbook definition, in the operands' names; the tests evaluate it with 60 digits
    compute     the value: `compute(m, *operands)`
    partials    one rule per operand: `partial(m, r, *operands)` is the derivative of the result `r` with respect
                to that operand; for an operand that is a sequence, the sequence of derivatives
    samples     points of the domain where the tests compare value and derivatives with the formula: off the kinks, and
                not next to a root of a derivative that is a sum (gelu's at -0.75), where its terms' rounding is left
    kinks       the points where a derivative is a convention (or infinite), and what it is there
    domain      what the operands must fulfil lest the evaluation raises ValueError, if anything
    sequences   how many leading operands are sequences (0 but for n-ary operations)
    """

    def __init__(
        self,
        name: str,
        symbol: str,
        formula: str,
        compute: Rule,
        partials: Sequence[Rule],
        *,
        samples: Sequence[Point],
        kinks: Mapping[Point, Point] | None = None,
        domain: str = "",
        sequences: int = 0,
    ) -> None:
        self.name = name
        self.symbol = symbol
        self.formula = formula
        self.compute = compute
        self.partials = tuple(partials)
        self.samples = tuple(samples)
        self.kinks = dict(kinks or {})
        self.domain = domain
        self.sequences = sequences
        code = compute.__code__
        self.operands: tuple[str, ...] = code.co_varnames[1 : code.co_argcount]
        defaults = compute.__defaults__ or ()
        self.defaults: dict[str, float] = dict(zip(self.operands[::-1], defaults[::-1], strict=False))

    @property
    def signature(self) -> str:
        """How the function is called: `leaky_relu(x, slope=0.01)`."""
        operands = [f"{name}={self.defaults[name]}" if name in self.defaults else name for name in self.operands]
        return f"{self.name}({', '.join(operands)})"

    @property
    def is_infix(self) -> bool:
        """Whether its symbol stands between its operands: `x + y`."""
        return len(self.operands) == 2 and not self.sequences and not self.symbol.isidentifier()

    @property
    def conventions(self) -> list[tuple[str, str]]:
        """The kinks in words: ("x = 0.0", "d/dx = 0.0")."""
        return [
            (
                ", ".join(f"{name} = {number}" for name, number in zip(self.operands, point, strict=True)),
                ", ".join(f"d/d{name} = {number}" for name, number in zip(self.operands, partials, strict=True)),
            )
            for point, partials in self.kinks.items()
        ]

    def bind(self, operands: tuple[Any, ...], keywords: Mapping[str, Any]) -> tuple[Any, ...]:
        """The operands of a call in their order, with keywords and defaults filled in, as Python calls a function."""
        if len(operands) == len(self.operands) and not keywords:
            return operands
        given = dict(zip(self.operands, operands, strict=False))
        bound = {**self.defaults, **given, **keywords}
        if len(operands) > len(self.operands) or given.keys() & keywords.keys() or bound.keys() != set(self.operands):
            named = "".join(f", {name}=" for name in keywords)
            raise TypeError(f"expected {self.signature}, got {counted(len(operands), 'operand')}{named}")
        return tuple(bound[name] for name in self.operands)

    def explained(self, error: Exception, numbers: Sequence[Any], labels: Sequence[str]) -> Exception:
        """The error of an evaluation, saying which numbers (and labels) the operation met and what it expected."""
        shown = [reprlib.repr(number) for number in numbers]
        call = f"{self.name}({', '.join(shown)})"
        if self.is_infix:
            call = f" {self.symbol} ".join(f"({number})" if number.startswith("-") else number for number in shown)
        reason = f"expected {self.domain}" if self.domain else str(error) or "the operands are outside of its domain"
        if isinstance(error, ZeroDivisionError):
            reason = "division by zero"
        if isinstance(error, OverflowError):
            reason = "the result is beyond the largest float, 1.8e308"
        return type(error)(f"{call}: {reason}{self.labelled(labels)}")

    def labelled(self, labels: Sequence[str]) -> str:
        """Which operands have a label, and what it is, behind an error: ` (x is labelled 'weight')`."""
        named = [f"{name} is labelled {label!r}" for name, label in zip(self.operands, labels, strict=True) if label]
        return f" ({', '.join(named)})" if named else ""

    def __repr__(self) -> str:
        return f"<Operation {self.signature} = {self.formula}>"


class Mathematics:
    """What a rule may call: the functions given here, and every other row of the table, by that row's own rule.

    What must be given: `where`; of a sequence, `sum`, `largest` (a constant, which may leave a nan out), `places` (0
    for the first element, 1 for the next, ...) and `element` (that at an index); and the functions that the rows call.
    """

    rows: Mapping[str, Operation] = {}  # the table, which operations.py puts here

    def __init__(self, **functions: Rule) -> None:
        self.given = functions
        self.__dict__.update(functions)

    def within(self, x: Any, least: float, most: float = math.inf) -> Any:
        """x, kept from where floats fail although the result is not changed there; a formula has no need of it."""
        x = self.maximum(x, least)
        return x if most == math.inf else self.minimum(x, most)

    def exp_of_difference(self, x: Any, shift: Any) -> Any:
        """exp(x - shift), with what is lost in rounding; 1 for inf - inf, and instead of an overflow beside a nan.

        x is an operand of the row, or an element of one. The shift is the same number in whatever order the operands
        are, unless there is a nan among them, of which every result is made: so this may be computed once for a value,
        its partial derivatives, and all results of the row from the same operands.
        """
        exponent, lost = difference(x, shift)
        lost = self.where(abs(exponent) <= LARGEST_FLOAT, lost, 0.0)
        return self.exp(self.where(x >= shift, 0.0, exponent)) * (1.0 + lost)

    def varies(self, operand: Any) -> bool:
        """Whether what a rule returns may be differentiated by the operand, or an element of it: on Values alone."""
        return False

    def __getattr__(self, name: str) -> Rule:
        if name not in self.rows:
            raise AttributeError(f"no function {name!r} here, and no operation {name!r} in the table")
        function = self.__dict__[name] = partial(self.rows[name].compute, self)
        return function


def where(condition: bool, x: T, y: U) -> T | U:
    """x if the condition holds, else y: `where(x > 0, x, 0.0)`. The derivative is that of the chosen branch.

    It chooses while the graph is built. A tape of the graph keeps the choice; `maximum`, `relu` and `abs` choose anew.
    """
    return x if condition else y


def sum_from_left(terms: Sequence[float], start: float = 0.0) -> float:
    """Rounded at each step, in every Python; the builtin sum compensates in some of them."""
    return reduce(add, terms, start)


def largest(x: Sequence[float]) -> float:
    return max(x, default=-math.inf)


def places(x: Sequence[Any]) -> range:
    return range(len(x))


def element(x: Sequence[float], index: float) -> float:
    """Raises ValueError unless the index is that of an element."""
    if not is_place(index, len(x)):
        raise ValueError
    return x[int(index)]


def is_place(index: float, length: int) -> bool:
    """Whether it is the index of an element of a sequence of this length."""
    return 0 <= index < length and index == int(index)


def are_places(indices: Any, lengths: Any) -> Any:
    """The same of arrays, of any library: an array of truths."""
    return (indices >= 0) & (indices < lengths) & (indices == indices.round())


def ieee_element(x: Sequence[float], index: float) -> float:
    return x[int(index)] if is_place(index, len(x)) else math.nan


def hypot(x: float, y: float) -> float:
    """The C library's hypot; `math.hypot` has an algorithm of its own, which changed between Pythons.

    CPython's abs(complex(nan, y)) raises OverflowError where an earlier function has left errno set (3.11 to 3.13).
    """
    return abs(complex(x, y)) if x == x and y == y else math.hypot(x, y)


def power(x: float, y: float) -> float:
    if x == 0 and y < 0:
        raise ZeroDivisionError
    return math.pow(x, y)


def ieee_power(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except (OverflowError, ValueError):
        remainder = abs(math.fmod(y, 2.0))  # exact; % rounds -0.9999999999999999 to an odd number
        size = math.nan if x < 0 and remainder not in (0.0, 1.0) else math.inf
        return math.copysign(size, x) if remainder == 1.0 else size


def ieee_divide(x: float, y: float) -> float:
    return x / y if y else x * math.copysign(math.inf, y)


def ieee_hypot(x: float, y: float) -> float:
    try:
        return hypot(x, y)
    except OverflowError:
        return math.inf


def without_errors(function: Callable[[float], float], poles: Mapping[float, float]) -> Callable[[float], float]:
    """A function of `math` under IEEE 754: inf where it overflows, its limit at a pole, nan outside of its domain."""

    def ieee_function(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return function(math.copysign(1.0, x)) * math.inf
        except ValueError:
            return poles.get(x, math.nan)

    return ieee_function


# Those of `math` that raise errors, and where they have poles.
RAISING: dict[str, dict[float, float]] = {
    "exp": {}, "expm1": {}, "exp2": {}, "sinh": {}, "cosh": {},
    "log": {0.0: -math.inf}, "log1p": {-1.0: -math.inf}, "log2": {0.0: -math.inf}, "log10": {0.0: -math.inf},
    "sqrt": {}, "sin": {}, "cos": {}, "tan": {}, "asin": {}, "acos": {}, "acosh": {},
    "atanh": {1.0: math.inf, -1.0: -math.inf},
}  # fmt: skip


# Floats as Python's `math` has them: outside the domain and beyond the largest float, an error. Values run on these.
strict = Mathematics(
    where=where, sum=sum_from_left, largest=largest, places=places, element=element, hypot=hypot, power=power,
    exp=math.exp, expm1=math.expm1, exp2=math.exp2,
    log=math.log, log1p=math.log1p, log2=math.log2, log10=math.log10, sqrt=math.sqrt, cbrt=math.cbrt,
    sin=math.sin, cos=math.cos, tan=math.tan, asin=math.asin, acos=math.acos, atan=math.atan, atan2=math.atan2,
    sinh=math.sinh, cosh=math.cosh, tanh=math.tanh, asinh=math.asinh, acosh=math.acosh, atanh=math.atanh,
    erf=math.erf, erfc=math.erfc,
)  # fmt: skip

# Floats under IEEE 754's default rules: what is undefined is nan, what is too large is inf, and nothing raises. Partial
# derivatives run on these, so that one that is not finite where the value is finite is an inf or nan and not an error.
ieee = Mathematics(
    **strict.given
    | {name: without_errors(strict.given[name], poles) for name, poles in RAISING.items()}
    | {"power": ieee_power, "divide": ieee_divide, "hypot": ieee_hypot, "element": ieee_element}
)

LARGEST_FLOAT = math.nextafter(math.inf, 0.0)
SMALLEST_FLOAT = math.nextafter(0.0, 1.0)


# ---- what several rules share


def square(x: Any) -> Any:
    return x * x


def difference(x: Any, y: Any) -> tuple[Any, Any]:
    """x - y as a float and what its rounding has lost, exactly (D. E. Knuth's two-sum, TAOCP 2, 4.2.2, theorem B)."""
    rounded = x - y
    subtracted = rounded - x
    return rounded, (x - (rounded - subtracted)) - (y + subtracted)


def split(x: Any) -> tuple[Any, Any]:
    """x as a head of 26 bits, whose product with another head is exact, and the rest.

    T. J. Dekker, "A floating-point technique for extending the available precision", 1971.
    """
    scaled = 134217729.0 * x
    head = scaled - (scaled - x)
    return head, x - head


def gaussian(m: Any, x: Any, factor: float) -> Any:
    """exp(factor * x²), without the error that rounding x² would magnify."""
    x = within_40(m, x)
    head, rest = split(x)
    return m.exp(factor * head * head) * m.exp(factor * (rest * (x + head)))


def within_40(m: Any, x: Any) -> Any:
    """x between -40 and 40: farther out, exp(-x² / 2) is 0 at any rate, and `split` could overflow."""
    return m.within(x, -40.0, 40.0)


SQRT_HALF = math.sqrt(0.5)
SQRT_HALF_HEAD, _rest = split(SQRT_HALF)
SQRT_HALF_REST = _rest - 4.833646656726457e-17  # with what the rounding of the root has lost


def normal_distribution(m: Any, x: Any) -> Any:
    """Φ(x) = erfc(-x/√2) / 2, without the error that rounding x/√2 would magnify in the left tail.

    What the rounding has lost is multiplied by the derivative of erfc.
    """
    x = within_40(m, x)
    head, rest = split(x)
    rounded = SQRT_HALF * x
    lost = ((head * SQRT_HALF_HEAD - rounded) + head * SQRT_HALF_REST) + rest * SQRT_HALF
    return 0.5 * m.erfc(-rounded) + lost * m.exp(-0.5 * x * x) / math.sqrt(math.pi)


def distance(m: Any, x: Any, y: Any) -> Any:
    """hypot(x, y), but no 0 at the origin, so that 0 divided by it is 0 there."""
    return m.within(m.hypot(x, y), SMALLEST_FLOAT)


def undifferentiable(m: Any, x: Any) -> Any:
    """0, of which the derivative by x is nan."""
    return m.direction(x - x, 0.0)


def shifted_exponentials(m: Any, x: Any) -> tuple[Any, Any]:
    """The largest of x as a shift, and exp(x_i - shift), of which none overflows."""
    shift = finite_shift(m, m.largest(x))
    return shift, [m.exp_of_difference(x_i, shift) for x_i in x]


def finite_shift(m: Any, largest: Any) -> Any:
    """The largest, and 0 where that is -inf or nan."""
    return m.where(largest >= -LARGEST_FLOAT, largest, 0.0)
