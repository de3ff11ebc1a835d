"""Second-order methods take the step that the curvature advises: few steps, with a look at all examples for each.

Each models the loss L around the parameters θ by a parabola, with g = ∇L, and goes towards its lowest point:

    L(θ + δ) ≈ L(θ) + gᵀδ + ½ δᵀ B δ,      B δ = −g

    Newton               B = ∇²L, the Hessian
    GaussNewton          B = JᵀJ / n, the Hessian of a sum of squares, without the residuals' own curvature
    LevenbergMarquardt   B = JᵀJ / n + μ D, with a damping μ that adapts itself
    NaturalGradient      B = F, the Fisher matrix of the distribution that the outputs stand for

A step costs what a linear system of p equations costs, p being the number of parameters: p³ operations, and room for p²
numbers, or for n k p, where each of n examples has k outputs. That is for hundreds of parameters, or a few thousand.

Source, if none is given: J. Nocedal, S. Wright, "Numerical optimization", 2nd edition, 2006.
"""

from __future__ import annotations

import math
from functools import cached_property
from reprlib import repr as shortened
from typing import TYPE_CHECKING

from autograd.packages import numpy
from autograd.undo import Undo
from nn.arguments import CheckedBy, Within, examples_of, flag_or_none
from nn.losses import binary_cross_entropy, cross_entropy, half_squared_error
from nn.minimizing import (
    EPSILON,
    SMALLEST,
    DirectionMethod,
    Iterate,
    Parabola,
    SecondOrder,
    Stop,
    check_finite,
    length,
)
from nn.optimizers import is_finite
from nn.problem import Problem, choose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, Literal

    from autograd import Value
    from nn.minimizing import Array, Function
    from nn.problem import Evaluator


class Newton(DirectionMethod):
    """Newton's method: to the lowest point of the parabola with the loss's own gradient and curvature.

        L = (1/n) Σ loss,     B = ∇²L,     θ ← θ − α |B|⁻¹ ∇L

    If B, the Hessian, is positive definite, the step leads to the parabola's lowest point, and near a minimum each step
    doubles the number of right digits. |B| has the absolute values of B's eigenvalues, with parameters that matter
    alike, within a factor of ten, in the same unit. (No unit changes |B| where it is B.) So the step leads down even
    where the parabola bends down and has no lowest point. But the method ends wherever the gradient is 0: at a saddle
    or a maximum, if it begins there. Sources: Nocedal and Wright, sections 3.3 and 3.4; Y. Dauphin et al.,
    "Identifying and attacking the saddle point problem in high-dimensional non-convex optimization", 2014.

    Arguments:
        parameters: the Values to change.
        line_search: shorten the step where it would not lower the loss; False always takes all of it.

    The function of `minimize` returns an example's loss: one Value. A tape replays the Hessian, as `Tape.hessian` has
    it, at kinks too.

    >>> from autograd import Value
    >>> x, y = Value(4.0), Value(-3.0)
    >>> descent = Newton([x, y]).minimize(lambda: 3.0 * x * x + x * y + y * y - 8.0 * x - 5.0 * y, progress=False)
    >>> descent.steps, round(x.data, 12), round(y.data, 12)
    (1, 1.0, 2.0)
    """

    _needs_hessian = True

    def __init__(self, parameters: Iterable[Value], line_search: bool = True) -> None:
        super().__init__(parameters)
        self.line_search = line_search

    def _loss(self, outputs: Array) -> float:
        if outputs.shape[1] != 1:
            raise ValueError(
                f"Newton: expected a function that returns a loss, one Value, got {outputs.shape[1]} Values; "
                "GaussNewton and LevenbergMarquardt are for a list of residuals"
            )
        return super()._loss(outputs)

    def _parabola(self, evaluator: Evaluator, vector: Array, outputs: Array, loss: float) -> Parabola:
        gradient, hessian = evaluator.gradient_and_hessian(vector)
        return AnyCurvature(vector, loss, gradient, hessian)


class GaussNewton(DirectionMethod):
    """The Gauss–Newton method, for sums of squares: the residuals are taken for linear in the parameters.

        L = 1/(2n) Σ r²,     ‖J δ + r‖ as small as can be,     θ ← θ + α δ

    r are the residuals of all n examples, J is their Jacobian. Where several δ are best, as where J is singular, it is
    the shortest of them (`numpy.linalg.lstsq`). Sources: C. F. Gauss, "Theoria motus corporum coelestium", 1809;
    Nocedal and Wright, section 10.3.

    Arguments:
        parameters: the Values to change.
        line_search: shorten the step where it would not lower the loss; False always takes all of it.

    The function of `minimize` returns an example's residuals, not their squares, as `residuals(output, target)` does:
    a Value, or a (nested) list of Values, as many for each example. Where a sequence has one for each step, fill those
    of the shorter sequences up with 0.0, which adds nothing to the sum.

    >>> from autograd import Value
    >>> slope, offset = Value(0.0), Value(0.0)
    >>> method = GaussNewton([slope, offset])
    >>> descent = method.minimize(lambda x, t: slope * x + offset - t, [0, 1, 2], [1, 3, 5], progress=False)
    >>> descent.steps, descent.reason
    (1, 'the step is too small to matter to parameters of this size')
    >>> round(slope.data, 9), round(offset.data, 9)
    (2.0, 1.0)
    """

    def __init__(self, parameters: Iterable[Value], line_search: bool = True) -> None:
        super().__init__(parameters)
        self.line_search = line_search

    def _loss(self, outputs: Array) -> float:
        return half_mean_square(outputs)

    def _parabola(self, evaluator: Evaluator, vector: Array, outputs: Array, loss: float) -> Parabola:
        return SquaresCurvature(vector, loss, *linearized(evaluator, vector, outputs))


class LevenbergMarquardt(SecondOrder):
    """The Levenberg–Marquardt method, for sums of squares: Gauss–Newton where it works, short steps downhill elsewhere.

        L = 1/(2n) Σ r²,     (JᵀJ + n μ D²) δ = −Jᵀ r

    r are the residuals of all n examples, J is their Jacobian. A step is taken if it lowers the loss. The gain ratio ϱ
    compares by how much with what the parabola foretold, and sets the damping of the next step:

        ϱ = (L(θ) − L(θ + δ)) / ½ δᵀ (μ D² δ − g)
        ϱ > 0:   θ ← θ + δ,  μ ← μ max(1/3, 1 − (2ϱ − 1)³),  ν ← 2
        else:    μ ← μ ν,  ν ← 2 ν

    A singular J does no harm: the damping makes the system regular, and the step has no part in directions that J says
    nothing about. Sources: K. Levenberg, "A method for the solution of certain non-linear problems in least squares",
    1944; D. Marquardt, "An algorithm for least-squares estimation of nonlinear parameters", 1963; this form, H. B.
    Nielsen's damping included, is algorithm 3.16 of K. Madsen, H. B. Nielsen, O. Tingleff, "Methods for non-linear
    least squares problems", 2nd edition, 2004.

    Arguments:
        parameters: the Values to change.
        damping: μ at the start, as a fraction of the largest (JᵀJ / n)_ii / D_ii². Small where the parameters are good
            already, 10⁻⁶; near 1 where they are not, as on the plateau of a saturated neuron, from which a step with
            little damping leads far away. More is taken where the first step would be longer than ten times the
            parameters, each measured by its column of J: MINPACK's `factor`, from which a rate of decay does not leap
            to where nothing is left to see.
        scaled: how D, a diagonal matrix, measures the parameters. Let m_i² be the largest (JᵀJ / n)_ii met so far.
            True takes D_ii = m_i, after which no unit of any parameter changes the path (J. Moré, "The
            Levenberg–Marquardt algorithm: implementation and theory", 1978). False takes D = I, as the first papers do:
            parameters in units that differ by orders of magnitude need many more steps. None, the default, takes
            D_ii = min(max_j m_j, 10 m_i): as I for parameters that matter alike, as the weights of a network do, of
            which True moves the least important ones far; as True for parameters in different units.

    The function of `minimize` returns an example's residuals, not their squares, as `residuals(output, target)` does:
    a Value, or a (nested) list of Values, as many for each example. Where a sequence has one for each step, fill those
    of the shorter sequences up with 0.0, which adds nothing to the sum.

    >>> from autograd import Value
    >>> x, y = Value(-1.2), Value(1.0)
    >>> descent = LevenbergMarquardt([x, y]).minimize(lambda: [10.0 * (y - x**2), 1.0 - x], progress=False)
    >>> descent.converged, round(x.data, 6), round(y.data, 6)
    (True, 1.0, 1.0)
    """

    damping = Within(math.ulp(0.0), math.inf)
    scaled = CheckedBy(flag_or_none)

    def __init__(self, parameters: Iterable[Value], damping: float = 1e-3, scaled: bool | None = None) -> None:
        super().__init__(parameters)
        self.damping = damping
        self.scaled = scaled

    def _loss(self, outputs: Array) -> float:
        return half_mean_square(outputs)

    def _iterates(self, evaluator: Evaluator, vector: Array, step_tolerance: float) -> Iterator[Iterate]:
        outputs, damping, growth = evaluator.outputs(vector), math.nan, 2.0
        loss, largest = self._loss(outputs), numpy.zeros(len(vector))
        hidden: Iterate | None = None  # where a step began that the loss tells nothing of
        while True:
            parabola = SquaresCurvature(vector, loss, *linearized(evaluator, vector, outputs))
            if not parabola.is_gain(hidden):
                raise Stop("rounding")
            largest = numpy.maximum(largest, parabola.units)
            damped = DampedLeastSquares(parabola, self._units(largest))
            if math.isnan(damping):
                damping = damped.enough(max(self.damping * damped.largest_square, SMALLEST))
            is_taken = False
            while not is_taken:
                iterate = Iterate(parabola, damping, is_refuted=growth > 2.0)
                yield iterate
                step = damped.step(damping)
                if parabola.is_small(step, step_tolerance):
                    if parabola.is_small(parabola.direction, step_tolerance):
                        raise Stop("small step")
                    if growth > 2.0:  # the damping makes it small
                        raise Stop("rounding" if parabola.is_flat else "damping")
                trial, trial_loss = self._tried(evaluator, vector + step)
                gained, foretold = loss - trial_loss, damped.foretold(step, damping)
                gain = gain_ratio(parabola, gained, foretold)
                is_taken = gain > 0.0  # nan is not
                if is_taken:
                    damping, growth = damping * max(1 / 3, 1 - (2 * min(gain, 1.0) - 1) ** 3), 2.0
                else:
                    damping, growth = max(damping, SMALLEST) * growth, growth * 2
            is_telling = iterate.is_refuted or parabola.is_flat  # else less damping may lead to where a gain is seen
            hidden = iterate if is_telling and parabola.hides(gained, foretold) else None
            vector, outputs, loss = vector + step, trial, trial_loss

    def _units(self, largest: Array) -> Array:
        """D, from the largest norms that the columns of J had so far."""
        if self.scaled is None:
            return alike(largest)
        return largest if self.scaled else numpy.ones(len(largest))


def known_distribution(name: str, given: str) -> str:
    if not isinstance(given, str) or given not in DISTRIBUTIONS:
        raise ValueError(f"{name}: expected {', '.join(DISTRIBUTIONS)}, got {shortened(given)}")
    return given


class NaturalGradient(DirectionMethod):
    """Natural gradient descent: steepest where distance is measured between the model's output distributions.

        L = −(1/n) Σ log p(target | input, θ),     θ ← θ − α (F + λ I)⁻¹ ∇L
        F = (1/n) Σ E[∇log p(y | input, θ) ∇log p(y | input, θ)ᵀ] = (1/n) Σ Jᵀ H J

    The expectation is over outcomes y that the model itself holds likely at each input, not over the targets as in the
    "empirical" Fisher matrix. So F has a closed form, of the Jacobian J of the outputs and of the Fisher matrix H that
    the distribution has in these:

        "normal"         an output is the mean of a normal distribution of variance 1: H = I
        "bernoulli"      an output is the logit of a probability p: H = diag p (1 − p)
        "categorical"    the outputs are the logits of one choice, p = softmax: H = diag p − p pᵀ

    and −log p is `half_squared_error` (without its constant), `binary_cross_entropy` or `cross_entropy`. H is the
    Hessian of these with respect to the outputs too, so F is also the generalised Gauss–Newton matrix.
    Sources: S. Amari, "Natural gradient works efficiently in learning", 1998; N. Schraudolph, "Fast curvature
    matrix-vector products for second-order gradient descent", 2002; J. Martens, "New insights and perspectives on the
    natural gradient method", 2020.

    Arguments:
        parameters: the Values to change.
        distribution: "normal", "bernoulli" or "categorical".
        learning_rate: η, where the line search begins; with 1, "normal" and no damping a step is a Gauss–Newton step.
        damping: λ, at least 0. F is singular where the outputs do not depend on some direction, and nearly so in many
            networks: larger λ means shorter steps there. It is a number of the loss per square of a parameter: with
            0 alone the path does not depend on units. In a direction in which F + λ I is 0, up to rounding, the step
            is the gradient's, divided by the largest eigenvalue.
        line_search: shorten the step where it would not lower the loss; False always takes all of it.

    The function of `minimize` is the model: from an example's inputs, all but the last of its data, to the outputs. The
    last of its data is the target, in the form that the loss takes.

    >>> from autograd import Value
    >>> logits = [Value(0.0), Value(0.0)]
    >>> method = NaturalGradient(logits, "categorical")
    >>> method.minimize(lambda: logits, [0, 1, 1, 1], progress=False).converged  # a fourth, and three fourths
    True
    >>> round(logits[1].data - logits[0].data, 6), round(math.log(3.0), 6)
    (1.098612, 1.098612)
    """

    distribution = CheckedBy(known_distribution)
    learning_rate = Within(math.ulp(0.0), math.inf)
    damping = Within(0.0, math.inf)

    def __init__(
        self,
        parameters: Iterable[Value],
        distribution: Literal["normal", "bernoulli", "categorical"],
        learning_rate: float = 1.0,
        damping: float = 0.0,
        line_search: bool = True,
    ) -> None:
        super().__init__(parameters)
        self.distribution = distribution
        self.learning_rate = learning_rate
        self.damping = damping
        self.line_search = line_search

    def fisher_matrix(self, model: Function, *inputs: Iterable[Any], tape: bool | None = None) -> Array:
        """F, (p, p), with the parameters as they are. Arguments are those of `minimize`, but for the targets.

        >>> from autograd import Value
        >>> logit = Value(0.0)
        >>> NaturalGradient([logit], "bernoulli").fisher_matrix(lambda: logit)
        array([[0.25]])
        """
        tape, start = flag_or_none("fisher_matrix: tape", tape), self._start("fisher_matrix")
        problem = Problem("fisher_matrix", model, self.parameters, examples_of("fisher_matrix", *inputs))
        evaluator, _ = choose(problem, tape)
        with Undo(self.parameters):
            return self._fisher(evaluator.outputs(start), evaluator.jacobian(start))

    def _asked_for(self, function: Function) -> Function:
        loss, _ = DISTRIBUTIONS[self.distribution]

        def loss_and_outputs(*example: Any) -> list[Any]:
            if not example:
                raise ValueError("NaturalGradient: expected data, the last of them the targets, got none")
            outputs = function(*example[:-1])
            return [loss(outputs, example[-1]), outputs]

        return loss_and_outputs

    def _parabola(self, evaluator: Evaluator, vector: Array, outputs: Array, loss: float) -> Parabola:
        jacobian = evaluator.jacobian(vector)
        fisher = self._fisher(outputs[:, 1:], jacobian[:, 1:])
        gradient = jacobian[:, 0].mean(axis=0)
        return AnyCurvature(vector, loss, gradient, fisher + self.damping * numpy.eye(len(fisher)))

    def _fisher(self, outputs: Array, jacobian: Array) -> Array:
        _, weighted = DISTRIBUTIONS[self.distribution]
        n, _, p = jacobian.shape
        fisher: Array = jacobian.reshape(-1, p).T @ weighted(outputs, jacobian).reshape(-1, p) / n
        return fisher


# ---- The Fisher matrix H of a distribution with respect to its outputs, times their Jacobian: (n, k), (n, k, p)


def of_normal(outputs: Array, jacobian: Array) -> Array:
    return jacobian


def of_bernoulli(outputs: Array, jacobian: Array) -> Array:
    rare = numpy.exp(-numpy.abs(outputs))  # p (1 − p) = e^−|z| / (1 + e^−|z|)², also where p rounds to 1
    return (rare / (1.0 + rare) ** 2)[:, :, numpy.newaxis] * jacobian


def of_categorical(outputs: Array, jacobian: Array) -> Array:
    exponentials = numpy.exp(outputs - outputs.max(axis=1, keepdims=True))
    p = (exponentials / exponentials.sum(axis=1, keepdims=True))[:, :, numpy.newaxis]
    weighted: Array = p * (jacobian - (p * jacobian).sum(axis=1, keepdims=True))
    return weighted


DISTRIBUTIONS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Array, Array], Array]]] = {
    "normal": (half_squared_error, of_normal),
    "bernoulli": (binary_cross_entropy, of_bernoulli),
    "categorical": (cross_entropy, of_categorical),
}


# ---- Linear algebra


class DampedLeastSquares:
    """The δ for which ‖J δ + r‖² + μ ‖D δ‖² is smallest, for any μ, from one singular value decomposition.

    J D⁻¹ = U S Vᵀ,  D δ = −V diag(s / (s² + μ)) Uᵀ r. A singular value that is 0 but for rounding is 0, as
    `numpy.linalg.lstsq` has it.

    Arguments:
        parabola: of the J and r.
        units: the diagonal of D; 0 where J has a column of 0.
    """

    def __init__(self, parabola: SquaresCurvature, units: Array) -> None:
        self.parabola = parabola
        self.units = numpy.where(units > 0.0, units, 1.0)
        jacobian = parabola.jacobian / self.units
        u, s, self.vt = numpy.linalg.svd(jacobian, full_matrices=False)
        self.s = numpy.where(s > EPSILON * max(jacobian.shape) * s.max(), s, 0.0)
        self.along = u.T @ parabola.residuals
        self.largest_square = float(numpy.square(jacobian).sum(axis=0).max())  # the largest (JᵀJ)_ii / D_ii²

    def step(self, damping: float) -> Array:
        factors = numpy.divide(self.s, self.s**2 + damping, out=numpy.zeros_like(self.s), where=self.s > 0.0)
        step: Array = -self.vt.T @ (factors * self.along) / self.units
        return step

    def foretold(self, step: Array, damping: float) -> float:
        """By how much the parabola is lower after the step: ½ δᵀ (μ D² δ − g)."""
        scaled = self.units * step
        return 0.5 * float(damping * scaled @ scaled - step @ self.parabola.gradient)

    def enough(self, damping: float) -> float:
        """The damping, or as much more as makes the step no longer than ten times the parameters."""
        longest = 10.0 * self.parabola.size(self.parabola.vector)
        while 0.0 < longest < self.parabola.size(self.step(damping)):
            damping *= 4.0
        return damping


def gain_ratio(parabola: Parabola, gained: float, foretold: float) -> float:
    """gained / foretold, but for what rounding errors hide: such a step is taken."""
    if parabola.hides(gained, foretold):
        return 0.5 if parabola.is_flat else 1.0  # the damping stays; it was too large, and so becomes smaller
    return gained / foretold if foretold > 0.0 else -math.inf


class AnyCurvature(Parabola):
    """The parabola of a symmetric matrix B, with |B| in its place: so δ leads down from wherever the gradient is not 0.

    |B| = D |D⁻¹ B D⁻¹| D has the absolute values of the eigenvalues that B has in units D of the parameters. That is B,
    if none is negative. δ leads down even in a direction in which the parabola bends down and has no lowest point. An
    eigenvalue that is 0 but for rounding counts as much as the largest: in such a direction δ is the gradient's own, in
    these units; where the gradient has none, δ is the shortest of those that are as good.
    """

    def __init__(self, vector: Array, loss: float, gradient: Array, matrix: Array) -> None:
        check_finite(gradient, matrix)
        matrix = (matrix + matrix.T) / 2.0
        self.equilibrating = equilibrating(matrix)
        eigenvalues, self.eigenvectors = self._decomposed(matrix)
        if eigenvalues[0] < -EPSILON * len(matrix) * eigenvalues[-1]:  # then |B| depends on the units
            self.equilibrating = alike(self.equilibrating)
            eigenvalues, self.eigenvectors = self._decomposed(matrix)
        self.sizes = numpy.abs(eigenvalues)
        largest = self.sizes.max() or 1.0
        self.is_bent = self.sizes > EPSILON * len(self.sizes) * largest
        self.sizes[~self.is_bent] = largest
        self.has_curvature = matrix.any(axis=1)
        units = self.equilibrating * numpy.sqrt(self.eigenvectors**2 @ self.sizes)
        super().__init__(vector, loss, gradient, units)

    @cached_property
    def slopes(self) -> Array:
        """The gradient along each eigenvector."""
        slopes: Array = self.eigenvectors.T @ (self.gradient / self.equilibrating)
        return slopes

    @cached_property
    def is_blind(self) -> bool:
        """Whether a slope is no rounding error, 100 ε (√(2 |L|) + ‖Dθ‖), where an eigenvalue may be 0.

        Where B has nothing at all, no unit is known to compare a slope with, and any is enough.
        """
        error = 100.0 * EPSILON * (self.root + self.size(self.vector))
        return bool(self.gradient[~self.has_curvature].any() or (abs(self.slopes[~self.is_bent]) > error).any())

    def _decomposed(self, matrix: Array) -> tuple[Array, Array]:
        eigenvalues, eigenvectors = numpy.linalg.eigh(
            matrix / self.equilibrating / self.equilibrating[:, numpy.newaxis]
        )
        return eigenvalues, eigenvectors

    @cached_property
    def direction(self) -> Array:
        slopes = self.slopes
        direction = finite_quotients(-(self.eigenvectors @ (slopes / self.sizes)), self.equilibrating)
        is_idle = ~self.is_bent & (numpy.abs(slopes) <= math.sqrt(EPSILON) * length(slopes))
        return shortest(
            direction, finite_quotients(self.eigenvectors[:, is_idle], self.equilibrating[:, numpy.newaxis])
        )


class SquaresCurvature(Parabola):
    """The parabola of a sum of squares with linear residuals, B = JᵀJ: ‖J δ + r‖ is as small as can be.

    Where several δ are best it is the shortest of them. Columns of J are compared in units D, so what is 0 but for
    rounding does not depend on the units of the parameters.
    """

    def __init__(self, vector: Array, loss: float, residuals: Array, jacobian: Array, gradient: Array) -> None:
        super().__init__(vector, loss, gradient, column_norms(jacobian))
        self.residuals, self.jacobian = residuals, jacobian

    @cached_property
    def normalized(self) -> Array:
        """J with columns of length 1."""
        normalized: Array = self.jacobian / numpy.where(self.units > 0.0, self.units, 1.0)
        return normalized

    @cached_property
    def slope(self) -> float:
        """max_i |J_i · r| / ‖J_i‖, where the product of J_i and r would be 0 too."""
        return float(numpy.abs(self.normalized.T @ self.residuals).max())

    @cached_property
    def root(self) -> float:
        return length(self.residuals)

    @cached_property
    def direction(self) -> Array:
        units = numpy.where(self.units > 0.0, self.units, 1.0)
        jacobian = self.normalized
        u, s, vt = numpy.linalg.svd(jacobian, full_matrices=len(jacobian) < len(units))
        rank = int((s > EPSILON * max(jacobian.shape) * s.max()).sum())
        best = finite_quotients(vt[:rank].T @ ((u.T @ -self.residuals)[:rank] / s[:rank]), units)
        return shortest(best, finite_quotients(vt[rank:].T, units[:, numpy.newaxis]))

    @cached_property
    def rounding(self) -> float:
        """‖r‖ e + ½ e², where e = 10 ε (‖r‖ + ‖Dθ‖) is by how much ‖r‖ may be wrong."""
        error = 10.0 * EPSILON * (self.root + self.size(self.vector))
        return self.root * error + 0.5 * error * error


def finite_quotients(numerators: Array, denominators: Array) -> Array:
    """The quotients. Where one is infinite, all of them times a number that makes them finite: the same direction."""
    quotients: Array = numerators / denominators
    while is_finite(numerators) and not is_finite(quotients):
        numerators = numerators * 2.0**-32
        quotients = numerators / denominators
    return quotients


def shortest(step: Array, flat: Array) -> Array:
    """The shortest of the steps that differ from this one only along the columns of `flat`."""
    check_finite(step, flat)
    if not flat.size:
        return step
    basis, _ = numpy.linalg.qr(flat / column_norms(flat))
    return numpy.asarray(step - basis @ (basis.T @ step), numpy.float64)


def alike(units: Array) -> Array:
    """Units that measure parameters alike that matter alike, within a factor of ten: min(max_j D_j, 10 D_i)."""
    shared: Array = numpy.minimum(units.max(), 10.0 * units)
    return shared


def equilibrating(matrix: Array) -> Array:
    """Units D, (p,), for a symmetric B such that no entry of D⁻¹ B D⁻¹ is larger than 1: D_i = max_j |B_ij| / √|B_jj|.

    That is √B_ii where B is positive definite. What B has in other units of the parameters, it has not in these units.
    """
    sizes = numpy.abs(matrix)
    roots = numpy.sqrt(numpy.where(numpy.diag(sizes) > SMALLEST / EPSILON, numpy.diag(sizes), 0.0))
    units = numpy.divide(sizes, roots, out=numpy.zeros_like(sizes), where=roots > 0.0).max(axis=1)
    units = numpy.maximum(units, numpy.sqrt(numpy.diag(sizes)))
    largest = sizes.max(axis=1)
    return numpy.where(units > 0.0, units, numpy.sqrt(numpy.where(largest > 0.0, largest, 1.0)))


def linearized(evaluator: Evaluator, vector: Array, outputs: Array) -> tuple[Array, Array, Array]:
    """All residuals r, (n k,), their Jacobian J, (n k, p), both divided by √n so that L = ½ ‖r‖², and ∇L = Jᵀ r."""
    jacobian = evaluator.jacobian(vector).reshape(-1, len(vector)) / math.sqrt(len(outputs))
    residuals = outputs.ravel() / math.sqrt(len(outputs))
    gradient = jacobian.T @ residuals
    check_finite(residuals, jacobian, gradient)
    return residuals, jacobian, gradient


def column_norms(matrix: Array) -> Array:
    """The norms of the columns, where squares would be 0 too."""
    largest = numpy.abs(matrix).max(axis=0)
    relative = numpy.divide(matrix, largest, out=numpy.zeros_like(matrix), where=largest > 0.0)
    norms: Array = largest * numpy.sqrt(numpy.square(relative).sum(axis=0))
    return norms


def half_mean_square(residuals: Array) -> float:
    """1/(2n) Σ r², of (n, k) residuals."""
    return float(numpy.add.reduce(numpy.square(residuals), axis=None)) / (2 * len(residuals))  # quicker than sum()
