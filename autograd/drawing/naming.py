"""Parameters are named by where they stand in a model: `layers[0].neurons[3].w[1]`."""

from __future__ import annotations

import re

from autograd.drawing import diagram
from autograd.drawing.models import names_of, tells_parameters
from autograd.operands import described
from autograd.wording import indexed, shown, shown_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from autograd.drawing.models import Model
    from autograd.engines import Value

    Place = tuple[str, ...]  # ("layers[0]", "neurons[3]", "weights[1]")


def places(model: Model) -> dict[int, Place]:
    """Where each parameter of a model stands, by the parameter's id. Raises TypeError if it is no model.

    A number after a dot is an index: "layers.0.weights.1" is ("layers[0]", "weights[1]").
    """
    if not tells_parameters(model):
        raise TypeError(
            f"draw: expected model= to have named_parameters(), as an nn.Module has, got {described(model)}"
        )
    return {key: place(name) for key, name in names_of(model).items() if name}


def place(name: str) -> Place:
    """The way to a parameter, from its name. What can't be printed in it is escaped.

    >>> place("layers.0.neurons.3.weights.1")
    ('layers[0]', 'neurons[3]', 'weights[1]')
    """
    return tuple(indexed(shown(name, diagram.HOVER_CHARACTERS)).split("."))


def names(values: Sequence[Value], known: Mapping[int, Place]) -> dict[int, str]:
    """What the parameters among the values are called in a picture, by their ids: without what all have in common.

    The last step is the parameter's own label where that says as much as the attribute's name: `w[1]`, and not
    `weights[1]`, if the label is `w1`. What is too long for a box begins with …, since its end says most.
    """
    among = [(value, known[id(value)]) for value in values if id(value) in known]
    shared = common(place[:-1] for _, place in among)
    return {
        id(value): shown_end(".".join([*place[shared:-1], last(value, place[-1])]), diagram.BOX_CHARACTERS)
        for value, place in among
    }


def common(places: Iterable[Place]) -> int:
    """How many steps all of the places begin with."""
    first, *others = {*places} or {()}
    for k, step in enumerate(first):
        if any(place[k : k + 1] != (step,) for place in others):
            return k
    return len(first)


def last(value: Value, step: str) -> str:
    """The attribute's name and its indices; the name is a letter or two if the label begins with these."""
    name, bracket, indices = step.partition("[")
    label = re.fullmatch(r"([^\W\d]{1,2})[\d,]*", str(value.label or ""))
    return (label[1] if label else name) + bracket + indices
