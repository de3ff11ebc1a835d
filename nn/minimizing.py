"""Minimizing is what second-order methods have in common: they go from step to step, and say when they stop, and why.

`SecondOrder.minimize` does it, and returns a `Descent`. A `Parabola` is what a method takes the loss for around an
iterate: every stopping test asks it. A `DirectionMethod` searches along a direction. The methods themselves are in
`second_order.py`.

No stopping test depends on a unit. Measure the data, the loss or any parameter in another one: the numbers that are
compared with the tolerances stay the same.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from autograd import Value, scatter
from autograd.displays import Table, in_notebooks
from autograd.packages import numpy
from autograd.undo import Undo
from autograd.wording import counted
from nn.arguments import (
    CheckedBy,
    check_function,
    check_record,
    distinct_leaves,
    examples_of,
    flag,
    flag_or_none,
    positive,
    within,
)
from nn.optimizers import gathered, is_finite
from nn.problem import ByExample, Problem, choose
from nn.progress import figures, progress_bar, series_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from numpy.typing import NDArray

    from nn.problem import Evaluator

    Array = NDArray[numpy.float64]
    Function = Callable[..., Any]  # Any: of one example's data, whatever it is; each method says what it returns

EPSILON = sys.float_info.epsilon
SMALLEST = sys.float_info.min

REASONS = {
    "gradient": "no derivative of the loss is larger than the tolerance, relative to loss and curvature",
    "small step": "the step is too small to matter to parameters of this size",
    "small reduction": "the last step lowered the loss by too little to matter, and so would the next",
    "rounding": "the loss is as low as rounding errors let it be seen",
    "steps": "all steps were taken; more may lead further",
    "line search": "no step in the direction lowers the loss, however short",
    "damping": "no step lowers the loss, however large the damping",
    "far out": "parameters have become so large that any step is small beside them, while the gradient is not small",
    "hidden curvature": "the loss falls in a direction whose curvature rounding errors hide: it could be much lower",
    "underflow": "the loss is too small a number for its changes to be seen; measure it in a smaller unit",
    "not finite": "the loss or its derivatives are nan or infinite after the next step",
    "interrupted": "interrupted",
}
CONVERGED = ("gradient", "small step", "small reduction", "rounding")


@dataclass(repr=False)
class Descent:
    """What `minimize` did: a number in each list for the parameters at the start, and one after each step.

    loss: what is minimised; each method says what that is.
    gradient: the largest of its derivatives, max_i |g_i|.
    relative_gradient: the same relative to loss and curvature, max_i |g_i| / √(2 |L| B_ii), which no unit changes.
    damping: the damping μ that the next step was, or would be, computed with; Levenberg–Marquardt only.
    path: the parameters, (p,) each. A step that Levenberg–Marquardt did not take leaves them as they were.
    stopped: why it ended, a key of `nn.minimizing.REASONS`: "gradient", "small step", "small reduction", "rounding",
        "steps", "line search", "damping", "far out", "hidden curvature", "underflow", "not finite" or "interrupted".
        `reason` says it in words.
    eager: the reason why each example's graph was built; "" where a tape was used.

    It is a record, as `minimize` returns it. Raises ValueError if its lists are not equally long, or none
    of floats.
    """

    loss: list[float] = field(default_factory=list)
    gradient: list[float] = field(default_factory=list)
    relative_gradient: list[float] = field(default_factory=list)
    damping: list[float] = field(default_factory=list)
    path: list[Array] = field(default_factory=list)
    stopped: str = ""
    eager: str = ""

    def __post_init__(self) -> None:
        if not len(self.loss) == len(self.gradient) == len(self.relative_gradient) == len(self.path):
            raise ValueError(
                f"Descent: expected {counted(len(self.loss), 'number')} in each list, as in loss; it is what minimize "
                "returns: LevenbergMarquardt(model.parameters()).minimize(residuals, inputs, targets)"
            )
        check_record("Descent", self, ["loss", "gradient", "relative_gradient", "damping"], ["stopped", "eager"])

    @property
    def steps(self) -> int:
        """How many steps were computed."""
        return max(len(self.loss) - 1, 0)

    @property
    def converged(self) -> bool:
        """Whether it ended where it wanted to: for one of the first four reasons, and for no other."""
        return self.stopped in CONVERGED

    @property
    def reason(self) -> str:
        return REASONS.get(self.stopped, "still under way")

    def append(self, iterate: Iterate) -> None:
        parabola = iterate.parabola
        self.loss.append(parabola.loss)
        self.gradient.append(float(numpy.abs(parabola.gradient).max()))
        self.relative_gradient.append(parabola.relative_gradient)
        self.path.append(parabola.vector.copy())
        if iterate.damping is not None:
            self.damping.append(iterate.damping)

    def __repr__(self) -> str:
        loss = f"loss {self.loss[0]:.4g} to {self.loss[-1]:.4g}, gradient {self.gradient[-1]:.2g}" if self.loss else ""
        return f"<Descent of {counted(self.steps, 'step')}: {loss}; {self.reason}>"

    def _table(self) -> Table:
        """What notebooks show: the start and each step, of very many the first and last ones, and why it ended."""
        names = ("loss", "gradient", "relative_gradient", "damping")
        eager = f"each example's graph was built: {self.eager}" if self.eager else ""
        return series_table(f"Descent of {counted(self.steps, 'step')}: {self.reason}", "step", self, names, 0, [eager])

    _repr_html_ = in_notebooks(_table)


class Parabola:
    """What a method takes the loss for around the parameters θ: L(θ + δ) ≈ L(θ) + gᵀδ + ½ δᵀ B δ.

    Arguments:
        vector: θ, (p,).
        loss: L.
        gradient: g, (p,).
        units: D, the roots of the diagonal of B, (p,): how much each parameter matters. All sizes are measured so.
    """

    def __init__(self, vector: Array, loss: float, gradient: Array, units: Array) -> None:
        self.vector = vector
        self.loss = loss
        self.gradient = gradient
        self.units = units

    @cached_property
    def direction(self) -> Array:
        """δ, from θ to the lowest point: B δ = −g."""
        raise NotImplementedError

    @cached_property
    def foretold(self) -> float:
        """By how much the lowest point is lower: ½ gᵀ B⁻¹ g."""
        return -0.5 * float(self.gradient @ self.direction)

    @property
    def is_blind(self) -> bool:
        """Whether the loss has a slope in a direction whose curvature rounding errors hide."""
        return False

    @property
    def could_gain(self) -> float:
        """By how much the loss could be lower: `foretold`, or, where this cannot be told, by any number."""
        return math.inf if self.is_blind else self.foretold

    @cached_property
    def slope(self) -> float:
        """max_i |g_i| / √B_ii. Half its square is the most that a single parameter, as it moves alone, can gain."""
        has_slope = self.gradient != 0.0
        return float((numpy.abs(self.gradient[has_slope]) / self.units[has_slope]).max(initial=0.0))

    @property
    def steepest_gain(self) -> float:
        """½ slope². (Python's `**` raises where a product is infinite.)"""
        return 0.5 * self.slope * self.slope

    @property
    def relative_gradient(self) -> float:
        """max_i |g_i| / √(2 |L| B_ii). For L = ½ ‖r‖² and B = JᵀJ it is |cos(J_i, r)|: MINPACK's `gtol` test."""
        if self.slope == 0.0:
            return 0.0
        return self.slope / self.root if self.root else math.inf

    @cached_property
    def root(self) -> float:
        """√(2 |L|), for sums of squares ‖r‖. Where L is 0, it is the root of what rounding errors may have hidden."""
        return math.sqrt(2.0 * (abs(self.loss) or self.rounding))

    @property
    def underflows(self) -> bool:
        """Whether the loss, and what could be gained, are too small for numbers to have all of their digits."""
        return max(abs(self.loss), self.steepest_gain) < SMALLEST / EPSILON and self.slope > 0.0

    @cached_property
    def rounding(self) -> float:
        """By how much the difference of two losses may be wrong: 10 ε (|L| + ½ ‖Dθ‖²).

        ‖Dθ‖² stands for the terms of the loss, which cancel where L is near 0. Source: A. Conn, N. Gould, P. Toint,
        "Trust-region methods", 2000, section 17.4.2, has |L| alone.
        """
        size = self.size(self.vector)
        return 10.0 * EPSILON * (abs(self.loss) + 0.5 * size * size)

    def size(self, step: Array) -> float:
        """‖D δ‖."""
        return length(self.units * step)

    def is_small(self, step: Array, tolerance: float) -> bool:
        """‖D δ‖ ≤ tolerance ‖D θ‖."""
        return self.size(step) <= tolerance * self.size(self.vector)

    def hides(self, gained: float, foretold: float) -> bool:
        """Whether rounding errors hide what a step has gained, and what it was foretold to."""
        return abs(gained) <= self.rounding and foretold <= self.rounding

    @property
    def is_flat(self) -> bool:
        """Whether rounding errors hide whatever could be gained, by a single parameter and by all together."""
        return self.steepest_gain <= self.rounding and self.could_gain <= self.rounding

    def is_gain(self, before: Iterate | None) -> bool:
        """Whether the gradient says that the last step was a gain, where rounding errors hide it from the loss.

        The slope is smaller then. Or the loss bends down along the step, δᵀ(g − g before) < 0, although a longer one
        has led up: so it is on a plateau, on the way to its edge.
        """
        if before is None or self.slope < before.parabola.slope:
            return True
        bend = (self.vector - before.parabola.vector) @ (self.gradient - before.parabola.gradient)
        return before.is_refuted and bool(bend < 0.0)

    def is_low(self, tolerance: float) -> bool:
        """Whether no more than tolerance |L|, or what rounding errors hide, could be gained."""
        return self.could_gain <= max(tolerance * abs(self.loss), self.rounding)


@dataclass
class Iterate:
    """Where a method has come to.

    is_refuted: whether a step towards the parabola's lowest point has been tried, and led up.
    """

    parabola: Parabola
    damping: float | None = None
    is_refuted: bool = False

    def has_small_gradient(self, tolerance: float) -> bool:
        """Whether slopes are small, and no lower point is foretold, or it has been looked for and is not there."""
        parabola = self.parabola
        return parabola.relative_gradient <= tolerance and (self.is_refuted or parabola.is_low(max(tolerance, 1e-8)))


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
        self.parameters = distinct_leaves(parameters, type(self).__name__)

    def minimize(
        self,
        function: Function,
        *data: Iterable[Any],
        steps: int = 100,
        tolerance: float = 1e-8,
        step_tolerance: float = 1e-12,
        loss_tolerance: float = 0.0,
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
            tolerance: end as soon as max_i |g_i| / √(2 |L| B_ii) ≤ tolerance. g is the gradient of the loss L, B the
                curvature that the method takes. For sums of squares this is the largest cosine of an angle between the
                residuals and a column of their Jacobian. But where parameters act nearly alike, as the slope and the
                offset of a line over years or timestamps do, all cosines may be small far from the minimum. So the
                parabola's lowest point must not be lower by more than tolerance |L| either (or 10⁻⁸ |L|, if this is
                more, or what rounding errors hide), unless a step towards it has led up.
            step_tolerance: end when ‖D δ‖ ≤ step_tolerance ‖D θ‖, where δ leads to the parabola's lowest point, and
                D_ii = √B_ii.
            loss_tolerance: end when the last step lowered the loss by no more than loss_tolerance |L|, and the
                parabola's lowest point is not lower by more; 0 leaves it to the other tests.
            progress: show a progress bar with the loss on the standard error stream.
            tape: None records one example's graph, and replays it if all examples have the same; True insists on it;
                False builds each example's graph: the same numbers up to rounding, slower.

        The tests do not depend on the units of loss, data and parameters. They are MINPACK's `gtol`, `xtol` and `ftol`
        (J. Moré, B. Garbow, K. Hillstrom, "User guide for MINPACK-1", 1980); B in the place of JᵀJ makes them tests for
        any loss. Whatever the tolerances, it also ends, converged, where rounding errors hide all that could be gained.
        But the line search of `GaussNewton` may end with "line search" where residuals stay large: there its parabola
        foretells more than there is. Where the loss tends to 0 as the parameters tend to 0 or to infinity, nothing is
        left to compare with: so it is with classes that a line separates, and it may be `steps` that end it.

        Returns the Descent. The parameters are where its path ends; no `grad` is changed. An interrupt (Ctrl-C), and
        numbers that are not finite after a step, end it too. The parameters are then as they were before that step.

        Raises, before anything is changed:
            ValueError: no examples, or not equally many of each of the data; `steps` below 1, a tolerance below 0; the
                function returns something else than the method asks for, or it depends on none of the parameters.
            TypeError: `steps` is not an integer; `progress` or `tape` is something else than a flag; `tape=True` and
                the examples do not have the same graph; numbers are masked.
            FloatingPointError: a parameter, the loss or a derivative of it is nan or infinite to begin with.
        Raises whatever the function raises, with the parameters as they were before the step.
        """
        name = type(self).__name__
        check_function(f"{name}: function", function, "lambda x, t: residuals(model(x), t)")
        steps = positive(f"{name}: steps", steps)
        tolerance = within(f"{name}: tolerance", tolerance, 0.0, math.inf)
        step_tolerance = within(f"{name}: step_tolerance", step_tolerance, 0.0, math.inf)
        loss_tolerance = within(f"{name}: loss_tolerance", loss_tolerance, 0.0, math.inf)
        progress, tape = flag(f"{name}: progress", progress), flag_or_none(f"{name}: tape", tape)
        descent, start = Descent(), self._start(name)
        try:
            problem = Problem(name, self._asked_for(function), self.parameters, examples_of(name, *data))
            evaluator, descent.eager = choose(problem, tape, self._needs_hessian)
            bar = progress_bar(steps, progress)
            may_draw = isinstance(evaluator, ByExample)
            with Undo(self.parameters, may_draw) as undo, numpy.errstate(all="ignore"), bar:
                self._check(evaluator)
                for iterate in self._iterates(evaluator, start, max(step_tolerance, EPSILON)):
                    descent.append(iterate)
                    if descent.steps:
                        undo.keep()
                    if progress:
                        bar.set_postfix_str(figures(["loss"], descent.loss[-1:]), refresh=False)
                        bar.update(descent.steps - bar.n)
                    if iterate.has_small_gradient(tolerance):
                        raise Stop("gradient")
                    if has_small_reduction(descent.loss, iterate.parabola, loss_tolerance):
                        raise Stop("small reduction")
                    if descent.steps == steps:
                        raise Stop("steps")
        except Stop as stop:
            if not descent.path:
                raise FloatingPointError(
                    f"{name}: the loss or a derivative of it is nan or infinite to begin with; what helps: other "
                    "parameters, or examples without nan and huge numbers"
                ) from None
            descent.stopped = verdict(str(stop), descent, iterate, tolerance)
        except KeyboardInterrupt:
            descent.stopped = "interrupted"
        finally:
            scatter(descent.path[-1] if descent.path else start, self.parameters, "data")
        return descent

    def _start(self, caller: str) -> Array:
        """The parameters' numbers. Raises FloatingPointError if one is nan or infinite."""
        start = gathered(self.parameters, "data")
        if not is_finite(start):
            i = int(numpy.isfinite(start).argmin())
            raise FloatingPointError(
                f"{caller}: expected finite parameters to begin with, got {start[i]} as parameter {i}; "
                "give it another number, or make the model anew"
            )
        return start

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
        """Outputs and loss with other parameters. Where Values raise, as for log(-1), the loss is nan.

        So it is where a step has led beyond the largest number.
        """
        if not is_finite(vector):
            return numpy.empty((0, 0)), math.nan
        try:
            outputs = evaluator.outputs(vector)
        except (ArithmeticError, ValueError):
            return numpy.empty((0, 0)), math.nan
        return outputs, self._loss(outputs)


class DirectionMethod(SecondOrder):
    """A method whose step goes along the direction δ that its parabola advises: θ ← θ + α δ.

    With a line search α is η, η/2, η/4, ...: the first that lowers the loss enough, L(θ + α δ) ≤ L(θ) + 10⁻⁴ α gᵀδ, but
    for what rounding errors hide (algorithm 3.1 of Nocedal and Wright). It ends where the step changes no parameter: δ
    may be too long by any factor, as where the curvature is next to nothing. Without, α is η.
    """

    learning_rate = 1.0
    line_search = CheckedBy(flag)

    def _iterates(self, evaluator: Evaluator, vector: Array, step_tolerance: float) -> Iterator[Iterate]:
        outputs = evaluator.outputs(vector)
        loss = self._loss(outputs)
        hidden: Iterate | None = None  # where a step began that the loss tells nothing of
        while True:
            parabola = self._parabola(evaluator, vector, outputs, loss)
            if not parabola.is_gain(hidden):
                raise Stop("rounding")
            iterate = Iterate(parabola)
            yield iterate
            if parabola.is_small(parabola.direction, step_tolerance):
                raise Stop("small step")
            rate, step = self.learning_rate, self.learning_rate * parabola.direction
            trial, trial_loss = self._tried(evaluator, vector + step)
            # gᵀδ = −2 foretold. Where rounding errors swallow 10⁻⁴ of it, the loss has to be lower all the same.
            while self.line_search and not (
                (trial_loss < loss and -math.inf < trial_loss <= loss - 2e-4 * rate * parabola.foretold)
                or parabola.hides(loss - trial_loss, parabola.foretold)
            ):
                rate, step = rate / 2, step / 2
                if (vector + step == vector).all():
                    raise Stop("rounding" if parabola.is_flat else "line search")
                trial, trial_loss = self._tried(evaluator, vector + step)
            if not math.isfinite(trial_loss):
                raise Stop("not finite")
            is_hidden = parabola.hides(loss - trial_loss, parabola.foretold)
            hidden = iterate if is_hidden else None
            vector, outputs, loss = vector + step, trial, trial_loss

    def _parabola(self, evaluator: Evaluator, vector: Array, outputs: Array, loss: float) -> Parabola:
        """What the loss is taken for around these parameters. Raises Stop where a derivative is not finite."""
        raise NotImplementedError


def has_small_reduction(losses: list[float], parabola: Parabola, tolerance: float) -> bool:
    """Whether neither the last step has lowered the loss L by more than tolerance |L|, nor the next one would."""
    if tolerance == 0.0 or len(losses) < 2:  # the parabola's lowest point may cost as much as a step
        return False
    enough = tolerance * abs(losses[-1])
    return losses[-2] - losses[-1] <= enough and parabola.could_gain <= enough


def verdict(reason: str, descent: Descent, iterate: Iterate, tolerance: float) -> str:
    """The reason why the descent has ended. It is another one where the last iterate says that it has not converged.

    "hidden curvature": the parabola does not know its lowest point. So it is with Newton's method where parameters act
    so nearly alike that the Hessian is singular but for rounding; GaussNewton sees more, as J has the Hessian's roots.
    "underflow": losses are too small to be compared.
    "gradient": the slopes were small, and only the lower point that the parabola foretold is not there.
    "far out": parameters have run away, so that any step is small beside ‖D θ‖. So it is where a long step has
    saturated neurons of a network: others still move far, and could gain much. The parameters at the start are taken at
    their word.
    """
    last = iterate.parabola
    if reason in CONVERGED and last.is_blind:
        return "hidden curvature"
    if reason in ("small reduction", "rounding", "line search", "damping") and last.underflows:
        return "underflow"
    if reason in ("line search", "damping") and last.relative_gradient <= tolerance and not last.is_blind:
        return "gradient"
    if reason in ("small step", "rounding") and descent.steps and not iterate.is_refuted:
        could_gain = last.steepest_gain > 1e-4 * max(map(abs, descent.loss))
        if could_gain and (abs(last.direction) > 1e-4 * abs(last.vector)).any():
            return "far out"
    return reason


def length(vector: Array) -> float:
    """‖vector‖, as `numpy.linalg.norm` has it, in a fifth of the time, and where squares would be 0 or infinite too."""
    square = vector.dot(vector)
    return math.sqrt(square) if SMALLEST / EPSILON < square < math.inf else math.hypot(*vector)


def check_finite(*arrays: Array) -> None:
    if not all(map(is_finite, arrays)):
        raise Stop("not finite")
