"""WengertList is a graph as a list of numbered instructions, and what each of its variables depends on.

An instruction applies an operation of the table to variables that stand before it; its result is the next variable.
(R. E. Wengert, "A simple automatic derivative evaluation program", Communications of the ACM 7, 1964.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING

from autograd.engines import engine
from autograd.operands import described
from autograd.operations import ROW, ROWS, TABLE
from autograd.packages import numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from autograd.operation import Operation

    Indices = NDArray[numpy.int32]
    Dependences = NDArray[numpy.uint8]

if engine == "native":
    from autograd.native import engine as native

NAMES = ("inputs", "parameters", "constants", "rows", "lengths", "operands", "outputs")
PARTS: Callable[[WengertList], tuple[Any, ...]] = attrgetter(*NAMES)  # Any: numbers and arrays

TAKE = ROW["take"]
ON_INPUTS, ON_PARAMETERS = 1, 2  # what a variable may depend on: bits, so that they can be added
MOST = 2**30 - 1  # variables, and operands of all instructions


@dataclass(frozen=True, eq=False)
class WengertList:
    """The instructions that compute some outputs from inputs and parameters.

    Variables are numbered: first the inputs, then the parameters, then the results of the instructions in their order.
    The constant k has the number -1 - k.

    inputs, parameters  how many there are
    constants           their numbers, float64
    rows                of each instruction, the row of the table, int32
    lengths             of each instruction, the length of its sequences (1 without), int32
    operands            of all instructions, one after the other, the operands' variables: sequences first, int32
    outputs             the outputs' variables, int32
    """

    inputs: int
    parameters: int
    constants: NDArray[numpy.float64]
    rows: Indices
    lengths: Indices
    operands: Indices
    outputs: Indices

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def first_result(self) -> int:
        """The variable that the first instruction computes."""
        return self.inputs + self.parameters

    def parts(self) -> tuple[Any, ...]:  # Any: numbers and arrays
        """The list's own numbers and arrays, in the order above, without what has been found out about them."""
        return PARTS(self)

    def instructions(self) -> Iterator[tuple[int, Operation, list[int | list[int]]]]:
        """Each instruction: the variable of its result, its operation, and its operands, lists for sequences."""
        operands, start = self.operands.tolist(), 0
        rows, lengths = self.rows.tolist(), self.lengths.tolist()
        for result, (row, length) in enumerate(zip(rows, lengths, strict=True), self.first_result):
            operation = ROWS[row]
            read: list[int | list[int]] = []
            for _ in range(operation.sequences):
                read.append(operands[start : start + length])
                start += length
            scalars = len(operation.operands) - operation.sequences
            read += operands[start : start + scalars]
            start += scalars
            yield result, operation, read

    @cached_property
    def dependences(self) -> Dependences:
        """Of each variable, what it depends on: ON_INPUTS, ON_PARAMETERS, the sum of both, or 0.

        What depends on an input varies from example to example; everything else is uniform, one number for a batch.
        Raises ValueError if the list is damaged: if it has an operand that is not computed before its instruction, or
        its arrays do not fit each other.
        """
        if engine == "native" and not self.defined_at_run_time():
            return numpy.frombuffer(native.dependences(*self.parts()), numpy.uint8)
        return find_dependences(self)

    @cached_property
    def lookups(self) -> tuple[Indices, Indices]:
        """The variables that are indices of lookups, `take`; and for each the length of its shortest sequence."""
        is_lookup = self.rows == TAKE
        if not is_lookup.any():
            return numpy.empty(0, numpy.int32), numpy.empty(0, numpy.int32)
        sequences = numpy.array([operation.sequences for operation in ROWS])[self.rows]
        scalars = numpy.array([len(operation.operands) for operation in ROWS])[self.rows] - sequences
        last = numpy.cumsum(sequences * self.lengths + scalars) - 1  # of each instruction's operands
        shortest: dict[int, int] = {}
        for index, length in zip(
            self.operands[last[is_lookup]].tolist(), self.lengths[is_lookup].tolist(), strict=True
        ):
            if index >= 0:  # a constant was an index when it was recorded
                shortest[index] = min(length, shortest.get(index, length))
        return numpy.array([*shortest], numpy.int32), numpy.array([*shortest.values()], numpy.int32)

    def defined_at_run_time(self) -> list[str]:
        """The names of the operations in it that were defined at run time, of which nothing is compiled."""
        return sorted({ROWS[row].name for row in self.rows[self.rows >= TABLE].tolist() if row < len(ROWS)})

    def with_parameters_as_inputs(self) -> WengertList:
        """The same list with the parameters as inputs, after those that it has."""
        return replace(self, inputs=self.first_result, parameters=0)

    def alike(self, other: WengertList) -> bool:
        """Whether both lists have the same instructions, with the same constants, to the bit."""
        return all(
            mine.tobytes() == others.tobytes() if hasattr(mine, "tobytes") else mine == others
            for mine, others in zip(self.parts(), other.parts(), strict=True)
        )

    def __getstate__(self) -> dict[str, object]:
        """With the operations' names, since the rows of another version's table may stand elsewhere."""
        parts = dict(zip(NAMES, self.parts(), strict=True))
        return parts | {"rows": [ROWS[row].name for row in self.rows]}

    def __setstate__(self, state: dict[str, object]) -> None:
        """Whatever it is given: a file may be damaged, or made by others. What is not in `NAMES` is not taken.

        What the arrays hold is checked where `dependences` is asked for, which takes memory for each input: a tape asks
        once it has seen that it has as many.
        """
        if not isinstance(state, dict) or not state.keys() >= set(NAMES):
            raise damaged(f"expected its parts {', '.join(NAMES)}, got {described(state)}")
        names = state["rows"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise damaged(f"rows: expected the operations' names, got {described(names)}")
        unknown = sorted(set(names) - ROW.keys())
        if unknown:
            raise ValueError(
                f"this tape has operations that are not in the table here: {', '.join(unknown)}; "
                "those of your own must be defined before it is loaded"
            )
        given = state | {"rows": numpy.array([ROW[name] for name in names], numpy.int32)}
        self.__dict__.update({name: checked_part(name, given[name]) for name in NAMES})


def find_dependences(wengert: WengertList) -> Dependences:
    """What `dependences` is: the specification, whose compiled twin is in native/wengert.c."""
    rows, lengths, constants = wengert.rows.tolist(), wengert.lengths.tolist(), len(wengert.constants)
    operands, start = wengert.operands.tolist(), 0
    counts = wengert.inputs, wengert.parameters, constants, len(rows), len(operands)
    if min(counts) < 0 or max(sum(counts[:4]), len(operands)) > MOST or len(lengths) != len(rows):
        raise damaged("its arrays do not fit each other")
    found = bytearray([ON_INPUTS]) * wengert.inputs + bytearray([ON_PARAMETERS]) * wengert.parameters
    for k, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        if not 0 <= row < len(ROWS) or length < 0:
            raise damaged(f"instruction {k} has no operation of the table")
        sequences = ROWS[row].sequences
        if not sequences and length != 1:
            raise damaged(f"instruction {k} has a length, but no sequence")
        count = sequences * length + len(ROWS[row].operands) - sequences
        read = operands[start : start + count]
        if len(read) < count or not all(-constants <= variable < len(found) for variable in read):
            raise damaged(f"instruction {k} has an operand that does not stand before it")
        depends = 0
        for variable in read:
            if variable >= 0:
                depends |= found[variable]
        found.append(depends)
        start += count
    if start < len(operands) or not all(-constants <= variable < len(found) for variable in wengert.outputs.tolist()):
        raise damaged("it has operands of no instruction, or an output that is not computed")
    return numpy.frombuffer(found, numpy.uint8)


def checked_part(name: str, part: Any) -> Any:  # Any: numbers and arrays
    """A count, or an array of its own. Raises ValueError if the part is none."""
    if name in ("inputs", "parameters"):
        if type(part) is not int or not 0 <= part <= MOST:
            raise damaged(f"{name}: expected how many there are, got {described(part)}")
        return part
    dtype = numpy.dtype(numpy.float64 if name == "constants" else numpy.int32)
    if type(part) is not numpy.ndarray or part.ndim != 1 or not numpy.can_cast(part.dtype, dtype, "equiv"):
        raise damaged(f"{name}: expected a vector of {dtype}, got {described(part)}")
    return numpy.array(part, dtype)


def damaged(how: str) -> ValueError:
    return ValueError(f"the Wengert list is damaged: {how}")


def listing(wengert: WengertList, labels: Sequence[str]) -> str:
    """The list as text: a line for each input and parameter, with its label, each instruction, and the outputs."""
    width = len(f"v{wengert.first_result + len(wengert) - 1}")
    kinds = ["input"] * wengert.inputs + ["parameter"] * wengert.parameters
    lines = [
        f"{f'v{i}':<{width}}   {kind} {label}".rstrip()
        for i, (kind, label) in enumerate(zip(kinds, labels, strict=True))
    ]
    name = names(wengert.constants.tolist())
    for result, operation, operands in wengert.instructions():
        shown = [f"[{', '.join(map(name, x))}]" if isinstance(x, list) else name(x) for x in operands]
        formula = f" {operation.symbol} ".join(shown) if operation.is_infix else f"{operation.name}({', '.join(shown)})"
        lines.append(f"{f'v{result}':<{width}} = {formula}")
    lines.append(f"{'output' if len(wengert.outputs) == 1 else 'outputs'} {', '.join(map(name, wengert.outputs))}")
    return "\n".join(lines)


def names(constants: Sequence[float]) -> Callable[[int], str]:
    """The function that gives a variable's name, or a constant's number."""

    def name(variable: int) -> str:
        if variable >= 0:
            return f"v{variable}"
        constant = constants[-1 - variable]
        return f"{constant:g}" if float(f"{constant:g}") == constant or math.isnan(constant) else repr(constant)

    return name
