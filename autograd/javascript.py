"""Writes rows of the table as JavaScript, for pages that compute: each row's value and its partial derivatives.

    source([OPERATIONS["multiply"]])

is a text that defines the class `Tape` (tape.js beside this file), which computes graphs forward and backward, and the
array `RULES`, with an entry for each row in the order in which they are given:

    [{ name: "multiply", sequences: 0,
       value(x_, y_) { const v0 = x_ * y_; return v0; },
       partials: [(r, x_, y_) => { return y_; }, (r, x_, y_) => { return x_; }] }]

A sequence is an array, and so is the derivative by one. `functions.js` has what JavaScript's Math lacks. Arithmetic is
IEEE 754's, as in a tape: what is undefined is NaN, what is too large is Infinity, and nothing raises. `+ - * /` and
`sqrt` have the engine's bits. Of other functions JavaScript promises no more than an approximation. In the engines of
browsers they are within some units in the last place: the tests hold them to 1e-12 of the engine's numbers in Chromium.
"""

from __future__ import annotations

import json
from importlib.resources import files

from autograd.operation import ieee
from autograd.writer import Name, Writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import ClassVar

    from autograd.operation import Operation
    from autograd.writer import Operand, Sequence

MOST_STATEMENTS = 2_000  # of one function; a rule with a loop of its own may write millions

# What functions.js defines; all else that a rule calls is in JavaScript's Math.
DEFINED = {"erf", "erfc", "exp2", "power", "element"}


def source(operations: Iterable[Operation | None]) -> str:
    """The text of a script that defines `Tape` and, for these rows, `RULES`.

    In the place of none, and of a row whose rules cannot be written, stands `null`. All rows of the table can be. The
    rules of an operation that is defined at run time may do what names cannot, such as to ask whether an operand is
    positive, or to call Python's `math`.
    """
    rules = "".join(f"{row(operation)},\n" for operation in operations)
    return f"{resource('functions.js')}\n{resource('tape.js')}\nconst RULES = [\n{rules}];\n"


def resource(name: str) -> str:
    return files("autograd").joinpath(name).read_text(encoding="utf-8")


def row(operation: Operation | None) -> str:
    try:
        return written(operation) if operation else "null"
    except Exception:  # the rules that a user has defined may be anything but formulas
        return "null"


def written(operation: Operation) -> str:
    """A row's object. Raises an error of any kind where a rule cannot be written."""
    partials = ", ".join(partial(operation, index) for index in range(len(operation.partials)))
    head = f"name: {json.dumps(operation.name)}, sequences: {operation.sequences}"
    return f"{{ {head},\n  {value(operation)},\n  partials: [{partials}] }}"


def value(operation: Operation) -> str:
    body = Body(operation)
    body.lines.append(f"return {body.literal(operation.compute(body, *body.operands))};")
    return f"value({body.listed(body.operands)}) {body.block}"


def partial(operation: Operation, index: int) -> str:
    body = Body(operation)
    operands = body.operands
    derivative = operation.partials[index](body, Name(body, "r"), *operands)
    if index < operation.sequences:
        [element] = derivative
        derivative = body.mapped(operands[index], element)
    body.lines.append(f"return {body.literal(derivative)};")
    return f"(r, {body.listed(operands)}) => {body.block}"


class Body(Writer):
    """The mathematics of one function in JavaScript.

    An operand's name ends in "_", so that it is no other name in the text, and no word of the language.
    """

    language = "JavaScript"
    symbols: ClassVar = {"abs": "Math.abs", "nan": "NaN", "inf": "Infinity", "or": "||", "and": "&&"}

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation, ieee.given.keys() - {"divide"})  # JavaScript's own division is IEEE 754's

    @property
    def block(self) -> str:
        return f"{{ {' '.join(self.lines)} }}"

    def operand(self, name: str) -> str:
        return f"{name}_"

    def assignment(self, variable: str, expression: str) -> str:
        if len(self.lines) > MOST_STATEMENTS:
            raise ValueError(f"a rule of more than {MOST_STATEMENTS:,} statements")
        return f"const {variable} = {expression};"

    def choice(self, condition: str, x: str, y: str) -> str:
        return f"{condition} ? {x} : {y}"

    def call(self, function: str) -> Callable[..., Name]:
        return super().call(function if function in DEFINED else f"Math.{function}")

    def sum(self, terms: Iterable[Operand], start: Operand = 0.0) -> Name:
        [term] = terms
        text = self.literal(term)
        return self.each(self.literal(start), lambda total: f"{total} = {total} + {text};")

    def largest(self, terms: Iterable[Operand]) -> Name:
        [term] = terms
        text = self.literal(term)
        return self.each("-Infinity", lambda largest: f"if ({text} > {largest}) {largest} = {text};")

    def places(self, sequence: Sequence) -> Iterable[Name]:
        return [Name(self, "(i)")]

    def element(self, sequence: Sequence, index: Operand) -> Name:
        return self.name(f"element({sequence}, {self.literal(index)})")

    def each(self, start: str, step: Callable[[str], str]) -> Name:
        variable = f"t{len(self.lines)}"
        sequence = self.operand(self.operation.operands[0])
        self.lines.append(f"let {variable} = {start};")
        self.lines.append(f"for (let i = 0; i < {sequence}.length; i++) {{ {step(variable)} }}")
        return Name(self, variable)

    def mapped(self, sequence: Name, element: Operand) -> Name:
        """The array of what becomes of each element."""
        return Name(self, f"{sequence}.map((_, i) => {self.literal(element)})")
