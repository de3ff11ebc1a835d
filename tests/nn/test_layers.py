"""Neurons, layers and networks compute what their formulas say, in micrograd's conventions."""

from __future__ import annotations

import math
import pickle
import random
import re
from functools import partial
from itertools import pairwise

import mpmath
import numpy
import pytest

import autograd
from autograd import Tape, Value, check_gradients, no_grad, sigmoid, softmax, tanh
from autograd.graph import counts
from nn import (
    MLP,
    SGD,
    Dropout,
    Embedding,
    Layer,
    LayerNorm,
    Module,
    Neuron,
    Sequential,
    cross_entropy,
    fit,
    half_squared_error,
    squared_error,
)

pytestmark = pytest.mark.both_engines

FUSED = pytest.mark.parametrize("fused", [True, False])


def with_numbers(neuron: Neuron, weights: list[float], bias: float) -> Neuron:
    for parameter, number in zip(neuron.parameters(), [*weights, bias], strict=True):
        parameter.data = number
    return neuron


# ---- a neuron


@FUSED
@pytest.mark.parametrize(("bias", "output", "slope"), [(0.25, 1.0, 1.0), (-4.0, 0.0, 0.0)])
def test_a_neuron_and_its_gradients(fused: bool, bias: float, output: float, slope: float) -> None:
    neuron = with_numbers(Neuron(2, fused=fused), [0.5, -0.25], bias)
    x = [Value(3.0), Value(3.0)]
    y = neuron(x)
    y.backward()
    assert y.data == output
    assert [parameter.grad for parameter in neuron.parameters()] == [3.0 * slope, 3.0 * slope, slope]
    assert [input.grad for input in x] == [0.5 * slope, -0.25 * slope]


@FUSED
def test_a_linear_neuron_has_no_activation(fused: bool) -> None:
    neuron = with_numbers(Neuron(2, nonlin=False, activation=autograd.tanh, fused=fused), [0.5, -0.25], -4.0)
    assert neuron([3.0, 3.0]).data == -3.25


@FUSED
@pytest.mark.parametrize("activation", [autograd.tanh, autograd.sigmoid, autograd.gelu, lambda x: x * x])
def test_an_activation_is_any_function_of_a_value(fused: bool, activation: object) -> None:
    neuron = with_numbers(Neuron(2, activation=activation, fused=fused), [0.5, -0.25], 2.0)  # type: ignore[arg-type]
    net_input = Value(2.75)
    expected = activation(net_input)  # type: ignore[operator]
    expected.backward()
    y = neuron([3.0, 3.0])
    y.backward()
    assert y.data == expected.data
    assert neuron.bias.grad == net_input.grad


def test_a_fused_neuron_is_a_dot_and_an_activation() -> None:
    y = Neuron(3)([1.0, 2.0, 3.0])
    assert (y.op, y.parents[0].op) == ("relu", "dot")
    assert counts(y) == {"nodes": 6, "edges": 5, "leaves": 4, "depth": 2}


def test_a_neuron_that_is_not_fused_spells_out_every_product_and_sum_from_the_bias_on() -> None:
    neuron = Neuron(2, nonlin=False, fused=False)
    y = neuron([3.0, 5.0])
    first_sum, second_product = y.parents
    bias, first_product = first_sum.parents
    assert [y.op, second_product.op, first_sum.op, first_product.op] == ["+", "*", "+", "*"]
    assert bias is neuron.bias
    assert [first_product.parents, second_product.parents] == [(neuron.weights[0],), (neuron.weights[1],)]


def test_fused_or_not_the_numbers_are_the_same_to_the_last_bit() -> None:
    random.seed(5)
    fused = MLP(7, [6, 5, 1])
    spelled_out = MLP(7, [6, 5, 1], fused=False)
    spelled_out.load_state_dict(fused.state_dict())
    x = [random.gauss(0, 1) for _ in range(7)]
    for model in (fused, spelled_out):
        model(x).backward()
    assert fused(x).data == spelled_out(x).data
    assert [p.grad for p in fused.parameters()] == pytest.approx([p.grad for p in spelled_out.parameters()], rel=1e-14)


# ---- micrograd's conventions


@pytest.mark.parametrize("wrong", ["no", "tanh", autograd.tanh, None, 0])
def test_whether_a_neuron_has_an_activation_is_true_or_false_and_not_the_activation(wrong: object) -> None:
    """As the second argument, a function would be true, and the activation ReLU."""
    for make in (lambda: Neuron(2, wrong), lambda: Layer(2, 3, nonlin=wrong)):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="nonlin: expected True or False, got"):
            make()
    with pytest.raises(TypeError, match="fused: expected True or False, got"):
        Neuron(2, fused=wrong)  # type: ignore[arg-type]


def test_the_draws_are_micrograds() -> None:
    random.seed(1337)
    model = MLP(2, [3, 1])
    random.seed(1337)
    expected = []
    for inputs, neurons in [(2, 3), (3, 1)]:
        for _ in range(neurons):
            expected += [random.uniform(-1, 1) for _ in range(inputs)] + [0.0]
    assert [parameter.data for parameter in model.parameters()] == expected


def test_parameters_are_the_weights_and_then_the_bias() -> None:
    neuron = Neuron(3)
    assert neuron.parameters() == [*neuron.w, neuron.b]
    layer = Layer(3, 2)
    assert layer.parameters() == [*layer.neurons[0].parameters(), *layer.neurons[1].parameters()]
    model = MLP(2, [16, 16, 1])
    assert len(model.parameters()) == 337
    assert [name for name, _ in model.named_parameters()][:4] == [
        "layers.0.neurons.0.weights.0",
        "layers.0.neurons.0.weights.1",
        "layers.0.neurons.0.bias",
        "layers.0.neurons.1.weights.0",
    ]


def test_w_and_b_are_the_weights_and_the_bias() -> None:
    neuron = Neuron(2)
    assert neuron.w is neuron.weights
    assert neuron.b is neuron.bias
    neuron.w, neuron.b = [Value(2.0), Value(3.0)], Value(4.0)
    assert neuron([10.0, 100.0]).data == 324.0
    assert [name for name, _ in neuron.named_parameters()] == ["weights.0", "weights.1", "bias"]


def test_the_repr_is_micrograds() -> None:
    assert repr(Neuron(2)) == "ReLUNeuron(2)"
    assert repr(Neuron(2, nonlin=False)) == repr(Neuron(2, False, autograd.tanh)) == "LinearNeuron(2)"
    assert repr(Layer(1, 2)) == "Layer of [ReLUNeuron(1), ReLUNeuron(1)]"
    assert repr(MLP(3, [2, 1])) == "MLP of [Layer of [ReLUNeuron(3), ReLUNeuron(3)], Layer of [LinearNeuron(2)]]"


@pytest.mark.parametrize(
    ("activation", "name"),
    [
        (autograd.tanh, "TanhNeuron(2)"),
        (autograd.leaky_relu, "LeakyReLUNeuron(2)"),
        (partial(autograd.leaky_relu, slope=0.1), "PartialNeuron(2)"),
    ],
)
def test_the_repr_says_the_activation(activation: object, name: str) -> None:
    assert repr(Neuron(2, activation=activation)) == name  # type: ignore[arg-type]


def test_a_layer_of_width_one_returns_the_value_itself_and_others_a_list() -> None:
    assert isinstance(Layer(2, 1)([1.0, 2.0]), Value)
    assert isinstance(MLP(2, [3, 1])([1.0, 2.0]), Value)
    outputs = MLP(2, [3, 2])([1.0, 2.0])
    assert isinstance(outputs, list)
    assert [type(output) for output in outputs] == [Value, Value]


# ---- softmax units


def test_a_softmax_layer_has_probabilities() -> None:
    layer = Layer(2, 3, activation=softmax)
    net_inputs = [neuron([0.5, -2.0]) for neuron in layer.neurons]
    assert [p.data for p in layer([0.5, -2.0])] == [p.data for p in softmax(net_inputs)]
    assert repr(layer) == "Softmax layer of [LinearNeuron(2), LinearNeuron(2), LinearNeuron(2)]"
    linear = Layer(2, 3, activation=softmax, nonlin=False)
    assert linear.is_softmax is False
    assert repr(linear) == "Layer of [LinearNeuron(2), LinearNeuron(2), LinearNeuron(2)]"


@FUSED
def test_derivatives_of_a_softmax_layer(fused: bool) -> None:
    layer = Layer(2, 3, activation=softmax, fused=fused)

    def weighted(*numbers: Value) -> Value:
        given = iter(numbers)
        for neuron in layer.neurons:
            neuron.weights, neuron.bias = [next(given), next(given)], next(given)
        return autograd.dot([1.0, -2.0, 3.0], layer([0.5, -2.0]))

    check_gradients(weighted, [0.1 * i for i in range(9)])


def test_a_softmax_layer_is_drawn_named_and_copied_as_any_other() -> None:
    random.seed(2)
    layer = Layer(2, 3, activation=softmax)
    random.seed(2)
    assert layer.state_dict() == Layer(2, 3).state_dict()
    again = pickle.loads(pickle.dumps(layer))
    assert [p.data for p in again([1.0, 2.0])] == [p.data for p in layer([1.0, 2.0])]


def test_a_tape_records_softmax_units_and_a_network_has_them_in_the_middle() -> None:
    model = MLP(2, [3, 2], activation=softmax)
    tape = Tape.record(model, [[0.0, 0.0]])
    assert tape.forward([[0.5, -2.0]])[0].tolist() == pytest.approx([y.data for y in model([0.5, -2.0])], rel=1e-15)
    assert not model.layers[1].is_softmax


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Neuron(2, activation=softmax), r"softmax is of all .* write Layer\(2, nout, activation=softmax\)"),
        (lambda: Layer(2, 1, activation=softmax), r"always 1; .* write Layer\(2, 1, activation=sigmoid\)"),
        (lambda: MLP(2, [1, 3], activation=softmax), "softmax of a single neuron is always 1"),
    ],
)
def test_a_single_softmax_unit_is_none(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]


def test_only_the_last_layer_is_linear() -> None:
    model = MLP(2, (3, 4, 2), activation=autograd.tanh)
    assert [{neuron.nonlin for neuron in layer.neurons} for layer in model.layers] == [{True}, {True}, {False}]
    assert {neuron.activation for layer in model.layers for neuron in layer.neurons} == {autograd.tanh}
    assert [neuron.nonlin for neuron in MLP(2, [2]).layers[0].neurons] == [False, False]


def test_a_network_is_its_layers_one_after_the_other() -> None:
    random.seed(3)
    model = MLP(3, [4, 2, 2], activation=autograd.tanh)
    x = numpy.array([0.5, -1.0, 2.0])
    outputs = model(x)
    for layer, following in pairwise([*model.layers, None]):
        weights = numpy.array([[w.data for w in neuron.weights] for neuron in layer.neurons])
        biases = numpy.array([neuron.bias.data for neuron in layer.neurons])
        x = weights @ x + biases
        x = numpy.tanh(x) if following else x
    assert [output.data for output in outputs] == pytest.approx(x.tolist(), rel=1e-14)


# ---- what a call takes


@FUSED
def test_inputs_of_every_kind_give_the_same(fused: bool) -> None:
    model = MLP(2, [3, 1], fused=fused)
    expected = model([1.0, -2.0]).data
    kinds = [
        (1, -2),
        [Value(1.0), -2.0],
        numpy.array([[1.0, -2.0]])[0],
        numpy.array([1, -2]),
        numpy.array([1.0, -2.0], dtype=numpy.float32),
        numpy.array([Value(1.0), Value(-2.0)]),
        (x for x in [1.0, -2.0]),
        map(Value, [1.0, -2.0]),
    ]
    for x in kinds:
        assert model(x).data == expected


@FUSED
def test_without_recording_the_output_is_the_same_value_without_parents(fused: bool) -> None:
    model = MLP(2, [3, 1], fused=fused)
    with no_grad():
        y = model([1.0, -2.0])
    assert isinstance(y, Value)
    assert y.parents == ()
    assert y.data == model([1.0, -2.0]).data


# ---- what is refused


@FUSED
@pytest.mark.parametrize("inputs", [[], [1.0], [1.0, 2.0, 3.0], numpy.ones(5)])
@pytest.mark.parametrize(
    "make", [Neuron, lambda nin, fused: Layer(nin, 3, fused=fused), lambda nin, fused: MLP(nin, [3, 1], fused=fused)]
)
def test_a_call_with_too_few_or_too_many_inputs(make: object, inputs: list[float], fused: bool) -> None:
    module = make(2, fused=fused)  # type: ignore[operator]
    with pytest.raises(ValueError, match=f"a neuron got {len(inputs)} inputs?, expected 2, one for each weight"):
        module(inputs)


@pytest.mark.parametrize("model", [Neuron(2), Layer(2, 3), MLP(2, [3, 1])])
def test_a_call_with_a_batch_or_with_the_inputs_one_by_one(model: Neuron | Layer | MLP) -> None:
    advice = "; a batch goes through one example at a time, or through a Tape$"
    for batch in (numpy.ones((2, 2)), numpy.ones((3, 2)), [[1.0, 2.0], [3.0, 4.0]], [(1.0, 2.0)] * 5):
        with pytest.raises(TypeError, match=f"expected a real number, got .*{advice}"):
            model(batch)
    with pytest.raises(TypeError, match=r"expected the inputs as one sequence, \[x1, x2, ...\], got 2 arguments"):
        model(1.0, 2.0)


@FUSED
@pytest.mark.parametrize("x", [3.0, Value(3.0), None])
@pytest.mark.parametrize("model", [lambda fused: Neuron(2, fused=fused), lambda fused: MLP(2, [3, 1], fused=fused)])
def test_a_call_with_what_is_no_sequence(model: object, x: object, fused: bool) -> None:
    expected = f"expected a sequence of inputs, Values or numbers, got {type(x).__name__}"
    with pytest.raises(TypeError, match=expected):
        model(fused)(x)  # type: ignore[operator]


@FUSED
@pytest.mark.parametrize("x", ["ab", [1.0, None], [1.0, 2j], numpy.ones((2, 2)), [[1.0, 2.0], [3.0, 4.0]]])
def test_a_call_with_what_are_no_numbers(x: object, fused: bool) -> None:
    with pytest.raises(
        TypeError, match=r"expected a (real number|sequence of .*), got (str|NoneType|complex|ndarray|list)"
    ):
        MLP(2, [3, 1], fused=fused)(x)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Neuron(0), ValueError, "nin: expected a positive int, got 0"),
        (lambda: Neuron(-1), ValueError, "nin: expected a positive int, got -1"),
        (lambda: Neuron(2.0), TypeError, r"nin: expected a positive int, got 2\.0"),  # type: ignore[arg-type]
        (lambda: Neuron("2"), TypeError, "nin: expected a positive int, got '2'"),  # type: ignore[arg-type]
        (lambda: Neuron([2]), TypeError, r"nin: expected a positive int, got \[2\]"),  # type: ignore[arg-type]
        (lambda: Layer(0, 1), ValueError, "nin: expected a positive int, got 0"),
        (lambda: Layer(2, 0), ValueError, "nout: expected a positive int, got 0"),
        (lambda: Layer(2, None), TypeError, "nout: expected a positive int, got None"),  # type: ignore[arg-type]
        (lambda: MLP(0, [1]), ValueError, "nin: expected a positive int, got 0"),
        (lambda: MLP(2, [3, 0]), ValueError, "nout: expected a positive int, got 0"),
        (lambda: MLP(2, [3, 1.5]), TypeError, r"nout: expected a positive int, got 1\.5"),  # type: ignore[list-item]
        (lambda: MLP(2, 3), TypeError, r"nouts: expected the widths of the layers, such as \[16, 16, 1\], got 3"),  # type: ignore[arg-type]
        *[
            (lambda nouts=nouts: MLP(2, nouts), TypeError, "nouts: expected the widths of the layers, .* got ")
            for nouts in ({3, 1}, {4: 1}, b"ab", "31", numpy.array(3), None)
        ],
        (lambda: MLP(2, []), ValueError, "nouts: expected the width of at least one layer"),
    ],
)
def test_a_width_that_is_no_positive_int(make: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()  # type: ignore[operator]


def test_widths_may_be_numpys() -> None:
    model = MLP(numpy.int64(2), numpy.array([3, 1]))
    assert len(model.parameters()) == 13
    assert isinstance(model, Module)


def test_a_network_goes_through_pickle():
    """So that it can be sent to another process, activation function and all."""
    random.seed(0)
    model = MLP(2, [3, 1], activation=tanh)
    twin = pickle.loads(pickle.dumps(model))
    assert twin([0.5, -1.0]).data == model([0.5, -1.0]).data
    assert [p.data for p in twin.parameters()] == [p.data for p in model.parameters()]


def test_a_hidden_layer_of_width_one_feeds_the_next():
    random.seed(0)
    model = MLP(2, [1, 2, 1])
    first, second, last = model.layers
    assert model([0.5, -1.0]).data == last(second([first([0.5, -1.0])])).data


class Named(Neuron):
    """A subclass that changes nothing of what a neuron computes."""


class Doubled(Neuron):
    def __call__(self, x):
        return super().__call__(x) * 2.0


def test_neurons_of_subclasses_compute_what_they_say_by_themselves_and_in_layers() -> None:
    x = [0.5, -2.0]
    random.seed(3)
    plain = Neuron(2, nonlin=False)
    random.seed(3)
    named = Named(2, nonlin=False)
    random.seed(3)
    doubled = Doubled(2, nonlin=False)
    output = plain(x).data
    assert (named(x).data, doubled(x).data) == (output, 2.0 * output)
    layer = Layer(2, 3)
    layer.neurons = [plain, named, doubled]
    assert [y.data for y in layer(x)] == [output, output, 2.0 * output]


@pytest.mark.parametrize(
    "make", [Neuron, lambda n, **options: Layer(n, 2, **options), lambda n, **o: MLP(n, [2, 1], **o)]
)
@pytest.mark.parametrize("activation", ["tanh", None, 1.0])
def test_an_activation_is_a_function(make, activation):
    with pytest.raises(TypeError, match=r"^activation: expected a function, such as autograd\.tanh, got"):
        make(2, activation=activation)


def test_a_neuron_whose_own_constructor_sets_what_micrograds_does():
    class Own(Neuron):
        def __init__(self, weights, bias, nonlin):
            self.w = [Value(weight) for weight in weights]
            self.b = Value(bias)
            self.nonlin = nonlin

    linear, with_relu = Own([2.0, -1.0], 0.5, False), Own([2.0, -1.0], 0.5, True)
    assert linear([1.0, 4.0]).data == -1.5
    assert with_relu([1.0, 4.0]).data == 0.0
    assert with_relu([1.0, 1.0]).data == 1.5
    assert [parameter.data for parameter in linear.parameters()] == [2.0, -1.0, 0.5]
    layer = Layer(2, 1)
    layer.neurons = [linear]
    output = layer([1.0, 4.0])
    output.backward()
    assert [parameter.grad for parameter in linear.parameters()] == [1.0, 4.0, 1.0]


# ---- Sequential and LayerNorm


def test_a_mlp_is_its_layers_one_after_the_other():
    random.seed(5)
    model = MLP(3, [4, 2])
    twin = Sequential(*model.layers)
    assert [v.data for v in twin([1.0, -2.0, 0.5])] == [v.data for v in model([1.0, -2.0, 0.5])]
    assert twin.parameters() == model.parameters()
    assert twin.state_dict() == model.state_dict()


@pytest.mark.parametrize("x", [{1.0, 2.0}, {1.0: 3.0, 2.0: 4.0}, b"ab", "ab", 3.0, Value(3.0), numpy.array(3.0), None])
def test_a_function_of_each_number_wants_them_in_an_order(x):
    with pytest.raises(TypeError, match=r"^tanh: expected a sequence of numbers, got "):
        Sequential(tanh)(x)


def test_sequential_takes_any_functions():
    model = Sequential(Layer(2, 1, nonlin=False), lambda x: [v.tanh() for v in x], Layer(1, 2))
    assert len(model([1.0, 2.0])) == 2
    assert len(model.parameters()) == 7
    with pytest.raises(TypeError, match=r"Sequential: expected layers, such as Layer\(2, 3\), got 3"):
        Sequential(Layer(2, 3), 3)


def test_a_function_of_a_number_is_a_layer_of_each_of_them():
    random.seed(3)
    model = Sequential(Layer(2, 3, nonlin=False), tanh, Layer(3, 1, nonlin=False), autograd.abs, autograd.sigmoid)
    x = [0.5, -1.0]
    inner = [neuron(x).tanh() for neuron in model.layers[0].neurons]
    assert model(x).data == abs(model.layers[2](inner)).sigmoid().data
    assert Sequential(tanh)(x) == [tanh(number) for number in x]
    assert repr(model).endswith("tanh, Layer of [LinearNeuron(3)], abs, sigmoid]")


def test_one_value_stays_one_through_layers_that_take_sequences():
    model = Sequential(Layer(2, 1, nonlin=False), Dropout(0.5), LayerNorm(1))
    assert isinstance(model([1.0, 2.0]), Value)


@pytest.mark.parametrize(
    ("scale", "epsilon"), [(1.0, 1e-5), (1e-9, 1e-5), (1e9, 1e-5), (1e-160, 1e-5), (1e-150, 0.0), (1e149, 0.0)]
)
def test_layer_normalisation_is_its_formula(scale, epsilon):
    draw = random.Random(0)
    layer = LayerNorm(6, epsilon)
    for parameter in layer.parameters():
        parameter.data = draw.gauss(0, 1)
    numbers = [scale * draw.gauss(1, 1) for _ in range(6)]
    with mpmath.workdps(50):
        x = [mpmath.mpf(number) for number in numbers]
        mean = mpmath.fsum(x) / 6
        variance = mpmath.fsum((v - mean) ** 2 for v in x) / 6
        expected = [
            float(g.data * (v - mean) / mpmath.sqrt(variance + mpmath.mpf(epsilon)) + b.data)
            for g, v, b in zip(layer.gain, x, layer.bias, strict=True)
        ]
    assert [v.data for v in layer(numbers)] == pytest.approx(expected, rel=1e-13, abs=1e-15)


def test_an_epsilon_that_is_refused_when_it_is_assigned_is_not_taken():
    layer = LayerNorm(2)
    layer.epsilon = 0
    with pytest.raises(ValueError, match=r"^LayerNorm: epsilon: expected 0\.0 <= epsilon < inf, got -1$"):
        layer.epsilon = -1
    assert layer.epsilon == 0.0


def test_derivatives_of_layer_normalisation():
    layer = LayerNorm(4)
    check_gradients(lambda *x: sum((y * float(i) for i, y in enumerate(layer(x))), Value(0.0)), [0.3, -1.0, 2.0, 0.1])
    x = [Value(number) for number in (0.3, -1.0, 2.0, 0.1)]
    layer(x)[1].backward()
    assert sum(v.grad for v in x) == pytest.approx(0.0, abs=1e-15)  # a shift of all inputs changes nothing


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: LayerNorm(0), ValueError, "LayerNorm: width: expected a positive int, got 0"),
        (lambda: LayerNorm(2, epsilon=-1.0), ValueError, "LayerNorm: epsilon: expected 0"),
        (lambda: LayerNorm(3)([1.0, 2.0]), ValueError, "LayerNorm got 2 inputs, expected 3"),
        (lambda: LayerNorm(2)([[1.0], [2.0]]), TypeError, "LayerNorm: expected a real number, got list"),
        (lambda: LayerNorm(2, epsilon=0.0)([1.0, 1.0]), ZeroDivisionError, "division by zero"),
    ],
)
def test_what_layer_normalisation_refuses(make, error, message):
    with pytest.raises(error, match=message):
        make()


# ---- Embedding


def test_an_embedding_is_drawn_with_its_deviation():
    random.seed(4)
    drawn = [weight.data for row in Embedding(2, 3, 0.5).weights for weight in row]
    random.seed(4)
    assert drawn == [random.gauss(0.0, 0.5) for _ in range(6)]


def test_an_embedding_is_a_table_of_rows():
    random.seed(0)
    embedding = Embedding(50, 4)
    assert repr(embedding) == "Embedding(50, 4)"
    assert [name for name, _ in embedding.named_parameters()][:5] == [f"weights.0.{j}" for j in range(4)] + [
        "weights.1.0"
    ]
    assert len(embedding.parameters()) == 200
    numbers = [parameter.data for parameter in embedding.parameters()]
    assert abs(sum(numbers) / 200) < 0.2
    assert 0.8 < sum(number * number for number in numbers) / 200 < 1.2
    for index in (7, 7.0, numpy.int64(7), numpy.float32(7.0)):
        row = embedding(index)
        assert all(found is weight for found, weight in zip(row, embedding.weights[7], strict=True))
    row.append(1.0)
    assert len(embedding.weights[7]) == 4  # the row is a copy
    other = Embedding(50, 4)
    other.load_state_dict(embedding.state_dict())
    assert [parameter.data for parameter in other.parameters()] == numbers


@pytest.mark.parametrize("executor", [None, "numpy"])
def test_an_embedding_on_a_tape(executor):
    embedding, index = Embedding(5, 3), Value(2.0)
    row = embedding(index)
    assert [value.data for value in row] == [value.data for value in embedding.weights[2]]
    tape = Tape(row, [index], executor=executor)
    assert tape.layers() == "3 take"
    assert tape.forward([4, 0]).tolist() == [[value.data for value in embedding.weights[k]] for k in (4, 0)]
    with pytest.raises(ValueError, match=r"example 1: input 0 is the index of a lookup: .* from 0 to 4, got 5$"):
        tape.forward([4, 5])


@pytest.mark.parametrize("wrong", [math.nan, 1.5, 1.0000000001, -1, 5, 1e300, math.inf])
def test_an_index_that_an_embedding_has_not(wrong):
    for index in (wrong, Value(wrong)):
        shown = re.escape(repr(index.data if isinstance(index, Value) else index))
        with pytest.raises(ValueError, match=rf"^Embedding: index: expected a whole number from 0 to 4, got {shown}$"):
            Embedding(5, 2)(index)


@pytest.mark.parametrize("wrong", [10**400, -(10**400)])
def test_an_index_beyond_the_largest_float(wrong):
    with pytest.raises(ValueError, match=r"^Embedding: index: expected a whole number from 0 to 4, got -?1000"):
        Embedding(5, 2)(wrong)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Embedding(0, 2), ValueError, "Embedding: count: expected a positive int, got 0"),
        (lambda: Embedding(2, 1.5), TypeError, "Embedding: width: expected a positive int, got 1.5"),
        (lambda: Embedding(2, 2, -1.0), ValueError, "Embedding: deviation: expected 0.0 <= deviation < .*, got -1"),
        (lambda: Embedding(2, 2, 1e308), ValueError, "Embedding: deviation: expected .* < 1e.307, got 1e.308"),
        *[
            (
                lambda words=words: Embedding(2, 2)(words),
                TypeError,
                rf"{got}.*; or row by row: \[embedding\(word\) for word",
            )
            for words, got in (
                ([0, 1], "^Embedding: index: expected a real number, got list"),
                ((0, 1), "^Embedding: index: expected a real number, got tuple"),
                (["the", "cat"], "^Embedding: index: expected a real number, got list"),
                (numpy.array([0, 1]), "^Embedding: index: expected a real number, got ndarray"),
            )
        ],
        (
            lambda: Embedding(2, 2)("the"),
            TypeError,
            "^Embedding: index: expected the number of a row, got str: 'the'; give each word a number first$",
        ),
        (lambda: Embedding(2, 2)(None), TypeError, "^Embedding: index: expected a real number, got NoneType: None$"),
    ],
)
def test_what_an_embedding_refuses(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_an_embedding_learns_through_a_tape_as_example_by_example():
    inputs, targets = [[i % 6, (i * i) % 6] for i in range(30)], [i % 3 for i in range(30)]

    def learned(tape):
        random.seed(2)
        embedding, layer = Embedding(6, 3), Layer(6, 3, nonlin=False)
        parameters = embedding.parameters() + layer.parameters()
        fit(
            lambda pair: layer([number for index in pair for number in embedding(index)]), inputs, targets,
            cross_entropy, SGD(parameters, 0.1), epochs=3, batch_size=7, progress=False, tape=tape,
        )  # fmt: skip
        return [parameter.data for parameter in parameters]

    assert learned(True) == pytest.approx(learned(False), rel=1e-12, abs=1e-14)


def test_an_index_of_an_example_that_the_table_has_not():
    embedding = Embedding(6, 1)
    for inputs, name in (([0, 1, 6, 2], "example 2"), ([0, 1, 2, 3], "example 1 of the validation")):
        with pytest.raises(ValueError, match=rf"^fit: {name}: Embedding: index: expected .* from 0 to 5, got [67]$"):
            fit(
                lambda i: embedding(i)[0], inputs, [0.0] * 4, squared_error, SGD(embedding.parameters(), 0.1),
                epochs=1, progress=False, validation=([0, 7], [0.0, 0.0]),
            )  # fmt: skip


# ---- 960-5-30, the network that drove a car (Pomerleau, 1991)


def test_the_gradient_of_a_network_that_drives():
    """All 4,985 derivatives by backward() and by the tape, and every third by differences of the error."""
    random.seed(1)
    model = Sequential(Layer(960, 5, activation=tanh), Layer(5, 30, activation=sigmoid))
    for parameter in model.parameters():
        parameter.data *= 0.1
    generator = numpy.random.default_rng(1)
    image, hill = generator.uniform(-0.5, 0.5, 960), numpy.exp(-((numpy.arange(30) - 11.3) ** 2) / 10)

    error = half_squared_error(model(image.tolist()), hill.tolist())
    error.backward()
    derivatives = numpy.array([parameter.grad for parameter in model.parameters()])
    assert len(derivatives) == 960 * 5 + 5 + 5 * 30 + 30

    tape = Tape.record(lambda image: half_squared_error(model(image), hill.tolist()), [[0.0] * 960])
    [output], replayed = tape.value_and_grad([image])
    of_parameter = dict(zip(tape.parameters, replayed.tolist(), strict=True))
    in_order = [of_parameter[parameter] for parameter in model.parameters()]
    if autograd.engine == "native":
        assert (output, in_order) == (error.data, derivatives.tolist())
    assert in_order == pytest.approx(derivatives, rel=1e-12, abs=1e-15)

    numbers = numpy.array([parameter.data for parameter in tape.parameters])
    step = 1e-4
    for k in range(0, len(numbers), 3):
        moved = numpy.where(numpy.arange(len(numbers)) == k, step, 0.0)
        higher, lower = (tape.forward([image], parameters=numbers + sign * moved)[0] for sign in (1, -1))
        assert (higher - lower) / (2 * step) == pytest.approx(replayed[k], rel=1e-6, abs=1e-9), k


def test_an_error_in_a_sequence_of_layers_says_in_which():
    model = Sequential(Layer(2, 3), tanh, Layer(4, 1))
    with pytest.raises(ValueError, match="got 3 inputs, expected 4") as caught:
        model([1.0, 2.0])
    assert caught.value.__notes__ == ["This was in layers[2] of a Sequential, Layer."]
    with pytest.raises(ValueError, match="got 1 input, expected 2") as caught:
        model([1.0])
    assert not hasattr(caught.value, "__notes__")
