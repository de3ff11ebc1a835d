"""Second-order methods say when they stop and why, and leave the parameters where they say."""

from __future__ import annotations

import copy
import math
import random
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.optimize

from autograd import Tape, Value, exp, gradients, log, no_grad, relu, sigmoid, sin, sqrt, tanh
from nn.layers import MLP
from nn.losses import binary_cross_entropy, half_squared_error
from nn.minimizing import REASONS, Descent
from nn.second_order import GaussNewton, LevenbergMarquardt, NaturalGradient, Newton
from nn.training import fit

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.both_engines

BOTH_WAYS = pytest.mark.parametrize("tape", [True, False])
LEAST_SQUARES = {"Gauss–Newton": GaussNewton, "Levenberg–Marquardt": LevenbergMarquardt}
LEAST_SQUARES_AND_SCALES = {
    **LEAST_SQUARES,
    "scaled": lambda parameters: LevenbergMarquardt(parameters, scaled=True),
    "not scaled": lambda parameters: LevenbergMarquardt(parameters, scaled=False),
}


def numbers(parameters):
    return np.array([parameter.data for parameter in parameters])


def minimized(method, function, *data, **options):
    return method.minimize(function, *data, progress=False, **options)


# ---- when it stops, and where the parameters are then


def valley():
    x, y = Value(-1.2), Value(1.0)
    return [x, y], lambda: [10.0 * (y - x**2), 1.0 - x]


def decay():
    """The model a e^bx, with residuals that no a and b make 0."""
    a, b = Value(1.0), Value(-1.0)
    return [a, b], lambda x, t: a * exp(b * x) - t, [0.0, 1.0, 2.0, 3.0], [2.0, 1.5, 0.25, 0.5]


def cosines(parameters, function, *data):
    """|cos| of the angles between the residuals and each column of their Jacobian."""
    residuals = [function(*example) for example in zip(*data, strict=True)]
    jacobian = np.array([gradients(residual, parameters) for residual in residuals])
    r = numbers(residuals)
    return abs(jacobian.T @ r) / np.linalg.norm(jacobian, axis=0) / np.linalg.norm(r)


@pytest.mark.parametrize("method", LEAST_SQUARES)
def test_it_stops_at_a_small_gradient(method):
    parameters, function, *data = decay()
    descent = minimized(LEAST_SQUARES[method](parameters), function, *data, tolerance=1e-3)
    assert (descent.stopped, descent.converged) == ("gradient", True)
    assert descent.relative_gradient[-1] <= 1e-3 < min(descent.relative_gradient[:-1])
    assert descent.relative_gradient[-1] == pytest.approx(max(cosines(parameters, function, *data)), rel=1e-9)
    again = minimized(LEAST_SQUARES[method](parameters), function, *data, tolerance=1e-3)
    assert (again.steps, again.loss) == (0, [descent.loss[-1]])


@pytest.mark.parametrize("method", LEAST_SQUARES)
def test_it_stops_after_so_many_steps(method):
    parameters, function = valley()
    descent = minimized(LEAST_SQUARES[method](parameters), function, steps=3)
    assert (descent.steps, descent.stopped, descent.converged) == (3, "steps", False)
    assert len(descent.loss) == len(descent.gradient) == len(descent.path) == 4
    assert numbers(parameters).tolist() == descent.path[-1].tolist()


@pytest.mark.parametrize("method", LEAST_SQUARES)
def test_it_stops_at_a_small_step(method):
    parameters, function, *data = decay()
    xs, method = np.array(data[0]), LEAST_SQUARES[method]
    descent = minimized(method(parameters), function, *data, tolerance=0.0, step_tolerance=1e-3)
    assert (descent.stopped, descent.converged) == ("small step", True)

    def relative(step, at):
        """‖D δ‖ / ‖D θ‖ with D from the norms of the Jacobian's columns."""
        a, b = at
        units = [np.linalg.norm(np.exp(b * xs)), np.linalg.norm(a * xs * np.exp(b * xs))]
        return np.linalg.norm(units * step) / np.linalg.norm(units * at)

    *_, before, last = descent.path
    assert relative(last - before, before) > 1e-3
    further = minimized(GaussNewton(parameters), function, *data, tolerance=0.0, steps=1).path
    assert relative(further[1] - further[0], last) <= 1e-3


@pytest.mark.parametrize("method", LEAST_SQUARES)
def test_it_stops_at_a_small_reduction(method):
    parameters, function, *data = decay()
    descent = minimized(LEAST_SQUARES[method](parameters), function, *data, tolerance=0.0, loss_tolerance=1e-3)
    assert (descent.stopped, descent.converged) == ("small reduction", True)
    *_, before, last = descent.loss
    assert before - last <= 1e-3 * last
    best = minimized(LEAST_SQUARES[method](parameters), function, *data).loss[-1]
    assert last - best <= 1.5e-3 * last
    assert REASONS["small reduction"] in repr(descent)


@pytest.mark.parametrize("method", LEAST_SQUARES)
def test_it_stops_where_rounding_errors_hide_every_gain(method):
    parameters, function, *data = decay()
    descent = minimized(LEAST_SQUARES[method](parameters), function, *data, tolerance=0.0, step_tolerance=0.0)
    assert (descent.stopped, descent.converged) in {("rounding", True), ("gradient", True), ("small step", True)}
    assert max(cosines(parameters, function, *data)) < 1e-14


@pytest.mark.parametrize(("method", "reason"), [("Gauss–Newton", "line search"), ("Levenberg–Marquardt", "damping")])
def test_it_stops_where_no_step_lowers_the_loss(method, reason):
    x = Value(1.0)  # the residual jumps up below 1, and its derivative does not say so
    descent = minimized(LEAST_SQUARES[method]([x]), lambda: x + (9.0 if x.data < 1.0 else 0.0), tape=False)
    assert (descent.stopped, descent.converged) == (reason, False)
    assert (x.data, descent.loss[-1]) == (1.0, 0.5)
    assert REASONS[reason] in repr(descent)


# Where there is next to no curvature, the parabola's lowest point is farther away by any factor, or by an infinite one.
FAR_TOO_LONG = {
    "exp(x) - x": (Newton, [], 0.0, (-30.0, -100.0, -300.0, -700.0, -740.0), lambda y, x: exp(x - y) - (x - y)),
    "exp(x) - 1": (GaussNewton, [], 0.0, (-10.0, -100.0), lambda y, x: exp(x - y) - 1.0),
    "a coin": (
        lambda p: NaturalGradient(p, "bernoulli"), [0, 1, 1, 1], math.log(3.0), (40.0, 100.0, 700.0, -700.0),
        lambda y, x: x - y,
    ),
    "two classes": (
        lambda p: NaturalGradient(p, "categorical"), [0, 1, 1, 1], math.log(3.0), (40.0, 100.0, 740.0, -100.0),
        lambda y, x: [y, x],
    ),
}  # fmt: skip


@BOTH_WAYS
@pytest.mark.parametrize("case", FAR_TOO_LONG)
def test_the_line_search_goes_on_however_much_too_long_the_step_is(case, tape):
    method, targets, minimum, starts, function = FAR_TOO_LONG[case]
    for start in starts:
        y, x = parameters = [Value(0.0), Value(start)]
        data = [targets] if targets else []
        descent = minimized(method(parameters), lambda *_, y=y, x=x: function(y, x), *data, tape=tape)
        assert descent.converged, (start, descent)
        assert x.data - y.data == pytest.approx(minimum, abs=1e-6)


@pytest.mark.parametrize("step_tolerance", [1e-12, 1e-3])
@pytest.mark.parametrize("start", [1.0, 1e100, 1e-300, 0.0])
def test_where_the_line_search_ends_no_step_that_changes_a_parameter_lowers_the_loss(start, step_tolerance):
    x, tried = Value(start), []  # the residual jumps up below the start, and its derivative does not say so

    def residual():
        tried.append(x.data)
        return x + 1.0 + (9.0 * max(start, 1.0) if x.data < start else 0.0)

    descent = minimized(GaussNewton([x]), residual, tape=False, step_tolerance=step_tolerance)
    assert (descent.stopped, x.data) == ("line search", start)
    assert max(number for number in tried if number < start) == math.nextafter(start, -math.inf)


def test_a_loss_of_minus_infinity_is_not_lower():
    x = Value(1.0)
    descent = minimized(Newton([x]), lambda: x * x - (math.inf if x.data < 0.375 else 0.0), tape=False)
    assert (descent.stopped, descent.converged) == ("line search", False)
    assert x.data == 0.375


@BOTH_WAYS
def test_a_step_out_of_the_domain_is_shortened(tape):
    for method in LEAST_SQUARES.values():
        x = Value(4.0)  # the first step goes to 4 - 4 (log 4 + 1) < 0
        descent = minimized(method([x]), lambda x=x: log(x) + 1.0, tape=tape)
        assert descent.converged
        assert x.data == pytest.approx(math.exp(-1.0), rel=1e-12)


@BOTH_WAYS
def test_without_a_line_search_it_stops_there(tape):
    x = Value(4.0)
    descent = minimized(GaussNewton([x], line_search=False), lambda: log(x) + 1.0, tape=tape)
    assert (descent.stopped, descent.steps, x.data) == ("not finite", 0, 4.0)


def test_it_stops_where_a_derivative_is_infinite():
    x = Value(1.0)  # the first step goes to 0, where the root has the derivative inf
    descent = minimized(GaussNewton([x], line_search=False), lambda: [x**0.5 - 0.5, 0.0 * x])
    assert (descent.stopped, descent.steps, x.data) == ("not finite", 0, 1.0)


@pytest.mark.parametrize("call", [2, 3, 12])
@pytest.mark.parametrize("method", LEAST_SQUARES)
def test_an_interrupt_leaves_the_parameters_at_the_last_step(method, call):
    parameters, function = valley()
    calls = []

    def interrupted():
        calls.append(None)
        if len(calls) == call:
            raise KeyboardInterrupt
        return function()

    descent = minimized(LEAST_SQUARES[method](parameters), interrupted, tape=False)
    assert (descent.stopped, descent.converged) == ("interrupted", False)
    assert numbers(parameters).tolist() == (descent.path[-1].tolist() if descent.path else [-1.2, 1.0])
    assert "interrupted" in repr(descent)
    assert minimized(LEAST_SQUARES[method](parameters), function).converged


@pytest.mark.parametrize("method", LEAST_SQUARES)
def test_an_interrupt_of_a_replay_leaves_the_parameters_at_the_last_step(method, monkeypatch):
    parameters, function = valley()
    jacobian, calls = Tape.jacobian, []

    def interrupted(*arguments, **options):
        calls.append(None)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return jacobian(*arguments, **options)

    monkeypatch.setattr(Tape, "jacobian", interrupted)
    descent = minimized(LEAST_SQUARES[method](parameters), function, tape=True)
    assert descent.stopped == "interrupted"
    assert len({tuple(vector) for vector in descent.path}) == 3
    assert numbers(parameters).tolist() == descent.path[-1].tolist()


def test_an_error_of_the_function_leaves_the_parameters_at_the_last_step():
    parameters, function = valley()
    reached = minimized(GaussNewton(parameters), function, steps=2).path
    parameters, function = valley()

    def failing():
        if numbers(parameters).tolist() == reached[2].tolist():
            raise RuntimeError("from within")
        return function()

    with pytest.raises(RuntimeError, match="from within"):
        minimized(GaussNewton(parameters), failing, tape=False)
    assert numbers(parameters).tolist() == reached[1].tolist()


def test_no_gradient_is_touched():
    parameters, function = valley()
    parameters[0].grad, parameters[1].grad = 3.0, 4.0
    for tape in (True, False):
        minimized(LevenbergMarquardt(parameters), function, steps=3, tape=tape)
        assert [parameter.grad for parameter in parameters] == [3.0, 4.0]


def test_why_there_is_no_tape():
    w = Value(1.0)

    def function(k, t):
        return [w, 2.0 * w][k] - t

    descent = minimized(LevenbergMarquardt([w]), function, [0, 1, 1], [1.0, 3.0, 3.0])
    assert "cannot serve for all" in descent.eager
    assert w.data == pytest.approx((1 + 2 * 3 + 2 * 3) / 9)
    with pytest.raises(TypeError, match="LevenbergMarquardt: tape=True: the graph of one example cannot serve"):
        minimized(LevenbergMarquardt([w]), function, [0, 1], [1.0, 2.0], tape=True)
    assert minimized(LevenbergMarquardt([w]), function, [0, 1], [1.0, 2.0], tape=False).eager == "tape=False"


def test_newtons_method_replays_derivatives_that_have_cases():
    w = Value(2.0)  # of (w x)² for the first example, and 0 for the other

    def loss(x, t):
        return relu(w * x) * relu(w * x) - w * t

    descent = minimized(Newton([w]), loss, [1.0, -1.0], [3.0, 1.0], tape=True)
    assert descent.eager == ""
    assert w.data == pytest.approx(2.0, rel=1e-12)
    assert descent.steps == 0
    w.data = 5.0
    assert minimized(Newton([w]), loss, [1.0, -1.0], [3.0, 1.0]).steps == 1
    assert w.data == pytest.approx(2.0, rel=1e-12)


def test_data_are_arrays_lists_or_iterators():
    ends = []
    for xs, ts in [
        (np.array([[1.0], [2.0]]), np.array([2, 4], np.int32)),
        ([[1], [2]], (2.0, 4.0)),
        (iter([np.array([1.0]), np.array([2.0])]), range(2, 6, 2)),
    ]:
        w = Value(0.0)
        minimized(GaussNewton([w]), lambda x, t, w=w: w * x[0] - t, xs, ts)
        ends.append(w.data)
    assert ends == [2.0] * 3


def test_the_progress_bar_and_the_record(capsys):
    parameters, function = valley()
    descent = LevenbergMarquardt(parameters).minimize(function)
    assert "/100 " in capsys.readouterr().err
    parameters, function = valley()
    minimized(LevenbergMarquardt(parameters), function)
    assert capsys.readouterr() == ("", "")
    assert repr(descent).startswith(f"<Descent of {descent.steps} steps: loss 12.1 to ")
    assert repr(Descent()) == "<Descent of 0 steps: ; still under way>"


def test_a_descent_is_a_record_and_no_method():
    with pytest.raises(ValueError, match=r"^Descent: expected 2 numbers in each list, .* it is what minimize returns"):
        Descent(valley()[0])
    with pytest.raises(ValueError, match="expected 1 number in each list"):
        Descent([1.0], [0.5], [0.5], [])
    for wrong in ({"loss": ["a"]}, {"gradient": [None]}, {"damping": 1.0}, {"stopped": []}, {"eager": None}):
        [name] = wrong
        with pytest.raises(ValueError, match=f"^Descent: expected a (list of floats|text) in {name}, got"):
            Descent(**{"loss": [1.0], "gradient": [0.5], "relative_gradient": [0.5], "path": [[0.0]]} | wrong)
    twin = Descent([1.0], [0.5], [0.5], path=[[0.0]])
    assert repr(copy.deepcopy(twin)) == "<Descent of 0 steps: loss 1 to 1, gradient 0.5; still under way>"


# ---- no unit matters: J. Moré, "The Levenberg–Marquardt algorithm: implementation and theory", 1978, section 3


@dataclass
class Fit:
    """A model, its parameters at the start, its data, and how the parameters change with the units of these.

    If all inputs are multiplied by s, and the parameters by s to the powers `by_input`, the outputs stay the same. If
    the parameters are multiplied by s to the powers `by_target`, the outputs are multiplied by s.
    """

    model: Callable[[list[Value | float], float], Value | float]
    start: list[float]
    inputs: list[float]
    targets: list[float]
    by_input: list[int]
    by_target: list[int] | None = None

    def misfits(self, parameters):
        with no_grad():
            return [
                float(self.model(list(map(float, parameters)), x)) - t
                for x, t in zip(self.inputs, self.targets, strict=True)
            ]

    def optimum(self):
        """By SciPy's MINPACK, as exactly as it can."""
        tight = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15}
        return scipy.optimize.least_squares(self.misfits, self.start, method="lm", jac="3-point", **tight).x

    def scaled(self, kind, s):
        """The model, the inputs, the targets, and by what the parameters are multiplied, in other units."""
        inputs, targets, units = np.array(self.inputs), np.array(self.targets), np.ones(len(self.start))
        if kind == "inputs":
            return self.model, inputs * s, targets, np.power(s, np.array(self.by_input, float))
        if kind == "residuals":
            return lambda w, x: self.model(w, x) * s, inputs, targets * s, units
        if kind == "targets":
            return self.model, inputs, targets * s, np.power(s, np.array(self.by_target, float))
        units[kind] = s
        return (
            lambda w, x: self.model([w_i / u for w_i, u in zip(w, units.tolist(), strict=True)], x),
            inputs,
            targets,
            units,
        )


class LogisticRegression(Fit):
    def optimum(self):
        """Where the gradient is 0, Σ (p − t) (x, 1), by SciPy's MINPACK."""
        x, t = np.array(self.inputs), np.array(self.targets)

        def gradient(w):
            surprise = 1 / (1 + np.exp(-(w[0] * x + w[1]))) - t
            return [surprise @ x, surprise.sum()]

        return scipy.optimize.root(gradient, self.start, tol=1e-15).x


def exponential(w, x):
    return w[0] * exp(-w[1] * x)


def kowalik_osborne(w, u):
    return w[0] * (u * u + u * w[1]) / (u * u + u * w[2] + w[3])


def small_network(w, x):
    return w[0] * sigmoid(w[1] * x + w[2]) + w[3] * sigmoid(w[4] * x + w[5]) + w[6]


TIMES = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0]
GRID = np.linspace(-2.0, 2.0, 9).tolist()
UNITS = [4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625]
RATES = [0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246]
FITS = {
    "line": Fit(lambda w, x: w[0] * x + w[1], [0.0, 0.0], TIMES, [1.1, 1.9, 3.2, 3.8, 5.1, 6.9, 9.2], [-1, 0], [1, 1]),
    "line, without residuals": Fit(
        lambda w, x: w[0] * x + w[1], [3.0, 1.0], TIMES, [2.0 * x - 0.7 for x in TIMES], [-1, 0], [1, 1]
    ),
    "decay": Fit(exponential, [1.0, 1.0], TIMES, [2.6, 1.9, 1.25, 1.05, 0.7, 0.33, 0.22], [0, -1], [1, 0]),
    "decay, without residuals": Fit(
        exponential, [1.0, 1.0], TIMES, [2.5 * math.exp(-0.7 * x) for x in TIMES], [0, -1], [1, 0]
    ),
    "Kowalik–Osborne": Fit(kowalik_osborne, [0.25, 0.39, 0.415, 0.39], UNITS, RATES, [0, 1, 1, 2], [1, 0, 0, 0]),
    "network": Fit(
        small_network, [1.0, 2.0, 1.5, -1.2, 1.7, -1.0, 0.2], GRID,
        [0.21, 0.30, 0.63, 1.02, 0.85, 0.57, 0.33, 0.26, 0.24], [0, -1, 0, 0, -1, 0, 0], [1, 0, 0, 1, 0, 0, 1],
    ),
    "logistic regression": LogisticRegression(
        lambda w, x: w[0] * x + w[1], [0.0, 0.0], GRID, [0, 0, 1, 0, 0, 1, 1, 0, 1], [-1, 0]
    ),
}  # fmt: skip


def in_other_units(method, name, kind="inputs", s=1.0, start=None, **options):
    """The Descent, and by what its parameters are multiplied."""
    fit = FITS[name]
    model, inputs, targets, units = fit.scaled(kind, s)
    w = [Value(number) for number in (np.array(start or fit.start) * units).tolist()]
    is_logistic = isinstance(fit, LogisticRegression)
    if method is NaturalGradient:
        made, function = method(w, "bernoulli" if is_logistic else "normal"), lambda x: model(w, x)
    elif method is Newton:
        error = binary_cross_entropy if is_logistic else half_squared_error
        made, function = method(w), lambda x, t: error(model(w, x), t)
    else:
        made, function = method(w), lambda x, t: model(w, x) - t
    return minimized(made, function, inputs, targets, **options), units


def kinds(name):
    """Of what the unit can be changed: of inputs, residuals, targets with the parameters, or a single parameter."""
    return ["inputs", *(["residuals", "targets"] if FITS[name].by_target else []), *range(len(FITS[name].start))]


METHODS = {
    "Newton": Newton,
    "Gauss–Newton": GaussNewton,
    "Levenberg–Marquardt": LevenbergMarquardt,
    "Levenberg–Marquardt, scaled": lambda parameters: LevenbergMarquardt(parameters, scaled=True),
    "natural gradient": NaturalGradient,
}
FOR_ANY_LOSS = ["Newton", "natural gradient"]
# Their steps have a unit: Newton's where the loss bends down, Levenberg–Marquardt's damping, up to a factor of ten.
WITH_A_UNIT = ["Newton", "Levenberg–Marquardt"]
CASES = [
    (method, name, kind)
    for name in FITS
    for method in (FOR_ANY_LOSS if name == "logistic regression" else METHODS)
    for kind in kinds(name)
]


@cache
def optimum(name):
    return FITS[name].optimum()


@pytest.mark.parametrize(("method", "name", "kind"), CASES)
def test_no_unit_keeps_a_method_from_the_optimum(method, name, kind):
    between = (1e-4, 1.0, 1e4) if method in WITH_A_UNIT else ()  # of the others the next test says that it is no matter
    for s in (1e-12, *between, 1e12):
        descent, units = in_other_units(METHODS[method], name, kind, s)
        assert descent.converged, (s, descent)
        np.testing.assert_allclose(descent.path[-1] / units, optimum(name), rtol=1e-5)


@BOTH_WAYS
@pytest.mark.parametrize(("method", "name"), sorted({case[:2] for case in CASES}))
def test_in_units_that_are_powers_of_2_every_bit_of_the_path_is_the_same(method, name, tape):
    """To multiply by a power of 2 rounds nothing. So any difference would be a number that has a unit of its own.

    Without a tape, only the derivatives come from elsewhere: a few steps in one other unit show that they have none.
    """
    options = {"steps": 60 if tape else 3, "tape": tape}
    if method == "Newton":  # where the Hessian has no negative eigenvalue
        options["start"] = (optimum(name) * 1.0001).tolist()
    expected, _ = in_other_units(METHODS[method], name, **options)
    for kind in ["residuals"] if method == "Levenberg–Marquardt" else kinds(name):
        for s in (2.0**-40, 2.0**40) if tape else (2.0**-40,):
            descent, units = in_other_units(METHODS[method], name, kind, s, **options)
            assert descent.stopped == expected.stopped, (kind, s)
            assert (np.array(descent.path) / units).tolist() == np.array(expected.path).tolist()
            assert descent.relative_gradient == expected.relative_gradient


@pytest.mark.parametrize("start", [[1.0, 1.0], [1.0, 0.1], [1.0, 0.0]])
@pytest.mark.parametrize("name", ["decay", "decay, without residuals"])
def test_levenberg_marquardt_finds_the_decay_of_data_whatever_their_size(name, start):
    """The parameters at the start know nothing of the data's unit."""
    for s in (1e-12, 1e-9, 1e-4, 1e4, 1e8, 1e12):
        w = [Value(number) for number in start]
        data = FITS[name].inputs, np.array(FITS[name].targets) * s
        descent = minimized(LevenbergMarquardt(w), lambda x, t, w=w: exponential(w, x) - t, *data, steps=200)
        assert descent.converged, (s, descent)
        np.testing.assert_allclose(numbers(w) / [s, 1.0], optimum(name), rtol=1e-6)


@BOTH_WAYS
def test_the_start_may_be_the_optimum(tape):
    for name in ("line, without residuals", "decay, without residuals"):
        for method in METHODS.values():
            first, _ = in_other_units(method, name)
            again, _ = in_other_units(method, name, start=first.path[-1].tolist(), tape=tape)
            assert again.converged, again
            assert again.steps <= 1


def test_where_any_step_is_small_beside_a_parameter_that_ran_away_it_has_not_converged():
    """c goes to 10¹⁵, where the residual has a slope again. So ‖D θ‖ is 10¹⁵, but a is 4 and should be log 5."""
    a, c = Value(0.0), Value(1.0)

    def residuals():
        return [exp(a) - 5.0, sin(c) / 2.0 if c.data > 10.0 else 1e-15 * c - 1.0]

    descent = minimized(GaussNewton([a, c], line_search=False), residuals, tape=False)
    assert (descent.stopped, descent.converged, descent.steps) == ("far out", False, 1)
    assert descent.path[-1] == pytest.approx([4.0, 1e15])
    assert REASONS["far out"] in repr(descent)


# ---- parameters that act nearly alike, where every single one has a small gradient far from the minimum


def line_over(start, step, n):
    """Times as years or time stamps have them, targets near a line, and the least that the loss can be."""
    noise = np.random.default_rng(0)
    xs = start + step * np.arange(float(n))
    ts = np.linspace(0.0, 10.0, n) + 0.1 * noise.normal(size=n)
    centred = np.column_stack([xs - xs.mean(), np.ones(n)])
    misfit = ts - centred @ np.linalg.lstsq(centred, ts, rcond=None)[0]
    return xs, ts, misfit @ misfit / (2 * n)


@pytest.mark.parametrize("method", [*METHODS, "Levenberg–Marquardt, not scaled"])
@pytest.mark.parametrize("start", [1990.0, 1e5, 1e7, 1e9, 1.7e9, 1e11, 1e12])
def test_a_line_over_time_stamps_is_found_or_said_not_to_be_seen(start, method):
    is_least_squares = method not in FOR_ANY_LOSS
    for step, n in ((1.0, 3), (1.0, 50), (60.0, 50)):
        xs, ts, best = line_over(start, step, n)
        a, b = Value(0.0), Value(0.0)
        made = {**METHODS, "Levenberg–Marquardt, not scaled": LEAST_SQUARES_AND_SCALES["not scaled"]}[method]
        if method == "natural gradient":
            descent = minimized(made([a, b], "normal"), lambda x, a=a, b=b: a * x + b, xs, ts)
        elif method == "Newton":
            descent = minimized(made([a, b]), lambda x, t, a=a, b=b: half_squared_error(a * x + b, t), xs, ts)
        else:
            descent = minimized(made([a, b]), lambda x, t, a=a, b=b: a * x + b - t, xs, ts)
        if descent.converged:
            size = math.sqrt(np.square(a.data * xs).mean() + b.data**2)  # of the terms that cancel
            error = 10.0 * np.finfo(float).eps * size
            hidden = math.sqrt(2.0 * best) * error + error**2 if is_least_squares else error * size
            assert descent.loss[-1] <= best * 1.001 + hidden, (step, descent)
        else:
            assert descent.stopped == ("steps" if is_least_squares else "hidden curvature"), (step, descent)
            assert REASONS[descent.stopped] in repr(descent)
        assert (
            descent.converged or method == "Levenberg–Marquardt, not scaled" or (not is_least_squares and start > 1e8)
        )


@pytest.mark.parametrize("method", [*FOR_ANY_LOSS, "Gauss–Newton", "Levenberg–Marquardt"])
def test_parameters_that_act_exactly_alike_keep_no_method_from_converging(method):
    rng = np.random.default_rng(1)
    for case in range(20):
        n, s = int(rng.integers(3, 60)), 10.0 ** rng.uniform(-6, 6)
        xs, ts = rng.normal(size=n) * s, rng.normal(size=n) * 10.0 ** rng.uniform(-6, 6)
        a, b, c, d = w = [Value(number) for number in rng.normal(size=4).tolist()]

        def model(x, a=a, b=b, c=c, d=d, s=s):
            return (a + 3.0 * b) * x + (c - d) * 0.7 + 0.1 * a * s

        if method == "natural gradient":
            descent = minimized(NaturalGradient(w, "normal"), model, xs, ts)
        elif method == "Newton":
            descent = minimized(Newton(w), lambda x, t, model=model: half_squared_error(model(x), t), xs, ts)
        else:
            descent = minimized(METHODS[method](w), lambda x, t, model=model: model(x) - t, xs, ts)
        assert descent.converged, (case, descent)
        columns = np.column_stack([xs, np.ones(n)])
        misfit = ts - columns @ np.linalg.lstsq(columns, ts, rcond=None)[0]
        assert descent.loss[-1] == pytest.approx(misfit @ misfit / (2 * n), rel=1e-6)


@BOTH_WAYS
@pytest.mark.parametrize("start", [1.0, 4e200])
def test_where_nothing_is_known_of_the_curvature_a_small_step_is_not_convergence(start, tape):
    x, y = Value(start), Value(1.0)
    descent = minimized(Newton([x, y]), lambda: 1e-17 * x + (y - 1.0) * (y - 1.0) + 1.0, tape=tape)
    assert (descent.stopped, descent.converged) == ("hidden curvature", False)
    x.data = 4e200  # (x / 10²⁰⁰)² has the curvature 2 / 10⁴⁰⁰, which is 0
    descent = minimized(Newton([x]), lambda: (x / 1e200) * (x / 1e200) - x / 1e200, tape=tape)
    assert (descent.stopped, descent.converged) == ("hidden curvature", False)


# ---- where a parabola foretells much, and there is nothing to be had


LARGE_RESIDUALS = {
    "x² + 1": (lambda x: [x * x + 1.0], 0.5),
    "x² + 10⁶, x - 3": (lambda x: [x * x + 1e6, x - 3.0], 5e11 + 4.5),
    "cosh x": (lambda x: [(exp(x) + exp(-x)) / 2.0], 0.5),
    "x² + 1 in a small unit": (lambda x: [1e-20 * (x * x + 1.0)], 0.5e-40),
}


@BOTH_WAYS
@pytest.mark.parametrize("method", LEAST_SQUARES_AND_SCALES)
@pytest.mark.parametrize("case", LARGE_RESIDUALS)
def test_it_ends_at_a_minimum_where_residuals_stay_large(case, method, tape):
    function, lowest = LARGE_RESIDUALS[case]
    for start in (1.0, 3.0, 0.5, -0.1):
        x = Value(start)
        descent = minimized(LEAST_SQUARES_AND_SCALES[method]([x]), lambda x=x: function(x), tape=tape, steps=200)
        assert descent.converged or (descent.stopped == "line search" and method == "Gauss–Newton"), (start, descent)
        assert descent.loss[-1] == pytest.approx(lowest, rel=1e-14)


@pytest.mark.parametrize("method", LEAST_SQUARES_AND_SCALES)
@pytest.mark.parametrize("start", [-30.0, -40.0, -50.0, -100.0, -300.0, -700.0])
def test_a_plateau_on_which_no_gain_is_seen_is_no_minimum(start, method):
    x = Value(start)
    descent = minimized(LEAST_SQUARES_AND_SCALES[method]([x]), lambda: [exp(x) - 1.0], steps=300)
    assert not descent.converged or x.data == pytest.approx(0.0, abs=1e-6), descent


@pytest.mark.parametrize("seed", [3, 7, 18, 26, 44, 50, 53])
def test_a_direction_that_is_useless_does_not_make_a_minimum(seed):
    """The Jacobian is nearly singular, so the step is far too long, and hardly leads down."""
    random.seed(seed)
    rng = np.random.default_rng(seed)
    model = MLP(1, [int(rng.integers(1, 4)), 1], activation=tanh)
    xs = rng.normal(size=12)
    ts = np.sin(2 * xs) + 0.1 * rng.normal(size=12)
    descent = minimized(GaussNewton(model.parameters()), lambda x, t: model([x]) - t, xs, ts)
    method = LevenbergMarquardt(model.parameters(), damping=1.0)
    further = minimized(method, lambda x, t: model([x]) - t, xs, ts)
    assert not descent.converged or further.loss[-1] == pytest.approx(descent.loss[-1], rel=1e-6)


# ---- numbers whose squares are 0: it goes to the optimum, or says that it cannot see


TINY = [1e-150, 1e-155, 1e-162, 1e-170, 1e-200, 1e-300]


@BOTH_WAYS
@pytest.mark.parametrize("method", LEAST_SQUARES_AND_SCALES)
def test_residuals_whose_squares_are_0_are_residuals(method, tape):
    for s in TINY:
        x = Value(1.0)
        descent = minimized(LEAST_SQUARES_AND_SCALES[method]([x]), lambda x=x, s=s: [s * (x - 3.0)], tape=tape)
        is_seen = method != "not scaled" or s > 1e-160  # its damping has the unit of a square
        assert descent.stopped in (("gradient", "small step") if is_seen else ("underflow",)), (s, descent)
        assert x.data == pytest.approx(3.0 if is_seen else 1.0, rel=1e-12)


@pytest.mark.parametrize("method", LEAST_SQUARES_AND_SCALES)
def test_losses_that_cannot_be_compared_are_not_called_converged(method):
    def residuals(x, y):
        return [x * y - 3.0, x - 1.0 + y * y, x + y]

    optimum = scipy.optimize.least_squares(lambda w: residuals(*w), [1.0, 2.0], xtol=1e-15, ftol=1e-15, gtol=1e-15).x
    for s in (1.0, *TINY):
        w = [Value(1.0), Value(2.0)]
        options = {"steps": 300, "loss_tolerance": 1e-3 if s < 1e-160 else 0.0}
        descent = minimized(
            LEAST_SQUARES_AND_SCALES[method](w), lambda w=w, s=s: [s * r for r in residuals(*w)], **options
        )
        assert descent.stopped in ("gradient", "rounding", "small step", "underflow", "steps"), (s, descent)
        if descent.converged:
            assert descent.relative_gradient[-1] < 1e-6
            np.testing.assert_allclose(numbers(w), optimum, rtol=1e-6)
        elif s < 1e-163:  # a little above, some squares are the smallest number
            assert descent.stopped == "underflow"
            assert REASONS["underflow"] in repr(descent)


@BOTH_WAYS
def test_parameters_whose_squares_are_0_are_not_small_beside_themselves(tape):
    for s in TINY:
        for method, function in (
            (Newton, lambda x: x * x),
            (GaussNewton, lambda x: x),
            (LevenbergMarquardt, lambda x: x),
        ):
            x = Value(s)
            descent = minimized(method([x]), lambda x=x, function=function: function(x), tape=tape)
            assert descent.steps > 0
            assert abs(x.data) < 1e-3 * s
            assert math.isfinite(descent.relative_gradient[-1]) or not descent.converged


@BOTH_WAYS
def test_a_loss_of_0_that_is_not_the_lowest_is_no_optimum(tape):
    for start in (1.0, 4.0):
        x = Value(start)
        descent = minimized(Newton([x]), lambda x=x: x * x - 6.0 * x + 5.0, tape=tape)
        assert descent.converged
        assert math.isfinite(descent.relative_gradient[0])
        assert x.data == pytest.approx(3.0)


def test_classes_that_a_line_separates_have_no_optimum():
    w = Value(0.0)
    for method in (Newton([w]), NaturalGradient([w], "bernoulli")):
        w.data = 0.0
        function = (lambda x, t: binary_cross_entropy(w * x, t)) if isinstance(method, Newton) else (lambda x: w * x)
        descent = minimized(method, function, [-1.0, 1.0], [0, 1], steps=20)
        assert (descent.stopped, descent.converged) == ("steps", False)
        assert w.data > 15.0


# ---- what is refused


def refused(error, match, method, function, *data, **options):
    before = numbers(method.parameters)
    with pytest.raises(error, match=match):
        minimized(method, function, *data, **options)
    assert numbers(method.parameters).tolist() == before.tolist()


def test_wrong_options():
    parameters, function = valley()
    for method in (Newton(parameters), GaussNewton(parameters), LevenbergMarquardt(parameters)):
        name = type(method).__name__
        refused(ValueError, f"{name}: steps: expected a positive int, got 0", method, function, steps=0)
        refused(TypeError, f"{name}: steps: expected a positive int, got 1.5", method, function, steps=1.5)
        refused(ValueError, f"{name}: tolerance: expected 0.0 <=", method, function, tolerance=-1.0)
        refused(ValueError, f"{name}: step_tolerance: expected 0.0 <=", method, function, step_tolerance=math.nan)
        refused(ValueError, f"{name}: loss_tolerance: expected 0.0 <=", method, function, loss_tolerance=-1e-9)
    for wrong in (0.0, -1.0, math.inf):
        with pytest.raises(ValueError, match="damping: expected"):
            LevenbergMarquardt(parameters, damping=wrong)
    for distribution in ("gamma", ["normal"], {}, None):
        with pytest.raises(ValueError, match="distribution: expected normal, bernoulli, categorical, got"):
            NaturalGradient(parameters, distribution)
    with pytest.raises(ValueError, match="learning_rate: expected"):
        NaturalGradient(parameters, "normal", learning_rate=0.0)
    for method in (Newton, GaussNewton, LevenbergMarquardt, lambda p: NaturalGradient(p, "normal")):
        name = type(method(parameters)).__name__
        with pytest.raises(ValueError, match=f"^{name}: expected at least one parameter, got none"):
            method([])
        with pytest.raises(TypeError, match=f"^{name}: expected the parameters, such as"):
            method(None)
        with pytest.raises(TypeError, match=f"^{name}: parameter 1: expected a Value, got 1.0"):
            method([parameters[0], 1.0])
        with pytest.raises(ValueError, match=f"^{name}: parameter 0: expected a leaf"):
            method([parameters[0] * 2.0])
        with pytest.raises(ValueError, match=f"^{name}: parameter 1 is there already"):
            method([parameters[0], parameters[0]])


@pytest.mark.parametrize("wrong", ["no", 0, 1.0, [], "x"])
def test_flags_are_flags(wrong):
    parameters, function = valley()
    for name, method in METHODS.items():
        made = method(parameters) if name != "natural gradient" else NaturalGradient(parameters, "normal")
        caller = type(made).__name__
        refused(TypeError, f"^{caller}: tape: expected True, False or None, got", made, function, tape=wrong)
        with pytest.raises(TypeError, match=f"^{caller}: progress: expected True or False, got"):
            made.minimize(function, progress=wrong)
    for method in (Newton, GaussNewton, lambda p, **options: NaturalGradient(p, "normal", **options)):
        with pytest.raises(TypeError, match=r"^(Newton|GaussNewton|NaturalGradient): line_search: expected True or"):
            method(parameters, line_search=wrong)
    with pytest.raises(TypeError, match=r"^LevenbergMarquardt: scaled: expected True, False or None, got"):
        LevenbergMarquardt(parameters, scaled=wrong)
    with pytest.raises(TypeError, match=r"^fisher_matrix: tape: expected True, False or None, got"):
        NaturalGradient(parameters, "normal").fisher_matrix(function, tape=wrong)


@pytest.mark.parametrize("tape", [None, True, False])
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_parameters_that_are_not_finite_to_begin_with(number, tape):
    parameters, function = valley()
    parameters[1].data = number
    for method in (Newton, GaussNewton, LevenbergMarquardt, lambda p: NaturalGradient(p, "normal")):
        made = method(parameters)
        match = f"{type(made).__name__}: expected finite parameters to begin with, got {number} as parameter 1"
        with pytest.raises(FloatingPointError, match=match):
            minimized(made, function, tape=tape)
    with pytest.raises(FloatingPointError, match=f"fisher_matrix: expected finite parameters .* got {number}"):
        made.fisher_matrix(function, tape=tape)
    assert (parameters[0].data, repr(parameters[1].data)) == (-1.2, repr(number))


def test_wrong_data():
    w = Value(1.0)
    method = GaussNewton([w])
    refused(ValueError, r"GaussNewton: expected equally many of each of the data, got \[2, 3\]",
            method, lambda x, t: w * x - t, [1, 2], [1, 2, 3])  # fmt: skip
    refused(ValueError, "GaussNewton: expected at least one example, got none", method, lambda x: w * x, [])
    refused(
        TypeError, "GaussNewton: expected numbers, got a masked array", method, lambda x: w * x,
        np.ma.array([1.0, 2.0], mask=[0, 1]),
    )  # fmt: skip
    refused(TypeError, "argument", method, lambda x, t: w * x - t, [1, 2])
    refused(ValueError, "Newton: expected a function that returns a loss, one Value, got 2 Values",
            Newton([w]), lambda x: [w * x, w], [1, 2])  # fmt: skip
    refused(ValueError, "NaturalGradient: expected data, the last of them the targets, got none",
            NaturalGradient([w], "bernoulli"), lambda: w)  # fmt: skip
    refused(
        ValueError, r"expected a target in \[0, 1\], got 2", NaturalGradient([w], "bernoulli"), lambda: w, [1, 0, 2]
    )


@BOTH_WAYS
def test_parameters_of_another_model(tape):
    w, other = Value(1.0), Value(1.0)
    for method in (Newton([w]), GaussNewton([w]), LevenbergMarquardt([w]), NaturalGradient([w], "normal")):
        function = (lambda x: other * x) if isinstance(method, NaturalGradient) else (lambda x, t: other * x - t)
        refused(ValueError, "depends on none of the parameters", method, function, [1.0], [2.0], tape=tape)


@BOTH_WAYS
def test_numbers_that_are_not_finite_to_begin_with(tape):
    w = Value(1.0)
    for method in (Newton([w]), GaussNewton([w]), LevenbergMarquardt([w])):
        refused(FloatingPointError, "to begin with", method, lambda x: w * x, [1.0, math.nan], tape=tape)
        refused(FloatingPointError, "to begin with", method, lambda: sqrt(w - 1.0), tape=tape)
        refused(ValueError, r"log\(-1.0\)", method, lambda: log(w - 2.0), tape=tape)


def test_fit_says_that_it_is_not_its_optimizer():
    w = Value(1.0)
    with pytest.raises(TypeError, match=r"fit: optimizer: expected one that makes a step.*its own minimize"):
        fit(lambda x: w * x, [1.0], [2.0], half_squared_error, GaussNewton([w]), epochs=1, progress=False)


# ---- what raises before the first step has changed nothing


def drawing(error):
    """A residual that draws random numbers, and raises this for the second example."""

    def function(w, x):
        random.random()
        np.random.random()  # noqa: NPY002
        if x == 2.0:
            raise error("from within")
        return w * x

    return function


REFUSED = {
    "it raises": (drawing(RuntimeError), RuntimeError),
    "it raises what operations raise": (drawing(ValueError), ValueError),
    "it depends on no parameter": (lambda w, x: Value(1.0) * x, ValueError),
    "it is infinite": (lambda w, x: w * math.inf * x, FloatingPointError),
    "its outputs are not equally many": (lambda w, x: [w] * int(x), ValueError),
    "it has no outputs": (lambda w, x: [], ValueError),
    "it returns no number": (lambda w, x: "word", (TypeError, ValueError)),
}


def unchanged():
    """A parameter, and what tells whether anything has been changed."""
    w = Value(0.5)
    w.grad = 7.0
    return w, lambda: (w.data, w.grad, random.getstate(), *map(str, np.random.get_state()))  # noqa: NPY002


@pytest.mark.parametrize("tape", [None, True, False])
@pytest.mark.parametrize("method", [Newton, GaussNewton, LevenbergMarquardt, lambda p: NaturalGradient(p, "normal")])
@pytest.mark.parametrize("case", REFUSED)
def test_a_call_that_raises_before_the_first_step_has_changed_nothing(case, method, tape):
    function, error = REFUSED[case]
    w, numbers_now = unchanged()
    before, made = numbers_now(), method([w])
    data = [[1.0, 2.0, 3.0]] + ([[0.0] * 3] if isinstance(made, NaturalGradient) else [])
    with pytest.raises(error):
        minimized(made, lambda x, *_: function(w, x), *data, tape=tape)
    assert numbers_now() == before


def test_a_tape_that_cannot_be_had_has_drawn_no_random_number():
    w, numbers_now = unchanged()
    before = numbers_now()
    with pytest.raises(TypeError, match="draw random numbers"):
        minimized(GaussNewton([w]), lambda x: w * x + 0.0 * random.random(), [1.0, 2.0], tape=True)
    assert numbers_now() == before
    with pytest.raises(TypeError, match="draw random numbers"):
        NaturalGradient([w], "normal").fisher_matrix(lambda x: w * x + 0.0 * random.random(), [1.0], tape=True)
    with pytest.raises(RuntimeError, match="from within"):
        NaturalGradient([w], "normal").fisher_matrix(lambda x: drawing(RuntimeError)(w, x), [1.0, 2.0], tape=False)
    assert numbers_now() == before
