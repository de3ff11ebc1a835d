"""The dialects of C that a tape's programs are written in: of single numbers, double or float, and of lanes.

A lane is an example's number in a vector of EIGHT. Each dialect writes a row of the table as an expression, where that
is short, and else as a function.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograd.packages import numpy
from autograd.rows_in_c import C_NAMES, KEYWORDS, Body, partial_kernel, value_kernel
from autograd.writer import Name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import ClassVar

    from autograd.operation import Operation
    from autograd.writer import Operand, Sequence

# What has a meaning in the text of a program already, so that no operand of a rule can be called so.
TAKEN = {
    *KEYWORDS,
    *[
        "n",
        "i",
        "r",
        "l",
        "operands",
        "derivatives",
        "V",
        "M",
        "F",
        "A",
        "splat",
        "choose",
        "chosen",
        "absolute",
        "NAN",
        "INFINITY",
    ],
}


class Scalars(Body):
    """Numbers of the type double, in standard C."""

    index: ClassVar = "int"
    specifier: ClassVar = "static"

    def __init__(self, operation: Operation, keeps_terms: bool = False) -> None:
        super().__init__(operation, keeps_terms)
        self.called: set[str] = set()  # functions of the C library, and `element`

    def call(self, function: str) -> Callable[..., Name]:
        self.called.add(C_NAMES.get(function, function))
        return super().call(function)

    def element(self, sequence: Sequence, index: Operand) -> Name:
        self.called.add("element")
        return super().element(sequence, index)


class Floats(Scalars):
    """Numbers of the type float. What is beyond its range is its largest number, or its smallest."""

    number: ClassVar = "float"
    symbols: ClassVar = {**Scalars.symbols, "abs": "fabsf"}

    def call(self, function: str) -> Callable[..., Name]:
        self.called.add(name := C_NAMES.get(function, function))
        return lambda *operands: self.name(f"{name}f({self.listed(operands)})")

    def literal(self, operand: Operand) -> str:
        if isinstance(operand, Name) or not math.isfinite(operand):
            return super().literal(operand)
        return float_literal(float(operand))


def float_literal(number: float) -> str:
    with numpy.errstate(over="ignore", under="ignore"):
        rounded = numpy.float32(number)
    if numpy.isinf(rounded):
        rounded = numpy.copysign(numpy.finfo(numpy.float32).max, rounded)
    if rounded == 0.0 and number != 0.0:
        rounded = numpy.copysign(numpy.finfo(numpy.float32).smallest_subnormal, rounded)
    text = str(rounded)
    text = text if {*text} & {".", "e"} else f"{text}.0"
    return f"{text}f" if not text.startswith("-") else f"({text}f)"


class Lanes(Scalars):
    """Vectors, with the extension that GCC and Clang have in common. A condition is a mask."""

    number: ClassVar = "V"
    symbols: ClassVar = {"abs": "absolute", "nan": "splat(NAN)", "inf": "splat(INFINITY)", "or": "|", "and": "&"}

    def choice(self, condition: str, x: str, y: str) -> str:
        return f"choose({condition}, {x}, {y})"

    def call(self, function: str) -> Callable[..., Name]:
        self.called.add(name := C_NAMES.get(function, function))
        return lambda *operands: self.name(f"lanes_{name}({self.listed(operands)})")

    def literal(self, operand: Operand) -> str:
        text = super().literal(operand)
        return text if isinstance(operand, Name) or not math.isfinite(operand) else f"splat({text})"

    def element(self, sequence: Sequence, index: Operand) -> Name:
        self.called.add("element")
        return self.name(f"lanes_element({sequence}, n, {self.literal(index)})")

    def largest(self, terms: Iterable[Operand]) -> Name:
        [term] = terms
        text = self.literal(term)
        return self.each("splat(-INFINITY)", lambda it: f"{it} = choose({text} > {it}, {text}, {it});")

    def places(self, sequence: Sequence) -> Iterable[Name]:
        return [Name(self, "splat((double)i)")]


@dataclass(frozen=True)
class Rule:
    """A row's value, or one of its partial derivatives, in C.

    expression  in the operands' names; of a row with sequences, none
    function    the text of the function that it calls, if it does
    called      what that needs of the C library
    needed      the names of the operands, and "r", that the expression needs
    """

    expression: str
    function: str
    called: frozenset[str]
    needed: frozenset[str]

    def on(self, operands: dict[str, str]) -> str:
        """The expression with these operands, which are names, or in parentheses."""
        return re.sub(r"\b[^\W\d]\w*\b(?!\()", lambda match: operands.get(match[0], match[0]), self.expression)


class Rules:
    """The rules in one dialect, each written once, when it is first asked for."""

    def __init__(self, dialect: type[Scalars]) -> None:
        self.dialect = dialect
        self.written: dict[tuple[str, int | None], Rule] = {}

    def rule(self, operation: Operation, partial: int | None = None) -> Rule:
        """Of the value, or of the partial derivative by the operand of this number.

        Raises TypeError, naming the operation, where its rule cannot be written in C.
        """
        key = operation.name, partial
        if key not in self.written:
            try:
                check_names(operation)
                write = with_sequences if operation.sequences else of_scalars
                self.written[key] = write(self.dialect, operation, partial)
            except Exception as error:
                raise TypeError(f"the rule of {operation.name} cannot be written in C: {error}") from error
        return self.written[key]


def check_names(operation: Operation) -> None:
    for name in (operation.name, *operation.operands):
        if name in TAKEN and name != operation.name:
            raise TypeError(f"the operand {name!r} has a name that means something there already")
        if not name.isascii():
            raise TypeError(f"{name!r} is no name in C")


def of_scalars(dialect: type[Scalars], operation: Operation, partial: int | None) -> Rule:
    body = dialect(operation)
    if partial is None:
        result = operation.compute(body, *body.operands)
    else:
        result = operation.partials[partial](body, Name(body, "r"), *body.operands)
    text = body.literal(result)
    names = ["r"] * (partial is not None) + [*operation.operands]
    if len(body.lines) == 1 and body.names == {expression(body): text}:
        text = expression(body)
        body.lines = []
    used = [name for name in names if re.search(rf"\b{name}\b", " ".join([*body.lines, text]))]
    if not body.lines:
        return Rule(text, "", frozenset(body.called), frozenset(used))
    what = "value" if partial is None else f"by_{operation.operands[partial]}"
    parameters = ", ".join(f"{body.number} {name}" for name in used)
    lines = "\n    ".join([*body.lines, f"return {text};"])
    head = f"{body.specifier} {body.number} {operation.name}_{what}({parameters})"
    function = f"\n{head}\n{{\n    {lines}\n}}\n"
    return Rule(f"{operation.name}_{what}({', '.join(used)})", function, frozenset(body.called), frozenset(used))


def expression(body: Body) -> str:
    """The one that its only variable holds."""
    return next(iter(body.names), "")


def with_sequences(dialect: type[Scalars], operation: Operation, partial: int | None) -> Rule:
    """A function of all operands in one array: of the value, or that writes the derivatives."""
    called: set[str] = set()

    class Noted(dialect):  # type: ignore[valid-type, misc]  # the dialect is an argument
        def __init__(self, operation: Operation, keeps_terms: bool = False) -> None:
            super().__init__(operation, keeps_terms)
            self.called = called

    if partial is None:
        function = value_kernel(operation, Noted)
    else:
        function = partial_kernel(operation, partial, Noted)
    return Rule("", function, frozenset(called), frozenset(operation.operands))
