"""A `_backward` of one's own is run by backward() alone: what else differentiates refuses it, or leaves it to that."""

from __future__ import annotations

import pytest

from autograd import Tape, Value, compiled, draw, grad, gradients
from autograd.by_hand import contradiction, has_own_backward, lacks_derivatives, unusual_nodes
from autograd.graph import topological_order
from nn import SGD, Module, fit, squared_error

pytestmark = pytest.mark.both_engines


def reversed_gradient(x):
    """x, whose gradient goes back with the other sign."""
    y = x * 1.0

    def back():
        x.grad -= y.grad

    y._backward = back
    return y


def test_which_nodes_are_unusual():
    x = Value(2.0)
    y = reversed_gradient(x)
    by_hand = Value(3.0, (y,))
    z = by_hand * 2.0
    vars(z)  # which somebody may write to at any time
    assert [node for node in unusual_nodes(topological_order(z)) if has_own_backward(node)] == [y]
    assert [node for node in unusual_nodes(topological_order(z)) if lacks_derivatives(node)] == [by_hand]


OWN = r"has a _backward of its own, which only backward\(\) runs, so a tape cannot go back through it"


def test_no_tape_goes_back_through_a_backward_of_its_own():
    x = Value(2.0)
    output = reversed_gradient(x) * 2.0
    with pytest.raises(TypeError, match=OWN):
        Tape(output, [x])
    with pytest.raises(TypeError, match=OWN):
        Tape.record(lambda x: reversed_gradient(x) * 2.0, [1.0])
    with pytest.raises(TypeError, match=OWN):
        compiled(lambda x: reversed_gradient(x) * 2.0)(1.0)
    with pytest.raises(TypeError, match="has a _backward of its own"):
        grad(lambda x: reversed_gradient(x) * 2.0)(1.0)
    with pytest.raises(TypeError, match="has a _backward of its own"):
        gradients(output, x)


class Clipped(Value):
    def _backward(self):
        self.grad = max(-1.0, min(1.0, self.grad))


def test_no_tape_is_made_of_leaves_whose_class_has_one():
    """But micrograd's leaves have one each, which does nothing."""
    with pytest.raises(TypeError, match=OWN):
        Tape(Clipped(1.0) * 2.0)
    x = Value(1.0)
    x._backward = lambda: None
    assert Tape(x * 2.0, [x]).forward([[3.0]]) == [6.0]


def test_what_is_not_differentiated_is_drawn():
    draw(Reversing(), 1.0)


def test_a_value_that_shows_other_data_has_not_changed():
    class Percent(Value):
        data = property(lambda x: Value.data.__get__(x) * 100.0, lambda x, new: Value.data.__set__(x, new / 100.0))

    x = Percent(2.0)
    assert contradiction(x * 3.0) == ""


def test_attributes_and_subclasses_that_leave_it_alone_are_recorded():
    class Named(Value):
        pass

    x = Named(2.0)
    y = x * 3.0
    y.note = "kept"
    assert Tape(y * y, [x]).forward([[2.0]]) == [36.0]
    assert Tape(y * y, [x]).listing().splitlines()[1:3] == ["v1 = v0 * 3", "v2 = v1 * v1"]


class Reversing(Module):
    def __init__(self):
        self.w = Value(1.0)

    def __call__(self, x):
        return reversed_gradient(self.w * x)


def test_a_model_with_one_is_trained_by_its_own():
    found = []
    for tape in (None, False):
        model = Reversing()
        history = fit(model, [1.0], [2.0], squared_error, SGD([model.w], 0.1), epochs=1, progress=False, tape=tape)
        found.append(model.w.data)
        assert history.eager
    assert found == [0.8, 0.8]  # 1 - 0.1 * 2, away from the target
