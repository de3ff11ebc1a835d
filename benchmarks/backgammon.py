"""TD-Gammon's games as its network sees them: at each move some boards to choose from, and the best one is played.

The rules, which would be the same for all, are left out: the boards are drawn. What is measured is what a network does
in a game against itself, as notebooks/landmarks/1992-td-gammon.ipynb has it: predictions for all boards of a move, the
gradient of the prediction for the one that is played, its eligibility trace, and a step of TD(λ).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy
from workloads import SEED, Array, Network, sigmoid

RATE, DECAY = 0.1, 0.7


@dataclass(frozen=True)
class Backgammon:
    """Games of so many moves, with so many boards to choose from."""

    network: Network  # with sigmoid in all layers
    moves: int
    choices: int

    @cached_property
    def boards(self) -> Array:
        """(moves, choices, 198): about as many units are on as on a board."""
        source = numpy.random.default_rng(SEED)
        return (source.random((self.moves, self.choices, self.network.width)) < 0.18).astype(float)

    def play(self, player: Any) -> float:
        """One game, which white wins. A player has the methods of EligibilityTraces. Returns the last error."""
        player.start()
        first, *others = self.boards
        player.visit(first[0])
        for move, boards in enumerate(others):
            values = player.values(boards)
            best = values.argmin() if move % 2 else values.argmax()
            player.learn(values[best])
            player.visit(boards[best])
        return player.finish(1.0)  # type: ignore[no-any-return]


class ByHand:
    """The same on arrays, as one writes it with NumPy: all parameters in one vector, of which the layers are views."""

    def __init__(self, network: Network) -> None:
        arrays = network.parameters()
        self.parameters, self.gradient, self.trace = (numpy.concatenate([a.ravel() for a in arrays]) for _ in range(3))
        self.w1, self.b1, self.w2, self.b2 = views(self.parameters, arrays)
        self.dw1, self.db1, self.dw2, self.db2 = views(self.gradient, arrays)

    def start(self) -> None:
        self.trace[:] = 0.0

    def values(self, boards: Array) -> Array:
        return sigmoid(self.hidden(boards) @ self.w2 + self.b2)[:, 0]

    def visit(self, board: Array) -> None:
        hidden = self.hidden(board)
        self.value = float(sigmoid(hidden @ self.w2 + self.b2)[0])
        self.db2[:] = slope = self.value * (1.0 - self.value)
        self.dw2[:, 0] = slope * hidden
        self.db1[:] = slope * self.w2[:, 0] * hidden * (1.0 - hidden)
        numpy.multiply.outer(board, self.db1, out=self.dw1)
        self.trace *= DECAY
        self.trace += self.gradient

    def learn(self, target: float) -> float:
        error = target - self.value
        self.parameters += RATE * error * self.trace
        return error

    finish = learn

    def hidden(self, boards: Array) -> Array:
        return sigmoid(boards @ self.w1 + self.b1)


def views(vector: Array, arrays: list[Array]) -> list[Array]:
    """The parts of a vector, in the shapes of the arrays."""
    ends = numpy.cumsum([array.size for array in arrays])[:-1]
    return [part.reshape(array.shape) for part, array in zip(numpy.split(vector, ends), arrays, strict=True)]


# About as many moves, and boards to choose from, as there are on average.
BACKGAMMON = {"backgammon": Backgammon(Network((198, 40, 1), "the next prediction"), moves=65, choices=20)}
