"""A model is seen through a protocol, whatever its class: it can be called, and it names its parameters.

`recorded` runs a model once and writes down what it computes, without a trace: no gradient, number or graph of the
user's is touched, and random numbers that the model draws are not used up.
"""

from __future__ import annotations

import pickle
import random
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from reprlib import repr as shortened

from autograd import structures
from autograd.engines import Value
from autograd.operands import described
from autograd.recording import recording

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any, Protocol

    class Model(Protocol):
        """Whatever names its parameters: `layers.0.neurons.3.weights.1`, the way to each through the attributes.

        A class with `parameters()` alone, as micrograd's, will do: names are found in its attributes.
        """

        def named_parameters(self) -> Iterable[tuple[str, Value]]: ...


def is_model(thing: object) -> bool:
    """Whether it can be called and tells its parameters."""
    return callable(thing) and tells_parameters(thing)


def tells_parameters(thing: object) -> bool:
    methods = (getattr(thing, name, None) for name in ("named_parameters", "parameters"))
    return not isinstance(thing, (Value, type)) and any(map(callable, methods))


def names_of(model: Any) -> dict[int, str]:  # Any: a Model, or one with parameters() alone
    """The name of each parameter by its id: `layers.0.neurons.3.weights.5`, or "" where there is none.

    A model that tells no names, as micrograd's, has those of its attributes.
    Raises TypeError for what are no parameters.
    """
    if callable(getattr(model, "named_parameters", None)):
        pairs = [*model.named_parameters()]
    else:
        ways = dict(ways_to_values(model, {id(model): model}))
        pairs = [(ways.get(id(parameter), ""), parameter) for parameter in model.parameters()]
    for _, parameter in pairs:
        if not isinstance(parameter, Value):
            raise TypeError(f"draw: expected Values as the model's parameters, got {described(parameter)}")
    names: dict[int, str] = {}
    for name, parameter in pairs:
        names.setdefault(id(parameter), str(name))
    return names


def ways_to_values(holder: object, seen: dict[int, object], way: str = "") -> Iterator[tuple[int, str]]:
    """The ids of the Values in the attributes of an object, or in a list, tuple or dict, and their first names."""
    held_in = enumerate(holder) if isinstance(holder, (list, tuple)) else getattr(holder, "__dict__", {}).items()
    for key, held in holder.items() if isinstance(holder, dict) else held_in:
        if id(held) not in seen:
            seen[id(held)] = held
            if isinstance(held, Value):
                yield id(held), f"{way}{key}"
            elif not callable(getattr(held, "__get__", None)) and not isinstance(held, type):
                yield from ways_to_values(held, seen, f"{way}{key}.")


def kind_of(thing: object) -> str:
    return type(thing).__name__


def part_at(model: Any, path: str) -> Any:
    """The part of a model that a name leads to, attribute by attribute and index by index; None if it leads nowhere."""
    part = model
    for step in path.split(".") if path else ():
        try:
            if isinstance(part, dict):
                part = next(held for key, held in part.items() if str(key) == step)
            else:
                part = part[int(step)] if step.isdigit() else getattr(part, step)
        except Exception:  # of whatever kind the classes of others raise
            return None
    return part


# ---- Running a model


@dataclass(frozen=True)
class Recorded:
    """What a model computed once.

    Arguments:
        inputs: a leaf for each number that the model was given.
        input_form: their structure.
        outputs: the Values that it returned, in order, with the numbers among them left out.
        output_form: the structure of all that it returned.
        is_example: whether the inputs are the user's, so that their numbers mean something.
        branches: whether the model asked for a number of its graph, which may then be another for other inputs.
    """

    inputs: list[Value]
    input_form: structures.Form
    outputs: list[Value]
    output_form: structures.Form
    is_example: bool
    branches: bool


def recorded(model: Any, names: Sequence[str], inputs: Any = None) -> Recorded:
    """Runs the model, whose parameters have these names, on the inputs; or without any on as many as its weights tell.

    Raises TypeError or ValueError if the model computes nothing from them that can be drawn, and what the model raises.
    """
    if inputs is not None:
        return run(model, inputs, is_example=True)
    reasons = []
    for made_up in candidates(model, names):
        try:
            return run(model, made_up, is_example=False)
        except Exception as error:  # of whatever kind a model raises
            reasons.append(f"; with {shortened(made_up)} it raised {type(error).__name__}: {error}")
    raise ValueError(
        f"draw: the weights of {kind_of(model)} do not tell what it takes; give it an input, draw(model, inputs)"
        + "".join(reasons[:1])
    )


def candidates(model: Any, names: Sequence[str]) -> Iterator[Any]:
    """Inputs that the model may take: a number for each of its first weights, or a sequence of one such step.

    They are ones: zeros have no logarithm, and cannot be divided by.
    """
    name = next(iter(names), "")
    if name:
        shape = shape_of(part_at(model, module_path(model, name)), "shape")
        if shape:
            yield [1.0] * (shape[0] * shape[1] * shape[2])
        row = name.rpartition(".")[0]
        count = len([*takewhile(lambda other: row and other.rpartition(".")[0] == row, names)]) or 1
        yield [1.0] * count
        yield [[1.0] * count]
        if count == 1:
            yield 1.0


def module_path(model: Any, name: str) -> str:
    """The way to the innermost part that can be called on the way to a parameter; "" for the model."""
    path = name
    while path:
        path = path.rpartition(".")[0]
        if callable(part_at(model, path)):
            return path
    return path


def shape_of(part: Any, attribute: str) -> tuple[int, int, int] | None:
    """(maps, height, width), where a part such as a convolution says so."""
    shape = getattr(part, attribute, None)
    if isinstance(shape, tuple) and len(shape) == 3 and all(isinstance(side, int) and side > 0 for side in shape):
        return shape
    return None


def run(model: Any, inputs: Any, is_example: bool) -> Recorded:
    from autograd.tape import RecordingError, guarded

    arguments, leaves, form = leaves_for(inputs)
    branches = False
    try:
        with untouched(), guarded(leaves):
            returned = model(arguments)
    except RecordingError:
        branches = True
        with untouched():
            returned = model(arguments)
    given, output_form = structures.flatten(returned, what="draw: what the model returned")
    outputs = [output for output in given if isinstance(output, Value)]
    if not outputs:
        raise TypeError(f"draw: expected a model that returns Values, got {described(returned)} from it")
    return Recorded(leaves, form, outputs, output_form, is_example, branches)


def leaves_for(inputs: Any) -> tuple[Any, list[Value], structures.Form]:
    """The inputs with a new leaf in the place of each number, so that the graph ends there; the leaves; their form.

    Words, which a model may look up, stay as they are. Raises TypeError if there is no number.
    """
    given, form = structures.flatten(inputs, what="draw: inputs")
    leaves: list[Value] = []

    def leaf(thing: Any) -> Any:
        try:
            number = structures.number(thing)
        except TypeError:
            return thing
        leaves.append(Value(number, label=thing.label if isinstance(thing, Value) else ""))
        return leaves[-1]

    arguments = structures.unflatten(form, [leaf(thing) for thing in given])
    if not leaves:
        raise TypeError(f"draw: inputs: expected numbers, or a structure of them, got {described(inputs)}")
    return arguments, leaves, form


@contextmanager
def untouched() -> Iterator[None]:
    """Within it all is recorded, nothing raises for a number that is not finite, and random numbers are not used up."""
    before = random_states()
    try:
        with recording(raises=False):
            yield
    finally:
        for now, then, put_back in zip(random_states(), before, (random.setstate, numpy_state), strict=False):
            if pickle.dumps(now) != pickle.dumps(then):  # another thread may draw: what is as it was is left alone
                put_back(then)


def random_states() -> list[Any]:  # Any: as each has them
    """That of Python, and that of NumPy where it has been imported."""
    numpy = sys.modules.get("numpy")
    return [random.getstate(), *([numpy.random.get_state(legacy=False)] if numpy else [])]


def numpy_state(state: Any) -> None:
    sys.modules["numpy"].random.set_state(state)
