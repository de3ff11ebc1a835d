"""Sweeps: what is tracked, the edges of a graph, and the arithmetic of tangents and adjoints."""

from __future__ import annotations

import math
import random
import signal

import pytest

from autograd import Value, dot, engine, leaky_relu, logsumexp, tanh
from autograd.graph import topological_order
from autograd.transforms import sweeps
from autograd.transforms.sweeps import Variable, linearised, plus, pull_back, push_forward, seeded, times, tracked_nodes

pytestmark = pytest.mark.both_engines


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


def test_seeds_of_the_same_node_add_up_and_0_is_one():
    x, y = Value(1.0), Value(2.0)
    assert seeded([x, y, x, 5.0], [1.0, 0.0, 2.0, 7.0]) == {x: 3.0, y: 0.0}


def test_products_and_sums_have_no_needless_nodes():
    x, infinite = Value(3.0), Value(math.inf)
    assert times(2.0, 3.0) == 6.0
    assert times(1.0, x) is times(x, 1.0) is x
    assert times(0.0, x).parents == times(x, 0.0).parents == (x,)  # the derivative of x may be inf: 0 times it is nan
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
    assert sweeps.adjoints_by_engine({output: 3.0}, [x, y]) == [adjoints[x], 0.0]
    sweeps.push_forward(steps, tangents)
    directions = [{x: 1.0, y: 5.0}, {y: 1.0}, {}, {x: 1.0}]
    found = sweeps.tangents_by_engine(order, [x, y], directions, [output, h, 1.0, y, x])
    of_x = [tangents[output], tangents[h], 0.0]
    assert found == [[*of_x, 5.0, 1.0], [0.0, 0.0, 0.0, 1.0, 0.0], [0.0] * 5, [*of_x, 0.0, 1.0]]
    assert (x.grad, y.grad, h.grad, output.grad) == (1.0, 4.0, 2.0, 3.0)


def test_the_engines_adjoints_of_several_outputs_are_added_up():
    x, y = Variable(0.5), Variable(1e300)
    seeds = dict(zip([x * y, x * x, y * 1e8, x], [2.0, 3.0, 1e5, 0.0], strict=True))
    assert sweeps.adjoints_by_engine(seeds, [x, y]) == [2e300 + 3.0, 1.0 + 1e13]
    assert sweeps.adjoints_by_engine(dict.fromkeys(seeds, 0.0), [x, y]) == [0.0, 0.0]
    assert sweeps.adjoints_by_engine({}, [x, y]) == [0.0, 0.0]


@pytest.mark.parametrize("count", [1, 5, 40])
def test_the_engines_tangents_along_every_kind_of_node(count):
    """Nodes of few operands and many, of sequences that nodes have in common, with constants between."""
    xs = [Variable(0.1 * i - 0.3) for i in range(count)]
    shared = [*xs, 2.0]
    nodes = [dot(shared, shared[::-1], xs[0]), dot([1.0] * count, xs), sweeps.functions.sum(shared), logsumexp(xs)]
    nodes += [tanh(nodes[0]) * nodes[1] - nodes[2] / 3.0, leaky_relu(nodes[3], 0.2), dot(nodes, nodes)]
    order = topological_order(*nodes)
    directions = [{x: 1.0} for x in xs] + [dict.fromkeys(xs, 1.0), dict.fromkeys(xs[::2], 0.0)]
    found = sweeps.tangents_by_engine(order, xs, directions, nodes)
    for seeds, tangents_found in zip(directions, found, strict=True):
        tangents = dict(seeds)
        sweeps.push_forward(linearised(order, xs, set()), tangents)
        assert tangents_found == pytest.approx(sweeps.found(nodes, tangents), rel=1e-14)


def test_tangents_of_0_times_inf_are_nan_but_there_is_none_without_a_seed():
    x, y = Variable(0.0), Variable(1.0)
    shared = [x, y, Variable(2.0)]
    outputs = [x.sqrt() + y, dot([x.sqrt(), y], [y, 2.0]), dot(shared, shared), logsumexp([x.sqrt(), y])]
    order = topological_order(*outputs)
    directions = [{y: 1.0}, {x: 1.0}, {x: 0.0, y: 1.0}]
    [of_y, of_x, of_both] = sweeps.tangents_by_engine(order, [x, y], directions, outputs)
    assert all(map(math.isfinite, of_y))
    assert [*of_x[:2], of_x[3]] == [math.inf] * 3
    assert of_x[2] == 0.0
    assert [math.isnan(tangent) for tangent in of_both] == [True, True, False, True]
    assert of_both[2] == 2.0


def test_the_engines_sweeps_refuse_what_depends_on_the_variables_and_is_of_ones_own():
    x, y = Variable(2.0), Variable(3.0)
    own = Value(6.0, (x,), "own")
    output = own * y
    order = topological_order(output)
    assert sweeps.tangents_by_engine(order, [y], [{y: 1.0}], [output]) == [[6.0]]
    assert sweeps.adjoints_by_engine({output: 1.0}, [y]) == [6.0]
    message = r"op='own'.* was not computed by an operation of the table"
    with pytest.raises(TypeError, match=message):
        sweeps.tangents_by_engine(order, [x, y], [{y: 1.0}], [output])
    with pytest.raises(TypeError, match=message):
        sweeps.adjoints_by_engine({output: 1.0}, [x, y])
    assert x.grad == output.grad == 0.0


@pytest.mark.skipif(engine != "native", reason="its sweep is compared with the one in Python")
@pytest.mark.parametrize("seed", range(20))
def test_the_compiled_sweep_is_the_one_in_python_to_the_bit(seed, monkeypatch):
    """On random graphs with an infinite derivative, for random seeds, of which some are 0 and some are not there."""
    draw = random.Random(seed)
    xs = [Variable(number) for number in (0.0, 1.0, -0.3, 2.5)]
    nodes = [*xs, xs[0].cbrt(), xs[1] * xs[1]]
    for _ in range(40):
        a, b, c = draw.choices(nodes, k=3)
        choices = [a.cbrt, a.tanh, lambda: a * b, lambda: b - 0.5, lambda: dot(xs, [b, c, 2.0, 0.0], a)]  # noqa: B023
        nodes.append(tanh(draw.choice([*choices, lambda: dot([a, b, c], [c, 1.0, a])])()))  # noqa: B023
    order = topological_order(*nodes)
    seeds = {x: draw.choice([0.0, 1.0, -2.0]) for x in draw.sample(xs[1:], 2)} | {xs[0]: 1.0}
    [native] = sweeps.tangents_by_engine(order, xs, [seeds], nodes)
    monkeypatch.setattr(sweeps, "engine", "python")
    [python] = sweeps.tangents_by_engine(order, xs, [seeds], nodes)
    assert repr(native) == repr(python)
    assert math.inf in native


@pytest.mark.skipif(engine != "native", reason="the sweep in C looks for signals itself")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the platform has no timers")
def test_a_signal_handler_may_walk_while_a_sweep_is_on():
    x = y = Variable(2.0)
    for _ in range(200_000):
        y = y * 1.0
    order, walked = topological_order(y), []

    def handler(signum, frame):
        walked.append(len(topological_order(y)))  # and all nodes are marked afresh

    before = signal.signal(signal.SIGALRM, handler)
    try:
        x.grad = 3.0
        for count in range(100):
            signal.setitimer(signal.ITIMER_REAL, 1e-4 * (1 + count % 20))
            while len(walked) == count:  # most of the time is the sweep's
                sweeps.push_forward_floats(order, [x])
                assert y.grad == 3.0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(engine != "native", reason="what its function refuses")
def test_what_cannot_be_pushed_forward():
    for arguments in [((), []), ([], ())]:
        with pytest.raises(TypeError, match="must be list, not tuple"):
            sweeps.native.push_forward(*arguments)
    for arguments in [([1.0], []), ([], [1.0])]:
        with pytest.raises(TypeError, match=r"expected Values, got 1\.0 among them"):
            sweeps.native.push_forward(*arguments)
    for arguments in [((Value(1.0), 2), ()), ((), {2})]:
        with pytest.raises(TypeError, match=r"expected Values, got 2 among them"):
            Value(1.0)._topological_order(*arguments)
