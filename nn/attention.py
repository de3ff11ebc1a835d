"""Attention: each place of a sequence asks the places so far, and takes most from those whose keys fit its query.

`CausalAttention` is that step, `TransformerBlock` the layer of a GPT that it is half of, and `rms_norm` what both
halves see. The graph has a node for each number: the weights of the attention are Values, and have gradients.
"""

from __future__ import annotations

import math
import random
from reprlib import repr as shortened

from autograd import Value, dot, relu, softmax, sqrt
from autograd.wording import counted
from nn.arguments import is_sequence, neuron_inputs, positive, scalars, standard_deviation, within
from nn.module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from nn.summary import Shape

    Scalar = Value | float
    Vector = list[Any]  # Any: Values, or numbers among them


class CausalAttention(Module):
    """For each place the mean of the values so far, weighted by how well their keys fit its query; head by head.

        q_t = Q x_t,    k_t = K x_t,    v_t = V x_t
        a_t = softmax(q_t · k_1 / √d, ..., q_t · k_t / √d),    y_t = M (a_t1 v_1 + ... + a_tt v_t)

    A head has d = width / heads of the numbers of q, k and v, and weights a of its own; M mixes what the heads bring.

    Arguments:
        width: how many numbers a place has.
        heads: how many, which divide the width.
        window: how many places each sees, itself and those before it; None lets it see all of them.
        deviation: the standard deviation of the first weights, drawn from the normal distribution: Q, K, V, then M.

    No later place is seen, so an output can predict the next place. No matrix has a bias, and no place knows its
    number: who wants it to adds an `Embedding` of the place to its input.
    Raises TypeError or ValueError if `width`, `heads` or `window` is not a positive int, if the heads do not divide the
    width, or if `deviation` is negative.
    Source: A. Vaswani et al., "Attention is all you need", 2017, equation 1 and section 3.2.

    >>> attention = CausalAttention(4, heads=2)
    >>> sequence = [[1.0, 0.0, 2.0, 0.0], [0.0, 1.0, 0.0, 1.0], [3.0, 1.0, 0.0, 0.0]]
    >>> len(attention(sequence)), len(attention.parameters())
    (3, 64)
    >>> [len(row) for row in attention.weights(sequence)[0]]
    [1, 2, 3]
    """

    def __init__(self, width: int, heads: int = 1, *, window: int | None = None, deviation: float = 0.08) -> None:
        width, self.heads = positive("CausalAttention: width", width), positive("CausalAttention: heads", heads)
        if width % self.heads:
            raise ValueError(f"CausalAttention: heads: expected a divisor of the width, {width}, got {heads}")
        self.window = None if window is None else positive("CausalAttention: window", window)
        self.queries, self.keys, self.values, self.mix = (matrix(name, width, width, deviation) for name in "qkvm")

    def __call__(self, sequence: Iterable[Iterable[Scalar]]) -> list[Vector]:
        """The outputs y, one for each place, for a sequence of places, each of `width` Values or numbers.

        Raises ValueError if a place has more or fewer, TypeError for what is no sequence of such.
        """
        places = places_of("CausalAttention", sequence, len(self.mix))
        values = [linear(self.values, x) for x in places]
        of_heads = self._weights(places)
        outputs = []
        for t in range(len(places)):
            first = self._first_seen(t)
            columns = [*zip(*values[first : t + 1], strict=True)]
            brought = [
                dot(weights[t][first:], column)
                for weights, head in zip(of_heads, self._parts(), strict=True)
                for column in columns[head]
            ]
            outputs.append(linear(self.mix, brought))
        return outputs

    def weights(self, sequence: Iterable[Iterable[Scalar]]) -> list[list[Vector]]:
        """For each head and each place t the weights a_t1 to a_tt, whose sum is 1; those outside the window are 0.0.

        Raises as a call does. `nn.plots.attention` draws those of a head.
        """
        return self._weights(places_of("CausalAttention", sequence, len(self.mix)))

    def _weights(self, places: list[Vector]) -> list[list[Vector]]:
        queries, keys = ([linear(rows, x) for x in places] for rows in (self.queries, self.keys))
        return [
            [self._weights_of(query, keys[: t + 1], head) for t, query in enumerate(queries)] for head in self._parts()
        ]

    def _weights_of(self, query: Vector, keys: list[Vector], head: slice) -> Vector:
        """The weights that a head gives to the places so far, of which the last one asks."""
        first = self._first_seen(len(keys) - 1)
        root = math.sqrt(head.stop - head.start)
        return [0.0] * first + softmax([dot(query[head], key[head]) / root for key in keys[first:]])

    def _first_seen(self, place: int) -> int:
        return 0 if self.window is None else max(0, place + 1 - self.window)

    def _parts(self) -> list[slice]:
        """Which of the numbers of queries, keys and values are each head's."""
        size = len(self.mix) // self.heads
        return [slice(first, first + size) for first in range(0, len(self.mix), size)]

    def _shapes(self) -> tuple[Shape | None, Shape | None]:
        return ("n", len(self.mix)), ("n", len(self.mix))

    def __repr__(self) -> str:
        window = "" if self.window is None else f", window={self.window}"
        return f"CausalAttention({len(self.mix)}, heads={self.heads}{window})"


class TransformerBlock(Module):
    """A layer of a GPT: what attention brings, and what a small network makes of it, are both added to each place.

        x_t ← x_t + attention(rms_norm(x_1), ..., rms_norm(x_t)),    x_t ← x_t + W relu(U rms_norm(x_t))

    Arguments:
        width: how many numbers a place has.
        hidden: how many hidden units the network of U and W has; None is four times the width.
        The others are those of `CausalAttention`, whose weights are drawn first, then U and W.

    Raises as `CausalAttention` does.
    Source: A. Vaswani et al., "Attention is all you need", 2017, section 3.1. To normalise before each half is GPT-2's
    (A. Radford et al., "Language models are unsupervised multitask learners", 2019), there by layer normalisation.

    >>> block = TransformerBlock(16, heads=4)
    >>> len(block.parameters())
    3072
    """

    def __init__(
        self,
        width: int,
        heads: int = 1,
        hidden: int | None = None,
        *,
        window: int | None = None,
        deviation: float = 0.08,
    ) -> None:
        self.attention = CausalAttention(width, heads, window=window, deviation=deviation)
        width = len(self.attention.mix)  # an int of Python, four times which is no overflow
        hidden = 4 * width if hidden is None else positive("TransformerBlock: hidden", hidden)
        self.hidden, self.back = matrix("u", hidden, width, deviation), matrix("w", width, hidden, deviation)

    def __call__(self, sequence: Iterable[Iterable[Scalar]]) -> list[Vector]:
        """The places after both halves. Raises as `CausalAttention` does."""
        places = places_of("TransformerBlock", sequence, len(self.back))
        brought = self.attention([rms_norm(x) for x in places])
        places = [added(x, y) for x, y in zip(places, brought, strict=True)]
        return [added(x, self._made_of(rms_norm(x))) for x in places]

    def _made_of(self, x: Vector) -> Vector:
        return linear(self.back, [relu(h) for h in linear(self.hidden, x)])

    def _shapes(self) -> tuple[Shape | None, Shape | None]:
        return ("n", len(self.back)), ("n", len(self.back))

    def __repr__(self) -> str:
        return f"TransformerBlock of [{self.attention}, {len(self.hidden)} hidden]"


def rms_norm(x: Iterable[Scalar], epsilon: float = 1e-5) -> Vector:
    """x_i / √((x_1² + ... + x_n²) / n + ε): the numbers, as large as 1 in the root of their mean square.

    ε keeps the quotient finite where all are 0. Nothing is learned, unlike in `LayerNorm`.
    Raises ValueError if there is no number or epsilon is negative, TypeError for what are no numbers. The squares have
    to be floats: it is for numbers up to 1e150, and with epsilon=0.0 the largest has to be at least 1e-150. Below, its
    square loses digits, and where the squares are 0, ZeroDivisionError is raised.
    Source: B. Zhang and R. Sennrich, "Root mean square layer normalization", 2019.

    >>> rms_norm([3.0, -3.0], epsilon=0.0)
    [1.0, -1.0]
    """
    inputs: Vector = scalars("rms_norm", x)
    if not inputs:
        raise ValueError("rms_norm: expected at least one number, got none")
    factor = 1.0 / sqrt(dot(inputs, inputs) / len(inputs) + within("rms_norm: epsilon", epsilon, 0.0, math.inf))
    return [x_i * factor for x_i in inputs]


# ---- Matrices and vectors


def matrix(name: str, rows: int, columns: int, deviation: float) -> list[list[Value]]:
    size = standard_deviation("deviation", deviation)
    return [[Value(random.gauss(0.0, size), label=f"{name}{i},{j}") for j in range(columns)] for i in range(rows)]


def linear(rows: Sequence[Sequence[Value]], x: Vector) -> Vector:
    return [dot(row, x) for row in rows]


def added(x: Vector, y: Vector) -> Vector:
    return [x_i + y_i for x_i, y_i in zip(x, y, strict=True)]


def places_of(name: str, sequence: Any, width: int) -> list[Vector]:
    """The places of a sequence, each a list of `width` Values or numbers."""
    if not is_sequence(sequence):
        places = f"places of {counted(width, 'number')}"
        raise TypeError(f"{name}: expected a sequence of {places}, got {shortened(sequence)}")
    return [scalars(name, neuron_inputs(x, width, what=name, which="the numbers of a place")) for x in sequence]
