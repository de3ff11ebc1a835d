"""A Dataset is examples, inputs and targets row by row; a Split has some to learn from, and others held out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


class Dataset(NamedTuple):
    """Examples: row i of `inputs` belongs to `targets[i]`."""

    inputs: NDArray[numpy.float64]
    targets: NDArray[numpy.int64]


class Split(NamedTuple):
    """Examples to learn from, and others, held out, to measure with what was learned.

    >>> from nn.datasets import iris
    >>> training, held_out = iris()
    >>> len(training.targets), len(held_out.targets)
    (120, 30)
    """

    training: Dataset
    held_out: Dataset
