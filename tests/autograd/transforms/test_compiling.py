"""compiled(f): what f returns, to the bit where that is promised; what it must not replay; what it refuses."""

from __future__ import annotations

import gc
import math
import random
import threading
import weakref
from collections import deque, namedtuple
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial, wraps

import numpy as np
import pytest

import autograd
from autograd import (
    RecordingError,
    Tape,
    Value,
    compiled,
    cos,
    derivative,
    dot,
    exp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    log,
    maximum,
    no_grad,
    relu,
    sin,
    sqrt,
    take,
    tanh,
    value_and_grad,
    vjp,
)
from nn import MLP

pytestmark = pytest.mark.both_engines


def rosenbrock(x):
    return sum(100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2 for i in range(len(x) - 1))


def network(w, x):
    hidden = [tanh(dot(row, x, bias)) for row, bias in zip(w["rows"], w["biases"], strict=True)]
    return exp(dot(w["last"], hidden)) * 0.5


WEIGHTS = {"rows": [[0.3, -0.2], [0.5, 0.1], [-0.7, 0.4]], "biases": [0.1, 0.0, -0.3], "last": (1.0, -1.5, 0.25)}
POINTS = [[0.5, -0.25, 1.5], [1.0, 2.0, -3.0], [-0.125, 0.0, 1e-3]]

FUNCTIONS = {
    "the function": rosenbrock,
    "grad": grad(rosenbrock),
    "value_and_grad": value_and_grad(rosenbrock),
    "hessian": hessian(rosenbrock),
    "jacobian": jacobian(lambda x: [x[0] * x[1], exp(x[2]), 3.0]),
    "jacobian of a number": jacobian(rosenbrock),
    "hessian of hessian": lambda x: hessian(lambda y: grad(rosenbrock)(y)[1] * y[0])(x),
    "jvp": lambda x: jvp(rosenbrock, (x,), ([1.0, 0.0, 2.0],)),
    "vjp": lambda x: vjp(lambda y: [y[0] * y[1], y[2] ** 3], x)[1]([1.0, x[0]]),
    "derivative": lambda x: derivative(lambda t: sin(t * x[0]) * x[1], order=3)(x[2]),
    "grad of grad": grad(lambda x: sum(g**2 for g in grad(rosenbrock)(x))),
}
EXACT = {"grad", "value_and_grad"}  # of one number, by the engine's own order of sums


@pytest.mark.parametrize("kind", [list, tuple, np.array])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_returns_what_the_function_returns(name, kind):
    function = FUNCTIONS[name]
    replayed = compiled(function, check=True)
    for point in POINTS:
        x = kind(point)
        expected, found = function(x), replayed(x)
        assert same_types(found, expected)
        assert numbers(found) == pytest.approx(numbers(expected), rel=1e-12)
        if name in EXACT and autograd.engine == "native":
            assert numbers(found) == numbers(expected)


def numbers(structure):
    return autograd.structures.flatten(structure, autograd.structures.number)[0]


def same_types(found, expected):
    """Whether the structures are of the same classes and shapes, and the numbers floats in both, or not."""
    forms = [autograd.structures.flatten(each) for each in (found, expected)]
    kinds = [[isinstance(leaf, float) for leaf in leaves] for leaves, _ in forms]
    return forms[0][1] == forms[1][1] and kinds[0] == kinds[1]


def test_the_value_of_a_number_is_that_of_its_graph_to_the_bit():
    if autograd.engine != "native":
        pytest.skip("the NumPy executor rounds as NumPy does")
    for point in POINTS:
        assert compiled(rosenbrock)(point) == rosenbrock([Value(x) for x in point]).data


@dataclass
class Line:
    slope: float
    offset: float


Pair = namedtuple("Pair", "first second")


@pytest.mark.parametrize(
    ("function", "arguments", "keywords"),
    [
        (lambda p, x: p["w"] * x + p["b"], ({"w": 2.0, "b": 1.0}, 3.0), {}),
        (lambda line, x: Line(line.slope * x, line.offset), (Line(2.0, 1.0), 3), {}),
        (lambda pair: Pair(pair.second, pair.first**2), (Pair(1.0, 2.0),), {}),
        (lambda x, *, scale: [scale * y for y in x], ([1.0, 2.0],), {"scale": 3.0}),
        (lambda a, b=2.0: {"sum": a + b, "constant": 5.0}, (1.0,), {"b": 4.0}),
        (lambda x: x * 2.0, (np.array([[1.0, 2.0], [3.0, 4.0]]),), {}),
        (lambda x: x * 2.0, (np.array(3.0),), {}),
        (lambda x: x * 2.0, (np.float64(3.0),), {}),
        (lambda x: x @ x, (np.arange(3),), {}),
        (lambda x: [x[0] + True, x[1]], ([True, False],), {}),
        (lambda x, mode: x * 2.0 if mode == "double" else x, (1.5, "double"), {}),
        (lambda x, other: x * 2.0 if other is None else x, (1.5, None), {}),
        (lambda x: [x * 2.0, []], (1.5,), {}),
    ],
)
def test_arguments_of_all_kinds(function, arguments, keywords):
    replayed = compiled(function, check=True)
    for _ in range(2):
        found, expected = replayed(*arguments, **keywords), function(*arguments, **keywords)
        assert numbers(found) == numbers(expected)
        assert autograd.structures.flatten(found)[1] == autograd.structures.flatten(expected)[1]


def counted(function):
    """The function, and a list of its calls."""
    calls = []

    @wraps(function)
    def counting(*arguments, **keywords):
        calls.append(arguments)
        return function(*arguments, **keywords)

    return counting, calls


def test_each_structure_is_recorded_once():
    function, calls = counted(lambda x, scale=1.0: sum(y * scale for y in x))
    replayed = compiled(function)
    for x in ([1.0, 2.0], [3, 4.0], [1.0, 2.0, 3.0], (1.0, 2.0), np.array([1.0, 2.0]), {0: 1.0}.values()):
        if not isinstance(x, type({}.values())):
            for k in range(3):
                assert replayed([y + k for y in x] if isinstance(x, list) else x) == function(
                    [y + k for y in x] if isinstance(x, list) else x
                )
    own = sum(1 for arguments in calls if not isinstance(arguments[0][0], Value))
    assert len(calls) - own == 4
    replayed([1.0, 2.0], scale=3.0)
    replayed([5.0, 2.0], scale=4.0)
    assert len(calls) - own == 5


def test_a_transform_of_a_function_is_recorded_once():
    function, calls = counted(rosenbrock)
    for transform in (grad, value_and_grad, hessian, jacobian):
        calls.clear()
        replayed = compiled(transform(function))
        for point in POINTS:
            replayed(point)
        assert len(calls) == 1


def test_the_oldest_recordings_are_given_up():
    function, calls = counted(lambda x: x[0] * 2.0)
    replayed = compiled(function)
    for n in range(1, 200):
        replayed([1.0] * n)
    assert len(calls) == 199
    replayed([1.0] * 199)
    assert len(calls) == 199
    replayed([1.0])
    assert len(calls) == 200


def test_static_arguments_are_part_of_the_structure():
    function, calls = counted(lambda x, n, negate=False: -(x**n) if negate else x**n)
    replayed = compiled(function, static=(1, "negate"))
    for x in (2.0, 3.0):
        assert [replayed(x, 2), replayed(x, 3), replayed(x, 2, negate=True)] == [x**2, x**3, -(x**2)]
    assert len(calls) == 3
    assert compiled(lambda x, n: x * len(range(n)), static=[-1])(2.0, 3) == 6.0
    with pytest.raises(
        RecordingError, match=r"bool\(\) of .*; an argument that counts or chooses may be named in static="
    ):
        compiled(function)(2.0, 2, negate=True)
    with pytest.raises(TypeError, match=r"expected numbers as arguments, and else what can be hashed, got unhashable"):
        compiled(function, static=(1,))(2.0, [2])


def test_static_arguments_may_be_given_by_position_and_by_name():
    """Whichever way they are named: a branch on one that varies would be refused."""

    def function(x, n=2, *, negate=False):
        return -(x * n) if negate else x * len(range(n))

    for static in ((1, "negate"), ("n", "negate"), ["negate", -1, "n"]):
        replayed = compiled(function, static=static)
        assert [replayed(3.0, 2), replayed(3.0, n=4), replayed(n=5, x=3.0, negate=True)] == [6.0, 12.0, -15.0]
    assert compiled(lambda *x, **named: x[0] * len(range(named["n"])), static=(4, "n"))(3.0, n=2) == 6.0
    assert compiled(grad(lambda x, n: x * len(range(n))), static=("n",))(3.0, 2) == 2.0


def test_static_arguments_that_there_are_not():
    for static in (("zz",), (2,), (-3,), ("args",)):
        with pytest.raises(ValueError, match=r"compiled: static: expected arguments of the function, \(x, n\), got"):
            compiled(lambda x, n: x, static=static)
    with pytest.raises(TypeError, match="compiled: static"):
        compiled(lambda x, n: x, static=(True,))


@pytest.mark.parametrize("transform", [grad, value_and_grad, hessian, jacobian])
def test_static_arguments_that_are_differentiated_by(transform):
    for argnums in (1, (0, -1)):
        replayed = compiled(transform(lambda x, m: x * m, argnums=argnums), static=["m"])
        with pytest.raises(ValueError, match=r"compiled: static: .* position 1, .*: take it out of static="):
            replayed(2.0, 3.0)
    for static in (0, 1):
        with pytest.raises(ValueError, match=f"compiled: static: .* position {static}"):
            compiled(partial(hvp, lambda x: x * x), static=[static])((2.0,), (3.0,))


def test_what_python_takes_for_equal_is_told_apart():
    """A recording for 0.0 is none for -0.0, nor one for 1 one for True, wherever they stand."""
    sign = compiled(lambda x, k: math.copysign(1.0, k) * x, static=(1,))
    assert [sign(2.0, 0.0), sign(2.0, -0.0), sign(2.0, 0.0)] == [2.0, -2.0, 2.0]
    name = compiled(lambda x, k: x * len(type(k[0]).__name__), static=(1,))
    assert [name(1.0, (each,)) for each in (1, True, 1.0, 1)] == [3.0, 4.0, 5.0, 3.0]
    others = compiled(lambda x, k: x * len(repr(k)))
    assert [others(1.0, frozenset({each})) for each in (1, True)] == [14.0, 17.0]
    signs = compiled(lambda d: sum(math.copysign(1.0, key) * x for key, x in d.items()))
    assert [signs({0.0: 1.0}), signs({-0.0: 1.0})] == [1.0, -1.0]
    kinds = compiled(lambda d: sum(x * len(type(key).__name__) for key, x in d.items()))
    assert [kinds({key: 1.0}) for key in (1, True, 1.0)] == [3.0, 4.0, 5.0]
    lengths = compiled(lambda d: sum(d) * d.maxlen)
    assert [lengths(deque([1.0], length)) for length in (2, 3)] == [2.0, 3.0]
    function, calls = counted(lambda x, k: x * 2.0)
    replayed = compiled(function, static=(1,))
    assert [replayed(1.0, float("nan")) for _ in range(3)] == [2.0] * 3
    assert len(calls) == 1


@pytest.mark.parametrize("function", [lambda x, n: [x for _ in range(n)], lambda x, n: [x, 2.0 * x][n]])
def test_an_integer_that_counts_or_chooses_is_told_what_to_do_about(function):
    with pytest.raises(TypeError, match="integer") as caught:
        compiled(function)(1.0, 1)
    assert caught.value.__notes__ == [
        "compiled: integers vary, too; name an argument that counts or chooses in static="
    ]
    assert compiled(function, static=("n",))(1.0, 1) == function(1.0, 1)
    with pytest.raises(TypeError) as caught:
        compiled(lambda x: x + "a")(1.0)
    assert not hasattr(caught.value, "__notes__")


def test_keywords_keep_their_order():
    def function(*, k, **named):
        first, second = named.values()
        return k * (first - 2.0 * second)

    replayed = compiled(function, static=("k",), check=True)
    for named in ({"b": 1.0, "a": 2.0}, {"a": 1.0, "b": 2.0}):
        for x in (1.0, 5.0):
            assert replayed(k=2, **(named | {"b": x})) == function(k=2, **(named | {"b": x}))
    slope = compiled(grad(lambda x, **named: x * next(iter(named.values()))))
    assert [slope(1.0, b=3.0, a=2.0), slope(1.0, a=2.0, b=3.0)] == [3.0, 2.0]


def test_integers_beyond_the_largest_float_are_named():
    with pytest.raises(OverflowError, match="beyond the largest float"):
        compiled(lambda x: x * 2.0)(10**400)


# ---- Transforms: what they differentiate by, kinks, aux


def test_argnums_and_other_arguments():
    x, t = [0.3, -0.7], [1.5]

    def loss(w, x, t):
        return (network(w, x) - t[0]) ** 2

    for argnums in (0, 1, (0, 1), (2, 0), -1):
        for transform in (grad, value_and_grad, hessian):
            function = transform(loss, argnums)
            found, expected = compiled(function)(WEIGHTS, x, t), function(WEIGHTS, x, t)
            assert autograd.structures.flatten(found)[1] == autograd.structures.flatten(expected)[1]
            np.testing.assert_allclose(numbers(found), numbers(expected), rtol=1e-11, atol=1e-15)


def test_a_function_that_wraps_a_transform_is_not_taken_for_it():
    """functools.wraps copies attributes."""

    @wraps(grad(rosenbrock))
    def twice(x):
        return [2.0 * y for y in grad(rosenbrock)(x)]

    @wraps(hessian(rosenbrock))
    def trace(x):
        return sum(row[i] for i, row in enumerate(hessian(rosenbrock)(x)))

    for function in (twice, trace):
        assert numbers(compiled(function)(POINTS[0])) == pytest.approx(numbers(function(POINTS[0])), rel=1e-13)


def test_kinks_are_chosen_at_each_call():
    def function(x):
        return relu(x[0]) ** 2 * x[1] + maximum(x[0], x[1] ** 2) + abs(x[1]) * x[0]

    points = [[1.0, 2.0], [-1.0, 2.0], [9.0, -2.0], [4.0, 2.0], [0.0, 0.0]]
    for transform in (grad, value_and_grad, hessian, jacobian):
        replayed = compiled(transform(function), check=True)
        for point in points:
            np.testing.assert_allclose(np.ravel(numbers(replayed(point))), numbers(transform(function)(point)))
    product = compiled(partial(hvp, function), check=True)
    for point in points:
        assert product((point,), ([1.0, -1.0],)) == pytest.approx(hvp(function, (point,), ([1.0, -1.0],)))


def test_a_kink_within_a_function_that_calls_transforms_is_refused():
    replayed = compiled(lambda x: grad(relu)(x))
    with pytest.raises(RecordingError, match="comparison"):
        replayed(1.0)


def test_lookups_by_an_argument():
    def function(w, i):
        return take(w, i) ** 2 * w[0]

    w = [2.0, 3.0, 5.0]
    for transform in (grad, value_and_grad, hessian, jacobian):
        replayed = compiled(transform(function), check=True)
        for i in (0.0, 2.0, 1.0):
            assert numbers(replayed(w, i)) == pytest.approx(numbers(transform(function)(w, i)))
        with pytest.raises(ValueError, match="the index of a lookup"):
            replayed(w, 3.0)
    product = compiled(partial(hvp, lambda w: function(w, 1.0)), check=True)
    assert product((w,), ([1.0, 0.0, 0.0],)) == [0.0, 6.0, 0.0]


def test_aux_is_passed_on():
    def function(x, k):
        return x[0] * x[1] ** k, {"sum": x[0] + x[1], "name": "both", "k": k}

    for transform in (grad, value_and_grad, hessian, jacobian):
        replayed, own = (each(transform(function, has_aux=True)) for each in (compiled, lambda f: f))
        for x in ([2.0, 3.0], [5.0, 7.0]):
            found, expected = replayed(x, 2.0), own(x, 2.0)
            assert found == expected


def test_products_with_the_hessian():
    product = compiled(partial(hvp, network), check=True)
    w, v = (autograd.structures.map(f, WEIGHTS) for f in (lambda x: x, lambda x: 1.0 - x))
    for x in ([0.3, -0.7], [1.0, 2.0]):
        found = product((w, x), (v, [0.0, 1.0]))
        expected = hvp(network, (w, x), (v, [0.0, 1.0]))
        assert autograd.structures.flatten(found)[1] == autograd.structures.flatten(expected)[1]
        np.testing.assert_allclose(numbers(found), numbers(expected), rtol=1e-11, atol=1e-15)
    one = compiled(partial(hvp, rosenbrock))
    assert one((POINTS[0],), (POINTS[1],)) == pytest.approx(hvp(rosenbrock, (POINTS[0],), (POINTS[1],)), rel=1e-12)
    with pytest.raises(ValueError, match="hvp: tangents: expected a sequence of 3"):
        one((POINTS[0],), ([1.0],))


def test_a_result_that_depends_on_no_argument():
    for transform in (lambda f: f, grad, value_and_grad, hessian, jacobian):
        function = transform(lambda x: 3.0)
        assert compiled(function)([1.0, 2.0]) == function([1.0, 2.0])
    assert compiled(lambda x, y: [x, 3.0])(1.0, 2.0) == [1.0, 3.0]
    assert compiled(lambda: 5.0)() == 5.0
    assert compiled(grad(lambda x: x[0]))([1.0, 2.0]) == [1.0, 0.0]


# ---- What can be differentiated further is not replayed


def test_values_as_arguments_keep_their_graph():
    replayed = compiled(rosenbrock)
    replayed(POINTS[0])
    x = [Value(number) for number in POINTS[1]]
    result = replayed(x)
    result.backward()
    assert [value.grad for value in x] == grad(rosenbrock)(POINTS[1])


@pytest.mark.parametrize("inner", [lambda f: f, grad])
def test_transforms_of_compiled_functions(inner):
    def cube(x):
        return x**3 + sin(x)

    function, replayed = inner(cube), compiled(inner(cube))
    replayed(2.0)
    for transform in (grad, derivative, lambda f: grad(grad(f)), lambda f: compiled(grad(f))):
        assert transform(replayed)(0.7) == pytest.approx(transform(function)(0.7), rel=1e-12)
    assert jvp(replayed, (0.7,), (2.0,)) == pytest.approx(jvp(function, (0.7,), (2.0,)), rel=1e-12)


def test_a_number_of_a_transform_around_reaches_it_by_closure():
    """The inner function is recorded before, with a number there: its derivative by that must not be lost."""
    scale = [2.0]
    inner = compiled(lambda x: scale[0] * x**2)
    assert inner(3.0) == 18.0

    def outer(w):
        scale[0] = w
        return inner(3.0) * 5.0

    assert grad(outer)(7.0) == 45.0


def test_within_a_recording():
    inner = compiled(lambda x: x[0] * sin(x[1]))
    inner([1.0, 2.0])
    tape = Tape.record(lambda x: inner(x) ** 2, [[0.5, 0.25]])
    batch = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert tape.forward(batch) == pytest.approx((batch[:, 0] * np.sin(batch[:, 1])) ** 2)


def test_values_from_outside():
    """While operations record, the result can be differentiated by them; without, their data are read afresh."""
    w = Value(2.0)
    function, calls = counted(lambda x: w * x**2)
    replayed, slope = compiled(function), compiled(grad(function))
    total = replayed(3.0) + w
    total.backward()
    assert w.grad == 10.0
    assert isinstance(slope(3.0), Value)
    with no_grad():
        before = len(calls)
        for number in (2.0, 5.0, -1.0):
            w.data = number
            result = replayed(3.0)
            assert (float(result), slope(3.0)) == (9.0 * number, 6.0 * number)
        assert len(calls) == before


def test_a_models_parameters_are_read_afresh():
    random.seed(0)
    model = MLP(3, [4, 1])
    replayed = compiled(grad(lambda x: model(x) ** 2))
    for _ in range(3):
        for p in model.parameters():
            p.data += 0.25
        with no_grad():
            assert replayed(POINTS[0]) == pytest.approx(grad(lambda x: model(x) ** 2)(POINTS[0]), rel=1e-12)


def test_leaves_that_the_function_makes_are_constants():
    def function(x):
        total = Value(0.0)
        for y in x:
            total = total + y * y
        return total

    replayed = compiled(grad(function), check=True)
    recorded, calls = counted(function)
    again = compiled(grad(recorded))
    for point in POINTS:
        assert replayed(point) == again(point) == [2.0 * y for y in point]
    assert len(calls) == 2  # they might have been a model's, built then


def test_no_value_is_touched():
    x = Value(2.0)
    x.grad = 7.0
    with no_grad():
        compiled(grad(lambda y: x * y))(3.0)
    assert (x.data, x.grad) == (2.0, 7.0)


# ---- Errors and check


def test_a_branch_on_an_argument_is_refused():
    replayed = compiled(lambda x: x if x > 0.0 else -x)
    for _ in range(2):
        with pytest.raises(RecordingError, match=r"^compiled: a comparison of .*choose within the graph"):
            replayed(1.0)


def test_an_error_that_is_kept_does_not_keep_functions_from_being_replayed():
    function, calls = counted(lambda x: x * 3.0)
    replayed = compiled(function)
    replayed(1.0)
    for failing in (compiled(lambda x: x if x > 0.0 else -x), grad(lambda x: log(x))):
        with pytest.raises((RecordingError, ValueError)) as kept:
            failing(-1.0)
        assert (replayed(2.0), len(calls)) == (6.0, 1)
        del kept


def test_check_names_the_first_difference():
    state = {"scale": 2.0}
    replayed = compiled(lambda x: {"a": x, "b": [x * state["scale"]]}, check=True)
    assert replayed(3.0) == {"a": 3.0, "b": [6.0]}
    state["scale"] = 5.0
    with pytest.raises(
        RecordingError,
        match=r"compiled: check: the function returns 15.0 at \['b'\]\[0\], and its recording 6.0: it dep",
    ):
        replayed(3.0)


def test_check_finds_what_else_changes():
    source = random.Random(0)
    for function in (
        lambda x: x * source.random(),
        lambda x: [x] * source.choice([1, 2, 3]),
        lambda x: x.data * x if isinstance(x, Value) else x * x,
    ):
        replayed = compiled(function, check=True)
        with pytest.raises(RecordingError, match="it depends on something that is no argument"):
            [replayed(1.0 + k) for k in range(20)]


def test_data_stay_as_they_were_in_the_recording():
    """Also where nothing else is computed from the arguments, and where check calls the function."""
    for function, expected in (
        (lambda x: x.data * 2.0, 2.0),
        (lambda x: [x.data, np.array([x.data])], [1.0, np.ones(1)]),
        (lambda x: [], []),
        (lambda x: x.data * x, 5.0),
    ):
        replayed, checked = compiled(function), compiled(function, check=True)
        assert repr(checked(1.0)) == repr(replayed(1.0))
        assert repr(replayed(5.0)) == repr(expected)
        if expected:
            with pytest.raises(RecordingError, match="it depends on something that is no argument"):
                checked(5.0)
    slope = compiled(grad(lambda x, y: x * y.data), check=True)
    assert slope(1.0, 2.0) == 2.0
    with pytest.raises(RecordingError, match=r"returns 3.0, and its recording 2.0"):
        slope(1.0, 3.0)


def test_check_lets_infinite_numbers_and_nan_pass():
    replayed = compiled(grad(sqrt), check=True)
    assert replayed(4.0) == 0.25
    assert replayed(0.0) == math.inf
    assert math.isnan(compiled(grad(lambda x: sqrt(x * x)), check=True)(0.0))


def test_numbers_follow_ieee_754_once_recorded():
    replayed = compiled(log)
    with pytest.raises(ValueError, match="log"):
        replayed(-1.0)
    assert replayed(1.0) == 0.0
    assert math.isnan(replayed(-1.0))
    assert replayed(0.0) == -math.inf


def test_errors_say_what_was_expected():
    with pytest.raises(TypeError, match="compiled: expected a function, got"):
        compiled(3.0)
    with pytest.raises(TypeError, match="compiled: static: expected positions and names of arguments in a tuple, got"):
        compiled(rosenbrock, static="x")
    with pytest.raises(TypeError, match="compiled: what the function has returned"):
        compiled(lambda x: "text")(1.0)
    with pytest.raises(TypeError, match="grad: expected the function to return a number"):
        compiled(grad(lambda x: [x, x]))(1.0)
    with pytest.raises(TypeError, match=r"^compiled: the argument: expected a real number, got str: 'text' at \[1\]"):
        compiled(grad(lambda x: x[0]))([1.0, "text"])
    with pytest.raises(ValueError, match="argnums"):
        compiled(grad(lambda x: x, 1))(1.0)
    circle = [1.0]
    circle.append(circle)
    with pytest.raises(ValueError, match="holds itself"):
        compiled(lambda x: x[0])(circle)


def test_a_failed_recording_leaves_nothing():
    fails = [True]

    def function(x):
        if fails[0]:
            raise ZeroDivisionError
        return x * 2.0

    replayed = compiled(function)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            replayed(1.0)
    fails[0] = False
    assert replayed(1.0) == 2.0


def test_it_looks_like_the_function():
    def named(x):
        """Doubles."""
        return 2.0 * x

    assert (compiled(named).__name__, compiled(named).__doc__) == ("named", "Doubles.")


# ---- Threads and memory


def test_many_threads_may_call_it():
    replayed = compiled(value_and_grad(rosenbrock))
    source = random.Random(0)
    points = [[source.uniform(-2.0, 2.0) for _ in range(3 + i % 3)] for i in range(60)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(replayed, points))
    for point, one in zip(points, found, strict=True):
        assert numbers(one) == pytest.approx(numbers(value_and_grad(rosenbrock)(point)))


@pytest.mark.parametrize("around", [lambda f: grad(f)(1.0), lambda f: Tape.record(f, [1.0])])
def test_what_other_threads_evaluate_and_record_does_not_matter(around):
    function, calls = counted(log)
    replayed = compiled(function)
    replayed(1)
    begun, over = threading.Event(), threading.Event()

    def waiting(x):
        begun.set()
        over.wait(20.0)
        return x * 2.0

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(around, waiting)
        begun.wait(20.0)
        try:
            assert math.isnan(replayed(-1))
            assert repr(compiled(lambda n: n)(3)) == "3.0"
            assert len(calls) == 1
        finally:
            over.set()
        other.result()


def test_what_a_thread_computes_for_a_function_that_is_differentiated_keeps_its_graph():
    scale = [2.0]
    inner = compiled(lambda x: scale[0] * x**2)
    assert inner(3.0) == 18.0

    def in_a_copied_context(w):
        scale[0] = w
        return pool.submit(copy_context().run, inner, 3.0).result() * 5.0

    def in_a_thread(w):
        return pool.submit(compiled(lambda x: w * x**2), 3.0).result() * 5.0

    with ThreadPoolExecutor(1) as pool:
        assert grad(in_a_copied_context)(7.0) == grad(in_a_thread)(7.0) == 45.0
        tape = Tape.record(lambda w: in_a_thread(w[0]), [[7.0]])
    assert tape.forward([[2.0], [3.0]]).ravel().tolist() == [90.0, 135.0]


def test_results_belong_to_the_caller():
    replayed = compiled(grad(lambda x: (x * x).sum()))
    x = np.array([1.0, 2.0])
    first = replayed(x)
    first += 100.0
    second = replayed(x)
    assert second.tolist() == [2.0, 4.0]
    assert x.tolist() == [1.0, 2.0]
    identity = compiled(lambda x: x)
    returned = identity(x)
    returned += 1.0
    assert identity(x).tolist() == [1.0, 2.0]


def test_it_is_freed_by_reference_counting():
    gc.disable()
    try:

        def function(x):
            return x * cos(x)

        replayed = compiled(grad(function))
        replayed(1.0)
        gone = weakref.ref(function)
        del replayed, function
        assert gone() is None
    finally:
        gc.enable()
