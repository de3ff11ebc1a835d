"""Symbols are the variables of a list that is being written: the table's rules, run on symbols, write instructions.

So a rule that gives a derivative as a number, a graph or a batch gives the instructions that compute it, too. Nothing
is computed on the way, but for what is a constant. An instruction that is there already is not written again.

A rule that compares chooses with `m.where`. In a list a choice is a lookup: where(x > y, a, b) is take([b, a], index),
whose index is 1 where x > y and else 0. It is computed by rows of the table, exactly:

    [x > y]  =  relu(direction(atan(x - y), 0))

direction(z, 0) is the sign of z; atan keeps the sign, and makes a finite number of inf. A nan chooses nan.
"""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from autograd.operation import Mathematics, ieee, places
from autograd.operations import OPERATIONS, ROW, ROWS
from autograd.packages import numpy
from autograd.tape.branches import RecordingError
from autograd.tape.record import Writer
from autograd.tape.wengert import WengertList

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any, TypeAlias

    from autograd.operation import Operation

    Number: TypeAlias = "Symbol | float"
    Truth: TypeAlias = "Symbol | bool"  # a symbol that is 1 where it holds, else 0


class Symbol:
    """A variable of a draft, to compute with. What is computed from it is a symbol, too."""

    __slots__ = ("draft", "variable")

    def __init__(self, draft: Draft, variable: int) -> None:
        self.draft = draft
        self.variable = variable

    def __add__(self, other: Number) -> Number:
        return self.draft.apply("add", self, other)

    def __radd__(self, other: Number) -> Number:
        return self.draft.apply("add", other, self)

    def __sub__(self, other: Number) -> Number:
        return self.draft.apply("subtract", self, other)

    def __rsub__(self, other: Number) -> Number:
        return self.draft.apply("subtract", other, self)

    def __mul__(self, other: Number) -> Number:
        return self.draft.apply("multiply", self, other)

    def __rmul__(self, other: Number) -> Number:
        return self.draft.apply("multiply", other, self)

    def __truediv__(self, other: Number) -> Number:
        return self.draft.apply("divide", self, other)

    def __rtruediv__(self, other: Number) -> Number:
        return self.draft.apply("divide", other, self)

    def __pow__(self, other: Number) -> Number:
        return self.draft.apply("power", self, other)

    def __rpow__(self, other: Number) -> Number:
        return self.draft.apply("power", other, self)

    def __neg__(self) -> Number:
        return self.draft.apply("negative", self)

    def __abs__(self) -> Number:
        return self.draft.apply("abs", self)

    def __gt__(self, other: Number) -> Number:
        return self.draft.is_above(self, other)

    def __lt__(self, other: Number) -> Number:
        return self.draft.is_above(other, self)

    def __ge__(self, other: Number) -> Number:
        return 1.0 - self.draft.is_above(other, self)

    def __le__(self, other: Number) -> Number:
        return 1.0 - self.draft.is_above(self, other)

    def __and__(self, other: Truth) -> Truth | Number:
        if isinstance(other, Symbol):
            return self.draft.apply("multiply", self, other)
        return self if other else False

    def __or__(self, other: Truth) -> Truth | Number:
        if isinstance(other, Symbol):
            return self.draft.apply("maximum", self, other)
        return True if other else self

    __rand__, __ror__ = __and__, __or__

    def __bool__(self) -> bool:
        raise RecordingError(
            "Tape: second derivatives: the rule of an operation branches on its operands, which a list cannot; "
            "write it with m.where(condition, x, y), and conditions with |, & and <"
        )


class Draft(Writer):
    """A list that is being written: that of a tape, and behind it the instructions that rules write.

    Further leaves, of which more may be asked for at any time, have the numbers from `FURTHER` on. `finished` is told
    which of them are a list's further inputs, and which are its further parameters.
    """

    def __init__(self, wengert: WengertList) -> None:
        super().__init__({})
        self.inputs, self.first = wengert.inputs, wengert.first_result
        self.further = count(FURTHER)
        self.numbers: dict[int, float] = {}  # of the constants, by their variables
        rows: dict[str, Any] = {name: partial(self.apply, name) for name in OPERATIONS}
        others = {"where": self.where, "sum": self.sum, "places": places, "varies": varies}
        self.mathematics = Mathematics(**rows | others | {"largest": rows["max"], "element": rows["take"]})
        constants = wengert.constants.tolist()
        variables: list[int] = [*range(self.first)]
        for _, operation, operands in wengert.instructions():
            flat = [x for operand in operands for x in (operand if isinstance(operand, list) else [operand])]
            read = [variables[x] if x >= 0 else self.constant(constants[-1 - x]) for x in flat]
            variables.append(self.instruction(ROW[operation.name], read))
        self.variables = variables  # of the list's, here: an instruction that is there twice is written once

    def symbol(self, variable: int) -> Number:
        """That of a variable; for a constant, its number."""
        return Symbol(self, variable) if variable >= 0 else self.numbers[variable]

    def further_symbol(self) -> Symbol:
        return Symbol(self, next(self.further))

    def constant(self, number: float) -> int:
        variable = super().constant(number)
        self.numbers[variable] = number
        return variable

    def instruction(self, row: int, operands: list[int]) -> int:
        """The variable of its result. `known` is all that there is of instructions: no interrupt leaves one by half."""
        return self.known.setdefault((row, *operands), self.first + len(self.known))

    # ---- The mathematics of symbols

    def apply(self, name: str, *operands: Any, **keywords: Any) -> Number:
        """The result of an operation of the table."""
        operation = OPERATIONS[name]
        operands = operation.bind(operands, keywords)
        flat = [x for operand in operands for x in (operand if isinstance(operand, (list, tuple)) else [operand])]
        if not any(isinstance(x, Symbol) for x in flat):
            folded: float = getattr(ieee, name)(*operands)
            return folded
        if name in LEFT_ALONE:
            number, places = LEFT_ALONE[name]
            for place in places:
                if not isinstance(flat[place], Symbol) and flat[place] == number:
                    return flat[1 - place]  # type: ignore[no-any-return]
        read = [x.variable if isinstance(x, Symbol) else self.constant(x) for x in flat]
        if name in ("add", "multiply") and (ROW[name], *read[::-1]) in self.known:
            read.reverse()
        if name == "softmax_of":  # the others in one order: each probability has the others' in its derivatives
            read[:-1] = sorted(read[:-1])
        return Symbol(self, self.instruction(ROW[name], read))

    def sum(self, terms: Sequence[Number], start: Number = 0.0) -> Number:
        return self.apply("sum", [start, *terms])

    def where(self, condition: Truth, x: Number, y: Number) -> Number:
        if not isinstance(condition, Symbol):
            return x if condition else y
        return self.apply("take", [y, x], condition)

    def is_above(self, x: Number, y: Number) -> Number:
        """1 where x > y, else 0."""
        sign = self.apply("direction", self.apply("atan", self.apply("subtract", x, y)), 0.0)
        return self.apply("relu", sign)

    def sum_of_products(self, terms: Sequence[tuple[Number, Number]], start: Number = 0.0) -> Number:
        """start + Σ x y, from left to right, as `backward()` adds. Many terms are one instruction."""
        if len(terms) > 2:
            left, right = zip(*terms, strict=True)
            return self.apply("dot", left, right, start)
        for x, y in terms:
            start = self.apply("add", start, self.apply("multiply", x, y))
        return start

    # ---- What has been written

    def needed(self, numbers: Iterable[Number], given: Iterable[Symbol] = ()) -> list[int]:
        """The results of the instructions that these numbers are computed from, in the order of the list.

        Those that are given need not be computed.
        """
        written, first = [*self.known], self.first
        marks = bytearray(len(written))
        for number in numbers:
            if isinstance(number, Symbol) and first <= number.variable < FURTHER:
                marks[number.variable - first] = True
        known = {symbol.variable - first for symbol in given}
        for k in reversed(range(len(written))):
            if k in known:
                marks[k] = False
            elif marks[k]:
                for operand in written[k][1:]:
                    if first <= operand < FURTHER:
                        marks[operand - first] = True
        return [first + k for k, is_needed in enumerate(marks) if is_needed]

    def instructions(self, results: Iterable[int]) -> Iterator[tuple[int, Operation, list[int | list[int]]]]:
        """Those with these results, as they are written now, in the form of the list's own `instructions`."""
        written, first = [*self.known], self.first  # row and operands, in the order of the instructions
        for result in results:
            row, *operands = written[result - first]
            length, sequences = length_of_each(row, len(operands)), ROWS[row].sequences
            parts: list[int | list[int]] = [operands[k * length : (k + 1) * length] for k in range(sequences)]
            yield result, ROWS[row], [*parts, *operands[sequences * length :]]

    def finished(
        self, outputs: Sequence[Number], inputs: Sequence[Symbol] = (), parameters: Sequence[Symbol] = ()
    ) -> WengertList:
        """The list that computes these outputs, with what they need and nothing else.

        Its inputs are those of the tape, then these; likewise its parameters. A further input may stand for the result
        of an instruction: the list then takes it as given, and differentiates nothing that it was computed from.
        """
        needed, written = self.needed(outputs, inputs), [*self.known]
        first = [*range(self.inputs), *[symbol.variable for symbol in inputs]]
        leaves = [*first, *range(self.inputs, self.first), *[symbol.variable for symbol in parameters]]
        number = {variable: i for i, variable in enumerate([*leaves, *needed])}
        constants: list[float] = []

        def numbered(variable: int) -> int:
            if variable not in number:  # a constant
                constants.append(self.numbers[variable])
                number[variable] = -len(constants)
            return number[variable]

        instructions = [written[result - self.first] for result in needed]
        rows = [row for row, *_ in instructions]
        lengths = [length_of_each(row, len(operands)) for row, *operands in instructions]
        operands = [numbered(x) for _, *operands in instructions for x in operands]
        results = [numbered(x.variable if isinstance(x, Symbol) else self.constant(x)) for x in outputs]
        arrays = [numpy.array(part, numpy.int32) for part in (rows, lengths, operands, results)]
        return WengertList(len(first), len(leaves) - len(first), numpy.array(constants, float), *arrays)


def length_of_each(row: int, operands: int) -> int:
    """The length of the sequences of an instruction with so many operands; 1 if it has none."""
    operation = ROWS[row]
    scalars = len(operation.operands) - operation.sequences
    return (operands - scalars) // operation.sequences if operation.sequences else 1


FURTHER = 2**30  # more variables than a list may have

# What an operation leaves alone: x, where the operand at one of these places is this constant. A sum that begins with 0
# is its first term, but x + 0.0 is how a rule makes 0.0 of -0.0.
LEFT_ALONE = {
    "add": (0.0, (0,)), "subtract": (0.0, (1,)), "multiply": (1.0, (0, 1)), "divide": (1.0, (1,)), "power": (1.0, (1,)),
}  # fmt: skip


def varies(operand: Any) -> bool:
    return isinstance(operand, Symbol) or (isinstance(operand, (tuple, list)) and any(map(varies, operand)))
