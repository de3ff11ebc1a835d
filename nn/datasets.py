"""Data sets to learn from: patterns in the plane, drawn from a seed, and real measurements.

`moons`, `circles`, `spirals` and `xor` are two-dimensional patterns, drawn at random from a seed: the same seed gives
the same data. `digits` and `iris` are real measurements, which scikit-learn brings along (no download).

Inputs are float64 arrays of shape (examples, features); targets are int64 arrays of classes, counted from 0. Where a
loss wants -1 and +1 for two classes, as `hinge` does, they are `2 * targets - 1`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy
import numpy.random

from nn.arguments import finite, positive, seed_number

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.random import Generator
    from numpy.typing import NDArray


class Dataset(NamedTuple):
    """Examples: row i of `inputs` belongs to `targets[i]`."""

    inputs: NDArray[numpy.float64]
    targets: NDArray[numpy.int64]


class Split(NamedTuple):
    """Examples to learn from, and others, held out, to measure with what was learned.

    >>> training, held_out = iris()
    >>> len(training.targets), len(held_out.targets)
    (120, 30)
    """

    training: Dataset
    held_out: Dataset


def moons(examples: int = 100, *, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Two half circles that reach into each other: (cos t, sin t) and (1 - cos t, 1/2 - sin t), 0 <= t <= π.

    Arguments:
        examples: how many, at least 1. They alternate between the classes, so every part of the data is balanced.
        noise: standard deviation of the normal noise that is added to each coordinate, at least 0.
        seed: of the places along the curves and of the noise; None draws one.

    Returns inputs of shape (examples, 2), targets 0 (upper moon) and 1 (lower moon).
    Raises ValueError if `examples` or `noise` is too small, or not finite, TypeError for what are no numbers.
    Source: D. Zhou et al., "Learning with local and global consistency", 2003.

    >>> inputs, targets = moons(200, seed=1)
    >>> inputs.shape, targets[:4].tolist()
    ((200, 2), [0, 1, 0, 1])
    """
    random, targets = alternating(examples, noise, seed)
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
    random, targets = alternating(examples, noise, seed)
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
    random, targets = alternating(examples, noise, seed, classes)
    turns = finite("turns", turns)
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
    random, targets = alternating(examples, noise, seed)
    x = numpy.where(numpy.arange(examples) % 4 < 2, -1.0, 1.0)
    return noisy(numpy.array((x, numpy.where(targets == 0, x, -x))), targets, noise, random)


def digits() -> Split:
    """1,797 handwritten digits, images of 8×8 pixels: the network sees the ink, and says which digit it is.

    Returns inputs of 64 pixels, row by row, from 0 (paper) to 1 (ink), in steps of 1/16; targets 0 to 9, the digit.
    Of each digit's images every fifth is held out: 1,437 to learn from and 360 held out. The split is by image and not
    by writer, so the held-out digits are in hands that the network has seen.

    Raises ImportError if scikit-learn is missing.
    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository,
    1998, https://doi.org/10.24432/C50P49 (there, the part called testing).

    >>> training, held_out = digits()
    >>> training.inputs.shape, held_out.inputs.shape
    ((1437, 64), (360, 64))
    """
    pixels, targets = scikit_learn().load_digits(return_X_y=True)
    return stratified(pixels / 16.0, targets)


def iris() -> Split:
    """150 iris flowers of three species, 50 of each, by the sizes of their sepals and petals.

    Returns inputs of 4 lengths in cm (sepal length, sepal width, petal length, petal width); targets 0 (setosa),
    1 (versicolor), 2 (virginica). Of each species every fifth flower is held out: 120 to learn from and 30 held out.

    Raises ImportError if scikit-learn is missing.
    Source: R. A. Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7, 1936.

    >>> training, held_out = iris()
    >>> training.inputs[0].tolist()
    [4.9, 3.0, 1.4, 0.2]
    """
    return stratified(*scikit_learn().load_iris(return_X_y=True))


def alternating(examples: int, noise: float, seed: int, classes: int = 2) -> tuple[Generator, NDArray[numpy.int64]]:
    """The source of randomness, and as many targets as examples: 0, 1, ..., classes - 1, 0, 1, ..."""
    examples, classes = positive("examples", examples), positive("classes", classes)
    if finite("noise", noise) < 0:
        raise ValueError(f"noise: expected a number of at least 0, got {noise}")
    return numpy.random.default_rng(seed_number(seed)), numpy.arange(examples, dtype=numpy.int64) % classes


def noisy(points: NDArray[numpy.float64], targets: NDArray[numpy.int64], noise: float, random: Generator) -> Dataset:
    """The points, given as one row of x and one of y, with normal noise, as examples."""
    inputs = points.T.copy()
    return Dataset(inputs + noise * random.standard_normal(inputs.shape), targets)


def stratified(inputs: NDArray[numpy.float64], targets: NDArray[numpy.int64]) -> Split:
    """Holds out every fifth example of the examples sorted by class; both parts keep the order that they came in.

    No random numbers: the split is the same everywhere and for ever.
    """
    held_out = numpy.zeros(len(targets), dtype=bool)
    held_out[numpy.argsort(targets, kind="stable")[::5]] = True
    targets = targets.astype(numpy.int64)
    return Split(Dataset(inputs[~held_out], targets[~held_out]), Dataset(inputs[held_out], targets[held_out]))


def scikit_learn() -> ModuleType:
    try:
        from sklearn import datasets
    except ImportError as error:
        raise ImportError('digits and iris come with scikit-learn: pip install "scalar-autograd[datasets]"') from error
    return datasets  # type: ignore[no-any-return]
