"""A replay is what was recorded of a function, or of a transform, for one structure of its arguments."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from autograd import structures
from autograd.engines import Value
from autograd.functions import sum as total
from autograd.packages import numpy
from autograd.tape import RecordingError, Tape
from autograd.transforms.call import Made, checked_positions, made_from, returned_by, single_number
from autograd.transforms.transforms import hvp
from autograd.vectors import gather

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from autograd.structures import Form, Structure
    from autograd.transforms.apart import Apart
    from autograd.transforms.call import Function

    Array = NDArray[numpy.float64]


class Replay:
    """What was recorded for a structure: from the numbers of a call to its result.

    Arguments:
        apart: the arguments that it is recorded with.
        function: from the arguments and keywords, with Values for numbers, to the Values that are the tape's outputs.
        chosen: which of the numbers it is differentiated by: the tape's inputs. All others are parameters, if possible.

    has_parameters      whether it computes with Values from outside
    has_made_leaves     whether the function has made some that it computes with
    part                of the tape's inputs, those that are chosen
    """

    def __init__(self, apart: Apart, function: Callable[..., list[Value]], chosen: Sequence[int]) -> None:
        outputs: list[Value] = []

        def of_numbers(*numbers: Value) -> list[Value]:
            arguments, keywords = apart.filled(numbers)
            outputs[:] = function(*arguments, **keywords)
            return outputs or [Value(0.0)]

        try:
            leaves = Tape.record(of_numbers, apart.numbers).inputs
        except RecordingError as error:
            message = str(error).removeprefix("Tape.record: ")
            raise RecordingError(
                f"compiled: {message}; an argument that counts or chooses may be named in static="
            ) from error
        results, inputs = outputs or [Value(0.0)], [*chosen]
        try:
            self.tape, self.part = Tape(results, [leaves[i] for i in inputs]), index_of(range(len(inputs)))
        except TypeError:  # another of the numbers is the index of a lookup: only an input may be
            self.tape, self.part, inputs = Tape(results, leaves), index_of(chosen), [*range(len(leaves))]
        self.inputs_of_tape = index_of(inputs)
        self.is_empty = not (outputs and leaves)
        place = {leaf: k for k, leaf in enumerate(self.tape.parameters)}
        others = [i for i, leaf in enumerate(leaves) if leaf in place]
        self.others = numpy.array(others, int), numpy.array([place[leaves[i]] for i in others], int)
        older = older_than(leaves[0], self.tape.parameters) if leaves else []
        self.has_parameters = bool(older)
        self.has_made_leaves = len(older) + len(others) < len(self.tape.parameters)

    def inputs(self, numbers: Array) -> tuple[Array, Array | None]:
        """The tape's batch and parameters; None where these are as they are."""
        batch = numbers[:, self.inputs_of_tape]
        if not len(self.others[0]):
            return batch, None
        parameters = numpy.empty(len(self.tape.parameters))
        gather(self.tape.parameters, "data", parameters)
        parameters[self.others[1]] = numbers[0, self.others[0]]
        return batch, parameters

    def __call__(self, numbers: Array) -> Any:
        raise NotImplementedError


def index_of(numbers: Sequence[int]) -> Any:  # Any: what an array is indexed with
    """A slice, if they follow each other: then nothing is copied."""
    first = numbers[0] if numbers else 0
    end = first + len(numbers)
    return slice(first, end) if [*numbers] == [*range(first, end)] else numpy.array(numbers)


def older_than(leaf: Value, others: Sequence[Value]) -> list[Value]:
    """Those that were there before it. A tape has its parameters in the order in which they were created."""
    ordered = Tape(total([leaf, *others])).parameters
    return [*ordered[: ordered.index(leaf)]]


def recorded(function: Function, apart: Apart) -> Replay | None:
    """The replay for these arguments; None without numbers, and for a derivative of what is not computed from them."""
    transform = made_from(function)
    if isinstance(function, functools.partial) and function.func is hvp and len(function.args) == 1:
        transform = Made("hvp", function.args[0])
    kind = REPLAYS.get(transform.name, OfFunction) if transform else OfFunction
    replay = kind(apart, transform or Made("", function))
    if replay.has_made_leaves:  # which may be a model's, built when it is first called: then they are there by now
        replay = kind(apart, transform or Made("", function))
    return None if replay.is_empty else replay


class OfFunction(Replay):
    """All that a function returns."""

    def __init__(self, apart: Apart, transform: Made) -> None:
        def computed(*arguments: Any, **keywords: Any) -> list[Value]:
            self.returned = Returned(transform.function(*arguments, **keywords))
            return self.returned.values

        super().__init__(apart, computed, range(len(apart.numbers)))
        # A result that stays as it is is replayed, too: the function may read .data, which floats do not have.
        self.is_empty = not apart.numbers

    def __call__(self, numbers: Array) -> Any:
        batch, parameters = self.inputs(numbers)
        outputs = self.tape.forward(batch, parameters=parameters)[0]
        return self.returned.built(outputs[: len(self.returned.places)])


class OfGradient(Replay):
    """The gradient of a number; with it the value, and what else the function has returned."""

    def __init__(self, apart: Apart, transform: Made) -> None:
        count = len(apart.form.parts[0].parts)
        positions, is_single = checked_positions(transform.name, transform.argnums, count)
        chosen, form = apart.chosen(positions, is_single)
        self.write, self.has_aux, self.has_value = writer(form), transform.has_aux, transform.name == "value_and_grad"
        self.aux = Returned(None, any_leaf=True)

        def computed(*arguments: Any, **keywords: Any) -> list[Value]:
            output, aux = returned_by(transform.name, transform.function, arguments, keywords, transform.has_aux)
            value = single_number(f"{transform.name}: expected the function to return a number", output)
            self.aux = Returned(aux, any_leaf=True)
            self.write_value = writer(structures.flatten(output)[1])
            return [value, *self.aux.values] if isinstance(value, Value) else []

        super().__init__(apart, computed, chosen)
        # The value alone is differentiated. A number is the tape's quickest way.
        self.seeds = numpy.eye(1, 1 + len(self.aux.values))[0] if self.aux.values else 1.0

    def __call__(self, numbers: Array) -> Any:
        batch, parameters = self.inputs(numbers)
        outputs, _, slopes = self.tape.value_and_grad(batch, parameters=parameters, gradient=self.seeds, inputs=True)
        gradient = self.write(slopes[0, self.part])
        aux = self.aux.built(outputs[0, 1:]) if self.has_aux else None
        if self.has_value:
            value = self.write_value(outputs[0, :1])
            return ((value, aux) if self.has_aux else value), gradient
        return (gradient, aux) if self.has_aux else gradient


class OfHessian(OfGradient):
    """All second derivatives of a number."""

    def __init__(self, apart: Apart, transform: Made) -> None:
        super().__init__(apart, transform)
        count = len(apart.form.parts[0].parts)
        _, form = apart.chosen(*checked_positions("hessian", transform.argnums, count))
        self.write_matrix = matrix_writer(form, form)

    def __call__(self, numbers: Array) -> Any:
        batch, parameters = self.inputs(numbers)
        [matrix] = self.tape.hessian(batch, wrt="inputs", parameters=parameters, gradient=self.seeds)
        hessian = self.write_matrix(matrix[self.part][:, self.part])
        if not self.has_aux:
            return hessian
        return hessian, self.aux.built(self.tape.forward(batch, parameters=parameters)[0, 1:])


class OfJacobian(Replay):
    """All derivatives of what a function returns."""

    def __init__(self, apart: Apart, transform: Made) -> None:
        count = len(apart.form.parts[0].parts)
        chosen, form = apart.chosen(*checked_positions(transform.name, transform.argnums, count))
        self.has_aux, self.aux = transform.has_aux, Returned(None, any_leaf=True)

        def computed(*arguments: Any, **keywords: Any) -> list[Value]:
            output, aux = returned_by(transform.name, transform.function, arguments, keywords, transform.has_aux)
            self.returned, self.aux = Returned(output), Returned(aux, any_leaf=True)
            return [*self.returned.values, *self.aux.values]

        super().__init__(apart, computed, chosen)
        self.write = matrix_writer(self.returned.form, form)

    def __call__(self, numbers: Array) -> Any:
        batch, parameters = self.inputs(numbers)
        [rows] = self.tape.jacobian(batch, wrt="inputs", parameters=parameters)
        rows, count = rows[:, self.part], len(self.returned.places)
        matrix = numpy.zeros((self.returned.form.count, rows.shape[1]))
        matrix[self.returned.places] = rows[:count]
        jacobian = self.write(matrix)
        if not self.has_aux:
            return jacobian
        return jacobian, self.aux.built(self.tape.forward(batch, parameters=parameters)[0, count:])


class OfProduct(Replay):
    """The Hessian of a number times a vector: of the arguments `primals` and `tangents`."""

    def __init__(self, apart: Apart, transform: Made) -> None:
        arguments, _ = apart.filled(apart.numbers)
        hvp(transform.function, *arguments)  # which checks them
        primals, form = apart.chosen([0], is_single=True)
        self.tangents = index_of(apart.chosen([1], is_single=True)[0])
        self.write = writer(form.parts[0] if len(form.parts) == 1 else structures.Form(tuple, parts=form.parts))

        def computed(primals: Any, tangents: Any) -> list[Value]:
            value = single_number("hvp: expected the function to return a number", transform.function(*primals))
            return [value] if isinstance(value, Value) else []

        super().__init__(apart, computed, primals)

    def __call__(self, numbers: Array) -> Any:
        batch, parameters = self.inputs(numbers)
        vector = numpy.zeros(batch.shape)
        vector[:, self.part] = numbers[:, self.tangents]
        return self.write(self.tape.hvp(batch, vector, wrt="inputs", parameters=parameters)[0, self.part])


REPLAYS: dict[str, Callable[[Apart, Made], Replay]] = {
    "grad": OfGradient, "value_and_grad": OfGradient, "hessian": OfHessian, "jacobian": OfJacobian, "hvp": OfProduct,
}  # fmt: skip


# ---- Results


class Returned:
    """What a function has returned: numbers that stay as they are, and Values, in whose places numbers will stand.

    Arguments:
        any_leaf: there may be anything among the numbers.
    """

    def __init__(self, structure: Structure, any_leaf: bool = False) -> None:
        read = None if any_leaf else structures.scalar
        self.leaves, self.form = structures.flatten(structure, read, "compiled: what the function has returned")
        self.places = [i for i, leaf in enumerate(self.leaves) if isinstance(leaf, Value)]
        self.values: list[Value] = [self.leaves[i] for i in self.places]
        self.write = writer(self.form) if len(self.places) == len(self.leaves) else None
        self.leaves = [None if isinstance(leaf, Value) else leaf for leaf in self.leaves]  # no graph is kept

    def built(self, numbers: Array) -> Structure:
        if self.write is not None:
            return self.write(numbers)
        leaves = [*self.leaves]
        for place, number in zip(self.places, numbers.tolist(), strict=True):
            leaves[place] = number
        return structures.unflatten(self.form, leaves)


def writer(form: Form) -> Callable[[Array], Structure]:
    """What makes a structure of this form of a vector, as `structures.unflatten` does."""
    if form.kind is None:
        return (lambda numbers: numbers.item()) if form.shape is None else (lambda numbers: numbers.reshape(form.shape))
    if is_flat(form):
        return (lambda numbers: numbers.tolist()) if form.kind is list else (lambda numbers: tuple(numbers.tolist()))
    return lambda numbers: structures.unflatten(form, numbers.tolist())


def matrix_writer(outputs: Form, inputs: Form) -> Callable[[Array], Structure]:
    """What makes a structure of a matrix, as `structures.unflatten_matrix` does."""
    if outputs.kind is inputs.kind is list and is_flat(outputs) and is_flat(inputs):
        return lambda matrix: matrix.tolist()
    if outputs.shape is not None and inputs.shape is not None:
        shape = outputs.shape + inputs.shape
        return lambda matrix: matrix.reshape(shape)
    return lambda matrix: structures.unflatten_matrix(outputs, inputs, matrix.tolist())


def is_flat(form: Form) -> bool:
    return form.kind in (list, tuple) and all(part.kind is None is part.shape for part in form.parts)
