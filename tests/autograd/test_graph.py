"""Walks: orders and counts of known graphs."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, dot, no_grad
from autograd import sum as sum_of
from autograd.graph import counts, topological_order

pytestmark = pytest.mark.both_engines


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


def test_what_is_no_node_has_no_order():
    x = Value(1.0)
    for roots, until in [((None,), ()), ((x, None), ()), ((None, x), ()), ((x,), [None]), ((Node(), None), ())]:
        with pytest.raises(TypeError, match="expected Values, got None among them"):
            topological_order(*roots, until=until)
    with pytest.raises(TypeError, match="expected Values, got 3 among them"):
        counts(x, 3)


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


# ---- Values: the order of their creation, as long as it is topological


class Own(Value):
    pass


def test_values_come_in_the_order_in_which_they_were_created():
    late, early = [Value(0.5), Value(1.5)][::-1]
    third = late * early
    fourth = early.exp()
    y = (late + fourth) * third  # a search would meet `late` first, and `third` last
    assert topological_order(y) == [early, late, third, fourth, y.parents[0], y]
    assert topological_order(third, fourth) == topological_order(fourth, third) == [early, late, third, fourth]
    assert topological_order(y, until=[late, third]) == [early, fourth, y.parents[0], y]
    assert topological_order(y, until={y}) == []


MAKERS = {
    "a leaf": lambda x: Value(1.0),
    "a subclass": lambda x: Own(1.0),
    "an operation": lambda x: x * 2.0,
    "a function": lambda x: x.tanh(),
    "many operands": lambda x: sum_of([x, x, x]),
    "sequences": lambda x: dot([x, 1.0], [2.0, x]),
    "by hand": lambda x: Value(1.0, (x,), (2.0,)),
    "a subclass by hand": lambda x: Own(1.0, (x,), "f"),
    "a label": lambda x: Value(1.0, label="x"),
    "a copy": copy.copy,
    "a deep copy": copy.deepcopy,
    "unpickled": lambda x: pickle.loads(pickle.dumps(x)),
    "detached": lambda x: x.detach(),
    "not recorded": lambda x: no_grad()(lambda: x * 2.0)(),
    "without __init__": lambda x: Value.__new__(Value),
}


@pytest.mark.parametrize("wrapped", [False, True])
def test_however_they_are_made(wrapped, monkeypatch):
    if wrapped:
        plain = Value.__init__
        monkeypatch.setattr(Value, "__init__", lambda self, *given, **named: plain(self, *given, **named))
    x = Value(3.0)
    made = [x]
    for _ in range(3):
        made += [make(x) for make in MAKERS.values()]
    root = sum_of(made[::-1])
    assert topological_order(root) == [*made, root]


def test_an_attribute_a_label_and_a_number_change_no_place():
    nodes = [Value(1.0)]
    for _ in range(6):
        nodes.append(nodes[-1] * 2.0)
    nodes[2].label, nodes[3].note, nodes[4].data, nodes[5]._op = "h", "here", 7.0, "shown"
    nodes[1]._local_grads = (5.0,)
    assert topological_order(nodes[-1]) == nodes


def test_where_a_parent_is_newer_the_order_is_that_of_a_search():
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    first, second = b * 2.0, a * 3.0
    root = first + second + c
    assert topological_order(root) == [a, b, c, first, second, root.parents[0], root]
    new = a * 5.0
    c._prev = {new}
    c._local_grads = [10.0]
    assert topological_order(root) == [b, first, a, second, root.parents[0], new, c, root]
    root.backward()
    assert (a.grad, b.grad) == (53.0, 2.0)
    assert topological_order(root, until=[new]) == [b, first, a, second, root.parents[0], c, root]
    c._prev = ()
    assert topological_order(root) == [a, b, c, first, second, root.parents[0], root]


def reinitialised(node, parent):
    node.__init__(1.0, (parent,), (2.0,))


def given_children(node, parent):
    node._children = (parent,)
    node._local_grads = (2.0,)


class MadeFirst(Value):
    """Its parent is made within its constructor, and so after itself."""

    def __init__(self, parent):
        super().__init__(1.0, (parent * 1.0,), (2.0,))


@pytest.mark.parametrize("way", [reinitialised, given_children])
def test_every_way_to_a_newer_parent_is_noticed(way):
    x = Value(1.0)
    leaf = Value(4.0)
    y = leaf * 3.0
    newer = x * 7.0
    way(leaf, newer)
    y.backward()
    assert (newer.grad, x.grad) == (6.0, 42.0)
    assert topological_order(y) == [x, newer, leaf, y]


def test_a_parent_that_a_constructor_makes_is_newer():
    x = Value(1.0)
    y = MadeFirst(x) * 3.0
    y.backward()
    assert x.grad == 6.0
    assert [node.grad for node in topological_order(y)] == [6.0, 6.0, 3.0, 1.0]


def test_a_node_that_is_its_own_parent_is_visited_once():
    x = Value(1.0)
    y = x * 2.0
    x._prev = {x}
    assert topological_order(y) == [x, y]
    x._prev = ()


@given(st.lists(st.lists(st.integers(0, 30), max_size=4), min_size=1, max_size=30), st.randoms())
def test_every_parent_comes_before_its_value_however_they_were_given(shape, choose):
    nodes = [Value(0.0)]
    for parents in shape:
        nodes.append(sum_of([nodes[index % len(nodes)] for index in parents]) if parents else Value(1.0))
        nodes[-1] = nodes[-1] if isinstance(nodes[-1], Value) else Value(nodes[-1])
    order = topological_order(*nodes[::-1])
    assert order == nodes
    leaf = choose.choice([node for node in nodes if not node.parents])
    others = [node for node in nodes if leaf not in topological_order(node)]
    leaf._children = choose.sample(others, min(2, len(others)))
    order = topological_order(*nodes)
    position = {node: index for index, node in enumerate(order)}
    assert len(order) == len(position) == len(nodes)
    assert all(position[parent] < position[node] for node in nodes for parent in node.parents)
    if all(nodes.index(parent) < nodes.index(leaf) for parent in leaf.parents):
        assert order == nodes


def test_a_node_that_is_its_own_parent_sends_itself_what_it_has_by_then():
    x = Value(0.0)
    x.__init__(0.0, (x, x), (1.0, 1.0))
    x.backward()
    assert x.grad == 4.0
    x._prev = ()


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_cycle_has_no_counts(length):
    nodes = [Value(1.0) for _ in range(length)]
    for node, parent in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
        node._children = (parent,)
    with pytest.raises(ValueError, match="counts: expected no cycle, but Value"):
        counts(nodes[0])
    nodes[0]._children = ()
    assert counts(nodes[0])["depth"] == 0
