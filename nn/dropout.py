"""Dropout leaves out numbers at random while a network learns. Whoever computes the network says who draws, and how.

A source is asked for the factors of a `Dropout`'s inputs: 0 for what is left out, 1 / (1 − rate) for what is kept.
`fit` draws from its seed, and makes the factors inputs of its tape; what only measures a model, as `evaluate` does,
leaves nothing out; in a loop of one's own, Python's `random` draws.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Set
from contextvars import ContextVar, copy_context
from functools import cached_property
from reprlib import repr as shortened
from typing import TYPE_CHECKING

from autograd import RecordingError, Value, multiply
from autograd.packages import numpy
from nn.arguments import Within, is_sequence, scalars
from nn.module import Module, current_mode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeVar

    from numpy.typing import NDArray

    from nn.summary import Shape

    Array = NDArray[numpy.float64]
    Scalar = Value | float
    Source = Callable[[list[Scalar], float], Sequence[Scalar] | None]
    Result = TypeVar("Result")


class Dropout(Module):
    """x_i m_i / (1 − rate), with m_i = 0 at the given rate and else 1, drawn anew for each i at each call.

    So the expected output is x. In evaluation mode it is x itself (`Module.training` says which mode it is in).
    Second-order methods, which compare a loss with itself, leave nothing out either.

    Arguments:
        rate: the probability with which a number is left out, in [0, 1).

    Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014; divided while
    the network learns, as is usual today.
    Raises RecordingError within `Tape.record`, which would repeat what was drawn for the recording for ever.

    >>> random.seed(1)
    >>> dropout = Dropout(0.5)
    >>> dropout([1.0, 2.0, 3.0, 4.0])
    [0.0, 4.0, 6.0, 0.0]
    >>> dropout.eval()([1.0, 2.0, 3.0, 4.0])
    [1.0, 2.0, 3.0, 4.0]
    """

    rate = Within(0.0, 1.0)

    def __init__(self, rate: float = 0.5) -> None:
        self.rate = rate

    def __call__(self, x: Scalar | Iterable[Scalar]) -> Any:  # Any: of a Value or number one, of a sequence a list
        """Of a sequence the numbers, some of them replaced by 0; of a single number that number, or 0."""
        if isinstance(x, (Mapping, Set)):
            raise TypeError(f"Dropout: expected a sequence of numbers, got {type(x).__name__}: {shortened(x)}")
        is_single = not is_sequence(x)
        inputs = scalars("Dropout", [x] if is_single else x)  # type: ignore[arg-type]
        factors = source.get()(inputs, self.rate) if self.training and self.rate else None
        outputs = (
            inputs if factors is None else [multiply(x, factor) for x, factor in zip(inputs, factors, strict=True)]
        )
        return outputs[0] if is_single else outputs

    def _shapes(self) -> tuple[Shape | None, Shape | None]:
        return ("n",), ("n",)

    def __repr__(self) -> str:
        return f"Dropout({self.rate:g})"


# ---- Who draws


def by_random(inputs: list[Scalar], rate: float) -> list[float]:
    """Python's `random` draws, as it does for the weights."""
    for x in inputs:
        if isinstance(x, Value):
            try:
                x.item()
            except RecordingError as error:
                raise RecordingError(
                    "Dropout draws at random, and a tape would repeat what was drawn for the recording: call "
                    "model.eval() before Tape.record, or train with fit, which gives the tape factors of its own"
                ) from error
    return drawn([random.random() for _ in inputs], rate)


source: ContextVar[Source] = ContextVar("source", default=by_random)


def nobody(inputs: list[Scalar], rate: float) -> None:
    """Nothing is left out."""


class Generated:
    """A generator of NumPy draws. It is made when first used, since most models have no Dropout."""

    def __init__(self, *seeds: int) -> None:
        self.seeds = seeds

    @cached_property
    def generator(self) -> numpy.random.Generator:
        return numpy.random.default_rng(self.seeds)

    def __call__(self, inputs: list[Scalar], rate: float) -> list[float]:
        return drawn(self.generator.random(len(inputs)), rate)

    def factors(self, examples: int, rates: Array) -> Array:
        """(examples, rates), the same that so many calls would draw, one example after the other."""
        return numpy.where(self.generator.random((examples, len(rates))) < rates, 0.0, 1.0 / (1.0 - rates))


class Noted:
    """The factors are leaves, which a tape takes for inputs."""

    def __init__(self) -> None:
        self.leaves: list[Value] = []
        self.rates: list[float] = []

    def __call__(self, inputs: list[Scalar], rate: float) -> list[Value]:
        leaves = [Value(1.0 / (1.0 - rate)) for _ in inputs]
        self.leaves += leaves
        self.rates += [rate] * len(leaves)
        return leaves


class Given:
    """The factors are given, in order. Raises TypeError if more are asked for."""

    def __init__(self, factors: Iterable[float]) -> None:
        self.factors = list(factors)
        self.taken = 0

    def __call__(self, inputs: list[Scalar], rate: float) -> list[float]:
        start, self.taken = self.taken, self.taken + len(inputs)
        if self.taken > len(self.factors):
            raise TypeError("a model with Dropout leaves out some of more numbers for one example than for another")
        return self.factors[start : self.taken]


def drawn(numbers: Iterable[float], rate: float) -> list[float]:
    """The factors that belong to numbers drawn from [0, 1)."""
    return [0.0 if number < rate else 1.0 / (1.0 - rate) for number in numbers]


def drawing(who: Source, function: Callable[..., Result], *arguments: Any) -> Result:
    """function(*arguments), with this source meanwhile, and all Modules in the mode that goes with it.

    It runs in a context of its own. That is gone with the call, however this ends; nobody can forget to end it.
    """
    context = copy_context()
    context.run(source.set, who)
    context.run(current_mode.set, who is not nobody)
    return context.run(function, *arguments)
