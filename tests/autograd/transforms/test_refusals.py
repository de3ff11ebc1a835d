"""Refusals: derivatives that nobody knows, by every transform; data assigned since, by every way to run a rule."""

from __future__ import annotations

import gc
import itertools
import math

import pytest

import autograd
from autograd import (
    Value,
    derivative,
    dot,
    engine,
    explain,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    tanh,
    value_and_grad,
    vjp,
)
from autograd import by_hand as by_hand_module
from autograd.by_hand import contradiction, has_own_backward
from autograd.engines import recording
from autograd.operations import OPERATIONS
from autograd.structures import flatten

pytestmark = pytest.mark.both_engines

# ---- derivatives that nobody knows

FIRST_ORDER = {
    "grad": lambda f: grad(f)(2.0),
    "value_and_grad": lambda f: value_and_grad(f)(2.0)[1],
    "derivative": lambda f: derivative(f)(2.0),
    "vjp": lambda f: vjp(f, 2.0)[1](1.0)[0],
    "jvp": lambda f: jvp(f, (2.0,), (1.0,))[1],
    "jacobian, forward": lambda f: jacobian(f, mode="forward")(2.0),
    "jacobian, reverse": lambda f: jacobian(lambda x: [f(x), x], mode="reverse")(2.0)[0],
    "gradients": lambda f: gradients(f(x := Value(2.0)), x),
}
SECOND_ORDER = {
    "derivative, order=2": lambda f: derivative(f, order=2)(2.0),
    "hessian": lambda f: hessian(f)(2.0),
    "hvp": lambda f: hvp(f, (2.0,), (1.0,)),
    "gradients, create_graph": lambda f: gradients(f(x := Value(2.0)), x, create_graph=True),
    "grad of grad": lambda f: grad(grad(f))(2.0),
    "grad by a Value": lambda f: grad(f)(Value(2.0)),
    "vjp with Values from outside": lambda f: vjp(lambda x: f(x * Value(1.0)), 2.0)[1](1.0),
    "jvp with Values from outside": lambda f: jvp(lambda x: f(x * Value(1.0)), (2.0,), (1.0,)),
}
EVERY_ORDER = FIRST_ORDER | SECOND_ORDER


def by_hand(x):
    """As micrograd's scripts do it, but for the derivative."""
    return Value(x.data * 3.0, (x,), "triple")


def with_a_closure(x):
    out = by_hand(x)

    def _backward():
        x.grad += 3.0 * out.grad

    out._backward = _backward
    return out


def with_another_closure(x):
    """Of the table, but what is differentiated is no more what the table says."""
    out = x * 3.0
    out._backward = lambda: None
    return out


class Tripled(Value):
    def _backward(self):
        [x] = self.parents
        x.grad += 3.0 * self.grad


def of_a_subclass(x):
    return Tripled(x.data * 3.0, (x,), "triple")


NOT_OF_THE_TABLE = r"op='triple'\) was not computed by an operation of the table, so its derivatives are not known"
UNKNOWN = {
    "by hand": (by_hand, NOT_OF_THE_TABLE),
    "with a closure": (with_a_closure, NOT_OF_THE_TABLE),
    "of a subclass": (of_a_subclass, r"was not computed by an operation of the table"),
    "with another closure": (
        with_another_closure,
        r"op='\*'\) has a _backward of its own, which only backward\(\) runs",
    ),
}


@pytest.mark.parametrize("transform", EVERY_ORDER)
@pytest.mark.parametrize("kind", UNKNOWN)
def test_what_has_no_known_derivative_is_refused_by_every_transform(transform, kind):
    own, message = UNKNOWN[kind]
    with pytest.raises(TypeError, match=message):
        EVERY_ORDER[transform](lambda x: tanh(own(x * 1.0) * 0.1) + x)
    with no_grad(), pytest.raises(TypeError, match=message):
        FIRST_ORDER["grad"](own)


@pytest.mark.parametrize("kind", UNKNOWN)
def test_backward_runs_it_nevertheless(kind):
    own, _ = UNKNOWN[kind]
    x = Value(2.0)
    (own(x) * 10.0).backward()
    assert x.grad == (30.0 if kind in ("with a closure", "of a subclass") else 0.0)


@pytest.mark.parametrize("transform", EVERY_ORDER)
@pytest.mark.parametrize("kind", UNKNOWN)
def test_beside_the_way_it_is_a_constant(transform, kind):
    own, _ = UNKNOWN[kind]
    found, expected = (
        [getattr(number, "data", number) for number in flatten(EVERY_ORDER[transform](function))[0]]
        for function in (lambda x: x * x * own(Value(1.0)), lambda x: x * x * 3.0)
    )
    assert found == expected


def test_an_attribute_is_no_backward_of_its_own():
    def marked(x):
        out = x * 3.0
        out.mark = "a note"
        return out

    assert [found(marked) for found in FIRST_ORDER.values()] == [3.0] * len(FIRST_ORDER)
    assert hessian(lambda x: marked(x) * x)(2.0) == 6.0


def test_a_backward_of_its_own_is_found_without_a_trace():
    x = Value(2.0)
    y, z = x * 3.0, x * 4.0
    y._backward = lambda: None
    assert [has_own_backward(v) for v in (x, y, z, Tripled(1.0), with_a_closure(x))] == [False, True, False, True, True]
    if engine == "native":  # asked in another way, it would have made a dictionary, which the collector visits
        explain(z)
        assert not gc.is_tracked(z)


def given(x):
    return Value(x.data**2, (x,), (2.0 * x.data,))


def assigned_afterwards(x):
    out = Value(x.data**2, (x,), "square")
    out._local_grads = (2.0 * x.data,)
    return out


@pytest.mark.parametrize("squared", [given, assigned_afterwards])
def test_local_derivatives_that_are_given_are_taken_but_have_no_rule(squared):
    def function(x):
        return squared(x * 3.0) * 10.0  # 90x²

    assert [found(function) for found in FIRST_ORDER.values()] == [360.0] * len(FIRST_ORDER)
    for found in SECOND_ORDER.values():
        with pytest.raises(
            TypeError, match=r"^Value\(data=36\.0, .* so its derivatives cannot be differentiated again"
        ):
            found(function)
    with no_grad():
        assert grad(lambda x: function(x) * Value(1.0))(Value(2.0)) == 360.0
    x = Value(2.0)
    function(x).backward()
    assert x.grad == 360.0


# ---- data that were assigned since


def assigned(w, x):
    """w x², and then another w."""
    y = w * x * x
    w.data = 10.0
    return y


def pulled_back(w):
    _, pull_back = vjp(lambda x: w * x * x, 3.0)
    assert pull_back(1.0)[0].data == 12.0
    w.data = 10.0
    return pull_back(1.0)


RULES_ARE_RUN = {
    "gradients, create_graph": lambda w: gradients(assigned(w, x := Value(3.0)), x, create_graph=True),
    "a pull-back later": pulled_back,
    "grad": lambda w: grad(lambda x: assigned(w, x))(3.0),
    "jvp": lambda w: jvp(lambda x: assigned(w, x), (3.0,), (1.0,)),
    "vjp": lambda w: vjp(lambda x: assigned(w, x), 3.0)[1](1.0),
    "jacobian, forward": lambda w: jacobian(lambda x: assigned(w, x), mode="forward")(3.0),
    "jacobian, reverse": lambda w: jacobian(lambda x: assigned(w, x), mode="reverse")(3.0),
    "derivative": lambda w: derivative(lambda x: assigned(w, x))(3.0),
    "derivative, order=2": lambda w: derivative(lambda x: assigned(w, x), order=2)(3.0),
    "hessian": lambda w: hessian(lambda x: assigned(w, x))(3.0),
    "hvp": lambda w: hvp(lambda x: assigned(w, x), (3.0,), (1.0,)),
}


@pytest.mark.parametrize("transform", RULES_ARE_RUN)
def test_a_rule_on_other_data_is_refused(transform):
    w = Value(2.0, label="w")
    message = (
        r"^Value\(data=6\.0, grad=0\.0, op='\*'\) cannot be differentiated as it was computed: its operands now give "
        r"multiply\(10\.0, 3\.0\) = 30\.0 \(x is labelled 'w'\): data have been assigned since; compute it again"
    )
    with pytest.raises(ValueError, match=message):
        RULES_ARE_RUN[transform](w)
    assert (w.data, w.grad) == (10.0, 0.0)


def test_first_derivatives_are_those_of_what_was_computed():
    w, x = Value(2.0), Value(3.0)
    y = assigned(w, x)
    assert gradients(y, [w, x]) == [9.0, 12.0]
    y.backward()
    assert (w.grad, x.grad) == (9.0, 12.0)
    with no_grad():
        assert grad(lambda x: assigned(Value(2.0), x))(3.0) == 12.0


def test_it_may_be_differentiated_once_the_data_are_back():
    w, x = Value(2.0), Value(3.0)
    y = assigned(w, x)
    w.data = 2.0
    dx = gradients(y, x, create_graph=True)
    w.data = 10.0  # what has been differentiated is a graph of its own
    assert gradients(dx, [w, x]) == [6.0, 4.0]
    with pytest.raises(ValueError, match="data have been assigned since"):
        gradients(dx, x, create_graph=True)


def test_what_the_result_does_not_depend_on_may_change():
    w, v, x = Value(2.0), Value(5.0), Value(3.0)
    other, y = tanh(v) * w, w * x * x
    v.data = 1.0
    assert gradients(y + other, x, create_graph=True).data == 12.0


def test_swapped_factors_give_the_same_product_but_not_the_same_derivatives():
    a, b = Value(2.0), Value(3.0)
    y = a * b
    a.data, b.data = 3.0, 2.0
    message = (
        r"multiply\(3\.0, 2\.0\) = 6\.0, with the local derivatives \[2\.0, 3\.0\] in place of \[3\.0, 2\.0\]: data"
    )
    with pytest.raises(ValueError, match=message):
        gradients(y, a, create_graph=True)


@pytest.mark.parametrize("place", ["input", "weight", "constant", "bias", "result"])
@pytest.mark.parametrize("shared", [True, False])
def test_any_operand_of_a_sequence_and_the_result_itself(place, shared):
    """Of nodes that have their sequences in common, and of one that has them for itself."""
    inputs, weights, bias = [Value(0.0), Value(3.0)], [Value(2.0), -1.0, Value(0.0)], Value(0.5)
    first = dot(weights, [*inputs, 4.0], bias)
    second = dot(weights, [*inputs, 4.0], bias) if shared else first
    for node in (first, second):
        assert gradients(node, [inputs[0], bias], create_graph=True)[0].data == 2.0
    # The changes that are hardest to see: of an operand whose partner is 0, so that the sum stays the same.
    chosen = {"input": inputs[0], "weight": weights[0], "constant": weights[2], "bias": bias, "result": first}[place]
    chosen.data += 1.0
    with pytest.raises(ValueError, match=r"dot\(.*data have been assigned since"):
        gradients(first, inputs[0], create_graph=True)
    if shared and place == "result":
        assert gradients(second, inputs[0], create_graph=True).data == 2.0


def test_any_of_many_operands():
    xs = [Value(0.01 * i) for i in range(100)]
    nodes = [autograd.sum(xs), autograd.logsumexp(xs), dot(xs, xs[::-1], xs[0])]
    for node in nodes:
        assert len(gradients(node, xs, create_graph=True)) == 100
    xs[70].data = 0.75
    for node in nodes:
        with pytest.raises(ValueError, match=r"\[0\.0, 0\.01, .*\.\.\.\].*data have been assigned since"):
            gradients(node, xs, create_graph=True)


EDGES = [0.0, -0.0, 1.0, 1e-308, 1e160, -1e160, 700.0, -1000.0, math.inf, -math.inf, math.nan]


def computed(operation, point):
    operands = [[Value(x) for x in operand] if isinstance(operand, list) else Value(operand) for operand in point]
    return getattr(autograd, operation.name)(*operands), flatten(operands)[0]


def recorded(node):
    return repr([node.data, *node.local_derivatives])


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_change_is_found_if_and_only_if_it_is_one(name):
    """At samples, kinks and the edges of the floats: each operand gets each of these numbers, and its own again."""
    operation = OPERATIONS[name]
    scalars = len(operation.operands) - operation.sequences
    edges = [([x, 0.5],) * operation.sequences + (x,) * scalars for x in EDGES]
    changes = 0
    for point in [*operation.samples, *operation.kinks, *edges]:
        try:
            node, leaves = computed(operation, point)
        except (ValueError, ArithmeticError):
            continue
        data = [leaf.data for leaf in leaves]
        for place, number in itertools.product(range(len(leaves)), [data[0], 0.25, *EDGES]):
            leaves[place].data = number
            with recording(raises=False):
                same = recorded_afresh(operation, point, leaves) == recorded(node)
                assert (contradiction(node) == "") is same, (point, place, number)
            if engine == "native":
                assert by_hand_module.native.is_as_computed(node) is (same and math.isfinite(node.data)), (
                    point,
                    place,
                    number,
                )
            changes += not same
            leaves[place].data = data[place]
            assert contradiction(node) == ""
    assert changes > 0


def recorded_afresh(operation, point, leaves):
    numbers = iter([leaf.data for leaf in leaves])
    at = [[next(numbers) for _ in operand] if isinstance(operand, list) else next(numbers) for operand in point]
    try:
        return recorded(computed(operation, at)[0])
    except (ValueError, ArithmeticError):
        return "an error"


@pytest.mark.skipif(engine != "native", reason="what its functions refuse")
def test_what_cannot_be_asked():
    with pytest.raises(TypeError, match=r"expected a list of Values, got \(\)"):
        by_hand_module.native.unusual_nodes(())
    with pytest.raises(TypeError, match=r"expected Values, got 1\.0 among them"):
        by_hand_module.native.unusual_nodes([1.0])
    with pytest.raises(TypeError, match=r"expected a Value, got 1\.0"):
        by_hand_module.native.is_as_computed(1.0)
    assert not by_hand_module.native.is_as_computed(Value(1.0))
    assert not by_hand_module.native.is_as_computed(by_hand(Value(1.0)))
