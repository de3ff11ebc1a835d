"""What the XLA executor compiles: the table's rules on JAX's arrays, one operation for each group of instructions.

Every array is (examples, columns), and what is uniform has one row. The inputs, the parameters, the constants and the
results of each group are the sources of the numbers: a variable is a column of one. An operand of a group is taken from
them, and what is pushed to it goes back the same way: these are `Operands`. Index arrays are arguments of the compiled
function, since XLA takes long to compile large constants.
"""

from __future__ import annotations

import itertools
import os
from bisect import bisect_right
from functools import reduce
from operator import add, itemgetter
from typing import TYPE_CHECKING, NamedTuple

import jax
from jax import numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from autograd.operation import Mathematics, are_places
from autograd.operations import OPERATIONS, ROWS, TABLE
from autograd.packages import numpy
from autograd.tape.executors.numpy import on_arrays
from autograd.tape.groups import Group, Product, constants_of, find_groups
from autograd.tape.wengert import ON_INPUTS, ON_PARAMETERS, TAKE, WengertList

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from autograd.operation import Rule
    from autograd.tape.executors.executor import Array

    Numbers = Any  # Any: JAX's array, (examples or 1, columns)
    Variables = NDArray[numpy.signedinteger[Any]]

INPUTS, PARAMETERS, CONSTANTS = range(3)  # the first sources
MOST_PIECES = 8  # an operand is put together from
MOST_USES = 4  # of a variable by one operand, which are gathered; more are scattered
MOST_NUMBERS = {"cpu": 1 << 21}  # of a block of examples: what is reused of memory is quick
OTHERWISE = 1 << 27  # a gigabyte
MOST_FUSED = 150  # steps: more take time as the square of their number to be compiled, unless nothing is fused
SMALLEST_NORMAL = float(numpy.finfo(numpy.float64).smallest_normal)


# ---- the mathematics


def summed(terms: Sequence[Any], start: Any = 0.0) -> Any:
    """The elements of a sequence are along the last axis."""
    return reduce(add, [term.sum(axis=-1, keepdims=True) for term in terms], start)


def largest(x: Sequence[Any]) -> Any:
    """A nan is left out."""
    [elements] = x
    numbers = jnp.where(jnp.isnan(elements), -jnp.inf, elements)
    return jnp.max(numbers, axis=-1, keepdims=True, initial=-jnp.inf)


def maximum(x: Any, y: Any) -> Any:
    """As the table has it, but that a constant is not so small that XLA, which knows no subnormal numbers, has 0."""
    y = SMALLEST_NORMAL if isinstance(y, float) and 0.0 < y < SMALLEST_NORMAL else y
    return OPERATIONS["maximum"].compute(on_sequences, x, y)


def direction(x: Any, y: Any) -> Any:
    """As the table has it, but that XLA must not make a / (b * c) of what is divided again, as it does on devices."""
    return jax.lax.optimization_barrier(OPERATIONS["direction"].compute(on_sequences, x, y))


PROCESS = os.getpid()  # in which JAX has its threads

ELEMENTWISE: dict[str, Any] = dict(  # noqa: C408  # as Mathematics has them. Any: a rule is polymorphic
    where=jnp.where, hypot=jnp.hypot, power=jnp.power, divide=jnp.divide,
    exp=jnp.exp, expm1=jnp.expm1, exp2=jnp.exp2,
    log=jnp.log, log1p=jnp.log1p, log2=jnp.log2, log10=jnp.log10, sqrt=jnp.sqrt, cbrt=jnp.cbrt,
    sin=jnp.sin, cos=jnp.cos, tan=jnp.tan,
    asin=jnp.arcsin, acos=jnp.arccos, atan=jnp.arctan, atan2=jnp.arctan2,
    sinh=jnp.sinh, cosh=jnp.cosh, tanh=jnp.tanh, asinh=jnp.arcsinh, acosh=jnp.arccosh, atanh=jnp.arctanh,
    erf=jax.scipy.special.erf, erfc=jax.scipy.special.erfc, maximum=maximum, direction=direction,
)  # fmt: skip

# A rule of the table goes over a sequence term by term, and never asks which. So one term can stand for all of them: an
# array whose last axis they are. A rule of the user's may ask, and gets them one by one.
on_sequences = Mathematics(sum=summed, largest=largest, **ELEMENTWISE)
one_by_one = Mathematics(
    sum=lambda terms, start=0.0: reduce(add, terms, start),
    largest=lambda x: reduce(jnp.fmax, x, -jnp.inf),
    **ELEMENTWISE,
)


def columns_of(numbers: Numbers, columns: Variables) -> Numbers:
    return numbers[:, columns]


# ---- operands


class Grid(NamedTuple):
    """Columns of a source: `rows` runs of `length`, each `stride` behind the one before."""

    source: int
    start: int
    rows: int
    stride: int
    length: int
    width: int  # of the source

    def take(self, numbers: Numbers, indices: Sequence[Any]) -> Numbers:
        end = self.start + self.rows * self.stride
        numbers = numbers[:, self.start : end]
        if end > self.width:
            numbers = jnp.pad(numbers, ((0, 0), (0, end - self.width)))
        return numbers.reshape(-1, self.rows, self.stride)[:, :, : self.length].reshape(len(numbers), -1)

    @property
    def end(self) -> int:
        return self.start + (self.rows - 1) * self.stride + self.length

    def spread(self, pushed: Numbers, first: int, end: int) -> Numbers:
        """The adjoints of these columns, as those of the columns from first to end."""
        before = self.start - first
        if end - first != self.rows * self.stride or before + self.length > self.stride:
            runs = jnp.pad(self.runs(pushed), ((0, 0), (0, 0), (0, self.stride - self.length)))
            window = runs.reshape(len(pushed), -1)[:, : self.end - self.start]
            return jnp.pad(window, ((0, 0), (before, end - self.end)))
        padding = (0, 0), (0, 0), (before, self.stride - self.length - before)
        return jnp.pad(self.runs(pushed), padding).reshape(len(pushed), -1)

    def runs(self, pushed: Numbers) -> Numbers:
        return pushed.reshape(len(pushed), self.rows, self.length)


class Gathered(NamedTuple):
    """Any columns of a source. `uses` says of each column of it which elements they are, if these are few."""

    source: int
    columns: int  # a place among the indices
    uses: list[int]  # places
    width: int

    def take(self, numbers: Numbers, indices: Sequence[Any]) -> Numbers:
        return numbers[:, indices[self.columns]]

    def spread(self, pushed: Numbers, indices: Sequence[Any]) -> Numbers:
        if not self.uses:
            zeros = jnp.zeros((len(pushed), self.width), pushed.dtype)
            return zeros.at[:, indices[self.columns]].add(pushed)
        with_zero = jnp.pad(pushed, ((0, 0), (0, 1)))
        return reduce(add, [with_zero[:, indices[use]] for use in self.uses])


def grids(source: int, columns: Variables, width: int) -> Iterator[tuple[Grid, int]]:
    """The columns as grids, each as long as can be; and how many columns it has."""
    steps = numpy.diff(columns)
    breaks = numpy.append(numpy.flatnonzero(steps != 1) + 1, len(columns)).tolist()  # where runs end
    first = 0
    while first < len(columns):
        length = breaks[bisect_right(breaks, first)] - first
        rows, stride = 1, length
        if first + length < len(columns) and columns[first + length] - columns[first] > length:
            stride = int(columns[first + length] - columns[first])
            while is_row(columns, first, length, stride, rows, breaks):
                rows += 1
        yield Grid(source, int(columns[first]), rows, stride, length, width), rows * length
        first += rows * length


def is_row(columns: Variables, first: int, length: int, stride: int, row: int, ends: list[int]) -> bool:
    """Whether the run after so many rows of a grid is one more of them."""
    start = first + row * length
    return bool(
        start < len(columns)
        and columns[start] == columns[first] + row * stride
        and ends[bisect_right(ends, start)] == start + length
    )


def uses_of(columns: Variables, width: int) -> list[Variables]:
    """Of each column, the first element that is it, the second, ...; where there is none, the number of elements."""
    order = numpy.argsort(columns, kind="stable")
    ordered = columns[order]
    first = numpy.searchsorted(ordered, ordered)
    rank = numpy.arange(len(columns)) - first
    count = int(rank.max(initial=-1)) + 1
    if count > MOST_USES or count * width > 4 * len(columns):
        return []
    uses = numpy.full((count, width), len(columns), numpy.int32)
    uses[rank, ordered] = order
    return [*uses]


class Sources:
    """Where the numbers stand: of each variable the source and the column; of each source, its width."""

    def __init__(self, wengert: WengertList) -> None:
        self.constants = numpy.array(constants_of(wengert))  # which are indexed from the end
        count = wengert.first_result + len(wengert) + len(self.constants)
        self.source, self.column = numpy.full(count, -1), numpy.zeros(count, int)
        self.widths: list[int] = []
        self.varies: list[bool] = []
        self.indices: list[Variables] = []
        self.add(numpy.arange(wengert.inputs), varies=True)
        self.add(numpy.arange(wengert.inputs, wengert.first_result), varies=False)
        self.add(-1 - numpy.arange(len(self.constants)), varies=False)
        depends = numpy.append(wengert.dependences, numpy.zeros(len(self.constants), numpy.uint8))
        on_parameters = (depends & ON_PARAMETERS) > 0
        self.active = on_parameters, on_parameters | ((depends & ON_INPUTS) > 0)  # for the inputs too

    def add(self, variables: Any, varies: bool) -> int:
        """A source with these variables as its columns."""
        self.source[variables], self.column[variables] = len(self.widths), numpy.arange(len(variables))
        self.widths.append(len(variables))
        self.varies.append(varies)
        return len(self.widths) - 1

    def index(self, array: Variables) -> int:
        """The place of an array among the indices."""
        self.indices.append(array.astype(numpy.int32))
        return len(self.indices) - 1

    def pieces(self, source: int, columns: Variables) -> list[tuple[Grid | Gathered, int]]:
        """The columns of a source, as a few grids, or gathered; and how many each has."""
        width = self.widths[source]
        found = [*itertools.islice(grids(source, columns, width), MOST_PIECES + 1)]
        if len(found) <= MOST_PIECES:
            return [*found]
        uses = [self.index(use) for use in uses_of(columns, width)]
        return [(Gathered(source, self.index(columns), uses, width), len(columns))]


class Operands:
    """Some variables, as columns that are taken from sources, and to which adjoints are pushed."""

    def __init__(self, sources: Sources, variables: Variables) -> None:
        self.sources, self.variables = sources, variables
        self.are_active = [bool(active[variables].any()) for active in sources.active]
        is_one_constant = len(variables) > 0 and variables[0] < 0 and (variables == variables[0]).all()
        self.constant = float(sources.constants[-1 - variables[0]]) if is_one_constant else None
        source, column = sources.source[variables], sources.column[variables]
        starts = numpy.flatnonzero(numpy.diff(source, prepend=-1))  # of runs from one source
        self.order: int | None = None  # that of the pieces' columns, if it is another; and its inverse
        if len(starts) > MOST_PIECES:
            order = numpy.argsort(source, kind="stable")
            self.order, self.inverse = sources.index(numpy.argsort(order)), sources.index(order)
            source, column = source[order], column[order]
            starts = numpy.flatnonzero(numpy.diff(source, prepend=-1))
        ends = [*starts[1:].tolist(), len(variables)][: len(starts)]
        self.pieces = [
            piece
            for start, end in zip(starts.tolist(), ends, strict=True)
            for piece in sources.pieces(int(source[start]), column[start:end])
        ]

    def take(self, replay: Replay) -> Numbers:
        taken = [piece.take(replay.numbers[piece.source], replay.indices) for piece, _ in self.pieces]
        if not taken:
            return jnp.zeros((1, 0), replay.dtype)
        rows = max(map(len, taken))
        numbers = jnp.concatenate([jnp.broadcast_to(each, (rows, each.shape[1])) for each in taken], axis=1)
        return numbers if self.order is None else numbers[:, replay.indices[self.order]]

    def read(self, replay: Replay) -> Numbers:
        """The same for what is done to each example's numbers: what is uniform is put together before, and once.

        XLA would do it for each example, within that loop; but what is scattered it does not fuse.
        """
        numbers = self.take(replay)
        is_strewn = len(self.pieces) > 1 or any(isinstance(piece, Grid) and piece.rows > 1 for piece, _ in self.pieces)
        if len(numbers) == replay.examples or not is_strewn:
            return numbers
        columns = jnp.arange(numbers.shape[1])
        known = {"unique_indices": True, "indices_are_sorted": True, "mode": "promise_in_bounds"}
        return jnp.zeros_like(numbers).at[:, columns].set(numbers, **known)

    def push(self, replay: Replay, pushed: Numbers) -> None:
        """Adds to the adjoints of what they are taken from, (examples or 1, columns)."""
        if self.order is not None:
            pushed = pushed[:, replay.indices[self.inverse]]
        start = 0
        for piece, length in self.pieces:
            part, start = pushed[:, start : start + length], start + length
            if piece.source == CONSTANTS or (piece.source == INPUTS and not replay.for_inputs):
                continue
            if not self.sources.varies[piece.source]:
                part = replay.sum_over_examples(part)
            replay.push(piece, part)


# ---- groups


class Step:
    """A group, made ready: its results are a source."""

    def __init__(self, sources: Sources, group: Group, varies: bool) -> None:
        self.source, self.results, self.varies = sources.add(group.results, varies), group.results, varies

    def compute(self, replay: Replay) -> Numbers:
        raise NotImplementedError

    def walk_back(self, replay: Replay, result: Numbers, adjoints: Numbers, known: Any) -> None:
        """Pushes to the operands; `known` says of each result whether its adjoint is, None if all are."""
        raise NotImplementedError

    def operands_of(self, known: NDArray[numpy.bool_]) -> Iterator[Variables]:
        """The variables that these results need."""
        raise NotImplementedError


class GroupStep(Step):
    """Instructions of one row. Sequences are (examples, members, elements), and then all else is with one element."""

    def __init__(self, sources: Sources, group: Group, varies: bool, read: Variables) -> None:
        self.operation, self.length = ROWS[group.row], group.length
        self.has_sequences = self.operation.sequences > 0
        self.is_unrolled = self.has_sequences and group.row >= TABLE
        self.mathematics = one_by_one if group.row >= TABLE else on_sequences
        ends = numpy.cumsum([group.length] * self.operation.sequences)
        self.columns = [*numpy.split(read, ends, axis=1)[: self.operation.sequences]]
        scalars = read[:, self.operation.sequences * group.length :]
        self.columns += [scalars[:, k] for k in range(scalars.shape[1])]
        self.operands = [Operands(sources, columns.ravel()) for columns in self.columns]
        super().__init__(sources, group, varies)

    def numbers(self, replay: Replay) -> list[Any]:
        """The operands as the rules take them."""
        taken: list[Any] = []
        for operands, columns in zip(self.operands, self.columns, strict=True):
            if operands.constant is not None and columns.ndim == 1:
                taken.append(operands.constant)
                continue
            numbers = operands.read(replay) if self.varies else operands.take(replay)
            if columns.ndim == 2:
                numbers = numbers.reshape(len(numbers), *columns.shape)
                taken.append([numbers[:, :, k] for k in range(self.length)] if self.is_unrolled else [numbers])
            else:
                taken.append(numbers[:, :, None] if self.has_sequences and not self.is_unrolled else numbers)
        return taken

    def by(self, what: str, rule: Rule, *operands: Any) -> Any:
        return on_arrays(what, rule, self.mathematics, *operands)

    def compute(self, replay: Replay) -> Numbers:
        what = f"{self.operation.name}: the value"
        number = jnp.asarray(self.by(what, self.operation.compute, *self.numbers(replay)))
        if self.has_sequences and not self.is_unrolled:
            number = number[..., 0]
        shape = replay.examples if self.varies else 1, len(self.results)
        return jnp.broadcast_to(number, shape).astype(replay.dtype)

    def walk_back(self, replay: Replay, result: Numbers, adjoints: Numbers, known: Any) -> None:
        taken = self.numbers(replay)
        if self.has_sequences and not self.is_unrolled:
            result = result[:, :, None]
        operation = self.operation
        for name, operands, columns, rule in zip(
            operation.operands, self.operands, self.columns, operation.partials, strict=True
        ):
            if not operands.are_active[replay.for_inputs]:
                continue
            what = f"{operation.name}: the derivative by {name}"
            derivatives = self.by(what, rule, result, *taken)
            if columns.ndim == 2:
                each = [jnp.asarray(d) for d in derivatives]
                if self.is_unrolled:
                    each = [jnp.broadcast_to(d, adjoints.shape)[:, :, None] for d in each]
                derivative = jnp.concatenate(each, axis=2) if len(each) != 1 else each[0]
                pushed = jnp.broadcast_to(derivative * adjoints[:, :, None], (len(adjoints), *columns.shape))
                keeps = None if known is None else known[:, None]
            else:
                derivative = jnp.asarray(derivatives)
                pushed = (derivative[..., 0] if derivative.ndim == 3 else derivative) * adjoints
                keeps = known
            if keeps is not None:
                pushed = jnp.where(keeps, pushed, 0.0)
            operands.push(replay, pushed.reshape(len(adjoints), -1))

    def operands_of(self, known: NDArray[numpy.bool_]) -> Iterator[Variables]:
        return (columns[known].ravel() for columns in self.columns)


def rows_times_rows(numbers: Numbers, weights: Numbers) -> Numbers:
    return jax.lax.dot_general(numbers, weights, (((1,), (1,)), ((), ())))


class ProductStep(Step):
    """A layer: the inputs, (examples, inputs), times the weights, (neurons, inputs), transposed."""

    def __init__(self, sources: Sources, product: Product, varies: bool) -> None:
        self.shape = len(product.results), len(product.inputs)
        self.weight_variables, self.input_variables, self.bias_variables = (
            numpy.array(variables) for variables in (product.weights, product.inputs, product.biases)
        )
        self.weights = Operands(sources, self.weight_variables.ravel())
        self.inputs = Operands(sources, self.input_variables)
        self.biases = Operands(sources, self.bias_variables)
        super().__init__(sources, product, varies)

    def window(self, replay: Replay) -> tuple[int, int] | None:
        """Where the inputs begin and end in a batch, if to copy them would cost more than to multiply all of it."""
        pieces = [piece for piece, _ in self.inputs.pieces]
        if [piece.source for piece in pieces] != [INPUTS] or not isinstance(pieces[0], Grid) or pieces[0].rows != 1:
            return None
        neurons, length = self.shape
        is_large = replay.examples > neurons and length > 8 * (pieces[0].width - length) > 0
        return (pieces[0].start, pieces[0].end) if is_large else None

    def compute(self, replay: Replay) -> Numbers:
        shape = replay.examples if self.varies else 1, len(self.results)
        biases = self.biases.read(replay) if self.varies else self.biases.take(replay)
        return jnp.broadcast_to(self.product(replay) + biases, shape)

    def product(self, replay: Replay) -> Numbers:
        weights = self.weights.take(replay).reshape(self.shape)
        window = self.window(replay)
        if not window:
            return rows_times_rows(self.inputs.take(replay), weights)
        # What else is in the batch has the weight 0. Only 0 times inf or nan is not 0.
        first, end = window
        numbers = replay.numbers[INPUTS]
        others = jnp.concatenate([numbers[:, :first], numbers[:, end:]], axis=1)
        return jax.lax.cond(
            jnp.isfinite(others).all(),
            lambda: rows_times_rows(numbers, jnp.pad(weights, ((0, 0), (first, numbers.shape[1] - end)))),
            lambda: rows_times_rows(numbers[:, first:end], weights),
        )

    def walk_back(self, replay: Replay, result: Numbers, adjoints: Numbers, known: Any) -> None:
        keeps = None if known is None else known[:, None]
        if self.inputs.are_active[replay.for_inputs]:
            weights = self.weights.take(replay).reshape(self.shape)
            if keeps is not None:
                weights = jnp.where(keeps, weights, 0.0)
            self.inputs.push(replay, adjoints @ weights)
        if self.weights.are_active[replay.for_inputs]:
            window = self.window(replay)
            inputs = replay.numbers[INPUTS] if window else self.inputs.take(replay)
            inputs = jnp.broadcast_to(inputs, (len(adjoints), inputs.shape[1]))
            of_examples = (replay.without_padding(numbers) for numbers in (adjoints, inputs))
            pushed = jax.lax.dot_general(*of_examples, (((0,), (0,)), ((), ())))
            if window:
                pushed = pushed[:, slice(*window)]
            if keeps is not None:
                pushed = jnp.where(keeps, pushed, 0.0)
            self.weights.push(replay, pushed.reshape(1, -1))
        if self.biases.are_active[replay.for_inputs]:
            self.biases.push(replay, adjoints)

    def operands_of(self, known: NDArray[numpy.bool_]) -> Iterator[Variables]:
        yield self.weight_variables[known].ravel()
        yield self.bias_variables[known]
        if known.any():
            yield self.input_variables


class TakeStep(Step):
    """Lookups: each example's own element, and no other, however many there are."""

    def __init__(self, sources: Sources, group: Group, varies: bool, read: Variables) -> None:
        self.elements, self.index_variables = read[:, :-1], read[:, -1]  # (members, length), (members,)
        self.index = Operands(sources, self.index_variables)
        self.source_of, self.column_of = (
            sources.index(places[self.elements]) for places in (sources.source, sources.column)
        )
        self.windows = [*self.windows_of(sources)]
        super().__init__(sources, group, varies)

    def windows_of(self, sources: Sources) -> Iterator[tuple[Grid, list[bool]]]:
        """Of each source in which there are elements, the columns from the first to the last; and what is active."""
        source = sources.source[self.elements]
        for number in numpy.unique(source).tolist():
            variables = self.elements[source == number]
            columns = sources.column[variables]
            first, length = int(columns.min()), int(columns.max() - columns.min()) + 1
            are_active = [bool(active[variables].any()) for active in sources.active]
            yield Grid(number, first, 1, length, length, sources.widths[number]), are_active

    def chosen(self, replay: Replay) -> tuple[Any, Any, Any]:
        """Of each example and member: whether there is such an element, its source, and its column there."""
        rows = replay.examples if self.varies else 1
        index = jnp.broadcast_to(self.index.take(replay), (rows, len(self.results)))
        is_place = are_places(index, self.elements.shape[1])
        place = jnp.arange(len(self.results)), jnp.where(is_place, index, 0).astype(numpy.int32)
        return is_place, replay.indices[self.source_of][place], replay.indices[self.column_of][place]

    def compute(self, replay: Replay) -> Numbers:
        is_place, source, column = self.chosen(replay)
        number = jnp.full(is_place.shape, numpy.nan, replay.dtype)
        for window, _ in self.windows:
            numbers = replay.numbers[window.source]
            row = jnp.arange(len(is_place))[:, None] if len(numbers) > 1 else 0
            taken = numbers.at[row, column].get(mode="clip")
            number = jnp.where(is_place & (source == window.source), taken, number)
        return number

    def walk_back(self, replay: Replay, result: Numbers, adjoints: Numbers, known: Any) -> None:
        is_place, source, column = self.chosen(replay)
        for window, are_active in self.windows:
            if not are_active[replay.for_inputs]:
                continue
            pushed = jnp.where(is_place & (source == window.source), adjoints, 0.0)
            row: Any = jnp.arange(len(pushed))[:, None]
            if not replay.program.sources.varies[window.source]:
                pushed, row = replay.without_padding(pushed), 0
            rows = len(pushed) if replay.program.sources.varies[window.source] else 1
            zeros = jnp.zeros((rows, window.length), replay.dtype)
            place = row, column - window.start
            replay.push(window, zeros.at[place].add(pushed, mode="drop", wrap_negative_indices=False))

    def operands_of(self, known: NDArray[numpy.bool_]) -> Iterator[Variables]:
        yield self.elements[known].ravel()
        yield self.index_variables[known]


def find_steps(wengert: WengertList, sources: Sources) -> Iterator[Step]:
    """The groups of what is uniform, then those of what varies, each made ready."""
    ends = numpy.cumsum([ROWS[row].sequences * (length - 1) for row, length in zip(*rows_of(wengert), strict=True)])
    ends = ends + numpy.cumsum([len(ROWS[row].operands) for row in wengert.rows.tolist()])
    starts = numpy.concatenate([[0], ends[:-1]]).astype(int)

    def read(group: Group) -> Variables:
        """The operands' variables, for each member."""
        first = starts[numpy.array(group.results) - wengert.first_result]
        operation = ROWS[group.row]
        count = operation.sequences * group.length + len(operation.operands) - operation.sequences
        variables: Variables = wengert.operands[numpy.add.outer(first, numpy.arange(count))]
        return variables

    for group, varies in [
        *((group, False) for group in uniform_groups(wengert, starts)),
        *((group, True) for group in find_groups(wengert).groups),
    ]:
        if isinstance(group, Product):
            yield ProductStep(sources, group, varies)
        else:
            yield (TakeStep if group.row == TAKE else GroupStep)(sources, group, varies, read(group))


def rows_of(wengert: WengertList) -> tuple[list[int], list[int]]:
    return wengert.rows.tolist(), wengert.lengths.tolist()


def uniform_groups(wengert: WengertList, starts: Variables) -> Iterator[Group]:
    """The groups of what depends on no input: those of a list of its own, whose inputs are the parameters."""
    first, inputs = wengert.first_result, wengert.inputs
    depends = wengert.dependences[first:]
    for k in numpy.flatnonzero(depends == 0).tolist():  # on constants alone
        yield Group(int(wengert.rows[k]), int(wengert.lengths[k]), [first + k])
    chosen = numpy.flatnonzero((depends & ON_INPUTS) == 0)
    number = numpy.arange(-len(wengert.constants), first + len(wengert))  # of each variable, in that list
    number = numpy.roll(number, -len(wengert.constants))
    number[inputs:first] -= inputs
    number[first + chosen] = first - inputs + numpy.arange(len(chosen))
    ends = [*starts[1:].tolist(), len(wengert.operands)]
    operands = [wengert.operands[starts[k] : ends[k]] for k in chosen.tolist()]
    uniform = WengertList(
        first - inputs,
        0,
        wengert.constants,
        wengert.rows[chosen],
        wengert.lengths[chosen],
        number[numpy.concatenate([numpy.empty(0, int), *operands])].astype(numpy.int32),
        number[first + chosen].astype(numpy.int32),  # all of them are outputs, so that no chain hides one
    )
    back = numpy.concatenate([numpy.arange(inputs, first), first + chosen])
    for group in find_groups(uniform).groups:
        group.results = back[group.results].tolist()
        if isinstance(group, Product):
            group.weights = [[int(back[v]) if v >= 0 else v for v in row] for row in group.weights]
            group.inputs = [int(back[v]) if v >= 0 else v for v in group.inputs]
            group.biases = [int(back[v]) if v >= 0 else v for v in group.biases]
        yield group


# ---- the program


def check_process() -> None:
    """Raises RuntimeError in a forked process: JAX's threads are not there, and it would wait for them for ever."""
    if os.getpid() != PROCESS:
        raise RuntimeError(
            "Tape: executor 'xla': JAX does not work in a process that was forked after JAX was imported; "
            "start processes by the method 'spawn', or choose another executor there"
        )


class Program:
    """The list as steps, and the functions that JAX has compiled of it: one for each size, and what is asked for."""

    def __init__(self, wengert: WengertList) -> None:
        self.wengert = wengert
        self.sources = Sources(wengert)
        self.steps = [*find_steps(wengert, self.sources)]
        self.outputs = Operands(self.sources, wengert.outputs)
        width = 1 + sum(itertools.compress(self.sources.widths, self.sources.varies))
        self.most = max(1024, MOST_NUMBERS.get(jax.default_backend(), OTHERWISE) // width)  # examples at once
        options = {"xla_disable_hlo_passes": ",".join(self.left_out())} if jax.default_backend() == "cpu" else None
        self.compiled = jax.jit(self.traced, static_argnames=("backward", "for_inputs"), compiler_options=options)
        self.columns_of = jax.jit(columns_of)
        self.placed: dict[Any, Any] = {}  # the index arrays, on the devices

    def left_out(self) -> Iterator[str]:
        """The passes of XLA that are left out on processors: they would change numbers, or take too long."""
        yield "algsimp"  # algebra: (a / b) / c becomes a / (b * c), and log(exp(x)) becomes x, whatever overflows
        if len(self.steps) > MOST_FUSED:
            yield "fusion"  # a fused loop computes again what is cheap, and of a deep chain that is all before it

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
        """As executor.py has it. XLA has threads of its own."""
        if seeds is not None and not examples:
            gradient[:] = 0.0
        blocks = -(-examples // self.most)
        length = -(-examples // max(1, blocks))  # alike, so that one function is compiled
        for first in range(0, examples, max(1, length)):
            block = slice(first, first + length)
            of_block = seeds if seeds is None or seeds.ndim == 1 else seeds[block]
            asked = None if seeds is None else seeds.reshape(-1, outputs.shape[1]).any(axis=0)
            count = len(outputs[block])
            padded = length, None if blocks == 1 else count
            found = self.on_devices(batch[block], parameters, of_block, asked, input_gradients is not None, *padded)
            outputs[block] = numpy.asarray(found[0])[:count]
            if seeds is not None:
                with numpy.errstate(all="ignore"):
                    gradient[:] = numpy.asarray(found[1]) + (gradient if first else 0.0)
            if input_gradients is not None:
                input_gradients[block] = numpy.asarray(found[2])[:count]

    def replay_own(
        self, batch: Numbers, parameters: Any, seeds: Array | None, for_inputs: bool
    ) -> tuple[Numbers, Numbers | None, Numbers | None]:
        """As executor.py has it: the batch stays where it is, as it is."""
        if not len(batch):  # of which JAX takes no columns
            with jax.enable_x64(True):
                gradient = None if seeds is None else jnp.zeros(self.wengert.parameters, batch.dtype)
                outputs = jnp.zeros((0, len(self.wengert.outputs)), batch.dtype)
            return outputs, gradient, batch if for_inputs else None
        asked = None if seeds is None else seeds.reshape(-1, len(self.wengert.outputs)).any(axis=0)
        return self.run(batch, parameters, seeds, asked, for_inputs)

    def columns_own(self, batch: Numbers, columns: Variables) -> Array:
        """As executor.py has it."""
        check_process()
        with jax.enable_x64(True):
            return numpy.asarray(self.columns_of(batch, columns))

    def on_devices(
        self,
        batch: Array,
        parameters: Array,
        seeds: Array | None,
        asked: Any,
        for_inputs: bool,
        length: int,
        count: int | None,
    ) -> tuple[Any, ...]:
        """The batch, padded with its last example to a size that is compiled for, over all devices."""
        devices = jax.local_devices() if length >= len(jax.local_devices()) else jax.local_devices()[:1]
        size = compiled_size(length, len(devices))
        if size > len(batch):
            count = len(batch)
            more = ((0, size - count), (0, 0))
            batch = numpy.pad(batch, more, mode="edge")
            seeds = seeds if seeds is None or seeds.ndim == 1 else numpy.pad(seeds, more)
        place: Any = None
        if len(devices) > 1:
            mesh = Mesh(numpy.array(devices), ("examples",))
            place = NamedSharding(mesh, PartitionSpec())
            with jax.enable_x64(True):
                batch = jax.device_put(batch, NamedSharding(mesh, PartitionSpec("examples")))
        return self.run(batch, parameters, seeds, asked, for_inputs, count, place)

    def run(
        self,
        batch: Any,
        parameters: Any,
        seeds: Any,
        asked: Any,
        for_inputs: bool,
        count: int | None = None,
        place: Any = None,
    ) -> tuple[Numbers, Numbers | None, Numbers | None]:
        """The outputs and, where there are seeds, the gradient; for the inputs too, if they are asked for."""
        check_process()
        with jax.enable_x64(True), numpy.errstate(all="ignore"):
            known = None if asked is None or asked.all() else self.known(asked)
            found: tuple[Numbers, Numbers | None, Numbers | None] = self.compiled(
                batch, parameters, seeds, known, count, self.indices(place),
                backward=seeds is not None, for_inputs=for_inputs,
            )  # fmt: skip
        return found

    def indices(self, place: Any) -> Any:
        if place not in self.placed:
            arrays = self.sources.indices, self.sources.constants
            self.placed[place] = jax.device_put(arrays, place)
        return self.placed[place]

    def known(self, asked: NDArray[numpy.bool_]) -> Any:
        """Of the results of each step, which are needed by an output that is asked for: their adjoints are known."""
        known = numpy.zeros(len(self.sources.source), bool)
        known[self.wengert.outputs[asked]] = True
        for step in reversed(self.steps):
            for variables in step.operands_of(known[step.results]):
                known[variables] = True
        return [known[step.results] for step in self.steps]

    def traced(
        self,
        batch: Any,
        parameters: Any,
        seeds: Any,
        known: Any,
        count: Any,
        arrays: Any,
        backward: bool,
        for_inputs: bool,
    ) -> tuple[Numbers, Numbers | None, Numbers | None]:
        """What is compiled."""
        replay = Replay(self, batch, parameters, count, arrays, for_inputs)
        outputs = replay.forward()
        if not backward:
            return outputs, None, None
        replay.backward(seeds, known)
        gradient = replay.adjoint(PARAMETERS)[0]
        return outputs, gradient, replay.adjoint(INPUTS) if for_inputs else None


class Replay:
    """One replay, as it is traced: the numbers and the adjoints of each source.

    numbers   (examples or 1, width)
    count     how many examples are no padding; None if all
    """

    def __init__(
        self, program: Program, batch: Any, parameters: Any, count: Any, arrays: Any, for_inputs: bool
    ) -> None:
        self.program, self.examples, self.dtype = program, len(batch), batch.dtype
        self.indices, constants = arrays
        self.count, self.for_inputs = count, for_inputs
        uniform = (vector.astype(self.dtype)[None, :] for vector in (parameters, constants))
        self.numbers: list[Numbers] = [batch, *uniform]
        self.pushed: dict[int, dict[Any, tuple[Grid | Gathered, Numbers]]] = {}

    def forward(self) -> Numbers:
        for step in self.program.steps:
            self.numbers.append(step.compute(self))
        outputs = self.program.outputs.take(self)
        return jnp.broadcast_to(outputs, (self.examples, outputs.shape[1]))

    def backward(self, seeds: Any, known: Any) -> None:
        of_steps = known or [None] * len(self.program.steps)
        seeds = jnp.broadcast_to(seeds.astype(self.dtype), (self.examples, self.program.outputs.variables.size))
        self.program.outputs.push(self, seeds)
        for step, of_step in reversed([*zip(self.program.steps, of_steps, strict=True)]):
            if step.source in self.pushed:
                step.walk_back(self, self.numbers[step.source], self.adjoint(step.source), of_step)

    def push(self, piece: Grid | Gathered, adjoints: Numbers) -> None:
        of_source = self.pushed.setdefault(piece.source, {})
        key = piece if isinstance(piece, Grid) else id(piece)
        before = of_source.get(key, (piece, 0.0))[1]
        of_source[key] = piece, before + adjoints

    def adjoint(self, source: int) -> Numbers:
        """The adjoints of all columns of a source, put together from what has been pushed."""
        varies, width = self.program.sources.varies[source], self.program.sources.widths[source]
        shape = self.examples if varies else 1, width
        pushed = [*self.pushed.pop(source, {}).values()]
        grids = sorted([(piece, part) for piece, part in pushed if isinstance(piece, Grid)], key=itemgetter(0))
        parts, end = [], 0
        for together in overlapping(grids):
            first, last = together[0][0].start, max(piece.end for piece, _ in together)
            parts.append(jnp.zeros((1, first - end), self.dtype))
            parts.append(
                side_by_side(together)
                if are_side_by_side([piece for piece, _ in together])
                else reduce(add, [piece.spread(part, first, last) for piece, part in together])
            )
            end = last
        parts.append(jnp.zeros((1, width - end), self.dtype))
        rows = max(map(len, parts))
        total = jnp.concatenate([jnp.broadcast_to(part, (rows, part.shape[1])) for part in parts], axis=1)
        for piece, part in pushed:
            if isinstance(piece, Gathered):
                total = total + piece.spread(part, self.indices)
        return jnp.broadcast_to(total, shape)

    def without_padding(self, numbers: Numbers) -> Numbers:
        """With 0 in the place of what is of no example, since 0 times an infinite derivative would be nan."""
        if self.count is None or len(numbers) == 1:
            return numbers
        return jnp.where(jnp.arange(self.examples)[:, None] < self.count, numbers, 0.0)

    def sum_over_examples(self, numbers: Numbers) -> Numbers:
        return self.without_padding(numbers).sum(axis=0, keepdims=True) if len(numbers) > 1 else numbers


def overlapping(grids: list[tuple[Grid, Numbers]]) -> Iterator[list[tuple[Grid, Numbers]]]:
    """Those that share columns, from the first column to the last."""
    together: list[tuple[Grid, Numbers]] = []
    for grid, part in grids:
        if together and grid.start >= max(piece.end for piece, _ in together):
            yield together
            together = []
        together.append((grid, part))
    if together:
        yield together


def are_side_by_side(grids: list[Grid]) -> bool:
    """Whether they are one grid whose rows are theirs, the one behind the other, and what is between."""
    first = grids[0]
    return all(each.rows == first.rows and each.stride == first.stride for each in grids) and all(
        before.start + before.length <= start
        for before, start in zip(grids, [*(each.start for each in grids[1:]), first.start + first.stride], strict=True)
    )


def side_by_side(grids: list[tuple[Grid, Numbers]]) -> Numbers:
    """The adjoints of all columns from the first to the last, in one copy; sums over the columns take longer."""
    first, last = grids[0][0], grids[-1][0]
    count, end = max(len(part) for _, part in grids), first.start
    parts = []
    for piece, part in grids:
        parts.append(jnp.zeros((count, piece.rows, piece.start - end), part.dtype))
        parts.append(jnp.broadcast_to(piece.runs(part), (count, piece.rows, piece.length)))
        end = piece.start + piece.length
    parts.append(jnp.zeros((count, first.rows, first.start + first.stride - end), parts[0].dtype))
    rows = jnp.concatenate(parts, axis=2).reshape(count, -1)
    return rows[:, : last.end - first.start]


def compiled_size(examples: int, devices: int = 1) -> int:
    """The least number, at least so many, of five binary digits and then zeros, times the devices.

    So there are at most 16 of them between a number and its double, and at most 1/16 of a batch is padding.
    """
    share = -(-examples // devices)
    step = 1 << max(0, share.bit_length() - 5)
    return -(-share // step) * step * devices
