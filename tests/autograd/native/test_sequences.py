"""Nodes that have the same operands in common: does each keep its own numbers, whatever is done to the others?"""

from __future__ import annotations

import gc
import math
import random
import weakref
from array import array

import pytest

from autograd import Value, dot, no_grad, scatter, value
from autograd.graph import topological_order
from autograd.operations import OPERATIONS

pytestmark = pytest.mark.both_engines


def leaves(*numbers):
    return [Value(number) for number in numbers]


def number(operand):
    return operand.data if isinstance(operand, Value) else float(operand)


def seen(node):
    """What dot() was given, and its edges."""
    return node.data, node.operands, node.parents, node.local_derivatives


def expected(weights, inputs, bias=0.0):
    """The same by the textbook, from the numbers that the operands have now."""
    numbers = [[number(x) for x in sequence] for sequence in (weights, inputs)]
    data = number(bias)
    for w, x in zip(*numbers, strict=True):
        data += w * x
    operands = [*weights, *inputs, bias]
    slopes = [*numbers[1], *numbers[0], 1.0]
    edges = [(operand, slope) for operand, slope in zip(operands, slopes, strict=True) if isinstance(operand, Value)]
    taken = tuple(tuple(x if isinstance(x, Value) else float(x) for x in sequence) for sequence in (weights, inputs))
    return data, (*taken, bias), tuple(node for node, _ in edges), tuple(slope for _, slope in edges)


def test_neurons_have_inputs_in_common_and_examples_have_weights():
    rows, biases = [leaves(1.0, -2.0, 3.0), leaves(0.5, 4.0, -1.0)], leaves(0.25, 0.0)
    examples = [leaves(2.0, 3.0, 5.0), leaves(7.0, -11.0, 13.0)]
    nodes = [dot(row, x, bias) for x in examples for row, bias in zip(rows, biases, strict=True)]
    truth = [expected(row, x, bias) for x in examples for row, bias in zip(rows, biases, strict=True)]
    assert [seen(node) for node in nodes] == truth
    sum(nodes, start=Value(0.0)).backward()
    for row in rows:
        assert [w.grad for w in row] == [9.0, -8.0, 18.0]
    for x in examples:
        assert [x.grad for x in x] == [1.5, 2.0, 2.0]
    assert [bias.grad for bias in biases] == [2.0, 2.0]


@pytest.mark.parametrize("looked_at", [False, True])
def test_a_number_that_changes_in_between_changes_no_earlier_node(looked_at):
    weights, inputs = leaves(1.0, 2.0), leaves(3.0, 4.0)
    before = dot(weights, inputs)
    truth = expected(weights, inputs)
    if looked_at:
        assert seen(before) == truth
    weights[1].data = 10.0
    inputs[0].data = -5.0
    after = dot(weights, inputs)
    assert seen(after) == expected(weights, inputs)
    assert after.data == 35.0
    (before * 100.0 + after).backward()
    assert [w.grad for w in weights] == [295.0, 404.0]
    assert [x.grad for x in inputs] == [101.0, 210.0]
    assert seen(before) == truth


WAYS_TO_SET = {
    "data": lambda node, number: setattr(node, "data", number),
    "scatter": lambda node, number: scatter(array("d", [number]), [node], "data"),
    "__init__": lambda node, number: node.__init__(number),
    "__setstate__": lambda node, number: node.__setstate__((number, 0.0, "", {})),
}


@pytest.mark.parametrize("way", WAYS_TO_SET)
@pytest.mark.parametrize("bystander", [False, True])
def test_every_way_to_set_a_number_is_noticed(way, bystander):
    """Also after another Value was set, and the sequence seen again with its old numbers."""
    weights, inputs = leaves(1.0, 2.0), leaves(3.0, 4.0)
    before = [dot(weights, inputs)]
    if bystander:
        WAYS_TO_SET[way](Value(0.0), 1.0)
        before.append(dot(weights, inputs))
    WAYS_TO_SET[way](weights[1], 10.0)
    assert seen(dot(weights, inputs)) == expected(weights, inputs)
    WAYS_TO_SET[way](weights[1], 2.0)
    assert seen(dot(weights, inputs)) == expected(weights, inputs)
    for node in before:
        assert seen(node) == expected(weights, inputs)


def test_a_list_that_changes_in_between_changes_no_earlier_node():
    weights, inputs = leaves(1.0, 2.0, 3.0), leaves(4.0, 5.0, 6.0)
    old = [*weights]
    before = dot(weights, inputs)
    weights[2] = Value(3.0)  # the same number
    inputs.pop()
    weights.pop(0)
    after = dot(weights, inputs)
    assert seen(before) == expected(old, [*inputs, before.operands[1][2]])
    assert seen(after) == expected(weights, inputs)
    weights[:] = inputs[:] = []
    assert seen(dot(weights, inputs, old[0])) == expected([], [], old[0])


CASES = {
    "the same list twice": lambda a, b: ([a, b], None),
    "a Value more than once": lambda a, b: ([a, a, b], [b, a, a]),
    "one": lambda a, b: ([a], [b]),
    "constants": lambda a, b: ([a, 2.0, b], [1.5, 3.0, -4.0]),
    "constants first": lambda a, b: ([2.0, a], [5.0, b]),
    "constant weights": lambda a, b: ([2.0, 3.0], [a, b]),
    "whole numbers": lambda a, b: ([a, 2, True], [3, b, 7]),
    "hundreds": lambda a, b: ([a, b] * 150, [b, 2.0] * 150),
}


@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
@pytest.mark.parametrize("with_bias", [False, True])
def test_operands_of_every_kind(make, with_bias):
    a, b, c = leaves(2.0, -3.0, 5.0)
    weights, inputs = make(a, b)
    inputs = weights if inputs is None else inputs
    bias = c if with_bias else 0.0
    first, second = dot(weights, inputs, bias), dot(tuple(weights), inputs, bias)
    assert seen(first) == seen(second) == expected(weights, inputs, bias)
    first.backward()
    grads = [x.grad for x in (a, b, c)]
    second.backward()
    _, _, parents, slopes = expected(weights, inputs, bias)
    truth = [sum(slope for parent, slope in zip(parents, slopes, strict=True) if parent is x) for x in (a, b, c)]
    assert grads == truth
    assert [x.grad for x in (a, b, c)] == [2.0 * grad for grad in truth]


def test_the_sign_of_zero_and_what_is_no_number_are_told_apart():
    w = Value(2.0)
    for x in (0.0, -0.0, 0, Value(0.0), Value(-0.0)):
        [slope, *_] = dot([w], [x]).local_derivatives
        assert math.copysign(1.0, slope) == math.copysign(1.0, number(x))
    nan = Value(math.nan)
    results = [dot([w, nan], [1.0, 1.0]) for _ in range(2)]
    assert [math.isnan(result.data) for result in results] == [True, True]
    assert [result.parents for result in results] == [(w, nan)] * 2
    large = leaves(1e308, 1.0)
    assert [dot(large, large).data for _ in range(2)] == [math.inf, math.inf]
    assert dot(large, [1.0, w]).local_derivatives == (1.0, 2.0, 1.0)


def test_constants_alone_and_no_grad_give_no_graph():
    assert type(dot([1.0, 2.0], [3.0, 4.0], 0.5)) is float
    weights = leaves(1.0, 2.0)
    node = dot(weights, weights)
    with no_grad():
        assert dot(weights, weights).parents == ()
    assert dot(weights, weights).parents == node.parents == (*weights, *weights)


def test_the_bias_alone_may_be_a_value():
    bias = Value(0.5)
    node = dot([1.0, 2.0], [3.0, 4.0], bias)
    assert seen(node) == (11.5, ((1.0, 2.0), (3.0, 4.0), bias), (bias,), (1.0,))


def test_the_order_is_that_of_the_operands():
    """Where some are computed from others, and some were met before."""
    source = random.Random(4)
    nodes = leaves(*(source.uniform(-1, 1) for _ in range(6)))
    rows = [source.sample(nodes, 4) for _ in range(5)]
    for _ in range(60):
        row, x = source.choice(rows), source.sample(nodes, 4)
        nodes.append(dot(row, x, source.choice(nodes)))
        if source.random() < 0.3:
            rows[source.randrange(5)] = source.sample(nodes, 4)
    root = dot(nodes, nodes)
    walked = topological_order(root)
    order: dict[Value, None] = {}

    def visit(node):
        for parent in node.parents:
            if parent not in order:
                visit(parent)
        order[node] = None

    visit(root)
    assert walked == list(order)
    assert topological_order(root) == walked


def test_gradients_are_the_python_engines_to_the_last_bit():
    def network(new, function):
        source = random.Random(7)
        rows = [[new(source.gauss(0, 1)) for _ in range(9)] for _ in range(9)]
        bias = new(0.1)
        total = new(0.0)
        for _ in range(20):
            x = [new(source.gauss(0, 1)) for _ in range(9)]
            for _ in range(3):
                x = [function["tanh"](function["dot"](row, x, bias)) for row in rows]
                if source.random() < 0.3:
                    rows[source.randrange(9)][source.randrange(9)].data = source.gauss(0, 1)
            total = total + function["dot"](x, x) + x[0].parents[0].local_derivatives[3]
        total.backward()
        return [total.data, bias.grad, *(w.grad for row in rows for w in row)]

    python = {name: value.function(OPERATIONS[name]) for name in ("dot", "tanh")}
    assert network(Value, {"dot": dot, "tanh": Value.tanh}) == network(value.Value, python)


# ---- attributes, labels, memory


def test_a_label_and_attributes_of_a_node():
    weights, inputs = leaves(1.0, 2.0), leaves(3.0, 4.0)
    labelled, other = dot(weights, inputs), dot(weights, inputs)
    labelled.label = "net input"
    labelled.note = [labelled]
    assert (labelled.label, labelled.note, other.label) == ("net input", [labelled], "")
    assert seen(labelled) == seen(other) == expected(weights, inputs)
    labelled.backward()
    assert [w.grad for w in weights] == [3.0, 4.0]
    labelled.note.clear()


@pytest.mark.parametrize("when", ["before", "between"])
def test_a_cycle_through_an_operand_with_attributes_is_collected(when):
    weights, inputs = leaves(1.0, 2.0), leaves(3.0, 4.0)
    between = dot(weights, inputs) if when == "between" else None
    weights[0].history = []
    result = dot(weights, inputs)
    weights[0].history.append(result)
    gone = weakref.ref(result)
    del weights, inputs, result, between
    gc.collect()
    assert gone() is None


def test_operands_live_as_long_as_a_node_that_has_them():
    gc.disable()
    try:
        weights, inputs = leaves(1.0, 2.0), leaves(3.0, 4.0)
        w, x = weakref.ref(weights[0]), weakref.ref(inputs[0])
        first, second = dot(weights, inputs), dot(weights, [5.0, 6.0])
        del weights, inputs
        assert x() is not None
        del first
        assert x() is None
        assert w() is not None
        assert second.parents[0] is w()
        del second
        assert w() is None
    finally:
        gc.enable()


def test_what_was_looked_at_frees_the_others_share():
    weights = leaves(1.0, 2.0)
    w = weakref.ref(weights[1])
    nodes = [dot(weights, [3.0, 4.0]) for _ in range(3)]
    assert nodes[1].parents == (*weights,)
    del weights
    for _ in range(3):
        assert w() is not None
        nodes.pop()
    assert w() is None


def test_a_long_chain_of_shared_operands():
    """Deeper than any recursion would get."""
    weights, x = leaves(0.5, 0.5), leaves(1.0, 1.0)
    start = weakref.ref(x[0])
    depth = 20_000
    for _ in range(depth):
        x = [dot(weights, x), x[1]]
    assert x[0].data == 1.0
    x[0].backward()
    assert start().grad == 0.5**depth
    assert x[1].grad == pytest.approx(1.0)
    assert len(topological_order(x[0])) == depth + 4
    del x
    assert start() is None
