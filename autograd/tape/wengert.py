"""How is a graph written down? As a Wengert list: numbered instructions, operations on the results of those before.

(R. E. Wengert, "A simple automatic derivative evaluation program", Communications of the ACM 7, 1964.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy

from autograd.engines import Value, engine
from autograd.graph import topological_order
from autograd.operations import OPERATIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from autograd.operation import Operation

    Indices = NDArray[numpy.int32]

if engine == "native":
    from autograd.native import engine as native

ROWS: list[Operation] = list(OPERATIONS.values())
ROW = {name: row for row, name in enumerate(OPERATIONS)}


@dataclass(frozen=True, eq=False)
class WengertList:
    """The instructions that compute some outputs from inputs and parameters.

    A variable is numbered: first the inputs, then the parameters, then the results of the instructions in their order.
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

    def instructions(self) -> Iterator[tuple[int, Operation, list[int | list[int]]]]:
        """Each instruction: the variable of its result, its operation, and its operands, lists for sequences."""
        operands, start = self.operands.tolist(), 0
        first = self.inputs + self.parameters
        for result, (row, length) in enumerate(zip(self.rows.tolist(), self.lengths.tolist(), strict=True), first):
            operation = ROWS[row]
            read: list[int | list[int]] = []
            for _ in range(operation.sequences):
                read.append(operands[start : start + length])
                start += length
            scalars = len(operation.operands) - operation.sequences
            read += operands[start : start + scalars]
            start += scalars
            yield result, operation, read

    def dependent(self, variables: range) -> set[int]:
        """The variables that depend on any of these, and these."""
        found = set(variables)
        for result, _, operands in self.instructions():
            flat = (v for operand in operands for v in (operand if isinstance(operand, list) else [operand]))
            if not found.isdisjoint(flat):
                found.add(result)
        return found

    def alike(self, other: WengertList) -> bool:
        """Whether both lists have the same instructions, with the same constants, to the bit."""
        mine, others = self.__dict__, other.__dict__
        return all(
            mine[name].tobytes() == others[name].tobytes()
            if hasattr(mine[name], "tobytes")
            else mine[name] == others[name]
            for name in mine
        )

    def __getstate__(self) -> dict[str, object]:
        """With the operations' names, since the rows of another version's table may stand elsewhere."""
        return self.__dict__ | {"rows": [ROWS[row].name for row in self.rows]}

    def __setstate__(self, state: dict[str, object]) -> None:
        names: list[str] = state["rows"]  # type: ignore[assignment]
        unknown = sorted(set(names) - ROW.keys())
        if unknown:
            raise ValueError(f"this tape has operations that are not in the table here: {', '.join(unknown)}")
        self.__dict__.update(state | {"rows": numpy.array([ROW[name] for name in names], numpy.int32)})


def write_down(outputs: Sequence[Value], inputs: Sequence[Value]) -> tuple[WengertList, list[Value]]:
    """The list that computes the outputs from the inputs, and its parameters: every other leaf, in topological order.

    An operation that has been recorded twice with the same operands becomes one instruction. What no output needs is
    not in the outputs' graph, and so not in the list. Nothing is reordered or simplified.

    Raises TypeError for a Value that no operation of the table computed.
    """
    if engine == "native":
        parameters, constants, *arrays = native.record(list(outputs), list(inputs))
        indices = [numpy.frombuffer(array, numpy.int32) for array in arrays]
        return WengertList(len(inputs), len(parameters), numpy.frombuffer(constants), *indices), parameters
    order = topological_order(*outputs)
    variable = {value: i for i, value in enumerate(inputs)}
    parameters = [node for node in order if not node.parents and node not in variable]
    variable |= {value: i for i, value in enumerate(parameters, len(inputs))}
    writer = Writer(variable)
    for node in order:
        if node.parents:
            writer.write(node)
    return writer.written(outputs, inputs, parameters), parameters


class Writer:
    """Writes a list, node by node."""

    def __init__(self, variable: dict[Value, int]) -> None:
        self.variable = variable
        self.first = len(variable)
        self.known: dict[tuple[int, ...], int] = {}  # the result of each instruction
        self.constants: dict[bytes, int] = {}
        self.rows: list[int] = []
        self.lengths: list[int] = []
        self.operands: list[int] = []

    def write(self, node: Value) -> None:
        if node.operation is None:
            raise TypeError(uncomputable(node))
        sequences = [operand for operand in node.operands if isinstance(operand, tuple)]
        flat = [element for sequence in sequences for element in sequence]
        flat += [operand for operand in node.operands if not isinstance(operand, tuple)]
        row = ROW[node.operation.name]
        operands = [self.variable[x] if isinstance(x, Value) else self.constant(x) for x in flat]
        known = self.known.setdefault((row, *operands), self.first + len(self.rows))
        self.variable[node] = known
        if known == self.first + len(self.rows):
            self.rows.append(row)
            self.lengths.append(len(sequences[0]) if sequences else 1)
            self.operands += operands

    def constant(self, number: float) -> int:
        """By its bits, so that 0.0 is not -0.0."""
        return -1 - self.constants.setdefault(numpy.float64(number).tobytes(), len(self.constants))

    def written(self, outputs: Sequence[Value], inputs: Sequence[Value], parameters: Sequence[Value]) -> WengertList:
        indices = (self.rows, self.lengths, self.operands, [self.variable[output] for output in outputs])
        constants = numpy.frombuffer(b"".join(self.constants))
        arrays = [numpy.array(numbers, numpy.int32) for numbers in indices]
        return WengertList(len(inputs), len(parameters), constants, *arrays)


def uncomputable(node: Value) -> str:
    return f"{node!r} was not computed by an operation of the table, so a tape cannot compute it again"


def listing(wengert: WengertList, labels: Sequence[str]) -> str:
    """The list as text: a line for each input and parameter, with its label, each instruction, and the outputs."""
    width = len(f"v{wengert.inputs + wengert.parameters + len(wengert) - 1}")
    kinds = ["input"] * wengert.inputs + ["parameter"] * wengert.parameters
    lines = [
        f"{f'v{i}':<{width}}   {kind} {label}".rstrip()
        for i, (kind, label) in enumerate(zip(kinds, labels, strict=True))
    ]
    name = names(wengert)
    for result, operation, operands in wengert.instructions():
        shown = [f"[{', '.join(map(name, x))}]" if isinstance(x, list) else name(x) for x in operands]
        infix = len(shown) == 2 and not operation.sequences and not operation.symbol.isidentifier()
        formula = f" {operation.symbol} ".join(shown) if infix else f"{operation.name}({', '.join(shown)})"
        lines.append(f"{f'v{result}':<{width}} = {formula}")
    lines.append(f"{'output' if len(wengert.outputs) == 1 else 'outputs'} {', '.join(map(name, wengert.outputs))}")
    return "\n".join(lines)


def names(wengert: WengertList) -> Callable[[int], str]:
    constants = wengert.constants.tolist()

    def name(variable: int) -> str:
        if variable >= 0:
            return f"v{variable}"
        constant = constants[-1 - variable]
        return f"{constant:g}" if float(f"{constant:g}") == constant or math.isnan(constant) else repr(constant)

    return name
