"""The groups of a list: what is found in lists that are written by hand, and what holds of any list."""

from __future__ import annotations

import itertools

import pytest

import autograd
from autograd import Tape, Value, dot, engine, logsumexp, relu, tanh
from autograd.operations import ROWS
from autograd.tape.chains import ADDED
from autograd.tape.groups import PRODUCT, Product, find_groups, grouped
from autograd.tape.record import write_down
from autograd.tape.wengert import ON_INPUTS, ROW

pytestmark = pytest.mark.both_engines


def leaves(count):
    return [Value(0.5 + 0.1 * i) for i in range(count)]


def groups_of(outputs, inputs):
    return find_groups(write_down(outputs, inputs)[0])


def shapes(groups):
    """Of a product its neurons and inputs, of any other group its operation and how many results it has."""
    own = len(groups.constants) - len(ADDED)
    return [
        (len(group.results), sum(v >= -own for v in group.inputs) if group.row == PRODUCT else ROWS[group.row].name)
        for group in groups.groups
    ]


def layer(weights, biases, x):
    return [dot(w, x, b) for w, b in zip(weights, biases, strict=True)]


def chained(weights, biases, x):
    sums = []
    for w, b in zip(weights, biases, strict=True):
        net_input = b
        for weight, factor in zip(w, x, strict=True):
            net_input = net_input + weight * factor
        sums.append(net_input)
    return sums


def summed(weights, biases, x):
    return [
        sum((factor * weight for weight, factor in zip(w, x, strict=True)), b)
        for w, b in zip(weights, biases, strict=True)
    ]


def bias_last(weights, biases, x):
    """w1 * x1 + w2 * x2 + … + b, from left to right."""
    sums = []
    for w, b in zip(weights, biases, strict=True):
        first, *others = [weight * factor for weight, factor in zip(w, x, strict=True)]
        sums.append(sum(others, first) + b)
    return sums


def bias_before(weights, biases, x):
    """b + (w1 * x1 + w2 * x2 + …)"""
    return [
        b + sum([weight * factor for weight, factor in zip(w[1:], x[1:], strict=True)], w[0] * x[0])
        for w, b in zip(weights, biases, strict=True)
    ]


def in_one_sum(weights, biases, x):
    return [
        autograd.sum([weight * factor for weight, factor in zip(w, x, strict=True)], b)
        for w, b in zip(weights, biases, strict=True)
    ]


def in_one_sum_without_a_bias(weights, biases, x):
    return [autograd.sum(weight * factor for weight, factor in zip(w, x, strict=True)) for w in weights]


def a_sum_and_a_bias(weights, biases, x):
    return [autograd.sum(v * u for v, u in zip(w, x, strict=True)) + b for w, b in zip(weights, biases, strict=True)]


WAYS = {way.__name__: way for way in (layer, chained, summed)}
OTHER_WAYS = (bias_last, bias_before, in_one_sum, in_one_sum_without_a_bias, a_sum_and_a_bias)
ALL_WAYS = WAYS | {way.__name__: way for way in OTHER_WAYS}
LAYERS = pytest.mark.parametrize("layer", ALL_WAYS.values(), ids=ALL_WAYS)


def matrix(rows, columns):
    return [leaves(columns) for _ in range(rows)]


@LAYERS
def test_a_network(layer):
    x = leaves(3)
    hidden = [relu(z) for z in layer(matrix(4, 3), leaves(4), x)]
    loss = logsumexp(layer(matrix(2, 4), leaves(2), hidden))
    groups = groups_of([loss], x)
    assert shapes(groups) == [(4, 3), (4, "relu"), (2, 4), (1, "logsumexp")]
    assert groups.parts[-1] == (3, 0, 1)
    assert [part for part in groups.parts if part[0] in (0, 2)] == [(0, 0, 4), (2, 0, 2)]


@LAYERS
@pytest.mark.parametrize("odd", range(4))
@pytest.mark.parametrize(
    "how",
    {
        "another activation": lambda z, x, w: tanh(z),
        "a skip connection": lambda z, x, w: relu(z) + x[1],
        "no activation": lambda z, x, w: z,
        "used twice": lambda z, x, w: relu(z) * z,
    }.values(),
)
def test_what_one_neuron_does_differently_leaves_the_others_together(layer, odd, how):
    x, weights = leaves(3), matrix(4, 3)
    neurons = layer(weights, leaves(4), x)
    outputs = [how(z, x, weights) if j == odd else relu(z) for j, z in enumerate(neurons)]
    assert shapes(groups_of(layer(matrix(2, 4), leaves(2), outputs), x))[0] == (4, 3)


@pytest.mark.parametrize("layer", WAYS.values(), ids=WAYS)
def test_frozen_and_shared_weights(layer):
    x, weights = leaves(3), matrix(4, 3)
    weights[1] = [0.5, 1.5, 2.5]
    weights[2][1] = weights[0][0]
    weights[3] = weights[0][1:] + weights[0][:1]
    groups = groups_of(layer(weights, [*leaves(3), 0.0], x), x)
    assert shapes(groups) == [(4, 3)]
    first = groups.groups[0].weights[0]
    assert groups.groups[0].weights[3] == first[1:] + first[:1]
    assert min(groups.groups[0].weights[1]) < 0


def test_a_recurrence_has_a_product_for_each_step():
    """All steps' products with their inputs stand at the first depth; the others have a bias that depends on inputs."""
    steps, u, w, b = 3, matrix(2, 1), matrix(2, 2), leaves(2)
    x = leaves(steps)
    h = leaves(2)
    for step in range(steps):
        h = [tanh(z) for z in layer(w, layer(u, b, [x[step]]), h)]
    found = shapes(groups_of(h, x))
    assert found[:3] == [(2, 1)] * 3
    assert found.count((2, 2)) == 2  # the first step's state depends on no input: its bias alone does


def test_a_convolution():
    x, kernels = leaves(6), matrix(2, 3)
    by_place = [dot(kernel, x[i : i + 3]) for i in range(4) for kernel in kernels]
    by_kernel = [dot(kernel, x[i : i + 3]) for kernel in kernels for i in range(4)]
    for outputs in (by_place, by_kernel):
        groups = groups_of(outputs, x)
        assert shapes(groups) == [(2, 3)] * 4
        assert len({tuple(map(tuple, group.weights)) for group in groups.groups}) == 1
    assert len(groups_of(by_place, x).parts) == 4
    assert len(groups_of(by_kernel, x).parts) == 8  # each input's uses stay in their order


@LAYERS
def test_neurons_of_one_input(layer):
    """A single product is a neuron only beside another one of its input."""
    x = leaves(2)
    hidden = [tanh(z) for z in layer(matrix(4, 1), leaves(4), x[:1])]
    assert shapes(groups_of(hidden, x)) == [(4, 1), (4, "tanh")]
    apart = [tanh(z) for k in range(2) for z in layer(matrix(1, 1), leaves(1), [x[k]])]
    expected = [(1, 1), (1, 1)] if layer.__name__ == "layer" else shapes(groups_of(apart, x))[:-1]
    assert shapes(groups_of(apart, x)) == [*expected, (2, "tanh")]
    assert layer.__name__ == "layer" or (2, "multiply") in expected


@LAYERS
def test_what_a_layer_is_in_numbers(layer):
    x = leaves(3)
    found = groups_of(layer(matrix(4, 3), leaves(4), x), x)
    [product] = found.groups
    assert [product.inputs.count(v) for v in range(3)] == [1, 1, 1]
    values = [found.constants[-1 - v] for v in (*product.inputs, product.biases[0]) if v < 0]
    assert values in ([], [0.0], [1.0, -0.0], [1.0, 0.0])


CHAINS = {
    "two products": (lambda w, x, y: w[0] + w[1] * x + w[2] * y, [(1, 2)]),
    "sums the other way": (lambda w, x, y: w[2] * y + (x * w[1] + w[0]), [(1, 2)]),
    "from a product": (lambda w, x, y: w[0] * x + w[1] * y, [(1, 2)]),
    "the bias at the end": (lambda w, x, y: 0.0 + w[0] * x + w[1] * y + w[2], [(1, 2)]),
    "biases everywhere": (lambda w, x, y: w[0] + (w[1] * x + 2.0 + (w[2] * y)) + 3.0, [(1, 2)]),
    "a sum in a chain": (lambda w, x, y: autograd.sum([w[0] * x, 1.0]) + w[1] * y + w[2], [(1, 2)]),
    "two sums": (lambda w, x, y: (w[0] * x + w[1]) + (w[2] * y), [(1, 2)]),
    "one product": (lambda w, x, y: w[0] + w[1] * x, [(1, "multiply"), (1, "add")]),
    "a weight twice in a sum": (
        lambda w, x, y: autograd.sum([w[0] * x, w[0], w[1] * y]),
        [(2, "multiply"), (1, "sum")],
    ),
    "more than products in a sum": (
        lambda w, x, y: autograd.sum([w[0] * x, y, w[1] * y]),
        [(2, "multiply"), (1, "sum")],
    ),
    "an input twice": (lambda w, x, y: w[0] + w[1] * x + w[2] * x, [(1, 1), (1, 1)]),
    "the bias is an input": (lambda w, x, y: x + w[1] * x + w[2] * y, [(2, "multiply"), (1, "add"), (1, "add")]),
    "a product of inputs": (lambda w, x, y: w[0] + w[1] * x + x * y, [(2, "multiply"), (1, "add"), (1, "add")]),
    "differences": (lambda w, x, y: w[0] - w[1] * x - w[2] * y, [(2, "multiply"), (1, "subtract"), (1, "subtract")]),
}


@pytest.mark.parametrize("name", CHAINS)
def test_chains(name):
    formula, expected = CHAINS[name]
    w, x, y = leaves(3), Value(0.5), Value(0.25)
    assert shapes(groups_of([formula(w, x, y)], [x, y])) == expected


def test_a_chain_of_which_something_else_uses_a_part():
    w, x, y, z = leaves(4), *leaves(3)
    term, part = w[1] * x, w[0] + w[1] * x + w[2] * y
    assert shapes(groups_of([part + w[3] * z, part], [x, y, z])) == [(1, 2), (1, "multiply"), (1, "add")]
    assert (1, 2) not in shapes(groups_of([w[0] + term + w[2] * y, term], [x, y]))


def test_a_chain_that_waits_for_itself():
    """What is added last is computed from an input that the chain has used before: no order has the neuron as one."""
    w, x, y = leaves(3), Value(0.5), Value(0.25)
    assert (1, 2) not in shapes(groups_of([w[0] + w[1] * x + w[2] * x.tanh()], [x]))
    between = (w[0] + w[1] * x + w[2] * y, x.tanh())
    assert (1, 2) in shapes(groups_of(between, [x, y]))


SUMS = {
    "sum": lambda w, x: autograd.sum([wi * xi for wi, xi in zip(w, x, strict=True)]),
    "Python's sum": lambda w, x: sum(wi * xi for wi, xi in zip(w, x, strict=True)),
}


@pytest.mark.parametrize("name", SUMS)
def test_biases_that_are_added_when_all_sums_are_done(name):
    """The neurons use their inputs in the order of the sums, as the list does."""
    x, weights, biases = leaves(3), matrix(4, 3), leaves(4)
    sums = [SUMS[name](row, x) for row in weights]
    backwards = [z + bias + 2.0 for z, bias in zip(sums[::-1], biases, strict=True)][::-1]
    for outputs in ([z + bias for z, bias in zip(sums, biases, strict=True)], [z + 1.0 for z in sums], backwards):
        found = groups_of(outputs, x)
        assert shapes(found) == [(4, 3)]
        assert len(found.parts) == 1


def test_a_bias_that_is_added_late_and_used_elsewhere():
    """Its gradient is summed up in the order of its uses, and so is an input's: not always can a neuron keep both."""
    w, x = leaves(4), leaves(2)
    z, other = w[0] * x[0] + w[1] * x[1], x[0] * w[2]  # between the neuron's uses of x[0] and w[2]
    assert shapes(groups_of([z + w[2], other], x)) == [(1, 2), (1, "multiply"), (1, "add")]
    z, other = w[0] * x[0] + w[1] * x[1], tanh(w[2])
    assert shapes(groups_of([z + w[2], other], x)) == [(1, 2)]
    z, other, bias = w[0] * x[0] + w[1] * x[1], x[0] * w[2], w[0] * 2.0
    assert shapes(groups_of([z + bias, other], x)) == [(1, 2), (1, "multiply"), (1, "add")]
    bias, z, other = w[0] * 2.0, w[0] * x[0] + w[1] * x[1], x[0] * w[2]
    assert shapes(groups_of([z + bias, other], x)) == [(1, 2), (1, "multiply")]


def test_what_is_used_between_a_sum_and_what_is_added_to_it():
    """A bias among the sum's terms keeps the order of its uses: the other one can come after the neuron, or before."""
    w, (x, y, z) = leaves(3), leaves(3)
    total, other = autograd.sum([w[0], w[1] * x]), w[0] * z
    assert shapes(groups_of([total + w[2] * y, other], [x, y, z])) == [(1, 2), (1, "multiply")]
    other, total = w[0] * z, autograd.sum([w[0], w[1] * x])
    assert shapes(groups_of([total + w[2] * y, other], [x, y, z])) == [(1, "multiply"), (1, 2)]


@LAYERS
def test_signed_zeros(layer):
    """A sum that begins with 0.0, one that begins with its bias and one that begins with a product differ in these."""
    for numbers in itertools.product([-0.0, 0.0, 1.0], repeat=4):
        x = [Value(number) for number in numbers[:2]]
        w = [[Value(numbers[2]), Value(1.0)], [Value(1.0), Value(numbers[2])]]
        outputs = layer(w, [Value(numbers[3]), Value(numbers[3])], x)
        expected = [output.data for output in outputs]
        tape = Tape(outputs, x)
        for batch in ([numbers[:2]], [numbers[:2]] * 2):
            found = tape.forward(batch)[-1].tolist()
            assert repr(found) == repr(expected) if engine == "native" else found == expected


NO_NEURONS = {
    "an input twice": lambda w, x: dot(w[:2], [x[0], x[0]]),
    "the bias is an input": lambda w, x: dot(w[:2], x, x[1]),
    "inputs times inputs": lambda w, x: dot(x, x[::-1], w[0]),
    "inputs on either side": lambda w, x: dot([w[0], x[0]], [x[1], w[1]]),
    "only the bias is an input": lambda w, x: dot(w[:2], [w[2], 1.0], x[0]),
}


@pytest.mark.parametrize("name", NO_NEURONS)
def test_dots_that_are_no_neurons(name):
    w, x = leaves(3), leaves(2)
    assert shapes(groups_of([NO_NEURONS[name](w, x)], x)) == [(1, "dot")]


def test_constants_among_the_inputs():
    w, x = leaves(4), leaves(2)
    assert shapes(groups_of([dot(w, [-1.0, x[0], x[1], -1.0])], x)) == [(1, 4)]


def test_nothing_that_depends_on_inputs():
    w = leaves(2)
    found = groups_of([w[0] * w[1]], [])
    assert (found.groups, found.order, found.parts) == ([], [2], [])


PRODUCTS_FIRST = {
    "sums": lambda p, b: [sum(terms) for terms in p],
    "sums from biases": lambda p, b: [sum(terms, bias) for terms, bias in zip(p, b, strict=True)],
    "sums, each with its bias": lambda p, b: [sum(terms) + bias for terms, bias in zip(p, b, strict=True)],
    "sums, and then biases": lambda p, b: [s + bias for s, bias in zip([sum(t) for t in p], b, strict=True)],
    "sums from the last to the first": lambda p, b: [sum(terms) for terms in p[::-1]],
    "one sum": lambda p, b: [autograd.sum(terms) for terms in p],
    "one sum, and a bias": lambda p, b: [autograd.sum([*terms, bias]) for terms, bias in zip(p, b, strict=True)],
}


@pytest.mark.parametrize("name", PRODUCTS_FIRST)
def test_all_products_first_and_then_all_sums(name):
    """Then all inputs are used again before the first sum."""
    w, b, x = [leaves(3) for _ in range(4)], leaves(4), leaves(3)
    products = [[weight * number for weight, number in zip(row, x, strict=True)] for row in w]
    outputs = [tanh(z) for z in PRODUCTS_FIRST[name](products, b)]
    found = groups_of(outputs, x)
    assert shapes(found) == [(4, 3), (4, "tanh")]
    assert parts_of_products(found) == [(0, 4)]


@pytest.mark.parametrize("how", ["a bias", "an input", "a product"])
def test_products_first_with_something_that_is_used_elsewhere(how):
    """The second neuron has another input then, or a part that is not its own; the others stay together."""
    w, b, x = [leaves(3) for _ in range(3)], leaves(3), leaves(3)
    products = [[weight * number for weight, number in zip(row, x, strict=True)] for row in w]
    if how == "a bias":
        b[1] = tanh(x[0])
    if how == "an input":
        products[1][2] = tanh(products[1][1]) * w[1][2]
    others = [products[1][1] * 2.0 if how == "a product" else b[1] * 2.0 if how == "a bias" else Value(1.0)]
    outputs = [tanh(sum(terms, bias)) for terms, bias in zip(products, b, strict=True)]
    assert (2, 3) in shapes(groups_of([*outputs, *others], x))


def parts_of_products(found):
    return [(first, end) for g, first, end in found.parts if isinstance(found.groups[g], Product)]


@pytest.mark.parametrize("written", ["neuron by neuron", "biases first"])
def test_neurons_whose_biases_use_one_variable_are_swept_back_together(written):
    """Their biases' uses of it have an order, and so have their uses of the inputs, but neither needs the other's."""
    x, gate, h = leaves(3), Value(0.5), []
    for _ in range(2):
        weights, scales = [leaves(3) for _ in range(5)], leaves(5)
        biases = [scale * gate for scale in scales] if written == "biases first" else None
        h.append([tanh(dot(w, x, biases[j] if biases else scales[j] * gate)) for j, w in enumerate(weights)])
    found = groups_of([a * b for a, b in zip(*h, strict=True)], [*x, gate])
    assert parts_of_products(found) == [(0, 10)]


def test_neurons_that_are_used_one_after_the_other_are_swept_back_together():
    x, total = leaves(3), Value(0.0)
    for _ in range(5):
        total = tanh(total + dot(leaves(3), x))
    assert parts_of_products(groups_of([total], x)) == [(0, 5)]


# ---- any list


def inner_results(wengert, result, last):
    """The results of the instructions that a chain is made of, down to where it begins."""
    operands = {k: read for k, _, read in wengert.instructions()}
    found, waiting = [], [result]
    while waiting:
        k = waiting.pop()
        if k in operands and k not in last:
            found.append(k)
            waiting += [v for x in operands[k] for v in (x if isinstance(x, list) else [x])]
    return found


def test_dots_of_a_group_are_walked_back_together_unless_another_use_stands_between():
    """A query's dots with all keys, and those of the others, too; but not if a key is used otherwise in the midst."""
    x = leaves(12)
    queries, keys = [x[:2], x[2:4], x[4:6]], [x[6:8], x[8:10], x[10:]]
    table = [dot(query, key) for query in queries for key in keys]
    assert groups_of(table, x).parts == [(0, 0, 9)]
    between = [dot(queries[0], key) for key in keys] + [tanh(keys[0][0])]
    between += [dot(query, key) for query in queries[1:] for key in keys]
    found = groups_of(between, x)
    assert [part[1:] for part in found.parts if found.groups[part[0]].row == ROW["dot"]] == [(0, 3), (3, 9)]


@pytest.mark.parametrize("seeds", [range(first, first + 50) for first in range(0, 300, 50)], ids=str)
def test_the_groups_of_any_list(random_graph, seeds):
    for seed in seeds:
        check_groups(write_down(*random_graph(seed))[0])


@pytest.mark.parametrize("seeds", [range(first, first + 50) for first in range(0, 100, 50)], ids=str)
def test_the_groups_of_any_attention(random_attention, seeds):
    for seed in seeds:
        check_groups(write_down(*random_attention(seed))[0])


@pytest.mark.parametrize("seeds", [range(first, first + 50) for first in range(0, 300, 50)], ids=str)
def test_the_groups_of_any_columns(random_columns, seeds):
    for seed in seeds:
        check_groups(write_down(*random_columns(seed))[0])


@pytest.mark.parametrize("seeds", [range(first, first + 50) for first in range(0, 100, 50)], ids=str)
def test_the_groups_of_any_gates(random_gates, seeds):
    for seed in seeds:
        check_groups(write_down(*random_gates(seed))[0])


def test_neurons_of_which_one_weight_is_gated_are_one_part():
    """Each gated weight uses the gate after the one before; the dots can wait for all of them."""
    x, gate = leaves(9), Value(0.5)
    dots = [dot([w[0] * gate, *w[1:]], x, b) for w, b in zip([leaves(9) for _ in range(5)], leaves(5), strict=True)]
    groups = groups_of([dot(leaves(5), [*map(tanh, dots)])], [*x, gate])
    assert [part[1:] for part in groups.parts if groups.groups[part[0]].row == ROW["dot"]] == [(0, 5)]


def check_groups(wengert):
    found = find_groups(wengert)
    assert found == grouped(wengert)
    instructions = {result: (operation, operands) for result, operation, operands in wengert.instructions()}
    varies = [bool(mark & ON_INPUTS) for mark in wengert.dependences]
    covered, known = [], {v for v in range(len(varies)) if not varies[v]} | set(range(-len(found.constants), 0))
    known |= set(range(wengert.inputs))
    for group in found.groups:
        places = [found.order.index(result) for result in group.results]
        assert places == sorted(places)
        for j, result in enumerate(group.results):
            operation, operands = instructions[result]
            if isinstance(group, Product):
                assert len(group.weights[j]) == len(group.inputs) == group.length
                assert not any(varies[v] for v in group.weights[j] if v >= 0)
                last = {*group.weights[j], *group.inputs, group.biases[j]}
                assert last <= known
                if operation.name == "dot":
                    assert operands in (
                        [group.weights[j], group.inputs, group.biases[j]],
                        [group.inputs, group.weights[j], group.biases[j]],
                    )
                    covered.append(result)
                else:
                    covered += inner_results(wengert, result, last)
            else:
                assert ROWS[group.row] == operation
                flat = [v for operand in operands for v in (operand if isinstance(operand, list) else [operand])]
                assert set(flat) <= known
                covered.append(result)
        known |= set(group.results)
    assert sorted(covered) == [result for result in instructions if varies[result]]
    assert sorted((g, j) for g, first, end in found.parts for j in range(first, end)) == [
        (g, j) for g, group in enumerate(found.groups) for j in range(len(group.results))
    ]
    check_order_of_uses(wengert, found, varies)


def check_order_of_uses(wengert, found, varies):
    """Walking through the parts backward, every variable's uses come from the last to the first, and before its own."""
    walked = []
    for g, first, end in reversed(found.parts):
        walked += [found.groups[g].results[j] for j in range(first, end)][::-1]
    place = {result: k for k, result in enumerate(walked)}
    unit_of = {result: result for result in walked}  # of each instruction, also those inside of chains
    for group in found.groups:
        if isinstance(group, Product):
            for result, weights, bias in zip(group.results, group.weights, group.biases, strict=True):
                last = {*weights, *group.inputs, bias}
                unit_of |= dict.fromkeys(inner_results(wengert, result, last), result)
    users = {}
    for result, _, operands in wengert.instructions():
        for v in [v for x in operands for v in (x if isinstance(x, list) else [x])] if varies[result] else []:
            if v >= 0 and varies[v] and unit_of.get(v) != unit_of[result]:
                users.setdefault(v, []).append(place[unit_of[result]])
                assert v not in place or place[v] > place[unit_of[result]]
    for places in users.values():
        assert places == sorted(places, reverse=True)
