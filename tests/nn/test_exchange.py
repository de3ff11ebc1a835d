"""Weights go to NumPy and PyTorch and back to the bit, or not at all."""

from __future__ import annotations

import math
import random
from collections import namedtuple
from typing import TYPE_CHECKING, Any

import numpy
import pytest

from autograd import Value, gelu, no_grad, relu, sigmoid, tanh
from nn import (
    MLP,
    Dropout,
    Embedding,
    Layer,
    LayerNorm,
    Module,
    Neuron,
    Sequential,
    from_numpy,
    from_torch,
    to_numpy,
    to_torch,
)

if TYPE_CHECKING:
    from pathlib import Path


def numbers(module: Module) -> list[float]:
    return [parameter.data for parameter in module.parameters()]


class Everything(Module):
    def __init__(self) -> None:
        self.scale = Value(1.5)
        self.matrix = [[Value(2.0), Value(3.0)], [Value(4.0), Value(5.0)]]
        self.uneven = [[Value(6.0)], [[Value(7.0), Value(8.0)], [Value(9.0), Value(10.0)]], Value(11.0)]
        self.neuron = Neuron(2)
        self.hidden_neurons = [Neuron(1), Neuron(1)]
        self.parts = {"layer": Layer(3, 2), "norm": LayerNorm(2)}
        self.readout = MLP(2, [1])


SHAPES = {
    "scale": (),
    "matrix": (2, 2),
    "uneven.0": (1,),
    "uneven.1": (2, 2),
    "uneven.2": (),
    "neuron.weights": (2,),
    "neuron.bias": (),
    "hidden_neurons.0.weights": (1,),
    "hidden_neurons.0.bias": (),
    "hidden_neurons.1.weights": (1,),
    "hidden_neurons.1.bias": (),
    "parts.layer.weight": (2, 3),
    "parts.layer.bias": (2,),
    "parts.norm.gain": (2,),
    "parts.norm.bias": (2,),
    "readout.layers.0.weight": (1, 2),
    "readout.layers.0.bias": (1,),
}


class Mixed(Layer):
    """With neurons that are no row and bias, or not only."""

    def __init__(self, *neurons: Module) -> None:
        self.neurons = list(neurons)  # type: ignore[arg-type]


class Scaled(Neuron):
    def __init__(self, nin: int) -> None:
        super().__init__(nin)
        self.scale = Value(2.0)


class WithABiasOfItsOwn(Layer):
    def __init__(self, nin: int, nout: int) -> None:
        self.bias = Value(3.0)
        super().__init__(nin, nout)


MODELS = {
    "perceptron": lambda: MLP(2, [3, 4, 1]),
    "layer": lambda: Layer(3, 2),
    "layer of one": lambda: Layer(1, 1),
    "neuron": lambda: Neuron(3),
    "everything": Everything,
    "embedding": lambda: Embedding(5, 3),
    "sequence": lambda: Sequential(Layer(2, 3), LayerNorm(3), Dropout(0.5), Layer(3, 1)),
    "neurons with more": lambda: Mixed(Scaled(2), Scaled(2)),
    "uneven neurons": lambda: Mixed(Neuron(2), Neuron(3)),
    "layer with more": lambda: WithABiasOfItsOwn(2, 2),
    "nothing": Module,
}


# ---- NumPy


def test_each_layer_is_one_matrix_and_one_vector() -> None:
    module = Everything()
    arrays = to_numpy(module)
    assert {name: array.shape for name, array in arrays.items()} == SHAPES
    assert list(arrays) == list(SHAPES)
    assert {array.dtype for array in arrays.values()} == {numpy.dtype("float64")}
    layer = module.parts["layer"]
    assert arrays["parts.layer.weight"].tolist() == [[w.data for w in neuron.weights] for neuron in layer.neurons]
    assert arrays["uneven.1"].tolist() == [[7.0, 8.0], [9.0, 10.0]]


def test_what_is_no_plain_layer_keeps_the_names_of_its_neurons() -> None:
    assert list(to_numpy(MODELS["neurons with more"]())) == [
        f"neurons.{i}.{name}" for i in range(2) for name in ("weights", "bias", "scale")
    ]
    assert list(to_numpy(MODELS["uneven neurons"]())) == [
        f"neurons.{i}.{name}" for i in range(2) for name in ("weights", "bias")
    ]
    assert list(to_numpy(MODELS["layer with more"]())) == [
        "bias", *(f"neurons.{i}.{name}" for i in range(2) for name in ("weights", "bias"))
    ]  # fmt: skip
    neuron = Neuron(2)
    assert list(to_numpy(Mixed(neuron, Neuron(2), neuron))) == ["weight", "bias"]
    assert list(to_numpy(Mixed(neuron, neuron, Neuron(2)))) == [
        f"neurons.{i}.{name}" for i in (0, 2) for name in ("weights", "bias")
    ]


def test_the_arrays_compute_what_the_model_does() -> None:
    model = MLP(3, [4, 2], activation=tanh)
    w1, b1, w2, b2 = to_numpy(model).values()
    x = numpy.array([0.5, -1.5, 0.25])
    outputs = w2 @ numpy.tanh(w1 @ x + b1) + b2
    # Rounding errors are of the size of the summands, about 1, however small the sum is.
    assert numpy.allclose([y.data for y in model(x.tolist())], outputs, rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("form", ["dict", "in another order", "list", "tuple", "values", "lists", "columns first"])
def test_arrays_come_back_to_the_bit(kind: str, form: str) -> None:
    model, other = MODELS[kind](), MODELS[kind]()
    for i, parameter in enumerate(model.parameters()):
        parameter.data = math.sin(i + 1.0) * 10.0 ** (i % 9 - 4)
    for parameter in other.parameters():
        parameter.grad = 7.0
    arrays = to_numpy(model)
    given: dict[str, Any] = {
        "dict": arrays,
        "in another order": dict(reversed(arrays.items())),
        "list": list(arrays.values()),
        "tuple": tuple(arrays.values()),
        "values": arrays.values(),
        "lists": [array.tolist() for array in arrays.values()],
        "columns first": {name: numpy.array(array, order="F") for name, array in arrays.items()},
    }
    from_numpy(other, given[form])
    assert numbers(other) == numbers(model)
    assert {parameter.grad for parameter in other.parameters()} <= {7.0}


@pytest.mark.parametrize("dtype", ["float16", "float32", "longdouble", "int8", "int64", "uint64", ">f8", "object"])
def test_arrays_of_any_floats_and_ints_are_taken(dtype: str) -> None:
    model = Layer(2, 1)
    from_numpy(model, [numpy.array([[3, 7]], dtype), numpy.array([1], dtype)])
    assert numbers(model) == [3.0, 7.0, 1.0]


def test_a_file_of_numpys_keeps_a_model(tmp_path: Path) -> None:
    model, other = MLP(2, [3, 1]), MLP(2, [3, 1])
    numpy.savez(tmp_path / "weights.npz", **to_numpy(model))  # type: ignore[arg-type]
    with numpy.load(tmp_path / "weights.npz") as arrays:
        from_numpy(other, arrays)
    assert numbers(other) == numbers(model)


def test_later_changes_of_the_arrays_are_none_of_the_model() -> None:
    model = MLP(2, [1])
    before = numbers(model)
    for array in to_numpy(model).values():
        array += 1.0
    assert numbers(model) == before


TABLE = """\
from_numpy: the shapes differ. What the model has, and what was given:
    the model               given
    layers.0.weight (2, 3)  array 0 (3, 2)
    layers.0.bias (2,)      array 1 (2,)
    layers.1.weight (1, 2)  array 2 rows of different lengths
    layers.1.bias (1,)      array 3 ()
                            array 4 (1,)"""
NAMES = """\
from_numpy: the names differ. What the model has, and what was given:
    the model               given
    layers.0.weight (2, 3)  0.weight (2, 3)
    layers.0.bias (2,)      0.bias (2,)
    layers.1.weight (1, 2)
    layers.1.bias (1,)
To go by the order, give a list of the arrays."""
W1, B1, W2, B2 = numpy.ones((2, 3)), numpy.ones(2), numpy.ones((1, 2)), numpy.ones(1)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ([W1.T, B1, [[1.0, 2.0], [3.0]], 1.0, B2], TABLE),
        ({"0.weight": W1, "0.bias": B1}, NAMES),
        ([W1, B1, W2], "    layers.1.weight (1, 2)  array 2 (1, 2)\n    layers.1.bias (1,)"),
        ([], "given\n    layers.0.weight (2, 3)\n    layers.0.bias (2,)\n"),
        ([W1, B1, W2, [math.nan]], "from_numpy: array 3.0: expected a finite number, got nan"),
        ([W1, B1, [[1.0, "2.0"]], B2], "from_numpy: array 2.0.1: expected a finite number, got '2.0'"),
        ([W1, B1 * 1j, W2, B2], "from_numpy: array 1.0: expected a finite number, got 1j"),
        ([W1 > 0, B1, W2, B2], "from_numpy: array 0.0.0: expected a finite number, got True"),
        ([W1, B1, W2, numpy.ma.masked_all(1)], "from_numpy: array 3: expected numbers, got a masked array"),
        (["abc", B1, W2, B2], "array 0 ()"),
        ("W1", "from_numpy: expected arrays, in a dict or in a list, got 'W1'"),
        (1.0, "from_numpy: expected arrays, in a dict or in a list, got 1.0"),
    ],
    ids=range(12),
)
def test_arrays_that_do_not_fit_change_nothing(arrays: Any, message: str) -> None:
    model = MLP(3, [2, 1])
    before = numbers(model)
    with pytest.raises((ValueError, TypeError)) as caught:
        from_numpy(model, arrays)
    assert message in str(caught.value)
    assert numbers(model) == before


def test_a_shared_parameter_gets_one_number() -> None:
    class Tied(Module):
        def __init__(self) -> None:
            self.w = [Value(1.0), Value(2.0)]
            self.v = [self.w[0], Value(3.0)]

    tied = Tied()
    from_numpy(tied, [[4.0, 5.0], [4.0, 6.0]])
    assert numbers(tied) == [4.0, 5.0, 6.0]
    with pytest.raises(ValueError, match=r"array 1\.0 is a shared parameter: expected one number, got 7\.0 and 8\.0"):
        from_numpy(tied, [[7.0, 5.0], [8.0, 6.0]])
    assert numbers(tied) == [4.0, 5.0, 6.0]


@pytest.mark.parametrize(
    "call",
    [to_numpy, lambda x: from_numpy(x, []), lambda x: to_torch(x, Torch([])), lambda x: from_torch(x, Torch([]))],
)
def test_what_is_no_module_is_refused(call: Any) -> None:
    with pytest.raises(TypeError, match=r"^(to|from)_(numpy|torch): expected a Module, got \[1\.0\]"):
        call([1.0])


# ---- PyTorch, where it is not installed: what is asked of its tensors


class Tensor:
    """As PyTorch's: with a gradient it gives no array and is not changed; a view has the same numbers."""

    def __init__(self, content: Any, dtype: str = "float64", requires_grad: bool = False) -> None:
        self.content = numpy.asarray(content, dtype)
        self.requires_grad = requires_grad

    dtype = property(lambda self: self.content.dtype)
    shape = property(lambda self: self.content.shape)

    def detach(self) -> Tensor:
        return self.view(self.shape)

    def view(self, shape: Any) -> Tensor:
        tensor = Tensor(self.content, str(self.dtype))
        tensor.content = self.content.reshape(shape)
        assert numpy.shares_memory(tensor.content, self.content)
        return tensor

    def new_tensor(self, content: Any) -> Tensor:
        with numpy.errstate(over="ignore"):
            return Tensor(content, str(self.dtype))

    def is_floating_point(self) -> bool:
        return bool(self.dtype.kind == "f")

    def isfinite(self) -> Any:
        return numpy.isfinite(self.content)

    def copy_(self, other: Tensor) -> None:
        assert not self.requires_grad
        self.content[...] = other.content

    def __array__(self, *arguments: object, **keywords: object) -> Any:
        assert not self.requires_grad, "Can't call numpy() on Tensor that requires grad."
        return self.content

    def tolist(self) -> Any:
        return self.content.tolist()


class Torch:
    """As a torch.nn.Module of parameters of these shapes."""

    def __init__(self, shapes: list[tuple[int, ...]], dtype: str = "float64") -> None:
        draw = numpy.random.default_rng(3)
        self.tensors = [Tensor(draw.normal(size=shape), dtype, requires_grad=dtype[0] == "f") for shape in shapes]

    def named_parameters(self) -> Any:
        return ((f"{i}.weight", tensor) for i, tensor in enumerate(self.tensors))

    def numbers(self) -> list[Any]:
        return [tensor.tolist() for tensor in self.tensors]


def shapes_of(model: Module) -> list[tuple[int, ...]]:
    return [array.shape for array in to_numpy(model).values()]


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("ones", [False, True])
def test_parameters_go_there_and_back_to_the_bit(kind: str, ones: bool) -> None:
    model, other = MODELS[kind](), MODELS[kind]()
    module = Torch([(1, *shape, 1) if ones else shape for shape in shapes_of(model)])
    from_torch(model, module)
    assert [array.ravel().tolist() for array in to_numpy(model).values()] == [
        tensor.content.ravel().tolist() for tensor in module.tensors
    ]
    for i, parameter in enumerate(other.parameters()):
        parameter.data = math.sin(i + 1.0)
    to_torch(other, module)
    from_torch(model, module)
    assert numbers(model) == numbers(other)


def test_a_narrower_dtype_rounds() -> None:
    model = Layer(2, 1)
    model.neurons[0].bias.data = 0.1
    module = Torch(shapes_of(model), "float32")
    to_torch(model, module)
    assert module.numbers()[1] == [float(numpy.float32(0.1))]


TORCH_TABLE = """torch: the shapes differ. What the model has, and what was given:
    the model      given
    weight (2, 3)  0.weight (3, 2)
    bias (2,)"""


@pytest.mark.parametrize(
    ("module", "error", "message"),
    [
        (Torch([(3, 2)]), ValueError, TORCH_TABLE),
        (Torch([(3, 2), (2,)]), ValueError, "    weight (2, 3)  0.weight (3, 2)\n    bias (2,)      1.weight (2,)"),
        (Torch([(2, 3), (2,), (1,)]), ValueError, "    bias (2,)      1.weight (2,)\n                   2.weight (1,)"),
        (Layer(3, 2), TypeError, "torch: expected the model, then a torch.nn.Module, got Layer of"),
        ({"weight": 1.0}, TypeError, "torch: expected the model, then a torch.nn.Module, got {'weight': 1.0}"),
    ],
)
def test_a_module_that_does_not_fit_changes_nothing(module: Any, error: type[Exception], message: str) -> None:
    model = Layer(3, 2)
    before, there = numbers(model), module.numbers() if isinstance(module, Torch) else None
    for call in (to_torch, from_torch):
        with pytest.raises(error) as caught:
            call(model, module)
        assert message in str(caught.value)
    assert numbers(model) == before
    assert there is None or module.numbers() == there


@pytest.mark.parametrize(
    ("number", "dtype", "message"),
    [
        (math.inf, "float64", "to_torch: bias has a number that is not finite in 1.weight, of float64"),
        (1e39, "float32", "to_torch: bias has a number that is not finite in 1.weight, of float32"),
        (0.5, "int64", "to_torch: expected floats, but 0.weight is of int64"),
    ],
)
def test_a_number_that_the_module_cannot_hold_is_refused(number: float, dtype: str, message: str) -> None:
    model = Layer(3, 1)
    module = Torch(shapes_of(model), dtype)
    model.neurons[0].bias.data, before = number, module.numbers()
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        to_torch(model, module)
    assert message in str(caught.value)
    assert module.numbers() == before


def test_a_module_with_a_nan_changes_nothing() -> None:
    model, module = Layer(3, 2), Torch([(2, 3), (2,)])
    module.tensors[1].content[1] = math.nan
    before = numbers(model)
    with pytest.raises(ValueError, match=r"from_torch: 1\.weight\.1: expected a finite number, got nan"):
        from_torch(model, module)
    assert numbers(model) == before


# ---- PyTorch itself

Twin = namedtuple("Twin", "ours theirs inputs")


def twins(torch: Any) -> list[Twin]:
    """Models and PyTorch modules that compute the same from the same parameters."""
    t = torch.nn
    return [
        Twin(MLP(2, [8, 1], activation=tanh), t.Sequential(t.Linear(2, 8), t.Tanh(), t.Linear(8, 1)), 2),
        Twin(
            MLP(3, [4, 5, 2], activation=relu),
            t.Sequential(t.Linear(3, 4), t.ReLU(), t.Linear(4, 5), t.ReLU(), t.Linear(5, 2)),
            3,
        ),
        Twin(MLP(2, [3, 2], activation=sigmoid), t.Sequential(t.Linear(2, 3), t.Sigmoid(), t.Linear(3, 2)), 2),
        Twin(
            Sequential(Layer(2, 4, activation=gelu), LayerNorm(4), Layer(4, 2, nonlin=False)),
            t.Sequential(t.Linear(2, 4), t.GELU(), t.LayerNorm(4), t.Linear(4, 2)),
            2,
        ),
        Twin(Neuron(3, nonlin=False), t.Linear(3, 1), 3),
    ]


def outputs_differ(torch: Any, twin: Twin) -> float:
    draw = random.Random(3)
    rows = [[draw.uniform(-2, 2) for _ in range(twin.inputs)] for _ in range(20)]
    with no_grad(), torch.no_grad():
        ours = [numpy.ravel([y.data for y in numpy.ravel(twin.ours(row))]) for row in rows]
        theirs = twin.theirs(torch.tensor(rows, dtype=torch.float64)).numpy()
    return float(numpy.abs(numpy.array(ours) - theirs).max())


def test_pytorch_computes_the_same_with_the_same_parameters() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(3)
    for twin in twins(torch):
        twin.theirs.double()
        assert outputs_differ(torch, twin) > 1e-3
        to_torch(twin.ours, twin.theirs)
        assert outputs_differ(torch, twin) < 1e-12


def test_the_engine_computes_the_same_with_pytorchs_parameters() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(3)
    for twin in twins(torch):
        twin.theirs.double()
        there = {name: tensor.clone() for name, tensor in twin.theirs.state_dict().items()}
        from_torch(twin.ours, twin.theirs)
        assert outputs_differ(torch, twin) < 1e-12
        back = numbers(twin.ours)
        for parameter in twin.theirs.parameters():
            torch.nn.init.zeros_(parameter)
        to_torch(twin.ours, twin.theirs)
        assert all(torch.equal(tensor, there[name]) for name, tensor in twin.theirs.state_dict().items())
        from_torch(twin.ours, twin.theirs)
        assert numbers(twin.ours) == back


def test_pytorchs_other_dtypes() -> None:
    torch = pytest.importorskip("torch")
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        model, module = MLP(2, [2, 1]), torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)).to(dtype)
        from_torch(model, module)
        assert numbers(model)[:2] == module[0].weight[0].tolist()
        assert all(parameter.requires_grad for parameter in module.parameters())
        model.parameters()[-1].data = 1e39
        before = [parameter.tolist() for parameter in module.parameters()]
        with pytest.raises(
            ValueError, match=rf"layers\.1\.bias has a number that is not finite in 1\.bias, of {dtype}"
        ):
            to_torch(model, module)
        assert [parameter.tolist() for parameter in module.parameters()] == before


def test_a_state_of_pytorchs_tensors_loads() -> None:
    torch = pytest.importorskip("torch")
    neuron = Neuron(2)
    for requires_grad in (False, True):
        weights = torch.tensor([0.5, 0.25], requires_grad=requires_grad)
        neuron.load_state_dict({"weights": weights * 2.0, "bias": weights[0]})
        assert numbers(neuron) == [1.0, 0.5, 0.5]
        neuron.load_state_dict({"weights": [weights[0], weights[1]], "bias": weights.bfloat16()[1]})
        assert numbers(neuron) == [0.5, 0.25, 0.25]
    with pytest.raises(ValueError, match=r"weights: expected a list of 2, got the shape \(3,\)"):
        neuron.load_state_dict({"weights": torch.zeros(3), "bias": 0.0})
