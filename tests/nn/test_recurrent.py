"""Networks on structures compute what their formulas say, and their weights get the gradients of all places."""

from __future__ import annotations

import math

import pytest

from autograd import Tape, Value, check_gradients, sum
from nn import Neuron, Recurrent, TreeEncoder
from nn.initial import uniform

pytestmark = pytest.mark.both_engines

SEQUENCE = [[0.5, -1.0], [0.25, 2.0], [-0.75, 0.0]]
ARITIES = {"f": 2, "g": 1, "a": 0, "b": 0}
TREE = ("f", ("g", "a"), ("f", "a", "b"))


def made(width: int = 3) -> Recurrent:
    layer = Recurrent(2, width)
    uniform(layer.parameters(), -1.0, 1.0, seed=1)
    return layer


def computed_with(neurons: list[Neuron], parameters: tuple[Value, ...]) -> None:
    """The neurons take the Values as weights and bias, in the order of parameters()."""
    given = iter(parameters)
    for neuron in neurons:
        neuron.weights, neuron.bias = [next(given) for _ in neuron.weights], next(given)


# ---- along a sequence


@pytest.mark.parametrize("width", [1, 3])
def test_a_recurrent_layer_is_its_formula(width: int) -> None:
    layer = made(width)
    h = [0.0] * width
    states = layer(SEQUENCE)
    for x, state in zip(SEQUENCE, states, strict=True):
        rows = [([w.data for w in neuron.weights], neuron.bias.data) for neuron in layer.layer.neurons]
        h = [math.tanh(bias + math.fsum(w * z for w, z in zip(row, [*x, *h], strict=True))) for row, bias in rows]
        assert [value.data for value in state] == pytest.approx(h, rel=1e-14)


def test_the_gradient_goes_back_through_time() -> None:
    layer = made()

    def end(*parameters: Value) -> Value:
        computed_with(layer.layer.neurons, parameters)
        return sum(layer(SEQUENCE)[-1])

    check_gradients(end, [parameter.data for parameter in layer.parameters()])
    layer = made()
    first = [Value(0.5), Value(-1.0)]
    layer([first, *SEQUENCE[1:]])[-1][0].backward()
    assert all(x.grad for x in first)


def test_a_state_of_numbers_cuts_it_off() -> None:
    layer = made()
    first = [Value(0.5), Value(-1.0)]
    state = layer.step(first)
    layer.step(SEQUENCE[1], [h.data for h in state])[0].backward()
    assert [x.grad for x in first] == [0.0, 0.0]


def test_a_sequence_goes_on_from_a_state() -> None:
    layer = made()
    whole = layer(SEQUENCE)
    assert [h.data for h in layer(SEQUENCE[2:], whole[1])[0]] == [h.data for h in whole[2]]
    assert layer([]) == []


def test_a_tape_records_the_steps() -> None:
    layer = made()
    tape = Tape.record(lambda sequence: sum(layer(sequence)[-1]), [SEQUENCE])
    flat = [number for x in SEQUENCE for number in x]
    assert tape.forward([flat])[0] == pytest.approx(sum(layer(SEQUENCE)[-1]).data, rel=1e-14)


def test_what_does_not_fit_is_an_error() -> None:
    layer = made()
    with pytest.raises(ValueError, match="Recurrent got 3 inputs, expected 2, those of a step"):
        layer([[1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match="state got 2 inputs, expected 3, one for each unit"):
        layer.step([1.0, 2.0], [0.0, 0.0])
    for unordered in (1.0, {(1.0, 2.0)}, {(1.0, 2.0): 3.0}):
        with pytest.raises(TypeError, match="Recurrent: expected a sequence of steps"):
            layer(unordered)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Recurrent: nout"):
        Recurrent(2, 0)
    assert repr(layer) == "Recurrent(2, 3)"


# ---- up a tree


@pytest.mark.parametrize("width", [1, 2])
def test_a_tree_encoder_is_its_formula(width: int) -> None:
    encoder = TreeEncoder(ARITIES, width)
    uniform(encoder.parameters(), -1.0, 1.0, seed=1)

    def encoded(tree: object) -> list[float]:
        if isinstance(tree, str):
            return [leaf.data for leaf in encoder.leaves[tree]]
        symbol, *children = tree  # type: ignore[misc]
        inputs = [number for child in children for number in encoded(child)]
        neurons = encoder.layers[symbol].neurons
        return [
            math.tanh(n.bias.data + math.fsum(w.data * x for w, x in zip(n.weights, inputs, strict=True)))
            for n in neurons
        ]

    assert [value.data for value in encoder(TREE)] == pytest.approx(encoded(TREE), rel=1e-14)
    assert [value.data for value in encoder("b")] == encoded("b")


def test_a_tree_may_be_as_deep_as_a_graph() -> None:
    encoder = TreeEncoder({"s": 1, "0": 0}, 1)
    tree: str | tuple[object, ...] = "0"
    expected = encoder("0")
    for _ in range(10_000):
        tree = ("s", tree)
        expected = [encoder.layers["s"](expected)]
    [encoded] = encoder(tree)
    assert encoded.data == expected[0].data
    encoded.backward()
    derivatives = [parameter.grad for parameter in encoder.parameters()]
    encoder.zero_grad()
    expected[0].backward()
    assert derivatives == [parameter.grad for parameter in encoder.parameters()]


def test_the_gradient_goes_down_the_tree() -> None:
    encoder = TreeEncoder(ARITIES, 2)
    uniform(encoder.parameters(), -1.0, 1.0, seed=1)
    neurons = [neuron for layer in encoder.layers.values() for neuron in layer.neurons]

    def root(*parameters: Value) -> Value:
        computed_with(neurons, parameters)
        return sum(encoder(TREE))

    names = {name for name, _ in encoder.named_parameters()}
    check_gradients(root, [parameter.data for layer in encoder.layers.values() for parameter in layer.parameters()])
    leaf = encoder.leaves["a"][0]
    sum(encoder(TREE)).backward()
    slope, at = leaf.grad, leaf.data
    ends = []
    for leaf.data in (at + 1e-6, at - 1e-6):
        ends.append(sum(encoder(TREE)).data)
    assert slope == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6)
    assert {name.split(".")[1] for name in names} == set(ARITIES)


@pytest.mark.parametrize(
    "tree", ["c", ("a", "b"), ("f", "a"), "f", (), ("h", "a"), 1.0, None, {"a": 0}, (["a"],), ((["g"], "a"),)]
)
def test_what_is_no_tree_of_the_symbols(tree: object) -> None:
    with pytest.raises(ValueError, match="TreeEncoder: expected a symbol"):
        TreeEncoder(ARITIES, 2)(tree)  # type: ignore[arg-type]


@pytest.mark.parametrize("tree", [["g", "a"], ("g", ["g", "a"])])
def test_a_tree_is_no_list(tree: object) -> None:
    encoder = TreeEncoder(ARITIES, 2)
    with pytest.raises(ValueError, match=r"TreeEncoder: expected .*, got \['g', 'a'\]; write tuples"):
        encoder(tree)  # type: ignore[arg-type]


def test_arities_that_are_none() -> None:
    with pytest.raises(TypeError, match="arities"):
        TreeEncoder([], 2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'f'"):
        TreeEncoder({"f": -1}, 2)
    with pytest.raises(ValueError, match="width"):
        TreeEncoder({"f": 1}, 0)
