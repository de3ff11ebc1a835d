"""Convolution is a layer for images: the units of a map look for one thing everywhere, with the same weights.

A weight that is used in many places gets the sum of the gradients of all of them, which is `backward()` as it is; a
tape finds the units with the same weights, and those that see the same numbers (`Tape.layers`).
"""

from __future__ import annotations

import random
from itertools import product
from reprlib import repr as shortened

from autograd import Value, dot, relu
from autograd.wording import counted
from nn.arguments import at_least, check_function, finite, flag, is_sequence, neuron_inputs, positive
from nn.layers import is_of_a_layer
from nn.module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from nn.summary import Shape


class Convolution(Module):
    """Maps of units with shared weights, each of which sees a square of the inputs:

        y[m, i, j] = activation(b + Σ_{s, k, l} w[m, s, k, l] x[s, stride i + k − padding, stride j + l − padding])

    s goes over the input maps that feed map m, k and l from 0 to size − 1. What lies beyond the edge of an input map is
    the padding value.

    Arguments:
        shape: (maps, height, width) of the inputs.
        maps: how many maps of units there are.
        size: the side of the squares.
        stride: from one square to the next.
        padding: how many rows and columns are added on each side of an input map.
        padding_value: the number that stands there.
        sources: for each map, the input maps that feed it; None feeds all of them to each.
        unit_biases: each unit has a bias of its own; False gives the units of a map one together.
        activation: a function of a Value, such as `autograd.tanh`; not softmax, which is of all of them.

    Inputs and outputs are flat, map after map and row by row: so layers follow each other in `Sequential`.
    `output_shape` is (maps, height, width) of the units, with ⌊(height + 2 padding − size) / stride⌋ + 1 rows.
    `weights[m]` has those of map m in the order (s, k, l), `biases[m]` its bias, or those of its units row by row. The
    weights are drawn from the uniform distribution over [-1, 1], the biases are 0, as those of a Neuron.

    Raises TypeError or ValueError for a count that is no positive int, a square that is larger than the padded maps,
    and sources that are no input maps or are there twice.
    Source: Y. LeCun et al., "Backpropagation applied to handwritten zip code recognition", Neural Computation 1, 1989.

    >>> layer = Convolution((1, 3, 3), maps=1, size=2)
    >>> for weight, number in zip(layer.weights[0], [1.0, 0.0, 0.0, -1.0]):
    ...     weight.data = number
    >>> [unit.data for unit in layer([9, 8, 7, 6, 5, 4, 3, 2, 1])]
    [4.0, 4.0, 4.0, 4.0]
    >>> first = Convolution((1, 16, 16), maps=12, size=5, stride=2, padding=2, padding_value=-1.0, unit_biases=True)
    >>> first.output_shape, len(first.parameters()), first.connections
    ((12, 8, 8), 1068, 19968)
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        maps: int,
        size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        padding_value: float = 0.0,
        sources: Sequence[Sequence[int]] | None = None,
        unit_biases: bool = False,
        activation: Callable[[Value], Value] = relu,
    ) -> None:
        self.shape = shape_of(shape)
        maps, self.size = positive("Convolution: maps", maps), positive("Convolution: size", size)
        self.stride = positive("Convolution: stride", stride)
        self.padding = at_least(0, "Convolution: padding", padding)
        self.padding_value = finite("Convolution: padding_value", padding_value)
        self.sources = sources_of(sources, maps, self.shape[0])
        check_function("Convolution: activation", activation, "autograd.tanh")
        if is_of_a_layer(activation):
            raise ValueError(
                "Convolution: activation: softmax is of all outputs of a model, not of one unit; put "
                "Layer(nin, nout, activation=softmax) behind"
            )
        self.activation = activation
        height, width = (self._places(side) for side in self.shape[1:])
        self.output_shape = maps, height, width
        biases = height * width if flag("Convolution: unit_biases", unit_biases) else 1
        self.weights = [
            [Value(random.uniform(-1, 1), label=f"w{k}") for k in range(len(seen) * self.size**2)]
            for seen in self.sources
        ]
        self.biases = [[Value(0.0, label=f"b{k}") for k in range(biases)] for _ in range(maps)]

    @property
    def connections(self) -> int:
        """How many there are, those to the padding and to the biases counted."""
        _, height, width = self.output_shape
        return height * width * sum(len(weights) + 1 for weights in self.weights)

    def __call__(self, x: Iterable[Value | float], *others: object) -> list[Value]:
        """The units, map after map and row by row, for the inputs in the same order, Values or numbers.

        Raises ValueError if there are more or fewer inputs.
        """
        maps = self._padded(x, others)
        units: list[list[Value]] = [[] for _ in self.weights]
        # Place by place, not map by map: so the neurons that see the same numbers follow each other, and in a tape's
        # sweep backward they are one product, too.
        _, height, width = self.output_shape
        for i, j in product(range(height), range(width)):
            top, left = self.stride * i, self.stride * j
            squares = [
                [number for row in rows[top : top + self.size] for number in row[left : left + self.size]]
                for rows in maps
            ]
            for own, seen, weights, biases in zip(units, self.sources, self.weights, self.biases, strict=True):
                numbers = [number for s in seen for number in squares[s]]
                own.append(self.activation(dot(weights, numbers, biases[len(own) % len(biases)])))
        return [unit for own in units for unit in own]

    def _shapes(self) -> tuple[Shape | None, Shape | None]:
        return self.shape, self.output_shape

    def __repr__(self) -> str:
        return f"Convolution({self.shape}, maps={len(self.weights)}, size={self.size}, stride={self.stride})"

    def _places(self, side: int) -> int:
        """How many squares there are along a side of the input maps."""
        room = side + 2 * self.padding - self.size
        if room < 0:
            raise ValueError(
                f"Convolution: size: expected at most {side + 2 * self.padding}, the side of the padded input maps, "
                f"got {self.size}"
            )
        return room // self.stride + 1

    def _padded(self, x: Iterable[Value | float], others: tuple[object, ...]) -> list[list[list[Any]]]:
        """The rows of each input map, with the padding around them."""
        maps, height, width = self.shape
        which = f"{counted(maps, 'map')} of {height} × {width}, row by row"
        if getattr(x, "ndim", 1) > 1:
            raise ValueError(f"Convolution: expected {which}, in one sequence: x.ravel(); got the shape {x.shape}")  # type: ignore[attr-defined]
        inputs = neuron_inputs(x, maps * height * width, others, what="Convolution", which=which)
        side, across = [self.padding_value] * self.padding, [self.padding_value] * (width + 2 * self.padding)
        rows = [[*side, *inputs[k : k + width], *side] for k in range(0, len(inputs), width)]
        edge = [across] * self.padding
        return [[*edge, *rows[k : k + height], *edge] for k in range(0, len(rows), height)]


def shape_of(given: Any) -> tuple[int, int, int]:
    sides = [*given] if is_sequence(given) else []
    if len(sides) != 3:
        raise ValueError(
            f"Convolution: shape: expected (maps, height, width), such as (1, 16, 16), got {shortened(given)}"
        )
    maps, height, width = (positive("Convolution: shape", side) for side in sides)
    return maps, height, width


def sources_of(given: Any, maps: int, inputs: int) -> list[list[int]]:
    """For each map, the input maps that feed it."""
    if given is None:
        return [[*range(inputs)] for _ in range(maps)]
    listed = [*given] if is_sequence(given) else []
    if len(listed) != maps:
        raise ValueError(
            f"Convolution: sources: expected {counted(maps, 'list')}, one for each map, got {shortened(given)}"
        )
    return [sources_of_map(m, seen, inputs) for m, seen in enumerate(listed)]


def sources_of_map(m: int, given: Any, inputs: int) -> list[int]:
    name = f"Convolution: sources[{m}]"
    seen = [at_least(0, name, s) for s in given] if is_sequence(given) else []
    if not seen or max(seen) >= inputs or len(set(seen)) < len(seen):
        raise ValueError(
            f"{name}: expected input maps from 0 to {inputs - 1}, at least one, and each once, got {shortened(given)}"
        )
    return seen
