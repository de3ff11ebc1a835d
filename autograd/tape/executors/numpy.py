"""The NumPy executor: the table's rules run on arrays, a group of instructions and a block of examples at a time.

It needs no compiler. It is the readable twin of the native one: the same numbers but for rounding.
"""

from __future__ import annotations

import math
from functools import reduce

from autograd.operation import Mathematics, are_places, places, sum_from_left
from autograd.operations import ROWS, TABLE
from autograd.packages import numpy
from autograd.tape.executors.executor import Executor
from autograd.tape.executors.places import Matrix, Places, index_of
from autograd.tape.groups import Product, find_groups
from autograd.tape.wengert import ON_INPUTS, ON_PARAMETERS, TAKE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from autograd.tape.executors.executor import Array
    from autograd.tape.groups import Group
    from autograd.tape.wengert import WengertList

    # Any: float64, an array (members of a group, examples), or (members, 1) for all examples alike; of a sequence's
    # elements the same, (elements, members, examples)
    Numbers = Any
    Indices = NDArray[numpy.signedinteger[Any]]
    Walk = Callable[["Sweeps"], None]

MOST_EXAMPLES, MOST_NUMBERS = 1024, 1 << 22  # of a block: more would cost memory, fewer time
MOST_WAYS = 64  # so many sets of outputs are remembered, whose sweeps backward are made ready


def element(x: list[Numbers], index: Numbers) -> Numbers:
    """For each number of the index, the element that stands there; nan where none does."""
    every_index, *elements = numpy.broadcast_arrays(index, *x)
    place = places_at(every_index, len(x))
    return numpy.where(place < 0, math.nan, numpy.take_along_axis(numpy.stack(elements), place[numpy.newaxis], 0)[0])


def places_at(index: Numbers, length: int) -> Indices:
    """The index as integers; -1 where it is that of no element."""
    return numpy.where(are_places(index, length), index, -1).astype(int)


def power(x: Numbers, y: Numbers) -> Numbers:
    """x to the power of y. NumPy takes the root where y is 1/2, which is another number for -0.0 and -inf."""
    are_roots = numpy.equal(y, 0.5)
    if are_roots.any():
        x = numpy.where(are_roots, numpy.where(numpy.equal(x, -math.inf), math.inf, numpy.add(x, 0.0)), x)
    return numpy.power(x, y)


arrays = Mathematics(
    where=numpy.where, sum=sum_from_left, largest=lambda x: reduce(numpy.fmax, x, -math.inf), places=places,
    element=element,
    hypot=numpy.hypot, power=power, divide=numpy.divide,
    exp=numpy.exp, expm1=numpy.expm1, exp2=numpy.exp2,
    log=numpy.log, log1p=numpy.log1p, log2=numpy.log2, log10=numpy.log10, sqrt=numpy.sqrt, cbrt=numpy.cbrt,
    sin=numpy.sin, cos=numpy.cos, tan=numpy.tan,
    asin=numpy.arcsin, acos=numpy.arccos, atan=numpy.arctan, atan2=numpy.arctan2,
    sinh=numpy.sinh, cosh=numpy.cosh, tanh=numpy.tanh, asinh=numpy.arcsinh, acosh=numpy.arccosh, atanh=numpy.arctanh,
    erf=numpy.vectorize(math.erf, otypes=[float]), erfc=numpy.vectorize(math.erfc, otypes=[float]),
)  # fmt: skip


def sum_of_elements(terms: list[Any], start: Any = 0.0) -> Any:
    return start + terms[0].sum(axis=0)


def largest_of_elements(x: list[Any]) -> Any:
    return numpy.fmax.reduce(x[0], axis=0, initial=-math.inf)


# A rule of the table goes through a sequence, adds up, or takes the largest, and does nothing else with it. So a single
# array may stand for all elements.
arrays_of_elements = Mathematics(**arrays.given | {"sum": sum_of_elements, "largest": largest_of_elements})


class NumPy(Executor):
    """Arrays over blocks of examples, on one thread."""

    def program(self, wengert: WengertList) -> Program:
        return Program(wengert)


class Program:
    """The list apart: groups of what varies from example to example, and the instructions that are uniform.

    Each variable that varies has a row of numbers, one for each example: first the inputs, then the groups' results.
    """

    def __init__(self, wengert: WengertList) -> None:
        found = find_groups(wengert)
        self.wengert, self.constants = wengert, found.constants[::-1]
        depends = numpy.append(wengert.dependences, numpy.zeros(len(found.constants), numpy.uint8))
        on_parameters = (depends & ON_PARAMETERS) > 0
        # Whether the adjoint of a variable is asked for: for the parameters alone, and for the inputs too.
        self.active = on_parameters, on_parameters | ((depends & ON_INPUTS) > 0)
        instructions = list(wengert.instructions())
        self.uniform = [read for read in instructions if not depends[read[0]] & ON_INPUTS]
        self.rows = [*range(wengert.inputs), *[-1] * (len(depends) - wengert.inputs)]  # of each variable; -1: uniform
        self.count = wengert.inputs
        for group in found.groups:
            for result in group.results:
                self.rows[result] = self.count
                self.count += 1
        operands = {result: read for result, _, read in instructions}
        self.steps: list[Step] = [
            ProductStep(self, group)
            if isinstance(group, Product)
            else (TakeStep if group.row == TAKE else GroupStep)(self, group, operands)
            for group in found.groups
        ]
        largest = max((step.largest for step in self.steps), default=0)
        self.block = max(8, min(MOST_EXAMPLES, MOST_NUMBERS // (max(self.count, largest) + 1)))
        self.ways: dict[tuple[tuple[int, ...], bool], Way] = {}  # by what is asked for
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
            sweeps = Sweeps(self, parameters, room)
            way = None if seeds is None else self.way(seeds.reshape(-1, outputs.shape[1]), input_gradients is not None)
            for first in range(0, examples, self.block):
                block = slice(first, first + self.block)
                sweeps.forward(batch[block], outputs[block])
                if way and seeds is not None:
                    sweeps.backward(seeds if seeds.ndim == 1 else seeds[block], way)
                    if input_gradients is not None:
                        input_gradients[block] = sweeps.adjoints[: self.wengert.inputs].T
            if way:
                gradient[:] = sweeps.gradient(way)
            self.rooms = [room]

    def way(self, seeds: Array, for_inputs: bool) -> Way:
        asked_for = tuple(numpy.flatnonzero(seeds.any(axis=0)).tolist())
        way = self.ways.get((asked_for, for_inputs))
        if not way:
            if len(self.ways) >= MOST_WAYS:
                self.ways.clear()
            way = self.ways[asked_for, for_inputs] = Way(self, asked_for, for_inputs)
        return way

    def take_room(self, examples: int) -> Array:
        """Room for so many examples' numbers and adjoints, in any case for one replay alone."""
        try:
            room = self.rooms.pop()
        except IndexError:  # another thread has it
            room = numpy.empty((2, self.count, 0))
        return room if room.shape[2] == examples else numpy.empty((2, self.count, examples))


class Operand:
    """An operand of a group: for each member a variable, or a sequence of them: first the first elements of all."""

    def __init__(self, program: Program, variables: list[int], shape: tuple[int, ...]) -> None:
        self.variables, self.shape = variables, shape
        rows = [program.rows[variable] for variable in variables]
        self.varying = [k for k, row in enumerate(rows) if row >= 0]
        self.uniform = [k for k, row in enumerate(rows) if row < 0] if len(self.varying) < len(rows) else []
        self.rows = index_of([rows[k] for k in self.varying] if self.uniform else rows)
        self.places = index_of([variables[k] for k in self.uniform])
        self.is_one = not self.varying and len(shape) == 1 and len({*variables}) == 1

    def read(self, sweeps: Sweeps) -> Numbers:
        if self.is_one:
            return sweeps.uniform[self.variables[0]]  # as x ** 2 is quicker than powers that may all be different
        if not self.uniform:
            numbers = sweeps.numbers[self.rows]
        elif not self.varying:
            numbers = sweeps.uniform[self.places][:, numpy.newaxis]
        else:
            numbers = numpy.empty((len(self.variables), sweeps.numbers.shape[1]))
            numbers[self.varying] = sweeps.numbers[self.rows]
            numbers[self.uniform] = sweeps.uniform[self.places][:, numpy.newaxis]
        return numbers if len(self.shape) == 1 else numbers.reshape(*self.shape, numbers.shape[1])


class Target:
    """Where the adjoints of some variables go: to rows of adjoints, or summed up over the examples."""

    def __init__(self, program: Program, variables: Sequence[int], chosen: Sequence[int]) -> None:
        rows = program.rows
        varying = [k for k in chosen if rows[variables[k]] >= 0]
        uniform = [k for k in chosen if rows[variables[k]] < 0] if len(varying) < len(chosen) else []
        self.rows = Places([rows[variables[k]] for k in varying]) if varying else None
        self.sums = Places([variables[k] for k in uniform]) if uniform else None
        self.varying, self.uniform = varying and index_of(varying), uniform and index_of(uniform)

    def __bool__(self) -> bool:
        return bool(self.rows or self.sums)

    def push(self, sweeps: Sweeps, adjoints: Numbers) -> None:
        """Adds to the adjoints of those that are chosen; of all variables, these are (variables, examples)."""
        if self.rows:
            self.rows.add(sweeps.adjoints, adjoints[self.varying])
        if self.sums:
            self.sums.add(sweeps.sums, adjoints[self.uniform].sum(axis=1))


class Step:
    """A group, made ready. `place` is where its results lie; it needs so many numbers at once, for each example."""

    largest = 0

    def __init__(self, program: Program, group: Group) -> None:
        self.results = group.results
        first = program.rows[group.results[0]]
        self.place = slice(first, first + len(group.results))

    def compute(self, sweeps: Sweeps) -> None:
        raise NotImplementedError

    def way_back(self, way: Way, members: list[int]) -> Walk:
        """The walk back through these members, whose operands that are active it marks as needed."""
        raise NotImplementedError


class GroupStep(Step):
    """Instructions of one row: each of its operands is an array, (members, examples)."""

    def __init__(self, program: Program, group: Group, operands: dict[int, list[int | list[int]]]) -> None:
        super().__init__(program, group)
        self.operation = ROWS[group.row]
        self.is_own = group.row < TABLE  # of the project: such a rule takes a sequence's elements at once
        self.mathematics = arrays_of_elements if self.is_own else arrays
        self.operands = []
        for each in zip(*[operands[result] for result in group.results], strict=True):
            variables: list[Any] = list(each)
            shape: tuple[int, ...] = (len(variables),)
            if isinstance(variables[0], list):
                shape = len(variables[0]), len(variables)
                variables = [variable for elements in zip(*variables, strict=True) for variable in elements]
            self.operands.append(Operand(program, variables, shape))
        self.largest = max(len(operand.variables) for operand in self.operands)
        self.value = f"{self.operation.name}: the value"
        self.derivatives = [f"{self.operation.name}: the derivative by {name}" for name in self.operation.operands]

    def read(self, sweeps: Sweeps) -> list[Numbers]:
        """As the rule takes them: sequences as lists, of the array of all elements, or of an array for each."""
        numbers = [operand.read(sweeps) for operand in self.operands]
        for k in range(self.operation.sequences):
            numbers[k] = [numbers[k]] if self.is_own else [*numbers[k]]
        return numbers

    def compute(self, sweeps: Sweeps) -> None:
        compute = self.operation.compute
        sweeps.numbers[self.place] = on_arrays(self.value, compute, self.mathematics, *self.read(sweeps))

    def way_back(self, way: Way, members: list[int]) -> Walk:
        targets = []
        for k, operand in enumerate(self.operands):
            starts = range(0, len(operand.variables), operand.shape[-1])
            chosen = way.choose(operand.variables, [start + j for start in starts for j in members])
            if chosen:
                targets.append((k, Target(way.program, operand.variables, chosen)))

        def walk(sweeps: Sweeps) -> None:
            adjoints, operands = sweeps.adjoints[self.place], self.read(sweeps)
            for k, target in targets:
                target.push(sweeps, self.pushed(k, sweeps.numbers[self.place], operands, adjoints))

        return walk

    def pushed(self, k: int, result: Numbers, operands: list[Numbers], adjoints: Numbers) -> Numbers:
        """What the adjoints are, times the derivatives by operand k: (variables, examples)."""
        rule = self.operation.partials[k]
        derivatives = on_arrays(self.derivatives[k], rule, self.mathematics, result, *operands)
        shape = *self.operands[k].shape, adjoints.shape[1]
        if len(shape) == 2:
            return derivatives * adjoints
        if self.is_own:
            [derivatives] = derivatives
            pushed = numpy.broadcast_to(derivatives * adjoints, shape)
        else:
            pushed = numpy.empty(shape)
            for element, derivative in zip(pushed, derivatives, strict=True):
                element[:] = derivative * adjoints
        return pushed.reshape(-1, shape[-1])


class TakeStep(Step):
    """Lookups: each example's own element, and no other, however many there are."""

    def __init__(self, program: Program, group: Group, operands: dict[int, list[int | list[int]]]) -> None:
        super().__init__(program, group)
        sequences, indices = zip(*[operands[result] for result in group.results], strict=True)
        self.elements = numpy.array(sequences)  # (members, length)
        self.indices = Operand(program, list(indices), (len(indices),))
        self.rows = numpy.array(program.rows)

    def chosen(self, sweeps: Sweeps) -> tuple[Indices, NDArray[numpy.bool_]]:
        """The variable that each member takes, (members, examples); and the places of those that take one."""
        index = numpy.broadcast_to(self.indices.read(sweeps), (len(self.elements), sweeps.numbers.shape[1]))
        places = places_at(index, self.elements.shape[1])
        return numpy.take_along_axis(self.elements, places, 1), places >= 0

    def compute(self, sweeps: Sweeps) -> None:
        variables, is_place = self.chosen(sweeps)
        rows = self.rows[variables]
        numbers = numpy.where(is_place, sweeps.uniform[variables], math.nan)
        member, example = numpy.nonzero(is_place & (rows >= 0))
        numbers[member, example] = sweeps.numbers[rows[member, example], example]
        sweeps.numbers[self.place] = numbers

    def way_back(self, way: Way, members: list[int]) -> Walk:
        way.choose_all(self.elements[members])
        active = numpy.frombuffer(way.active, bool)

        def walk(sweeps: Sweeps) -> None:
            variables, is_place = (array[members] for array in self.chosen(sweeps))
            adjoints, rows = sweeps.adjoints[self.place][members], self.rows[variables]
            is_pushed = is_place & active[variables]
            is_uniform = is_pushed & (rows < 0)
            numpy.add.at(sweeps.sums, variables[is_uniform], adjoints[is_uniform])
            member, example = numpy.nonzero(is_pushed & (rows >= 0))
            numpy.add.at(sweeps.adjoints, (rows[member, example], example), adjoints[member, example])

        return walk


def on_arrays(what: str, rule: Callable[..., Any], m: Mathematics, *operands: Numbers) -> Any:
    """What the rule makes of arrays. One of an operation of the user's may not be written for them."""
    try:
        return rule(m, *operands)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"{what}: {error}. In a tape the operands are arrays, with a number for each example: a rule chooses by "
            "m.where(x > 0, ...), not by `if`, and calls m.exp(x), not math.exp(x)"
        ) from error


class ProductStep(Step):
    """A layer: the weights, (neurons, inputs), times the inputs, (inputs, examples).

    The inputs that are the same for all examples are `fixed`: their products are part of the bias.
    """

    def __init__(self, program: Program, product: Product) -> None:
        super().__init__(program, product)
        self.product = product
        self.varying, self.fixed = (
            [k for k, variable in enumerate(product.inputs) if (program.rows[variable] >= 0) is varies]
            for varies in (True, False)
        )
        self.inputs, self.fixed_inputs = (
            Operand(program, [product.inputs[k] for k in some], (len(some),)) for some in (self.varying, self.fixed)
        )
        self.weights, self.fixed_weights = self.matrices(range(len(self.results)))
        self.biases = Operand(program, product.biases, (len(product.biases),))

    def matrices(self, members: Sequence[int]) -> tuple[Matrix, Matrix | None]:
        """The weights of the varying inputs and, if there are any, of the fixed ones."""
        rows = [self.product.weights[j] for j in members]
        if not self.fixed:
            return Matrix(rows), None
        varying, fixed = (Matrix([[row[k] for k in some] for row in rows]) for some in (self.varying, self.fixed))
        return varying, fixed

    def compute(self, sweeps: Sweeps) -> None:
        net_inputs = sweeps.numbers[self.place]
        numpy.matmul(self.weights.read(sweeps.uniform), self.inputs.read(sweeps), out=net_inputs)
        net_inputs += self.biases.read(sweeps)
        if self.fixed_weights:
            net_inputs += (
                self.fixed_weights.read(sweeps.uniform) @ sweeps.uniform[self.fixed_inputs.places][:, numpy.newaxis]
            )

    def way_back(self, way: Way, members: list[int]) -> Walk:
        weights, fixed_weights, place = self.weights, self.fixed_weights, self.place
        if len(members) < len(self.results):
            weights, fixed_weights = self.matrices(members)
            place = index_of([self.place.start + j for j in members])
        biases = [self.product.biases[j] for j in members]
        to_biases, to_inputs, to_fixed = (
            Target(way.program, variables, way.choose(variables, range(len(variables))))
            for variables in (biases, self.inputs.variables, self.fixed_inputs.variables)
        )
        are_learned = way.choose_all(weights.places)
        if fixed_weights:
            way.choose_all(fixed_weights.places)

        def walk(sweeps: Sweeps) -> None:
            adjoints = sweeps.adjoints[place]
            if to_inputs:
                to_inputs.push(sweeps, weights.read(sweeps.uniform).T @ adjoints)
            if are_learned:
                weights.add(sweeps.sums, adjoints @ self.inputs.read(sweeps).T)
            to_biases.push(sweeps, adjoints)
            if fixed_weights:
                totals = adjoints.sum(axis=1)
                fixed_weights.add(sweeps.sums, numpy.outer(totals, sweeps.uniform[self.fixed_inputs.places]))
                to_fixed.push(sweeps, (fixed_weights.read(sweeps.uniform).T @ totals)[:, numpy.newaxis])

        return walk


class Way:
    """What a sweep backward visits for some outputs, those that are asked for, once for the parameters or inputs too.

    Of the others, 0 times an infinite derivative would be nan.
    """

    def __init__(self, program: Program, asked_for: Sequence[int], for_inputs: bool) -> None:
        self.program, self.asked_for = program, asked_for
        self.active = program.active[for_inputs].tobytes()
        self.needed = bytearray(len(self.active))
        outputs = program.wengert.outputs
        self.outputs = [(k, int(outputs[k])) for k in asked_for]
        for _, variable in self.outputs:
            self.needed[variable] = True
        self.walks = []
        for step in reversed(program.steps):
            members = [j for j, result in enumerate(step.results) if self.needed[result] and self.active[result]]
            if members:
                self.walks.append(step.way_back(self, members))
        self.uniform = []
        for result, operation, operands in reversed(program.uniform):
            if self.needed[result] and self.active[result]:
                flat = [v for operand in operands for v in (operand if isinstance(operand, list) else [operand])]
                self.choose(flat, range(len(flat)))
                self.uniform.append((result, operation, operands))

    def choose(self, variables: Sequence[int], places: Iterable[int]) -> list[int]:
        """Those of the places at which a variable is active, which is needed then."""
        chosen = [k for k in places if self.active[variables[k]]]
        for k in chosen:
            self.needed[variables[k]] = True
        return chosen

    def choose_all(self, variables: Indices) -> bool:
        """The same for an array of variables. Returns whether there is one."""
        are_active = numpy.frombuffer(self.active, bool)[variables]
        numpy.frombuffer(self.needed, bool)[variables[are_active]] = True
        return bool(are_active.any())


class Sweeps:
    """The sweeps of one replay, forward and backward over each block.

    numbers, adjoints   of what varies, (rows, examples)
    uniform, sums       of all other variables, and behind them the constants, the last one first: their numbers, and
                        their adjoints summed up over the examples
    """

    def __init__(self, program: Program, parameters: Array, room: Array) -> None:
        wengert = program.wengert
        self.program, self.room = program, room
        self.uniform, self.sums = numpy.zeros((2, len(program.rows)))
        self.uniform[wengert.inputs : wengert.first_result] = parameters
        self.uniform[-len(program.constants) :] = program.constants
        for result, operation, operands in program.uniform:
            self.uniform[result] = operation.compute(arrays, *map(self.uniform_operand, operands))

    def uniform_operand(self, variables: int | list[int]) -> Numbers:
        return [self.uniform[v] for v in variables] if isinstance(variables, list) else self.uniform[variables]

    def forward(self, batch: Array, outputs: Array) -> None:
        """Writes this block's outputs."""
        self.numbers, self.adjoints = self.room[:, :, : len(batch)]
        self.numbers[: batch.shape[1]] = batch.T
        for step in self.program.steps:
            step.compute(self)
        for k, variable in enumerate(self.program.wengert.outputs.tolist()):
            row = self.program.rows[variable]
            outputs[:, k] = self.numbers[row] if row >= 0 else self.uniform[variable]

    def backward(self, seeds: Array, way: Way) -> None:
        """Adds this block's share to the sums, from the last group to the first."""
        self.adjoints.fill(0.0)
        for k, variable in way.outputs:
            row = self.program.rows[variable]
            if row >= 0:
                self.adjoints[row] += seeds[..., k]
            else:
                self.sums[variable] += numpy.broadcast_to(seeds[..., k], self.adjoints.shape[1]).sum()
        for walk in way.walks:
            walk(self)

    def gradient(self, way: Way) -> Array:
        """The parameters' adjoints, once all blocks have been swept."""
        for result, operation, variables in way.uniform:
            operands = [self.uniform_operand(operand) for operand in variables]
            for operand, partial in zip(variables, operation.partials, strict=True):
                flat = operand if isinstance(operand, list) else [operand]
                chosen = [k for k, variable in enumerate(flat) if way.active[variable]]
                if chosen:
                    derivatives = numpy.asarray(partial(arrays, self.uniform[result], *operands)) * self.sums[result]
                    for k, derivative in zip(chosen, derivatives.reshape(-1)[chosen].tolist(), strict=True):
                        self.sums[flat[k]] += derivative
        wengert = self.program.wengert
        return self.sums[wengert.inputs : wengert.first_result]
