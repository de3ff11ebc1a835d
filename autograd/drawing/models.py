"""A model is seen through a protocol, whatever its class: it can be called, and it names its parameters.

`recorded` runs a model once and writes down what it computes, without a trace: no gradient, number or graph of the
user's is touched, and random numbers that the model draws are not used up.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from reprlib import repr as shortened

from autograd import structures
from autograd.engines import Value
from autograd.operands import described
from autograd.recording import recording
from autograd.undo import undisturbed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
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


def names_of(model: Any) -> dict[int, str]:  # Any: as `named_parameters` takes it
    """The name of each parameter by its id. Raises TypeError for what are no parameters."""
    return {id(parameter): name for name, parameter in named_parameters(model)}


def named_parameters(model: Any) -> list[tuple[str, Value]]:  # Any: a Model, or one with parameters() alone
    """Each parameter once, and its first name: `layers.0.neurons.3.weights.5`, or "" where there is none.

    A model that tells no names, as micrograd's, has those of its attributes.
    Raises TypeError for what are no parameters.
    """
    if callable(getattr(model, "named_parameters", None)):
        pairs = [as_pair(given) for given in listed(model, "named_parameters")]
    else:
        ways = dict(ways_to_values(model))
        pairs = [(ways.get(id(parameter), ""), parameter) for parameter in listed(model, "parameters")]
    for _, parameter in pairs:
        if not isinstance(parameter, Value):
            raise TypeError(f"draw: expected Values as the model's parameters, got {described(parameter)}")
    first: dict[int, tuple[str, Value]] = {}
    for name, parameter in pairs:
        first.setdefault(id(parameter), (str(name), parameter))
    return [*first.values()]


def listed(model: Any, method: str) -> list[Any]:
    """What one of a model's methods tells, one by one. Raises TypeError if that is no sequence."""
    told = getattr(model, method)()
    if not isinstance(told, Iterable):
        raise TypeError(f"draw: expected {kind_of(model)}.{method}() to list parameters, got {described(told)}")
    return [*told]


def as_pair(given: Any) -> tuple[Any, Any]:
    """A name and its parameter."""
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise TypeError(f"draw: expected pairs (name, parameter) from named_parameters(), got {described(given)}")
    return given[0], given[1]


def ways_to_values(model: object) -> Iterator[tuple[int, str]]:
    """The ids of the Values in the attributes of an object, or in a list, tuple or dict, and their first names.

    The things that are open are in a list, since objects may hold one another as deep as they like.
    """
    seen = {id(model): model}
    open = [("", inside(model))]
    while open:
        way, held_in = open[-1]
        for key, held in held_in:
            if id(held) not in seen:
                seen[id(held)] = held
                if isinstance(held, Value):
                    yield id(held), f"{way}{key}"
                elif not callable(getattr(held, "__get__", None)) and not isinstance(held, type):
                    open.append((f"{way}{key}.", inside(held)))
                    break
        else:
            open.pop()


def inside(holder: object) -> Iterator[tuple[object, object]]:
    """What an object holds, and by which name or number."""
    if isinstance(holder, (list, tuple)):
        return iter(enumerate(holder))
    return iter([*(holder if isinstance(holder, dict) else getattr(holder, "__dict__", {})).items()])


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


def recorded(model: Any, named: Sequence[tuple[str, Value]], inputs: Any = None) -> Recorded:
    """Runs the model, with these parameters by name, on the inputs; or without any on as many as its weights tell.

    Raises TypeError or ValueError if the model computes nothing from them that can be drawn, and what the model raises.
    """
    parameters = [parameter for _, parameter in named]
    if inputs is not None:
        return run(model, inputs, parameters, is_example=True)
    reasons = []
    for made_up in candidates(model, [name for name, _ in named]):
        try:
            return run(model, made_up, parameters, is_example=False)
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
    shape = part_at(part, attribute)
    if isinstance(shape, tuple) and len(shape) == 3 and all(isinstance(side, int) and side > 0 for side in shape):
        return shape
    return None


def run(model: Any, inputs: Any, parameters: list[Value], is_example: bool) -> Recorded:
    from autograd.tape import RecordingError, guarded

    arguments, leaves, form = leaves_for(inputs)
    branches = False
    try:
        with untouched(parameters), guarded(leaves):
            returned = model(arguments)
    except RecordingError:
        branches = True
        with untouched(parameters):
            returned = model(arguments)
    given, output_form = structures.flatten(returned, what="draw: what the model returned")
    outputs = [output for output in given if isinstance(output, Value)]
    if not outputs:
        raise TypeError(f"draw: expected a model that returns Values, got {described(returned)} from it")
    return Recorded(leaves, form, outputs, output_form, is_example, branches)


def leaves_for(inputs: Any) -> tuple[Any, list[Value], structures.Form]:
    """The inputs with a new leaf in the place of each number, so that the graph ends there; the leaves; their form.

    Words, which a model may look up, stay as they are. Raises TypeError if there is no number, and OverflowError, with
    the place, for one that no float holds.
    """
    given, form = structures.flatten(inputs, what="draw: inputs")
    leaves: list[Value] = []

    def leaf(thing: Any, place: str) -> Any:
        try:
            number = structures.read_at(place, thing, structures.number, "draw: inputs")
        except TypeError:
            return thing
        leaves.append(Value(number, label=thing.label if isinstance(thing, Value) else ""))
        return leaves[-1]

    arguments = structures.unflatten(form, [*map(leaf, given, form.places())])
    if not leaves:
        raise TypeError(f"draw: inputs: expected numbers, or a structure of them, got {described(inputs)}")
    return arguments, leaves, form


@contextmanager
def untouched(parameters: list[Value]) -> Iterator[None]:
    """Within it all is recorded, and nothing raises for a number that is not finite.

    Afterwards the data and `grad` of the parameters, and the random states, are what they were.
    """
    with undisturbed(parameters), recording(raises=False):
        yield
