"""Diagrams: a `dot` that is spelled out is the same function, and paths are all that there are. No picture is made."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

import autograd
from autograd import Value, dot, logsumexp
from autograd.drawing.diagram import Node, between, number_of_products, pictured
from autograd.graph import topological_order

pytestmark = pytest.mark.both_engines


def nodes_of(*roots: Value, expand: bool = False) -> list[Node]:
    order = topological_order(*roots)
    nodes = list(pictured(order, {node: str(i) for i, node in enumerate(order)}, expand))
    added = [number_of_products(node) for node in order] if expand else []
    assert len(nodes) == len(order) + sum(added)
    return nodes


def random_dot(generator: random.Random) -> Value:
    """Of Values and numbers, whole ones so that sums are exact; Values come twice, also as weight and input at once."""
    values = [Value(generator.randint(-9, 9)) for _ in range(3)]
    operands = [*values, *(float(generator.randint(-9, 9)) for _ in range(3))]
    terms = generator.randint(1, 5)
    weights, inputs = ([generator.choice(operands) for _ in range(terms)] for _ in range(2))
    net = dot([values[0], *weights], [values[1], *inputs], generator.choice([*operands, 0.0]))
    return net * net * 0.125


@pytest.mark.parametrize("seed", range(30))
def test_spelled_out_the_chain_rule_gives_the_same_gradients(seed):
    result = random_dot(random.Random(seed))
    result.backward()
    order = topological_order(result)
    nodes = nodes_of(result, expand=True)
    adjoints = defaultdict(float, {nodes[-1].place: 1.0})
    for node in reversed(nodes):
        assert node.grad == adjoints[node.place]
        for parent, local_derivative in zip(node.parents, node.local_derivatives, strict=True):
            adjoints[parent] += local_derivative * node.grad
    values = {str(i): value for i, value in enumerate(order)}
    assert {place: node.data for place, node in zip(values, order, strict=True)} == {
        node.place: node.data for node in nodes if node.place in values
    }


@pytest.mark.parametrize("seed", range(30))
def test_a_product_is_that_of_its_factors_and_their_sum_is_the_dot(seed):
    nodes = {node.place: node for node in nodes_of(random_dot(random.Random(seed)), expand=True)}
    ((whole, place),) = [(node, place) for place, node in nodes.items() if node.op == "sum"]
    data = {place: node.data for place, node in nodes.items()}
    products = [node for node in nodes.values() if node.place.startswith(f"{place}.")]
    for node in products:
        parents = iter(node.parents)
        w, x = (data[next(parents)] if operand is None else operand for operand in node.operands)
        assert (node.op, node.data, node.grad) == ("*", w * x, whole.grad)
        assert list(node.local_derivatives) == [
            other for operand, other in zip(node.operands, (x, w), strict=True) if operand is None
        ]
    parents = iter(whole.parents)
    terms = [data[next(parents)] if term is None else term for term in whole.operands[0]]
    assert whole.data == autograd.sum(terms)
    assert whole.local_derivatives == (1.0,) * len(whole.parents)
    assert {node.place for node in products} <= set(whole.parents)


def test_products_are_those_that_the_dot_was_computed_from():
    w, x, v = Value(2.0), Value(3.0), Value(5.0)
    net = dot([w, v], [x, 7.0])
    w.data = x.data = 100.0
    assert [node.data for node in nodes_of(net, expand=True) if node.op == "*"] == [6.0, 35.0]


@pytest.mark.parametrize("function", [autograd.sum, logsumexp])
def test_other_operations_of_sequences_stay_one_node(function):
    result = function([Value(1.0), Value(2.0), 3.0])
    assert nodes_of(result, expand=True) == nodes_of(result)


def test_a_foreign_dot_is_left_alone():
    result = Value(1.0, (Value(2.0), Value(3.0)), "dot")
    assert nodes_of(result, expand=True) == nodes_of(result)


@pytest.mark.parametrize("seed", range(30))
def test_between_two_values_lies_what_some_path_passes(seed):
    generator = random.Random(seed)
    values = [Value(1.0)]
    for _ in range(8):
        values.append(generator.choice(values) * generator.choice([*values, 2.0]))
    nodes = {node.place: node for node in nodes_of(*values)}

    def steps(place):
        """The names on every path from the leaves to the place, path by path, with the place that each starts at."""
        node = nodes[place]
        yield place, [node.box]
        for k, parent in enumerate(node.parents):
            for start, names in steps(parent):
                yield start, [*names, node.edge_from(k), node.circle, node.edge, node.box]

    for end in nodes:
        expected = defaultdict(set)
        for start, names in steps(end):
            expected[start].update(names)
        for start in nodes:
            assert between(list(nodes.values()), start, end) == expected[start]
