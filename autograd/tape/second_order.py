"""Second derivatives of a tape's result, by lists that the table's rules write: forward over reverse.

From the list of a tape the rules write the list of the gradient (a sweep backward, on symbols), and from that the list
of the gradient's tangents in a direction v (a sweep forward): H v, the Hessian times v. Its replays go forward alone.
(B. A. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6, 1994.)

The Hessian is such products, one for each colour of its columns (`colouring.py`). Where entries of the Hessian cannot
be other than 0 is known from the gradient's list: which of its outputs depend on which leaves. A list that is small is
written for all colours at once, the directions being constants: so what a direction does not reach is not there, and
its outputs are the entries. A larger list has its direction among its inputs, and the colours are lanes of one replay.
By the parameters, of which all examples have the same, a replay of the gradient's list goes backward from the direction
instead: reverse over reverse, which is H v summed over the examples, with a layer's products done at once. What the
gradient's list chooses by, comparisons, is computed before, and given to it: no derivative goes through a comparison,
whose own would be nan where what is compared is equal. What is not chosen has an adjoint of 0, and may have an infinite
derivative, as in a power's gradient: so a product that is nan is computed once more, forward.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from autograd.locks import Lock
from autograd.operations import OPERATIONS
from autograd.packages import numpy
from autograd.tape.colouring import sources, star_colouring
from autograd.tape.symbols import Draft, Symbol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from typing import Literal, TypeAlias

    from numpy.typing import NDArray

    from autograd.operation import Operation
    from autograd.tape.executors import Program
    from autograd.tape.symbols import Number
    from autograd.tape.wengert import WengertList

    Array = NDArray[numpy.float64]
    Indices = NDArray[numpy.intp]
    Which: TypeAlias = Literal["parameters", "inputs"]
    Edge: TypeAlias = tuple[int, Number]  # a variable, and the derivative of a result with respect to it
    Step: TypeAlias = tuple[int, Operation, list[int | list[int]], list[Edge]]

MOST_WRITTEN = 20_000  # instructions of a list that has all entries as outputs
MANY_EXAMPLES = 16  # fill the lanes by themselves
NUMBERS_AT_ONCE = 1 << 21  # that a replay returns


MOST_RESULTS = 16  # of one tape, whose lists are kept


class SecondDerivatives:
    """Those of a tape's results, for several threads at once.

    Arguments:
        wengert: the list of the tape.
        program: makes a list ready for replays.
    """

    def __init__(self, wengert: WengertList, program: Callable[[WengertList], Program]) -> None:
        self.wengert, self.program = wengert, program
        self.known: dict[tuple[Which, tuple[int, ...]], SecondOrder] = {}
        self.lock = Lock()

    def of_result(self, wrt: Which, seeds: Array, examples: int) -> tuple[SecondOrder, Array]:
        """Those of Σ_k weight_k output_k, and the weights, (examples, asked).

        Arguments:
            seeds: (outputs,) for all examples alike, or (examples, outputs). Outputs whose seed is 0 in all examples
                are left out, as `backward` does.
        """
        if seeds.ndim == 1:
            seeds = seeds[numpy.newaxis]
        asked: tuple[int, ...] = tuple(numpy.flatnonzero(seeds.any(axis=0)).tolist())
        weights = seeds[:, asked]
        if len(weights) != examples:
            weights = numpy.broadcast_to(weights, (examples, len(asked)))
        with self.lock():
            if (wrt, asked) not in self.known:
                while len(self.known) >= MOST_RESULTS:
                    del self.known[next(iter(self.known))]
                self.known[wrt, asked] = SecondOrder(self.wengert, self.program, asked, wrt)
            return self.known[wrt, asked], weights


class SecondOrder:
    """The second derivatives of one result: of an output, or of several outputs, each times a weight.

    Arguments:
        wengert: the list of the tape.
        program: makes a list ready for replays.
        asked: which of the outputs. If there are several, their weights are further inputs of all lists.
        wrt: by which leaves the result is differentiated.
    """

    def __init__(
        self, wengert: WengertList, program: Callable[[WengertList], Program], asked: Sequence[int], wrt: Which
    ) -> None:
        self.make_ready, self.lock = program, Lock()
        self.is_by_inputs = wrt == "inputs"
        leaves = range(wengert.inputs) if self.is_by_inputs else range(wengert.inputs, wengert.first_result)
        self.leaves = [*leaves]
        draft = self.draft = Draft(wengert)
        is_one = len(asked) == 1
        self.weights = [] if is_one else [draft.further_symbol() for _ in asked]
        seeds: dict[int, Number] = {}
        factors: Sequence[Number] = [1.0] if is_one else self.weights
        for output, weight in zip(asked, factors, strict=True):
            if (variable := wengert.outputs[output]) >= 0:
                variable = draft.variables[variable]
                seeds[variable] = draft.apply("add", seeds.get(variable, 0.0), weight)
        adjoints = pulled_back(draft, draft.needed([draft.symbol(variable) for variable in seeds]), self.leaves, seeds)
        self.gradient = [adjoints.get(leaf, 0.0) for leaf in self.leaves]
        self.steps = linearised(draft, draft.needed(self.gradient), self.leaves)

    # ---- Where there are entries

    @cached_property
    def neighbours(self) -> list[set[int]]:
        """Of each leaf, the others with which the Hessian has an entry; and the leaf itself, if it has one."""
        reached = {leaf: 1 << i for i, leaf in enumerate(self.leaves)}  # of each variable: of which leaves, as bits
        for result, _, _, edges in self.steps:
            bits = 0
            for variable, _ in edges:
                bits |= reached[variable]
            reached[result] = bits
        found: list[set[int]] = [set() for _ in self.leaves]
        for i, slope in enumerate(self.gradient):
            if isinstance(slope, Symbol):
                for j in places_of_ones(reached.get(slope.variable, 0)):
                    found[i].add(j)
                    found[j].add(i)
        return found

    @cached_property
    def colours(self) -> list[int]:
        """Of each leaf; those that the gradient does not depend on have one, too."""
        return star_colouring([others - {i} for i, others in enumerate(self.neighbours)])

    @cached_property
    def entries(self) -> tuple[Indices, Indices]:
        """The rows and columns of the entries that may not be 0, row by row."""
        pairs = [(i, j) for i, others in enumerate(self.neighbours) for j in sorted(others)]
        rows, columns = numpy.array(pairs, numpy.intp).reshape(-1, 2).T
        return rows, columns

    @cached_property
    def flat_places(self) -> Indices:
        """Of each entry, among the numbers of the matrix row by row."""
        rows, columns = self.entries
        return rows * len(self.leaves) + columns

    @cached_property
    def sources(self) -> tuple[Indices, Indices]:
        """Of each entry, the colour from whose product it is read, and the place there."""
        return sources(*self.entries, self.colours)

    @cached_property
    def directions(self) -> Array:
        """(colours, leaves): 1.0 for each leaf of the colour."""
        return numpy.equal.outer(numpy.arange(max(self.colours, default=-1) + 1), self.colours).astype(float)

    # ---- The lists. Each is written once, by one thread; what an interrupt leaves of one does no harm.

    @cached_property
    def of_entries(self) -> Program | None:
        """Its outputs are the entries; None if it would be large."""
        with self.lock():
            if len(self.directions) * len(self.steps) > MOST_WRITTEN:
                return None
            by_colour = []
            for direction in self.directions.tolist():
                ones = {leaf: 1.0 for leaf, seed in zip(self.leaves, direction, strict=True) if seed}
                by_colour.append(self._tangents(ones))
            colours, elements = (array.tolist() for array in self.sources)
            outputs = [by_colour[colour][element] for colour, element in zip(colours, elements, strict=True)]
            return self.make_ready(self.draft.finished(outputs, self.weights))

    @cached_property
    def of_products(self) -> Program:
        """H v. v is its last inputs."""
        with self.lock():
            direction = [self.draft.further_symbol() for _ in self.leaves]
            outputs = self._tangents(dict(zip(self.leaves, direction, strict=True)))
            return self.make_ready(self.draft.finished(outputs, [*self.weights, *direction]))

    @cached_property
    def choices(self) -> list[Symbol]:
        """What the gradient's list chooses by: the indices of lookups that are computed, all by comparisons of rules.

        No derivative goes through them. (A lookup of the tape's own has a number or an input as its index.)
        """
        draft = self.draft
        written = draft.instructions(draft.needed(self.gradient))
        indices = {operands[1] for _, operation, operands in written if operation is TAKE}
        return [Symbol(draft, result) for result, *_ in self.steps if result in indices]

    @cached_property
    def of_choices(self) -> Program:
        """The choices. No rule compares adjoints, so they need no weights."""
        with self.lock():
            return self.make_ready(self.draft.finished(self.choices))

    @cached_property
    def of_gradient(self) -> Program:
        """The gradient. The choices are its last inputs."""
        with self.lock():
            return self.make_ready(self.draft.finished(self.gradient, [*self.weights, *self.choices]))

    def _tangents(self, direction: Mapping[int, Number]) -> list[Number]:
        """Those of the gradient, where the leaves' are given."""
        tangents = pushed_forward(self.draft, self.steps, direction)
        variables = [slope.variable if isinstance(slope, Symbol) else None for slope in self.gradient]
        return [0.0 if variable is None else tangents.get(variable, 0.0) for variable in variables]

    # ---- Replays

    def hessian(self, batch: Array, parameters: Array, weights: Array, threads: int) -> Array:
        """The entries: (entries,), summed over the examples, or by the inputs (examples, entries).

        Arguments:
            batch: (examples, inputs).
            weights: (examples, asked).
        """
        if self.of_entries is None:
            colours, elements = self.sources
            found: Array = self._by_colour(batch, parameters, weights, threads)[..., colours, elements]
            return found
        return self._replayed(self.of_entries, batch, parameters, weights, len(self.sources[0]), threads)

    def dense(self, entries: Array) -> Array:
        """The Hessian, (leaves, leaves), or Hessians, with these entries."""
        count = len(self.leaves)
        matrix = numpy.zeros((*entries.shape[:-1], count * count))
        matrix[..., self.flat_places] = entries
        shaped: Array = matrix.reshape(*entries.shape[:-1], count, count)
        return shaped

    def product(self, batch: Array, parameters: Array, weights: Array, vector: Array, threads: int) -> Array:
        """H v: (leaves,), for a vector of as many; or by the inputs (examples, inputs), for as many vectors."""
        if not self.is_by_inputs and len(batch) >= MANY_EXAMPLES:
            return self._summed(batch, parameters, weights, vector[numpy.newaxis], threads).reshape(-1)
        return self._pushed_forward(batch, parameters, weights, vector, threads)

    def _pushed_forward(self, batch: Array, parameters: Array, weights: Array, vector: Array, threads: int) -> Array:
        """The same, whatever the number of examples: the tangents of the gradient in the direction of the vector."""
        vectors = vector if self.is_by_inputs else numpy.broadcast_to(vector, (len(batch), len(self.leaves)))
        return self._replayed(self.of_products, batch, parameters, weights, len(self.leaves), threads, vectors)

    def _by_colour(self, batch: Array, parameters: Array, weights: Array, threads: int) -> Array:
        """(colours, leaves), summed over the examples; or by the inputs (examples, colours, leaves)."""
        if not self.is_by_inputs:
            return self._summed(batch, parameters, weights, self.directions, threads)
        colours, leaves = self.directions.shape
        products = numpy.empty((len(batch), colours, leaves))
        at_once = max(1, NUMBERS_AT_ONCE // max(1, len(batch) * leaves))
        for first in range(0, colours, at_once):
            some = self.directions[first : first + at_once]
            lanes, of_lanes = (numpy.repeat(array, len(some), axis=0) for array in (batch, weights))
            vectors = numpy.tile(some, (len(batch), 1))
            rows = self._examples(self.of_products, lanes, parameters, of_lanes, leaves, threads, vectors)
            products[:, first : first + at_once] = rows.reshape(len(batch), len(some), leaves)
        return products

    def _summed(self, batch: Array, parameters: Array, weights: Array, directions: Array, threads: int) -> Array:
        """(directions, leaves): the products by the parameters with each direction, summed over the examples."""
        products = self._pulled_back(batch, parameters, weights, directions, threads)
        for k in numpy.flatnonzero(numpy.isnan(products).any(axis=1)):
            products[k] = self._pushed_forward(batch, parameters, weights, directions[k], threads)
        return products

    def _pulled_back(self, batch: Array, parameters: Array, weights: Array, directions: Array, threads: int) -> Array:
        """The same: the adjoints of the parameters from each direction."""
        products = numpy.zeros(directions.shape)
        if not any(isinstance(slope, Symbol) for slope in self.gradient):
            return products  # the gradient is constant, or there is nothing to differentiate by
        at_once = max(1, NUMBERS_AT_ONCE // max(1, len(self.leaves), len(self.choices)))
        for first in range(0, len(batch), at_once):
            inputs, factors = batch[first : first + at_once], weights[first : first + at_once]
            parts = [inputs]
            if self.weights:
                parts, factors = [inputs, factors], numpy.ones(1)
            elif (factors == factors[0]).all():
                factors = factors[0]  # as mostly: the seeds are the same for all examples
            if self.choices:
                parts.append(replayed_forward(self.of_choices, inputs, parameters, len(self.choices), threads))
            inputs = side_by_side(*parts)
            outputs, product = numpy.empty((len(inputs), len(self.leaves))), numpy.empty(len(self.leaves))
            for sums, direction in zip(products, directions, strict=True):
                seeds = direction * factors
                self.of_gradient.replay(len(inputs), inputs, parameters, outputs, seeds, product, None, threads)
                sums += product
        return products

    def _replayed(
        self,
        program: Program,
        batch: Array,
        parameters: Array,
        weights: Array,
        outputs: int,
        threads: int,
        vectors: Array | None = None,
    ) -> Array:
        """The outputs of the examples, or unless they are differentiated by their inputs, the sum over all examples."""
        at_once = max(1, NUMBERS_AT_ONCE // max(1, outputs))
        blocks: list[Array] = []
        for first in range(0, max(len(batch), 1), at_once):
            block = slice(first, first + at_once)
            own = None if vectors is None else vectors[block]
            rows = self._examples(program, batch[block], parameters, weights[block], outputs, threads, own)
            blocks.append(rows if self.is_by_inputs else rows[0] if len(rows) == 1 else rows.sum(axis=0))
        if self.is_by_inputs:
            return blocks[0] if len(blocks) == 1 else numpy.concatenate(blocks)
        return blocks[0] if len(blocks) == 1 else numpy.sum(blocks, axis=0)

    def _examples(
        self,
        program: Program,
        batch: Array,
        parameters: Array,
        weights: Array,
        outputs: int,
        threads: int,
        vectors: Array | None,
    ) -> Array:
        """(examples, outputs)."""
        parts = [batch, *([weights] if self.weights else []), *([] if vectors is None else [vectors])]
        rows = replayed_forward(program, side_by_side(*parts), parameters, outputs, threads)
        if not self.weights and not (weights == 1.0).all():
            rows *= weights
        return rows


def replayed_forward(program: Program, inputs: Array, parameters: Array, outputs: int, threads: int) -> Array:
    """(examples, outputs)."""
    rows = numpy.empty((len(inputs), outputs))
    program.replay(len(inputs), inputs, parameters, rows, None, numpy.empty(len(parameters)), None, threads)
    return rows


def side_by_side(*parts: Array) -> Array:
    """Each example's numbers, one part's behind another's, as replays take them: what NumPy joins may lie otherwise."""
    return numpy.ascontiguousarray(parts[0] if len(parts) == 1 else numpy.concatenate(parts, axis=1))


# ---- Sweeps on symbols


def edges_of(
    draft: Draft, result: int, operation: Operation, operands: list[int | list[int]], dependent: Collection[int]
) -> Iterator[Edge]:
    """The dependent operands, and the derivatives of the result with respect to each, by the rules of the table.

    The index of a lookup is whole, and nothing is differentiated by it, unless it is an element as well.
    """
    read = [[*map(draft.symbol, x)] if isinstance(x, list) else draft.symbol(x) for x in operands]
    differentiated = operands[:1] if operation is TAKE else operands
    for operand, partial in zip(differentiated, operation.partials, strict=False):
        variables = operand if isinstance(operand, list) else [operand]
        if any(variable in dependent for variable in variables):
            derivatives = partial(draft.mathematics, draft.symbol(result), *read)
            each = derivatives if isinstance(operand, list) else [derivatives]
            for variable, derivative in zip(variables, each, strict=True):
                if variable in dependent:
                    yield variable, derivative


def linearised(draft: Draft, results: Sequence[int], leaves: Sequence[int]) -> list[Step]:
    """The instructions with these results that depend on the leaves, each with its edges from what does, too."""
    steps: list[Step] = []
    dependent = set(leaves)
    for result, operation, operands in draft.instructions(results):
        if operation is TAKE:
            assert isinstance(operands[0], list)
            edges: list[Edge] = [(x, 1.0) for x in operands[0] if x in dependent]
        else:
            edges = list(edges_of(draft, result, operation, operands, dependent))
        if edges:
            dependent.add(result)
            steps.append((result, operation, operands, edges))
    return steps


def pushed_forward(draft: Draft, steps: Sequence[Step], tangents: Mapping[int, Number]) -> dict[int, Number]:
    """The tangents of the results, where some leaves have these. What none of them reaches has none."""
    found = dict(tangents)
    for result, operation, operands, edges in steps:
        terms = [(derivative, found[variable]) for variable, derivative in edges if variable in found]
        if terms and operation is TAKE:
            sequence, index = operands
            assert isinstance(sequence, list)
            assert isinstance(index, int)
            found[result] = draft.apply("take", [found.get(x, 0.0) for x in sequence], draft.symbol(index))
        elif terms:
            found[result] = draft.sum_of_products(terms)
    return found


def pulled_back(
    draft: Draft, results: Sequence[int], leaves: Sequence[int], seeds: Mapping[int, Number]
) -> dict[int, Number]:
    """The adjoints of the leaves, and of what is between them and the seeds, in `backward()`'s order."""
    dependent = set(leaves)
    instructions = []
    for result, operation, operands in draft.instructions(results):
        flat = [x for operand in operands for x in (operand if isinstance(operand, list) else [operand])]
        if not dependent.isdisjoint(flat):
            dependent.add(result)
            instructions.append((result, operation, operands))
    adjoints, arrived = dict(seeds), dict[int, list[tuple["Number", "Number"]]]()
    for result, operation, operands in reversed(instructions):
        if result in arrived:
            adjoints[result] = draft.sum_of_products(arrived.pop(result), adjoints.get(result, 0.0))
        if result in adjoints:
            for variable, derivative in edges_of(draft, result, operation, operands, dependent):
                arrived.setdefault(variable, []).append((derivative, adjoints[result]))
    for leaf, terms in arrived.items():
        adjoints[leaf] = draft.sum_of_products(terms, adjoints.get(leaf, 0.0))
    return adjoints


def places_of_ones(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


TAKE = OPERATIONS["take"]
