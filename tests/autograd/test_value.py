"""Value: its numbers, its errors, and the order and the sums of `backward()`."""

from __future__ import annotations

import copy
import gc
import math
import operator
import pickle
import subprocess
import sys
import weakref
from decimal import Decimal, FloatOperation, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Tape, Value, dot, exp, log, logsumexp, maximum, no_grad, tanh
from autograd import sum as sum_of
from autograd.graph import topological_order

# ---- what a Value is made of


@pytest.mark.parametrize(
    "number",
    [2, 2.0, True, Fraction(1, 3), Decimal("0.1"), np.float64(0.1), np.float32(0.1), np.int8(-3), np.bool_(True),
     np.float16(0.5), np.longdouble(1.5), np.array(1.5), np.array(2), math.inf, math.nan, -0.0],
)  # fmt: skip
def test_data_is_the_float_of_any_real_number(number):
    value = Value(number)
    assert type(value.data) is float
    assert value.data == float(number) or math.isnan(number)
    assert type(value.grad) is float
    assert value.grad == 0.0


class Indexed:
    def __index__(self):
        return 7


def test_children_are_values():
    a = Value(2.0)
    assert Value(1.0, [a], "k").parents == (a,)
    with pytest.raises(TypeError, match=r"expected Values as _children, got 'a'; a label is given as label="):
        Value(2.0, "a")


def test_an_operation_of_ones_own_without_a_backward_says_nothing():
    a = Value(2.0)
    b = Value(3.0, (a,), "k")
    (b * 2).backward()
    assert (a.grad, b.grad, b.op, b.local_derivatives) == (0.0, 2.0, "k", ())


def test_an_index_is_a_real_number():
    assert Value(Indexed()).data == 7.0


REFUSED = [
    ("abc", "str: 'abc'"), ("1.5", "str: '1.5'"), (b"1", "bytes"), (None, "NoneType: None"), (1j, "complex: 1j"),
    (np.complex128(1), "complex128"), (np.complex64(1), "complex64"), ([1.0], r"list: \[1.0\]"), ((1.0,), "tuple"),
    (np.array([1.0]), "ndarray"), (np.array([Value(1.0)]), "ndarray"), ({}, "dict"), (object(), "object"),
]  # fmt: skip


@pytest.mark.parametrize(("thing", "named"), REFUSED, ids=[named for _, named in REFUSED])
def test_anything_else_is_a_type_error_that_names_it(thing, named):
    expected = f"expected a real number, got {named}"
    with pytest.raises(TypeError, match=expected):
        Value(thing)
    value = Value(3.0)
    with pytest.raises(TypeError, match=expected):
        value.data = thing
    with pytest.raises(TypeError, match=expected):
        value.grad = thing
    with pytest.raises(TypeError, match=expected):
        value.backward(thing)
    with pytest.raises(TypeError, match=expected):
        exp(thing)
    assert (value.data, value.grad) == (3.0, 0.0)


@pytest.mark.parametrize("thing", ["abc", None, 1j, [1.0], (1.0,), {}])
@pytest.mark.parametrize(
    "infix", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.lt]
)
def test_operators_refuse_what_is_no_real_number(infix, thing):
    with pytest.raises(TypeError, match="Value"):
        infix(Value(1.0), thing)
    with pytest.raises(TypeError, match="Value"):
        infix(thing, Value(1.0))


def test_data_and_grad_are_assignable_and_stay_floats():
    value = Value(1)
    value.data = 3
    value.grad = np.float32(0.5)
    value.data -= 0.5 * value.grad
    assert (value.data, value.grad) == (2.75, 0.5)
    assert (type(value.data), type(value.grad)) == (float, float)


def test_a_value_of_a_value_is_a_new_leaf():
    computed = Value(2.0) * 3
    leaf = Value(computed)
    assert (leaf.data, leaf.parents, leaf.op) == (6.0, (), "")


def test_identity_and_comparison():
    a, b = Value(1.0), Value(1.0)
    assert a != b
    assert len({a, b, a}) == 2
    assert a <= b <= 1 <= a
    assert not a < b
    assert Value(1) < 2.5
    assert np.float64(0.5) < Value(1)
    assert not Value(math.nan) >= 0
    assert bool(Value(0.0)) is False
    assert bool(Value(math.nan)) is True
    assert sorted([Value(3), Value(1)])[0].data == 1.0


def test_repr_and_format():
    a = Value(2.0, label="a")
    assert repr(a) == "Value(data=2.0, grad=0.0, label='a')"
    assert repr(a * 3) == "Value(data=6.0, grad=0.0, op='*')"
    assert f"{a:.3f}" == "2.000"
    assert f"{a}" == str(a) == repr(a)


def test_attributes_and_subclasses():
    class Parameter(Value):
        momentum = 0.9

    parameter = Parameter(1.0)
    parameter.velocity = 0.25
    (parameter * 3).backward()
    assert (parameter.grad, parameter.momentum, parameter.velocity) == (3.0, 0.9, 0.25)


@pytest.mark.parametrize("name", [3, None, b"data", ["label"]])
def test_an_attribute_s_name_is_a_string(name):
    x = Value(1.0)
    x.momentum = 0.5
    for call in (lambda: x.__setattr__(name, 1.0), lambda: x.__getattribute__(name), lambda: x.__delattr__(name)):
        with pytest.raises(TypeError, match="attribute name must be string, not"):
            call()
    assert vars(x) == {"momentum": 0.5}


# ---- what an operation records


def test_a_node_records_parents_and_local_derivatives():
    a, b = Value(2.0), Value(-3.0)
    c = a * b
    assert c.parents == (a, b)
    assert c.local_derivatives == (-3.0, 2.0)
    assert (c.op, a.op) == ("*", "")
    assert all(type(derivative) is float for derivative in c.local_derivatives)


def test_numbers_are_constants_and_not_nodes():
    x = Value(3.0)
    for node, derivative in [(2 * x, 2.0), (x * 2, 2.0), (1 - x, -1.0), (x / 4, 0.25), (12 / x, -12 / 9), (x**2, 6.0)]:
        assert node.parents == (x,)
        assert node.local_derivatives == pytest.approx((derivative,), rel=1e-15)
    assert (2**x).local_derivatives == pytest.approx((8 * math.log(2),), rel=1e-15)
    assert dot([x, 1.0], [2.0, 5.0]).parents == (x,)


def test_an_nary_operation_is_one_node():
    weights, inputs, bias = [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)], Value(5.0)
    node = dot(weights, inputs, bias)
    assert node.data == 16.0
    assert node.parents == (*weights, *inputs, bias)
    assert node.local_derivatives == (3.0, 4.0, 1.0, 2.0, 1.0)
    assert len(topological_order(node)) == 6
    assert sum_of(weights).local_derivatives == (1.0, 1.0)


def test_nary_operations_take_any_iterable():
    assert dot(np.array([1.0, 2.0]), (Value(x) for x in (3.0, 4.0)), bias=1).data == 12.0
    assert logsumexp(iter([0.0])) == 0.0
    assert sum_of([]) == 0.0
    assert dot([], []) == 0.0


def test_builtin_sum_and_the_unary_operators():
    a, b = Value(2.0), Value(-5.0)
    assert sum([a, b]).data == -3.0
    assert (-a).data == -2.0
    assert abs(b).data == 5.0
    assert +a is a


# ---- backward


def test_a_product_and_a_power():
    a, b = Value(2.0), Value(-3.0)
    c = a * b + a**2
    c.backward()
    assert (c.data, c.grad, a.grad, b.grad) == (-2.0, 1.0, 1.0, 2.0)


def test_a_value_times_itself():
    a = Value(3.0)
    (a * a).backward()
    assert a.grad == 6.0


@pytest.mark.parametrize("swapped", [False, True])
def test_fan_out_in_both_operand_orders(swapped):
    a = Value(2.0)
    b = a * 5.0
    left, right = (b, a) if swapped else (a, b)
    (left * right).backward()  # 5 a²
    assert (a.grad, b.grad) == (20.0, 2.0)


@pytest.mark.parametrize("swapped", [False, True])
def test_diamond(swapped):
    x = Value(3.0)
    top = x * x
    left, right = top * 2.0, top + 1.0
    bottom = right * left if swapped else left * right  # 2x²(x² + 1)
    bottom.backward()
    assert x.grad == 8 * 27.0 + 4 * 3.0
    assert top.grad == 4 * 9.0 + 2.0


def test_the_smallest_graph_on_which_plain_recursion_goes_wrong():
    """d is finished before c only in a topological order: d is c's operand and e's."""
    b = Value(2.0)
    d = b * b
    c = d * 3.0
    (d * c).backward()  # 3 b⁴
    assert b.grad == 12 * 8.0


def test_leaves_accumulate_and_computed_nodes_are_set_afresh():
    x = Value(3.0)
    h = x * x
    y = h * 2.0
    y.backward()
    y.backward()
    assert (x.grad, h.grad, y.grad) == (24.0, 2.0, 1.0)


def test_two_roots_that_share_a_subgraph_add_up():
    x = Value(3.0)
    shared = x * x
    first, second = shared * 2.0, tanh(shared) + 5.0 * shared
    first.backward()
    alone = x.grad
    second.backward()
    both = x.grad
    x.grad = 0.0
    second.backward()
    assert both == alone + x.grad


def test_an_interior_node_as_a_root():
    x = Value(3.0)
    h = x * x
    y = h * 2.0
    y.backward()
    h.backward()
    assert (x.grad, h.grad, y.grad) == (12.0 + 6.0, 1.0, 1.0)


def test_backward_of_a_leaf_and_of_a_constant():
    x = Value(3.0)
    x.backward()
    x.backward(0.5)
    assert x.grad == 1.5
    with no_grad():
        y = x * 2
    y.backward()
    assert (x.grad, y.grad) == (1.5, 1.0)


def test_backward_with_a_gradient():
    x = Value(3.0)
    (x * x).backward(gradient=0.25)
    assert x.grad == 1.5


def test_runs_are_reproducible_to_the_bit():
    def gradients():
        xs = [Value(0.1 * i) for i in range(20)]
        h = [tanh(dot(xs, [math.sin(i * j) for j in range(20)])) for i in range(20)]
        loss = logsumexp(h) * sum(h) - maximum(h[0], h[1])
        loss.backward()
        return [x.grad for x in xs]

    assert gradients() == gradients()


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_random_programs_equal_forward_mode(data):
    """The gradient of a random graph is the one that dual numbers, another algorithm, carry along it."""
    n = data.draw(st.integers(1, 4))
    leaves = [Value(data.draw(st.floats(-2, 2))) for _ in range(n)]
    nodes, tangents = list(leaves), [[float(i == j) for j in range(n)] for i in range(n)]
    for _ in range(data.draw(st.integers(1, 25))):
        i, j = (data.draw(st.integers(0, len(nodes) - 1)) for _ in range(2))
        x, y, dx, dy = nodes[i].data, nodes[j].data, tangents[i], tangents[j]
        kind = data.draw(st.sampled_from(["+", "-", "*", "tanh", "/"]))
        other = np.array(nodes[j]) if data.draw(st.booleans()) else nodes[j]
        if kind == "+":
            node, dual = nodes[i] + other, [a + b for a, b in zip(dx, dy, strict=True)]
        elif kind == "-":
            node, dual = nodes[i] - other, [a - b for a, b in zip(dx, dy, strict=True)]
        elif kind == "*":
            node, dual = tanh(nodes[i] * other), None
            dual = [(1 - math.tanh(x * y) ** 2) * (a * y + x * b) for a, b in zip(dx, dy, strict=True)]
        elif kind == "/":
            node = nodes[i] / (1 + nodes[j] * other)
            dual = [a / (1 + y * y) - x * 2 * y * b / (1 + y * y) ** 2 for a, b in zip(dx, dy, strict=True)]
        else:
            node, dual = tanh(nodes[i]), [(1 - math.tanh(x) ** 2) * a for a in dx]
        nodes.append(node)
        tangents.append(dual)
    nodes[-1].backward()
    reached = topological_order(nodes[-1])
    for leaf, expected in zip(leaves, tangents[-1], strict=True):
        assert leaf.grad == pytest.approx(expected if leaf in reached else 0.0, rel=1e-9, abs=1e-9)


# ---- depth, memory, interrupts


def test_a_chain_of_200_000_nodes_at_the_default_recursion_limit():
    assert sys.getrecursionlimit() == 1000
    x = Value(1.0)
    y = x
    for _ in range(200_000):
        y = y + 1e-5
    alive = weakref.ref(y.parents[0])
    y.backward()
    assert (x.grad, len(topological_order(y))) == (1.0, 200_001)
    assert y.data == pytest.approx(3.0, rel=1e-9)
    del y
    assert alive() is None


def test_a_wide_graph():
    leaves = [Value(1.0) for _ in range(100_000)]
    total = sum_of(leaves)
    total.backward()
    assert total.data == 100_000.0
    assert {leaf.grad for leaf in leaves} == {1.0}


FREED = """
import gc, weakref
from autograd import Value, dot, logsumexp, relu, tanh
from autograd.graph import topological_order

gc.collect()
gc.disable()
x = Value(0.5)
inner = tanh(x * 3.0)
loss = inner * inner + relu(inner) + dot([inner, x], [x, inner]) - logsumexp([inner, x])
loss.backward()
alive = [weakref.ref(node) for node in topological_order(loss) if node is not x]
del inner, loss
assert [reference() for reference in alive] == [None] * len(alive), alive
assert gc.collect() == 0
"""


def test_a_graph_is_freed_by_reference_counting_alone():
    """In an interpreter of its own, where no other test has left anything to collect."""
    child = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr


def test_resident_size_stays_flat():
    gc.collect()
    gc.disable()
    try:
        parameters = [Value(0.01 * i) for i in range(20)]

        def step():
            loss = tanh(dot(parameters, [0.5] * 20)) ** 2
            loss.backward()

        for _ in range(4000):  # until the interpreter's free lists are full
            step()
        before = sys.getallocatedblocks()
        for _ in range(1000):
            step()
        assert abs(sys.getallocatedblocks() - before) < 100
    finally:
        gc.enable()


def test_an_interrupted_backward_leaves_the_graph_usable():
    x = Value(3.0)
    h = x * x
    y = h * 2.0
    h._backward = lambda: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        y.backward()
    del h._backward
    x.grad = 0.0
    y.backward()
    assert x.grad == 12.0


def test_an_error_in_an_operation_leaves_its_operands_as_they_were():
    x = Value(-1.0)
    with pytest.raises(ValueError, match="log"):
        log(x)
    (x * 2).backward()
    assert (x.data, x.grad) == (-1.0, 2.0)


# ---- errors


ERRORS = [
    (lambda: log(Value(-1.0)), ValueError, "log(-1.0): expected x > 0"),
    (lambda: log(Value(0.0, label="p")), ValueError, "log(0.0): expected x > 0 (x is labelled 'p')"),
    (lambda: Value(1.0) / 0, ZeroDivisionError, "1.0 / 0.0: division by zero"),
    (lambda: 1 / Value(0.0, label="count"), ZeroDivisionError, "1.0 / 0.0: division by zero (y is labelled 'count')"),
    (lambda: Value(0.0) ** -1, ZeroDivisionError, "0.0 ** (-1.0): division by zero"),
    (lambda: Value(-8.0) ** (1 / 3), ValueError,
     "(-8.0) ** 0.3333333333333333: expected x >= 0 or y whole (a fractional power of a negative number is not real)"),
    (lambda: exp(Value(1000.0)), OverflowError, "exp(1000.0): the result is beyond the largest float, 1.8e308"),
    (lambda: Value(10.0) ** 400, OverflowError, "10.0 ** 400.0: the result is beyond the largest float, 1.8e308"),
    (lambda: Value(2.0).asin(), ValueError, "asin(2.0): expected -1 <= x <= 1"),
    (lambda: Value(0.5).acosh(), ValueError, "acosh(0.5): expected x >= 1"),
    (lambda: Value(math.inf).sin(), ValueError, "sin(inf): expected x is finite"),
    (lambda: logsumexp([]), ValueError, "logsumexp([]): expected any x_i > -inf"),
    (lambda: logsumexp([-math.inf, Value(-math.inf)]), ValueError, "logsumexp([-inf, -inf]): expected any x_i > -inf"),
    (lambda: Value(np.datetime64("2020")), TypeError,
     "expected a real number, got datetime64: np.datetime64('2020')"),
    (lambda: dot([1.0, 2.0], [Value(1.0)]), ValueError,
     "dot(weights, inputs, bias=0.0): expected as many of each, got 2 weights and 1 inputs"),
    (lambda: dot(3, [1.0]), TypeError, "dot(weights, inputs, bias=0.0): expected a sequence of numbers, got int: 3"),
    (lambda: dot([None], [1.0]), TypeError,
     "dot(weights, inputs, bias=0.0): expected a real number, got NoneType: None"),
    (lambda: exp(1.0, 2.0), TypeError, "expected exp(x), got 2 operands"),
    (lambda: exp(), TypeError, "expected exp(x), got 0 operands"),
    (lambda: Value(1.0).elu(beta=2.0), TypeError, "expected elu(x, alpha=1.0), got 1 operand, beta="),
    (lambda: Value(1.0).elu(x=2.0), TypeError, "expected elu(x, alpha=1.0), got 1 operand, x="),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), ERRORS, ids=[message for *_, message in ERRORS])
def test_errors_say_what_was_given_and_what_was_expected(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert caught.type is error
    assert str(caught.value) == message
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_power_has_no_modulus():
    message = r"^pow\(x, y, modulus\): a Value is no integer, so a power of it has no modulus; write x\*\*y$"
    for call in (lambda x: pow(x, 2, 5), lambda x: pow(x, x, 5), lambda x: x.__pow__(2, 5)):
        with pytest.raises(TypeError, match=message):
            call(Value(2.0))
    for call in (lambda x: pow(2, x, 5), lambda x: pow(2, 3, x)):
        with pytest.raises(TypeError, match="pow"):
            call(Value(2.0))
    assert Value(2.0).__rpow__(2, 5) is NotImplemented
    assert Value(2.0).__rpow__(3, None).data == 9.0


@pytest.mark.parametrize("number", [10**400, -(10**400), Fraction(10**400), Fraction(-(10**400))])
def test_a_comparison_with_a_number_beyond_all_floats_is_a_floats(number):
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        for data in (2.0, math.inf, -math.inf, math.nan):
            assert compare(Value(data), number) is compare(data, number)
            assert compare(number, Value(data)) is compare(number, data)


UNROUNDED = [
    2**53 + 1, -(2**53) - 1, 2**53, Fraction(1, 10), Fraction(1, 2), Decimal("0.1"), np.longdouble(1) / 10,
    np.array(0.1),
]  # fmt: skip


@pytest.mark.parametrize("number", UNROUNDED, ids=repr)
def test_a_number_is_not_rounded_before_it_is_compared(number):
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        for data in (float(number), math.nextafter(float(number), math.inf), 0.0):
            assert compare(Value(data), number) is bool(compare(data, number))
            assert bool(compare(number, Value(data))) is bool(compare(number, data))
        assert compare(Value(math.nan), number) is False


class Half:
    def __float__(self):
        return 0.5


def test_what_a_float_cannot_be_compared_with_is_compared_as_its_float():
    assert [compare(Value(0.5), Half()) for compare in (operator.lt, operator.le)] == [False, True]
    with localcontext() as context:
        context.traps[FloatOperation] = True
        assert Value(0.5) <= Decimal("0.5")
        assert not Value(0.5) < Decimal("0.5")


def test_infinite_local_derivatives_are_no_errors():
    x = Value(0.0)
    x.sqrt().backward()
    assert x.grad == math.inf
    base = Value(-2.0)
    exponent = Value(3.0)
    (base**exponent).backward()
    assert base.grad == 12.0
    assert math.isnan(exponent.grad)


# ---- NumPy


def test_numpy_scalars_on_either_side():
    x = Value(3.0)
    for two in (np.float64(2), np.float32(2), np.int64(2)):
        for node in (two * x, x * two, two + x, x - two, two / x, x**two, two**x):
            assert isinstance(node, Value)
            assert type(node.data) is float
            assert node.parents == (x,)
    assert (np.float64(2) * x).data == 6.0


def test_object_arrays_work_elementwise():
    array = np.array([Value(0.1), Value(0.2)])
    for result, expected in [
        (array * 2, [0.2, 0.4]),
        (array * Value(2.0), [0.2, 0.4]),
        (Value(2.0) * array, [0.2, 0.4]),
        (np.array([1.0, 2.0]) * Value(2.0), [2.0, 4.0]),
        (array + array, [0.2, 0.4]),
    ]:
        assert isinstance(result, np.ndarray)
        assert [value.data for value in result] == expected
    assert np.sum(array).data == pytest.approx(0.3)
    product = np.dot(array, array)
    product.backward()
    assert product.data == pytest.approx(0.05)
    assert [value.grad for value in array] == [0.2, 0.4]
    assert (np.ones((2, 2)) @ array)[0].data == pytest.approx(0.3)


@pytest.mark.parametrize(
    "name",
    ["exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "sin", "cos", "tan", "arcsin", "arccos",
     "arctan", "sinh", "cosh", "tanh", "arcsinh", "arctanh", "abs", "negative"],
)  # fmt: skip
def test_numpy_functions_call_the_method(name):
    array = np.array([Value(0.25), Value(0.5)])
    result = getattr(np, name)(array)
    assert all(isinstance(value, Value) and value.parents for value in result)
    assert [value.data for value in result] == pytest.approx(list(getattr(np, name)(np.array([0.25, 0.5]))), rel=1e-15)


def test_numpy_chooses_a_maximum_by_comparison():
    """NumPy compares the elements and takes one of them as it is; autograd.maximum is an operation."""
    a, b = Value(2.0), Value(2.0)
    assert np.maximum(np.array([a]), np.array([b]))[0] in (a, b)
    assert maximum(a, b).local_derivatives == (0.5, 0.5)


@pytest.mark.parametrize("name", ["arctan2", "hypot", "power"])
def test_numpy_functions_of_two_arrays(name):
    x, y = np.array([0.25, 0.5]), np.array([2.0, 3.0])
    result = getattr(np, name)(np.array(list(map(Value, x))), np.array(list(map(Value, y))))
    assert [value.data for value in result] == pytest.approx(list(getattr(np, name)(x, y)), rel=1e-15)


def test_arccosh_of_an_array():
    assert np.arccosh(np.array([Value(2.0)]))[0].data == math.acosh(2.0)


# ---- copies


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_leaves_are_copied_and_pickled(duplicate):
    leaf = Value(1.5, label="w")
    leaf.grad = 0.25
    leaf.momentum = [1.0]
    twin = duplicate(leaf)
    twin.velocity = 1.0
    assert not hasattr(leaf, "velocity")
    assert twin is not leaf
    assert (twin.data, twin.grad, twin.label, twin.momentum) == (1.5, 0.25, "w", [1.0])
    assert (twin.parents, twin.op) == ((), "")
    (twin * 2).backward()
    assert (twin.grad, leaf.grad) == (2.25, 0.25)


class Slotted(Value):
    __slots__ = ()


@pytest.mark.parametrize("kind", [Value, Slotted])
def test_without_a_constructor_it_is_a_leaf_of_0(kind):
    """So copy and pickle make one, and a state may be set within another's."""
    leaf = kind.__new__(kind)
    assert (leaf.data, leaf.grad, leaf.label, leaf.op, leaf.operation) == (0.0, 0.0, "", "", None)
    assert (leaf.parents, leaf.operands, leaf.local_derivatives) == ((), (), ())
    assert repr(leaf) == "Value(data=0.0, grad=0.0)"
    leaf.backward()
    result = leaf * 2.0 + 1.0
    result.backward()
    assert (type(leaf), result.data, leaf.grad) == (kind, 1.0, 3.0)
    with pytest.raises(AttributeError, match="nothing"):
        leaf.nothing  # noqa: B018


def test_a_value_that_holds_its_own_tape_is_pickled():
    w, x = Value(2.0), Value(0.0)
    w.tape = Tape(w * x, [x])
    twin = pickle.loads(pickle.dumps(w))
    assert twin.tape.parameters == (twin,)
    assert twin.tape.forward([3.0]).tolist() == [6.0]


class Tagged(Value):
    def __init__(self, data, tag):
        super().__init__(data)
        self.tag = tag


class Slotted(Tagged):
    __slots__ = ("size",)


def test_a_subclass_with_a_constructor_and_slots_of_its_own_is_copied():
    leaf = Slotted(1.0, "t")
    leaf.size = [2]
    for twin in (copy.copy(leaf), copy.deepcopy([leaf])[0], pickle.loads(pickle.dumps(leaf))):
        assert (type(twin), twin.data, twin.tag, twin.size) == (Slotted, 1.0, "t", [2])


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_computed_value_says_that_it_is_not_to_be_copied(duplicate):
    with pytest.raises(TypeError, match=r"cannot copy or pickle Value\(.*op='\*'\): it was computed"):
        duplicate(Value(1.0) * 2)


OF_THE_ENGINE = [name for name, method in vars(Value).items() if callable(method) and not isinstance(method, type)]


@pytest.mark.parametrize("name", OF_THE_ENGINE)
def test_a_method_has_the_name_that_the_class_has_it_by(name):
    method = getattr(Value, name)
    aliases = {"arc" + short for short in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")}
    assert method.__name__ == name or name in aliases


@pytest.mark.parametrize("name", sorted({*dir(Value)} & {f"__{name}__" for name in dir(operator)}))
def test_an_operators_method_is_pickled_by_its_name(name):
    method = getattr(Value, name)
    assert pickle.loads(pickle.dumps(method)) == method
