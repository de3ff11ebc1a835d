"""Writes the derivatives of an operation as formulas of a textbook, from its rules in the table.

A rule runs on Formulas in the place of numbers. Their arithmetic is that of real numbers: terms are collected, and what
a rule does for the sake of rounding cancels. A formula holds off the kinks, so that `x != 0` is true; what a kink's
derivative is, the table says by itself.

A Formula is a sum of products, each with a number as its coefficient. A product has factors with exponents. A factor is
a text: an operand, a call, or a sum or a choice in brackets. Formulas are written as Python writes them.
"""

from __future__ import annotations

import builtins
import math
import re
from functools import cache
from itertools import accumulate

from autograd.operation import Mathematics, strict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import CodeType
    from typing import Any

    from autograd.operation import Operation

    Factors = tuple[tuple[str, float], ...]  # texts and their exponents, in the order in which they came

__all__ = ["derivatives", "description"]

NEGLIGIBLE = 1e-15  # a smaller coefficient in a sum, against 1 and the largest, is of rounding, or keeps a log from 0
LONGEST = 500  # characters: nobody reads a longer formula, and one whose rule has a loop may have millions

# Coefficients that have names: the numerator and the denominator that name them.
NAMED = {
    math.log(2): ("log(2)", ""), 1 / math.log(2): ("", "log(2)"), 1 / math.log(10): ("", "log(10)"),
    math.sqrt(0.5): ("", "sqrt(2)"), 2 / math.sqrt(math.pi): ("2", "sqrt(pi)"),
    1 / math.sqrt(2 * math.pi): ("", "sqrt(2 * pi)"),
}  # fmt: skip

CALLS = strict.given.keys() - {"hypot", "power", "sqrt", "sum", "where"}  # what stays a call: math has them, or nearly


def description(operation: Operation) -> str:
    """The docstring of an operation's function and method."""
    domain = "all numbers"
    if operation.domain:
        domain = f"{operation.domain}; else ValueError (where it divides by zero, ZeroDivisionError)"
    return "\n".join(
        [
            f"{operation.signature} = {operation.formula}",
            "",
            *[f"d/d{operand} = {formula}" for operand, formula in derivatives_or_none(operation).items()],
            f"Domain: {domain}.",
            "A Value where an operand is one, else a float.",
            "A result beyond the largest float: OverflowError where Python's math raises it, else inf.",
            *[f"At {point}: {partials}." for point, partials in operation.conventions],
        ]
    )


def derivatives_or_none(operation: Operation) -> dict[str, str]:
    try:
        return derivatives(operation)
    except Exception:  # the rules that a user has defined may be anything but formulas
        return {}


def derivatives(operation: Operation) -> dict[str, str]:
    """The partial derivatives by the operands; that by an element of the sequence `x` stands under the name `x_i`.

    Raises an error of any kind where a rule is no formula.

    >>> from autograd.operations import OPERATIONS
    >>> derivatives(OPERATIONS["tanh"]), derivatives(OPERATIONS["divide"])
    ({'x': '1 / cosh(x) ** 2'}, {'x': '1 / y', 'y': '-x / y ** 2'})
    """
    sequences = operation.operands[: operation.sequences]
    m = Algebra(sequences)
    operands = [Sequence(name) if name in sequences else Formula.of(name) for name in operation.operands]
    result = m.written_out(operation, operands)
    written = {}
    for operand, partial in zip(operands, operation.partials, strict=True):
        derivative = partial(m, result, *operands)
        if isinstance(operand, Sequence):
            [operand], [derivative] = operand, derivative
        written[str(operand)] = str(Formula.of_real(derivative))
    return written


class Formula:
    """A sum of products: the coefficient of each, by its factors."""

    def __init__(self, terms: dict[Factors, float]) -> None:
        self.terms = {factors: number for factors, number in terms.items() if number}
        if any(len(factor) > LONGEST for factors in self.terms for factor, _ in factors):
            raise ValueError(f"a formula of more than {LONGEST} characters")

    @classmethod
    def of(cls, factor: str, exponent: float = 1.0) -> Formula:
        return cls({((factor, exponent),): 1.0})

    @classmethod
    def of_real(cls, real: Formula | float) -> Formula:
        return real if isinstance(real, Formula) else cls({(): float(real)})

    def __add__(self, other: Formula | float) -> Formula:
        other = Formula.of_real(other)
        terms = dict(self.terms)
        for factors, number in other.terms.items():
            terms[factors] = terms.get(factors, 0.0) + number
        largest = max(map(abs, [*self.terms.values(), *other.terms.values()]), default=0.0)
        least = NEGLIGIBLE * min(1.0, largest)
        return Formula({factors: number for factors, number in terms.items() if not abs(number) < least})

    def __mul__(self, other: Formula | float) -> Formula:
        other = Formula.of_real(other)
        if not self.terms or not other.terms:
            return Formula({})
        if () in other.terms and len(other.terms) == 1:
            return Formula({factors: number * other.terms[()] for factors, number in self.terms.items()})
        if () in self.terms and len(self.terms) == 1:
            return other * self
        [(left, number)], [(right, times)] = self.factored(), other.factored()
        exponents: dict[str, float] = dict(left)
        for factor, exponent in right:
            exponents[factor] = exponents.get(factor, 0.0) + exponent
        return Formula({tuple((factor, n) for factor, n in exponents.items() if n): number * times})

    def factored(self) -> Iterable[tuple[Factors, float]]:
        """It as one product; a sum is a factor then."""
        return self.terms.items() if len(self.terms) == 1 else [(((f"({self})", 1.0),), 1.0)]

    def __pow__(self, exponent: Formula | float) -> Formula:
        if isinstance(exponent, Formula):
            return Formula.of(f"{self.as_factor()} ** {exponent.as_factor()}")
        [(factors, number)] = self.factored()
        if exponent == int(exponent):
            return Formula({tuple((factor, n * exponent) for factor, n in factors if exponent): number**exponent})
        return Formula.of(self.as_factor(), exponent)

    def __neg__(self) -> Formula:
        return self * -1.0

    def __sub__(self, other: Formula | float) -> Formula:
        return self + -other

    def __rsub__(self, other: float) -> Formula:
        return -self + other

    def __truediv__(self, other: Formula | float) -> Formula:
        return self * Formula.of_real(other) ** -1.0

    def __rtruediv__(self, other: float) -> Formula:
        return self**-1.0 * other

    def __rpow__(self, other: float) -> Formula:
        return Formula.of_real(other) ** self

    __radd__, __rmul__ = __add__, __mul__

    def __abs__(self) -> Formula:
        return Formula.of(f"abs({self})")

    def __lt__(self, other: Formula | float) -> Any:
        return condition(self, "<", other)

    def __le__(self, other: Formula | float) -> Any:
        return condition(self, "<=", other)

    def __gt__(self, other: Formula | float) -> Any:
        return condition(self, ">", other)

    def __ge__(self, other: Formula | float) -> Any:
        return condition(self, ">=", other)

    def __str__(self) -> str:
        """What is subtracted stands behind what is added, and a number in front of what is as it."""
        listed = sorted(self.terms.items(), key=lambda term: (term[1] < 0, term[0] != (), written(term[0], 1.0)))
        if len(listed) == 1:
            return without_brackets(written(*listed[0]))
        parts = [f"{'-' if number < 0 else '+'} {written(factors, abs(number))}" for factors, number in listed]
        return re.sub(r"^(-?)\+? ", r"\1", " ".join(parts)) or "0"

    def replaced(self, old: str, new: str) -> Formula:
        return Formula(
            {
                tuple((replaced(factor, old, new), exponent) for factor, exponent in factors): number
                for factors, number in self.terms.items()
            }
        )

    def as_factor(self) -> str:
        """In brackets, unless it is a name, a call or a number."""
        whole = str(self)
        return whole if re.fullmatch(r"\w+(\([^()]*\))?", whole) else f"({whole})"


class Sequence(Formula):
    """An operand that is a sequence. It has one element, which stands for each."""

    def __init__(self, name: str) -> None:
        super().__init__({((name, 1.0),): 1.0})

    def __iter__(self) -> Iterator[Formula]:
        return iter([Formula.of(f"{self}_i")])

    def __getitem__(self, index: object) -> Formula:
        return Formula.of(f"{self}[{index}]")


class Shift(float):
    """What numbers are shifted by, so that none overflows. The result does not depend on it: so it is 0 here."""


class Condition:
    def __init__(self, left: Formula, symbol: str, right: Formula | float) -> None:
        self.left, self.symbol, self.right = left, symbol, right

    def __or__(self, other: Condition) -> Any:
        return self.joined("!=", other, is_true=True)

    def __and__(self, other: Condition) -> Any:
        return self.joined("==", other, is_true=False)

    def joined(self, symbol: str, other: Condition, is_true: bool) -> Any:
        """`x < y or x > y`, and `x <= y and x >= y`. A number is a kink, off which it is known."""
        return is_true if isinstance(self.right, (int, float)) else Condition(self.left, symbol, self.right)

    def __bool__(self) -> bool:
        raise TypeError("a formula may hold or not: a rule asks with where()")

    def __str__(self) -> str:
        return f"{self.left} {self.symbol} {Formula.of_real(self.right)}"


def condition(left: Formula, symbol: str, right: Formula | float) -> Condition | bool:
    return Condition(left, symbol, right) if not isinstance(right, Shift) else symbol in ("<", "<=")


@cache
def parsed(formula: str) -> CodeType:
    return compile(formula, "<formula>", "eval")


class Algebra(Mathematics):
    """The mathematics of formulas. The functions of Python's `math` are calls, other rows are written out."""

    def __init__(self, sequences: Iterable[str]) -> None:
        super().__init__()
        self.sequences = [*sequences]
        self.choices: list[tuple[str, Condition, Formula, Formula]] = []  # as it is written, if what, then and else

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name in CALLS:
            return lambda *operands: self.called(name, operands)
        return lambda *operands: self.written_out(self.rows[name], operands)

    def called(self, name: str, operands: Iterable[Any]) -> Any:
        """A call; that of a choice is a choice of calls."""
        [first, *others] = operands
        for choice, condition, x, y in self.choices:
            if not others and str(first) == choice:
                return self.where(condition, self.called(name, [x]), self.called(name, [y]))
        return called(name)(first, *others)

    def written_out(self, operation: Operation, operands: Iterable[Any]) -> Any:
        """An operation by its formula, which is Python; as a call where that has no formula."""
        if operation.name in CALLS:
            return called(operation.name)(*operands)
        names = {name: called(name) for name in ("round", "max", "min", *CALLS)}
        names |= {"sqrt": self.sqrt, "sum": self.sum, "abs": builtins.abs, "zip": builtins.zip}
        try:
            return eval(parsed(operation.formula), names | dict(zip(operation.operands, operands, strict=True)))
        except Exception:  # of what a user has defined
            return called(operation.name)(*operands)

    def where(self, condition: Condition | bool, x: Any, y: Any) -> Any:
        if isinstance(condition, bool):
            return x if condition else y
        x, y = Formula.of_real(x), Formula.of_real(y)
        for choice, same, _, otherwise in self.choices:
            if str(same) == str(condition):
                y = y.replaced(choice, str(otherwise))
        if x.terms == y.terms:
            return x
        choice = f"{x} if {condition} else {y}"
        self.choices.append((choice, condition, x, y))
        return Formula.of(f"({choice})")

    def sum(self, terms: Iterable[Formula | float], start: float = 0.0) -> Formula:
        """Of the terms there is one, which stands for each."""
        [term] = terms
        [name] = [name for name in self.sequences if re.search(rf"\b{name}_i\b", str(term))]
        return Formula.of(f"sum({term} for {name}_i in {name})") + start

    def sqrt(self, x: Formula) -> Formula:
        return x**0.5

    def power(self, x: Formula, y: Formula | float) -> Formula:
        return x**y

    def maximum(self, x: Any, y: Any) -> Any:
        return x if isinstance(x, Shift) else called("max")(x, y)

    def within(self, x: Any, least: float, most: float = math.inf) -> Any:
        return x

    def largest(self, x: Iterable[Any]) -> float:
        return Shift(0.0)

    def places(self, x: Iterable[Any]) -> list[Formula]:
        return [Formula.of("i")]


def called(name: str) -> Callable[..., Any]:
    """The function of formulas; of numbers alone, the number."""

    def call(*operands: Any) -> Any:
        formulas = [Formula.of_real(operand) for operand in operands]
        if name in CALLS and all(formula.terms.keys() <= {()} for formula in formulas):
            return strict.given[name](*[formula.terms.get((), 0.0) for formula in formulas])
        return Formula.of(f"{name}({', '.join(map(str, formulas))})")

    return call


# ---- How a product is written


def written(factors: Factors, number: float) -> str:
    """`2 * x * exp(y) / sqrt(pi)`."""
    numerator, denominator = coefficient(abs(number))
    above = numerator + [to_power(factor, n) for factor, n in factors if n > 0]
    below = denominator + [to_power(factor, -n) for factor, n in factors if n < 0]
    text = " * ".join(above) or "1"
    if below:
        text += f" / {below[0]}" if len(below) == 1 else f" / ({' * '.join(below)})"
    return f"-{text}" if number < 0 else text


def coefficient(number: float) -> tuple[list[str], list[str]]:
    """The numerator and the denominator of a number, each a list of one or none."""
    if number == 1.0:
        return [], []
    if number == int(number):
        return [f"{number:.15g}"], []
    for constant, (above, below) in NAMED.items():
        if math.isclose(number, constant, rel_tol=1e-15):
            return [above] * bool(above), [below] * bool(below)
    if 1e-6 <= number < 1.0 and math.isclose(1.0 / number, round(1.0 / number), rel_tol=1e-15):
        return [], [f"{1.0 / number:.0f}"]
    return [f"{number:.15g}"], []


def to_power(factor: str, exponent: float) -> str:
    if exponent == 1.0:
        return factor
    base = factor if re.fullmatch(r"\w+(\[\w+\])?|\w*\(.*\)", factor) else f"({factor})"
    return f"sqrt({without_brackets(factor)})" if exponent == 0.5 else f"{base} ** {exponent:.15g}"


def replaced(factor: str, old: str, new: str) -> str:
    """A factor with one text in the place of another, in brackets only where it needs them."""
    return Formula.of(new).as_factor() if factor == f"({old})" else factor.replace(old, new)


def without_brackets(text: str) -> str:
    """Without those around the whole."""
    if not text.startswith("("):
        return text
    depths = accumulate((c == "(") - (c == ")") for c in text)
    return text[1:-1] if next(i for i, depth in enumerate(depths) if depth == 0) == len(text) - 1 else text
