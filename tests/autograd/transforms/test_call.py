"""Call: what a function gets and returns, which graph is walked, and how."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

from autograd import Value, derivative, grad, gradients, hessian, no_grad, sqrt, value_and_grad
from autograd.transforms import call
from autograd.transforms.call import Call, checked_positions
from autograd.transforms.sweeps import Variable
from nn import MLP

pytestmark = pytest.mark.both_engines


def called(function, *arguments, argnums=0, **keywords):
    return Call("grad", function, arguments, argnums, keywords)


# ---- what goes in


def test_a_variable_is_in_the_place_of_each_number():
    seen = []
    found = called(lambda x, y: seen.append((x, y)) or x["a"][0], {"a": [2, np.array([3.0])]}, 5.0)
    [(x, y)] = seen
    assert found.variables == [x["a"][0], x["a"][1][0]]
    assert [(type(v), v.data, v.parents) for v in found.variables] == [(Variable, 2.0, ()), (Variable, 3.0, ())]
    assert y == 5.0


def test_a_variable_in_the_place_of_a_value_depends_on_it():
    v = Value(2.0)
    found = called(lambda x: x * v, v)
    [x] = found.variables
    assert (x.data, x.parents) == (2.0, (v,))
    assert gradients(grad(lambda x: x * x * v)(v), v) == 4.0 + 4.0  # d 2xv / dv where x is v: 2v by x, 2v by v
    assert grad(lambda x: x * v)(v).data == 2.0  # the other use of v is no use of the argument
    with no_grad():
        [x] = called(lambda x: x, v).variables
        assert (type(x), x.data, x.parents) == (Variable, 2.0, ())


def test_the_positions_of_arguments():
    assert checked_positions("f", 1, 3) == ([1], True)
    assert checked_positions("f", -1, 3) == ([2], True)
    assert checked_positions("f", np.int64(0), 3) == ([0], True)
    assert checked_positions("f", (2, -3), 3) == ([2, 0], False)
    assert checked_positions("f", [], 0) == ([], False)


def test_argnums():
    def function(x, y, scale=1.0):
        return x * y**2 * scale

    assert grad(function)(2.0, 3.0) == 9.0
    assert grad(function, 1)(2.0, 3.0, scale=2.0) == 24.0
    assert grad(function, -1)(2.0, 3.0) == 12.0
    assert grad(function, (1, 0))(2.0, 3.0) == (12.0, 9.0)
    assert grad(function, [0])(2.0, 3.0) == (9.0,)
    assert hessian(function, (0, 1))(2.0, 3.0) == ((0.0, 6.0), (6.0, 4.0))


def test_what_a_function_does_to_its_arguments():
    numbers = [2.0, 3.0]

    def changes_the_list(x):
        x[0] = x[0] * x[1]
        x.append(5.0)
        return x.pop() * x.pop() * x.pop()

    assert grad(changes_the_list)(numbers) == [5.0 * 9.0, 5.0 * 2.0 * 2.0 * 3.0]
    assert numbers == [2.0, 3.0]

    def changes_the_array(x):
        x *= 2.0
        return (x * x).sum()

    array = np.array([1.0, 2.0])
    assert grad(changes_the_array)(array).tolist() == [8.0, 16.0]
    assert array.tolist() == [1.0, 2.0]

    def sets_data(x):
        y = x * x
        x.data = 5.0
        return y

    with pytest.raises(ValueError, match="has set the data of its argument"):
        grad(sets_data)(3.0)


def test_functions_keep_their_names():
    def energy(x):
        """½x²."""
        return 0.5 * x * x

    assert (grad(energy).__name__, grad(energy).__doc__) == ("energy", "½x².")
    assert list(inspect.signature(derivative(energy)).parameters) == ["x"]
    assert grad(MLP(2, [3, 1]))([1.0, 2.0])[0].parents  # a Module is a function as well


# ---- what comes out


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_an_array_is_a_number_if_it_has_no_axes(shape):
    def function(x):
        return np.array([x * x], object).reshape(shape)

    if shape == ():
        assert grad(function)(3.0) == 6.0
        assert value_and_grad(function)(3.0)[0].shape == ()
        assert derivative(lambda x: x * x)(np.array(3.0)) == 6.0
    else:
        with pytest.raises(TypeError, match="grad: expected the function to return a number, got ndarray"):
            grad(function)(3.0)
        with pytest.raises(TypeError, match=r"derivative: expected a number, got ndarray: .*; use grad or jacobian"):
            derivative(lambda x: x * x)(np.ones(shape))


@pytest.mark.parametrize("returned", [None, "x", [], {}, (1.0, 2.0)])
def test_what_is_no_number_has_no_gradient(returned):
    with pytest.raises(TypeError, match=r"^gradients: expected a number or a Value as the output, got .*jacobian"):
        gradients(returned, [Value(1.0)])
    with pytest.raises(TypeError, match=r"^grad: .*number, got "):
        grad(lambda x: returned)(1.0)


def test_what_depends_on_nothing_from_outside_is_settled():
    w = Value(3.0)
    found = called(lambda x: x * x, 2.0)
    [x] = found.variables
    kept = x * w
    settled = found.settled({"own": x * x, "kept": [kept], "other": (w, None, np.arange(2)), "all": np.array([x, 1.0])})
    assert (settled["own"], settled["kept"][0], settled["other"][:2]) == (4.0, kept, (w, None))
    assert settled["other"][2].dtype == np.arange(2).dtype
    assert (settled["all"].dtype, settled["all"].tolist()) == (np.float64, [2.0, 1.0])
    with no_grad():
        found = called(lambda x: x * w, 2.0)
        assert found.settled([found.output, w]) == [6.0, 3.0]


def test_seeds_have_the_form_of_what_they_are_for():
    found = called(lambda x: x, [2.0, 3.0])
    assert found.seeds("tangents", found.argument_form, np.array([1, 2])) == [1.0, 2.0]
    v = Value(1.0)
    assert found.seeds("tangents", found.argument_form, (v, 2.0)) == [v, 2.0]
    with pytest.raises(ValueError, match=r"^grad: tangents: expected a sequence of 2, got list: \[1\.0\]$"):
        found.seeds("tangents", found.argument_form, [1.0])
    with pytest.raises(TypeError, match=r"^grad: tangents: expected a real number, got str: 'a' at \[1\]$"):
        found.seeds("tangents", found.argument_form, [1.0, "a"])
    with no_grad():
        found = called(lambda x: x, [2.0, 3.0])
        assert found.seeds("tangents", found.argument_form, (v, 2.0)) == [1.0, 2.0]


# ---- which graph is walked, and how


def test_the_graph_begins_at_the_variables():
    w, v = Value(3.0), Value(2.0)
    before = v * 5.0
    found = called(lambda x: x * x * w, before)
    [x] = found.variables
    square, product = found.order[1:]
    assert found.order == [w, square, product]
    assert found.tracked == {x, square, w, product}
    assert [node for node, _ in found.steps] == [square, product]
    assert square.parents == (x, x)


@pytest.mark.parametrize("outside", [False, True])
def test_the_engine_walks_only_what_nobody_else_holds(outside):
    w = Value(3.0) if outside else 3.0
    found = called(lambda x: [x[0] * x[1] * w, x[0]], [2.0, 5.0])
    assert found.is_own is not outside
    rows = {mode: found.jacobian(mode) for mode in ("forward", "reverse")}
    for matrix in rows.values():
        assert [[getattr(entry, "data", entry) for entry in row] for row in matrix] == [[15.0, 6.0], [1.0, 0.0]]
        assert isinstance(matrix[0][0], Value) is outside
    with no_grad():
        found = called(lambda x: [x[0] * x[1] * w, x[0]], [2.0, 5.0])
        assert found.is_own is not outside
        assert found.jacobian("reverse") == [[15.0, 6.0], [1.0, 0.0]]


def test_tangents_and_adjoints_are_those_of_the_seeds():
    for w in (3.0, Value(3.0)):
        found = called(lambda x: [x[0] * x[1] * w, x[0]], [2.0, 5.0])  # noqa: B023
        [x, y], [xyw, same] = found.variables, found.outputs
        assert same is x
        assert [getattr(t, "data", t) for t in found.tangents({x: 1.0, y: 10.0})] == [75.0, 1.0]
        assert [getattr(t, "data", t) for t in found.tangents({y: 10.0})] == [60.0, 0.0]
        assert [getattr(a, "data", a) for a in found.adjoints({xyw: 1.0, x: 10.0})] == [25.0, 6.0]
        assert [getattr(a, "data", a) for a in found.adjoints({x: 10.0})] == [10.0, 0.0]


@pytest.mark.parametrize("outside", [False, True])
def test_only_what_has_a_seed_takes_part(outside):
    """At 0 sqrt has the derivative inf: times a seed of 0.0 it is nan, and without a seed it is not there."""
    w = Value(1.0) if outside else 1.0
    found = called(lambda x: [sqrt(x[0]) * w + x[1], x[1] * w, 2.0], [0.0, 5.0])
    [x, y], [root, line, _] = found.variables, found.outputs

    def data(numbers):
        return [getattr(number, "data", number) for number in numbers]

    np.testing.assert_array_equal(data(found.tangents({x: 0.0, y: 1.0})), [math.nan, 1.0, 0.0])
    np.testing.assert_array_equal(data(found.adjoints({root: 0.0, line: 1.0})), [math.nan, 1.0])
    assert data(found.tangents({y: 1.0})) == [1.0, 1.0, 0.0]
    assert data(found.adjoints({line: 1.0})) == [0.0, 1.0]
    assert data(found.tangents({})) == [0.0, 0.0, 0.0]
    assert data(found.adjoints({})) == [0.0, 0.0]
    for mode in ("forward", "reverse"):
        assert [data(row) for row in found.jacobian(mode)] == [[math.inf, 1.0], [0.0, 1.0], [0.0, 0.0]]


def test_a_transform_in_a_loop_walks_only_its_own_graph(monkeypatch):
    """Gradient descent in a function: each of its steps walks as many nodes as the others, and not those before it."""
    walked = []
    walk = call.topological_order
    monkeypatch.setattr(
        "autograd.transforms.call.topological_order",
        lambda *roots, **until: walked.append(len(order := walk(*roots, **until))) or order,
    )

    def descended(rate):
        w = 1.0
        for _ in range(20):
            w = w - rate * grad(lambda w: derivative(lambda t: t * (w - 3.0) ** 2)(1.0))(w)
        return w

    # w_n - 3 = (1 - 2 rate)ⁿ (w_0 - 3)
    assert derivative(descended)(0.1) == pytest.approx(20 * 2 * 2 * 0.8**19, rel=1e-12)
    assert walked[2:-1] == walked[2:4] * 19  # in each step but the first, of which w is a number
