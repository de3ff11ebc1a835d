"""The NumPy executor: the table's rules run on arrays, a block of examples at a time. It needs no compiler.

It is the readable twin of the native one: the same numbers but for rounding.
"""

from __future__ import annotations

import math
from functools import reduce

import numpy

from autograd.operation import Mathematics, sum_from_left
from autograd.tape.executors.executor import Executor
from autograd.tape.wengert import ON_INPUTS, ON_PARAMETERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from autograd.operation import Operation
    from autograd.tape.executors.executor import Array
    from autograd.tape.wengert import WengertList

    Numbers = Any  # Any: one float64 for all examples, or an array with one for each
    Instruction = tuple[int, Operation, list[int | list[int]]]

MOST_EXAMPLES, MOST_NUMBERS = 1024, 1 << 22  # of a block: more would cost memory, fewer time

arrays = Mathematics(
    where=numpy.where, sum=sum_from_left, largest=lambda x: reduce(numpy.fmax, x, -math.inf),
    hypot=numpy.hypot, power=numpy.power, divide=numpy.divide,
    exp=numpy.exp, expm1=numpy.expm1, exp2=numpy.exp2,
    log=numpy.log, log1p=numpy.log1p, log2=numpy.log2, log10=numpy.log10, sqrt=numpy.sqrt, cbrt=numpy.cbrt,
    sin=numpy.sin, cos=numpy.cos, tan=numpy.tan,
    asin=numpy.arcsin, acos=numpy.arccos, atan=numpy.arctan, atan2=numpy.arctan2,
    sinh=numpy.sinh, cosh=numpy.cosh, tanh=numpy.tanh, asinh=numpy.arcsinh, acosh=numpy.arccosh, atanh=numpy.arctanh,
    erf=numpy.vectorize(math.erf, otypes=[float]), erfc=numpy.vectorize(math.erfc, otypes=[float]),
)  # fmt: skip


class NumPy(Executor):
    """Arrays over blocks of examples, on one thread."""

    def program(self, wengert: WengertList) -> Program:
        return Program(wengert)


class Program:
    """The instructions, apart: those that vary from example to example, and those that are uniform."""

    def __init__(self, wengert: WengertList) -> None:
        self.wengert = wengert
        self.on_inputs = variables(wengert.dependences & ON_INPUTS)
        self.on_parameters = variables(wengert.dependences & ON_PARAMETERS)
        self.uniform: list[Instruction] = []
        self.varying: list[Instruction] = []
        for instruction in wengert.instructions():
            (self.varying if instruction[0] in self.on_inputs else self.uniform).append(instruction)
        self.block = max(8, min(MOST_EXAMPLES, MOST_NUMBERS // (len(self.on_inputs) + 1)))

    def replay(
        self,
        examples: int,
        batch: Array,
        parameters: Array,
        outputs: Array,
        seeds: Array | None,
        gradient: Array,
        input_gradients: Array | None,
        threads: int,
    ) -> None:
        """As executor.py has it."""
        with numpy.errstate(all="ignore"):
            sweeps = Sweeps(self, parameters, input_gradients is not None)
            asked_for: list[int] = []
            if seeds is not None:
                asked_for = numpy.flatnonzero(seeds.reshape(-1, outputs.shape[1]).any(axis=0)).tolist()
            for first in range(0, examples, self.block):
                block = slice(first, first + self.block)
                sweeps.forward(batch[block], outputs[block])
                if seeds is not None:
                    sweeps.backward(seeds if seeds.ndim == 1 else seeds[block], asked_for, len(batch[block]))
                    if input_gradients is not None:
                        for i in range(self.wengert.inputs):
                            input_gradients[block, i] = sweeps.adjoints.get(i, 0.0)
            if seeds is not None:
                gradient[:] = sweeps.gradient()


def variables(marks: Any) -> set[int]:  # Any: an array of numbers
    """The places of the marks that are not 0."""
    return set(numpy.flatnonzero(marks).tolist())


def on_arrays(what: str, rule: Callable[..., Any], *operands: Numbers) -> Any:
    """What the rule makes of arrays. One of an operation of the user's may not be written for them."""
    try:
        return rule(arrays, *operands)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"{what}: {error}. In a tape the operands are arrays, with a number for each example: a rule chooses by "
            "m.where(x > 0, ...), not by `if`, and calls m.exp(x), not math.exp(x)"
        ) from error


class Sweeps:
    """The sweeps of one replay, forward and backward over each block: the variables' numbers and their adjoints.

    A uniform variable has one number for all examples, and its adjoint is a sum over them.
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

    def forward(self, batch: Array, outputs: Array) -> None:
        """Writes this block's outputs."""
        self.numbers |= {i: batch[:, i] for i in range(self.program.wengert.inputs)}
        self.compute(self.program.varying)
        for k, variable in enumerate(self.program.wengert.outputs.tolist()):
            outputs[:, k] = self.numbers[variable]

    def compute(self, instructions: list[Instruction]) -> None:
        for result, operation, operands in instructions:
            rule, numbers = operation.compute, map(self.operand, operands)
            self.numbers[result] = on_arrays(f"{operation.name}: the value", rule, *numbers)

    def operand(self, variables: int | list[int]) -> Numbers:
        return [self.numbers[v] for v in variables] if isinstance(variables, list) else self.numbers[variables]

    def backward(self, seeds: Array, asked_for: list[int], examples: int) -> None:
        """Adds this block's share to the sums, from the last instruction to the first."""
        self.adjoints = {}
        for k in asked_for:  # of the others, 0 times an infinite derivative would be nan
            self.push(int(self.program.wengert.outputs[k]), numpy.broadcast_to(seeds[..., k], examples))
        self.walk_back(self.program.varying, self.adjoints)

    def gradient(self) -> list[float]:
        """The parameters' adjoints, once all blocks have been swept."""
        self.walk_back(self.program.uniform, self.sums)
        first = self.program.wengert.inputs
        return [self.sums.get(first + i, 0.0) for i in range(self.program.wengert.parameters)]

    def walk_back(self, instructions: list[Instruction], adjoints: dict[int, Numbers]) -> None:
        for result, operation, variables in reversed(instructions):
            if result not in adjoints:
                continue
            operands = [self.operand(operand) for operand in variables]
            for name, operand, partial in zip(operation.operands, variables, operation.partials, strict=True):
                flat = operand if isinstance(operand, list) else [operand]
                if self.active.isdisjoint(flat):
                    continue
                what = f"{operation.name}: the derivative by {name}"
                derivatives = on_arrays(what, partial, self.numbers[result], *operands)
                for variable, derivative in zip(flat, derivatives if flat is operand else [derivatives], strict=True):
                    if variable in self.active:
                        self.push(variable, derivative * adjoints[result])

    def push(self, variable: int, adjoint: Numbers) -> None:
        if variable in self.program.on_inputs:
            self.adjoints[variable] = self.adjoints.get(variable, 0.0) + adjoint
        else:
            total = adjoint if numpy.ndim(adjoint) == 0 else numpy.sum(adjoint)
            self.sums[variable] = self.sums.get(variable, 0.0) + total
