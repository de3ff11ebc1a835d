"""A tape's model is its network: it gives the tape's outputs elsewhere, and has an operator for each group."""

from __future__ import annotations

import builtins
import random

import numpy as np
import pytest

from autograd import Tape, Value, dot, logsumexp, sigmoid, softmax, softplus, take, tanh
from autograd import sum as sum_of
from nn import MLP, Embedding, Layer, cross_entropy

pytestmark = pytest.mark.both_engines


@pytest.fixture(autouse=True)
def seed():
    pytest.importorskip("onnx")
    random.seed(0)


def leaves(count, label=""):
    return [Value(random.uniform(-1.0, 1.0), label=label and f"{label}{i}") for i in range(count)]


def exported(outputs, inputs, run, examples=5, **options):
    """The tape's model, which must give the tape's numbers for some examples."""
    tape = Tape(outputs, inputs)
    model = tape.to_onnx(**options)
    batch = np.random.default_rng(0).normal(size=(examples, len(inputs)))
    expected = tape.forward(batch).reshape(examples, -1)
    error = 1e-5 if options.get("dtype") == "float32" else 1e-13
    assert run(model, batch) == pytest.approx(expected, rel=error, abs=error)
    return model


def operators(model):
    return [node.op_type for node in model.graph.node]


def initializers(model):
    from onnx import numpy_helper

    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_network_is_an_operator_a_layer_with_its_names(dtype, run):
    network, x = MLP(3, [4, 2], activation=tanh), leaves(3, "x")
    model = exported(network(x), x, run, names=network.named_parameters(), dtype=dtype)
    assert operators(model) == ["Gemm", "Tanh", "Gemm"]
    found = initializers(model)
    assert found.keys() == {f"layers.{k}.neurons.{what}" for k in (0, 1) for what in ("weights", "bias")}
    assert found["layers.1.neurons.weights"].shape == (2, 4)
    first = [weight.data for weight in network.layers[0].neurons[0].weights]
    assert found["layers.0.neurons.weights"][0].tolist() == np.array(first, dtype).tolist()
    assert model.graph.input[0].doc_string == "x0, x1, x2"


@pytest.mark.parametrize(
    "neuron",
    [
        lambda w, x, b: b + w[0] * x[0] + w[1] * x[1],
        lambda w, x, b: w[0] * x[0] + b + w[1] * x[1],
        lambda w, x, b: w[0] * x[0] + w[1] * x[1] + b,
        lambda w, x, b: w[0] * x[0] + w[1] * x[1],
        lambda w, x, b: sum_of([w[0] * x[0], w[1] * x[1], b]),
        lambda w, x, b: sum_of([w[0] * x[0], w[1] * x[1]], b),
        lambda w, x, b: sum([w[0] * x[0], w[1] * x[1]], b),
        lambda w, x, b: dot(w, x, b),
    ],
)
@pytest.mark.parametrize("constants", [0, 1, 3])
def test_a_bias_may_stand_anywhere(neuron, constants, run):
    """A product may need constants that the list itself has not; there they stand behind those that it has."""
    x, v = leaves(2), leaves(2)
    b = leaves(2) if constants else [0.75, -2.5]
    outputs = [tanh(neuron(leaves(2), x, bias)) for bias in b]
    for number in range(constants):
        outputs[0] = outputs[0] * (number + 2.5)
    exported(dot(v, outputs), x, run)


NOT_PAIRS = {
    "a model": lambda model: model,
    "a method that is not called": lambda model: model.named_parameters,
    "a string": lambda model: "ab",
    "strings of two letters": lambda model: ["ab", "cd"],
    "names alone": lambda model: ["a", "b"],
    "names alone, as a dict has them": lambda model: dict(model.named_parameters()),
    "parameters alone": lambda model: model.parameters(),
    "a parameter": lambda model: model.parameters()[0],
    "pairs the wrong way around": lambda model: [(value, name) for name, value in model.named_parameters()],
    "three of each": lambda model: [(name, value, 0) for name, value in model.named_parameters()],
    "numbers with names": lambda model: [(name, value.data) for name, value in model.named_parameters()],
    "None": lambda model: None,
}


@pytest.mark.parametrize("given", NOT_PAIRS)
def test_names_that_are_no_pairs_are_refused(given, tmp_path):
    model, x = Layer(2, 1), leaves(2)
    message = (
        r"^Tape\.to_onnx: names: expected pairs of a name and a parameter, as model\.named_parameters\(\) has .*, got "
    )
    with pytest.raises(TypeError, match=message):
        Tape(model(x), x).save_onnx(tmp_path / "x.onnx", names=NOT_PAIRS[given](model))
    assert not [*tmp_path.iterdir()]


def test_the_names_of_another_model_are_refused_and_those_of_a_part_or_of_more_are_not(run):
    model, other, x = Layer(2, 1), Layer(2, 1), leaves(2)
    with pytest.raises(ValueError, match=r"^Tape\.to_onnx: names: .* got names of none of them; a copy of the model,"):
        Tape(model(x), x).to_onnx(names=other.named_parameters())
    for names in ([("bias", model.neurons[0].bias)], [*other.named_parameters(), ("bias", model.neurons[0].bias)]):
        assert {*initializers(exported(model(x), x, run, names=names))} == {"w", "bias"}
    assert {*initializers(exported(model(x), x, run, names=iter([])))} == {"w", "b"}
    assert exported(model(x), x, run, names=[("first", x[0])]).graph.input[0].doc_string.startswith("first")


def test_an_index_is_checked_by_the_tape_alone(run):
    table, index = leaves(3), Value(0.0)
    tape = Tape([take(table, index)], [index])
    for given, row in ((1.5, 1), (-1.0, 2)):
        with pytest.raises(ValueError, match="is the index of a lookup"):
            tape.forward([[given]])
        assert run(tape.to_onnx(), [[given]]).tolist() == [[table[row].data]]


def test_labels_name_the_weights_and_a_name_that_is_taken_gets_a_number(run):
    x, w, v = leaves(2), [leaves(2, "w") for _ in range(3)], leaves(3)
    model = exported(dot(v, [softplus(dot(row, x)) for row in w], Value(0.5)), x, run)
    assert operators(model) == ["Gemm", "softplus", "Gemm"]
    assert [*initializers(model)] == ["w", "weights", "biases"]
    model = exported([dot(row, x) * Value(2.0, label="w") for row in w[:1]], x, run)
    assert [*initializers(model)] == ["w", "w_1"]


def test_the_model_is_a_snapshot_of_the_parameters(run):
    w, x = Value(2.0), Value(0.0)
    tape = Tape([x * (w * w), w + 1.0], [x])
    model, w.data = tape.to_onnx(), 3.0
    assert run(model, [[5.0]]).tolist() == [[20.0, 3.0]]
    assert run(tape.to_onnx(), [[5.0]]).tolist() == [[45.0, 4.0]]


def test_a_convolution_is_one_product(run):
    x, kernels, bias = leaves(8), [leaves(3, "kernel") for _ in range(2)], leaves(2)
    padded = [0.0, *x, 0.0]
    maps = [
        [tanh(dot(kernel, padded[i : i + 3], b)) for i in range(8)] for kernel, b in zip(kernels, bias, strict=True)
    ]
    model = exported([sum_of(of_one) for of_one in maps], x, run)
    assert operators(model).count("MatMul") <= 3  # two of the places are at the edge, where constants are
    assert "Gemm" not in operators(model)
    inside = [tanh(dot(kernel, x[i : i + 3], b)) for i in range(6) for kernel, b in zip(kernels, bias, strict=True)]
    model = exported(inside, x, run)
    assert operators(model) == ["Gather", "Reshape", "MatMul", "Add", "Reshape", "Tanh"]
    assert initializers(model)["kernel"].shape == (3, 2)


def test_a_recurrent_network_has_its_weights_once(run):
    x, w, u = leaves(6), [leaves(3, "w") for _ in range(3)], [leaves(1, "u") for _ in range(3)]
    h = [Value(0.0) for _ in w]
    for x_t in x:
        h = [tanh(dot(row, h, dot(column, [x_t]))) for row, column in zip(w, u, strict=True)]
    model = exported(logsumexp(h), x, run)
    assert operators(model).count("Tanh") == 6
    assert [array.shape for array in initializers(model).values()].count((3, 3)) == 1


def test_embeddings_are_looked_up_in_one_table(run):
    embedding, tokens, weights = Embedding(5, 2), leaves(3), [leaves(2) for _ in range(4)]
    for token in tokens:
        token.data = 1.0
    rows = [embedding(token) for token in tokens]
    logits = [dot(row, rows[0]) + rows[1][1] * rows[2][0] for row in weights]
    tape = Tape(cross_entropy(logits, tokens[2]), tokens)
    batch = [[0, 1, 2], [4, 4, 0], [3, 0, 3]]
    model = tape.to_onnx()
    assert run(model, batch)[:, 0] == pytest.approx(tape.forward(batch), abs=1e-14)
    assert operators(model).count("take") == 1  # that of the logit
    assert initializers(model)["e"].shape == (5, 2)


def test_a_recurrence_of_one_number(run):
    x = Value(0.3)
    state = x
    for _ in range(20):
        state = state + 0.1 * (x - state**3)
    exported(state, [x], run)


def test_what_varies_and_what_does_not_may_stand_side_by_side(run):
    x, w = leaves(3), leaves(3, "w")
    outputs = [
        dot(x, x[::-1]),
        dot([x[0], 2.0, w[0]], [w[1], x[1], x[2]], x[0]),
        logsumexp([x[0], w[0], 1.0]),
        w[2],
        x[1],
    ]
    outputs += [sigmoid(w[0] * w[1]), sum_of([x[0], tanh(x[1]), w[2]])]
    exported(outputs, x, run)


def test_sequences_may_be_empty(run):
    x, y = leaves(2)
    exported([softmax([x])[0] + y, sum_of([], x * y), dot([], [], y) * x, logsumexp([x])], [x, y], run)


@pytest.mark.parametrize("label", ["inputs", "outputs", "0", "", "a\ud800b", "dot", "Mul", "\n", "[0]"])
def test_a_label_may_be_anything(label, run):
    w, x = Value(0.5, label=label), Value(0.0, label=label)
    model = exported(dot([w, w], [tanh(x * w), x]) * w, [x], run)
    assert len(initializers(model)) == 2


def test_outputs_that_nothing_computes(run):
    x, w = leaves(2), Value(3.0)
    assert operators(exported(x[0], x[:1], run)) == ["Identity"]
    assert exported([x[1], x[0], x[1]], x, run)
    assert exported(w, x, run)
    assert exported([w, Value(2.0)], x, run)
    assert exported(w * w, [], run)


def test_examples_may_be_as_many_as_one_likes(run):
    network, x = MLP(2, [3, 1], activation=sigmoid), leaves(2)
    tape = Tape(network(x), x)
    model = tape.to_onnx()
    for examples in (0, 1, 1000):
        batch = np.random.default_rng(0).normal(size=(examples, 2))
        assert run(model, batch) == pytest.approx(tape.forward(batch).reshape(-1, 1), abs=1e-14)


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs(seed, random_graph, run):
    exported(*random_graph(seed), run)


def test_a_number_beyond_float32_is_the_largest_or_smallest_there():
    x = Value(0.0)
    [weights] = initializers(
        Tape(dot([1e300, -1e-300, 0.5], [x, tanh(x), x * x]), [x]).to_onnx(dtype="float32")
    ).values()
    limits = np.finfo(np.float32)
    assert weights.tolist() == [[limits.max, -limits.smallest_subnormal, 0.5]]


def test_a_file_is_written_whole(tmp_path, run):
    import onnx

    w, x = Value(2.0), Value(0.0)
    tape = Tape(tanh(w * x), [x])
    tape.save_onnx(tmp_path / "tape.onnx", dtype="float32")
    model = onnx.load(tmp_path / "tape.onnx")
    assert model == tape.to_onnx(dtype="float32")
    assert [path.name for path in tmp_path.iterdir()] == ["tape.onnx"]
    with pytest.raises(FileExistsError, match="the model is not saved"):
        tape.save_onnx(tmp_path)


def test_what_is_stated_of_the_format():
    x = Value(0.5)
    model = Tape(softplus(x), [x]).to_onnx()
    assert model.ir_version == 8
    assert {opset.domain: opset.version for opset in model.opset_import} == {"": 18, "scalar_autograd": 1}
    assert [function.name for function in model.functions] == ["log1p", "softplus"]


def test_functions_can_be_put_in_their_places(run):
    from onnx import inliner

    x = leaves(2)
    tape = Tape(softplus(x[0]) * sigmoid(x[1]), x)
    plain = inliner.inline_local_functions(tape.to_onnx())
    assert not plain.functions
    assert run(plain, [[0.5, -2.0]]).item() == pytest.approx(tape.forward([[0.5, -2.0]]).item(), rel=1e-14)


def test_another_type_is_refused():
    x = Value(0.5)
    with pytest.raises(ValueError, match=r"Tape\.to_onnx: dtype: expected 'float64' or 'float32', got 'float16'"):
        Tape(tanh(x), [x]).to_onnx(dtype="float16")


def test_without_the_package_an_error_says_what_to_install(monkeypatch):
    import sys

    for name in [name for name in sys.modules if name == "onnx" or name.startswith(("onnx.", "autograd.tape.exports"))]:
        monkeypatch.delitem(sys.modules, name)
    imported = builtins.__import__

    def without_onnx(name, *rest):
        if name.split(".")[0] == "onnx":
            raise ModuleNotFoundError("No module named 'onnx'", name="onnx")
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_onnx)
    x = Value(0.5)
    with pytest.raises(ImportError, match="pip install onnx"):
        Tape(tanh(x), [x]).to_onnx()
