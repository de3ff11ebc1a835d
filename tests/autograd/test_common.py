"""What a Value has beside its graph: it is no number by itself, it is compared, detached, and made by hand."""

from __future__ import annotations

import array
import cmath
import copy
import decimal
import fractions
import itertools
import math
import operator
import pickle
import random
import statistics
import warnings
from decimal import Decimal
from fractions import Fraction
from xml.etree import ElementTree

import mpmath
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter

import autograd
from autograd import RecordingError, Tape, Value, draw, explain, grad, no_grad, structures
from autograd.graph import topological_order
from autograd.operations import OPERATIONS
from nn import MLP

pytestmark = pytest.mark.both_engines

LOST = r"^(float|int|complex)\(\) of Value\(.*\) would lose its derivative: write .* or x\.data for the plain number; "

# ---- every function of the standard library and of NumPy either raises or keeps the derivative

POINTS = [
    (0.5,), (2.0,), (4,), (1,), (2.0, 3.0, 0.5), ([0.5, 0.25],), (0.5, 0.25), (2.0, 3.0), (0.5, 2), (6, 3),
    ([1.5, 2.5, 4.0],), ([1.5, 2.5, 4.0], [2.0, 1.0, 3.0]), (2.0, 3.0, 1.0), ([1.5, 2.5, 4.0], 2.0),
]  # fmt: skip


def lifted(point):
    """The point with Values in the place of some of its numbers, in every way, and the Values."""
    numbers, form = structures.flatten(point)
    for chosen in itertools.product([False, True], repeat=len(numbers)):
        if any(chosen):
            values = [Value(x) if is_chosen else x for x, is_chosen in zip(numbers, chosen, strict=True)]
            yield structures.unflatten(form, values), [x for x in values if isinstance(x, Value)]


def public(module):
    return {
        f"{module.__name__}.{name}": call for name, call in vars(module).items() if callable(call) and name[0] != "_"
    }


STATISTICS = {name: call for name, call in public(statistics).items() if name.split(".")[1] in statistics.__all__}


# NumPy's functions of arrays, which ask the elements of an array of objects for what they need.
OF_ARRAYS = """amax amin any all angle argmax argmin argsort around array_equal average clip convolve corrcoef correlate
    count_nonzero cov cross cumprod cumsum diag diff dot ediff1d fix flip gradient histogram imag inner isclose isreal
    kron linspace max mean median min nan_to_num nanmax nanmean nanstd nansum nanvar outer percentile polyval prod ptp
    quantile real round searchsorted sinc sort std sum tile trapezoid unique unwrap vander var vdot"""
OF_OTHERS = {"isnat", "matvec", "vecmat"}  # of dates and matrices, which are none of the points
NUMPY = {
    name: call for name, call in public(np).items() if isinstance(call, np.ufunc) and call.__name__ not in OF_OTHERS
}
NUMPY |= {f"numpy.{name}": getattr(np, name) for name in OF_ARRAYS.split() if hasattr(np, name)}
NUMPY["numpy.fft.fft"] = np.fft.fft


def outcome(call, point):
    """What the call returns, or its error; random numbers are the same each time."""
    random.seed(0)
    try:
        result = call(*point)
    except Exception as error:
        return error
    return TypeError() if result is NotImplemented else result


MASKED = {  # those that one of the points is for
    name: call
    for name, call in public(np.ma.core).items()
    if name.split(".")[-1] in np.ma.core.__all__
    and not (isinstance(call, type) or name.endswith(("empty_like", "ids")))  # whose numbers are of the memory
    and not all(isinstance(outcome(call, point), Exception) for point in POINTS)
}


def of_a_masked_array(infix):
    return lambda x, y: infix(np.ma.array(x), y)


for _infix in (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.mod):
    MASKED[f"masked {_infix.__name__}"] = of_a_masked_array(_infix)
    MASKED[f"reflected masked {_infix.__name__}"] = lambda x, y, infix=_infix: infix(x, np.ma.array(y))
MASKED["a masked element"] = lambda x: assigned(0, x, np.ma.zeros(2))


def of_a_normal_distribution(method):
    return lambda *x: getattr(statistics.NormalDist(*x[:2]), method)(*x[2:])


CALLS = {
    **public(math),
    **{name: call for name, call in STATISTICS.items() if not isinstance(call, type)},
    **{f"NormalDist.{name}": of_a_normal_distribution(name) for name in ("cdf", "pdf", "inv_cdf", "zscore")},
    "NormalDist.from_samples": lambda x: statistics.NormalDist.from_samples(x).stdev,
    **public(cmath),
    "int": int, "float": float, "complex": complex, "round": round, "divmod": divmod, "pow": pow, "abs": abs,
    "sum": sum, "//": operator.floordiv, "%": operator.mod, "index": operator.index, "range": range,
    "an item": lambda i: "ab"[i],
    "'%f'": lambda x: "%f" % x,  # noqa: UP031
    "Fraction": fractions.Fraction, "Decimal": decimal.Decimal, "mpf": mpmath.mpf, "mpmath.sin": mpmath.sin,
    "array.array": lambda x: array.array("d", x), "gauss": random.gauss, "uniform": random.uniform,
    "numpy.array": lambda x: np.array(x, dtype=float), "int32": lambda x: np.array(x, dtype=np.int32),
    "complex64": lambda x: np.asarray(x, dtype=np.complex64), "astype": lambda x: np.array(x).astype(np.float32),
    "numpy.float64": np.float64, "fromiter": lambda x: np.fromiter(x, float), "full": lambda x: np.full(2, x, float),
    "an element": lambda x: assigned(0, x), "elements": lambda x: assigned(slice(2), x), "fill": lambda x: filled(x),
    "numpy.sum": lambda x: np.sum(x, dtype=float), "numpy.interp": lambda x: np.interp(x, [0.0, 9.0], [0.0, 9.0]),
    **NUMPY, **MASKED, "numpy.linalg.norm": np.linalg.norm,
    "numpy.linalg.solve": lambda x: np.linalg.solve([[2.0, 1.0], [1.0, 2.0]], x), "numpy.arange": np.arange,
}  # fmt: skip


def assigned(place, x, elements=None):
    elements = np.zeros(2) if elements is None else elements
    elements[place] = x
    return elements


def filled(x):
    elements = np.zeros(2)
    elements.fill(x)
    return elements


def neighbours(operands):
    """The numbers nearby, where the Values were: a little smaller, and a little larger."""
    for move in (-1e-6, 1e-6):
        yield structures.map(lambda x, move=move: x.data + move if isinstance(x, Value) else x, operands)


def leaves(result):
    """All numbers of a result, also those of arrays and iterators that structures does not know."""
    if isinstance(result, np.ndarray) and result.ndim == 0:
        return leaves(result.item())
    if isinstance(result, (np.ndarray, array.array)):
        return [x for element in list(result) for x in leaves(element)]
    if isinstance(result, (list, tuple)):
        return [x for element in result for x in leaves(element)]
    return [result]


@pytest.mark.parametrize("name", CALLS)
def test_a_number_does_not_leave_the_graph(name):
    """What comes from Values are Values whose graph has them, or an error; with no_grad(), it is the number."""
    asked = 0
    for point in POINTS:
        plain = outcome(CALLS[name], point)
        if isinstance(plain, Exception):
            continue
        for operands, values in lifted(point):
            asked += 1
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # numpy.arange asks whether they are 0
                result = outcome(CALLS[name], operands)
            if isinstance(result, Exception):
                continue
            moved = [leaves(outcome(CALLS[name], numbers)) for numbers in neighbours(operands)]
            for leaf, *others in zip(leaves(result), *moved, strict=True):
                depends = isinstance(leaf, Value) and not {*values}.isdisjoint(topological_order(leaf))
                assert depends or [*map(repr, others)] == [repr(others[0])] * 2, (operands, result)
    assert asked > 0


def square(a):
    return a[:4].reshape(2, 2)


# Of an array of 5 Values, to one number.
DIFFERENTIABLE = {
    "std": np.std, "std of a sample": lambda a: np.std(a, ddof=1), "var": np.var, "nanstd": np.nanstd,
    "var along an axis": lambda a: np.var(square(a), axis=0)[1], "vdot": lambda a: np.vdot(a, a[::-1]),
    "mean": np.mean, "average": lambda a: np.average(a, weights=[1, 2, 3, 4, 5]), "median": np.median, "ptp": np.ptp,
    "percentile": lambda a: np.percentile(a, 30), "sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min,
    "cumsum": lambda a: np.cumsum(a)[3], "cumprod": lambda a: np.cumprod(a)[3], "diff": lambda a: np.diff(a)[1],
    "trace": lambda a: np.trace(square(a)), "norm": np.linalg.norm, "norm 1": lambda a: np.linalg.norm(a, 1),
    "norm_inf": lambda a: np.linalg.norm(a, np.inf), "norm of a matrix": lambda a: np.linalg.norm(square(a)),
    "dot": lambda a: np.dot(a, a), "inner": lambda a: np.inner(a, a), "outer": lambda a: np.outer(a, a)[1, 2],
    "matmul": lambda a: (square(a) @ square(a))[0, 1], "kron": lambda a: np.kron(a, a)[7],
    "einsum": lambda a: np.einsum("ij,jk->ik", square(a), square(a))[0, 1],
    "cross": lambda a: np.cross(a[:3], a[2:])[0], "reciprocal": lambda a: np.reciprocal(a)[0],
    "matrix_power": lambda a: np.linalg.matrix_power(square(a), 3)[0, 1], "convolve": lambda a: np.convolve(a, a)[3],
    "conj": lambda a: np.conj(a).sum(), "real": lambda a: np.real(a).sum(), "abs": lambda a: np.abs(a).sum(),
    "clip": lambda a: np.clip(a, 0.0, 1.0).sum(), "maximum": lambda a: np.maximum(a, 0.5).sum(),
    "sort": lambda a: np.sort(a)[1], "where": lambda a: np.where(a > 0, a, 2.0 * a).sum(),
    "exp": lambda a: np.exp(a).sum(), "tanh": lambda a: np.tanh(a).sum(), "power": lambda a: np.power(a, 3).sum(),
    "arctan2": lambda a: np.arctan2(a, a[::-1])[1], "hypot": lambda a: np.hypot(a, a[::-1])[1],
    "square": lambda a: np.square(a).sum(),
    "polyval": lambda a: np.polyval(a, 2.0), "interpolated": lambda a: np.linspace(a[0], a[1], 3)[1],
}  # fmt: skip
# These compare the data.
UNRECORDED = "median ptp percentile max min norm_inf clip maximum sort where interpolated"


@pytest.mark.filterwarnings("ignore:== and != of a Value")  # linspace asks whether the step is 0
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_functions_of_arrays_of_values_have_the_right_value_and_gradient(name):
    function, numbers = DIFFERENTIABLE[name], np.array([1.5, -0.25, 0.75, 2.0, -1.75])
    values = [Value(x) for x in numbers]
    result = function(np.array(values))
    result.backward()
    moves = 1e-6 * np.eye(5)
    differences = [(function(numbers + move) - function(numbers - move)) / 2e-6 for move in moves]
    assert result.data == pytest.approx(function(numbers), rel=1e-15)
    assert [value.grad for value in values] == pytest.approx(differences, rel=1e-7, abs=1e-8)
    if name not in UNRECORDED.split():
        tape = Tape.record(lambda x: function(np.array(x)), [numbers.tolist()])
        assert tape.forward([numbers + 0.5, numbers]).tolist() == pytest.approx(
            [function(numbers + 0.5), function(numbers)], rel=1e-14
        )


def test_the_conjugate_of_a_value_is_itself():
    x = Value(2.0)
    assert x.conjugate() is x
    assert np.conj(x) is x


SAME_WITHIN_NO_GRAD = [name for name in OPERATIONS if hasattr(math, name)] + ["fsum", "pow", "hypot", "dist", "floor"]


@pytest.mark.parametrize("name", SAME_WITHIN_NO_GRAD)
def test_within_no_grad_it_is_the_number(name):
    call, asked = getattr(math, name), 0
    for point in POINTS:
        plain = outcome(call, point)
        if isinstance(plain, Exception):
            continue
        for operands, _ in lifted(point):
            asked += 1
            with no_grad():
                assert call(*operands) == plain
    assert asked > 0


NUMBERS = {
    "float": (float, 2.5), "int": (int, 2), "complex": (complex, 2.5 + 0j), "math.exp": (math.exp, math.exp(2.5)),
    "numpy": (lambda v: np.array([v], dtype=float)[0], 2.5), "an element": (lambda v: assigned(0, v)[0], 2.5),
    "'%'": (lambda v: "%.2f" % v, "2.50"),  # noqa: UP031
    "array": (lambda v: array.array("d", [v])[0], 2.5),
    "cmath": (cmath.sqrt, cmath.sqrt(2.5)), "statistics": (lambda v: statistics.fmean([v, v]), 2.5),
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
def test_the_error_says_what_to_write(name):
    call, number = NUMBERS[name]
    v = Value(2.5, label="speed")
    for value in (v, v * 1.0, v.detach()):
        with pytest.raises(TypeError, match=LOST) as caught:
            call(value)
        assert repr(value) in str(caught.value)
        assert "autograd.exp(x) for math.exp(x)" in str(caught.value)
        with no_grad():
            assert call(value) == number


@pytest.mark.parametrize("call", [operator.index, lambda v: [1, 2, 3][v], range, lambda v: "a" * v, round, math.trunc])
def test_there_is_no_integer_in_it_ever(call):
    for recording in (True, False):
        with pytest.raises(TypeError), no_grad() if not recording else warnings.catch_warnings():
            call(Value(1.0))
    assert not hasattr(Value, "__index__")


def test_what_is_printed_is_as_before():
    v = Value(2.0, label="v")
    assert (f"{v:.3f}", f"{v:8.2e}", format(v, "g")) == ("2.000", "2.00e+00", "2")
    assert f"{v}" == str(v) == repr(v) == "Value(data=2.0, grad=0.0, label='v')"


TRANSFORMS = {
    "grad": lambda f: grad(f)(1.0),
    "value_and_grad": lambda f: autograd.value_and_grad(f)(1.0),
    "derivative": lambda f: autograd.derivative(f)(1.0),
    "derivative, order=0": lambda f: autograd.derivative(f, order=0)(1.0),
    "jacobian": lambda f: autograd.jacobian(f)(1.0),
    "hessian": lambda f: autograd.hessian(f)(1.0),
    "hvp": lambda f: autograd.hvp(f, (1.0,), (1.0,)),
    "vjp": lambda f: autograd.vjp(f, 1.0),
    "jvp": lambda f: autograd.jvp(f, (1.0,), (1.0,)),
    "check_gradients": lambda f: autograd.check_gradients(f, 1.0),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("function", [math.exp, lambda x: x * math.exp(x), lambda x: x * float(x)])
def test_transforms_are_not_deceived(transform, function):
    with pytest.raises(TypeError, match=LOST):
        TRANSFORMS[transform](function)
    with no_grad(), pytest.raises(TypeError, match=LOST):  # what a transform differentiates is recorded
        TRANSFORMS[transform](function)


def test_the_function_of_the_table_has_the_derivative():
    assert grad(lambda x: x * autograd.exp(x))(1.0) == 2.0 * math.e


def test_a_network_with_an_activation_of_the_math_module():
    with pytest.raises(TypeError, match=LOST):
        MLP(2, [3, 1], activation=math.tanh)([1.0, -1.0])


# ---- within a recording

LEAVING = {
    **{name: (call, "complex" if name in ("complex", "cmath") else name if name == "int" else "float")
       for name, (call, _) in NUMBERS.items()},
    "item": (lambda v: v.item(), "item"),
    "detach": (lambda v: v.detach(), "detach"),
    "Value": (Value, "float"),
    "data": (lambda v: setattr(Value(0.0), "data", v), "float"),
    "Value's label": (lambda v: Value(v, label="x"), "float"),
    "a comparison": (lambda v: v < Value(1.0), "a comparison"),
    "bool": (bool, "bool"),
}  # fmt: skip


@pytest.mark.parametrize("name", LEAVING)
def test_in_a_recording_it_raises_also_within_no_grad(name):
    call, what = LEAVING[name]
    seen = []

    def function(x):
        y = x * 2.0
        for block in (warnings.catch_warnings(), no_grad()):
            with block, pytest.raises(RecordingError) as caught:
                call(y)
            seen.append(str(caught.value))
        return y

    Tape.record(function, [1.0])
    assert len(seen) == 2
    assert all(f"Tape.record: {what}" in message and "depends on an input" in message for message in seen)


def test_in_a_recording_what_does_not_depend_on_its_inputs_is_as_elsewhere():
    w = Value(2.0)

    def function(x):
        with pytest.raises(TypeError, match=LOST):
            float(w)
        with no_grad():
            assert float(w) == 2.0
        assert (w.item(), w.detach().data) == (2.0, 2.0)
        return x * w

    assert Tape.record(function, [1.0]).forward([3.0]).tolist() == [6.0]


# ---- other libraries' numbers on the other side

OTHERS = {
    "int": 3, "bool": True, "Fraction": Fraction(7, 3), "Decimal": Decimal("2.3"), "mpf": mpmath.mpf("2.3"),
    "float64": np.float64(2.3), "float32": np.float32(2.3), "float16": np.float16(2.3),
    "longdouble": np.longdouble(2.3), "int8": np.int8(3), "uint64": np.uint64(3), "bool_": np.bool_(True),
    "no dimensions": np.array(2.3),
}  # fmt: skip
INFIX = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
ORDER = [operator.lt, operator.le, operator.gt, operator.ge]


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("infix", INFIX)
def test_operators_with_other_numbers_keep_the_derivative(name, infix):
    other, number = OTHERS[name], float(OTHERS[name])
    for left in (True, False):
        x, y = Value(1.5), Value(1.5)
        result, expected = (infix(x, other), infix(y, number)) if left else (infix(other, x), infix(number, y))
        result.backward()
        expected.backward()
        assert type(result) is Value
        assert (result.data, x.grad) == (expected.data, y.grad)
        assert result.parents == (x,)


@pytest.mark.parametrize("name", OTHERS)
def test_comparisons_with_other_numbers(name):
    other, number = OTHERS[name], float(OTHERS[name])
    for size in (number - 0.5, number, number + 0.5):
        for compare in ORDER:
            assert bool(compare(Value(size), other)) is bool(compare(size, other))
            assert bool(compare(other, Value(size))) is bool(compare(other, size))


EQUALITY = r"== and != of a Value and a number ask whether they are the same object, .* x\.data == 2\.0$"


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("compare", [operator.eq, operator.ne])
@pytest.mark.parametrize("left", [True, False])
def test_equality_with_a_number_warns(name, compare, left):
    other = OTHERS[name]
    operands = (Value(float(other)), other) if left else (other, Value(float(other)))
    with pytest.warns(UserWarning, match=EQUALITY):
        result = compare(*operands)
    assert bool(result) is (compare is operator.ne)


def test_it_warns_once_a_place_and_names_the_place():
    v, w = Value(2.0), Value(2.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        first = [v == number for number in (2.0, 3.0, 2)]
        second = [v != 2.0 for _ in range(3)]
        third = [2.0 == w for _ in range(3)]  # noqa: SIM300
        fourth = v in [1.0, w]
    assert (first, second, third, fourth) == ([False] * 3, [True] * 3, [False] * 3, False)
    assert [(warning.filename, warning.category) for warning in caught] == [(__file__, UserWarning)] * 4
    assert [warning.lineno - caught[0].lineno for warning in caught] == [0, 1, 2, 3]


def test_identity_does_not_warn():
    v, w = Value(2.0), Value(2.0)
    assert v == v
    assert v != w
    assert not v == w  # noqa: SIM201
    assert v in [w, v]
    assert [v, w].index(w) == 1
    assert {v: 1, w: 2}[v] == 1
    assert len({v, w, v}) == 2
    assert v != "2.0"
    assert v is not None
    assert v not in (None, "x", 1j, object())
    assert (v.__eq__(v), v.__ne__(v), v.__eq__(w)) == (True, False, NotImplemented)
    assert [v, w] == [v, w]
    assert [v] != [w]


# ---- detached


def test_detach_makes_a_leaf_of_its_own():
    x = Value(3.0, label="x")
    y = x * x
    y.grad = 5.0
    d = y.detach()
    assert type(d) is Value
    assert (d.data, d.grad, d.parents, d.op, d.label) == (9.0, 0.0, (), "", "")
    (d * x).backward()
    assert (x.grad, d.grad, y.grad) == (9.0, 3.0, 5.0)
    assert x.detach() is not x
    assert grad(lambda x: x * x.detach())(3.0).data == 3.0
    with no_grad():
        assert x.detach().data == 3.0


def test_item_is_the_number():
    x = Value(3.0)
    assert type(x.item()) is float
    assert (x.item(), (x * x).item()) == (3.0, 9.0)


# ---- micrograd's and microgpt's nodes, made by hand


def backward_of(x, out):
    def _backward():
        x.grad += 3.0 * x.data**2 * out.grad

    return _backward


def micrograd(x):
    out = Value(x.data**3, (x,), "cube")
    out._backward = backward_of(x, out)
    return out


def microgpt(x):
    return Value(x.data**3, (x,), (3.0 * x.data**2,))


def micrograd_by_assignment(x):
    out = Value(x.data**3)
    out._prev, out._op = {x}, "cube"
    out._backward = backward_of(x, out)
    return out


def microgpt_by_assignment(x):
    out = Value(x.data**3)
    out._children = (x,)
    out._local_grads = [3.0 * x.data**2]
    return out


def in_the_other_order(x):
    out = Value(x.data**3)
    out._op = "cube"
    out._prev = [x]
    out._local_grads = iter([np.float32(3.0 * x.data**2)])
    return out


def another_derivative(x):
    """Of the table, but its derivative was found to be another."""
    out = x**3
    out._local_grads = (3.0 * x.data**2,)
    return out


def of_a_constructor_called_again(x):
    out = x * x
    out.__init__(x.data**3, (x,), (3.0 * x.data**2,))
    return out


BY_HAND = [
    micrograd, microgpt, micrograd_by_assignment, microgpt_by_assignment, in_the_other_order, another_derivative,
    of_a_constructor_called_again,
]  # fmt: skip
GIVEN = [make for make in BY_HAND if not make.__name__.startswith("micrograd")]


@pytest.mark.parametrize("make", BY_HAND)
def test_a_node_by_hand_is_differentiated(make):
    x = Value(2.0)
    out = make(x * 1.0)
    y = out * 10.0 + x
    y.backward()
    assert (y.data, x.grad, out.grad) == (82.0, 121.0, 10.0)
    y.backward()
    assert (x.grad, out.grad) == (242.0, 10.0)


@pytest.mark.parametrize("make", BY_HAND)
def test_a_node_by_hand_is_seen(make):
    x = Value(2.0, label="x")
    out = make(x)
    known = make in GIVEN
    assert out.parents == out._children == (x,)
    assert out._prev == {x}
    assert out.local_derivatives == out._local_grads == ((12.0,) if known else ())
    assert (out.operation, out.operands) == (None, ())
    assert topological_order(out) == [x, out]
    with pytest.raises(TypeError, match=r"cannot copy or pickle Value\(data=8\.0.*it was computed"):
        copy.copy(out)


@pytest.mark.parametrize("make", BY_HAND)
def test_a_node_by_hand_is_drawn_and_explained(make):
    x = Value(2.0, label="x")
    out = make(x)
    loss = out * 10.0
    loss.backward()
    svg = draw(loss).svg
    assert out._op in svg
    if make not in GIVEN:
        with pytest.raises(ValueError, match=r"^explain: v1 has a _backward of its own"):
            explain(loss)
        return
    assert "12" in svg
    symbol = out._op or "f"
    text = explain(loss, digits=3).text
    assert f"v1 = {symbol}(x) = {symbol}(2) = 8" in text
    assert "x.grad = v1.grad * ∂v1/∂x = 10 * 12 = 120" in text
    assert '"v1"' in explain(loss).html
    assert explain(loss).latex


def test_children_in_a_set_are_those_that_they_were():
    """Whatever order it has them in; of derivatives a set would have none."""
    for _ in range(20):
        a, b = Value(2.0), Value(3.0)
        product = a * b
        product._children = {a, b}
        product.backward()
        assert (a.grad, b.grad) == (3.0, 2.0)
    with pytest.raises(TypeError, match=r"local derivatives.* got set: .*, which has no order"):
        product._local_grads = {1.0, 2.0}


@pytest.mark.parametrize("make", BY_HAND)
def test_a_node_by_hand_is_not_recorded(make):
    w = Value(2.0)
    message = (
        r"^Value\(data=8\.0, .*\) was not computed by an operation of the table, so a tape cannot compute it again"
    )
    with pytest.raises(TypeError, match=message):
        Tape(make(w) * w, [w])
    with pytest.raises(TypeError, match=message):
        Tape.record(lambda x: make(w) * x, [2.0])


@pytest.mark.parametrize("make", GIVEN)
def test_given_derivatives_are_those_of_first_order(make):
    def function(x):
        return make(x * 1.0) * x

    for found in (
        grad(function)(2.0),
        autograd.derivative(function)(2.0),
        autograd.jvp(function, (2.0,), (1.0,))[1],
        autograd.vjp(function, 2.0)[1](1.0)[0],
        autograd.jacobian(function, mode="forward")(2.0),
        autograd.jacobian(function, mode="reverse")(2.0),
        autograd.gradients(function(x := Value(2.0)), x),
    ):
        assert found == 32.0
    with pytest.raises(TypeError, match=r"so its derivatives cannot be differentiated again"):
        autograd.hessian(function)(2.0)


def microgpts_backward(root):
    """As microgpt writes it."""
    topo, visited = [], set()

    def build_topo(v):
        if v not in visited:
            visited.add(v)
            for child in v._children:
                build_topo(child)
            topo.append(v)

    build_topo(root)
    root.grad = 1.0
    for v in reversed(topo):
        for child, local_grad in zip(v._children, v._local_grads, strict=True):
            child.grad += local_grad * v.grad


def micrograds_backward(root):
    """As micrograd writes it."""
    topo, visited = [], set()

    def build_topo(v):
        if v not in visited:
            visited.add(v)
            for child in v._prev:
                build_topo(child)
            topo.append(v)

    build_topo(root)
    root.grad = 1.0
    for v in reversed(topo):
        v._backward()


@pytest.mark.parametrize("backward", [microgpts_backward, micrograds_backward])
def test_the_walks_of_the_other_engines_find_the_same(backward):
    def graph():
        a, b = Value(-4.0), Value(2.0)
        c = a + b
        d = a * b + b**3
        c = c + c + 1
        c = c + 1 + c + (-a)
        d = d + d * 2 + (b + a).relu()
        d = d + 3 * d + (b - a).relu()
        e = c - d
        return a, b, microgpt(e * 0.01) / 2.0 + 10.0 / e

    *inputs, expected = graph()
    expected.backward()
    *others, found = graph()
    backward(found)
    assert [x.grad for x in others] == pytest.approx([x.grad for x in inputs], rel=1e-15)


def test_what_each_constructor_gives():
    a, b = Value(2.0), Value(3.0)
    assert Value(6.0, (a, b), "*").op == "*"
    by_derivatives = Value(6.0, (a, b), (3.0, 2))
    assert (by_derivatives.op, by_derivatives._op, by_derivatives.local_derivatives) == ("", "", (3.0, 2.0))
    assert [type(derivative) for derivative in by_derivatives.local_derivatives] == [float, float]
    assert repr(Value(1.0, (a,), (1.0,), label="f")) == "Value(data=1.0, grad=0.0, label='f')"
    assert Value(1.0, (), ()).parents == Value(1.0, [], "").parents == ()
    assert Value(1.0, (a,), ()).local_derivatives == ()
    assert Value(1.0, (x for x in (a, b)), np.array([1.0, 2.0])).local_derivatives == (1.0, 2.0)
    assert Value(1.0, (a, a), (1.0, 2.0)).parents == (a, a)
    assert Value(1.0, (a,), (b,)).local_derivatives == (3.0,)
    no_parents = Value(1.0, (), "constant")
    assert (no_parents.op, no_parents.parents) == ("constant", ())
    no_parents.backward()
    no_parents.backward()
    assert no_parents.grad == 2.0


WRONG = {
    "a label": (
        lambda a: Value(2.0, "a"),
        TypeError,
        "expected Values as _children, got 'a'; a label is given as label=",
    ),
    "a number": (lambda a: Value(2.0, (3.0,)), TypeError, "expected Values as _children, got 3.0; a label"),
    "one Value": (
        lambda a: Value(2.0, a),
        TypeError,
        r"expected Values as _children, such as \(a, b\), got Value: Value.*; a label is given as label=",
    ),
    "a number as the second": (
        lambda a: Value(1, 2),
        TypeError,
        "expected Values as _children, .* got int: 2; a label",
    ),
    "_prev of one Value": (lambda a: setattr(a, "_prev", a), TypeError, "expected Values as _children, .* got Value"),
    "a number as the third": (
        lambda a: Value(2.0, (a,), 5),
        TypeError,
        "expected a symbol, such as '\\+', or the local ",
    ),
    "strings": (
        lambda a: Value(2.0, (a,), ["x"]),
        TypeError,
        "or the local derivatives, such as .* got list: \\['x'\\]",
    ),
    "too few": (
        lambda a: Value(2.0, (a, a), (1.0,)),
        ValueError,
        "expected 2 local derivatives, one for each of the children, got 1",
    ),
    "too many": (
        lambda a: Value(2.0, (), (1.0,)),
        ValueError,
        "expected 0 local derivatives, one for each of the children, got 1",
    ),
    "_prev": (lambda a: setattr(a, "_prev", {1.0}), TypeError, "expected Values as _children, got 1.0"),
    "_children": (lambda a: setattr(a, "_children", None), TypeError, "expected Values as .* got NoneType: None"),
    "one of _local_grads": (
        lambda a: setattr(a, "_local_grads", 1.0),
        TypeError,
        "local derivatives, such .* got float",
    ),
    "_local_grads": (
        lambda a: setattr(a * a, "_local_grads", (1.0,)),
        ValueError,
        "expected 2 local derivatives, one for each of the children, got 1",
    ),
    "_local_grads of a leaf": (
        lambda a: setattr(a, "_local_grads", (1.0,)),
        ValueError,
        "expected 0 local derivatives, one for each of the children, got 1",
    ),
    "_local_grads of a string": (lambda a: setattr(a * a, "_local_grads", "ab"), TypeError, "or the local derivatives"),
    "_op": (lambda a: setattr(a, "_op", 5), TypeError, "expected a string as _op, got 5"),
    "another engine's": (lambda a: Value(1.0, (Other(),)), TypeError, "expected Values as _children"),
}


class Other:
    data = grad = 0.0


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_and_nothing_has_changed(name):
    call, error, message = WRONG[name]
    a = Value(2.0, label="a")
    with pytest.raises(error, match=message):
        call(a)
    assert (a.data, a.label, a.parents, a.op, a.local_derivatives) == (2.0, "a", (), "", ())


def test_a_constructor_that_fails_again_has_changed_nothing():
    a = Value(2.0)
    c = a * a
    for arguments in [("x",), (1.0, "x"), (1.0, (a,), 5), (1.0, (a, a), (1.0,))]:
        with pytest.raises((TypeError, ValueError)):
            c.__init__(*arguments)
        assert (c.data, c.parents, c.op, c.local_derivatives) == (4.0, (a, a), "*", (2.0, 2.0))


# ---- assigned to what the table has computed


def test_another_symbol_is_shown_and_nothing_else_changes():
    a, b = Value(2.0), Value(3.0)
    c = a * b
    c._op = "area"
    assert (c.op, c._op, c.operation, c.operands) == ("area", "area", OPERATIONS["multiply"], (a, b))
    assert "area" in repr(c)
    assert "area" in draw(c).svg
    assert vars(c) == {}
    c.backward()
    assert (a.grad, b.grad) == (3.0, 2.0)
    assert Tape(c, [a]).forward([5.0]).tolist() == [15.0]
    assert autograd.gradients(c, a, create_graph=True) is b
    d = a**2
    assert d._op == "**2"
    d._op = "square"
    assert d._op == "square"
    e = autograd.dot([a, 1.0], [b, 2.0], a)
    e._op = "net"
    assert (e.op, e.operands, e.parents) == ("net", ((a, 1.0), (b, 2.0), a), (a, b, a))
    a._op = "leaf"
    assert (a.op, a.parents) == ("leaf", ())
    a._op = ""
    assert repr(a) == "Value(data=2.0, grad=3.0)"


def test_the_same_parents_change_nothing():
    a, b = Value(2.0), Value(3.0)
    c = a * b + a
    for parents in (c._prev, list(c.parents), iter(reversed(c.parents)), {*c.parents}):
        c._prev = parents
        assert (c.op, c.operation, c.local_derivatives) == ("+", OPERATIONS["add"], (1.0, 1.0))
    square = a * a
    square._prev = {a}
    assert (square.parents, square.local_derivatives) == ((a, a), (2.0, 2.0))


def test_other_parents_are_by_hand():
    a, b = Value(2.0), Value(3.0)
    c = a * b
    c._prev = {a}
    assert (c.parents, c.op, c.operation, c.operands, c.local_derivatives) == ((a,), "*", None, (), ())
    c._local_grads = (7.0,)
    c.backward()
    assert (a.grad, b.grad) == (7.0, 0.0)
    c._children = ()
    assert (c.parents, c.op) == ((), "*")
    c._op = ""
    assert pickle.loads(pickle.dumps(c)).data == 6.0
    assert [*map(id, topological_order(c))] == [id(c)]


def test_a_local_derivative_belongs_to_the_child_at_its_place():
    """As microgpt's backward() has it, which goes through both with zip()."""
    a, b, c = Value(2.0), Value(3.0), Value(5.0)
    y = a * b
    y._children = y._children
    assert (y.operation, y.local_derivatives) == (OPERATIONS["multiply"], (3.0, 2.0))
    y._children = [c, b]
    assert (y.parents, y._local_grads, y.op, y.operation) == ((c, b), (3.0, 2.0), "*", None)
    y._children = (b, c)
    y._children = iter([*y._children, a])
    assert (y.parents, y._local_grads) == ((b, c, a), (3.0, 2.0, 0.0))
    y._children = y._children[1:2]
    y._local_grads = y._local_grads[:1]
    y.backward()
    assert (a.grad, b.grad, c.grad) == (0.0, 0.0, 3.0)
    y._children = {a, b}  # in which nothing has a place
    assert (y._prev, y._local_grads) == ({a, b}, ())
    y._children = (a,)
    assert y._local_grads == ()


def test_the_same_children_are_differentiated_as_before():
    x = Value(2.0)
    for y in (x * x, autograd.dot([x, 1.0], [3.0, x]), Value(4.0, (x,), (4.0,))):
        x.grad = 0.0
        y._children = y._children
        y.backward()
        assert x.grad == 4.0


def test_a_graph_with_a_cycle_is_walked_to_its_end():
    a = Value(2.0)
    b = a * 3.0
    c = b * 2.0
    a._prev = {c}
    a._local_grads = (1.0,)
    order = topological_order(c)
    assert {*order} == {a, b, c}
    assert len(order) == 3
    c.backward()
    a._prev = ()


def test_the_collector_frees_the_cycle_of_a_node_that_is_its_own_parent():
    import gc
    import weakref

    class Own(Value):
        pass

    v = Own(1.0)
    v._prev = {v}
    alive = weakref.ref(v)
    del v
    gc.collect()
    assert alive() is None


# ---- what notebooks show


def rows(value):
    """Of the table that a notebook shows: its caption, and the texts of each row, of the head first."""
    bundle, _ = DisplayFormatter().format(value)
    assert bundle["text/plain"] == repr(value)
    table = ElementTree.fromstring(bundle["text/html"])
    return table.find("caption").text, [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]


def test_notebooks_show_a_value_with_its_parents():
    a, b = Value(2.0, label="a"), Value(-3.0)
    c = a * b + a
    c.label = "c"
    c.backward()
    assert rows(c) == (
        "Value, computed by + from 2 parents",
        [
            ["node", "label", "data", "grad", "op", "local derivative"],
            ["Value", "c", "-4.0", "1.0", "+", ""],
            ["parent 0", "", "-6.0", "1.0", "*", "1.0"],
            ["parent 1", "a", "2.0", "-2.0", "", "1.0"],
        ],
    )
    assert rows(b) == ("Value, a leaf", [["node", "data", "grad"], ["Value", "-3.0", "2.0"]])


def test_of_very_many_parents_notebooks_show_the_first_ones():
    total = autograd.sum([Value(float(k)) for k in range(100_000)])
    caption, shown = rows(total)
    assert caption == "Value, computed by sum from 100,000 parents"
    assert [row[0] for row in shown[1:]] == ["Value", *[f"parent {k}" for k in range(10)], "… and 99,990 more"]
    assert [row[1] for row in shown[2:12]] == [f"{k}.0" for k in range(10)]


def test_notebooks_show_values_made_by_hand_and_of_subclasses():
    class Weight(Value):
        pass

    class Own(Value):
        def __repr__(self):
            return "<mine>"

    a = Weight(1.0)
    by_hand = Value(3.0, (a, Value(2.0)))
    caption, shown = rows(by_hand)
    assert caption == "Value, of 2 parents"
    assert [row[0] for row in shown] == ["node", "Value", "parent 0", "parent 1"]
    assert rows(a)[0] == "Weight, a leaf"
    assert Own(1.0)._repr_html_() == "<pre>&lt;mine&gt;</pre>"


@pytest.mark.parametrize("label", ["<script>alert(1)</script>", "&lt;", "a\nb", "\x00", "\ud800", "x" * 1000])
def test_a_label_cannot_bring_markup_into_a_notebook(label):
    _, shown = rows(Value(1.0, label=label) * 1.0)
    written = "".join(c if c.isprintable() else repr(c)[1:-1] for c in label)
    assert shown[2][1] == (written if len(written) < 100 else "x" * 59 + "…")


def test_what_a_notebook_shows_changes_nothing():
    a = Value(math.inf)
    total = a + math.nan
    with no_grad():
        assert rows(total)[1][1:] == [["Value", "nan", "0.0", "+", ""], ["parent 0", "inf", "0.0", "", "1.0"]]
    tape = Tape.record(lambda x: x * x if rows(x) else x, [1.0])
    assert len(tape) == 1
