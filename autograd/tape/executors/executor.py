"""The interface of an executor: what replays Wengert lists, and what it is given to do so.

A tape asks the executor for a program of its list, once, and the program for every replay. Nothing else knows how the
numbers are computed. A new executor is a file in this folder with a subclass of `Executor`, and its line in the
registry, `EXECUTORS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from autograd.tape.wengert import WengertList

    Array = NDArray[numpy.float64]


class Program(Protocol):
    """A Wengert list made ready for replays, by several threads at once if need be."""

    def replay(
        self,
        examples: int,
        batch: Array,
        parameters: Array,
        outputs: Array,
        seeds: Array | None,
        gradient: Array,
        input_gradients: Array | None,
        threads: int,
        /,
    ) -> None:
        """Computes the outputs of so many examples; where there are seeds, the gradient too.

        The tape has checked the arrays: they are float64, in one piece, row by row, and of these shapes. What is to
        be written may hold anything before.

        Arguments:
            batch: (examples, inputs).
            parameters: (parameters,). If both are read-only, their numbers never change: what has been computed from
                them may be kept for a replay of the very same arrays.
            outputs: (examples, outputs), to be written.
            seeds: the derivative of a result with respect to each output, (outputs,) for all examples alike, or
                (examples, outputs). An output whose seed is 0 for all examples is not differentiated, since 0 times
                an infinite derivative would be nan.
            gradient: (parameters,), to be written with the derivative of that result; only where there are seeds.
            input_gradients: (examples, inputs), to be written with the same; None if nobody asks. Only where there
                are seeds.
            threads: how many may be used, 1 or more. The numbers must not depend on it.

        Numbers follow IEEE 754: where an operation on Values raises, there is inf or nan, in that example alone.
        """
        ...


class Executor(ABC):
    """One way to replay Wengert lists.

    Examples of what to write are in this folder: `numpy.py` computes a block of examples with NumPy's arrays,
    `native.py` leads to the compiled engine, and `xla.py` to what JAX compiles.

    has_fast_math  whether there is a `fast_program`
    """

    has_fast_math = False

    def missing(self, wengert: WengertList | None = None) -> str:
        """Why it cannot be used here, or for this list, as an error says it; "" if it can.

        Must be quick, and must not raise.
        """
        return ""

    def owns(self, numbers: object) -> bool:
        """Whether these are arrays of its own: a batch of them stays as it is, and so does what is computed of it.

        Then its programs have `replay_own(batch, parameters, seeds, for_inputs)`, which returns the outputs, the
        gradient and the input gradients, the last two None where nobody asks; and `columns_own(batch, columns)`, which
        returns some columns as NumPy's array. Such arrays must not change.
        """
        return False

    @abstractmethod
    def program(self, wengert: WengertList) -> Program:
        """The list made ready. Raises ValueError for a damaged list.

        `wengert.dependences` says what is uniform, and `find_groups(wengert)` which instructions are alike and can be
        computed at once: above all the layers, which are products of a matrix with the batch.
        """

    def fast_program(self, wengert: WengertList) -> Program:
        """The same with functions that are within 2 units in the last place, where `has_fast_math`."""
        raise NotImplementedError
