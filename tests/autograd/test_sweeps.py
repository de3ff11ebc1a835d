"""Sweeps: what is tracked, the edges of a graph, and the arithmetic of tangents and adjoints."""

from __future__ import annotations

import math

import pytest

from autograd import Value, sweeps, tanh
from autograd.graph import topological_order
from autograd.sweeps import Variable, linearised, plus, pull_back, push_forward, seeded, times, tracked_nodes


def test_tracked_is_what_depends_on_known_values_and_on_leaves_of_others():
    x, constant, w, outer = Variable(1.0), Variable(2.0), Value(3.0), Variable(4.0)
    own, of_w, of_outer = x * constant, x * w, x + outer
    order = topological_order(own * 1.5, of_w, of_outer)
    assert tracked_nodes(order, [outer]) == {w, outer, of_w, of_outer}
    assert tracked_nodes(order, []) == {w, of_w}
    assert own not in tracked_nodes(order, [w])


def test_edges_have_floats_where_nothing_is_tracked_and_graphs_where_something_is():
    x, w = Variable(2.0), Value(3.0)
    square, product = x * x, x * w
    output = square + product
    steps = dict(linearised(topological_order(output), [x], {w, product, output}))
    assert steps[square] == [(x, 2.0), (x, 2.0)]
    assert steps[product] == [(x, w)]  # and none to w, which is no variable
    assert steps[output] == [(square, 1.0), (product, 1.0)]
    assert w not in steps


def test_a_rule_gets_what_is_not_tracked_as_numbers():
    x, w = Variable(2.0), Value(3.0)
    product = x * w
    [(_, [(_, of_w)])] = linearised([x, w, product], [w], {w, product})
    assert of_w == 2.0
    assert type(of_w) is float


def test_sweeps_in_both_directions():
    x, y = Variable(2.0), Variable(3.0)
    z = x * y
    output = z * x
    steps = linearised(topological_order(output), [x, y], set())
    tangents = {x: 1.0, y: 10.0}
    push_forward(steps, tangents)
    assert tangents[output] == 2 * 2.0 * 3.0 + 10.0 * 4.0
    adjoints = {output: 1.0}
    pull_back(steps, adjoints)
    assert (adjoints[x], adjoints[y], adjoints[z]) == (12.0, 4.0, 2.0)
    assert (x.grad, y.grad, z.grad) == (0.0, 0.0, 0.0)


def test_seeds_of_the_same_node_add_up_and_0_is_none():
    x, y = Value(1.0), Value(2.0)
    assert seeded([x, y, x, 5.0], [1.0, 0.0, 2.0, 7.0]) == {x: 3.0}


def test_products_and_sums_have_no_needless_nodes():
    x, infinite = Value(3.0), Value(math.inf)
    assert times(2.0, 3.0) == 6.0
    assert times(1.0, x) is times(x, 1.0) is x
    assert times(0.0, x) == times(x, 0.0) == 0.0
    assert math.isnan(times(0.0, infinite).data)
    assert times(x, x).parents == (x, x)
    assert plus(0.0, x) is plus(x, 0.0) is x
    assert plus(1.0, 2.0) == 3.0
    assert plus(x, 1.0).data == 4.0


def test_without_repetition_the_same_is_the_same_node():
    m = sweeps.without_repetition()
    x, y = Value(3.0), Value(2.0)
    assert m.multiply(x, y) is m.multiply(y, x)
    assert m.divide(x, y) is m.divide(x, y)
    assert m.divide(x, y) is not m.divide(y, x)
    assert m.exp(x) is m.exp(x)
    assert m.atan2(0.0, x) is not m.atan2(-0.0, x)
    assert m.atan2(m.atan2(-0.0, -1.0), x).data < 0.0
    assert m.varies(x)


def test_a_node_of_ones_own_is_an_error_only_on_the_way():
    x, y = Variable(2.0), Variable(3.0)
    own = Value(6.0, (x,), "own")
    assert len(linearised(topological_order(own * y), [y], set())) == 1
    with pytest.raises(TypeError, match="not computed by an operation of the table"):
        linearised(topological_order(own * y), [x], set())


def test_the_engines_gradient_leaves_every_grad():
    x = Variable(0.5)
    h = tanh(x)
    output = h * x
    x.grad, h.grad, output.grad = 1.0, 2.0, 3.0
    found = sweeps.gradient_by_engine(topological_order(output), output, [x])
    adjoints = {output: 1.0}
    pull_back(linearised(topological_order(output), [x], set()), adjoints)
    assert found == [adjoints[x]]
    assert (x.grad, h.grad, output.grad) == (1.0, 2.0, 3.0)
