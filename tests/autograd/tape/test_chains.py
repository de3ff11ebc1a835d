"""Neurons that are written with * and +, mixed with each other and with what else there is, and their order."""

from __future__ import annotations

import random

import pytest

from autograd import Value, tanh
from autograd.tape.chains import find_chains, strongly_connected
from autograd.tape.groups import find_groups, flat, grouped
from autograd.tape.record import write_down
from autograd.tape.wengert import ON_INPUTS

pytestmark = pytest.mark.both_engines


def leaves(count):
    return [Value(0.5 + 0.1 * i) for i in range(count)]


def matrix(rows, columns):
    return [leaves(columns) for _ in range(rows)]


def chains_of(wengert):
    operands = [flat(read) for _, _, read in wengert.instructions()]
    varies = [bool(mark & ON_INPUTS) for mark in wengert.dependences.tolist()] + [False] * (len(wengert.constants) + 3)
    return *find_chains(wengert, operands, varies), operands


def lengths(outputs, inputs):
    """How many terms the neurons have, in the order in which they come."""
    wengert = write_down(outputs, inputs)[0]
    assert find_groups(wengert) == grouped(wengert)
    neurons, order, _ = chains_of(wengert)
    return [len(neurons[k].weights) for k in order if k in neurons]


def columns(w, b, x, between=lambda sums, number: None):
    """z_i = b_i + Σ_k w_ik x_k for all i at once, term by term."""
    sums = [*b]
    for k, number in enumerate(x):
        sums = [z + row[k] * number for z, row in zip(sums, w, strict=True)]
        between(sums, number)
    return sums


def test_column_by_column():
    w, b, x = matrix(4, 3), leaves(4), leaves(3)
    assert lengths([*map(tanh, columns(w, b, x))], x) == [3] * 4


def test_several_layers_in_one_loop():
    """As the gates of an LSTM: each has a neuron for each unit."""
    w, x = [matrix(2, 3) for _ in range(4)], leaves(3)
    sums = [[0.0] * 2 for _ in w]
    for k, number in enumerate(x):
        for gate, rows in zip(sums, w, strict=True):
            for i, row in enumerate(rows):
                gate[i] = gate[i] + row[k] * number
    assert lengths([z * z for gate in sums for z in gate], x) == [3] * 8


def test_what_is_used_in_between_is_used_after_the_neurons():
    w, b, x, others = matrix(4, 3), leaves(4), leaves(3), []
    z = columns(w, b, x, lambda sums, number: others.append(tanh(number)))
    assert lengths([*z, *others], x) == [3] * 4
    wengert = write_down([*z, *others], x)[0]
    neurons, order, _ = chains_of(wengert)
    assert order[:4] == sorted(neurons)


def test_a_part_of_one_neuron_is_used_elsewhere():
    """The other three are whole."""
    w, b, x, others = matrix(4, 3), leaves(4), leaves(3), []
    z = columns(w, b, x, lambda sums, number: others.append(tanh(sums[1])))
    assert sorted(lengths([*z, *others[1:]], x))[-3:] == [3] * 3


def test_a_bias_that_is_computed_in_between():
    """From an input that its neuron, and others, have used before: this one waits for it, but its products need not."""
    w, x = matrix(3, 2), leaves(2)
    products = [[weight * number for weight, number in zip(row, x, strict=True)] for row in w]
    late = tanh(x[0])
    z = [p[0] + p[1] + bias for p, bias in zip(products, [0.5, late, 0.25], strict=True)]
    assert sorted(lengths([tanh(y) for y in z], x)) == [2, 3, 3]


def test_neurons_of_which_each_must_be_before_the_other():
    """The first uses x before the second does, and y after it. One of them can be a neuron, not both."""
    w, (x, y) = leaves(6), leaves(2)
    first, second = w[0] + w[1] * x, w[2] + w[3] * y
    first, second = first + w[4] * y, second + w[5] * x
    assert lengths([tanh(first), tanh(second)], [x, y]) == [2]


def test_pieces_of_chains_that_wait_for_themselves():
    w, (x, y) = leaves(5), leaves(2)
    part = w[0] + w[1] * x + w[2] * y
    assert lengths([part + w[3] * tanh(x * y) + w[4] * tanh(y)], [x, y]) == [2, 2]


@pytest.mark.parametrize("seeds", [range(first, first + 50) for first in range(0, 200, 50)], ids=str)
def test_the_order_of_any_list(random_columns, random_graph, seeds):
    """Each variable is computed before it is used, and its uses are in the order in which the list has them."""
    for seed in seeds:
        for make in (random_columns, random_graph):
            wengert = write_down(*make(seed))[0]
            neurons, order, operands = chains_of(wengert)
            node_of = {k: k for k in range(len(operands))}
            node_of |= {i: k for k, chain in neurons.items() for i in chain.instructions}
            assert sorted(order) == sorted({*node_of.values()})
            place = {k: i for i, k in enumerate(order)}
            uses = {}
            for k, variables in enumerate(operands):
                for variable in variables:
                    uses.setdefault(variable, []).append(place[node_of[k]])
            for variable, places in uses.items():
                k = variable - wengert.first_result
                if k >= 0:
                    assert places[0] > place[node_of[k]] or node_of[k] in neurons
                if variable >= 0:
                    assert places == sorted(places)


def test_strongly_connected_components():
    """Against what can be reached from where, in random graphs; each comes after all that it leads to."""
    source = random.Random(1)
    for _ in range(200):
        count = source.randint(1, 9)
        edges = [source.sample(range(count), source.randint(0, min(3, count))) for _ in range(count)]
        reached = [{i} for i in range(count)]
        for _ in range(count):
            reached = [found.union(*(reached[j] for j in edges[i])) for i, found in enumerate(reached)]
        components = [*strongly_connected([*range(count)], lambda node, edges=edges: iter(edges[node]))]
        assert sorted(node for component in components for node in component) == [*range(count)]
        done = set()
        for component in components:
            for node in component:
                assert {j for j in reached[node] if node in reached[j]} == {*component}
            done |= {*component}
            assert reached[component[0]] <= done
