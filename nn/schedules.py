"""Schedules of the learning rate: each is a function from the number t of steps taken so far to the rate η.

An optimizer takes one in the place of a rate, as in `SGD(model.parameters(), CosineDecay(0.1, 500))`, and asks it at
each step. Steps are counted, not epochs: with n examples an epoch of `nn.fit` has ⌈n / batch_size⌉ steps. Any function
of a step will do: `lambda t: 0.1 / (1 + t)`. Schedules can be compared, printed and pickled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from nn.arguments import positive, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Schedule = Callable[[int], float]


class Checked:
    """What the schedules here have in common: rates and factors are numbers of at least 0, steps are counted from 1."""

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]  # each of them is a dataclass
            name, given = f"{type(self).__name__}: {field.name}", getattr(self, field.name)
            if field.name == "steps":
                object.__setattr__(self, "steps", positive(name, given))
            elif field.name != "schedule":
                object.__setattr__(self, field.name, within(name, given, 0.0, math.inf))
            elif not callable(given):
                raise TypeError(f"{name}: expected a schedule, such as CosineDecay(0.1, 500), got {given!r}")


@dataclass(frozen=True)
class LinearDecay(Checked):
    """η_t = η + (final − η) min(t / steps, 1): a straight line from the rate η to the final one, which then stays.

    >>> [LinearDecay(1.0, steps=4, final=0.2)(t) for t in (0, 2, 4, 6)]
    [1.0, 0.6, 0.2, 0.2]
    """

    rate: float
    steps: int
    final: float = 0.0

    def __call__(self, t: int) -> float:
        done = min(t / self.steps, 1.0)
        return (1.0 - done) * self.rate + done * self.final


@dataclass(frozen=True)
class CosineDecay(Checked):
    """η_t = final + ½ (η − final) (1 + cos(π min(t / steps, 1))), which begins and ends level.

    Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, equation 5.

    >>> [round(CosineDecay(0.2, steps=4)(t), 6) for t in (0, 2, 4, 6)]
    [0.2, 0.1, 0.0, 0.0]
    """

    rate: float
    steps: int
    final: float = 0.0

    def __call__(self, t: int) -> float:
        return self.final + 0.5 * (self.rate - self.final) * (1.0 + math.cos(math.pi * min(t / self.steps, 1.0)))


@dataclass(frozen=True)
class ExponentialDecay(Checked):
    """η_t = η factor^(t / steps): the rate is multiplied by the factor over each so many steps, a little at each.

    >>> [ExponentialDecay(1.0, factor=0.25, steps=2)(t) for t in (0, 1, 2)]
    [1.0, 0.5, 0.25]
    """

    rate: float
    factor: float
    steps: int = 1

    def __call__(self, t: int) -> float:
        return self.rate * math.pow(self.factor, t / self.steps)


@dataclass(frozen=True)
class StepDecay(Checked):
    """η_t = η factor^⌊t / steps⌋: the rate is multiplied by the factor after each so many steps, at once.

    >>> [StepDecay(1.0, factor=0.5, steps=2)(t) for t in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    rate: float
    factor: float
    steps: int

    def __call__(self, t: int) -> float:
        return self.rate * math.pow(self.factor, t // self.steps)


@dataclass(frozen=True)
class Warmup(Checked):
    """η_t = (t + 1) / (steps + 1) schedule(0) for t < steps, then schedule(t − steps): a rise before a schedule.

    Source: Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017, section 2.2.

    >>> [round(Warmup(3, LinearDecay(0.4, steps=4))(t), 6) for t in range(8)]
    [0.1, 0.2, 0.3, 0.4, 0.3, 0.2, 0.1, 0.0]
    """

    steps: int
    schedule: Schedule

    def __call__(self, t: int) -> float:
        return (t + 1) / (self.steps + 1) * self.schedule(0) if t < self.steps else self.schedule(t - self.steps)
