"""Eligibility traces say how much each weight had to do with the predictions so far: learning by TD(λ), step by step.

The gradients are those of the network's output, the prediction, and not of a loss. Each is taken when its state is
visited, with the weights of that moment, and is learned from ever after, while it fades.
"""

from __future__ import annotations

import math
from reprlib import repr as shortened
from typing import TYPE_CHECKING

from autograd import Tape, scatter
from autograd.packages import numpy
from autograd.wording import counted
from nn.arguments import Within, distinct_leaves, finite
from nn.optimizers import gathered, is_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[numpy.float64]


class EligibilityTraces:
    """Learns to predict how an episode will go on: each prediction from those that follow, from later ones the less.

        start()           e ← 0
        visit(s)          e ← decay e + ∇V(s)
        learn(target)     θ ← θ + η (target − V(s)) e
        finish(target)    the same, and the episode is at its end

    V(s) is the tape's output for the state s, a prediction, and ∇V(s) its gradient with respect to the parameters θ;
    both are taken at the visit. η is the learning rate. The target is a number, nothing is differentiated through it.

    For TD(λ) with the discount γ, the decay is γ λ, and the target is r + γ V(s'), where s' is the next state and r the
    reward on the way to it. `values([s'])` gives V(s'), with θ as it is before this step. At the end, the target is r.

    Arguments:
        tape: of one Value. Its inputs are the numbers of a state; its parameters learn, all of them.
        learning_rate: η, at least 0.
        decay: what is left of e at the next visit, from 0 to 1. With 0, a prediction learns from the next one alone.

    `trace` is e, with a number for each of `tape.parameters`. These are read by `start` and set by `finish`, since to
    set them at each step would take as long as to learn. So an episode that comes to no end leaves the model as it was;
    what has been learned within one, `values` knows and the model does not. `learning_rate` and `decay` can be assigned
    at any time.

    Sources: R. S. Sutton, "Learning to predict by the methods of temporal differences", Machine Learning 3, 1988; with
    a network, G. Tesauro, "Practical issues in temporal difference learning", Machine Learning 8, 1992.
    Raises TypeError for what is no Tape or no number; ValueError for a tape of a sequence of outputs, or without
    parameters, and for a rate or a decay out of its range.

    A walk over two places that ends with the reward 1, with a table for V: the second place learns from the reward, and
    the first learns too, half as much.

    >>> from autograd import Value, dot
    >>> table, place = [Value(0.0), Value(0.0)], [Value(0.0), Value(0.0)]
    >>> traces = EligibilityTraces(Tape(dot(table, place), inputs=place), learning_rate=0.2, decay=0.5)
    >>> first, second = [1.0, 0.0], [0.0, 1.0]
    >>> traces.start()
    >>> prediction = traces.visit(first)
    >>> [next_prediction] = traces.values([second])
    >>> traces.learn(next_prediction)
    0.0
    >>> prediction = traces.visit(second)
    >>> traces.finish(1.0)
    1.0
    >>> [v.data for v in table]
    [0.1, 0.2]
    """

    learning_rate = Within(0.0, math.inf)

    def __init__(self, tape: Tape, learning_rate: float, decay: float) -> None:
        if not isinstance(tape, Tape):
            expected = "expected a Tape, such as Tape.record(model, [state])"
            raise TypeError(f"EligibilityTraces: tape: {expected}, got {shortened(tape)}")
        if tape.forward(numpy.empty((0, len(tape.inputs)))).ndim != 1:
            raise ValueError(f"EligibilityTraces: tape: expected one of a Value, the prediction, got {tape!r}")
        distinct_leaves(tape.parameters, "EligibilityTraces")
        self.tape = tape
        self.learning_rate = learning_rate
        self.decay = decay
        self.trace = numpy.zeros(len(tape.parameters))
        self._parameters: Array | None = None  # θ, during an episode
        self._prediction: float | None = None  # V(s), until it has learned

    @property
    def decay(self) -> float:
        """What is left of the trace at the next visit."""
        return self._decay

    @decay.setter
    def decay(self, decay: float) -> None:
        number = finite("EligibilityTraces: decay", decay)
        if not 0.0 <= number <= 1.0:
            raise ValueError(f"EligibilityTraces: decay: expected a number from 0 to 1, got {number}")
        self._decay = number

    def start(self) -> None:
        """An episode begins, of which nothing has been visited. One that has not come to its end is forgotten."""
        self._parameters = gathered(self.tape.parameters, "data")
        self.trace = numpy.zeros_like(self.trace)
        self._prediction = None

    def values(self, states: ArrayLike) -> Array:
        """V of each of the states, (n, inputs) -> (n,), by what has been learned so far. Nothing is visited.

        Raises RuntimeError before `start()`, and what `Tape.forward` raises.
        """
        return self.tape.forward(states, parameters=self._in_an_episode())

    def visit(self, state: ArrayLike) -> float:
        """The state, (inputs,) numbers, comes next: its gradient joins the trace. Returns V(s).

        Raises RuntimeError before `start()`, ValueError for another shape, FloatingPointError where V(s) or its
        gradient is not finite, and what `Tape.forward` raises for what are no numbers. Then nothing has changed.
        """
        parameters = self._in_an_episode()
        batch = numpy.asanyarray(state)[numpy.newaxis]
        if batch.shape != (1, len(self.tape.inputs)):
            expected = f"{counted(len(self.tape.inputs), 'number')} in one sequence"
            raise ValueError(f"EligibilityTraces: state: expected {expected}, got {shortened(state)}")
        [prediction], trace = self.tape.value_and_grad(batch, parameters=parameters)
        trace += self.decay * self.trace
        if not (math.isfinite(prediction) and is_finite(trace)):
            raise FloatingPointError(
                f"EligibilityTraces: the prediction is {prediction}, and it or its gradient is not finite; "
                "is the state? Else lower the learning rate"
            )
        self.trace, self._prediction = trace, float(prediction)
        return self._prediction

    def learn(self, target: float) -> float:
        """The prediction V(s) of the last visit should have been the target. Returns target − V(s).

        Raises RuntimeError unless a state has been visited since the last `learn()`, ValueError if the target is no
        finite number, and FloatingPointError where a parameter would not be finite. Then nothing has changed.
        """
        error, learned = self._learned(target)
        self._parameters, self._prediction = learned, None
        return error

    def finish(self, target: float) -> float:
        """Learns from the outcome, and sets the parameters to what has been learned.

        Returns and raises what `learn` does.
        """
        error, learned = self._learned(target)
        scatter(learned, self.tape.parameters, "data")
        self._parameters = self._prediction = None
        return error

    def _learned(self, target: float) -> tuple[float, Array]:
        """The error, and the parameters after the step."""
        parameters, prediction = self._in_an_episode(), self._prediction
        if prediction is None:
            raise RuntimeError("EligibilityTraces: expected visit(state) before, whose prediction is to learn")
        error = finite("EligibilityTraces: target", target) - prediction
        with numpy.errstate(over="ignore", invalid="ignore"):
            learned = (self.learning_rate * error) * self.trace
            learned += parameters
        if not is_finite(learned):
            raise FloatingPointError("EligibilityTraces: a parameter would not be finite; lower the learning rate")
        return error, learned

    def _in_an_episode(self) -> Array:
        if self._parameters is None:
            raise RuntimeError("EligibilityTraces: expected start() before an episode")
        return self._parameters

    def __repr__(self) -> str:
        return f"EligibilityTraces({self.tape!r}, learning_rate={self.learning_rate:g}, decay={self.decay:g})"
