"""write_down() writes a graph of Values as a Wengert list."""

from __future__ import annotations

from autograd.by_hand import has_own_backward, own_backward, unusual_nodes
from autograd.common import uncomputable
from autograd.engines import Value, engine
from autograd.graph import topological_order
from autograd.operations import ROW
from autograd.packages import numpy
from autograd.tape.wengert import WengertList

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

if engine == "native":
    from autograd.native import engine as native


def write_down(
    outputs: Sequence[Value], inputs: Sequence[Value], is_differentiated: bool = True
) -> tuple[WengertList, list[Value]]:
    """The list that computes the outputs from the inputs, and its parameters: every other leaf.

    Parameters and instructions stand in the order in which the Values were created. An operation that has been recorded
    twice with the same operands becomes one instruction. What no output needs is not in the outputs' graph, and so not
    in the list. Nothing is simplified.

    Raises TypeError for a Value that no operation of the table computed, or, if it is to be differentiated, that has a
    `_backward` of its own. (micrograd's leaves have one each, which does nothing; a class's own is another matter.)
    """
    if engine == "native" and (recorded := native.record(list(outputs), list(inputs), not is_differentiated)):
        return from_bytes(inputs, *recorded)
    order = topological_order(*outputs)
    for node in unusual_nodes(order):
        if node.operation is None:
            raise uncomputable(node, "so a tape cannot compute it again")
        if is_differentiated and has_own_backward(node):
            raise own_backward(node, CONSEQUENCE)
    for leaf in (node for node in order if is_differentiated and not node.parents):
        if type(leaf)._backward is not Value._backward:
            raise own_backward(leaf, CONSEQUENCE)
    if engine == "native" and (recorded := native.record(list(outputs), list(inputs), True)):
        return from_bytes(inputs, *recorded)
    variable = {id(value): i for i, value in enumerate(inputs)}  # not the Values: those of a subclass may be equal
    parameters = [node for node in order if not node.parents and id(node) not in variable]
    variable |= {id(value): i for i, value in enumerate(parameters, len(inputs))}
    writer = Writer(variable)
    for node in order:
        if node.parents:
            writer.write(node)
    return writer.written(outputs, inputs, parameters), parameters


CONSEQUENCE = "so a tape cannot go back through it; define() makes operations"


def from_bytes(
    inputs: Sequence[Value], parameters: list[Value], constants: bytes, *indices: bytes
) -> tuple[WengertList, list[Value]]:
    """What the native engine has written."""
    arrays = [numpy.frombuffer(numbers, numpy.int32) for numbers in indices]
    return WengertList(len(inputs), len(parameters), numpy.frombuffer(constants), *arrays), parameters


class Writer:
    """Writes a list, node by node: the specification, whose compiled twin is native/record.c."""

    def __init__(self, variable: dict[int, int]) -> None:
        self.variable = variable
        self.first = len(variable)
        self.known: dict[tuple[int, ...], int] = {}  # the result of each instruction
        self.constants: dict[bytes, int] = {}
        self.rows: list[int] = []
        self.lengths: list[int] = []
        self.operands: list[int] = []

    def write(self, node: Value) -> None:
        assert node.operation is not None
        sequences = [operand for operand in node.operands if isinstance(operand, tuple)]
        flat = [element for sequence in sequences for element in sequence]
        flat += [operand for operand in node.operands if not isinstance(operand, tuple)]
        row = ROW[node.operation.name]
        operands = [self.variable[id(x)] if isinstance(x, Value) else self.constant(x) for x in flat]
        known = self.known.setdefault((row, *operands), self.first + len(self.rows))
        self.variable[id(node)] = known
        if known == self.first + len(self.rows):
            self.rows.append(row)
            self.lengths.append(len(sequences[0]) if sequences else 1)
            self.operands += operands

    def constant(self, number: float) -> int:
        """The variable of a constant. Constants are told apart by their bits, since 0.0 is not -0.0."""
        return -1 - self.constants.setdefault(numpy.float64(number).tobytes(), len(self.constants))

    def written(self, outputs: Sequence[Value], inputs: Sequence[Value], parameters: Sequence[Value]) -> WengertList:
        indices = (self.rows, self.lengths, self.operands, [self.variable[id(output)] for output in outputs])
        constants = numpy.frombuffer(b"".join(self.constants))
        arrays = [numpy.array(numbers, numpy.int32) for numbers in indices]
        return WengertList(len(inputs), len(parameters), constants, *arrays)
