"""A call that raises has changed nothing: `Undo` puts numbers and random states back as they were."""

from __future__ import annotations

import pickle
import random
import sys
import time
from array import array
from contextlib import contextmanager
from typing import TYPE_CHECKING

from autograd import packages
from autograd.vectors import gather, scatter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Self

    from autograd.engines import Value


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
        self.numbers = numbers_of(self.parameters)
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
            try:
                self._put_back()
            except KeyboardInterrupt:  # twice is as good as once
                self._put_back()
                raise
        self.is_open = False

    def _put_back(self) -> None:
        for leaf, grad in self.grads.items():
            leaf.grad = grad
        put_back(self.parameters, self.numbers, self.random_states)


@contextmanager
def undisturbed(parameters: list[Value]) -> Iterator[None]:
    """Puts back the data and `grad` of the parameters, and the global random states, however the block ends."""
    numbers, states = numbers_of(parameters), random_states()
    try:
        yield
    finally:
        try:
            put_back(parameters, numbers, states)
        except KeyboardInterrupt:  # twice is as good as once
            put_back(parameters, numbers, states)
            raise


def numbers_of(parameters: list[Value]) -> tuple[array[float], array[float]]:
    """The data and the gradients, each in one piece."""
    data, grad = (array("d", bytes(8 * len(parameters))) for _ in range(2))
    gather(parameters, "data", data)
    gather(parameters, "grad", grad)
    return data, grad


def put_back(
    parameters: list[Value], numbers: tuple[array[float], array[float]], states: tuple[Any, Any] | None
) -> None:
    """Sets the data and `grad` of the parameters, and the global random states if there are any."""
    scatter(numbers[0], parameters, "data")
    scatter(numbers[1], parameters, "grad")
    if states is not None:
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
    """That of Python, and that of NumPy, which is the model's, if anybody's; None where nobody has imported it.

    One that is imported later starts from the system's noise: there is nothing to put back.
    """
    if sys.modules.get("numpy") is None:
        return random.getstate(), None
    return random.getstate(), packages.numpy.random.get_state(legacy=False)  # waits for an import that has begun


def put_back_random_states(states: tuple[Any, Any]) -> bool:
    """Sets the global random states to what they were, unless other threads draw; whether that changed them."""
    if not differ(states, random_states()):
        return False
    others = False
    try:
        others = others_draw()
    finally:  # if the wait is interrupted, they are put back
        if not others:
            random.setstate(states[0])
            if states[1] is not None:
                packages.numpy.random.set_state(states[1])
    return not others


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
