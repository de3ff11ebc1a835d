"""NETtalk's passes through its words: after each word a step down the gradient, of its letters' errors added up.

The words are drawn, as many and about as long as the thousand common ones of notebooks/landmarks/1987-nettalk.ipynb,
since these are not part of this project.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy
from workloads import LEARNING_RATE, SEED, Array, Network, sigmoid

PLACES, SYMBOLS = 7, 29  # of the window of letters
MARGIN = 0.1  # an output that is as near to its target has no error


@dataclass(frozen=True)
class Reading:
    """So many passes through so many words of 2 to 9 letters."""

    network: Network  # with sigmoid in all layers
    words: int
    passes: int

    @cached_property
    def rows(self) -> list[Array]:
        """Of each word the inputs and targets of its letters, (letters, 203 + 26): of the targets about 4 are 1."""
        source = numpy.random.default_rng(SEED)
        return [self.word(source, letters) for letters in source.integers(2, 10, self.words).tolist()]

    def word(self, source: numpy.random.Generator, letters: int) -> Array:
        window = numpy.eye(SYMBOLS)[source.integers(SYMBOLS, size=(letters, PLACES))].reshape(letters, -1)
        return numpy.hstack([window, source.random((letters, self.network.widths[-1])) < 0.15])

    def read(self, learn: Callable[[Array], Any]) -> Any:
        """Goes through the words; `learn` makes the step of a word. Returns what it returned for the last one."""
        for _ in range(self.passes):
            for word in self.rows:
                outcome = learn(word)
        return outcome


class ByHand:
    """The same on arrays, as one writes it with NumPy."""

    def __init__(self, network: Network) -> None:
        self.parameters, self.inputs = network.parameters(), network.width

    def learn(self, word: Array) -> Array:
        """Returns by how much the outputs were wrong."""
        w1, b1, w2, b2 = self.parameters
        x, targets = word[:, : self.inputs], word[:, self.inputs :]
        hidden = sigmoid(x @ w1 + b1)
        outputs = sigmoid(hidden @ w2 + b2)
        errors = outputs - targets
        adjoint = numpy.where(abs(errors) > MARGIN, errors, 0.0) * outputs * (1.0 - outputs)
        of_hidden = (adjoint @ w2.T) * hidden * (1.0 - hidden)
        w2 -= LEARNING_RATE * (hidden.T @ adjoint)
        b2 -= LEARNING_RATE * adjoint.sum(axis=0)
        w1 -= LEARNING_RATE * (x.T @ of_hidden)
        b1 -= LEARNING_RATE * of_hidden.sum(axis=0)
        return errors


def loss(errors: Array) -> float:
    return float(numpy.maximum(errors**2, MARGIN**2).sum() / 2)


READING = {"nettalk": Reading(Network((PLACES * SYMBOLS, 80, 26), "half the squares"), words=1000, passes=20)}
