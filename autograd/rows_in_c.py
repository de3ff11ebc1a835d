"""Writes a row's rules in C: as a function of numbers, of whatever type a subclass of `Body` says that numbers are.

`native/kernels.py` writes the native engine's functions with it, and the tape those of a list that is compiled.
"""

from __future__ import annotations

import re

from autograd.operation import ieee
from autograd.writer import Name, Writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import ClassVar

    from autograd.operation import Operation
    from autograd.writer import Operand, Sequence

KEYWORDS = re.findall(
    r"\w+",
    """auto break case char const continue default do double else enum extern float for goto if inline int long register
    restrict return short signed sizeof static struct switch typedef union unsigned void volatile while""",
)


def value_kernel(operation: Operation, kind: type[Body] | None = None) -> str:
    body = (kind or Body)(operation)
    result = operation.compute(body, *body.operands)
    body.lines.append(f"return {body.literal(result)};")
    return body.function(f"{body.number} {operation.name}_value({body.index} n, const {body.number} *operands)")


def partial_kernel(operation: Operation, index: int, kind: type[Body] | None = None) -> str:
    body = (kind or Body)(operation, keeps_terms=index < operation.sequences)
    derivative = operation.partials[index](body, Name(body, "r"), *body.operands)
    if index < operation.sequences:
        [element] = derivative
        body.lines.append(f"for ({body.index} i = 0; i < n; i++) derivatives[i] = {body.with_kept_terms(element)};")
    else:
        body.lines.append(f"*derivatives = {body.literal(derivative)};")
    number, count = body.number, body.index
    parameters = f"{number} r, {count} n, const {number} *operands, {number} *derivatives"
    return body.function(f"void {operation.name}_partial_{index}({parameters})")


class Body(Writer):
    """The mathematics of one C function's body."""

    language = "C"
    number: ClassVar = "double"  # the types of numbers and counts, and what stands before a function
    index: ClassVar = "Py_ssize_t"
    specifier: ClassVar = "ALWAYS_INLINE"
    symbols: ClassVar = {"abs": "fabs", "nan": "NAN", "inf": "INFINITY", "or": "||", "and": "&&"}

    def __init__(self, operation: Operation, keeps_terms: bool = False) -> None:
        """With room to keep the terms of a sum, in `derivatives`, which may be needed again: softmax is one's share."""
        super().__init__(operation, ieee.given.keys() - {"divide"})  # C's own division is IEEE 754's
        self.sequences = operation.operands[: operation.sequences]
        self.scalars = operation.operands[operation.sequences :]
        self.keeps_terms = keeps_terms
        self.kept = ""  # the terms, as an expression

    def assignment(self, variable: str, expression: str) -> str:
        return f"const {self.number} {variable} = {expression};"

    def choice(self, condition: str, x: str, y: str) -> str:
        return f"{condition} ? {x} : {y}"

    def call(self, function: str) -> Callable[..., Name]:
        return super().call(C_NAMES.get(function, function))

    def sum(self, terms: Iterable[Operand], start: Operand = 0.0) -> Name:
        [term] = terms
        text = self.literal(term)
        if not self.keeps_terms or self.kept or "(" not in text:
            return self.each(self.literal(start), lambda total: f"{total} = {total} + {text};")
        self.kept = text
        keep = f"derivatives[i] = {text};"
        return self.each(self.literal(start), lambda total: f"{keep} {total} = {total} + derivatives[i];")

    def with_kept_terms(self, element: Operand) -> str:
        """The expression of one element, in which terms that have been kept are not computed again."""
        text = self.literal(element)
        return text.replace(self.kept, "derivatives[i]") if self.kept else text

    def largest(self, terms: Iterable[Operand]) -> Name:
        [term] = terms
        text = self.literal(term)
        return self.each("-INFINITY", lambda largest: f"if ({text} > {largest}) {largest} = {text};")

    def places(self, sequence: Sequence) -> Iterable[Name]:
        return [Name(self, f"({self.number})i")]

    def element(self, sequence: Sequence, index: Operand) -> Name:
        return self.name(f"element({sequence}, n, {self.literal(index)})")

    def each(self, start: str, step: Callable[[str], str]) -> Name:
        variable = f"t{len(self.lines)}"
        self.lines.append(f"{self.number} {variable} = {start};")
        self.lines.append(f"for ({self.index} i = 0; i < n; i++) {{ {step(variable)} }}")
        return Name(self, variable)

    def function(self, head: str) -> str:
        parameters = [name for name in ("n", "r", "operands") if re.search(rf"\b{name}\b", head)]
        declarations = [f"const {self.number} *{name} = operands + {i} * n;" for i, name in enumerate(self.sequences)]
        declarations += [
            f"const {self.number} {name} = operands[{len(self.sequences)} * n + {i}];"
            for i, name in enumerate(self.scalars)
        ]
        text = "\n".join(self.lines)
        used = [
            line
            for line, name in zip(declarations, map(str, self.operands), strict=True)
            if re.search(rf"\b{name}\b", text)
        ]
        unused = " ".join(f"(void){name};" for name in parameters)
        return f"\n{self.specifier} {head}\n{{\n    " + "\n    ".join([unused, *used, *self.lines]) + "\n}\n"


C_NAMES = {"power": "pow"}

FAST = {"exp", "log", "log1p", "tanh", "erf", "sin", "cos"}  # what native/fast_math.h has, for lanes
