"""A call that raises has changed nothing: `Undo` puts numbers and random states back as they were."""

from __future__ import annotations

import pickle
import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from autograd import Value, scatter
from autograd.packages import numpy
from nn.optimizers import gathered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Self


class Undo:
    """A context that an error leaves as if nothing had been done in it, unless `keep()` has been called.

    It puts back the data and `grad` of the parameters, the `grad` of the leaves that `note` was told of, and the global
    random states, if anything in it may draw random numbers and no other thread does.
    """

    def __init__(self, parameters: list[Value], may_draw: bool = True) -> None:
        self.parameters = parameters
        self.may_draw = may_draw
        self.is_open = False

    def __enter__(self) -> Self:
        self.numbers = gathered(self.parameters, "data"), gathered(self.parameters, "grad")
        self.random_states = random_states() if self.may_draw else None
        self.grads: dict[Value, float] = {}
        self.is_open = True
        return self

    def note(self, loss: Value) -> None:
        """The leaves of the first loss, whose `grad` is about to change. Those of others are hardly ever others."""
        if self.is_open and not self.grads:
            self.grads = {node: node.grad for node in ancestors([loss]) if not node.parents}

    def keep(self) -> None:
        self.is_open = False

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self.is_open:
            for leaf, grad in self.grads.items():
                leaf.grad = grad
            scatter(self.numbers[0], self.parameters, "data")
            scatter(self.numbers[1], self.parameters, "grad")
            if self.random_states is not None:
                put_back_random_states(self.random_states)
        self.is_open = False


@contextmanager
def undisturbed(parameters: list[Value]) -> Iterator[None]:
    """Puts back the data and `grad` of the parameters, and the global random states, however the block ends."""
    numbers, states = (gathered(parameters, "data"), gathered(parameters, "grad")), random_states()
    try:
        yield
    finally:
        scatter(numbers[0], parameters, "data")
        scatter(numbers[1], parameters, "grad")
        put_back_random_states(states)


def ancestors(values: Iterable[Value]) -> set[Value]:
    """The values, and all that they were computed from."""
    seen: set[Value] = set()
    unseen = list(values)
    while unseen:
        node = unseen.pop()
        if node not in seen:
            seen.add(node)
            unseen.extend(node.parents)
    return seen


def random_states() -> tuple[Any, Any]:  # Any: as each has them
    return random.getstate(), numpy.random.get_state(legacy=False)  # it is the model's, if anybody's


def put_back_random_states(states: tuple[Any, Any]) -> bool:
    """Sets the global random states to what they were, unless other threads draw; whether that changed them."""
    if not differ(states, random_states()) or others_draw():
        return False
    random.setstate(states[0])
    numpy.random.set_state(states[1])
    return True


def others_draw() -> bool:
    """Whether other threads draw while this one waits. Then they have drawn before, and it must not be put back.

    Nothing tells who has drawn. One that draws seldom is not noticed, and may get the same numbers again.
    """
    for _ in range(20):
        before = random_states()
        time.sleep(1e-3)
        if differ(before, random_states()):
            return True
    return False


def differ(some: tuple[Any, Any], others: tuple[Any, Any]) -> bool:
    return some[0] != others[0] or pickle.dumps(some[1]) != pickle.dumps(others[1])
