"""The NumPy executor: the table's rules run on arrays, a group of instructions and a block of examples at a time.

It needs no compiler. It is the readable twin of the native one: the same numbers but for rounding.
"""

from __future__ import annotations

import math
from contextlib import suppress
from functools import reduce

import numpy

from autograd.operation import Mathematics, places, sum_from_left
from autograd.operations import ROWS
from autograd.tape.executors.executor import Executor
from autograd.tape.groups import Product, find_groups
from autograd.tape.wengert import ON_INPUTS, ON_PARAMETERS, TAKE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import NDArray

    from autograd.operation import Operation
    from autograd.tape.executors.executor import Array
    from autograd.tape.groups import Group
    from autograd.tape.wengert import WengertList

    Numbers = Any  # Any: float64, an array (members of a group, examples), or (members, 1) for all examples alike
    Places = NDArray[numpy.signedinteger[Any]]
    Members = Places | None  # of a group
    Instruction = tuple[int, Operation, list[int | list[int]]]

MOST_EXAMPLES, MOST_NUMBERS = 1024, 1 << 22  # of a block: more would cost memory, fewer time


def element(x: list[Numbers], index: Numbers) -> Numbers:
    """For each number of the index, the element that stands there; nan where none does."""
    every_index, *elements = numpy.broadcast_arrays(index, *x)
    place = places_at(every_index, len(x))
    return numpy.where(place < 0, math.nan, numpy.take_along_axis(numpy.stack(elements), place[numpy.newaxis], 0)[0])


def places_at(index: Numbers, length: int) -> Places:
    """The index as integers; -1 where it is that of no element."""
    is_place: Numbers = (index >= 0) & (index < length) & (index == numpy.floor(index))
    return numpy.where(is_place, index, -1).astype(int)


arrays = Mathematics(
    where=numpy.where, sum=sum_from_left, largest=lambda x: reduce(numpy.fmax, x, -math.inf), places=places,
    element=element,
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
    """The list apart: groups of what varies from example to example, and the instructions that are uniform.

    Each variable that varies has a row of numbers, one for each example: first the inputs, then the groups' results.
    """

    def __init__(self, wengert: WengertList) -> None:
        self.wengert = wengert
        depends = numpy.append(wengert.dependences, numpy.zeros(len(wengert.constants), numpy.uint8))
        self.on_inputs, on_parameters = (depends & ON_INPUTS) > 0, (depends & ON_PARAMETERS) > 0
        self.active = on_parameters, on_parameters | self.on_inputs  # for the parameters alone, and for the inputs too
        self.uniform = [read for read in wengert.instructions() if not self.on_inputs[read[0]]]
        self.rows = numpy.full(len(depends), -1)
        self.rows[: wengert.inputs] = range(wengert.inputs)
        groups = find_groups(wengert).groups
        results = [result for group in groups for result in group.results]
        self.rows[results] = numpy.arange(wengert.inputs, wengert.inputs + len(results))
        operands = {result: read for result, _, read in wengert.instructions()}
        self.steps: list[Step] = [
            ProductStep(self, group)
            if isinstance(group, Product)
            else (TakeStep if group.row == TAKE else GroupStep)(self, group, operands)
            for group in groups
        ]
        self.count = wengert.inputs + len(results)
        self.block = max(8, min(MOST_EXAMPLES, MOST_NUMBERS // (self.count + 1)))
        self.rooms: list[Array] = []  # memory that waits for the next replay, since fresh memory is slow

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
            room = self.take_room(min(examples, self.block))
            sweeps = Sweeps(self, parameters, input_gradients is not None, room)
            asked_for: list[int] = []
            if seeds is not None:
                asked_for = numpy.flatnonzero(seeds.reshape(-1, outputs.shape[1]).any(axis=0)).tolist()
            for first in range(0, examples, self.block):
                block = slice(first, first + self.block)
                sweeps.forward(batch[block], outputs[block])
                if seeds is not None:
                    sweeps.backward(seeds if seeds.ndim == 1 else seeds[block], asked_for)
                    if input_gradients is not None:
                        input_gradients[block] = sweeps.adjoints[: self.wengert.inputs].T
            if seeds is not None:
                gradient[:] = sweeps.gradient()
            self.rooms = [room]

    def take_room(self, examples: int) -> Array:
        """Room for so many examples' numbers and adjoints, in any case for one replay alone."""
        with suppress(IndexError):
            room = self.rooms.pop()
            if room.shape[2] == examples:
                return room
        return numpy.empty((2, self.count, examples))


class Operands:
    """The operands of a group at one place, a variable for each member: their numbers, and what is pushed to them."""

    def __init__(self, program: Program, variables: list[int]) -> None:
        self.variables = numpy.array(variables)
        self.rows = program.rows[self.variables]
        self.varies = self.rows >= 0
        self.place = place_of(self.rows) if self.varies.all() else None
        self.are_different, self.is_one = len({*variables}) == len(variables), len({*variables}) == 1
        self.active = [active[self.variables] for active in program.active]
        self.some_are_active = [bool(active.any()) for active in self.active]
        self.all_are_active = [bool(active.all()) for active in self.active]

    def numbers(self, sweeps: Sweeps) -> Numbers:
        if self.place is not None:
            return sweeps.numbers[self.place]
        if self.is_one and not self.varies[0]:
            return sweeps.uniform[self.variables[0]]  # as x ** 2 is quicker than powers that may all be different
        uniform: Numbers = sweeps.uniform[self.variables, numpy.newaxis]
        return (
            numpy.where(self.varies[:, numpy.newaxis], sweeps.numbers[self.rows], uniform)
            if self.varies.any()
            else uniform
        )

    def push(self, sweeps: Sweeps, members: Members, adjoints: Numbers) -> None:
        """Adds to the adjoints of these members' operands, if they are active."""
        if not self.some_are_active[sweeps.for_inputs]:
            return
        if members is None and self.place is not None and self.are_different and self.all_are_active[sweeps.for_inputs]:
            sweeps.adjoints[self.place] += adjoints
            sweeps.knows_adjoint[self.place] = True
            return
        chosen = numpy.arange(len(self.rows)) if members is None else members
        active = self.active[sweeps.for_inputs][chosen]
        chosen, adjoints = chosen[active], adjoints[active]
        varies = self.varies[chosen]
        sweeps.push(self.rows[chosen[varies]], adjoints[varies])
        sweeps.push_to_uniform(self.variables[chosen[~varies]], adjoints[~varies].sum(axis=1))


class Step:
    """A group, made ready.

    `members` are those whose adjoints are known, None if they all are: what nothing has asked for is not walked.
    """

    def __init__(self, program: Program, group: Group) -> None:
        self.results = program.rows[group.results]
        self.place = place_of(self.results)

    def compute(self, sweeps: Sweeps) -> Numbers:
        raise NotImplementedError

    def walk_back(self, sweeps: Sweeps, members: Members) -> None:
        raise NotImplementedError


class GroupStep(Step):
    """Instructions of one row: each of its operands is an array, (members, examples)."""

    def __init__(self, program: Program, group: Group, operands: dict[int, list[int | list[int]]]) -> None:
        super().__init__(program, group)
        self.operation = ROWS[group.row]
        read = [operands[result] for result in group.results]
        self.operands: list[Operands | list[Operands]] = [
            [Operands(program, list(element)) for element in zip(*each, strict=True)]
            if isinstance(each[0], list)
            else Operands(program, list(each))
            for each in zip(*read, strict=True)
        ]

    def numbers(self, sweeps: Sweeps) -> list[Numbers]:
        return [
            [element.numbers(sweeps) for element in operand] if isinstance(operand, list) else operand.numbers(sweeps)
            for operand in self.operands
        ]

    def compute(self, sweeps: Sweeps) -> Numbers:
        return on_arrays(f"{self.operation.name}: the value", self.operation.compute, *self.numbers(sweeps))

    def walk_back(self, sweeps: Sweeps, members: Members) -> None:
        result, adjoints = sweeps.numbers[self.place], sweeps.adjoints[self.place]
        operands = self.numbers(sweeps)
        names = self.operation.operands
        for name, operand, partial in zip(names, self.operands, self.operation.partials, strict=True):
            elements = operand if isinstance(operand, list) else [operand]
            if not any(element.some_are_active[sweeps.for_inputs] for element in elements):
                continue
            what = f"{self.operation.name}: the derivative by {name}"
            derivatives = on_arrays(what, partial, result, *operands)
            for element, derivative in zip(
                elements, derivatives if elements is operand else [derivatives], strict=True
            ):
                pushed = derivative * adjoints
                element.push(sweeps, members, pushed if members is None else pushed[members])


class TakeStep(Step):
    """Lookups: each example's own element, and no other, however many there are."""

    def __init__(self, program: Program, group: Group, operands: dict[int, list[int | list[int]]]) -> None:
        super().__init__(program, group)
        sequences, indices = zip(*[operands[result] for result in group.results], strict=True)
        self.elements = numpy.array(sequences)  # (members, length)
        self.indices = Operands(program, list(indices))
        self.rows = program.rows

    def chosen(self, sweeps: Sweeps) -> tuple[Places, NDArray[numpy.bool_]]:
        """The variable that each member takes, (members, examples); and the places of those that take one."""
        index = numpy.broadcast_to(self.indices.numbers(sweeps), (len(self.elements), sweeps.numbers.shape[1]))
        places = places_at(index, self.elements.shape[1])
        return numpy.take_along_axis(self.elements, places, 1), places >= 0

    def compute(self, sweeps: Sweeps) -> Numbers:
        variables, is_place = self.chosen(sweeps)
        rows = self.rows[variables]
        numbers = numpy.where(is_place, sweeps.uniform[variables], math.nan)
        member, example = numpy.nonzero(is_place & (rows >= 0))
        numbers[member, example] = sweeps.numbers[rows[member, example], example]
        return numbers

    def walk_back(self, sweeps: Sweeps, members: Members) -> None:
        chosen = slice(None) if members is None else members
        variables, is_place = self.chosen(sweeps)
        variables, is_place = variables[chosen], is_place[chosen]
        adjoints, rows = sweeps.adjoints[self.results[chosen]], self.rows[variables]
        is_pushed = is_place & sweeps.active[variables]
        is_uniform = is_pushed & (rows < 0)
        sweeps.push_to_uniform(variables[is_uniform], adjoints[is_uniform])
        member, example = numpy.nonzero(is_pushed & (rows >= 0))
        varying = rows[member, example]
        numpy.add.at(sweeps.adjoints, (varying, example), adjoints[member, example])
        sweeps.knows_adjoint[varying] = True


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


class ProductStep(Step):
    """A layer: the weights, (neurons, inputs), times the inputs, (inputs, examples)."""

    def __init__(self, program: Program, product: Product) -> None:
        super().__init__(program, product)
        self.weights = numpy.array(product.weights)
        self.are_different = len(numpy.unique(self.weights)) == self.weights.size
        self.inputs, self.biases = Operands(program, product.inputs), Operands(program, product.biases)

    def compute(self, sweeps: Sweeps) -> Numbers:
        return sweeps.uniform[self.weights] @ self.inputs.numbers(sweeps) + self.biases.numbers(sweeps)

    def walk_back(self, sweeps: Sweeps, members: Members) -> None:
        everything = members is None
        adjoints = sweeps.adjoints[self.place if everything else self.results[members]]
        weights = self.weights if everything else self.weights[members]
        if self.inputs.some_are_active[sweeps.for_inputs]:
            self.inputs.push(sweeps, None, sweeps.uniform[weights].T @ adjoints)
        if sweeps.active[weights].any():
            inputs = numpy.broadcast_to(self.inputs.numbers(sweeps), (len(self.inputs.rows), adjoints.shape[1]))
            sweeps.push_to_uniform(weights, adjoints @ inputs.T, self.are_different)
        self.biases.push(sweeps, members, adjoints)


def place_of(rows: Places) -> Any:  # Any: what arrays are indexed with
    """The rows as a slice, if they follow each other: then nothing is copied."""
    follow = (numpy.diff(rows) == 1).all()
    return slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) and follow else rows


class Sweeps:
    """The sweeps of one replay, forward and backward over each block.

    numbers, adjoints   of what varies, (rows, examples); and of which rows the adjoint is known
    uniform, sums       of all other variables, and behind them the constants, the last one first: their numbers, their
                        adjoints summed up over the examples, and of which these are known
    active              of each variable, whether its adjoint is asked for
    """

    def __init__(self, program: Program, parameters: Array, for_inputs: bool, room: Array) -> None:
        wengert = program.wengert
        self.program = program
        self.room = room
        self.for_inputs, self.active = for_inputs, program.active[for_inputs]
        self.uniform = numpy.zeros(len(self.active))
        self.uniform[wengert.inputs : wengert.first_result] = parameters
        if len(wengert.constants):
            self.uniform[-len(wengert.constants) :] = wengert.constants[::-1]
        self.sums, self.knows_sum = numpy.zeros(len(self.active)), numpy.zeros(len(self.active), bool)
        for result, operation, operands in program.uniform:
            self.uniform[result] = operation.compute(arrays, *map(self.uniform_operand, operands))

    def uniform_operand(self, variables: int | list[int]) -> Numbers:
        return [self.uniform[v] for v in variables] if isinstance(variables, list) else self.uniform[variables]

    def forward(self, batch: Array, outputs: Array) -> None:
        """Writes this block's outputs."""
        self.numbers, self.adjoints = self.room[:, :, : len(batch)]
        self.numbers[: batch.shape[1]] = batch.T
        for step in self.program.steps:
            self.numbers[step.place] = step.compute(self)
        for k, variable in enumerate(self.program.wengert.outputs.tolist()):
            row = self.program.rows[variable]
            outputs[:, k] = self.numbers[row] if row >= 0 else self.uniform[variable]

    def backward(self, seeds: Array, asked_for: list[int]) -> None:
        """Adds this block's share to the sums, from the last group to the first."""
        self.adjoints.fill(0.0)
        self.knows_adjoint = numpy.zeros(len(self.numbers), bool)
        for k in asked_for:  # of the others, 0 times an infinite derivative would be nan
            seed = numpy.broadcast_to(seeds[..., k], (1, self.numbers.shape[1]))
            variable = self.program.wengert.outputs[k : k + 1]
            row = self.program.rows[variable]
            if row[0] >= 0:
                self.push(row, seed)
            else:
                self.push_to_uniform(variable, seed.sum(axis=1))
        for step in reversed(self.program.steps):
            known = self.knows_adjoint[step.place]
            if known.any():
                step.walk_back(self, None if known.all() else numpy.flatnonzero(known))

    def push(self, rows: Places, adjoints: Numbers) -> None:
        if len(rows):
            for row, adjoint in zip(rows.tolist(), adjoints, strict=True):  # which may be the same row again
                self.adjoints[row] += adjoint
            self.knows_adjoint[rows] = True

    def push_to_uniform(self, variables: Places, adjoints: Numbers, are_different: bool = False) -> None:
        if are_different:
            self.sums[variables] += adjoints
        else:
            numpy.add.at(self.sums, variables, adjoints)
        self.knows_sum[variables] = True

    def gradient(self) -> Array:
        """The parameters' adjoints, once all blocks have been swept."""
        for result, operation, variables in reversed(self.program.uniform):
            if not self.knows_sum[result]:
                continue
            operands = [self.uniform_operand(operand) for operand in variables]
            for operand, partial in zip(variables, operation.partials, strict=True):
                flat = numpy.array(operand if isinstance(operand, list) else [operand], int)
                if self.active[flat].any():
                    derivatives = numpy.asarray(partial(arrays, self.uniform[result], *operands)) * self.sums[result]
                    of_active = self.active[flat]
                    self.push_to_uniform(flat[of_active], derivatives.reshape(-1)[of_active])
        wengert = self.program.wengert
        return self.sums[wengert.inputs : wengert.first_result]
