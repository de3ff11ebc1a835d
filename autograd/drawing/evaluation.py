"""The numbers of a network: what each of its variables is, and how numbers are written in its picture."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from autograd.drawing import naming
from autograd.drawing.diagram import HOVER_CHARACTERS
from autograd.engines import engine
from autograd.operation import ieee
from autograd.packages import numpy
from autograd.tape import ADDED, replayed
from autograd.wording import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from autograd.drawing.blocks import Network, Unit

    Array = NDArray[numpy.float64]

PLANE = 15  # points along each side of the plane on which neurons with two inputs are asked
LEAST_REACH = 2.0  # how far the plane goes from 0, at least
MOST_NUMBERS = 64  # of a kind, in a text that hovering shows


class Evaluation:
    """The number of each variable, as the model computed it; and gradients, where a backward pass has been.

    Arguments:
        network: whose variables they are.

    `table` has the numbers by variable, the constants, whose variables are negative, at its end. `is_plane` says
    whether the network has two inputs, and neither branches nor looks up one: then `plane` says what a unit makes of
    other inputs.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        wengert, run = network.wengert, network.recorded
        first = wengert.first_result
        units = [unit for block in network.blocks for unit in block.units]
        needed = {v for unit in units for use in unit.uses for v in use if v >= first}
        needed |= {v for unit in units for v in (*unit.weights, *unit.biases) if v >= first}
        needed |= {v for block in network.blocks for head in block.attention for row in head for v in row.values()}
        variables = sorted(needed)
        batch = [[leaf.data for leaf in run.inputs]]
        are_two = [len(unit.uses) for unit in network.blocks[0].units] == [1, 1]
        self.is_plane = are_two and not run.branches and not len(wengert.lookups[0])  # an index has no number beside it
        self.reach = max([LEAST_REACH, *(1.25 * abs(x) for x in batch[0] if run.is_example and math.isfinite(x))])
        if self.is_plane:
            steps = [self.reach * (2 * k / (PLANE - 1) - 1) for k in range(PLANE)]
            batch += [[x, y] for y in reversed(steps) for x in steps]
        data, self.grad = numpy.array(network.vector("data")), network.vector("grad")
        self.rows = replayed(wengert, variables, numpy.array(batch), data)
        self.column = {v: k for k, v in enumerate(variables)}
        constants = [*wengert.constants.tolist(), *ADDED]
        self.table = numpy.full(first + len(wengert) + len(constants), math.nan)
        self.table[:first] = [*batch[0], *data]
        self.table[-len(constants) :] = constants[::-1]
        if engine == "native" and not wengert.defined_at_run_time():
            self.table[variables] = self.rows[0]
        else:
            self.evaluate()
        self.has_gradients = any(grad != 0.0 for grad in self.grad)  # nan, too
        self.uses = Counter(v for unit in units for v in unit.weights)
        biases = Counter(bias for unit in units for bias in unit.biases)
        self.own_biases = {bias for bias, count in biases.items() if count == 1}

    def evaluate(self) -> None:
        """Computes all variables by the table's rules: a replay with NumPy may differ in the last digit."""
        numbers = self.table.tolist()
        for result, operation, operands in self.network.wengert.instructions():
            read = [[numbers[v] for v in x] if isinstance(x, list) else numbers[x] for x in operands]
            numbers[result] = getattr(ieee, operation.name)(*read)
        self.table = numpy.array(numbers)

    def of(self, variable: int) -> float:
        return float(self.table[variable])

    def all(self, variables: Sequence[int]) -> list[float]:
        numbers: list[float] = self.table[variables].tolist() if variables else []
        return numbers

    def activations(self, unit: Unit) -> list[float]:
        return self.all([activation for _, activation in unit.uses])

    def gradient(self, variable: int) -> float | None:
        """Of a parameter, where a backward pass has been."""
        k = variable - self.network.wengert.inputs
        return self.grad[k] if self.has_gradients and 0 <= k < len(self.grad) else None

    def delta(self, unit: Unit) -> list[float] | None:
        """δ, the derivative by the net input: it is that by the bias, which is added to nothing else.

        One number, the sum over all places and examples since the gradients were 0; or one for each place, if each has
        a bias of its own. None where no backward pass has been, and for units without such a bias.
        """
        if not unit.biases or not self.own_biases.issuperset(unit.biases):
            return None
        deltas = [delta for bias in unit.biases if (delta := self.gradient(bias)) is not None]
        return deltas if len(deltas) == len(unit.biases) and len(deltas) in (1, len(unit.uses)) else None

    def plane(self, unit: Unit) -> list[float] | None:
        """The unit's activations over the plane, row by row from above; None if the network has no plane."""
        column = self.column.get(unit.uses[0][1])
        return self.rows[1:, column].tolist() if self.is_plane and column is not None else None

    def name(self, variable: int) -> str:
        """The name of a parameter, or its label where the model does not name it."""
        k = variable - self.network.wengert.inputs
        if 0 <= k < len(self.network.names):
            return ".".join(naming.place(self.network.names[k])) or str(
                self.network.parameters[k].label or "a parameter without a name"
            )
        return "a constant" if variable < 0 else "a computed weight"


# ---- Numbers as text


def compact(number: float) -> str:
    """The number in five characters, if they suffice: with three digits, or two, or one.

    >>> compact(0.123456), compact(-0.123456), compact(-1e-7), compact(123456.0)
    ('0.123', '−0.12', '−1e-7', '1.2e5')
    """
    for digits in (3, 2, 1):
        text = f"{number:.{digits}g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
        if len(text) <= 5:
            break
    return f"−{text[1:]}" if text.startswith("-") else text


def listed(numbers: Sequence[float]) -> str:
    """The numbers in full; of very many the first ones."""
    more = len(numbers) - MOST_NUMBERS
    return ", ".join(map(repr, numbers[:MOST_NUMBERS])) + (f" and {more:,} more" if more > 0 else "")


def in_lines(*lines: str) -> str:
    """What hovering shows, whatever the names in it are."""
    return "\n".join(shown(line, HOVER_CHARACTERS) for line in lines[:MOST_NUMBERS])
