"""Sweeps: what is tracked, the edges of a graph, and the arithmetic of tangents and adjoints."""

from __future__ import annotations

import math

import pytest

from autograd import Value, dot, engine, leaky_relu, logsumexp, tanh
from autograd.graph import topological_order
from autograd.transforms import sweeps
from autograd.transforms.sweeps import Variable, linearised, plus, pull_back, push_forward, seeded, times, tracked_nodes


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


# ---- on floats, by the engine


def test_the_engines_sweeps_leave_every_grad():
    x, y = Variable(0.5), Variable(2.0)
    h = tanh(x)
    output = h * x
    x.grad, y.grad, h.grad, output.grad = 1.0, 4.0, 2.0, 3.0
    order = topological_order(output)
    steps = linearised(order, [x], set())
    adjoints, tangents = {output: 3.0}, {x: 1.0}
    pull_back(steps, adjoints)
    assert sweeps.adjoints_by_engine([output, 1.0], [3.0, 1.0], [x, y]) == [adjoints[x], 0.0]
    sweeps.push_forward(steps, tangents)
    found = sweeps.tangents_by_engine(order, [x, y], [[1.0, 5.0], [0.0, 1.0]], [output, h, 1.0])
    assert found == [[tangents[output], tangents[h], 0.0], [0.0, 0.0, 0.0]]
    assert (x.grad, y.grad, h.grad, output.grad) == (1.0, 4.0, 2.0, 3.0)


def test_the_engines_adjoints_of_several_outputs_are_added_up():
    x, y = Variable(0.5), Variable(1e300)
    outputs = [x * y, x * x, y * 1e8, 1.0, x]
    assert sweeps.adjoints_by_engine(outputs, [2.0, 3.0, 1e5, 1.0, 0.0], [x, y]) == [2e300 + 3.0, 1.0 + 1e13]
    assert sweeps.adjoints_by_engine(outputs, [0.0] * 5, [x, y]) == [0.0, 0.0]


@pytest.mark.parametrize("count", [1, 5, 40])
def test_the_engines_tangents_along_every_kind_of_node(count):
    """Nodes of few operands and many, of sequences that nodes have in common, with constants between."""
    xs = [Variable(0.1 * i - 0.3) for i in range(count)]
    shared = [*xs, 2.0]
    nodes = [dot(shared, shared[::-1], xs[0]), dot([1.0] * count, xs), sweeps.functions.sum(shared), logsumexp(xs)]
    nodes += [tanh(nodes[0]) * nodes[1] - nodes[2] / 3.0, leaky_relu(nodes[3], 0.2), dot(nodes, nodes)]
    order = topological_order(*nodes)
    directions = [[float(i == k) for i in range(count)] for k in range(count)] + [[1.0] * count]
    found = sweeps.tangents_by_engine(order, xs, directions, nodes)
    for seeds, tangents_found in zip(directions, found, strict=True):
        tangents = sweeps.seeded(xs, seeds)
        sweeps.push_forward(linearised(order, xs, set()), tangents)
        assert tangents_found == pytest.approx(sweeps.found(nodes, tangents), rel=1e-14)


def test_a_tangent_of_0_adds_nothing_times_inf():
    x, y = Variable(0.0), Variable(1.0)
    output = x.sqrt() + y
    assert sweeps.tangents_by_engine(topological_order(output), [x, y], [[0.0, 1.0], [1.0, 0.0]], [output]) == [
        [1.0], [math.inf]
    ]  # fmt: skip


def test_a_tangent_stops_at_a_node_of_ones_own():
    x, y = Variable(2.0), Variable(3.0)
    own = Value(6.0, (x,), "own")
    output = own * y
    order = topological_order(output)
    assert sweeps.tangents_by_engine(order, [x, y], [[0.0, 1.0]], [output]) == [[6.0]]
    with pytest.raises(TypeError, match=r"op='own'.* was not computed by an operation of the table"):
        sweeps.tangents_by_engine(order, [x, y], [[1.0, 0.0]], [output])
    assert x.grad == output.grad == 0.0


@pytest.mark.skipif(engine != "native", reason="what its function refuses")
def test_what_cannot_be_pushed_forward():
    with pytest.raises(TypeError, match=r"expected a list of Values, got \(\)"):
        sweeps.native.push_forward(())
    with pytest.raises(TypeError, match=r"expected Values, got 1\.0 among them"):
        sweeps.native.push_forward([1.0])
    with pytest.raises(TypeError, match=r"expected Values, got 2 among them"):
        Value(1.0)._topological_order(Value(1.0), 2)
