"""Walks: orders and counts of known graphs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from autograd import Value
from autograd.graph import counts, topological_order


class Node:
    """A walk needs nothing of a node but its parents."""

    def __init__(self, *parents):
        self.parents = parents


def test_operands_come_in_their_order():
    a, b = Node(), Node()
    left, right = Node(a, b), Node(b)
    root = Node(left, right)
    assert topological_order(root) == [a, b, left, right, root]
    assert topological_order(Node(right, left))[:-1] == [b, right, a, left]


def test_a_walk_goes_until_the_nodes_given():
    a, b = Node(), Node()
    before = Node(a, b)
    middle = Node(before, a)
    root = Node(middle, b)
    assert topological_order(root, until={middle}) == [b, root]
    assert topological_order(root, until=[before]) == [a, middle, b, root]
    assert topological_order(root, until=[root]) == []
    x = Value(1.0)
    y = x * 2.0
    assert topological_order(z := y * x, until=[y]) == [x, z]


def test_a_node_with_one_parent_twice():
    a = Node()
    square = Node(a, a)
    assert topological_order(square) == [a, square]
    assert counts(square) == {"nodes": 2, "edges": 2, "leaves": 1, "depth": 1}


def test_several_roots_share_their_nodes():
    a = Node()
    first, second = Node(a), Node(a)
    assert topological_order(first, second, first) == [a, first, second]
    assert topological_order() == []
    assert counts() == {"nodes": 0, "edges": 0, "leaves": 0, "depth": 0}


def test_a_graph_of_values():
    x, y = Value(2.0), Value(3.0)
    z = x * y + x
    assert counts(z) == {"nodes": 4, "edges": 4, "leaves": 2, "depth": 2}


def test_depth_is_bounded_by_memory_only():
    node = Node()
    for _ in range(100_000):
        node = Node(node)
    assert counts(node)["depth"] == 100_000


@given(st.lists(st.lists(st.integers(0, 30), max_size=4), min_size=1, max_size=30))
def test_every_parent_comes_before_its_node(shape):
    nodes = [Node()]
    for parents in shape:
        nodes.append(Node(*(nodes[index % len(nodes)] for index in parents)))
    order = topological_order(*nodes)
    position = {node: index for index, node in enumerate(order)}
    assert len(order) == len(position) == len(nodes)
    assert all(position[parent] < position[node] for node in nodes for parent in node.parents)
