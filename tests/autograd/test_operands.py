"""Operands: what is a number, what is none, and what is said of it."""

from __future__ import annotations

import math
import operator
import re
import weakref
from contextlib import nullcontext
from decimal import Decimal
from fractions import Fraction
from functools import partial
from unittest.mock import Mock

import mpmath
import numpy as np
import pytest

import autograd.value
from autograd import (
    RecordingError,
    Tape,
    Value,
    atan2,
    compiled,
    define,
    dot,
    engines,
    exp,
    grad,
    gradients,
    hvp,
    jvp,
    logaddexp,
    logsumexp,
    mean,
    no_grad,
    prod,
    softmax,
    structures,
    take,
    tanh,
    vjp,
)
from autograd import max as largest
from autograd import sum as sum_of
from autograd.graph import topological_order
from autograd.operands import real_number
from autograd.operations import OPERATIONS
from nn import MLP, half_squared_error

pytestmark = pytest.mark.both_engines


class Scalar:
    """As an array library has it: a number with a gradient of its own, perhaps."""

    def __init__(self, number, *, ndim=None, shape=None, requires_grad=None):
        self.number = number
        for name, attribute in {"ndim": ndim, "shape": shape, "requires_grad": requires_grad}.items():
            if attribute is not None:
                setattr(self, name, attribute)

    def item(self):
        return self.number

    def __len__(self):
        raise TypeError("a scalar has no length")

    def __repr__(self):
        return f"Scalar({self.number})"


class Unwilling(Scalar):
    """Its operators refuse a Value in words of their own."""

    def __add__(self, other):
        return NotImplemented

    __radd__ = __mul__ = __rmul__ = __sub__ = __rsub__ = __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __add__

    def __float__(self):
        return float(self.number)


NUMBERS = {
    "an array of no dimensions": np.array(2.5), "of float32": np.array(2.5, np.float32), "of int": np.array(2),
    "of bool": np.array(True), "of object": np.array(Fraction(5, 2), dtype=object), "float16": np.float16(2.5),
    "longdouble": np.longdouble(2.5), "of longdouble": np.array(2.5, np.longdouble), "float64": np.float64(2.5),
    "int8": np.int8(2), "unmasked": np.ma.array(2.5, mask=False), "an element": np.arange(3.0)[2],
    "without a shape": Scalar(2.5), "ndim": Scalar(2.5, ndim=0), "shape": Scalar(2.5, shape=()),
    "no gradient": Scalar(2.5, shape=(), requires_grad=False), "an integer": Scalar(2, ndim=0),
    "a NumPy scalar inside": Scalar(np.float32(2.5)), "a Fraction inside": Scalar(Fraction(5, 2)),
    "Fraction": Fraction(5, 2), "Decimal": Decimal("2.5"), "mpf": mpmath.mpf(2.5), "infinite": np.array(math.inf),
}  # fmt: skip


class WithoutNumber:
    """Whose `item` is none of an array's."""

    item = 5


@pytest.mark.parametrize(
    "given", [Value, np.float64, WithoutNumber(), WithoutNumber], ids=["Value", "float64", "own", "own class"]
)
def test_a_class_and_what_has_another_item_are_no_numbers(given):
    x, expected = Value(1.0), rf"expected a (real number|sequence of numbers), got {type(given).__name__}: "
    for use in (Value, exp, x.backward, partial(dot, [x]), partial(setattr, x, "data"), partial(setattr, x, "grad")):
        with pytest.raises(TypeError, match=expected):
            use(given)
    with pytest.raises(TypeError, match="unsupported operand type"):
        x + given


def true_number(number):
    return float(number.number) if isinstance(number, Scalar) else float(number)


USES = {
    "Value": lambda x: Value(x).data,
    "data": lambda x: assigned("data", x),
    "grad": lambda x: assigned("grad", x),
    "backward": lambda x: run(x),
    "exp": lambda x: exp(x) if x != math.inf else math.inf,
    "atan2": lambda x: atan2(Value(1.0), x).data,
    "sum": lambda x: sum_of([Value(1.0), x]).data,
    "logsumexp": lambda x: logsumexp([Value(1.0), x]).data,
    "dot": lambda x: dot([Value(1.0), 2.0], [x, x], x).data,
    "by hand": lambda x: Value(1.0, (Value(1.0),), (x,)).local_derivatives,
    "grad()": lambda x: grad(lambda y: y * y)(x),
}
IN_STRUCTURES = {
    "max": lambda x: largest(x, Value(1.0)).data,
    "mean": lambda x: mean([Value(1.0), x]).data,
    "prod": lambda x: prod([Value(1.0), x]).data,
    "softmax": lambda x: softmax([Value(1.0), x])[0].data,
    "logaddexp": lambda x: logaddexp(Value(1.0), x).data,
    "tangents": lambda x: jvp(lambda y: 3.0 * y, (2.0,), (x,)),
    "tangents in a list": lambda x: jvp(lambda y: 3.0 * y[0], ([2.0, 1.0],), ([x, x],)),
    "tangents of an array": lambda x: jvp(lambda y: 3.0 * y[0], (np.ones(2),), ([x, x],)),
    "tangents in a dict": lambda x: jvp(lambda y: 3.0 * y["a"], ({"a": 2.0},), ({"a": x},)),
    "cotangents": lambda x: vjp(lambda y: 3.0 * y, 2.0)[1](x),
    "cotangents in a list": lambda x: vjp(lambda y: [3.0 * y, y], 2.0)[1]([x, 0.0]),
    "a vector": lambda x: hvp(lambda y: y * y * y, (2.0,), (x,)),
    "a vector in a list": lambda x: hvp(lambda y: y[0] * y[1], ([2.0, 1.0],), ([x, x],)),
    "in a list": lambda x: numbers(grad(lambda y: y[0] * y[1])([x, 1.0])),
    "returned": lambda x: numbers(jvp(lambda y: [3.0 * y, x], (2.0,), (1.0,))),
    "structures": lambda x: numbers({"a": [x]}),
    "a tape's inputs": lambda x: Tape.record(lambda y: y * y, [Value(1.0), x][:1]).forward([[x]]).tolist(),
    "a tape's batch": lambda x: tape().forward([x, x]).tolist(),
    "a tape's parameters": lambda x: tape().forward([1.0], parameters=[x]).tolist(),
    "a tape's gradient": lambda x: through_tape(x),
}


def numbers(structure):
    return structures.flatten(structure, structures.number)[0]


def tape():
    x = Value(1.0)
    return Tape(Value(2.0) * x, [x])


def through_tape(gradient):
    replayed = tape()
    replayed.forward([1.0])
    replayed.backward(gradient)
    return replayed.parameters[0].grad


def assigned(name, x):
    v = Value(0.0)
    setattr(v, name, x)
    return getattr(v, name)


def run(x):
    v = Value(1.0)
    v.backward(x)
    return v.grad


@pytest.mark.parametrize("name", NUMBERS)
def test_it_is_a_number(name):
    number = NUMBERS[name]
    assert real_number(number) == true_number(number)
    assert type(real_number(number)) is float


@pytest.mark.parametrize("use", IN_STRUCTURES)
@pytest.mark.parametrize("name", NUMBERS)
def test_it_is_a_number_in_structures_too(name, use):
    number = NUMBERS[name]
    if use.startswith("a tape's") and ("Fraction" in name or name in ("Decimal", "mpf", "of object")):
        return  # a tape takes numbers that are floats or integers already
    found, expected = IN_STRUCTURES[use](number), IN_STRUCTURES[use](true_number(number))
    assert repr(found) == repr(expected)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("name", NUMBERS)
def test_it_is_a_number_wherever_one_may_be(name, use):
    number = NUMBERS[name]
    if use == "exp" and isinstance(number, Scalar):
        return  # which cannot be compared with inf
    if use == "grad()" and isinstance(number, np.ndarray):
        assert grad(lambda y: y * y)(number).tolist() == 2.0 * true_number(number)  # an array, in and out
        return
    assert repr(USES[use](number)) == repr(USES[use](true_number(number)))


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("infix", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow])
def test_it_is_an_operand_on_either_side(name, infix):
    number = NUMBERS[name]
    true = true_number(number)
    if math.isinf(true):
        return
    for left in (True, False):
        if isinstance(number, np.ma.MaskedArray) and not left:
            continue  # that makes an array of the result, as it does of any object
        x, y = Value(1.5), Value(1.5)
        result, expected = (infix(x, number), infix(y, true)) if left else (infix(number, x), infix(true, y))
        assert (type(result), result.data, result.local_derivatives) == (
            Value,
            expected.data,
            expected.local_derivatives,
        )


OWN_GRADIENTS = [Scalar(2.5, requires_grad=True), Unwilling(2.5, ndim=0, requires_grad=True)]
HINT = (
    r"expected a real number, got \w+: Scalar\(2\.5\), which records a gradient of its own; its number is "
    r"array\.item\(\), and Value\(array\.item\(\)\) a leaf to differentiate by"
)


@pytest.mark.parametrize("tensor", OWN_GRADIENTS, ids=lambda tensor: type(tensor).__name__)
@pytest.mark.parametrize("use", sorted(USES.keys() - {"exp", "grad()", "by hand"}))
def test_one_with_a_gradient_of_its_own_is_refused_with_a_hint(tensor, use):
    for block in (no_grad(), no_grad()):
        with pytest.raises(TypeError, match=HINT):
            USES[use](tensor)
        with block, pytest.raises(TypeError, match=HINT):
            USES[use](tensor)
    with pytest.raises(TypeError, match=HINT):
        exp(tensor)


INFIXES = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.lt, operator.le, operator.gt,
]  # fmt: skip


@pytest.mark.parametrize("tensor", OWN_GRADIENTS, ids=lambda tensor: type(tensor).__name__)
@pytest.mark.parametrize("infix", INFIXES)
def test_no_operator_leaves_it_to_the_other_operand(tensor, infix):
    with pytest.raises(TypeError, match=HINT):
        infix(Value(1.0), tensor)
    with pytest.raises(TypeError, match=HINT):
        infix(tensor, Value(1.0))


@pytest.mark.parametrize("use", sorted(IN_STRUCTURES))
def test_one_with_a_gradient_of_its_own_is_refused_in_structures_too(use):
    with pytest.raises(TypeError, match=HINT):
        IN_STRUCTURES[use](Scalar(2.5, ndim=0, requires_grad=True))


class Twin(autograd.value.Value):
    """A Value of the Python engine, which is the other one where the native engine is in use."""


ANOTHER_ENGINE = r"expected a number or a Value of the same engine, got an autograd(\.value)?\.Value, whose graph is"
TAKEN_WITH_ANOTHER = {
    **{f"x {infix.__name__} other": partial(infix, Value(1.0)) for infix in INFIXES},
    **{f"other {infix.__name__} x": partial(lambda infix, other: infix(other, Value(1.0)), infix) for infix in INFIXES},
    "tanh": tanh,
    "a method": Value(1.0).hypot,
    "dot": lambda other: dot([Value(1.0)], [other]),
    "sum": lambda other: sum_of([Value(1.0), other]),
    "max": lambda other: largest([Value(1.0), other]),
    "the builtin max": lambda other: max(Value(3.0), other),
    "the builtin sum": lambda other: sum([Value(1.0), other]),
    "mean": lambda other: mean([other, other]),
    "an array of no dimensions": lambda other: Value(1.0) * np.array(other),
    "an array": lambda other: np.array([Value(1.0)]) * np.array([other]),
    "by hand": lambda other: Value(1.0, (other,), "f"),
    "by hand, of the other": lambda other: type(other)(1.0, (Value(1.0),), "f"),
    "the argument of grad()": lambda other: grad(lambda x: x * x)(other),
    "within grad()": lambda other: grad(lambda x: x * other)(2.0),
    "the result in grad()": lambda other: grad(lambda x: other)(2.0),
    "the argument of compiled()": lambda other: compiled(lambda x: x * x)(other),
    "a tangent": lambda other: jvp(lambda x: x * x, (1.0,), (other,)),
    "a network": lambda other: MLP(1, [1])([other]),
    "a loss": lambda other: half_squared_error([other], [1.0]),
}


@pytest.mark.skipif(engines.engine == "python", reason="the Python engine is the one in use")
@pytest.mark.parametrize("kind", [autograd.value.Value, Twin])
@pytest.mark.parametrize("use", TAKEN_WITH_ANOTHER)
def test_a_value_of_the_other_engine_is_no_constant(use, kind):
    other = kind(0.5)
    for block in (nullcontext(), no_grad()):
        with block, pytest.raises(TypeError, match=ANOTHER_ENGINE):
            TAKEN_WITH_ANOTHER[use](other)
    assert (Value(other).data, type(Value(other))) == (0.5, Value)
    v = Value(0.0)
    v.data = other
    assert v.data == 0.5
    (other * 2.0 + other).backward()
    assert other.grad == 3.0


REFUSED = {
    "a date": (np.datetime64("2020"), "datetime64"),
    "a duration": (np.timedelta64(3, "s"), "timedelta64"),
    "an array of a date": (np.array("2020-01-01", "M8[D]"), "ndarray"),
    "complex": (np.array(1j), "ndarray"),
    "of a string": (np.array("1.5"), "ndarray"),
    "of None": (np.array(None), "ndarray"),
    "one element": (np.array([1.0]), "ndarray"),
    "a matrix": (np.eye(2), "ndarray"),
    "masked": (np.ma.masked, "MaskedConstant"),
    "an array that is masked": (np.ma.array(1.0, mask=True), "MaskedArray"),
    "a string in a scalar": (Scalar("2.5"), "Scalar"),
    "a complex in a scalar": (Scalar(1j), "Scalar"),
    "one dimension": (Scalar(2.5, ndim=1), "Scalar"),
    "a shape": (Scalar(2.5, shape=(1,)), "Scalar"),
}


@pytest.mark.parametrize("use", sorted(USES.keys() - {"exp", "grad()", "by hand", "sum"}))
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_number_is_named(name, use):
    thing, kind = REFUSED[name]
    with pytest.raises(TypeError, match=rf"expected a real number, got {kind}: "):
        USES[use](thing)


NO_NUMBERS = [name for name, (thing, _) in REFUSED.items() if not getattr(thing, "ndim", getattr(thing, "shape", ()))]


@pytest.mark.parametrize("use", sorted(IN_STRUCTURES))
@pytest.mark.parametrize("name", NO_NUMBERS)
def test_what_is_no_number_is_named_in_structures_too(name, use):
    if use.startswith("a tape's") and "masked" in name:
        return  # NumPy warns: of a list it makes an array with nan
    with pytest.raises(TypeError, match=r"expected (a real number|real numbers), got [\w.]+: "):
        IN_STRUCTURES[use](REFUSED[name][0])


@pytest.mark.parametrize("use", sorted(USES.keys() - {"exp", "grad()"}))
def test_a_value_in_an_array_of_no_dimensions_is_that_value(use):
    v = Value(2.0)
    assert repr(USES[use](np.array(v))) == repr(USES[use](v))


INFIX = ["add", "sub", "mul", "truediv", "pow"]
FORMS = {
    "x + y": lambda name, x, y: getattr(operator, name)(x, y),
    "x += y": lambda name, x, y: getattr(operator, f"i{name}")(x, y),
    "x.__add__(y)": lambda name, x, y: getattr(x, f"__{name}__")(y),
    "x.__radd__(y)": lambda name, x, y: getattr(x, f"__r{name}__")(y),
    "y + x": lambda name, x, y: getattr(operator, name)(y, x),
}
HOLDERS = {
    "an array": np.array,
    "an object": Scalar,
    "an object with a shape": lambda v: Scalar(v, shape=(), requires_grad=False),
    "unmasked": lambda v: np.ma.array(v, mask=False),
}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", INFIX)
def test_an_operator_finds_the_value_in_an_array_of_no_dimensions(name, form, holder):
    """Values and gradients are those of the Value itself, and so is the graph."""
    if form == "y + x" and holder == "unmasked":
        return  # numpy.ma is asked first, whose operators take arrays of floats alone
    x, y, a, b = Value(3.0), Value(2.0), Value(3.0), Value(2.0)
    result, expected = FORMS[form](name, x, HOLDERS[holder](y)), FORMS[form](name, a, b)
    result = result.item() if isinstance(result, np.ndarray) else result  # where NumPy has been asked first
    assert [[x, y].index(parent) for parent in result.parents] == [[a, b].index(parent) for parent in expected.parents]
    result.backward()
    expected.backward()
    assert (result.data, x.grad, y.grad) == (expected.data, a.grad, b.grad)


@pytest.mark.parametrize("name", INFIX)
def test_an_operator_keeps_a_value_that_nobody_else_holds(name):
    """`.item()` may make a Value: it lives as long as the result."""

    class Made(Scalar):
        def item(self):
            return Value(2.0, label="made") * 1.0

    x = Value(3.0)
    result = getattr(x, f"__{name}__")(Made(0.0))
    assert [parent.data for parent in result.parents] == [3.0, 2.0]
    assert result.data == getattr(operator, name)(3.0, 2.0)


def test_a_tape_and_a_transform_find_the_value_in_an_array_of_no_dimensions():
    w = Value(3.0)
    tape = Tape.record(lambda t: w * t, [np.array(1.0)])
    assert tape.forward([2.0]).tolist() == [6.0]
    assert float(grad(lambda t: t * t * t)(np.array(2.0))) == 12.0


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
def test_a_comparison_finds_the_value_in_an_array_of_no_dimensions(compare):
    for data in (1.0, 2.0, 3.0):
        assert getattr(Value(data), f"__{compare.__name__}__")(np.array(Value(2.0))) is compare(data, 2.0)
    with pytest.raises(RecordingError, match="a comparison of"):
        Tape.record(lambda t: w if compare(w := Value(1.0), np.array(t)) else t, [1.0])


def test_what_numpy_returns_in_an_array_of_no_dimensions_keeps_its_derivative():
    v = Value(3.0)
    [square] = [np.tensordot(np.array([v]), np.array([v]), 1)]
    assert isinstance(square, np.ndarray)
    sum_of([square, 1.0]).backward()
    assert v.grad == 6.0


def test_a_scalar_whose_item_fails_fails_with_its_own_error():
    class Traced(Scalar):
        def item(self):
            raise RuntimeError("not now")

    with pytest.raises(RuntimeError, match="not now"):
        Value(Traced(1.0))
    with pytest.raises(RuntimeError, match="not now"):
        Value(1.0) + Traced(1.0)


def test_an_attribute_of_a_value_does_not_make_an_array_of_it():
    v = Value(2.0)
    v.ndim, v.shape, v.dtype, v.requires_grad, v.mask = 1, (3,), "float", True, True
    assert (Value(v).data, (Value(1.0) * v).data, dot([v], [v]).data) == (2.0, 2.0, 4.0)


class Setting:
    """A number whose conversion sets the data of Values."""

    def __init__(self, number, *values):
        self.number, self.values = number, values

    def __float__(self):
        for value in self.values:
            value.data = 5.0
        return self.number


SETTING = {
    "+": lambda x, y: (x + Setting(1.0, x)).data == 6.0,
    "reflected": lambda x, y: (Setting(1.0, x) - x).data == -4.0,
    "**": lambda x, y: (x ** Setting(2.0, x)).local_derivatives == (10.0,),
    "<": lambda x, y: (x < Setting(3.0, x)) is False,
    ">=": lambda x, y: (x >= Setting(3.0, x)) is True,
    "reflected <": lambda x, y: (Setting(3.0, x) < x) is True,
    "a function": lambda x, y: atan2(x, Setting(1.0, x)).data == math.atan2(5.0, 1.0),
    "dot": lambda x, y: dot([x, y], [y, Setting(1.0, x, y)], Setting(1.0, x)).data == 31.0,
    "sum": lambda x, y: sum_of([x, y, Setting(1.0, x, y)]).data == 11.0,
    "data": lambda x, y: setattr(x, "data", Setting(7.0, x)) or x.data == 7.0,
    "grad": lambda x, y: x.backward(Setting(7.0, x)) or (x.grad, x.data) == (7.0, 5.0),
    "the constructor": lambda x, y: x.__init__(Setting(7.0, x), label="z") or (x.data, x.label) == (7.0, "z"),
}


@pytest.mark.parametrize("name", SETTING)
def test_operands_are_read_once_all_are_converted(name):
    assert SETTING[name](Value(2.0), Value(3.0))


@pytest.mark.parametrize("kind", [set, frozenset])
def test_children_with_local_derivatives_have_an_order(kind):
    a, b = Value(2.0), Value(3.0)
    with pytest.raises(TypeError, match="expected children in an order"):
        Value(6.0, kind([a, b]), (3.0, 2.0))
    assert set(Value(6.0, kind([a, b]), "*").parents) == {a, b}  # micrograd's have none


def test_a_batch_is_told_where_to_go():
    hint = r"; a batch goes through one example at a time, or through a Tape$"
    model = MLP(2, [3, 1])
    for batch in ([[1.0, 2.0], [3.0, 4.0]], np.ones((2, 5)), [(1.0, 2.0), (3.0, 4.0)]):
        with pytest.raises(
            TypeError, match=rf"^dot\(weights, inputs, bias=0\.0\): expected a real number, got .*{hint}"
        ):
            model(batch)
    with pytest.raises(TypeError, match=r"expected a real number, got dict: {}$"):
        Value({})


# ---- What only says that it is a Value: isinstance() believes its __class__


class Lazy:
    """A transparent wrapper, as of libraries for proxies, without their operators."""

    def __init__(self, thing):
        self.thing = thing

    @property
    def __class__(self):
        return type(self.thing)

    def __getattr__(self, name):
        return getattr(self.thing, name)


class Claiming:
    __class__ = Value

    def __float__(self):
        return 1.0


X = Value(2.0)
POSING = {"proxy": weakref.proxy(X), "mock": Mock(spec=Value), "wrapper": Lazy(X), "claim": Claiming()}
posing = pytest.mark.parametrize("posing", POSING.values(), ids=POSING)


@posing
@pytest.mark.parametrize("name", OPERATIONS)
def test_no_function_takes_what_poses_as_a_value(name, posing):
    operation = OPERATIONS[name]
    for place in range(len(operation.operands)):
        operands = [Value(0.5)] * len(operation.operands)
        operands[place] = posing
        given = [[x] if i < operation.sequences else x for i, x in enumerate(operands)]
        with pytest.raises(TypeError, match=f"expected a Value, got a {type(posing).__qualname__} that stands for one"):
            engines.function(operation)(*given)


TAKERS = {
    "Value": Value,
    "data": lambda posing: setattr(Value(1.0), "data", posing),
    "grad": lambda posing: setattr(Value(1.0), "grad", posing),
    "backward": lambda posing: Value(1.0).backward(posing),
    "children": lambda posing: Value(1.0, (posing,), (1.0,)),
    "_children": lambda posing: setattr(Value(1.0), "_children", (posing,)),
    "local derivatives": lambda posing: Value(1.0, (Value(1.0),), (posing,)),
    "gradients": lambda posing: gradients(Value(1.0) * 2.0, [posing]),
    "inputs of a tape": lambda posing: Tape(Value(1.0) * 2.0, [posing]),
    "outputs of a tape": lambda posing: Tape(posing, [Value(1.0)]),
}


@posing
@pytest.mark.parametrize("take", TAKERS.values(), ids=TAKERS)
def test_nothing_takes_what_poses_as_a_value(take, posing):
    with pytest.raises(TypeError, match="expected"):
        take(posing)


INFIX = ["add", "sub", "mul", "truediv", "pow", "lt", "le", "gt", "ge"]


@pytest.mark.parametrize("name", INFIX)
def test_an_operator_leaves_what_poses_as_a_value_to_its_own_class(name):
    infix = getattr(operator, name)
    y = Value(3.0)
    for left, right in [(y, POSING["proxy"]), (POSING["proxy"], y)]:  # a proxy puts its object in its place
        result, expected = infix(left, right), infix(*[X if operand is not y else y for operand in (left, right)])
        if isinstance(expected, Value):
            assert [*map(id, result.parents)] == [*map(id, expected.parents)]
            result, expected = result.data, expected.data
        assert result == expected
    for other in (POSING["mock"], POSING["wrapper"], POSING["claim"]):
        with pytest.raises(TypeError, match=r"unsupported operand|not supported between"):
            infix(y, other)


def test_a_walk_from_a_mock_ends():
    mock = Mock(spec=Value, parents=())
    assert topological_order(mock) == [mock]


# ---- numbers beyond all floats

BEYOND = "expected a real number, got a number beyond the largest float, 1.8e308"
READERS = {
    "a Value": (Value, ""),
    "data": (lambda number: setattr(Value(1.0), "data", number), ""),
    "a seed": (lambda number: Value(1.0).backward(number), ""),
    "an operand": (lambda number: Value(1.0) - number, ""),
    "on the left": (lambda number: number / Value(1.0), ""),
    "an argument": (lambda number: atan2(Value(1.0), number), "atan2(y, x): "),
    "of numbers": (exp, "exp(x): "),
    "an element": (lambda number: dot([Value(1.0)], [number]), "dot(weights, inputs, bias=0.0): "),
    "an element taken": (lambda number: take([number, 1.0], 0), "take: "),
    "one of many": (lambda number: softmax([1.0, number]), "softmax: "),
    "a default": (lambda number: defined_with(number), "define: beyond: the default of x: "),
    "in a structure": (lambda number: grad(lambda x: x[0])([number]), "grad: the argument: "),
}


def defined_with(default):
    return define("beyond", lambda m, x=default: x, [lambda m, r, x: 1.0])


@pytest.mark.parametrize("number", [10**400, -(10**400), 10**5000, Fraction(10**400)], ids=["int", "-", "long", "of"])
@pytest.mark.parametrize(("read", "where"), READERS.values(), ids=READERS)
def test_a_number_beyond_all_floats(read, where, number):
    with pytest.raises(OverflowError, match=f"^{re.escape(where + BEYOND)}"):
        read(number)


def test_a_decimal_beyond_all_floats_is_no_infinity():
    with pytest.raises(OverflowError, match="expected a real number, got a number beyond the largest float"):
        Value(Decimal("1e400"))
    assert Value(Decimal("-Infinity")).data == -math.inf
