from __future__ import annotations

import random

import pytest

import autograd
from autograd import Value, dot, exp, logsumexp, relu, softmax, tanh

KINDS = [
    "layer",
    "layer",
    "chains",
    "sums",
    "one sum",
    "bias last",
    "biases later",
    "biases later",
    "gated",
    "products first",
]


def random_graph(seed):
    """Outputs and inputs of a graph in which layers, chains, odd neurons and recurrences are likely."""
    source = random.Random(seed)
    inputs, parameters = ([Value(source.uniform(-1.0, 1.0)) for _ in range(source.randint(1, most))] for most in (4, 6))
    values = [*inputs]

    def weight():
        return source.choice([*parameters, 0.5, parameters[0] * parameters[-1]])

    def neuron(x, kind, gate):
        weights, bias = [weight() for _ in x], source.choice([0.0, weight(), source.choice(values)])
        if kind == "gated":
            return dot(weights, x, weight() * gate)
        if kind == "layer":
            return dot(weights, x, bias) if source.random() < 0.8 else dot(x, weights, bias)
        if kind == "sums":
            return sum((w * z for w, z in zip(weights, x, strict=True)), bias)
        if kind == "one sum":
            terms = [w * z for w, z in zip(weights, x, strict=True)]
            terms.insert(source.randint(0, len(terms)), bias)
            return autograd.sum(terms) * 1.0 if source.random() < 0.1 else autograd.sum(terms)
        if kind == "biases later":
            return sum((w * z for w, z in zip(weights, x, strict=True)), 0.0)
        if kind == "bias last":
            first, *others = [w * z for w, z in zip(weights, x, strict=True)]
            return sum(others, first) + bias if source.random() < 0.7 else bias + sum(others, first)
        for w, z in zip(weights, x, strict=True):
            bias = bias + (w * z if source.random() < 0.5 else z * w)
        return bias

    for _ in range(source.randint(1, 6)):
        x = source.sample(values, min(len(values), source.randint(1, 4)))
        if source.random() < 0.2:
            x.append(source.choice([1.0, parameters[0]]))
        kind, made = source.choice([*KINDS, "other"]), []
        biases, own_inputs, gate = [weight() for _ in range(4)], source.random() < 0.3, source.choice(values)
        for _ in range(source.randint(1, 4)):
            if own_inputs:
                x = source.sample(values, min(len(values), source.randint(1, 4)))
            if kind == "products first":
                made.append([weight() * z if source.random() < 0.5 else z * weight() for z in x])
            elif kind == "other":
                activation = source.choice([tanh, relu, lambda z: z * z, lambda z, y=x[0]: z + y])
                made.append(activation(source.choice(values)))
            else:
                made.append(neuron(x, kind, gate))
            if source.random() < 0.2 and kind != "products first":
                made[-1] = made[-1] * source.choice(values) + source.choice(values)
        if kind == "biases later":
            for j in source.sample(range(len(made)), len(made)):  # in another order than the sums
                made[j] = made[j] + biases[j]
        if kind == "products first":
            at_once = source.choice([sum, sum, lambda terms, start: autograd.sum([*terms, start])])
            for j in source.sample(range(len(made)), len(made)):
                start = source.choice([0.0, biases[j], source.choice(values)])
                made[j] = at_once(made[j], start) + source.choice([0.0, biases[j - 1]])
        made = [value for value in made if isinstance(value, Value)]
        values = [tanh(value) for value in made] if made and source.random() < 0.5 else [*values, *made]
    return ([sum(values, 0.0)] if source.random() < 0.5 else values), inputs


def random_attention(seed):
    """Outputs and inputs of attention: any number of places, heads and numbers of a head, with a mask or without.

    A place may have its query for a key or its keys for values, several heads one key, and any of them numbers that are
    parameters, constants or inputs. Of the scores come weights in one of four ways.
    """
    source = random.Random(seed)
    places, heads, size, values_size = (source.randint(1, most) for most in (6, 3, 4, 10))
    inputs = [Value(source.uniform(-1.0, 1.0)) for _ in range(source.randint(1, 4))]
    parameters = [Value(source.uniform(-1.0, 1.0)) for _ in range(6)]
    mask = source.choice(["none", "causal", "window"])

    def number():
        kind = source.random()
        if kind < 0.08:
            return source.choice([*parameters, 0.5, -1.5, inputs[0]])
        return dot([source.choice(parameters) for _ in inputs], inputs, source.choice([0.0, *parameters]))

    def vectors(length):
        return [[number() for _ in range(length)] for _ in range(places)]

    def weights_of(scores, way):
        if way == "softmax":
            return softmax(scores)
        if way == "each for itself":  # in any order, and not all of them
            return [softmax([z, *source.sample(scores, source.randint(0, len(scores)))])[0] for z in scores]
        if way == "logsumexp":
            total = logsumexp(scores)
            return [exp(z - total) for z in scores]
        return [tanh(z) for z in scores]

    outputs, shared = [], vectors(size)
    way = source.choice(["softmax", "softmax", "logsumexp", "each for itself", "tanh"])
    for _ in range(heads):
        queries, keys, values = vectors(size), vectors(size), vectors(values_size)
        kind = source.random()
        if kind < 0.15:
            keys = queries
        elif kind < 0.3:
            keys = shared
        elif kind < 0.45:
            values = keys
        root = source.choice([1.0, 2.0, source.choice(parameters)])
        for t, query in enumerate(queries):
            first, end = {"none": (0, places), "causal": (0, t + 1), "window": (max(0, t - 1), t + 1)}[mask]
            seen = keys[first:end]
            biases = [*query, *seen[0], *shared[0]]
            scores = [dot(query, k) if source.random() < 0.9 else dot(k, query, source.choice(biases)) for k in seen]
            weights = weights_of([z / root + Value(0.0) for z in scores], way)
            for column in zip(*values[first:end], strict=True):
                outputs.append(dot(weights, column) if source.random() < 0.9 else dot(column, weights, weights[0]))
    outputs = [y for y in outputs if isinstance(y, Value)]
    return ([sum(outputs, 0.0)] if source.random() < 0.5 else outputs), inputs


def random_gates(seed):
    """Outputs and inputs of layers in which a few weights of a neuron depend on inputs, often at the same places.

    Such a weight, and a bias, may be a neuron's own, a layer's, or a number that the layer sees elsewhere.
    """
    source = random.Random(seed)
    inputs = [Value(source.uniform(-1.0, 1.0)) for _ in range(source.randint(1, 4))]
    seen = [tanh(source.gauss(0.0, 1.0) * source.choice(inputs) + Value(0.1)) for _ in range(source.randint(8, 20))]
    gates = [*inputs, *(tanh(Value(0.7) * x) for x in inputs)]
    for _ in range(source.randint(1, 3)):
        places = source.sample(range(len(seen)), source.randint(1, max(1, len(seen) // 8)))
        of_layer, likely = Value(source.gauss(0.0, 0.4)) * source.choice(gates), source.choice([0.9, 0.0])

        def varying(of_layer=of_layer, seen=seen):
            roll = source.random()
            own = Value(source.gauss(0.0, 0.4)) * source.choice(gates)
            return own if roll < 0.8 else of_layer if roll < 0.9 else source.choice([*gates, *seen])

        outputs = []
        for _ in range(source.randint(1, 12)):
            weights, sources = [Value(source.gauss(0.0, 0.4)) for _ in seen], [*seen]
            for k in places if source.random() < likely else source.sample(range(len(seen)), len(places)):
                weights[k] = varying()
                sources[k] = sources[k] if source.random() < 0.9 else source.choice([*gates, *seen])
            if source.random() < 0.2:  # one that no input changes, where inputs stand
                twice = Value(source.gauss(0.0, 0.4))
                for k in source.sample(range(len(seen)), 2):
                    sources[k] = twice
            if source.random() < 0.2:
                weights, sources = sources, weights
            outputs.append(dot(weights, sources, source.choice([0.0, Value(0.2), varying()])))
        seen = [*map(tanh, outputs), *seen[: source.randint(8, 12)]]
    return ([sum(seen, 0.0)] if source.random() < 0.5 else seen), inputs


def random_columns(seed):
    """Outputs and inputs of layers whose sums grow side by side: column by column, or as it comes.

    In between others use what is added, a part of a sum, or a weight; some of that is added in turn.
    """
    source = random.Random(seed)
    inputs, parameters = ([Value(source.uniform(-1.0, 1.0)) for _ in range(source.randint(1, most))] for most in (5, 9))
    values = [*inputs]
    for _ in range(source.randint(1, 3)):
        x = source.sample(values, min(len(values), source.randint(1, 6)))

        def weight():
            return Value(source.gauss(0.0, 0.5)) if source.random() < 0.8 else source.choice(parameters)

        neurons = source.randint(1, 6)
        sums = [source.choice([0.0, weight(), weight(), source.choice(values)]) for _ in range(neurons)]
        terms = [(i, k) for k in range(len(x)) for i in range(neurons)]
        how = source.choice(["column by column", "products first", "row by row", "shuffled", "column by column"])
        if how == "row by row":
            terms.sort()
        if how == "shuffled":
            source.shuffle(terms)
        if how == "products first":
            products = {(i, k): weight() * x[k] for i, k in terms}
            terms = source.sample(terms, len(terms)) if source.random() < 0.5 else terms
            for i, k in terms:
                sums[i] = sums[i] + products[i, k]
        else:
            disturbed, odd = source.random() < 0.5, source.choice(values)
            for i, k in terms:
                factors = [weight(), odd if disturbed and source.random() < 0.1 else x[k]]
                if source.random() < 0.1:
                    factors.reverse()
                both = [sums[i], factors[0] * factors[1]]
                sums[i] = both[0] + both[1] if source.random() < 0.9 else both[1] + both[0]
                if disturbed and source.random() < 0.2:
                    odd = tanh(source.choice([x[k], factors[0], sums[source.randrange(neurons)]]) * weight())
                    if isinstance(odd, Value):
                        values.append(odd)
        if source.random() < 0.3:
            for i in source.sample(range(neurons), neurons):
                sums[i] = sums[i] + weight()
        values = [*values, *(tanh(y) for y in sums)]
    outputs = [y for y in values[len(inputs) :] if isinstance(y, Value)]
    return ([sum(outputs, 0.0)] if source.random() < 0.5 else outputs), inputs


@pytest.fixture(name="random_graph", scope="session")
def fixture_of_random_graph():
    return random_graph


@pytest.fixture(name="random_attention", scope="session")
def fixture_of_random_attention():
    return random_attention


@pytest.fixture(name="random_columns", scope="session")
def fixture_of_random_columns():
    return random_columns


@pytest.fixture(name="random_gates", scope="session")
def fixture_of_random_gates():
    return random_gates
