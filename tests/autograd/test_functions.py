"""The functions: on floats a float, on Values a Value, and what they tell of themselves."""

from __future__ import annotations

import inspect
import itertools
import math
import pickle
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest

import autograd
from autograd import (
    Tape,
    Value,
    define,
    derivative,
    dot,
    draw,
    engine,
    explain,
    functions,
    grad,
    no_grad,
    structures,
    where,
)
from autograd.operations import OPERATIONS
from nn import MLP

pytestmark = pytest.mark.both_engines

mp = mpmath.mp.clone()


@pytest.mark.parametrize("name", OPERATIONS)
def test_functions_on_floats_return_the_value_that_values_have(name):
    function = getattr(autograd, name)
    for point in OPERATIONS[name].samples:
        number = function(*point)
        assert type(number) is float
        lifted = [[Value(x) for x in operand] if isinstance(operand, list) else Value(operand) for operand in point]
        assert function(*lifted).data == number


@pytest.mark.parametrize("name", OPERATIONS)
def test_functions_tell_formula_and_signature(name):
    operation, function = OPERATIONS[name], getattr(autograd, name)
    assert function.__name__ == name
    assert operation.formula in function.__doc__
    extra = ("start",) if name == "sum" else ()
    is_a_builtins = name in ("max", "min")  # and takes what that takes
    assert is_a_builtins or tuple(inspect.signature(function).parameters) == operation.operands + extra
    assert operation.domain in function.__doc__
    assert (name in functions.__all__) == (name in autograd.__all__) == (not is_a_builtins)


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if not operation.sequences])
def test_every_operation_of_scalars_is_a_method(name):
    point = OPERATIONS[name].samples[0]
    assert getattr(Value(point[0]), name)(*point[1:]).data == getattr(autograd, name)(*point)


def test_operands_by_keyword_and_by_default():
    x = Value(-2.0)
    assert x.leaky_relu().data == -0.02
    assert x.leaky_relu(slope=0.5).data == autograd.leaky_relu(x, 0.5).data == -1.0
    assert dot([2.0], [3.0], bias=1.0) == 7.0
    slope = Value(0.5)
    x.leaky_relu(slope).backward()
    assert (x.grad, slope.grad) == (0.5, -2.0)


def test_where_chooses_a_branch_and_its_derivative():
    x = Value(2.0)
    where(x > 0, x * x, -x).backward()
    assert x.grad == 4.0
    assert where(False, 1.0, 2.0) == 2.0


# ---- what builtins take: `from autograd import *` replaces them

BUILTIN_SUMS = {
    "integers": lambda total: total([1, 2, 3]),
    "nothing": lambda total: total([]),
    "a start": lambda total: total([1, 2], 10),
    "a start by name": lambda total: total([1, 2], start=10),
    "a generator with a start": lambda total: total((i * i for i in range(5)), 1.5),
    "a range": lambda total: total(range(10)),
    "lists": lambda total: total([[1], [2, 3]], []),
    "tuples": lambda total: total(((i,) for i in range(3)), ()),
    "fractions": lambda total: total([Fraction(1, 3), Fraction(1, 6)]),
    "decimals": lambda total: total([Decimal("0.1")] * 3, Decimal(0)),
    "complex numbers": lambda total: total([1j, 2.0, 3]),
    "booleans": lambda total: total([True, False, True]),
    "large integers": lambda total: total([10**400, 1]),
    "floats": lambda total: total([0.5, 0.25, -2.0]),
    "floats and integers": lambda total: total([0.5, 1]),
    "float64": lambda total: total([np.float64(0.5), np.float64(0.25)]),
    "arrays": lambda total: total([np.ones(2), np.ones(2)]).tolist(),
    "a matrix": lambda total: total(np.eye(2)).tolist(),
    "a dict": lambda total: total({1: "a", 2: "b"}),
    "strings": lambda total: total(["a", "b"], ""),
    "strings without a start": lambda total: total(["a", "b"]),
    "None": lambda total: total([1, None]),
    "no iterable": lambda total: total(5),
    "no argument": lambda total: total(),
    "a keyword": lambda total: total(x=[1]),
}


def outcome(call):
    try:
        return call(), None
    except Exception as error:
        return None, type(error)


@pytest.mark.parametrize("name", BUILTIN_SUMS)
def test_sum_is_the_builtin_where_there_are_no_values(name):
    found, expected = (outcome(lambda total=total: BUILTIN_SUMS[name](total)) for total in (autograd.sum, sum))
    assert found == expected
    assert type(found[0]) is type(expected[0])


class Adding(Value):
    def __add__(self, other):
        return Adding(super().__add__(other).detach(), label="added")


VALUE_SUMS = {
    "a list": lambda total, v, w: total([v, 2, w]),
    "a tuple": lambda total, v, w: total((v, 2.5, w, v)),
    "a generator": lambda total, v, w: total(x for x in (v, w)),
    "a generator with a start": lambda total, v, w: total((x for x in (v, w)), 1.5),
    "a Value as the start": lambda total, v, w: total([1.0, 2.0], v),
    "a Value as the start, by name": lambda total, v, w: total([w, w], start=v),
    "a zero as the start": lambda total, v, w: total([v, w], 0.0),
    "other numbers": lambda total, v, w: total([Fraction(1, 4), v, np.float32(0.5), True]),
    "one": lambda total, v, w: total([v]),
}


@pytest.mark.parametrize("name", VALUE_SUMS)
def test_a_sum_of_values_is_one_node(name):
    v, w, x, y = Value(1.25), Value(-0.5), Value(1.25), Value(-0.5)
    found, expected = VALUE_SUMS[name](autograd.sum, v, w), VALUE_SUMS[name](sum, x, y)
    assert found.op == "sum"
    assert found.operation is OPERATIONS["sum"]
    found.backward()
    expected.backward()
    assert (found.data, v.grad, w.grad) == (expected.data, x.grad, y.grad)


def test_a_sum_of_arrays_and_values_and_of_a_subclass_goes_by_their_own_addition():
    v = Value(1.5)
    result = autograd.sum([v, np.ones(2)], v)
    assert [element.data for element in result] == [4.0, 4.0]
    assert result[0].op == "+"
    own = autograd.sum([Adding(1.0), v, Adding(2.0)])
    assert (type(own), own.data, own.label) == (Adding, 4.5, "added")
    assert autograd.sum([v, 2.0], Adding(2.0)).label == "added"
    assert autograd.sum([v, v]).op == "sum"
    with pytest.raises(TypeError, match="unsupported operand"):
        autograd.sum([v, "x"])


# ---- functions of sequences

BUILTIN_EXTREMES = {
    "integers": lambda f: f([1, 3, 2]),
    "floats": lambda f: f([1.5, 3.5, -2.0]),
    "integers and floats": lambda f: f([1, 2.5, -2]),
    "arguments": lambda f: f(1, 2.5, -2),
    "strings": lambda f: f("hello"),
    "lists": lambda f: f([[1, 2], [3]]),
    "a generator": lambda f: f(i * i for i in range(-3, 3)),
    "a dict": lambda f: f({"b": 1, "a": 2}),
    "fractions": lambda f: f(Fraction(1, 3), Fraction(1, 2)),
    "an array": lambda f: f(np.array([1, 5, 2])),
    "a key": lambda f: f([1, -5, 2], key=abs),
    "no key": lambda f: f([1, -5, 2], key=None),
    "a default": lambda f: f([1, -5, 2], default=9),
    "a default for nothing": lambda f: f([], default=9),
    "large integers": lambda f: f([10**400, 1]),
    "nothing": lambda f: f([]),
    "no argument": lambda f: f(),
    "no iterable": lambda f: f(5),
    "two arguments and a default": lambda f: f(1, 2, default=3),
    "another keyword": lambda f: f([1, 2], start=3),
    "what has no order": lambda f: f([1, "a"]),
}


@pytest.mark.parametrize("extreme", [max, min])
@pytest.mark.parametrize("name", BUILTIN_EXTREMES)
def test_max_and_min_are_the_builtins_where_there_are_no_values(name, extreme):
    own = getattr(autograd, extreme.__name__)
    found, expected = (outcome(lambda f=f: BUILTIN_EXTREMES[name](f)) for f in (own, extreme))
    assert found == expected
    assert type(found[0]) is type(expected[0])


def test_import_star_leaves_the_builtins_max_and_min_alone():
    names = {}
    exec("from autograd import *", names)
    assert "max" not in names
    assert "min" not in names
    assert autograd.max is functions.max


FORMS = {
    "a list": list,
    "a tuple": tuple,
    "a generator": lambda values: (value for value in values),
    "an array of objects": lambda values: np.array([*values, None], dtype=object)[:-1],
    "a dict": lambda values: dict.fromkeys(values),
}
SEQUENCE_FUNCTIONS = {
    "max": autograd.max,
    "min": autograd.min,
    "mean": autograd.mean,
    "prod": autograd.prod,
    "softmax": lambda x: autograd.dot([1.0, -2.0, 0.5], autograd.softmax(x)),
}
EXACT = {
    "max": lambda x: max(x),
    "min": lambda x: min(x),
    "mean": lambda x: sum(x) / len(x),
    "prod": lambda x: x[0] * x[1] * x[2],
    "softmax": lambda x: sum(w * mp.exp(z) for w, z in zip([1, -2, 0.5], x, strict=True)) / sum(map(mp.exp, x)),
}
every_sequence_function = pytest.mark.parametrize("name", SEQUENCE_FUNCTIONS)


@every_sequence_function
@pytest.mark.parametrize("form", FORMS)
def test_functions_of_sequences_take_every_sequence_with_values(name, form):
    if (name, form) == ("softmax", "a dict"):
        pytest.skip("it has no order")
    x = [Value(1.5), Value(-0.25), Value(0.75)]
    result = SEQUENCE_FUNCTIONS[name](FORMS[form](x))
    result.backward()
    assert result.data == pytest.approx(float(EXACT[name]([1.5, -0.25, 0.75])), rel=1e-15)
    assert [x_i.grad for x_i in x] == grad(lambda x: SEQUENCE_FUNCTIONS[name](x))([1.5, -0.25, 0.75])


@every_sequence_function
def test_functions_of_sequences_take_numbers_among_values_and_alone(name):
    function = SEQUENCE_FUNCTIONS[name]
    x = Value(1.5)
    mixed = function([x, np.float32(-0.25), Fraction(3, 4)])
    assert mixed.data == function([1.5, -0.25, 0.75])
    assert mixed.data == function(np.array([1.5, -0.25, 0.75]))
    assert type(function([1.5, -0.25, 0.75])) is float
    mixed.backward()
    assert x.grad == grad(function)([1.5, -0.25, 0.75])[0]
    with no_grad():
        assert function([x, -0.25, 0.75]).parents == ()


@every_sequence_function
def test_derivatives_of_functions_of_sequences_to_the_third_order_against_50_digits(name):
    numbers = [1.5, -0.25, 0.75]
    slopes = autograd.jacobian(autograd.hessian(SEQUENCE_FUNCTIONS[name]))(numbers)
    for i, j, k in itertools.combinations_with_replacement(range(3), 3):
        orders = tuple([i, j, k].count(n) for n in range(3))
        with mp.workdps(60):
            true = mp.diff(lambda *x: EXACT[name](x), numbers, orders)
        assert slopes[i][j][k] == pytest.approx(float(true), rel=1e-12, abs=1e-15)


@every_sequence_function
def test_functions_of_sequences_on_every_executor_forward_mode_drawings_and_traces(name):
    function, batch = SEQUENCE_FUNCTIONS[name], np.random.default_rng(0).normal(size=(9, 3))
    expected = [function(row.tolist()) for row in batch]
    slopes = [grad(function)(row.tolist()) for row in batch]
    for executor in ("native", "numpy") if engine == "native" else ("numpy",):
        tape = Tape.record(function, [[0.1, 0.2, 0.3]], executor=executor)
        assert tape.forward(batch).tolist() == pytest.approx(expected, rel=1e-15)
        assert tape.jacobian(batch, wrt="inputs") == pytest.approx(np.array(slopes), rel=1e-15)
    value, tangent = autograd.jvp(function, (batch[0].tolist(),), ([1.0, 2.0, 3.0],))
    assert (value, tangent) == (expected[0], pytest.approx(np.dot(slopes[0], [1.0, 2.0, 3.0]), rel=1e-14))
    x = [Value(number) for number in batch[0]]
    result = function(x)
    assert result.op in draw(result).svg
    assert "=" in explain(result).text


@pytest.mark.parametrize("given", [[], (), np.array([]), iter(())], ids=["list", "tuple", "array", "iterator"])
def test_of_nothing_there_is_a_product_and_nothing_else(given):
    assert autograd.prod([]) == 1.0
    for function in (autograd.max, autograd.min, autograd.mean, autograd.softmax):
        with pytest.raises(ValueError, match=r"expected at least one number, got none|empty"):
            function(given)


WRONG_SEQUENCES = {
    "a number": 5.0,
    "a Value": Value(5.0),
    "an array of no dimensions": np.array(5.0),
    "a matrix": np.array([[Value(1.0)], [Value(2.0)]]),
    "a string among Values": [Value(1.0), "2"],
    "None among Values": [None, Value(1.0)],
    "a complex number among Values": [Value(1.0), 1j],
    "None": None,
    "a masked array": np.ma.array([1.0, 2.0], mask=[False, True]),
    "a masked element": [1.0, np.ma.masked],
    "a masked element among Values": [Value(1.0), np.ma.masked],
    "a masked element before Values": (np.ma.masked, Value(1.0)),
}


@pytest.mark.parametrize("function", ["max", "min", "mean", "prod", "softmax", "softmax_of", "logsumexp"])
@pytest.mark.parametrize("name", WRONG_SEQUENCES)
def test_what_is_no_sequence_of_numbers_is_refused_with_its_type(function, name):
    arguments = (WRONG_SEQUENCES[name], 1.0)[: 1 + (function == "softmax_of")]
    with pytest.raises(TypeError, match=rf"^{function}.*expected .*, got [\w.]+: "):
        getattr(autograd, function)(*arguments)


@pytest.mark.parametrize("name", ["a number", "a Value", "an array of no dimensions", "None"])
@pytest.mark.parametrize("start", [0, 1.0, Value(1.0)])
def test_a_sum_of_no_sequence_is_refused_with_its_type(name, start):
    with pytest.raises(TypeError, match=r"^sum: expected a sequence of numbers, got \w+: "):
        autograd.sum(WRONG_SEQUENCES[name], start)


@pytest.mark.parametrize("name", [name for name in WRONG_SEQUENCES if "masked" in name])
def test_a_sum_of_masked_elements_is_refused(name):
    with pytest.raises(TypeError, match=r"^sum\(x\): expected a real number, got MaskedConstant: masked$"):
        autograd.sum(WRONG_SEQUENCES[name])


def test_a_sum_takes_whatever_can_be_iterated_over():
    class Indexed:
        def __getitem__(self, i):
            return [Value(1.0), 2.0][i]

    assert autograd.sum(Indexed()).data == 3.0
    assert autograd.mean(Indexed()).data == 1.5


def test_a_key_chooses_a_value_whose_derivative_is_its_own():
    x = [Value(1.0), Value(-3.0)]
    assert autograd.max(x, key=lambda value: abs(value.data)) is x[1]
    assert autograd.max([], default=x[0]) is x[0]


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_the_derivative_of_a_product_is_the_product_of_the_others_where_factors_are_0(place, zeros):
    numbers = [3.0, -0.5, 7.0, 1e-200]
    numbers = [0.0 if (i - place) % 4 < zeros else number for i, number in enumerate(numbers)]
    others = [math.prod(numbers[:i] + numbers[i + 1 :]) for i in range(4)]
    assert grad(autograd.prod)(numbers) == pytest.approx(others, rel=1e-15, abs=0)
    second = autograd.hessian(autograd.prod)(numbers)
    for i, j in itertools.permutations(range(4), 2):
        rest = [number for k, number in enumerate(numbers) if k not in (i, j)]
        assert second[i][j] == pytest.approx(rest[0] * rest[1], rel=1e-15, abs=0)
    assert [second[i][i] for i in range(4)] == [0.0] * 4


SOFTMAX_POINTS = {
    "next to 1": [40.0, 0.0, -3.0],
    "next to 1/2": [1e-9, 0.0],
    "huge": [1e300, 1000.0, 1e300],
    "large and near": [1000.1, 1000.7, 999.9],
    "far apart": [0.1, -300.3, -600.7],
    "one": [3.0],
    "equal": [2.0] * 7,
}


@pytest.mark.parametrize("name", SOFTMAX_POINTS)
def test_softmax_and_its_derivatives_keep_their_digits(name):
    z = SOFTMAX_POINTS[name]
    with mp.workdps(60 + 300):
        exponentials = [mp.exp(mp.mpf(z_i) - mp.mpf(max(z))) for z_i in z]
        p = [e / sum(exponentials) for e in exponentials]
        expected = [[p_i * (1 - p_i) if i == j else -p_i * p_j for j, p_j in enumerate(p)] for i, p_i in enumerate(p)]
    assert autograd.softmax(z) == pytest.approx([float(p_i) for p_i in p], rel=1e-14, abs=0)
    slopes = autograd.jacobian(autograd.softmax)(z)
    second = autograd.hessian(lambda z: autograd.softmax(z)[0])(z)
    for i in range(len(z)):
        assert slopes[i] == pytest.approx([float(slope) for slope in expected[i]], rel=1e-14, abs=1e-300)
    with mp.workdps(60 + 300):
        for i, j in itertools.product(range(len(z)), repeat=2):
            own, other = int(i == 0), int(j == 0)
            true = p[0] * ((own - p[i]) * (other - p[j]) - p[i] * (int(i == j) - p[j]))
            assert second[i][j] == pytest.approx(float(true), rel=1e-12, abs=1e-30)


def test_softmax_of_infinite_logits():
    assert autograd.softmax([-math.inf, 1.0]) == [0.0, 1.0]
    assert autograd.softmax([math.inf, 1.0]) == [1.0, 0.0]
    assert autograd.jacobian(autograd.softmax)([-math.inf, 1.0]) == [[0.0, 0.0], [0.0, 0.0]]
    assert all(map(math.isnan, autograd.softmax([math.nan, 1.0])))


@pytest.mark.parametrize("kind", [float, Value])
def test_an_error_names_the_function_that_was_called(kind):
    infinite = [kind(-math.inf), -math.inf]
    with pytest.raises(ZeroDivisionError, match=r"^softmax: expected any logit > -inf, got \[-inf, -inf\]$"):
        autograd.softmax(infinite)
    with pytest.raises(ValueError, match=r"^logaddexp: expected x or y > -inf, got \[-inf, -inf\]$"):
        autograd.logaddexp(*infinite)


def test_logaddexp_is_the_logsumexp_of_two():
    x, y = Value(0.5), Value(-1.25)
    result = autograd.logaddexp(x, y)
    assert result.data == autograd.logsumexp([0.5, -1.25]) == pytest.approx(np.logaddexp(0.5, -1.25), rel=1e-15)
    assert result.parents == (x, y)
    assert autograd.logaddexp(-math.inf, 2) == 2.0
    with pytest.raises(TypeError, match=r"^logaddexp: expected a real number, got str: 'x'"):
        autograd.logaddexp(x, "x")


@pytest.mark.parametrize(
    "thing", [-3, True, -2.5, 3 - 4j, Fraction(-1, 3), Decimal("-2"), np.float64(-1.0), "x", None, []]
)
def test_abs_is_the_builtin_where_there_is_no_value(thing):
    found, expected = outcome(lambda: autograd.abs(thing)), outcome(lambda: abs(thing))
    assert found == expected
    assert type(found[0]) is type(expected[0])


def test_abs_of_a_value_and_of_an_array():
    v = Value(-2.0)
    for node in (autograd.abs(v), abs(v), v.abs()):
        assert (node.data, node.op, node.parents, node.local_derivatives) == (2.0, "abs", (v,), (-1.0,))
    assert autograd.abs(np.array([-1.0, 2.0])).tolist() == [1.0, 2.0]
    assert autograd.abs(np.array([v]))[0].data == 2.0
    assert pickle.loads(pickle.dumps([Value.abs, autograd.abs, autograd.sum])) == [
        Value.abs,
        autograd.abs,
        autograd.sum,
    ]


# ---- operations that are defined at run time


def cube(**options):
    return define("cube", lambda m, x: x * x * x, [lambda m, r, x: 3.0 * x * x], **options)


def swish():
    """x σ(βx)."""
    return define(
        "swish_by", lambda m, x, beta=1.5: x * m.sigmoid(beta * x),
        [lambda m, r, x, beta: m.sigmoid(beta * x) + beta * x * m.sigmoid(beta * x) * m.sigmoid(-beta * x),
         lambda m, r, x, beta: x * x * m.sigmoid(beta * x) * m.sigmoid(-beta * x)],
        formula="x / (1 + exp(-beta * x))",
    )  # fmt: skip


def norm():
    return define(
        "norm",
        lambda m, x: m.sqrt(m.sum([x_i * x_i for x_i in x])),
        [lambda m, r, x: [x_i / r for x_i in x]],
        sequences=1,
    )


def weighted():
    """p Σ w_i x_i."""
    return define(
        "weighted",
        lambda m, w, x, p: m.sum([a * b for a, b in zip(w, x, strict=True)]) * p,
        [lambda m, r, w, x, p: [b * p for b in x],
         lambda m, r, w, x, p: [a * p for a in w],
         lambda m, r, w, x, p: m.sum([a * b for a, b in zip(w, x, strict=True)])],
        sequences=2,
    )  # fmt: skip


def reciprocal():
    return define("reciprocal", lambda m, x: 1 / x, [lambda m, r, x: -r * r], domain="x != 0", symbol="⁻¹")


def heaviside():
    """Whole numbers, and a derivative that is no Value."""
    return define("heaviside", lambda m, x: m.where(x > 0, 1, 0), [lambda m, r, x: 0])


# The same functions, of the table's operations.
BY_THE_TABLE = {
    cube: (lambda x: x**3, (0.7,)),
    swish: (lambda x, beta: x * autograd.sigmoid(beta * x), (0.7, 1.5)),
    reciprocal: (lambda x: 1.0 / x, (0.7,)),
    heaviside: (lambda x: 0.0 * x + 1.0, (0.7,)),
    norm: (lambda x: autograd.sqrt(autograd.dot(x, x)), ([0.7, -1.5, 2.0],)),
    weighted: (lambda w, x, p: autograd.dot(w, x) * p, ([0.7, -1.5], [2.0, 0.25], 3.0)),
}
of_each = pytest.mark.parametrize("make", BY_THE_TABLE)


def numbers(structure):
    return structures.flatten(structure, structures.number)[0]


def near(expected):
    return pytest.approx(numbers(expected), rel=1e-12, abs=1e-12)


@of_each
@pytest.mark.parametrize("order", range(5))
def test_derivatives_of_a_defined_operation_to_any_order(make, order):
    defined, (true, point) = make(), BY_THE_TABLE[make]
    found, expected = (
        derivative(lambda t, f=f: f(*structures.map(lambda x: x * t, point)), order=order)(1.1)  # along a line
        for f in (defined, true)
    )
    assert found == pytest.approx(expected, rel=1e-11, abs=1e-11)


@of_each
def test_every_transform_of_a_defined_operation(make):
    defined, (true, point) = make(), BY_THE_TABLE[make]
    every = tuple(range(len(point)))
    tangents = structures.map(lambda x: 0.5 - x, point)
    for transform in (
        lambda f: f(*point),
        lambda f: grad(f, argnums=every)(*point),
        lambda f: autograd.value_and_grad(f, argnums=every)(*point),
        lambda f: autograd.vjp(f, *point)[1](2.0),
        lambda f: autograd.jvp(f, point, tangents),
        lambda f: autograd.jacobian(f, argnums=every, mode="forward")(*point),
        lambda f: autograd.jacobian(f, argnums=every, mode="reverse")(*point),
        lambda f: autograd.hessian(f, argnums=every)(*point),
        lambda f: autograd.hvp(f, point, tangents),
        lambda f: gradients_of_gradients(f, point),
    ):
        assert numbers(transform(defined)) == near(transform(true))
    if make is not heaviside:  # of which there are no derivatives to compare
        assert not autograd.check_gradients(defined, point).failures


def gradients_of_gradients(function, point):
    values = structures.map(Value, point)
    first = autograd.gradients(function(*values), values, create_graph=True)
    total = autograd.sum([x * x for x in structures.flatten(first)[0]])
    return autograd.gradients(total, values)


@of_each
def test_backward_and_what_the_node_tells(make):
    defined, (true, point) = make(), BY_THE_TABLE[make]
    values, others = structures.map(Value, point), structures.map(Value, point)
    node, expected = defined(*values), true(*others)
    (node * 2.0).backward()
    (expected * 2.0).backward()
    flat = structures.flatten(values)[0]
    assert [x.grad for x in flat] == near([x.grad for x in structures.flatten(others)[0]])
    row = OPERATIONS[defined.__name__]
    assert (node.op, node.operation, node.parents) == (row.symbol, row, tuple(flat))
    assert node.operands == tuple(tuple(x) if isinstance(x, list) else x for x in values)
    assert all(type(number) is float for number in (node.data, *node.local_derivatives))
    assert type(defined(*point)) is float
    assert repr(node).endswith(f"op={row.symbol!r})")
    with pytest.raises(TypeError, match="it was computed"):
        pickle.dumps(node)


@of_each
def test_constants_among_the_operands(make):
    defined, (true, point) = make(), BY_THE_TABLE[make]
    flat, form = structures.flatten(point)
    for chosen in itertools.product([False, True], repeat=len(flat)):
        if not any(chosen):
            continue
        values, others = (
            [Value(x) if is_chosen else x for x, is_chosen in zip(flat, chosen, strict=True)] for _ in range(2)
        )
        node, expected = (f(*structures.unflatten(form, xs)) for f, xs in ((defined, values), (true, others)))
        node.backward()
        expected.backward()
        assert node.parents == tuple(x for x in values if isinstance(x, Value))
        assert [x.grad for x in node.parents] == near([x.grad for x in others if isinstance(x, Value)])


@of_each
def test_without_recording(make):
    defined, (_, point) = make(), BY_THE_TABLE[make]
    with no_grad():
        node = defined(*structures.map(Value, point))
        assert (type(node), node.parents, node.op) == (Value, (), "")
        assert type(defined(*point)) is float
    assert node.data == defined(*point)


@of_each
def test_a_tape_of_a_defined_operation(make):
    defined, (true, point) = make(), BY_THE_TABLE[make]
    batch = [[x + 0.01 * k for x in numbers(point)] for k in range(5)]

    def recorded(function):
        weight = Value(3.0)
        return Tape.record(lambda *x: function(*x) * weight, point)

    tape, expected = recorded(defined), recorded(true)
    assert tape.executor == "numpy"
    for copied in (tape, pickle.loads(pickle.dumps(tape))):
        assert copied.forward(batch).tolist() == near(expected.forward(batch).tolist())
        found, truth = (t.backward(inputs=True).ravel().tolist() for t in (copied, expected))
        assert found == near(truth)
        assert copied.parameters[0].grad == pytest.approx(expected.parameters[0].grad, rel=1e-12)
        expected.parameters[0].grad = 0.0
    assert defined.__name__ in tape.listing()
    other = Tape([defined(*structures.map(Value, point)), Value(2.0) * 3.0])
    assert other.forward().ravel().tolist() == [defined(*point), 6.0]


@of_each
def test_a_tape_goes_only_where_the_operation_is_defined(make):
    defined = make()
    x = Value(0.5)
    _, point = BY_THE_TABLE[make]
    saved = pickle.dumps(Tape(defined(*structures.map(lambda number: x * number, point)), [x]))
    functions.forget_definition(defined.__name__)
    message = (
        f"^this tape has operations that are not in the table here: {defined.__name__}; "
        "those of your own must be defined before it is loaded$"
    )
    with pytest.raises(ValueError, match=message):
        pickle.loads(saved)
    make()
    assert pickle.loads(saved).forward([0.5]).shape == (1,)


def test_no_other_executor_has_it():
    x = Value(0.5)
    tape = Tape(x * 2.0 + cube()(x), [x])
    reason = (
        "it has nothing compiled for cube, defined at run time"
        if engine == "native"
        else "it is part of the native engine, and the python engine is in use"
    )
    with pytest.raises(ValueError, match=f"^Tape: executor: expected numpy( or xla)?( or c)?, got 'native': {reason}$"):
        Tape(x * 2.0 + autograd.functions.cube(x), [x], executor="native")
    assert tape.executor == "numpy"
    if engine == "native":
        assert Tape(x * 2.0, [x]).executor == "native"


DEFINED_FIRST = """
import autograd
from autograd import Value, define
cube = define("cube", lambda m, x: x * x * x, [lambda m, r, x: 3.0 * x * x])
from autograd import Tape
x = Value(2.0)
tape = Tape(cube(x) * x, [x])
assert tape.executor == "numpy" and tape.forward([[1.0], [2.0]]).tolist() == [1.0, 16.0]
assert Tape(x * x, [x]).forward([[3.0]]).tolist() == [9.0]
import pickle, nn
assert pickle.loads(pickle.dumps(cube)) is cube
print("done")
"""


def test_it_may_be_defined_before_tapes_are_imported():
    child = subprocess.run([sys.executable, "-c", DEFINED_FIRST], capture_output=True, text=True, check=False)
    assert child.stdout == "done\n", child.stderr


@of_each
def test_pictures_and_words(make):
    defined, (_, point) = make(), BY_THE_TABLE[make]
    node = defined(*structures.map(lambda x: Value(x, label=f"w{x}"), point)) * 2.0
    node.backward()
    symbol = OPERATIONS[defined.__name__].symbol
    assert symbol in draw(node).svg
    explanation = explain(node)
    assert f"= {defined.__name__}(" in explanation.text
    for written in (explanation.html, explanation.latex, explanation.markdown):
        assert defined.__name__ in written.replace(r"\_", "_")


def test_a_symbol_between_two_operands():
    midpoint = define("midpoint", lambda m, x, y: (x + y) / 2, [lambda m, r, x, y: 0.5] * 2, symbol="⊕")
    x, y = Value(1.0, label="x"), Value(2.0, label="y")
    assert "v1 = x ⊕ y = 1 ⊕ 2 = 1.5" in explain(midpoint(x, y)).text
    assert "⊕" in draw(midpoint(x, y)).svg
    assert Tape(midpoint(x, y), [x]).listing().splitlines()[2] == "v2 = v0 ⊕ v1"


def test_methods_keywords_and_names():
    f = swish()
    x = Value(0.7)
    assert x.swish_by().data == f(0.7) == f(0.7, 1.5) == f(x=0.7, beta=1.5)
    assert x.swish_by(beta=2.0).data == f(x, 2.0).data == f(0.7, beta=2.0)
    assert x.swish_by(Value(2.0)).parents[0] is x
    assert (f.__name__, f.__qualname__, f.__module__) == ("swish_by", "swish_by", "autograd.functions")
    assert [*inspect.signature(f).parameters] == ["x", "beta"]
    assert f.__doc__.startswith("swish_by(x, beta=1.5) = x / (1 + exp(-beta * x))\n")
    assert f is autograd.functions.swish_by is Value.swish_by
    assert pickle.loads(pickle.dumps(f)) is f
    assert np.array([x]).tolist()[0].swish_by().data == f(0.7)
    assert not hasattr(Value, norm().__name__)


def test_one_defined_operation_in_the_rule_of_another():
    cube()
    f = define("sixth", lambda m, x: m.cube(x) * m.cube(x), [lambda m, r, x: 6.0 * m.cube(x) * x * x])
    assert [derivative(f, order=n)(1.0) for n in range(5)] == [1.0, 6.0, 30.0, 120.0, 360.0]
    assert Tape.record(f, [1.0]).forward([[2.0]]).tolist() == [64.0]


def test_as_the_activation_of_a_network():
    model = MLP(2, [3, 1], activation=cube())
    copied = pickle.loads(pickle.dumps(model))
    assert copied([1.0, 2.0]).data == model([1.0, 2.0]).data


def test_the_same_definition_again_is_the_same_function():
    """As when a notebook's cell runs twice, or moves."""
    names = {"define": define}
    cell = "cubic = define('cubic', lambda m, x: m.power(x, 3.0), [lambda m, r, x: 3.0 * x * x], symbol='^3')"
    exec(cell, names)
    first = names["cubic"]
    exec(f"# mended\n{cell}", names)
    assert names["cubic"] is first
    for other in (cell.replace("3.0)", "4.0)"), cell.replace("3.0 *", "4.0 *"), cell.replace("^3", "^4")):
        with pytest.raises(ValueError, match="there is an operation 'cubic' already"):
            exec(other, names)
    with pytest.raises(ValueError, match="there is an operation 'cubic' already"):
        exec(cell, {"define": define})  # where names may mean something else

    partials = [lambda m, r, x: 2.0 * x]
    square = define("squared_again", VALUE, partials)
    assert define("squared_again", VALUE, partials) is square
    partials[0] = lambda m, r, x: 7.0 * x
    with pytest.raises(ValueError, match="there is an operation 'squared_again' already"):
        define("squared_again", VALUE, partials)

    def scaled(m, x, *, k=2.0):
        return k * x

    define("scaled", scaled, [PARTIAL])
    scaled.__kwdefaults__ = {"k": 5.0}
    other = type(scaled)(scaled.__code__, scaled.__globals__)
    with pytest.raises(ValueError, match="there is an operation 'scaled' already"):
        define("scaled", other, [PARTIAL])

    def times(k):
        return define("times", lambda m, x: k * x, [lambda m, r, x: k])

    times(2.0)
    with pytest.raises(ValueError, match="there is an operation 'times' already"):
        times(3.0)


def test_outside_of_its_domain():
    f = reciprocal()
    for zero in (Value(0.0, label="q"), 0.0):
        with pytest.raises(ZeroDivisionError, match=r"^reciprocal\(0\.0\): division by zero"):
            f(zero)
    root = define("root", lambda m, x: m.sqrt(x), [lambda m, r, x: m.divide(0.5, r)], domain="x >= 0")
    with pytest.raises(ValueError, match=r"^root\(-1\.0\): expected x >= 0 \(x is labelled 'q'\)$"):
        root(Value(-1.0, label="q"))
    assert root(Value(0.0)).local_derivatives == (math.inf,)


CALLED_WRONGLY = {
    "a string": (lambda f, n, w: f("x"), TypeError, r"^cube\(x\): expected a real number, got str: 'x'$"),
    "no operand": (lambda f, n, w: f(), TypeError, r"^expected cube\(x\), got 0 operands$"),
    "too many": (lambda f, n, w: f(1.0, 2.0), TypeError, r"^expected cube\(x\), got 2 operands$"),
    "a keyword": (lambda f, n, w: f(1.0, y=2.0), TypeError, r"^expected cube\(x\), got 1 operand, y=$"),
    "no sequence": (lambda f, n, w: n(5), TypeError, r"^norm\(x\): expected a sequence of numbers, got int: 5$"),
    "lengths": (lambda f, n, w: w([1.0], [1.0, 2.0], 1.0), ValueError, r"expected as many of each, got 1 w and 2 x$"),
}


@pytest.mark.parametrize("name", CALLED_WRONGLY)
def test_errors_of_calls(name):
    call, error, message = CALLED_WRONGLY[name]
    with pytest.raises(error, match=message):
        call(cube(), norm(), weighted())


VALUE, PARTIAL = (lambda m, x: x), (lambda m, r, x: 1.0)
DEFINED_WRONGLY = {
    "twice": (
        lambda d: [cube(), d("cube", VALUE, [PARTIAL])],
        ValueError,
        r"there is an operation 'cube' already: <Operation cube.*; choose another name, or start Python again",
    ),
    "a row": (
        lambda d: d("tanh", VALUE, [PARTIAL]),
        ValueError,
        "there is an operation 'tanh' already: <Operation tanh",
    ),
    "a method": (lambda d: d("backward", VALUE, [PARTIAL]), ValueError, "the name 'backward' has a meaning already"),
    "an attribute": (lambda d: d("grad", VALUE, [PARTIAL]), ValueError, "the name 'grad' has a meaning already"),
    "NumPy's name": (lambda d: d("arctan", VALUE, [PARTIAL]), ValueError, "the name 'arctan' has a meaning already"),
    "a function": (lambda d: d("where", VALUE, [PARTIAL]), ValueError, "the name 'where' has a meaning already"),
    "no identifier": (lambda d: d("my op", VALUE, [PARTIAL]), TypeError, "expected an identifier .*, got str: 'my op'"),
    "a keyword": (lambda d: d("lambda", VALUE, [PARTIAL]), TypeError, "expected an identifier .*, got str: 'lambda'"),
    "no name": (lambda d: d(VALUE, VALUE, [PARTIAL]), TypeError, "expected an identifier .*, got function"),
    "no function": (lambda d: d("f", 5, [PARTIAL]), TypeError, "f: expected functions with named operands, .* int: 5"),
    "a builtin": (lambda d: d("f", VALUE, [math.sin]), TypeError, "f: expected functions with named .* math|builtin"),
    "no operand": (lambda d: d("f", lambda m: 1.0, []), ValueError, "f: expected a value of the form lambda m, x: "),
    "too few": (
        lambda d: d("f", lambda m, x, y: x * y, [PARTIAL]),
        ValueError,
        r"f: expected 2 partial derivatives, one for each operand \(x, y\), got 1",
    ),
    "too many": (
        lambda d: d("f", VALUE, [PARTIAL, PARTIAL]),
        ValueError,
        r"f: expected 1 partial derivative, one for each operand \(x\), got 2",
    ),
    "arguments": (
        lambda d: d("f", VALUE, [VALUE]),
        ValueError,
        "f: .* of the form lambda m, r, x: ..., got one of 2 arguments",
    ),
    "sequences": (lambda d: d("f", VALUE, [PARTIAL], sequences=2), ValueError, "f: sequences: expected 0 to 1, got 2"),
    "a default": (
        lambda d: d("f", lambda m, x, y="a": x, [lambda m, r, x, y: 1.0] * 2),
        TypeError,
        "f: the default of y: expected a real number, got str: 'a'",
    ),
} | {
    f"{option}: {getattr(given, '__name__', repr(given))}": (
        lambda d, option=option, given=given: d("f", VALUE, [PARTIAL], **{option: given}),
        TypeError,
        rf"f: {option}: expected .*, got {type(given).__name__}: ",
    )
    for option, wrong in {
        "symbol": [3, None, b"f", ["f"]],
        "formula": [3, None, b"f", VALUE],
        "domain": [3, None, b"f", True],
        "sequences": [1.0, "1", None, [1]],
    }.items()
    for given in wrong
} | {
    f"partials: {type(given).__name__}": (
        lambda d, given=given: d("f", VALUE, given),
        TypeError,
        rf"f: partials: expected a list of functions, one for each operand, got {type(given).__name__}: ",
    )
    for given in (None, PARTIAL, iter([PARTIAL]), (partial for partial in [PARTIAL]), {PARTIAL}, {PARTIAL: 1}, "f")
}  # fmt: skip


@pytest.mark.parametrize("name", DEFINED_WRONGLY)
def test_a_definition_that_does_not_fit_is_refused_and_leaves_nothing(name):
    call, error, message = DEFINED_WRONGLY[name]
    before = {*OPERATIONS}
    with pytest.raises(error, match=f"^define: {message}"):
        call(define)
    assert {*OPERATIONS} - before <= {"cube"}
    assert not hasattr(Value, "f")
    assert define("f", VALUE, [PARTIAL])(2.0) == 2.0  # the name is free


WRONG_RULES = {
    "value: None": (
        lambda m, x: None,
        lambda m, r, x: 1.0,
        0,
        r"f: the value: expected a real number, got NoneType: None",
    ),
    "value: a string": (
        lambda m, x: "x",
        lambda m, r, x: 1.0,
        0,
        r"f: the value: expected a real number, got str: 'x'",
    ),
    "value: complex": (
        lambda m, x: x * 1j,
        lambda m, r, x: 1.0,
        0,
        r"f: the value: expected a real number, got complex",
    ),
    "derivative: None": (
        lambda m, x: x,
        lambda m, r, x: None,
        0,
        r"f: the derivative by x: expected a real number, got None",
    ),
    "derivatives: a number": (
        lambda m, x: m.sum(x),
        lambda m, r, x: 1.0,
        1,
        r"f: the derivative by x: 'float' object is not",
    ),
    "derivatives: too few": (
        lambda m, x: m.sum(x),
        lambda m, r, x: [1.0],
        1,
        r"f: the derivative by x: expected 2 numbers, got 1",
    ),
    "derivatives: strings": (
        lambda m, x: m.sum(x),
        lambda m, r, x: "ab",
        1,
        r"f: the derivative by x: expected a real number",
    ),
}


@pytest.mark.parametrize("name", WRONG_RULES)
def test_a_rule_that_returns_something_else(name):
    compute, partial, sequences, message = WRONG_RULES[name]
    f = define("f", compute, [partial], sequences=sequences)
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        f([Value(1.0), 2.0] if sequences else Value(1.0))


FOR_NUMBERS = {
    "a branch": (lambda m, x: x * x if x > 0 else -x, lambda m, r, x: 1.0, "the value: The truth value of an array"),
    "of math": (lambda m, x: math.exp(x), lambda m, r, x: r, "the value: only .* arrays can be converted to"),
    "a derivative's branch": (
        lambda m, x: x * x,
        lambda m, r, x: 1.0 if x > 0 else -1.0,
        "the derivative by x: The truth",
    ),
    "a derivative of math": (
        lambda m, x: m.exp(x),
        lambda m, r, x: math.exp(x),
        "the derivative by x: only .* arrays can",
    ),
}


@pytest.mark.parametrize("name", FOR_NUMBERS)
def test_a_rule_that_is_not_written_for_arrays_is_named_in_a_tape(name):
    compute, partial, message = FOR_NUMBERS[name]
    f = define("f", compute, [partial])
    tape = Tape.record(lambda x: f(x) * Value(2.0), [1.0])
    replay = tape.forward if "value" in message else lambda batch: tape.jacobian(batch, wrt="inputs")
    with pytest.raises((TypeError, ValueError), match=rf"^f: {message}.*m\.where.*m\.exp\(x\)"):
        replay([1.0, -2.0])


def test_numbers_of_other_libraries_in_a_rule():
    f = define("f", lambda m, x: np.float32(x) + np.array(1.0), [lambda m, r, x: Fraction(1, 1)])
    node = f(Value(2.0))
    assert (node.data, node.local_derivatives) == (3.0, (1.0,))
    assert [type(number) for number in (node.data, *node.local_derivatives)] == [float, float]


@pytest.mark.parametrize("name", ["zip", "any", "all", "len", "isinstance", "map", "varies", "given", "rows", "tape"])
def test_builtins_and_the_engines_own_names_are_free(name):
    f = define(name, lambda m, x: x * 5.0, [lambda m, r, x: 5.0])
    assert (f(2.0), getattr(Value(2.0), name)().data) == (10.0, 10.0)
    x = [Value(1.0), Value(3.0)]
    assert autograd.hessian(lambda x: autograd.logsumexp(x))([1.0, 3.0])[0][0] > 0.0
    assert autograd.sum(x).data == 4.0
    assert autograd.abs(Value(-1.0)).data == 1.0
    assert cube()(2.0) == 8.0
    assert Tape.record(lambda x: f(autograd.maximum(x, 1.0)), [2.0]).forward([[3.0]]).tolist() == [15.0]


def test_a_name_that_there_is_not():
    with pytest.raises(AttributeError, match=r"no attribute 'cubed'; an operation of your own must be defined before"):
        autograd.functions.cubed  # noqa: B018


# ---- take


def test_an_index_that_is_a_number_gives_the_element_itself():
    x, y = Value(2.0), Value(5.0)
    sequence = [x, y * 3.0, 7]
    for index in (0, 0.0, -0.0, False, np.int64(0), np.float32(0.0), np.array(0), Fraction(0), Decimal(0)):
        assert autograd.take(sequence, index) is x
    assert autograd.take(sequence, True) is sequence[1]  # as Value(True) is 1.0
    assert (autograd.take(sequence, 2), type(autograd.take(sequence, 2))) == (7.0, float)
    for kind in (tuple, iter, lambda given: np.array(given, object)):
        assert autograd.take(kind(sequence), index=1) is sequence[1]
    with no_grad():
        assert autograd.take(sequence, 0) is x


def test_an_index_that_is_a_value_is_recorded_with_all_elements():
    x, y, index = Value(2.0), Value(5.0), Value(1.0)
    found = autograd.take([x, 1.5, y, y], index)
    assert (found.data, found.op, found.operands) == (1.5, "take", ((x, 1.5, y, y), index))
    index.data = 2.0
    found = autograd.take([x, 1.5, y, y], index)
    found.backward(3.0)
    assert (found.data, x.grad, y.grad, index.grad) == (5.0, 0.0, 3.0, 0.0)
    with no_grad():
        assert autograd.take([x, y], Value(1.0)).data == 5.0


WRONG_INDICES = [
    math.nan, 1.5, -1, -1e-300, 3, 1e300, -1e300, math.inf, 10**30, 10**400, -(10**400), np.float64(2.5), Fraction(1, 3)
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_INDICES, ids=repr)
@pytest.mark.parametrize("kind", [lambda index: index, Value], ids=["a number", "a Value"])
def test_an_index_that_is_none(wrong, kind):
    if kind is Value and type(wrong) is int and abs(wrong) == 10**400:
        pytest.skip("no Value can have it")
    x = [Value(1.0), 2.0, Value(3.0)]
    with pytest.raises(ValueError, match=r"^take\(\[1\.0, 2\.0, 3\.0\], .*: expected a whole index, 0 <= index < len"):
        autograd.take(x, kind(wrong))
    with pytest.raises(ValueError, match=r"^take\(\[\], .*: expected a whole index"):
        autograd.take([], kind(0))


@pytest.mark.parametrize(
    ("sequence", "index", "message"),
    [
        ([1.0], "0", "take: expected a real number, got str"),
        ([1.0], None, "take: expected a real number, got NoneType"),
        ([1.0], 1j, "take: expected a real number, got complex"),
        ([1.0], [0], "take: expected a real number, got list"),
        ([1.0], np.ma.masked, "take: expected a real number"),
        (1.0, 0, "take: expected a sequence of numbers, got float: 1.0"),
        ({1.0: 2.0}, 0, "take: expected a sequence of numbers, got dict: {1.0: 2.0}, which has no order"),
        ({1.0: 2.0}.keys(), 0, "take: expected a sequence of numbers, got dict_keys: .*, which has no order"),
        ({1.0}, 0, "take: expected a sequence of numbers, got set: {1.0}, which has no order"),
        ({1.0}, Value(0.0), "take: expected a sequence of numbers, got set: {1.0}, which has no order"),
        (frozenset([1.0]), 0, "take: expected a sequence of numbers, got frozenset: .*, which has no order"),
        (["a", 1.0], 0, "take: expected a real number, got str: 'a'"),
        ([[1.0], 1.0], 0, "take: expected a real number, got list"),
    ],
)
def test_what_take_refuses(sequence, index, message):
    with pytest.raises(TypeError, match=message):
        autograd.take(sequence, index)


@pytest.mark.parametrize("unordered", [{2.0}, frozenset([2.0]), {2.0: 1.0}, {2.0: 1.0}.keys()], ids=repr)
@pytest.mark.parametrize(
    "call",
    [
        lambda x: autograd.dot(x, [3.0]),
        lambda x: autograd.dot([Value(3.0)], x),
        lambda x: autograd.dot(weights=[Value(3.0)], inputs=x, bias=1.0),
        lambda x: autograd.logsumexp(x),
        lambda x: autograd.softmax(x),
        lambda x: autograd.softmax_of(x, 0),
    ],
)
def test_what_has_no_order_is_no_sequence(call, unordered):
    with pytest.raises(TypeError, match=r"expected a sequence of numbers, got .*, which has no order"):
        call(unordered)


@pytest.mark.parametrize("name", ["sum", "max", "min", "mean", "prod"])
def test_where_the_order_does_not_matter_sets_will_do(name):
    """As they do for the builtins, for math.prod and for statistics.mean."""
    numbers = [Value(2.0), 4.0]
    assert getattr(autograd, name)(set(numbers)).data == getattr(autograd, name)(numbers).data


def test_derivatives_of_a_lookup_of_any_order_and_in_all_modes():
    """By the elements; by the index they are 0, to all orders, also of one that is computed."""

    def function(x, index):
        return autograd.take([x[0] * x[1], x[1] ** 3, x[0]], index) ** 2

    for index in range(3):
        assert grad(function)([1.0, 1.0], index) == [[2.0, 2.0], [0.0, 6.0], [2.0, 0.0]][index]
        assert grad(function, argnums=1)([1.0, 1.0], index) == 0.0
        by_hand = [[[2.0, 4.0], [4.0, 2.0]], [[0.0, 0.0], [0.0, 30.0]], [[2.0, 0.0], [0.0, 0.0]]][index]
        assert autograd.hessian(function)([1.0, 1.0], index) == by_hand
        for mode in ("forward", "reverse"):
            jacobian = autograd.jacobian(grad(lambda numbers: function(numbers[:2], numbers[2])), mode=mode)
            matrix = jacobian([1.0, 1.0, float(index)])
            assert [row[:2] for row in matrix[:2]] == by_hand
            assert matrix[2] == [row[2] for row in matrix] == [0.0, 0.0, 0.0]


def test_an_infinite_adjoint_of_a_lookup():
    """On the graph itself the zeros are factors; a tape goes back to the chosen element alone."""
    x, index = [Value(0.0), Value(2.0)], Value(0.0)
    root = autograd.sqrt(autograd.take(x, index))
    root.backward()
    assert (x[0].grad, math.isnan(x[1].grad), math.isnan(index.grad)) == (math.inf, True, True)
    tape = autograd.Tape(root, [index])
    assert tape.value_and_grad([0.0])[1].tolist() == [math.inf, 0.0]
    assert math.isnan(grad(lambda index: autograd.sqrt(autograd.take([0.0, 2.0], index)))(0.0))


def test_a_lookup_is_drawn_explained_and_pickled():
    x, index = [Value(2.0, label="a"), Value(5.0, label="b")], Value(1.0, label="i")
    found = autograd.take(x, index) * 2.0
    assert "take" in draw(found).dot
    assert "take" in str(explain(found))
    assert pickle.loads(pickle.dumps(autograd.take)) is autograd.take
