"""Minimizing is what second-order methods have in common: they go from step to step, and say when they stop, and why.

`SecondOrder.minimize` does it, and returns a `Descent`. A `DirectionMethod` searches along a direction. The methods
themselves are in `second_order.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy

from autograd import Value, scatter
from nn.arguments import distinct_leaves, examples_of, positive, within
from nn.optimizers import gathered, is_finite
from nn.problem import ByExample, Problem, choose
from nn.progress import progress_bar
from nn.undo import Undo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from numpy.typing import NDArray

    from nn.problem import Evaluator

    Array = NDArray[numpy.float64]
    Function = Callable[..., Any]  # Any: of one example's data, whatever it is; each method says what it returns

EPSILON = float(numpy.finfo(float).eps)

REASONS = {
    "gradient": "no derivative of the loss is larger than the tolerance",
    "small step": "the step is too small to matter to parameters of this size",
    "steps": "all steps were taken; more may lead further",
    "line search": "no step in the direction lowers the loss, however short",
    "damping": "no step lowers the loss, however large the damping",
    "not finite": "the loss or its derivatives are nan or infinite after the next step",
    "interrupted": "interrupted",
}


@dataclass(repr=False)
class Descent:
    """What `minimize` did: a number in each list for the parameters at the start, and one after each step.

    loss: what is minimised; each method says what that is.
    gradient: the largest of its derivatives, max_i |g_i|.
    damping: the damping μ that the next step was, or would be, computed with; Levenberg–Marquardt only.
    path: the parameters, (p,) each. A step that Levenberg–Marquardt did not take leaves them as they were.
    stopped: why it ended, a key of `nn.minimizing.REASONS`: "gradient", "small step", "steps", "line search",
        "damping", "not finite" or "interrupted". `reason` says it in words.
    eager: the reason why each example's graph was built; "" where a tape was used.
    """

    loss: list[float] = field(default_factory=list)
    gradient: list[float] = field(default_factory=list)
    damping: list[float] = field(default_factory=list)
    path: list[Array] = field(default_factory=list)
    stopped: str = ""
    eager: str = ""

    @property
    def steps(self) -> int:
        """How many steps were computed."""
        return max(len(self.loss) - 1, 0)

    @property
    def converged(self) -> bool:
        """Whether it ended where it wanted to: with a small gradient, or a small step."""
        return self.stopped in ("gradient", "small step")

    @property
    def reason(self) -> str:
        return REASONS.get(self.stopped, "still under way")

    def append(self, iterate: Iterate) -> None:
        self.loss.append(iterate.loss)
        self.gradient.append(float(numpy.abs(iterate.gradient).max()))
        self.path.append(iterate.vector.copy())
        if iterate.damping is not None:
            self.damping.append(iterate.damping)

    def __repr__(self) -> str:
        loss = f"loss {self.loss[0]:.4g} to {self.loss[-1]:.4g}, gradient {self.gradient[-1]:.2g}" if self.loss else ""
        return f"<Descent of {self.steps} step{'' if self.steps == 1 else 's'}: {loss}; {self.reason}>"


@dataclass
class Iterate:
    """Where a method has come to."""

    vector: Array
    loss: float
    gradient: Array
    damping: float | None = None


class Stop(Exception):  # noqa: N818  an end, not an error
    """There is no next step. The reason is a key of REASONS."""


class SecondOrder:
    """What all methods have in common.

    Arguments:
        parameters: the Values to change, p leaves, such as `model.parameters()`.

    Raises TypeError or ValueError if there are no parameters, if one is not a Value, was computed, or is there twice.
    """

    _needs_hessian = False

    def __init__(self, parameters: Iterable[Value]) -> None:
        self.parameters = distinct_leaves(parameters)

    def minimize(
        self,
        function: Function,
        *data: Iterable[Any],
        steps: int = 100,
        tolerance: float = 1e-8,
        step_tolerance: float = 1e-12,
        progress: bool = True,
        tape: bool | None = None,
    ) -> Descent:
        """Takes steps until the loss is at its lowest, as far as can be seen, and says why it ended.

        Arguments:
            function: of one example's data, such as `lambda x, t: ...`. The method's class says what it returns. It may
                change its arguments: they are copies.
            data: what an example's data come from, such as inputs and targets: equally many of each, arrays of which a
                row is an example, lists, or other iterables. Without data the function has no arguments.
            steps: how many to compute at most, at least 1.
            tolerance: end as soon as max_i |g_i|, the largest derivative of the loss, is not above it.
            step_tolerance: end when ‖δ‖ ≤ step_tolerance (‖θ‖ + step_tolerance).
            progress: show a progress bar with the loss on the standard error stream.
            tape: None records one example's graph, and replays it if all examples have the same; True insists on it;
                False builds each example's graph: the same numbers up to rounding, slower.

        Returns the Descent. The parameters are where its path ends; no `grad` is changed. An interrupt (Ctrl-C), and
        numbers that are not finite after a step, end it too. The parameters are then as they were before that step.

        Raises, before anything is changed:
            ValueError: no examples, or not equally many of each of the data; `steps` below 1, a tolerance below 0; the
                function returns something else than the method asks for, or it depends on none of the parameters.
            TypeError: `steps` is not an integer; `tape=True` and the examples do not have the same graph; numbers are
                masked.
            FloatingPointError: loss or derivatives are nan or infinite to begin with.
        Raises whatever the function raises, with the parameters as they were before the step.
        """
        name = type(self).__name__
        steps = positive(f"{name}: steps", steps)
        tolerance = within(f"{name}: tolerance", tolerance, 0.0, math.inf)
        step_tolerance = within(f"{name}: step_tolerance", step_tolerance, 0.0, math.inf)
        descent, start = Descent(), gathered(self.parameters, "data")
        try:
            problem = Problem(name, self._asked_for(function), self.parameters, examples_of(name, *data))
            evaluator, descent.eager = choose(problem, tape, self._needs_hessian)
            bar = progress_bar(steps, "steps", progress)
            may_draw = isinstance(evaluator, ByExample)
            with Undo(self.parameters, may_draw) as undo, numpy.errstate(all="ignore"), bar:
                self._check(evaluator)
                for iterate in self._iterates(evaluator, start, max(step_tolerance, EPSILON)):
                    descent.append(iterate)
                    if descent.steps:
                        undo.keep()
                    if progress:
                        bar.set_postfix(loss=f"{iterate.loss:.4g}", refresh=False)
                        bar.update(descent.steps - bar.n)
                    if descent.gradient[-1] <= tolerance or descent.steps == steps:
                        descent.stopped = "gradient" if descent.gradient[-1] <= tolerance else "steps"
                        break
        except Stop as stop:
            if not descent.path:
                raise FloatingPointError(
                    f"{name}: the loss or a derivative of it is nan or infinite to begin with; what helps: other "
                    "parameters, or examples without nan and huge numbers"
                ) from None
            descent.stopped = str(stop)
        except KeyboardInterrupt:
            descent.stopped = "interrupted"
        finally:
            scatter(descent.path[-1] if descent.path else start, self.parameters, "data")
        return descent

    def _iterates(self, evaluator: Evaluator, vector: Array, step_tolerance: float) -> Iterator[Iterate]:
        """Where the method is to begin with, and after each step. Raises Stop where there is no next step."""
        raise NotImplementedError

    def _asked_for(self, function: Function) -> Function:
        """What the outputs and derivatives of each example are needed of."""
        return function

    def _loss(self, outputs: Array) -> float:
        """L, from the outputs of all examples, (n, outputs)."""
        return float(outputs[:, 0].mean())

    def _check(self, evaluator: Evaluator) -> None:
        if not evaluator.depends_on_parameters(range(len(evaluator.problem.examples))):
            raise ValueError(
                f"{type(self).__name__}: the function depends on none of the parameters, so nothing would be learned; "
                f"make the method with those of this model, such as {type(self).__name__}(model.parameters())"
            )

    def _tried(self, evaluator: Evaluator, vector: Array) -> tuple[Array, float]:
        """Outputs and loss with other parameters. Where Values raise, as for log(-1), the loss is nan."""
        try:
            outputs = evaluator.outputs(vector)
        except (ArithmeticError, ValueError):
            return numpy.empty((0, 0)), math.nan
        return outputs, self._loss(outputs)


class DirectionMethod(SecondOrder):
    """A method whose step goes along the direction δ that its parabola advises: θ ← θ + α δ.

    With a line search α is η, η/2, η/4, ...: the first that lowers the loss enough, L(θ + α δ) ≤ L(θ) + 10⁻⁴ α gᵀδ, but
    for rounding errors (algorithm 3.1 of Nocedal and Wright). Without, α is η.
    """

    learning_rate = 1.0
    line_search: bool

    def _iterates(self, evaluator: Evaluator, vector: Array, step_tolerance: float) -> Iterator[Iterate]:
        outputs = evaluator.outputs(vector)
        loss = self._loss(outputs)
        while True:
            gradient, direction = self._direction(evaluator, vector, outputs)
            yield Iterate(vector, loss, gradient)
            step, slope = self.learning_rate * direction, self.learning_rate * float(gradient @ direction)
            smallest = smallest_step(vector, step_tolerance)
            if length(step) <= smallest:
                raise Stop("small step")
            trial, trial_loss = self._tried(evaluator, vector + step)
            while self.line_search and not trial_loss <= loss + 1e-4 * slope + rounding(loss):
                step, slope = step / 2, slope / 2
                if length(step) <= smallest:
                    raise Stop("line search")
                trial, trial_loss = self._tried(evaluator, vector + step)
            if not math.isfinite(trial_loss):
                raise Stop("not finite")
            vector, outputs, loss = vector + step, trial, trial_loss

    def _direction(self, evaluator: Evaluator, vector: Array, outputs: Array) -> tuple[Array, Array]:
        """The gradient g and the direction δ. Raises Stop where either is not finite."""
        raise NotImplementedError


def rounding(loss: float) -> float:
    """By how much the difference of two losses that are nearly the same may be wrong.

    A. Conn, N. Gould, P. Toint, "Trust-region methods", 2000, section 17.4.2.
    """
    return 10.0 * EPSILON * abs(loss)


def smallest_step(vector: Array, tolerance: float) -> float:
    """The length of a step that is too short to matter to parameters of this size."""
    return tolerance * (length(vector) + tolerance)


def length(vector: Array) -> float:
    """‖vector‖, as `numpy.linalg.norm` has it, in a fifth of the time."""
    return math.sqrt(vector.dot(vector))


def check_finite(*arrays: Array) -> None:
    if not all(map(is_finite, arrays)):
        raise Stop("not finite")
