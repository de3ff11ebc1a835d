"""What a tape says of its layers, and the listing with a line for each."""

from __future__ import annotations

import pytest

from autograd import Tape, Value, dot, logsumexp, relu, tanh

pytestmark = pytest.mark.both_engines


def leaves(count):
    return [Value(0.1) for _ in range(count)]


def layer(neurons, x, activation=relu):
    return [activation(dot(leaves(len(x)), x, Value(0.1))) for _ in range(neurons)]


def test_a_network():
    x = leaves(3)
    loss = logsumexp(layer(2, layer(4, x), lambda z: z * 1.0))
    words = "4 neurons of 3 inputs, relu; 2 neurons of 4 inputs, multiply; 1 logsumexp"
    assert Tape(loss, x).layers() == words


def test_a_network_that_is_written_with_products_and_sums():
    x, w = leaves(2), [leaves(3) for _ in range(5)]
    assert Tape([tanh(a + b * x[0] + c * x[1]) for a, b, c in w], x).layers() == "5 neurons of 2 inputs, tanh"


def test_an_odd_neuron():
    x = leaves(3)
    neurons = layer(1200, x)
    neurons[7] = layer(1, x, tanh)[0] + x[0]
    assert Tape(neurons, x).layers() == "1,200 neurons of 3 inputs, relu of 1,199, tanh of 1; 1 add"


def test_shared_weights():
    x, kernel = leaves(5), leaves(2)
    tape = Tape([dot(kernel, x[i : i + 2]) for i in range(4)], x)
    assert tape.layers() == "1 neuron of 2 inputs, 4 times with the same weights"


def test_shared_weights_with_another_activation():
    x, w = leaves(3), [leaves(3) for _ in range(3)]
    hidden = [tanh(dot(row, x)) for row in w]
    words = "3 neurons of 3 inputs, tanh; 3 neurons of 3 inputs, relu"
    assert Tape([relu(dot(row, hidden)) for row in w], x).layers() == words


def test_biases_that_are_added_and_factors():
    x, w, b = leaves(3), [leaves(3) for _ in range(3)], leaves(3)
    for net_inputs in (
        [dot(row, x) + bias for row, bias in zip(w, b, strict=True)],
        [bias + dot(row, x) for row, bias in zip(w, b, strict=True)],
    ):
        assert Tape([*map(tanh, net_inputs)], x).layers() == "3 neurons of 3 inputs, tanh"
    for outputs in ([dot(row, x) * 2.0 for row in w], [2.0 * dot(row, x) for row in w]):
        assert Tape(outputs, x).layers() == "3 neurons of 3 inputs, multiply"


def test_a_graph_without_layers():
    w, x = leaves(2)
    assert Tape([w * x, x + 1.0, x + 2.0], [x]).layers() == "1 multiply; 2 add"
    assert Tape(w * x).layers() == "nothing is computed from an input"


def test_a_folded_listing():
    x, w = leaves(3), leaves(1)
    squares = w[0] * w[0]
    tape = Tape(logsumexp([z * squares for z in layer(4, x)]), x)
    assert tape.listing(folded=True).splitlines() == [
        "v0 … v2              3 inputs",
        "v3 … v19             17 parameters",
        "v20                = multiply(v3, v3)",
        "v21, v23, v25, v27 = dot([v4 … v6], [v0 … v2], v7), and 3 more",
        "v22, v24, v26, v28 = relu(v21), and 3 more",
        "v29 … v32          = multiply(v22, v20), and 3 more",
        "v33                = logsumexp([v29 … v32])",
        "output v33",
    ]


def test_a_folded_listing_of_hardly_anything():
    x = Value(0.1)
    assert Tape(x, [x]).listing(folded=True).splitlines() == ["v0   1 input", "output v0"]
    assert Tape(x * 2.0, [x]).listing(folded=True).splitlines() == [
        "v0   1 input",
        "v1 = multiply(v0, 2)",
        "output v1",
    ]


@pytest.mark.parametrize("start", [lambda: 0, lambda: Value(0.0)], ids=["a constant", "a Value"])
def test_neurons_that_begin_with_a_shared_constant(start):
    """As the builtin sum has it. A constant has no adjoint, so it matters to nobody who uses it in between."""
    x = h = leaves(2)
    for width in (2, 2, 1):
        h = [tanh(sum((w * v for w, v in zip(leaves(2), h, strict=False)), start()) + Value(0.1)) for _ in range(width)]
    layer = "2 neurons of 2 inputs, tanh"
    assert Tape(h[0], x).layers() == f"{layer}; {layer}; 1 neuron of 2 inputs, tanh"


def test_a_long_recurrence_is_told_in_short():
    x, total = leaves(10), Value(0.0)
    for i in range(500):
        total = total + Value(0.1) * x[i % 10]
    assert Tape(total, x).layers() == "; ".join(["1 neuron of 10 inputs"] * 50)
    for i in range(500):
        total = tanh(total * x[i % 10])
    words = Tape(total, x).layers()
    assert words.endswith("1 neuron of 10 inputs; and 1,000 more groups")


def test_constants_make_no_range():
    x = leaves(3)
    tape = Tape([dot([9.0, 5.0, 7.0], [tanh(v) for v in x]), dot([7.0, 5.0, 9.0], x)], x)
    assert "dot([7, 5, 9], [v0 … v2], 0)" in tape.listing(folded=True)


def test_gaps_are_seen():
    x = leaves(12)
    tape = Tape([dot(x[::2], leaves(6)), dot([*x[:4], x[9]], leaves(5)), dot([x[0], *x[5:9]], leaves(5))], x)
    listing = tape.listing(folded=True)
    for shown in ("[v0, v2, …, v10]", "[v0 … v3, v9]", "[v0, v5 … v8]"):
        assert shown in listing
