"""Patterns in the plane, drawn at random from a seed: the same seed gives the same data.

Where a loss wants -1 and +1 for two classes, as `hinge` does, they are `2 * targets - 1`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd.packages import numpy
from nn.arguments import positive, seed_number, standard_deviation, within
from nn.datasets.dataset import Dataset

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray


def moons(examples: int = 100, *, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Two half circles that reach into each other: (cos t, sin t) and (1 - cos t, 1/2 - sin t), 0 <= t <= π.

    Arguments:
        examples: how many, at least 1. They alternate between the classes, so every part of the data is balanced.
        noise: standard deviation of the normal noise that is added to each coordinate, at least 0.
        seed: of the places along the curves and of the noise; None draws one.

    Returns inputs of shape (examples, 2), targets 0 (upper moon) and 1 (lower moon).
    Raises ValueError if `examples` is below 1 or `noise` not in [0, 1e307), TypeError for what are no numbers.
    Source: D. Zhou et al., "Learning with local and global consistency", 2003.

    >>> inputs, targets = moons(200, seed=1)
    >>> inputs.shape, targets[:4].tolist()
    ((200, 2), [0, 1, 0, 1])
    """
    random, targets = alternating(examples, seed)
    t = random.uniform(0.0, numpy.pi, examples)
    upper, lower = (numpy.cos(t), numpy.sin(t)), (1.0 - numpy.cos(t), 0.5 - numpy.sin(t))
    return noisy(numpy.where(targets == 0, upper, lower), targets, noise, random)


def circles(examples: int = 100, *, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Two circles about the origin, of radius 1 (class 0) and 1/2 (class 1): no straight line parts them.

    Arguments, result and errors are those of `moons`.

    >>> inputs, targets = circles(6, noise=0.0)
    >>> numpy.hypot(*inputs.T).round(9).tolist()
    [1.0, 0.5, 1.0, 0.5, 1.0, 0.5]
    """
    random, targets = alternating(examples, seed)
    t = random.uniform(0.0, 2.0 * numpy.pi, examples)
    radius = numpy.where(targets == 0, 1.0, 0.5)
    return noisy(radius * (numpy.cos(t), numpy.sin(t)), targets, noise, random)


def spirals(
    examples: int = 200, *, classes: int = 2, turns: float = 1.0, noise: float = 0.02, seed: int = 0
) -> Dataset:
    """Arms of a spiral about the origin: arm k is r (cos a, sin a), a = 2π (turns r + k / classes), r in [0, 1].

    Arguments:
        classes: how many arms, at least 1.
        turns: how often each arm goes around.
        The others, the result and the errors are those of `moons`.
    Source: K. J. Lang and M. J. Witbrock, "Learning to tell two spirals apart", 1988.

    >>> inputs, targets = spirals(90, classes=3)
    >>> numpy.bincount(targets).tolist()
    [30, 30, 30]
    """
    random, targets = alternating(examples, seed, classes)
    turns = within("turns", turns, -1e300, 1e300)  # an angle of which is a float
    radius = numpy.sqrt(random.uniform(0.0, 1.0, examples))  # the root spreads the examples evenly along the arm
    angle = 2.0 * numpy.pi * (turns * radius + targets / classes)
    return noisy(radius * (numpy.cos(angle), numpy.sin(angle)), targets, noise, random)


def xor(examples: int = 100, *, noise: float = 0.1, seed: int = 0) -> Dataset:
    """The corners (±1, ±1): class 1 where the signs of the coordinates differ, else 0. No straight line parts them.

    Arguments, result and errors are those of `moons`; with `xor(4, noise=0.0)` each corner comes once.
    Source: M. Minsky and S. Papert, "Perceptrons", 1969.

    >>> inputs, targets = xor(4, noise=0.0)
    >>> inputs.tolist(), targets.tolist()
    ([[-1.0, -1.0], [-1.0, 1.0], [1.0, 1.0], [1.0, -1.0]], [0, 1, 0, 1])
    """
    random, targets = alternating(examples, seed)
    x = numpy.where(numpy.arange(examples) % 4 < 2, -1.0, 1.0)
    return noisy(numpy.array((x, numpy.where(targets == 0, x, -x))), targets, noise, random)


def alternating(examples: int, seed: int, classes: int = 2) -> tuple[Generator, NDArray[numpy.int64]]:
    """The source of randomness, and as many targets as examples: 0, 1, ..., classes - 1, 0, 1, ..."""
    examples, classes = positive("examples", examples), positive("classes", classes)
    return numpy.random.default_rng(seed_number(seed)), numpy.arange(examples, dtype=numpy.int64) % classes


def noisy(points: NDArray[numpy.float64], targets: NDArray[numpy.int64], noise: float, random: Generator) -> Dataset:
    """The points, given as one row of x and one of y, with normal noise, as examples."""
    inputs = points.T.copy()
    noise = standard_deviation("noise", noise)
    return Dataset(inputs + noise * random.standard_normal(inputs.shape), targets)
