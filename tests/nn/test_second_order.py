"""The second-order methods take the steps of their papers, and come to the known minima."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from autograd import Value, atan2, dot, exp, minimum, no_grad, softplus, tanh
from nn.layers import MLP
from nn.losses import binary_cross_entropy, cross_entropy, half_squared_error, residuals
from nn.optimizers import SGD
from nn.second_order import (
    AnyCurvature,
    GaussNewton,
    LevenbergMarquardt,
    NaturalGradient,
    Newton,
    SquaresCurvature,
)
from nn.training import fit

pytestmark = pytest.mark.both_engines

BOTH_WAYS = pytest.mark.parametrize("tape", [True, False])
LEAST_SQUARES = {
    "Gauss–Newton": GaussNewton,
    "Levenberg–Marquardt": LevenbergMarquardt,
    "Levenberg–Marquardt, scaled": lambda parameters: LevenbergMarquardt(parameters, scaled=True),
    "Levenberg–Marquardt, not scaled": lambda parameters: LevenbergMarquardt(parameters, scaled=False),
}
RNG = np.random.default_rng(0)


def network(nin, *nouts, seed=1):
    random.seed(seed)
    return MLP(nin, nouts, activation=tanh)


def numbers(parameters):
    return np.array([parameter.data for parameter in parameters])


def minimized(method, function, *data, **options):
    return method.minimize(function, *data, progress=False, **options)


def stacked(outputs, parameters):
    """The Values' data, (m,), and their derivatives, (m, p), by backward()."""
    jacobian = []
    for output in outputs:
        for parameter in parameters:
            parameter.grad = 0.0
        output.backward()
        jacobian.append([parameter.grad for parameter in parameters])
    return np.array([output.data for output in outputs]), np.array(jacobian)


class Regression:
    """A network of 11 parameters and two outputs, and 20 examples."""

    def __init__(self):
        self.model = network(2, 2, 2)
        self.parameters = self.model.parameters()
        self.inputs, self.targets = RNG.normal(size=(20, 2)), RNG.normal(size=(20, 2))

    def function(self, x, t):
        return residuals(self.model(x), t)

    def residuals(self):
        """All of them, (40,), and their Jacobian, (40, p)."""
        examples = zip(self.inputs.tolist(), self.targets.tolist(), strict=True)
        return stacked([r for x, t in examples for r in self.function(x, t)], self.parameters)


# ---- steps


@BOTH_WAYS
def test_newtons_method_minimizes_a_quadratic_in_one_step(tape):
    """(1/n) Σ ½ θᵀAθ − bᵢᵀθ has its minimum where A θ is the mean of the b."""
    factor, b = RNG.normal(size=(4, 4)), RNG.normal(size=(7, 4))
    a = factor @ factor.T + np.eye(4)
    theta = [Value(number) for number in (3.0, -1.0, 0.5, 2.0)]

    def loss(b):
        return 0.5 * dot(theta, [dot(row, theta) for row in a.tolist()]) - dot(theta, b)

    descent = minimized(Newton(theta), loss, b, tape=tape, tolerance=1e-12)
    assert (descent.steps, descent.stopped) == (1, "gradient")
    np.testing.assert_allclose(numbers(theta), np.linalg.solve(a, b.mean(axis=0)), rtol=1e-12, atol=1e-14)


def test_a_newton_step_where_the_parabola_bends_down():
    x, y = Value(0.5), Value(2.0)
    descent = minimized(Newton([x, y], line_search=False), lambda: x**4 - x**2 + x * y + y**2, steps=1)
    gradient = np.array([4 * 0.5**3 - 2 * 0.5 + 2.0, 0.5 + 2 * 2.0])
    values, vectors = np.linalg.eigh([[12 * 0.5**2 - 2, 1.0], [1.0, 2.0]])
    expected = -vectors @ np.diag(1 / np.abs(values)) @ vectors.T @ gradient
    np.testing.assert_allclose(descent.path[1] - descent.path[0], expected, rtol=1e-12, atol=1e-13)


def downhill(matrix, gradient):
    return AnyCurvature(np.zeros(len(gradient)), 1.0, np.array(gradient), np.array(matrix)).direction


def test_the_direction_leads_downhill():
    g = np.array([1.0, -2.0, 0.5])
    factor = RNG.normal(size=(3, 3))
    positive = factor @ factor.T + np.eye(3)
    np.testing.assert_allclose(downhill(positive, g), -np.linalg.solve(positive, g), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(downhill(-positive, g), downhill(positive, g), rtol=1e-12, atol=1e-13)
    assert downhill(np.diag([4.0, 1.0, 0.0]), g).tolist() == [-0.25, 2.0, -0.5]  # the 0 as if it were the largest, 1
    assert downhill(np.zeros((3, 3)), g).tolist() == [-1.0, 2.0, -0.5]


def test_which_curvature_is_0_but_for_rounding_is_no_matter_of_units():
    assert downhill(np.diag([4.0, 1e-17]), [1.0, -2.0]) == pytest.approx([-0.25, 2e17], rel=1e-15)
    flat = [[1.0, 1.0], [1.0, 1.0 + 1e-16]]  # along (1, −1), up to rounding; g has a part along it, or none
    assert downhill(flat, [2.0, 2.0]) == pytest.approx([-1.0, -1.0], rel=1e-12)
    assert downhill(flat, [1.0, -1.0]) == pytest.approx([-0.5, 0.5], rel=1e-12)


def test_the_direction_is_the_shortest_of_those_that_are_as_good():
    """B = vvᵀ and g = v: every δ with vᵀδ = −1 is as good."""
    v = np.array([3.0, 1.0, 0.5])
    np.testing.assert_allclose(downhill(np.outer(v, v), v), -v / (v @ v), rtol=1e-12)
    np.testing.assert_allclose(
        SquaresCurvature(np.zeros(3), 0.5, np.ones(1), v[np.newaxis], v).direction, -v / (v @ v), rtol=1e-12
    )


@pytest.mark.parametrize(
    "matrix",
    [
        [[0.0, 3.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
        [[1e-9, 3.0, 1.0], [3.0, 5.0, -2.0], [1.0, -2.0, -7.0]],
        [[1e-300, 1e-200, 0.0], [1e-200, 1.0, 0.5], [0.0, 0.5, 1.0]],
        [[1e-300, 0.0, 0.0], [0.0, -1.0, 2.0], [0.0, 2.0, 1e-310]],
    ],
)
def test_wherever_the_gradient_is_not_0_the_direction_leads_down(matrix):
    for g in ([1.0, 0.0, 0.0], [1.0, -2.0, 0.5], [0.0, 1e-3, 1.0]):
        direction = downhill(matrix, g)
        assert np.isfinite(direction).all()
        assert direction @ g < 0.0


def test_newtons_method_goes_down_from_a_saddle_but_not_if_it_begins_on_it():
    x, y = Value(0.1), Value(1.0)
    descent = minimized(Newton([x, y]), lambda: x**4 / 4.0 - x**2 / 2.0 + y**2)
    assert descent.stopped == "gradient"
    assert (x.data, y.data) == pytest.approx((1.0, 0.0), abs=1e-8)
    x.data, y.data = 0.0, 0.0
    assert minimized(Newton([x, y]), lambda: x**4 / 4.0 - x**2 / 2.0 + y**2).steps == 0


def test_the_line_search_halves_the_step_until_the_loss_falls_enough():
    """Newton's step for log(1 + e^-x) + log(1 + e^x)/8 from 5 goes far out: g = 0.118, B = 0.0075."""
    x = Value(5.0)

    def loss(at):
        return math.log1p(math.exp(-at)) + math.log1p(math.exp(at)) / 8

    descent = minimized(Newton([x]), lambda: softplus(-x) + softplus(x) / 8.0, steps=1)
    p = 1 / (1 + math.exp(-5.0))
    gradient, curvature = p - 1 + p / 8, p * (1 - p) * 9 / 8
    rates = [2.0**-k for k in range(20)]
    enough = [loss(5 - a * gradient / curvature) <= loss(5.0) - 1e-4 * a * gradient**2 / curvature for a in rates]
    rate = rates[enough.index(True)]
    assert rate < 1.0
    assert descent.path[1][0] == pytest.approx(5 - rate * gradient / curvature, rel=1e-12)


@BOTH_WAYS
def test_newtons_method_finds_the_maximum_likelihood_of_logistic_regression(tape):
    """There the residuals p − t are at right angles to the inputs."""
    w, b = Value(0.0), Value(0.0)
    xs, ts = np.array([-2.0, -1.0, 0.0, 0.5, 1.5, 3.0]), np.array([0, 1, 0, 1, 0, 1])
    descent = minimized(Newton([w, b]), lambda x, t: softplus(w * x + b) - t * (w * x + b), xs, ts, tape=tape)
    p = 1 / (1 + np.exp(-(w.data * xs + b.data)))
    assert descent.stopped == "gradient"
    assert max(abs((p - ts) @ xs), abs((p - ts).sum())) < 6 * 1e-8


@BOTH_WAYS
def test_a_gauss_newton_step_is_the_least_squares_solution(tape):
    problem = Regression()
    r, jacobian = problem.residuals()
    method = GaussNewton(problem.parameters, line_search=False)
    descent = minimized(method, problem.function, problem.inputs, problem.targets, steps=1, tape=tape)
    expected = np.linalg.lstsq(jacobian, -r, rcond=None)[0]
    np.testing.assert_allclose(descent.path[1] - descent.path[0], expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(descent.path[1], numbers(problem.parameters))
    assert descent.loss[0] == pytest.approx(r @ r / (2 * 20), rel=1e-14)
    assert descent.gradient[0] == pytest.approx(np.abs(jacobian.T @ r / 20).max(), rel=1e-12)


@BOTH_WAYS
def test_where_several_steps_are_best_gauss_newton_takes_the_shortest(tape):
    a, b, c = Value(1.0), Value(2.0), Value(0.5)
    xs, ts = [1.0, 2.0, 4.0], [2.0, -1.0, 3.0]
    descent = minimized(GaussNewton([a, b, c]), lambda x, t: a * x + b * x + c - t, xs, ts, steps=1, tape=tape)
    jacobian = np.array([[x, x, 1.0] for x in xs])
    r = jacobian @ [1.0, 2.0, 0.5] - ts
    np.testing.assert_allclose(descent.path[1] - descent.path[0], -np.linalg.pinv(jacobian) @ r, rtol=1e-12, atol=1e-13)


def nielsen(residuals_at, start, n, tau, scaled, steps):
    """Algorithm 3.16 of Madsen, Nielsen and Tingleff, with D in the place of I, from the normal equations."""
    x, largest = np.array(start), 0.0
    r, jacobian = residuals_at(x)
    mu, nu = None, 2.0
    path, dampings = [x], []
    for _ in range(steps):
        a, g = jacobian.T @ jacobian / n, jacobian.T @ r / n
        largest = np.maximum(largest, np.diag(a))
        d = largest if scaled else np.ones(len(x))
        mu = tau * (np.diag(a) / d).max() if mu is None else mu
        dampings.append(mu)
        h = np.linalg.solve(a + mu * np.diag(d), -g)
        there, jacobian_there = residuals_at(x + h)
        gain = (r @ r - there @ there) / (2 * n) / (h @ (mu * d * h - g) / 2)
        if gain > 0:
            x, r, jacobian = x + h, there, jacobian_there
            mu, nu = mu * max(1 / 3, 1 - (2 * gain - 1) ** 3), 2.0
        else:
            mu, nu = mu * nu, 2 * nu
        path.append(x)
    return path, dampings


@BOTH_WAYS
@pytest.mark.parametrize("scaled", [False, True])
def test_levenberg_marquardt_steps_solve_the_damped_equations(tape, scaled):
    problem = Regression()

    def residuals_at(vector):
        for parameter, number in zip(problem.parameters, vector, strict=True):
            parameter.data = number
        return problem.residuals()

    start = numbers(problem.parameters)
    path, dampings = nielsen(residuals_at, start, 20, 0.01, scaled, 8)
    residuals_at(start)
    method = LevenbergMarquardt(problem.parameters, 0.01, scaled)
    descent = minimized(method, problem.function, problem.inputs, problem.targets, steps=8, tape=tape)
    np.testing.assert_allclose(descent.path, path, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(descent.damping[:-1], dampings, rtol=1e-6)


def test_levenberg_marquardt_rejects_steps_as_the_algorithm_does():
    x, y = Value(-1.2), Value(1.0)

    def residuals_at(v):
        return np.array([10 * (v[1] - v[0] ** 2), 1 - v[0]]), np.array([[-20 * v[0], 10.0], [-1.0, 0.0]])

    path, dampings = nielsen(residuals_at, [-1.2, 1.0], 1, 1e-3, False, 14)
    descent = minimized(LevenbergMarquardt([x, y], scaled=False), lambda: [10 * (y - x**2), 1 - x], steps=14)
    np.testing.assert_allclose(descent.path, path, rtol=1e-9)
    np.testing.assert_allclose(descent.damping[:-1], dampings, rtol=1e-9)
    rejected = [(a == b).all() for a, b in zip(descent.path, descent.path[1:], strict=False)]
    assert 0 < sum(rejected) < 14
    for k in range(14):
        assert (descent.damping[k + 1] > descent.damping[k] and descent.loss[k + 1] == descent.loss[k]) or (
            descent.loss[k + 1] < descent.loss[k] and not rejected[k]
        )


def test_by_default_parameters_that_matter_alike_are_damped_alike():
    """D_ii = min(max_j m_j, 10 m_i): norms of 1, 3 and 2 are taken for 3, and one of 0.01 for 0.1."""
    norms = [1.0, 3.0, 2.0, 0.01]
    w = [Value(1.0) for _ in norms]
    function = lambda: [norm * (parameter + parameter**2 / 8) for norm, parameter in zip(norms, w, strict=True)]  # noqa: E731
    descent = minimized(LevenbergMarquardt(w, damping=0.5), function, steps=1)
    slopes, residuals, d = np.array(norms) * 1.25, np.array(norms) * 1.125, np.array([3.0, 3.0, 3.0, 0.1]) * 1.25
    expected = -slopes * residuals / (slopes**2 + 0.5 * d**2)
    np.testing.assert_allclose(descent.path[1] - descent.path[0], expected, rtol=1e-12)
    assert descent.damping[0] == 0.5


def test_the_first_step_is_not_longer_than_ten_times_the_parameters():
    """Gauss–Newton's step for e^−wx would go from 0.1 to thousands, where nothing is left of it."""
    w = Value(0.1)
    descent = minimized(LevenbergMarquardt([w]), lambda x, t: exp(-w * x) - t, [1.0, 2.0], [-1e3, -1e3], steps=1)
    assert descent.path[1][0] <= 1.1
    assert descent.damping[0] > 1e-3 * 4**3


# ---- the Fisher matrix


def weighted_squares(terms, parameters):
    """Σ weight ∇loss ∇lossᵀ of (weight, loss)."""
    _, gradients = stacked([loss for _, loss in terms], parameters)
    return sum(weight * np.outer(g, g) for (weight, _), g in zip(terms, gradients, strict=True))


def of_categorical(outputs):
    """Each class, with the probability that the model itself gives it, and its loss."""
    p = np.exp([z.data for z in outputs])
    return [(p[k] / p.sum(), cross_entropy(outputs, k)) for k in range(len(outputs))]


def of_bernoulli(outputs):
    """Each pair of outcomes of two independent logits."""
    p = [1 / (1 + math.exp(-z.data)) for z in outputs]
    pairs = [(i, j) for i in (0, 1) for j in (0, 1)]
    return [
        ((p[0] if i else 1 - p[0]) * (p[1] if j else 1 - p[1]), binary_cross_entropy(outputs, [i, j])) for i, j in pairs
    ]


def of_normal(outputs):
    """Gauss–Hermite quadrature with two points for each output: exact for the squares of the gradient."""
    y = [z.data for z in outputs]
    points = [(i, j) for i in (-1, 1) for j in (-1, 1)]
    return [(1 / 4, half_squared_error(outputs, [y[0] + i, y[1] + j])) for i, j in points]


OUTCOMES = {
    "normal": (of_normal, 2),
    "bernoulli": (of_bernoulli, 2),
    "categorical": (of_categorical, 3),
}


@BOTH_WAYS
@pytest.mark.parametrize("distribution", OUTCOMES)
def test_the_fisher_matrix_is_the_expectation_over_the_models_own_outcomes(distribution, tape):
    outcomes, width = OUTCOMES[distribution]
    model = network(2, 3, width)
    parameters = model.parameters()
    inputs = RNG.normal(size=(6, 2))
    fisher = NaturalGradient(parameters, distribution).fisher_matrix(model, inputs, tape=tape)
    expected = sum(weighted_squares(outcomes(model(x)), parameters) for x in inputs.tolist()) / 6
    np.testing.assert_allclose(fisher, expected, rtol=1e-11, atol=1e-14)


def test_the_fisher_matrix_of_logits_far_out():
    z = [Value(0.0), Value(50.0), Value(-1000.0)]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        fisher = NaturalGradient(z, "bernoulli").fisher_matrix(lambda: z)
    assert np.diag(fisher).tolist() == pytest.approx([0.25, math.exp(-50), 0.0], rel=1e-12)
    z = [Value(1000.0), Value(0.0)]
    assert NaturalGradient(z, "categorical").fisher_matrix(lambda: z).tolist() == [[0.0, 0.0], [0.0, 0.0]]


LOSSES = {"normal": half_squared_error, "bernoulli": binary_cross_entropy, "categorical": cross_entropy}
TARGETS = {
    "normal": RNG.normal(size=(12, 2)),
    "bernoulli": RNG.integers(0, 2, size=(12, 2)),
    "categorical": RNG.integers(0, 3, size=12),
}


@BOTH_WAYS
@pytest.mark.parametrize("distribution", OUTCOMES)
def test_a_natural_gradient_step_solves_the_fisher_matrixs_equations(distribution, tape):
    model = network(2, 2, OUTCOMES[distribution][1])
    parameters = model.parameters()
    inputs, targets = RNG.normal(size=(12, 2)), TARGETS[distribution]
    examples = zip(inputs.tolist(), targets.tolist(), strict=True)
    losses, gradients = stacked([LOSSES[distribution](model(x), t) for x, t in examples], parameters)
    method = NaturalGradient(parameters, distribution, learning_rate=0.5, damping=0.1, line_search=False)
    fisher = method.fisher_matrix(model, inputs)
    descent = minimized(method, model, inputs, targets, steps=1, tape=tape)
    expected = -0.5 * np.linalg.solve(fisher + 0.1 * np.eye(len(parameters)), gradients.mean(axis=0))
    np.testing.assert_allclose(descent.path[1] - descent.path[0], expected, rtol=1e-10, atol=1e-14)
    assert descent.loss[0] == pytest.approx(losses.mean(), rel=1e-13)


def test_with_the_normal_distribution_it_is_gauss_newton():
    paths = []
    for method in (lambda p: NaturalGradient(p, "normal"), GaussNewton):
        a, b = Value(1.0), Value(0.5)

        def model(x, a=a, b=b):
            return a * exp(b * x)

        is_natural = method is not GaussNewton
        function = model if is_natural else lambda x, t, model=model: model(x) - t
        paths.append(minimized(method([a, b]), function, [0.0, 0.5, 1.0], [2.0, 1.5, 1.25]).path)
    np.testing.assert_allclose(paths[0][:6], paths[1][:6], rtol=1e-7)


def test_natural_gradient_finds_the_maximum_likelihood():
    logit = Value(0.3)
    descent = minimized(NaturalGradient([logit], "bernoulli"), lambda: logit, [1, 1, 0, 1, 1], tolerance=1e-14)
    assert logit.data == pytest.approx(math.log(4.0), rel=1e-12)
    assert descent.converged
    model = network(1, 2)
    inputs = [[0.0]] * 4 + [[1.0]] * 5
    classes = [0, 0, 0, 1, 0, 1, 1, 1, 1]
    minimized(NaturalGradient(model.parameters(), "categorical"), model, inputs, classes, tolerance=1e-13)
    differences = [(b - a).data for a, b in (model([0.0]), model([1.0]))]
    assert differences == pytest.approx([-math.log(3.0), math.log(4.0)], rel=1e-9)


# ---- the classic problems: J. Moré, B. Garbow, K. Hillstrom, "Testing unconstrained optimization software", 1981


def freudenstein_roth(x, y):
    return [-13.0 + x + ((5.0 - y) * y - 2.0) * y, -29.0 + x + ((y + 1.0) * y - 14.0) * y]


def helical_valley(x, y, z):
    return [10.0 * (z - 10.0 * atan2(y, x) / (2.0 * math.pi)), 10.0 * ((x * x + y * y) ** 0.5 - 1.0), z]


def wood(a, b, c, d):
    return [
        10.0 * (b - a * a), 1.0 - a, math.sqrt(90.0) * (d - c * c), 1.0 - c,
        math.sqrt(10.0) * (b + d - 2.0), (b - d) / math.sqrt(10.0),
    ]  # fmt: skip


def beale(x, y):
    return [c - x * (1.0 - y**k) for k, c in ((1, 1.5), (2, 2.25), (3, 2.625))]


def powell_singular(a, b, c, d):
    return [a + 10.0 * b, math.sqrt(5.0) * (c - d), (b - 2.0 * c) ** 2, math.sqrt(10.0) * (a - d) ** 2]


BARD = [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39]
KOWALIK_OSBORNE = (
    [4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625],
    [0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246],
)

# name: residuals, start, minimum, Σ r² there
WITHOUT_DATA = {
    "Rosenbrock": (lambda x, y: [10.0 * (y - x**2), 1.0 - x], [-1.2, 1.0], [1.0, 1.0], 0.0),
    "Freudenstein–Roth, near": (freudenstein_roth, [0.5, -2.0], [11.412779, -0.896805], 48.98425),
    "Freudenstein–Roth": (freudenstein_roth, [6.0, 3.0], [5.0, 4.0], 0.0),
    "Brown, badly scaled": (
        lambda x, y: [x - 1e6, y - 2e-6, x * y - 2.0], [1.0, 1.0], [1e6, 2e-6], 0.0,
    ),
    "Beale": (beale, [1.0, 1.0], [3.0, 0.5], 0.0),
    "helical valley": (helical_valley, [-1.0, 1e-3, 0.0], [1.0, 0.0, 0.0], 0.0),
    "Jennrich–Sampson": (
        lambda x, y: [2.0 + 2.0 * i - (exp(i * x) + exp(i * y)) for i in range(1, 11)],
        [0.3, 0.4], [0.257825, 0.257825], 124.36218,
    ),
    "Wood": (wood, [-3.0, -1.0, -3.0, -1.0], [1.0] * 4, 0.0),
}  # fmt: skip
WITH_DATA = {
    "Bard": (
        lambda a, b, c: lambda u, y: y - (a + u / ((16.0 - u) * b + minimum(u, 16.0 - u) * c)),
        [1.0] * 3, (list(range(1, 16)), BARD), [0.082411, 1.133036, 2.343695], 8.214877e-3,
    ),
    "Kowalik–Osborne": (
        lambda a, b, c, d: lambda u, y: y - a * (u * u + u * b) / (u * u + u * c + d),
        [0.25, 0.39, 0.415, 0.39], KOWALIK_OSBORNE, [0.192807, 0.191282, 0.123057, 0.136062], 3.075056e-4,
    ),
}  # fmt: skip
BEYOND_GAUSS_NEWTON = {"Freudenstein–Roth, near", "Jennrich–Sampson"}  # large residuals: its steps do not converge


@pytest.mark.parametrize(
    ("method", "name"),
    [(m, n) for m in LEAST_SQUARES for n in WITHOUT_DATA if m != "Gauss–Newton" or n not in BEYOND_GAUSS_NEWTON],
)
def test_classic_problems(method, name):
    function, start, minimum_at, sum_of_squares = WITHOUT_DATA[name]
    parameters = [Value(number) for number in start]
    descent = minimized(LEAST_SQUARES[method](parameters), lambda: function(*parameters), step_tolerance=0.0)
    assert descent.converged, descent
    assert 2 * descent.loss[-1] == pytest.approx(sum_of_squares, rel=1e-7, abs=1e-15)
    np.testing.assert_allclose(numbers(parameters), minimum_at, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["Rosenbrock", "Freudenstein–Roth, near", "Freudenstein–Roth", "Jennrich–Sampson"])
def test_newtons_method_on_classic_problems(name):
    function, start, minimum_at, sum_of_squares = WITHOUT_DATA[name]
    parameters = [Value(number) for number in start]
    descent = minimized(
        Newton(parameters), lambda: half_squared_error(residuals := function(*parameters), [0.0] * len(residuals))
    )
    assert descent.converged, descent
    assert 2 * descent.loss[-1] == pytest.approx(sum_of_squares, rel=1e-7, abs=1e-15)
    np.testing.assert_allclose(numbers(parameters), minimum_at, rtol=1e-6, atol=1e-6)


@BOTH_WAYS
@pytest.mark.parametrize("name", WITH_DATA)
@pytest.mark.parametrize("method", LEAST_SQUARES)
def test_classic_fits_to_data(method, name, tape):
    function_of, start, data, minimum_at, sum_of_squares = WITH_DATA[name]
    parameters = [Value(number) for number in start]
    method = LEAST_SQUARES[method](parameters)
    descent = minimized(method, function_of(*parameters), *data, tolerance=1e-10, tape=tape)
    assert descent.converged, descent
    assert 2 * len(data[0]) * descent.loss[-1] == pytest.approx(sum_of_squares, rel=1e-6)
    np.testing.assert_allclose(numbers(parameters), minimum_at, rtol=1e-3)


@pytest.mark.parametrize("method", LEAST_SQUARES)
def test_powells_singular_function(method):
    """The Jacobian is singular at the minimum, where the loss grows with the fourth power: convergence is linear."""
    parameters = [Value(number) for number in (3.0, -1.0, 0.0, 1.0)]
    descent = minimized(LEAST_SQUARES[method](parameters), lambda: powell_singular(*parameters))
    assert descent.stopped in ("gradient", "rounding")  # as the products of matrices round
    assert descent.loss[-1] < 1e-25
    np.testing.assert_allclose(numbers(parameters), np.zeros(4), atol=1e-6)


@BOTH_WAYS
def test_levenberg_marquardt_on_a_rank_deficient_problem(tape):
    """Three parameters do one's work, and one does nothing: the nearest minimum is found, exactly as far as it goes."""
    a, b, c, idle = Value(1.0), Value(2.0), Value(-1.0), Value(5.0)
    xs = [1.0, 2.0, 3.0]
    descent = minimized(
        LevenbergMarquardt([a, b, c, idle]), lambda x, t: (a + b + c) * x + 0.0 * idle - t, xs, [2.0, 5.0, 5.0],
        tolerance=1e-13, tape=tape,
    )  # fmt: skip
    slope = (1 * 2 + 2 * 5 + 3 * 5) / (1 + 4 + 9)
    assert descent.converged
    np.testing.assert_allclose(
        numbers([a, b, c, idle]),
        np.array([1.0, 2.0, -1.0, 5.0]) + np.array([1, 1, 1, 0]) * (slope - 2.0) / 3,
        rtol=1e-12,
    )
    assert descent.loss[-1] == pytest.approx(sum((slope * x - t) ** 2 for x, t in zip(xs, [2, 5, 5], strict=True)) / 6)


@pytest.mark.parametrize("scaled", [None, False, True])
def test_levenberg_marquardt_where_the_jacobian_is_0_in_a_parameter_and_then_is_not(scaled):
    x, y = Value(0.0), Value(1.0)  # the derivative with respect to x is 0 until y moves
    descent = minimized(LevenbergMarquardt([x, y], scaled=scaled), lambda: [x * (y - 1.0) - 1.0, y - 3.0])
    assert descent.converged
    assert (x.data, y.data) == pytest.approx((0.5, 3.0), rel=1e-6)


@pytest.mark.parametrize("scaled", [None, False, True])
def test_where_no_residual_depends_on_any_parameter_yet(scaled):
    x = Value(0.0)
    descent = minimized(LevenbergMarquardt([x], scaled=scaled), lambda: x**2 + 1.0)
    assert (descent.steps, descent.stopped, descent.loss, x.data) == (0, "gradient", [0.5], 0.0)


def test_levenberg_marquardt_needs_a_tenth_of_gradient_descents_steps():
    inputs, goal = np.linspace(-1.0, 1.0, 25), 1e-3
    targets = np.sin(3.0 * inputs)
    model = network(1, 6, 1, seed=0)
    start = model.state_dict()
    descent = minimized(
        LevenbergMarquardt(model.parameters()), lambda x, t: model([x]) - t, inputs, targets, steps=30, tape=True
    )
    needed = next(step for step, loss in enumerate(descent.loss) if loss < goal)
    for learning_rate in (0.03, 0.1, 0.3, 0.5, 1.0):
        model.load_state_dict(start)
        history = fit(
            lambda x: model([x]), inputs, targets, half_squared_error, SGD(model.parameters(), learning_rate),
            epochs=10 * needed, batch_size=25, progress=False,
        )  # fmt: skip
        assert min(history.loss) > goal


@pytest.mark.parametrize("tape", [None, False])
@pytest.mark.parametrize(
    "found",
    [
        lambda w, **how: Newton([w]).minimize(lambda x, t: (w * x - t) ** 2, *DATA, **how).loss[-1],
        lambda w, **how: GaussNewton([w]).minimize(lambda x, t: w * x - t, *DATA, **how).loss[-1],
        lambda w, **how: LevenbergMarquardt([w]).minimize(lambda x, t: w * x - t, *DATA, **how).loss[-1],
        lambda w, **how: NaturalGradient([w], "normal").fisher_matrix(lambda x: w * x, DATA[0], **how).tolist(),
    ],
)
def test_a_generator_that_is_suspended_within_no_grad_leaves_a_method_alone(found, tape):
    def suspended():
        with no_grad():
            yield

    expected = found(Value(0.5), tape=tape)
    generator = suspended()
    next(generator)
    assert found(Value(0.5), tape=tape) == expected
    generator.close()


DATA = ([1.0, 2.0], [2.0, 4.5])


@pytest.mark.parametrize(
    ("make", "name", "wrong", "message"),
    [
        (Newton, "line_search", "no", "line_search: expected True or False, got 'no'"),
        (GaussNewton, "line_search", 1, "line_search: expected True or False, got 1"),
        (LevenbergMarquardt, "scaled", "no", "scaled: expected True, False or None, got 'no'"),
        (lambda p: NaturalGradient(p, "normal"), "line_search", None, "line_search: expected True or False, got None"),
        (lambda p: NaturalGradient(p, "normal"), "distribution", "gauss", "distribution: expected normal, .*'gauss'"),
        (lambda p: NaturalGradient(p, "normal"), "distribution", ["normal"], "distribution: expected normal, .*"),
    ],
)
def test_an_option_that_is_refused_when_it_is_assigned_is_not_taken(make, name, wrong, message):
    method = make([Value(1.0)])
    before = {**vars(method)}
    with pytest.raises((TypeError, ValueError), match=f"^{type(method).__name__}: {message}$"):
        setattr(method, name, wrong)
    assert vars(method) == before
