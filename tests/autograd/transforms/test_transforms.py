"""Transforms: against closed forms, mpmath and each other; nested, on structures, at kinks; what they leave behind."""

from __future__ import annotations

import gc
import math
import random
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import autograd
from autograd import (
    RecordingError,
    Tape,
    Value,
    asin,
    cbrt,
    check_gradients,
    compiled,
    cos,
    derivative,
    dot,
    exp,
    grad,
    gradients,
    hessian,
    hvp,
    hypot,
    jacobian,
    jvp,
    log,
    logsumexp,
    maximum,
    no_grad,
    power,
    relu,
    sin,
    sqrt,
    tanh,
    value_and_grad,
    vjp,
)
from autograd.graph import counts, topological_order
from autograd.operations import OPERATIONS
from autograd.transforms import sweeps
from nn import MLP

pytestmark = pytest.mark.both_engines

mp = mpmath.mp.clone()
mp.dps = 60

EPSILON = 2.0**-52


def rosenbrock(x):
    return sum(100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2 for i in range(len(x) - 1))


def rosenbrock_gradient(x):
    gradient = np.zeros(len(x))
    gradient[:-1] = -400.0 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2.0 * (1.0 - x[:-1])
    gradient[1:] += 200.0 * (x[1:] - x[:-1] ** 2)
    return gradient


def rosenbrock_hessian(x):
    main = np.zeros(len(x))
    main[:-1] = 1200.0 * x[:-1] ** 2 - 400.0 * x[1:] + 2.0
    main[1:] += 200.0
    side = -400.0 * x[:-1]
    return np.diag(main) + np.diag(side, 1) + np.diag(side, -1)


# ---- derivatives of any order

SERIES = {
    "exp": (exp, mp.exp, [-20.0, -0.7, 0.0, 1.3, 30.0]),
    "sin": (sin, mp.sin, [-20.0, -0.7, 0.3, 3.0]),
    "tanh": (tanh, mp.tanh, [-5.0, -0.7, 0.3, 2.0, 10.0]),
    "x**x": (lambda x: x**x, lambda x: x**x, [0.01, 0.3, 1.0, 1.3, 7.0]),
    "1/(1+x²)": (lambda x: 1 / (1 + x**2), lambda x: 1 / (1 + x**2), [-20.0, -0.7, 0.5, 1.0, 3.0]),
}


@pytest.mark.parametrize("name", SERIES)
def test_derivatives_up_to_order_10(name):
    """Within 8 times the error that rounding the argument makes: ε (|f⁽ⁿ⁾(x)| + |x f⁽ⁿ⁺¹⁾(x)|)."""
    function, exact, points = SERIES[name]
    for x in points:
        true = [mp.factorial(n) * c for n, c in enumerate(mp.taylor(exact, mp.mpf(x), 11))]
        for n in range(11):
            found = derivative(function, order=n)(x)
            assert type(found) is float
            assert abs(found - true[n]) <= 8 * EPSILON * (abs(true[n]) + abs(x * true[n + 1])), (x, n)


def test_reverse_mode_nested_is_exact_too():
    cubed = grad(grad(grad(lambda x: x**5)))
    assert cubed(2.0) == 60.0 * 4.0
    fourth = grad(derivative(grad(derivative(lambda x: exp(2.0 * x)))))
    assert fourth(0.5) == pytest.approx(16.0 * math.e, rel=1e-14)


def test_the_graph_of_high_derivatives_grows_with_a_power_of_the_order(monkeypatch):
    """Twice the order: at most 2⁵ times the nodes; were nothing shared, thousands of times."""
    tangents, push = [], sweeps.push_forward
    monkeypatch.setattr(sweeps, "push_forward", lambda *given: (tangents.append(given[1]), push(*given)))

    def nodes(order):
        derivative(lambda x: 1 / (1 + x * x) + tanh(x) * x**x, order=order)(0.7)
        return len(tangents[-2])

    assert nodes(16) < 2**5 * nodes(8)


def test_an_exponent_that_varies_through_zero():
    """∂²(x**y)/∂x∂y = x**(y - 1) (1 + y log x): at y = 0 it is 1/x, though ∂(x**y)/∂x is 0."""
    assert hessian(power, (0, 1))(2.0, 0.0)[0][1] == 0.5
    assert [derivative(lambda x: x**x, order=n)(1.0) for n in range(8)] == [1.0, 1.0, 2.0, 3.0, 8.0, 10.0, 54.0, -42.0]


def test_a_curve():
    velocity = derivative(lambda t: {"x": cos(t), "y": [sin(t), 1.0]})
    assert velocity(0.0) == {"x": 0.0, "y": [1.0, 0.0]}
    assert derivative(lambda t: (t**2, t**3), order=2)(2.0) == (2.0, 12.0)


# ---- gradients, Jacobians, Hessians


def test_gradients_are_those_of_backward_to_the_bit():
    x, y = Value(0.3), Value(-1.2)
    h = tanh(x * y) + x
    output = h * h * exp(y) + logsumexp([x, h, y]) + dot([h, x], [y, 2.0])
    found = gradients(output, [x, y])
    output.backward()
    assert found == [x.grad, y.grad]
    assert gradients(output, h) == h.grad
    again = gradients(output, [x, y], create_graph=True)
    assert all(isinstance(g, Value) for g in again)
    assert [g.data for g in again] == found


def test_gradients_within_a_function_that_is_differentiated_or_recorded():
    """x d(x²)/dx = 2x², whose derivatives are 4x and 4. Elsewhere they are floats."""

    def function(x):
        return x * gradients(x * x, x)

    assert (grad(function)(3.0), derivative(function, order=2)(3.0), hessian(function)(3.0)) == (12.0, 4.0, 4.0)
    assert jvp(function, (3.0,), (1.0,)) == (18.0, 12.0)
    assert Tape.record(function, [1.5]).forward([1.0, 2.0, 3.0]).tolist() == [2.0, 8.0, 18.0]
    replayed = compiled(function, check=True)
    assert [replayed(1.5), replayed(3.0)] == [4.5, 18.0]
    assert check_gradients(lambda x: x * gradients(x * x, x, create_graph=True), 3.0)  # as backward() needs it
    w = Value(3.0)
    slope = grad(lambda x: gradients(w * x * x, x))(2.0)  # 2w, by everything that the inner one depends on
    assert (slope.data, gradients(slope, w)) == (6.0, 2.0)
    tape = Tape.record(lambda x: w * x * x + gradients(w * x * x, x), [2.0])
    assert [each.tolist() for each in tape.value_and_grad([[2.0]])] == [[24.0], [8.0]]
    x = Value(3.0)
    assert type(gradients(x * x, x)) is float
    assert Tape.record(lambda y: y * gradients(x * x, x), [1.0]).parameters == ()  # which is a constant
    assert grad(lambda y: gradients(2.0 * y, y))(1.0) == 0.0


def test_several_threads_may_multiply_by_one_jacobian(monkeypatch):
    """One after the other, since the sweep borrows the gradients of their graph."""
    _, times_jacobian = vjp(lambda x: [sin(a * x[0]) * x[1] for a in (1.0, 2.0, 3.0)], [0.5, 0.7])
    seeds = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    alone = [times_jacobian(seed) for seed in seeds]
    within, most, by_engine = [], [], sweeps.adjoints_by_engine

    def slowly(*arguments):
        within.append(None)
        time.sleep(0.01)
        most.append(len(within))
        found = by_engine(*arguments)
        within.pop()
        return found

    monkeypatch.setattr(sweeps, "adjoints_by_engine", slowly)
    with ThreadPoolExecutor(3) as pool:
        assert [*pool.map(times_jacobian, seeds)] == alone
    assert most == [1, 1, 1]


def test_gradients_with_respect_to_inputs_that_depend_on_each_other():
    x = Value(3.0)
    h = x * x
    y = h * x
    assert gradients(y, (x, h)) == (27.0, 3.0)
    assert gradients(x, [x, h]) == [1.0, 0.0]


def test_what_the_output_does_not_depend_on():
    x, y = Value(3.0), Value(4.0)
    assert gradients(x * 2, [x, y]) == [2.0, 0.0]
    assert gradients(5.0, [x]) == [0.0]
    [of_y] = gradients(x * 2, [y], create_graph=True)
    assert (type(of_y).__mro__[1], of_y.data, of_y.parents) == (Value, 0.0, ())
    assert grad(lambda x: 7)(1.0) == 0.0
    assert grad(lambda x: y)(1.0) == 0.0
    assert value_and_grad(lambda x: 7)([1.0, 2.0]) == (7, [0.0, 0.0])
    assert jacobian(lambda x: [x[0], 2.0])([1.0, 5.0]) == [[1.0, 0.0], [0.0, 0.0]]
    assert hessian(lambda x: 3.0 * x[0])([1.0, 5.0]) == [[0.0, 0.0], [0.0, 0.0]]


def test_gradient_of_the_norm_of_the_gradient():
    """∇‖∇f‖ = H ∇f / ‖∇f‖."""
    x = np.linspace(-1.0, 1.5, 6)
    gradient, matrix = rosenbrock_gradient(x), rosenbrock_hessian(x)
    found = grad(lambda x: sqrt(sum(g * g for g in grad(rosenbrock)(x))))(x)
    np.testing.assert_allclose(found, matrix @ gradient / np.linalg.norm(gradient), rtol=1e-13)

    values = [Value(number) for number in x]
    norm = sqrt(sum(g * g for g in gradients(rosenbrock(values), values, create_graph=True)))
    norm.backward()
    np.testing.assert_allclose([value.grad for value in values], found, rtol=1e-13)


def test_hessian_of_rosenbrock_in_20_dimensions():
    x = np.sin(np.arange(20.0))
    found = hessian(rosenbrock)(x)
    np.testing.assert_allclose(found, rosenbrock_hessian(x), rtol=1e-13, atol=1e-12)
    assert (found == found.T).all()
    np.testing.assert_allclose(grad(rosenbrock)(x), rosenbrock_gradient(x), rtol=1e-13)
    for seed in range(3):
        v = np.random.default_rng(seed).normal(size=20)
        np.testing.assert_allclose(hvp(rosenbrock, (x,), (v,)), found @ v, rtol=1e-12, atol=1e-11)
    unit = np.eye(20)[3]
    assert (hvp(rosenbrock, (x,), (unit,)) == found[3]).all()


def test_hvp_by_all_arguments():
    def function(x, y):
        return x**2 * y[0] * y[1]

    assert hvp(function, (3.0, [2.0, 5.0]), (1.0, [0.0, 0.0])) == (20.0, [30.0, 12.0])
    assert hvp(function, (3.0, [2.0, 5.0]), (0.0, [0.0, 1.0])) == (12.0, [9.0, 0.0])


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobian_in_both_modes(mode):
    matrix = np.arange(6.0).reshape(2, 3)
    x = np.array([0.5, -1.0, 2.0])
    found = jacobian(lambda x: np.exp(matrix @ x), mode=mode)(x)
    np.testing.assert_allclose(found, np.exp(matrix @ x)[:, None] * matrix, rtol=1e-15)
    assert jacobian(lambda x, y: (x * y[0], y[1]), (0, 1), mode=mode)(2.0, [3.0, 5.0]) == (
        (3.0, [2.0, 0.0]), (0.0, [0.0, 1.0])
    )  # fmt: skip


@pytest.mark.parametrize(("inputs", "outputs", "forward"), [(3, 2, False), (2, 3, True), (2, 2, True)])
def test_jacobian_picks_the_mode_with_fewer_sweeps(inputs, outputs, forward, monkeypatch):
    swept = []
    for name in ("push_forward", "pull_back", "push_forward_floats", "adjoints_by_engine"):
        sweep = getattr(sweeps, name)
        monkeypatch.setattr(sweeps, name, lambda *given, n=name, s=sweep: (swept.append(n), s(*given))[1])
    found = jacobian(lambda x: [x[i % inputs] * 2.0 for i in range(outputs)])
    found([1.0] * inputs)
    assert swept == (["push_forward_floats"] * inputs if forward else ["adjoints_by_engine"] * outputs)
    swept.clear()
    found([Value(1.0)] * inputs)
    assert swept == (["push_forward"] * inputs if forward else ["pull_back"] * outputs)


# ---- forward and reverse mode are adjoint

numbers = st.floats(-2.0, 2.0).map(lambda x: round(x, 3))
lines = st.lists(
    st.tuples(st.sampled_from(sorted(OPERATIONS)), st.lists(st.integers(0, 30), min_size=3, max_size=6)), max_size=8
)
ROOT_OF_A_KINK = [("abs", [0, 0, 0]), ("cbrt", [0, 0, 0])]
PRODUCT_OF_ROOTS = [("cbrt", [0, 0, 0]), ("multiply", [0, 2, 0]), ("tanh", [0, 0, 0])]


def program(lines, count):
    """A function of `count` numbers to its last three results; a line that its numbers do not allow is left out."""

    def function(*inputs):
        values = list(inputs)
        for name, drawn in lines:
            operands = [values[-1 - i % len(values)] for i in drawn]
            operation = OPERATIONS[name]
            if operation.sequences:
                half = len(operands) // 2
                arguments = [operands[:half], operands[half : 2 * half]][: operation.sequences]
                if operation.name in ("softmax_of", "take"):
                    arguments.append(operands[-1])
            else:
                arguments = operands[: len(operation.operands)]
            try:
                result = getattr(autograd, name)(*arguments)
            except (ValueError, ArithmeticError):
                continue
            if abs(getattr(result, "data", result)) < 1e3:
                values.append(result)
        return values[-3:]

    return function


class Sensitivity:
    """How large the terms of a derivative are that a sweep adds up along the graph from inputs to outputs.

    absolute        [i][j] = Σ over the paths from input j to output i of the product of |local derivatives|
    tolerance       more than the relative error of all roundings on a path, in either direction
    is_overflowing  whether a product of finite local derivatives may be infinite by its size alone
    """

    def __init__(self, inputs, outputs):
        order = topological_order(*outputs, *inputs)
        edges = [(node, list(zip(node.parents, node.local_derivatives, strict=True))) for node in order if node.parents]
        sizes = [abs(d) for _, parents in edges for _, d in parents]
        self.tolerance = 4 * EPSILON * (len(sizes) + len(edges) + 10)
        self.is_overflowing = any(1e15 < size < math.inf for size in sizes)
        columns = []
        for x in inputs:
            reached = {x: 1.0}
            for node, parents in edges:
                if terms := [abs(d) * reached[parent] for parent, d in parents if parent in reached]:
                    reached[node] = sum(terms)
            columns.append([reached.get(output, 0.0) for output in outputs])
        self.absolute = np.array(columns).T


def assert_same(left, right, bound):
    """Both finite and equal within the bound, or neither finite, elementwise.

    A product with inf or nan is never finite again, nor is a sum with it. So a derivative is not finite if and only if
    there is such a local derivative on one of the paths, in either direction, unless numbers are too large.
    """
    left, right = np.asarray(left), np.asarray(right)
    np.testing.assert_array_equal(np.isfinite(left), np.isfinite(right))
    finite = np.isfinite(left)
    assert (abs(left - right)[finite] <= np.broadcast_to(bound, left.shape)[finite] + 1e-200).all()


@settings(max_examples=150, deadline=None)
@given(lines, st.lists(numbers, min_size=6, max_size=6), st.lists(numbers, min_size=3, max_size=3))
@example(ROOT_OF_A_KINK, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0])
@example(ROOT_OF_A_KINK, [0.0, 0.0, 0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0])
@example(PRODUCT_OF_ROOTS, [1.0, 2.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0])
def test_jvp_and_vjp_are_adjoint(lines, six, u):
    """⟨u, Jv⟩ = ⟨Jᵀu, v⟩, and J is the same by both modes, for random programs, at singular points, too."""
    x, v = six[:3], six[3:]
    function = program(lines, 3)
    inputs = [Value(number) for number in x]
    outputs = function(*inputs)
    paths = Sensitivity(inputs, outputs)
    if paths.is_overflowing:
        return
    value, product = jvp(function, x, v)
    same_value, pull_back = vjp(function, *x)
    assert value == same_value == [output.data for output in outputs]
    transposed = pull_back(u)
    forward, reverse = (np.array(jacobian(function, (0, 1, 2), mode=mode)(*x)) for mode in ("forward", "reverse"))
    with np.errstate(invalid="ignore"):  # 0 times inf
        bound = paths.tolerance * paths.absolute
        assert_same(forward, reverse, bound)
        assert_same(product, (forward * v).sum(1), (bound * np.abs(v)).sum(1))
        assert_same(transposed, (forward.T * u).sum(1), (bound.T * np.abs(u)).sum(1))
        assert_same(np.dot(u, product), np.dot(transposed, v), np.abs(u) @ bound @ np.abs(v))
        _, of_values = jvp(function, inputs, v)
        assert_same([getattr(t, "data", t) for t in of_values], product, (bound * np.abs(v)).sum(1))
        of_graph = [gradients(output, inputs, create_graph=True) for output in outputs]
        assert_same([[g.data for g in row] for row in of_graph], reverse, bound)


SECOND = {
    "forward over reverse": lambda f: hessian(f),
    "reverse over reverse": lambda f: jacobian(grad(f), mode="reverse"),
    "forward over forward": lambda f: jacobian(jacobian(f, mode="forward"), mode="forward"),
    "reverse over forward": lambda f: jacobian(jacobian(f, mode="forward"), mode="reverse"),
}


@settings(max_examples=60, deadline=None)
@given(lines, st.lists(numbers, min_size=3, max_size=3))
@example(ROOT_OF_A_KINK, [0.0, 0.0, 0.0])
@example(PRODUCT_OF_ROOTS, [1.0, 2.0, 0.0])
@example([("relu", [0, 0, 0]), ("cbrt", [1, 0, 0]), ("power", [1, 0, 0])], [1.5, 1.0, 0.0])
def test_hessians_of_all_modes_are_finite_where_the_others_are(lines, x):
    def function(x):
        return program(lines, 3)(*x)[-1]

    inputs = [Value(number) for number in x]
    slopes = gradients(function(inputs), inputs, create_graph=True)
    if Sensitivity(inputs, slopes).is_overflowing:
        return
    found = {name: np.array(second(function)(x)) for name, second in SECOND.items()}
    expected = np.isfinite(found["forward over reverse"])
    for name, matrix in found.items():
        np.testing.assert_array_equal(np.isfinite(matrix), expected, name)
        scale = np.abs(matrix[expected]).max(initial=1.0)
        np.testing.assert_allclose(matrix[expected], found["forward over reverse"][expected], 1e-7, 1e-7 * scale, name)


def test_cotangents_are_pulled_back_as_often_as_one_likes():
    value, pull_back = vjp(lambda x: [x[0] * x[1], x[0]], [2.0, 3.0])
    assert value == [6.0, 2.0]
    assert pull_back([1.0, 0.0]) == ([3.0, 2.0],)
    assert pull_back([0.0, 2.0]) == ([2.0, 0.0],)
    assert derivative(lambda c: pull_back([c * c, 1.0])[0][0])(5.0) == 30.0


def test_an_output_twice_and_an_input_as_an_output():
    _, pull_back = vjp(lambda x: (x, x, x * x), 3.0)
    assert pull_back((1.0, 10.0, 100.0)) == (1.0 + 10.0 + 600.0,)


def test_tangents_and_cotangents_that_are_values():
    c = Value(2.0)
    _, tangent = jvp(lambda x: x**2, (3.0,), (c,))
    assert gradients(tangent, c) == 6.0
    _, pull_back = vjp(lambda x: x**2, 3.0)
    [cotangent] = pull_back(c)
    assert gradients(cotangent, c) == 6.0


# ---- perturbation confusion


@pytest.mark.parametrize("d", [derivative, grad, lambda f: lambda x: jvp(f, (x,), (1.0,))[1]])
def test_perturbations_are_not_confused(d):
    """J. M. Siskind and B. A. Pearlmutter, "Perturbation confusion and referential transparency", IFL 2005."""
    assert d(lambda x: x * d(lambda y: x + y)(1.0))(1.0) == 1.0
    assert d(lambda x: x * d(lambda y: x * y)(2.0))(3.0) == 6.0
    assert d(lambda x: d(lambda y: x * y)(x))(3.0) == 1.0
    assert d(lambda x: d(lambda x: x * x)(x) * x)(3.0) == 12.0
    assert d(lambda x: d(lambda y: d(lambda z: x * y * z)(x))(x))(5.0) == 1.0
    assert d(lambda x: d(lambda y: exp(x * y))(1.0))(2.0) == pytest.approx(3.0 * math.exp(2.0), rel=1e-14)
    assert d(lambda x: d(lambda y: 3.0)(x))(5.0) == 0.0
    assert d(lambda x: x + d(lambda y: x)(1.0))(2.0) == 1.0


def test_modes_in_each_other_are_not_confused():
    by_jvp, by_vjp = (lambda f: lambda x: jvp(f, (x,), (1.0,))[1]), (lambda f: lambda x: vjp(f, x)[1](1.0)[0])
    transforms = [derivative, grad, by_jvp, by_vjp]
    for outer in transforms:
        for inner in transforms:
            assert outer(lambda x, d=inner: x * d(lambda y: x * y * y)(2.0))(3.0) == 24.0


def test_the_amazing_bug():
    """The derivative of a shift, used twice (Manzyuk et al., "Perturbation confusion in forward automatic
    differentiation of higher-order functions", JFP 2019): D̂ = D(s)(0), s u f x = f(x + u), is D, and D̂ (D̂ f) is f''."""

    def shift(u):
        return lambda f: lambda x: f(x + u)

    def by_shift(f):
        return lambda x: derivative(lambda u: shift(u)(f)(x))(0.0)

    assert by_shift(lambda x: x**3)(2.0) == 12.0
    assert by_shift(by_shift(lambda x: x**3))(2.0) == 12.0
    assert by_shift(by_shift(exp))(1.0) == math.e
    assert by_shift(by_shift(by_shift(lambda x: x**4)))(2.0) == 48.0


def test_a_variable_that_has_left_its_function_is_a_constant():
    left = []
    grad(lambda x: left.append(x) or x)(2.0)
    assert derivative(lambda y: y * left[0])(3.0) == 2.0
    assert derivative(lambda a: derivative(lambda b: a * b)(1.0))(left[0]) == 1.0


def test_a_transform_in_another_thread_sees_the_variables_around_it():
    def in_a_thread(x):
        found = []
        thread = threading.Thread(target=lambda: found.append(derivative(lambda y: x * y * y)(2.0)))
        thread.start()
        thread.join()
        return found[0]

    assert derivative(in_a_thread)(5.0) == 4.0


# ---- floats or Values


def test_floats_unless_values_from_outside_are_in_it():
    w = Value(3.0)
    assert type(grad(lambda x: x * x)(2.0)) is float
    assert type(grad(lambda x: x + w)(2.0)) is float
    of_w = grad(lambda x: x * x * w)(2.0)
    assert gradients(of_w, w) == 4.0
    x = Value(2.0)
    value, slope = value_and_grad(lambda x: x**3)(x)
    assert gradients(value, x) == 12.0
    assert gradients(slope, x) == 12.0
    second = derivative(lambda x: x**3 * w, order=2)(2.0)
    assert (second.data, gradients(second, w)) == (36.0, 12.0)


def test_without_grad_there_are_floats_and_the_function_is_differentiated_all_the_same():
    w = Value(3.0)
    with no_grad():
        assert grad(lambda x: x * x * w)(2.0) == 12.0
        assert grad(grad(lambda x: x * x * w))(Value(2.0)) == 6.0
        assert derivative(lambda x: x**3 * w, order=3)(2.0) == 18.0
        assert value_and_grad(lambda x: x * w)(2.0) == (6.0, 3.0)
        assert hessian(lambda x: w * x[0] * x[1])([1.0, 2.0]) == [[0.0, 3.0], [3.0, 0.0]]
        assert jvp(lambda x: x * w, (2.0,), (Value(1.0),)) == (6.0, 3.0)
        assert vjp(lambda x: x * w, 2.0)[1](Value(1.0)) == (3.0,)
        assert (w * 2).parents == ()
        assert (gradients(w**2, w), w.parents) == (0.0, ())
    square = w**2
    with no_grad():
        assert gradients(square, w, create_graph=True).parents != ()


def test_without_grad_too_the_graphs_of_others_are_not_touched():
    """Not even for the moment: another thread may be differentiating them."""
    seen = []

    class Watched(Value):
        def _backward(self):
            seen.append(self)
            super()._backward()

    w = Watched(3.0)
    w.grad = 0.5
    with no_grad():
        assert grad(lambda x: x * x * w)(2.0) == 12.0
        assert vjp(lambda x: x * w, 2.0)[1](1.0) == (3.0,)
        assert jacobian(lambda x: [x * w, x], mode="reverse")(2.0) == [3.0, 1.0]
        assert jacobian(lambda x: [x * w, x], mode="forward")(2.0) == [3.0, 1.0]
    assert (seen, w.grad) == ([], 0.5)
    (w * 2.0).backward()
    assert seen == [w]


def test_no_grad_in_the_function_is_heeded():
    def function(x):
        with no_grad():
            constant = x * x
        return x * constant.data

    assert grad(function)(3.0) == 9.0
    assert grad(no_grad()(lambda x: x * x))(3.0) == 0.0


def test_they_compose_with_modules():
    """d/dx of a network, and the gradient of its square by the parameters, against differences of the former."""
    random.seed(1)
    model = MLP(1, [4, 1], activation=tanh)

    def slope(x):
        return derivative(lambda x: model([x]))(x)

    parameters = model.parameters()
    (slope(0.3) ** 2).backward()
    h = 1e-6
    for parameter in parameters[:6]:
        here = parameter.data
        parameter.data = here + h
        right = slope(0.3).data ** 2
        parameter.data = here - h
        left = slope(0.3).data ** 2
        parameter.data = here
        assert parameter.grad == pytest.approx((right - left) / (2 * h), rel=1e-6, abs=1e-9)


def test_python_control_flow():
    def root(a):
        """Newton's iteration for the square root, as many steps as it needs."""
        x = a
        while abs(x * x - a) > 1e-14 * a:
            x = 0.5 * (x + a / x)
        return x

    assert derivative(root)(2.0) == pytest.approx(0.5 / math.sqrt(2.0), rel=1e-12)
    assert derivative(lambda x: x**2 if x > 0 else -x)(-3.0) == -1.0


# ---- kinks, and derivatives that are not finite


def test_a_derivative_that_is_infinite_is_no_error():
    assert [derivative(sqrt, order=n)(0.0) for n in (1, 2, 3)] == [math.inf, -math.inf, math.inf]
    assert [derivative(lambda x: x**1.5, order=n)(0.0) for n in (1, 2, 3)] == [0.0, math.inf, -math.inf]
    assert derivative(asin, order=2)(1.0) == math.inf
    assert gradients(sqrt(x := Value(0.0)), x, create_graph=True).data == math.inf
    assert math.isnan(grad(lambda x: sqrt(x * x))(0.0))
    with pytest.raises(ZeroDivisionError, match=r"1\.0 / 0\.0"):
        grad(lambda x: 1.0 / x)(0.0)
    with pytest.raises(ValueError, match="log"):
        grad(grad(log))(-1.0)


def test_derivatives_at_kinks_are_those_of_the_tables_branch():
    for function, slope in [(abs, 0.0), (relu, 0.0), (lambda x: maximum(x, 0.0), 0.5), (lambda x: hypot(x, 0.0), 0.0)]:
        assert derivative(function)(0.0) == grad(function)(0.0) == slope
    for function in (abs, relu, lambda x: maximum(x, 0.0)):
        assert [derivative(function, order=2)(0.0), grad(grad(function))(0.0)] == [0.0, 0.0]


FIRST_ORDER = {
    "derivative": lambda f: derivative(f)(0.0),
    "grad": lambda f: grad(f)(0.0),
    "jvp": lambda f: jvp(f, (0.0,), (1.0,))[1],
    "vjp": lambda f: vjp(f, 0.0)[1](1.0)[0],
    "jacobian, forward": lambda f: jacobian(f, mode="forward")(0.0),
    "jacobian, reverse": lambda f: jacobian(f, mode="reverse")(0.0),
    "gradients": lambda f: gradients(f(x := Value(0.0)), x),
    "gradients, create_graph": lambda f: gradients(f(x := Value(0.0)), x, create_graph=True),
    "derivative by a Value": lambda f: derivative(f)(Value(0.0)),
    "grad by a Value": lambda f: grad(f)(Value(0.0)),
}
SECOND_ORDER = {
    "derivative, order=2": lambda f: derivative(f, order=2)(0.0),
    "derivative, order=2, by a Value": lambda f: derivative(f, order=2)(Value(0.0)),
    "hvp": lambda f: hvp(f, (0.0,), (1.0,)),
    "gradients": lambda f: gradients(gradients(f(x := Value(0.0)), x, create_graph=True), x),
    **{name: lambda f, second=second: second(f)(0.0) for name, second in SECOND.items()},
}
AT_0 = {
    "sqrt(x)": (sqrt, math.inf, -math.inf),
    "sqrt(x * x)": (lambda x: sqrt(x * x), math.nan, math.nan),
    "sqrt(relu(x))": (lambda x: sqrt(relu(x)), math.nan, math.nan),
    "cbrt(abs(x))": (lambda x: cbrt(abs(x)), math.nan, math.nan),
    "abs(x)**0.5": (lambda x: abs(x) ** 0.5, math.nan, math.nan),
    "relu(x)**1.5": (lambda x: relu(x) ** 1.5, 0.0, math.nan),
    "relu(x)**2": (lambda x: relu(x) ** 2, 0.0, 0.0),
    "x * sqrt(x)": (lambda x: x * sqrt(x), math.nan, math.nan),
    "0 * sqrt(x)": (lambda x: exp(0.0 * sqrt(x)), math.nan, math.nan),
    "sqrt(x) - sqrt(x)": (lambda x: autograd.sum([sqrt(x), -sqrt(x)]), math.nan, math.nan),
    "dot": (lambda x: dot([sqrt(x), 2.0], [0.0, x]), math.nan, math.nan),
    "asin(1 - x * x)": (lambda x: asin(1.0 - x * x), math.nan, math.nan),
    "x**3": (lambda x: x**3, 0.0, 0.0),
    "a branch not taken": (lambda x: autograd.where(x > 0, sqrt(x), 3.0 * x), 3.0, 0.0),
    "a constant": (lambda x: 2.0 * x + sqrt(Value(0.0) * 0.0), 2.0, 0.0),
}


@pytest.mark.parametrize("function", AT_0)
def test_0_times_inf_is_nan_in_every_mode(function):
    function, first, second = AT_0[function]
    for expected, transforms in [(first, FIRST_ORDER), (second, SECOND_ORDER)]:
        for name, transform in transforms.items():
            found = transform(function)
            np.testing.assert_array_equal(getattr(found, "data", found), expected, name)


def test_a_tangent_or_cotangent_of_0_is_one():
    """0 times inf is nan. In a Jacobian, and in a Hessian, inputs and outputs are kept apart."""

    def function(x, y):
        return [sqrt(x) + y, y * y]

    for mode in ("forward", "reverse"):
        assert jacobian(function, (0, 1), mode=mode)(0.0, 3.0) == [(math.inf, 1.0), (0.0, 6.0)]
    np.testing.assert_array_equal(jvp(function, (0.0, 3.0), (0.0, 1.0))[1], [math.nan, 6.0])
    np.testing.assert_array_equal(vjp(function, 0.0, 3.0)[1]([0.0, 1.0]), [math.nan, 6.0])
    assert hessian(lambda x, y: function(x, y)[0] + y**2, (0, 1))(0.0, 3.0) == ((-math.inf, 0.0), (0.0, 2.0))
    np.testing.assert_array_equal(hvp(lambda x, y: function(x, y)[0] + y**2, (0.0, 3.0), (0.0, 1.0)), (math.nan, 2.0))
    w = Value(1.0)
    _, of_values = jvp(lambda x, y: function(x * w, y * w), (0.0, 3.0), (0.0, 1.0))
    np.testing.assert_array_equal([tangent.data for tangent in of_values], [math.nan, 6.0])


EDGES = [0.0, -0.0, 1.0, -1.0, 1000.0, -1000.0, math.inf, -math.inf, math.nan]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_mode_agrees_at_singular_points(name):
    """The first derivatives to the bit, the second in where they are finite, and within rounding in what they are."""
    operation = OPERATIONS[name]
    apply, points = getattr(autograd, name), [*operation.samples, *operation.kinks]
    for x in EDGES:
        for y in (x, 0.5):
            scalars = [(x, y), (y, x)] if len(operation.operands) - operation.sequences > 1 else [(x,)]
            rest = [[]] if len(operation.operands) == operation.sequences else scalars
            points += [(*([[x, 0.5, y]] * operation.sequences), *last) for last in rest]
    compared = 0
    for point in points:
        numbers, form = autograd.structures.flatten(point)

        def function(x, form=form):
            return apply(*autograd.structures.unflatten(form, x))

        values = [Value(number) for number in numbers]
        try:
            result = function(values)
        except (ValueError, ArithmeticError):
            continue
        compared += 1
        forward, reverse = (repr(jacobian(function, mode=mode)(numbers)) for mode in ("forward", "reverse"))
        assert forward == reverse == repr(gradients(result, values))
        found = {mode: np.array(second(function)(numbers)) for mode, second in SECOND.items()}
        expected = found["forward over reverse"]
        finite = np.isfinite(expected)
        for mode, matrix in found.items():
            np.testing.assert_array_equal(np.isfinite(matrix), finite, f"{point}, {mode}")
            np.testing.assert_allclose(matrix[finite], expected[finite], 1e-9, 1e-9, err_msg=f"{point}, {mode}")
    assert compared >= len(operation.samples) + 1


@pytest.mark.parametrize("name", OPERATIONS)
def test_derivatives_with_a_graph_are_those_without(name):
    """At the samples and the kinks of every operation, and at numbers at the edge, to the bit.

    But for softmax: its derivatives are written in another way where they will be differentiated, and are nan there
    where two operands are inf.
    """
    edges = [0.0, -0.0, 1e-308, 1e160, -1e160, 700.0, 1000.0, -1000.0, math.inf, -math.inf, math.nan]
    operation = OPERATIONS[name]
    count = len(operation.operands)
    points = [*operation.samples, *operation.kinks]
    points += [([x, 0.5],) * operation.sequences + (x,) * (count - operation.sequences) for x in edges]
    if name == "softmax_of":
        points.remove(([math.inf, 0.5], math.inf))
    for point in points:
        operands = [[Value(x) for x in p] if isinstance(p, list) else Value(p) for p in point]
        try:
            output = getattr(autograd, name)(*operands)
        except (ValueError, ArithmeticError):
            continue
        found = np.array(autograd.structures.flatten(gradients(output, operands))[0])
        graph = gradients(output, operands, create_graph=True)
        rounding = 4 * EPSILON if name in ("logsumexp", "softmax_of") else 0.0
        np.testing.assert_allclose([g.data for g in autograd.structures.flatten(graph)[0]], found, rounding, 0.0)


# ---- what goes in and what comes out


class Line(NamedTuple):
    slope: float
    offset: float


def test_a_gradient_has_the_structure_of_its_argument():
    def total(x):
        return sum(leaf * leaf for leaf in autograd.structures.flatten(x)[0])

    for x in (3, 3.0, np.float64(3.0), True):
        assert grad(total)(x) == 2.0 * x
    assert grad(total)([1.0, (2.0, [3.0]), []]) == [2.0, (4.0, [6.0]), []]
    assert grad(total)({"w": [1.0, 2.0], "b": 3}) == {"w": [2.0, 4.0], "b": 6.0}
    assert grad(total)(Line(1.0, 2.0)) == Line(2.0, 4.0)
    array = np.arange(6).reshape(2, 3)
    found = grad(total)(array)
    assert (found.dtype, found.tolist()) == (np.float64, (2.0 * array).tolist())
    assert grad(total)(np.array(3.0)).shape == ()
    of_values = grad(total)([np.array([Value(1.0), 2.0])])[0]
    assert of_values.dtype == object
    assert [of_values[0].data, of_values[1]] == [2.0, 4.0]


def test_jacobians_have_the_structures_of_outputs_and_inputs():
    def function(x, y):
        return {"a": x * y[0], "b": np.array([x, y[1]])}

    found = jacobian(function, (0, 1))(2.0, np.array([3.0, 5.0]))
    assert found["a"][0] == 3.0
    assert found["a"][1].tolist() == [2.0, 0.0]
    assert found["b"][0].tolist() == [1.0, 0.0]
    assert found["b"][1].tolist() == [[0.0, 0.0], [0.0, 1.0]]
    assert hessian(lambda x: (x**3).sum())(np.ones((2, 2))).shape == (2, 2, 2, 2)


def test_auxiliary_output_is_passed_on_and_settled():
    def function(x):
        return x * x, {"twice": 2.0 * x, "name": "f", "all": np.array([x, x]), "floats": np.arange(2)}

    gradient, aux = grad(function, has_aux=True)(3.0)
    assert (gradient, aux["twice"], aux["name"], aux["all"].tolist()) == (6.0, 6.0, "f", [3.0, 3.0])
    assert aux["floats"].dtype == np.arange(2).dtype
    assert value_and_grad(lambda x: (x * x, x), has_aux=True)(3.0) == ((9.0, 3.0), 6.0)
    assert jacobian(lambda x: ([x], "aux"), has_aux=True)(3.0) == ([1.0], "aux")
    assert hessian(lambda x: (x * x, x), has_aux=True)(3.0) == (2.0, 3.0)
    assert jvp(lambda x: (x * x, x), (3.0,), (1.0,), has_aux=True) == (9.0, 6.0, 3.0)
    value, pull_back, aux = vjp(lambda x: (x * x, x), 3.0, has_aux=True)
    assert (value, pull_back(1.0), aux) == (9.0, (6.0,), 3.0)
    assert derivative(lambda x: value_and_grad(lambda y: (y * x, x * x), has_aux=True)(2.0)[0][1])(3.0) == 6.0


def test_an_array_goes_in_as_an_array():
    matrix = np.array([[2.0, 1.0], [0.0, 3.0]])
    found = grad(lambda x: x @ matrix @ x + np.tanh(x).sum())(np.array([1.0, -1.0]))
    np.testing.assert_allclose(found, (matrix + matrix.T) @ [1.0, -1.0] + 1 - np.tanh([1.0, -1.0]) ** 2, rtol=1e-15)


ERRORS = [
    (lambda: grad(3.0), TypeError, "grad: expected a function, got float: 3.0"),
    (lambda: grad(lambda x: [x, x])(1.0), TypeError, "grad: expected the function to return a number, got list"),
    (lambda: grad(lambda x: None)(1.0), TypeError, "grad: .*returned.* got NoneType"),
    (lambda: derivative(lambda x: lambda y: x)(1.0), TypeError, "derivative: .*returned.* got function"),
    (lambda: grad(lambda x: x)("a"), TypeError, "grad: the argument: expected a real number, got str: 'a'"),
    (lambda: grad(lambda x: x[0])([1.0, 2j]), TypeError, "got complex: 2j"),
    (lambda: grad(lambda x: x, 1)(1.0), ValueError, "argnums: expected positional arguments .*, got 1 of 1"),
    (lambda: grad(lambda x: x)(), ValueError, "got 0 of 0"),
    (lambda: grad(lambda x: x, (0, -1))(1.0), ValueError, "argnums: expected each argument once"),
    (lambda: grad(lambda x: x, "0"), TypeError, r"argnums: expected a position, .*, got str: '0'; .*, grad\(f\)\(x\)$"),
    (lambda: grad(lambda x: x, iter([0])), TypeError, r"argnums: expected a position, .*, got list_iterator: .*"),
    (lambda: grad(lambda x: x, {0}), TypeError, r"argnums: expected a position, .*, got set: \{0\}"),
    (lambda: hessian(lambda x: x[0], [1.0]), TypeError, r"argnums: .*, got list: \[1.0\]; .*, hessian\(f\)\(x\)$"),
    (lambda: value_and_grad(lambda x: x, 1.0), TypeError, r"argnums: .*, got float: 1.0; .*value_and_grad\(f\)\(x\)$"),
    (lambda: jacobian(lambda x: x, 1.0), TypeError, r"argnums: .*, got float: 1.0"),
    (lambda: grad(lambda x: x, has_aux=True)(1.0), TypeError, "has_aux: expected the function to return a pair"),
    (lambda: derivative(lambda x: x * x)([1.0]), TypeError, "derivative: expected a number, got list"),
    (lambda: derivative(lambda x: x, order=-1), ValueError, "order: expected 0 or more, got -1"),
    (lambda: derivative(lambda x: x, order=2.5), TypeError, "order: expected a whole number, got float: 2.5"),
    (lambda: derivative(lambda x: x, order=1.5), TypeError, "float"),
    (lambda: jvp(lambda x: x, 1.0, 1.0), TypeError, "jvp: expected a tuple or list of primals"),
    (lambda: jvp(lambda x: x, (1.0,), 1.0), TypeError, "jvp: expected a tuple or list of tangents"),
    (
        lambda: hvp(lambda x: x, 2.0, 1.0),
        TypeError,
        "hvp: expected a tuple or list of primals, .* tuple of one, \\(2.0,\\)",
    ),
    (lambda: hvp(lambda x: x, (2.0,), 1.0), TypeError, "hvp: expected a tuple or list of tangents"),
    (
        lambda: hvp(lambda x: x[0] * x[1], [2.0, 3.0], [1.0, 0.0]),
        TypeError,
        r"^hvp: primals: expected one for each argument of the function, \(x\), got 2: .*, \(\[2.0, 3.0\],\), and of",
    ),
    (lambda: jvp(lambda x: x[0], [2.0, 3.0], [1.0, 0.0]), TypeError, "jvp: primals: expected one for each argument"),
    (lambda: hvp(lambda x: x, (2.0,), ([1.0],)), TypeError, "hvp: tangents: "),
    (lambda: jvp(lambda x: x, (1.0,), (1.0, 2.0)), ValueError, "tangents: expected a sequence of 1"),
    (lambda: jvp(lambda x: x[0], ([1.0, 2.0],), ([1.0],)), ValueError, "tangents: expected a sequence of 2, got list"),
    (lambda: jvp(lambda x: x["a"], ({"a": 1.0},), ({"b": 1.0},)), ValueError, "expected a dict with the keys 'a'"),
    (lambda: jvp(lambda x: x, (1.0,), ("a",)), TypeError, "tangents: expected a real number"),
    (lambda: vjp(lambda x: [x, x], 1.0)[1](1.0), ValueError, "cotangents: expected a sequence of 2, got float"),
    (lambda: jacobian(lambda x: x, mode="both"), ValueError, "mode: expected 'forward', 'reverse' or None"),
    (lambda: gradients(Value(1.0), [1.0]), TypeError, "gradients: expected Values as inputs, got float: 1.0"),
    (lambda: gradients([Value(1.0)], [Value(1.0)]), TypeError, "gradients: expected a number or a Value as the output"),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_errors_say_what_was_expected(call, error, message):
    with pytest.raises(error, match=message):
        call()


# Every transform, in every wrong use: of(function, argument, **options) asks it for a derivative.
TRANSFORMS = {
    "grad": lambda f, *x, **options: grad(f, **options)(*x),
    "value_and_grad": lambda f, *x, **options: value_and_grad(f, **options)(*x),
    "derivative": lambda f, *x, **options: derivative(f, **options)(*x),
    "jacobian": lambda f, *x, **options: jacobian(f, **options)(*x),
    "hessian": lambda f, *x, **options: hessian(f, **options)(*x),
    "vjp": lambda f, *x, **options: vjp(f, *x, **options)[1](1.0),
    "jvp": lambda f, *x, **options: jvp(f, x, (1.0,), **options),
    "hvp": lambda f, *x, **options: hvp(f, x, (1.0,), **options),
}
WITH_ARGNUMS = {"grad", "value_and_grad", "jacobian", "hessian"}
OF_NUMBERS = {"grad", "value_and_grad", "hessian", "hvp"}
NO_NUMBERS = [None, "a", 2j, object(), len, [1.0, "a"], {"w": (2.0, None)}, 10**400]
NO_PLACES = [None, 1.5, "0", "x", [0, "x"], [[0]], 1, -2, (0, 0), (0, 7), {0.5}]


def set_data(x):
    x.data = 3.0
    return x * x


def wrong_uses():
    for name, of in TRANSFORMS.items():
        for wrong in (None, 3.0, "f", [abs]):
            yield name, f"of {wrong!r}", lambda of=of, wrong=wrong: of(wrong, 2.0)
        for wrong in (*NO_NUMBERS, ENDLESS, DEEP):
            shown = type(wrong).__name__
            yield name, f"at {shown}", lambda of=of, wrong=wrong: of(lambda x: 1.0, wrong)
            yield name, f"returns {shown}", lambda of=of, wrong=wrong: of(lambda x: wrong, 2.0)
        yield name, "sets data", lambda of=of: of(set_data, 2.0)
        if name in OF_NUMBERS:
            yield name, "returns several", lambda of=of: of(lambda x: [x, x], 2.0)
        if name in AUX:
            yield name, "no aux", lambda of=of: of(lambda x: x * x, 2.0, has_aux=True)
        if name in WITH_ARGNUMS:
            yield name, "without arguments", lambda of=of: of(lambda: 1.0)
            for wrong in NO_PLACES:
                yield name, f"argnums {wrong!r}", lambda of=of, wrong=wrong: of(lambda x: x * x, 2.0, argnums=wrong)
    for wrong in (*NO_NUMBERS, ENDLESS, DEEP, [1.0, 2.0]):
        shown = type(wrong).__name__
        yield "vjp", f"cotangents {shown}", lambda wrong=wrong: vjp(lambda x: x, 2.0)[1](wrong)
        yield "gradients", f"inputs {shown}", lambda wrong=wrong: gradients(Value(1.0), wrong)
        yield "gradients", f"output {shown}", lambda wrong=wrong: gradients(wrong, Value(1.0))
        for name, transform in {"jvp": jvp, "hvp": hvp}.items():
            yield name, f"tangents {shown}", lambda f=transform, wrong=wrong: f(lambda x: x * x, (2.0,), (wrong,))
    for name, transform in {"jvp": jvp, "hvp": hvp}.items():
        for wrong in (None, 2.0, "a", {2.0}, (2.0, 3.0), ()):
            yield name, f"tangents are {wrong!r}", lambda f=transform, wrong=wrong: f(lambda x: x, (2.0,), wrong)
        for wrong in (None, 2.0, "a", {2.0}):
            yield name, f"primals are {wrong!r}", lambda f=transform, wrong=wrong: f(lambda x: x, wrong, (1.0,))
    for wrong in (None, "a", 1.5, -1, [1]):
        yield "derivative", f"order {wrong!r}", lambda wrong=wrong: derivative(lambda x: x, order=wrong)
    for wrong in ("both", 1, [], True):
        yield "jacobian", f"mode {wrong!r}", lambda wrong=wrong: jacobian(lambda x: x, mode=wrong)


ENDLESS = [1.0]
ENDLESS.append({"itself": ENDLESS})
DEEP = 1.0
for _ in range(900):
    DEEP = [DEEP]


AUX = {
    "grad": lambda f: grad(f, has_aux=True)(2.0)[1],
    "value_and_grad": lambda f: value_and_grad(f, has_aux=True)(2.0)[0][1],
    "jacobian": lambda f: jacobian(f, has_aux=True)(2.0)[1],
    "hessian": lambda f: hessian(f, has_aux=True)(2.0)[1],
    "vjp": lambda f: vjp(f, 2.0, has_aux=True)[2],
    "jvp": lambda f: jvp(f, (2.0,), (1.0,), has_aux=True)[2],
}


@pytest.mark.parametrize("name", AUX)
@pytest.mark.parametrize("aux", [ENDLESS, DEEP, {"model": ENDLESS}], ids=["endless", "deep", "within"])
def test_an_aux_without_an_end_is_passed_on(name, aux):
    assert AUX[name](lambda x: (x * x, aux)) is aux


@pytest.mark.parametrize("name", [*TRANSFORMS, "gradients"])
def test_errors_name_the_transform_that_was_called(name):
    uses = [(use, call) for called, use, call in wrong_uses() if called == name]
    assert len(uses) > 20
    for use, call in uses:
        with pytest.raises((TypeError, ValueError, OverflowError)) as raised:
            call()
        assert str(raised.value).startswith(f"{name}: "), f"{use}: {raised.value}"


def test_an_operation_of_ones_own_has_no_derivative_here():
    x = Value(2.0)
    out = Value(x.data * 3.0, (x,), "triple")
    with pytest.raises(TypeError, match="was not computed by an operation of the table"):
        gradients(out * 2.0, x)


def test_an_error_of_the_function_is_its_own():
    before = len(sweeps.open_variables())

    def fails(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        grad(fails)(1.0)
    assert len(sweeps.open_variables()) == before
    with no_grad(), pytest.raises(KeyError):
        derivative(fails)(1.0)
    assert (Value(1.0) * 2).op == "*"


# ---- what is left behind

EVERY_TRANSFORM = {
    "grad": lambda f, x: grad(f)(x),
    "value_and_grad": lambda f, x: value_and_grad(f)(x),
    "derivative": lambda f, x: derivative(lambda t: f([t, 1.0]), order=4)(0.5),
    "vjp": lambda f, x: vjp(f, x)[1](1.0),
    "jvp": lambda f, x: jvp(f, (x,), (x,)),
    "jacobian": lambda f, x: [jacobian(f, mode=mode)(x) for mode in ("forward", "reverse")],
    "hessian": lambda f, x: hessian(f)(x),
    "hvp": lambda f, x: hvp(f, (x,), (x,)),
    "gradients": lambda f, x: gradients(f(v := [Value(y) for y in x]), v, create_graph=True)[0].data,
}


@pytest.mark.parametrize("name", EVERY_TRANSFORM)
@pytest.mark.parametrize("outside", [True, False], ids=["with a Value from outside", "by itself"])
def test_no_grad_attribute_is_changed_and_all_is_freed(name, outside):
    w = Value(2.0)
    w.grad = 7.0
    seen, alive = [], []

    def function(x):
        h = tanh(x[0] * x[1]) * (w if outside else 2.0)
        h.grad = 3.0
        y = h * h + sqrt(x[0])
        seen.extend((v, v.grad) for v in (*x, h, y) if isinstance(v, Value))
        alive.extend(weakref.ref(v) for v in (*x, h, y) if isinstance(v, Value))
        return y

    EVERY_TRANSFORM[name](function, [0.5, 1.5])
    assert w.grad == 7.0
    assert seen
    assert all(v.grad == before for v, before in seen)
    seen.clear()
    gc.collect()
    alive.clear()
    gc.disable()
    try:
        result = EVERY_TRANSFORM[name](function, [0.5, 1.5])
        seen.clear()
        del result
        assert alive
        assert all(reference() is None for reference in alive)
    finally:
        gc.enable()
    assert not sweeps.open_variables()


def test_depth_is_bounded_by_memory_only():
    def chain(x):
        for _ in range(20_000):
            x = x * 1.0001
        return x

    expected = pytest.approx(1.0001**20_000, rel=1e-9)
    assert grad(chain)(1.0) == expected
    assert derivative(chain)(1.0) == expected
    assert vjp(chain, 1.0)[1](1.0)[0] == expected
    assert hvp(lambda x: chain(x) ** 2, (1.0,), (1.0,)) == pytest.approx(2 * 1.0001**40_000, rel=1e-9)


def test_graphs_stay_small():
    x = Value(2.0)
    assert gradients(x * 3.0 + 1.0, x, create_graph=True).parents == ()
    assert counts(gradients(exp(x), x, create_graph=True))["nodes"] == 2
    slope = gradients(dot([x] * 50, [1.0] * 50), x, create_graph=True)
    assert (slope.data, slope.parents) == (50.0, ())
    _, tangent = jvp(lambda xs: dot(xs, xs), ([x] * 50,), ([1.0] * 50,))
    assert tangent.op == "dot"
    h = [exp(x * (0.01 * i)) for i in range(50)]
    adjoint = gradients(dot(h, h), x, create_graph=True)
    assert adjoint.op == "dot"
    assert len(adjoint.parents) == 50


# ---- on a tape


def test_a_derivative_is_recorded_like_anything_else():
    w = Value(0.7)
    tape = Tape.record(lambda x: derivative(lambda t: tanh(w * t) ** 2)(x) + hessian(lambda t: sin(t) * t)(x), [0.0])
    batch = np.linspace(-1.0, 1.0, 5)
    t = np.tanh(0.7 * batch)
    expected = 2.0 * t * (1.0 - t**2) * 0.7 + 2.0 * np.cos(batch) - batch * np.sin(batch)
    np.testing.assert_allclose(tape.forward(batch), expected, rtol=1e-14, atol=1e-15)
    assert tape.parameters == (w,)


def test_a_rule_with_cases_is_not_recorded():
    for function in (abs, lambda x: relu(x) * x, lambda x: maximum(x, 0.0)):
        with pytest.raises(RecordingError):
            Tape.record(grad(function), [1.0])
    assert Tape.record(lambda x: abs(x), [1.0]).forward([[-2.0]]).tolist() == [2.0]


def test_the_graph_of_a_derivative_replays():
    x = Value(0.5)
    slope = gradients(sin(x) * x, x, create_graph=True)
    assert len(topological_order(slope)) > 3
    np.testing.assert_allclose(Tape(slope, [x]).forward([[2.0]]), [math.sin(2.0) + 2.0 * math.cos(2.0)], rtol=1e-15)
