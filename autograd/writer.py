"""Writer runs a rule of the table on names instead of numbers: the rule writes the text of a program.

Arithmetic on names writes a statement and returns the name of its result. A statement that was written before is not
written again: its name is returned. A sequence of operands has one element for Python, `x[i]`. So a comprehension over
the sequence writes the body of a loop, and `m.sum` writes the loop. A rule that asks for the number of a name, or
whether a condition on names holds, gets a TypeError. Each language is a subclass: `native/kernels.py` writes C, and
`specialised.py` Python.
"""

from __future__ import annotations

import math
import re

from autograd.operation import Mathematics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, ClassVar, TypeAlias

    from autograd.operation import Operation

    Operand: TypeAlias = "Name | float"


class Writer(Mathematics):
    """The mathematics of a text: each function that a rule calls writes a line."""

    language: ClassVar[str]
    symbols: ClassVar[dict[str, str]]  # what "abs", "nan", "inf", "or" and "and" are in the language

    def __init__(self, operation: Operation, functions: Iterable[str]) -> None:
        """Of these functions, a rule's call is a call in the text; the rules of the other rows are written out."""
        super().__init__()
        self.functions = {*functions}
        self.operation = operation
        self.lines: list[str] = []
        self.names: dict[str, str] = {}  # of the variables, by the expressions that they hold

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """What a rule calls. It isn't kept, since it refers to this: so the garbage collector has nothing to do."""
        if name in self.functions:
            return self.call(name)
        rule = super().__getattr__(name)
        del self.__dict__[name]
        return rule

    @property
    def operands(self) -> list[Name]:
        """What a rule gets."""
        names = [self.operand(name) for name in self.operation.operands]
        count = self.operation.sequences
        return [Sequence(self, name) for name in names[:count]] + [Name(self, name) for name in names[count:]]

    def operand(self, name: str) -> str:
        """The variable that holds the number, or the numbers, of the operand of this name."""
        return name

    # What differs between languages.

    def assignment(self, variable: str, expression: str) -> str:
        """The line that gives a new variable its number."""
        raise NotImplementedError

    def choice(self, condition: str, x: str, y: str) -> str:
        raise NotImplementedError

    def each(self, start: str, step: Callable[[str], str]) -> Name:
        """Writes a loop over the elements: a variable, which has this at the start, takes this step with each."""
        raise NotImplementedError

    def call(self, function: str) -> Callable[..., Name]:
        return lambda *operands: self.name(f"{function}({self.listed(operands)})")

    def sum(self, terms: Iterable[Operand], start: Operand = 0.0) -> Name:
        raise NotImplementedError

    def largest(self, terms: Iterable[Operand]) -> Name:
        raise NotImplementedError

    # What all have in common.

    def name(self, expression: str) -> Name:
        """The variable that holds the expression. An expression that differs between elements stays in its loop."""
        if re.search(r"\bi\b", expression):
            return Name(self, f"({expression})")
        if expression not in self.names:
            self.names[expression] = variable = f"v{len(self.names)}"
            self.lines.append(self.assignment(variable, expression))
        return Name(self, self.names[expression])

    def where(self, condition: Condition, x: Operand, y: Operand) -> Name:
        return self.name(self.choice(condition.text, self.literal(x), self.literal(y)))

    def listed(self, operands: Iterable[Operand]) -> str:
        return ", ".join(map(self.literal, operands))

    def literal(self, operand: Operand) -> str:
        if isinstance(operand, Name):
            return operand.text
        if math.isnan(operand):
            return self.symbols["nan"]
        if math.isinf(operand):
            return self.symbols["inf"] if operand > 0 else f"(-{self.symbols['inf']})"
        return repr(float(operand)) if operand >= 0 else f"({float(operand)!r})"


class Name:
    """An expression of the text: a variable, or an expression in parentheses."""

    def __init__(self, writer: Writer, text: str) -> None:
        self.writer = writer
        self.text = text

    def __str__(self) -> str:
        return self.text

    def __neg__(self) -> Name:
        return self.writer.name(f"-{self}")

    def __abs__(self) -> Name:
        return self.writer.name(f"{self.writer.symbols['abs']}({self})")

    def __bool__(self) -> bool:
        raise TypeError(f"it asks in Python whether {self} is true, {unknown(self.writer)}: use m.where")

    def __float__(self) -> float:
        raise TypeError(f"it asks in Python for the number of {self}, {unknown(self.writer)}")


class Sequence(Name):
    """An array of operands: iterating over it gives one element, that of a loop over i."""

    def __iter__(self) -> Iterator[Name]:
        return iter([Name(self.writer, f"{self}[i]")])


class Condition:
    """A condition of the text: the first operand of m.where."""

    def __init__(self, writer: Writer, text: str) -> None:
        self.writer = writer
        self.text = f"({text})"

    def __or__(self, other: Condition) -> Condition:
        return Condition(self.writer, f"{self.text} {self.writer.symbols['or']} {other.text}")

    def __and__(self, other: Condition) -> Condition:
        return Condition(self.writer, f"{self.text} {self.writer.symbols['and']} {other.text}")

    def __bool__(self) -> bool:
        raise TypeError(f"it asks in Python whether {self.text}, {unknown(self.writer)}: use m.where")


def unknown(writer: Writer) -> str:
    return f"which {writer.language} cannot know then"


for _method, _symbol in {"add": "+", "sub": "-", "mul": "*", "truediv": "/"}.items():

    def _infix(left: Name, right: Operand, symbol: str = _symbol) -> Name:
        return left.writer.name(f"{left} {symbol} {left.writer.literal(right)}")

    def _reflected(right: Name, left: Operand, symbol: str = _symbol) -> Name:
        return right.writer.name(f"{right.writer.literal(left)} {symbol} {right}")

    setattr(Name, f"__{_method}__", _infix)
    setattr(Name, f"__r{_method}__", _reflected)

for _method, _symbol in {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():

    def _comparison(left: Name, right: Operand, symbol: str = _symbol) -> Condition:
        return Condition(left.writer, f"{left} {symbol} {left.writer.literal(right)}")

    setattr(Name, f"__{_method}__", _comparison)
