"""How is a Wengert list replayed without a compiler? On arrays of NumPy: the table's rules run on a block of examples.

`Program` here and the native engine's are one thing twice: the same arguments, the same numbers but for rounding.
"""

from __future__ import annotations

import math
from functools import reduce

import numpy

from autograd.operation import Mathematics, sum_from_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from numpy.typing import NDArray

    from autograd.operation import Operation
    from autograd.tape.wengert import WengertList

    Array = NDArray[numpy.float64]
    Numbers = Any  # Any: one float64 for all examples, or an array with one for each

MOST_EXAMPLES, MOST_NUMBERS = 1024, 1 << 22  # of a block: more would cost memory, fewer time

arrays = Mathematics(
    where=numpy.where, sum=sum_from_left, max=lambda x: reduce(numpy.fmax, x, -math.inf),
    hypot=numpy.hypot, power=numpy.power, divide=numpy.divide,
    exp=numpy.exp, expm1=numpy.expm1, exp2=numpy.exp2,
    log=numpy.log, log1p=numpy.log1p, log2=numpy.log2, log10=numpy.log10, sqrt=numpy.sqrt, cbrt=numpy.cbrt,
    sin=numpy.sin, cos=numpy.cos, tan=numpy.tan,
    asin=numpy.arcsin, acos=numpy.arccos, atan=numpy.arctan, atan2=numpy.arctan2,
    sinh=numpy.sinh, cosh=numpy.cosh, tanh=numpy.tanh, asinh=numpy.arcsinh, acosh=numpy.arccosh, atanh=numpy.arctanh,
    erf=numpy.vectorize(math.erf, otypes=[float]), erfc=numpy.vectorize(math.erfc, otypes=[float]),
)  # fmt: skip


class Program:
    """A Wengert list made ready to be replayed: what depends on the inputs for each block, the rest once."""

    instruction_set = "numpy"

    def __init__(self, wengert: WengertList) -> None:
        self.wengert = wengert
        inputs, parameters = wengert.inputs, wengert.parameters
        self.on_inputs = wengert.dependent(range(inputs))
        self.on_parameters = wengert.dependent(range(inputs, inputs + parameters))
        instructions = list(wengert.instructions())
        self.uniform = [instruction for instruction in instructions if instruction[0] not in self.on_inputs]
        self.varying = [instruction for instruction in instructions if instruction[0] in self.on_inputs]
        self.block = max(8, min(MOST_EXAMPLES, MOST_NUMBERS // (len(self.on_inputs) + 1)))

    def replay(
        self,
        examples: int,
        batch: Array,
        parameters: Array,
        outputs: Array,
        seeds: Array | None,
        gradient: Array | None,
        input_gradients: Array | None,
        threads: int,
    ) -> None:
        """Evaluates a batch of so many examples, and differentiates it where there are seeds.

        Arguments:
            batch: (examples, inputs).
            parameters: (parameters,).
            outputs: (examples, outputs), to be written.
            seeds: the derivative of a result with respect to each output, (outputs,) for all examples alike, or
                (examples, outputs). What is 0 for all examples is not differentiated.
            gradient: (parameters,), to be written with the derivative of that result; needed where there are seeds.
            input_gradients: (examples, inputs), to be written with the same; or None.
            threads: how many there may be. Here there is one.
        """
        with numpy.errstate(all="ignore"):
            replay = Replay(self, parameters, input_gradients is not None)
            asked_for: list[int] = []
            if seeds is not None:
                asked_for = numpy.flatnonzero(seeds.reshape(-1, outputs.shape[1]).any(axis=0)).tolist()
            for first in range(0, examples, self.block):
                block = slice(first, first + self.block)
                replay.evaluate(batch[block], outputs[block])
                if seeds is not None:
                    replay.differentiate(seeds if seeds.ndim == 1 else seeds[block], asked_for, len(batch[block]))
                    if input_gradients is not None:
                        for i in range(self.wengert.inputs):
                            input_gradients[block, i] = replay.adjoints.get(i, 0.0)
            if gradient is not None:
                gradient[:] = replay.gradient()


class Replay:
    """One replay of a program: the numbers of its variables, and their adjoints.

    A variable that depends on no input has one number for all examples, and its adjoint is a sum over them.
    """

    def __init__(self, program: Program, parameters: Array, for_inputs: bool) -> None:
        wengert = program.wengert
        self.program = program
        self.active = program.on_parameters | program.on_inputs if for_inputs else program.on_parameters
        self.numbers: dict[int, Numbers] = {-1 - k: number for k, number in enumerate(wengert.constants)}
        self.numbers |= dict(enumerate(parameters, wengert.inputs))
        self.sums: dict[int, Numbers] = {}
        self.adjoints: dict[int, Numbers] = {}
        self.compute(program.uniform)

    def evaluate(self, batch: Array, outputs: Array) -> None:
        self.numbers |= {i: batch[:, i] for i in range(self.program.wengert.inputs)}
        self.compute(self.program.varying)
        for k, variable in enumerate(self.program.wengert.outputs.tolist()):
            outputs[:, k] = self.numbers[variable]

    def compute(self, instructions: Iterable[tuple[int, Operation, list[int | list[int]]]]) -> None:
        for result, operation, operands in instructions:
            self.numbers[result] = operation.compute(arrays, *map(self.operand, operands))

    def operand(self, variables: int | list[int]) -> Numbers:
        return [self.numbers[v] for v in variables] if isinstance(variables, list) else self.numbers[variables]

    def differentiate(self, seeds: Array, asked_for: list[int], examples: int) -> None:
        """Adds to the sums for this block, from its last instruction to its first."""
        self.adjoints = {}
        for k in asked_for:  # of the others, 0 times an infinite derivative would be nan
            self.push(int(self.program.wengert.outputs[k]), numpy.broadcast_to(seeds[..., k], examples))
        self.walk_back(self.program.varying, self.adjoints)

    def gradient(self) -> list[float]:
        self.walk_back(self.program.uniform, self.sums)
        first = self.program.wengert.inputs
        return [self.sums.get(first + i, 0.0) for i in range(self.program.wengert.parameters)]

    def walk_back(
        self, instructions: list[tuple[int, Operation, list[int | list[int]]]], adjoints: dict[int, Numbers]
    ) -> None:
        for result, operation, variables in reversed(instructions):
            if result not in adjoints:
                continue
            operands = [self.operand(operand) for operand in variables]
            for operand, partial in zip(variables, operation.partials, strict=True):
                flat = operand if isinstance(operand, list) else [operand]
                if self.active.isdisjoint(flat):
                    continue
                derivatives = partial(arrays, self.numbers[result], *operands)
                for variable, derivative in zip(flat, derivatives if flat is operand else [derivatives], strict=True):
                    if variable in self.active:
                        self.push(variable, derivative * adjoints[result])

    def push(self, variable: int, adjoint: Numbers) -> None:
        if variable in self.program.on_inputs:
            self.adjoints[variable] = self.adjoints.get(variable, 0.0) + adjoint
        else:
            total = adjoint if numpy.ndim(adjoint) == 0 else numpy.sum(adjoint)
            self.sums[variable] = self.sums.get(variable, 0.0) + total
