"""Models: what counts as one, what its parameters are called, and that running it leaves no trace."""

from __future__ import annotations

import random

import pytest
from numpy import random as legacy

import nn
from autograd import Value, dot, draw, no_grad
from autograd.drawing.models import is_model, module_path, named_parameters, names_of, part_at, recorded
from nn import MLP, Dropout, Layer, Module, Recurrent, Sequential

pytestmark = pytest.mark.both_engines


class Micrograd:
    """A model as micrograd's are: it tells its parameters, and no names."""

    def __init__(self) -> None:
        self.layers = [[Value(1.0), Value(2.0)], {"bias": Value(0.5)}]

    def parameters(self) -> list[Value]:
        weights, bias = self.layers
        return [*weights, bias["bias"]]

    def __call__(self, x):
        weights, bias = self.layers
        return sum((w * x_i for w, x_i in zip(weights, x, strict=True)), bias["bias"]).relu()


class Scale(Module):
    def __init__(self) -> None:
        self.by = Value(2.0)

    def __call__(self, x):
        return self.by * x + 1.0


class Choosing(Module):
    """It asks for the number of its input, and branches."""

    def __init__(self) -> None:
        self.up, self.down = Layer(2, 1), Layer(2, 1)

    def __call__(self, x):
        return self.up(x) if x[0] > 0 else self.down(x)


def run(model, inputs=None):
    return recorded(model, named_parameters(model), inputs)


def test_a_model_can_be_called_and_has_parameters():
    class NotCallable(Module):
        pass

    assert is_model(MLP(2, [1]))
    assert is_model(Micrograd())
    for other in (Value(1.0), MLP, NotCallable(), lambda x: x, [Value(1.0)], None, "model", 3.0):
        assert not is_model(other)


def test_parameters_have_the_names_that_the_model_tells():
    model = MLP(2, [3, 1])
    assert names_of(model) == {id(p): name for name, p in model.named_parameters()}


def test_parameters_without_names_have_those_of_the_attributes():
    assert [*names_of(Micrograd()).values()] == ["layers.0.0", "layers.0.1", "layers.1.bias"]


def test_of_several_names_the_first_counts():
    class Named(Micrograd):
        def named_parameters(self):
            return [("a", self.layers[0][0]), ("b", self.layers[0][1]), ("c", self.layers[0][0])]

    assert [*names_of(Named()).values()] == ["a", "b"]


def test_a_model_that_holds_itself_has_names():
    model = Micrograd()
    model.itself, model.layers[1]["model"] = model, model
    assert [*names_of(model).values()] == ["layers.0.0", "layers.0.1", "layers.1.bias"]


def test_a_model_may_be_as_deep_as_it_likes():
    class Link:
        def __init__(self, after) -> None:
            self.w, self.after = Value(0.5), after

        def parameters(self):
            return [self.w]

    chain = None
    for _ in range(3000):
        chain = Link(chain)
    assert [*names_of(chain).values()] == ["w"]


@pytest.mark.parametrize(
    ("method", "told", "message"),
    [
        ("parameters", None, r"expected Odd.parameters\(\) to list parameters, got NoneType: None"),
        ("parameters", [1.0], "expected Values as the model's parameters, got float: 1.0"),
        ("named_parameters", 3, r"expected Odd.named_parameters\(\) to list parameters, got int: 3"),
        ("named_parameters", {"w": Value(1.0)}, r"expected pairs \(name, parameter\) from .*, got str: 'w'"),
        ("named_parameters", [(Value(1.0),)], r"expected pairs \(name, parameter\) from .*, got tuple: "),
    ],
)
def test_what_are_no_parameters_is_refused(method, told, message):
    odd = type("Odd", (), {method: lambda self: told, "__call__": lambda self, x: x})()
    for show in (draw, lambda model: draw(Value(1.0), model=model)):
        with pytest.raises(TypeError, match=f"draw: {message}"):
            show(odd)


def test_attributes_that_raise_are_not_there():
    class Odd(Micrograd):
        @property
        def shape(self):
            raise ZeroDivisionError

        output_shape = shape

    assert draw(Odd(), [1.0, 2.0]).picture.title == "Odd, 3 parameters"
    assert draw(Odd()).picture.title == "Odd, 3 parameters"


def test_a_name_leads_to_its_part():
    model = Sequential(Layer(2, 1), MLP(1, [1]))
    assert part_at(model, "") is model
    assert part_at(model, "layers.1.layers.0") is model.layers[1].layers[0]
    assert part_at(Micrograd(), "layers.1.bias").data == 0.5
    assert part_at(model, "layers.7.nothing") is None
    assert module_path(model, "layers.1.layers.0.neurons.0.bias") == "layers.1.layers.0.neurons.0"
    assert module_path(model, "layers.1") == ""


@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        (MLP(3, [2, 1]), [1.0] * 3),
        (Layer(1, 2), [1.0]),
        (nn.Convolution((2, 3, 4), maps=1, size=2), [1.0] * 24),
        (Scale(), 1.0),
        (Micrograd(), [1.0, 1.0]),
        (nn.FIRLayer(2, 1, taps=1), [[1.0, 1.0]]),
    ],
    ids=lambda argument: type(argument).__name__,
)
def test_the_weights_tell_what_a_model_takes(model, inputs):
    seen = run(model)
    assert not seen.is_example
    assert [leaf.data for leaf in seen.inputs] == [leaf.data for leaf in run(model, inputs).inputs]


def test_else_an_error_asks_for_the_inputs():
    with pytest.raises(ValueError, match=r"the weights of Recurrent do not tell .* give it an input, draw\(model, inp"):
        draw(Recurrent(2, 3))


def test_inputs_are_leaves_of_their_own():
    x = Value(0.5, label="x")
    y = x * 3.0
    seen = run(MLP(2, [1]), [x, y])
    assert [(leaf.data, leaf.label, leaf.parents) for leaf in seen.inputs] == [(0.5, "x", ()), (1.5, "", ())]
    assert not {id(x), id(y)} & {id(leaf) for leaf in seen.inputs}


def test_a_branch_is_noticed_and_what_is_computed_is_that_of_the_inputs():
    model = Choosing()
    seen = run(model, [-1.0, 2.0])
    assert seen.branches
    assert seen.outputs[0].data == model([-1.0, 2.0]).data == model.down([-1.0, 2.0]).data
    assert not run(model.up, [1.0, 2.0]).branches


class Noisy(Module):
    """It draws from both sources of random numbers that a process has."""

    def __init__(self) -> None:
        self.layer = Sequential(Layer(2, 4), Dropout(0.5), Layer(4, 1))

    def __call__(self, x):
        return self.layer([x_i + random.gauss(0, 1) + legacy.normal() for x_i in x])  # noqa: NPY002


@pytest.mark.parametrize("inputs", [None, [0.3, -0.7]])
def test_drawing_leaves_no_trace(inputs):
    model = Noisy()
    loss = model([0.5, 1.5]) ** 2
    loss.backward()
    before = random.getstate(), [*map(str, legacy.get_state())], model.training  # noqa: NPY002
    numbers = [(p.data, p.grad, p.label, p.parents) for p in model.parameters()]
    draw(model, inputs).svg  # noqa: B018
    assert (random.getstate(), [*map(str, legacy.get_state())], model.training) == before  # noqa: NPY002
    assert [(p.data, p.grad, p.label, p.parents) for p in model.parameters()] == numbers


class Restless(Module):
    """It counts in a parameter how often it is called, and uses its own gradient, as a model in metalearning may."""

    def __init__(self) -> None:
        self.w, self.calls = [Value(1.0), Value(2.0)], Value(0.0)

    def __call__(self, x):
        self.calls.data += 1.0
        first = dot(self.w, x)
        first.backward()
        return dot([w - 0.1 * w.grad for w in self.w], x)


@pytest.mark.parametrize("inputs", [None, [0.3, -0.7]])
def test_what_the_model_changes_when_it_is_called_is_put_back(inputs):
    model = Restless()
    model.w[1].grad = 5.0
    draw(model, inputs)
    assert [(p.data, p.grad) for p in model.parameters()] == [(1.0, 0.0), (2.0, 5.0), (0.0, 0.0)]


def test_random_numbers_come_back_where_the_model_raises():
    class Failing(Module):
        def __init__(self) -> None:
            self.w = [Value(1.0)]

        def __call__(self, x):
            raise RuntimeError(f"it drew {random.random()}")

    state = random.getstate()
    with pytest.raises(RuntimeError, match="it drew"):
        draw(Failing(), [1.0])
    assert random.getstate() == state


def test_the_picture_shows_the_dropout_that_the_next_call_has():
    model = Sequential(Layer(1, 8), Dropout(0.5), Layer(8, 1, nonlin=False))
    random.seed(2)
    seen = run(model, [1.0])
    assert seen.outputs[0].data == model([1.0]).data


def test_within_no_grad_too():
    with no_grad():
        assert run(MLP(2, [1]), [1.0, 2.0]).outputs[0].parents


def test_what_overflows_does_not_raise():
    class Steep(Module):
        def __init__(self) -> None:
            self.w = [Value(1000.0)]

        def __call__(self, x):
            return dot(self.w, x).exp()

    with pytest.raises(OverflowError):
        Steep()([1.0])
    assert run(Steep(), [1.0]).outputs[0].data == float("inf")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [("ab", "expected numbers, or a structure of them, got str: 'ab'"), ([], "expected numbers"), ({}, "expected num")],
)
def test_inputs_have_to_be_numbers(inputs, message):
    with pytest.raises(TypeError, match=f"draw: inputs: {message}"):
        draw(MLP(2, [1]), inputs)


def test_a_number_beyond_the_largest_float_is_told_with_its_place():
    with pytest.raises(OverflowError, match=r"^draw: inputs: expected a real number, got a number beyond .* at \[1\]$"):
        draw(MLP(2, [1]), [1.0, 10**400])


def test_errors_of_the_model_are_its_own():
    with pytest.raises(ValueError, match="a neuron got 3 inputs, expected 2"):
        draw(MLP(2, [1]), [1.0, 2.0, 3.0])


def test_there_have_to_be_parameters_and_a_result_of_them():
    class Empty(Module):
        def __call__(self, x):
            return x

    class Constant(Scale):
        def __call__(self, x):
            return self.by * 2.0

    class Number(Scale):
        def __call__(self, x):
            return 3.0

    class Wrong(Scale):
        def parameters(self):
            return [1.0]

        named_parameters = None

    with pytest.raises(ValueError, match="Empty has no parameters"):
        draw(Empty())
    with pytest.raises(ValueError, match="Constant returns depends on none of its parameters together with its inputs"):
        draw(Constant(), 1.0)
    with pytest.raises(TypeError, match="expected a model that returns Values, got float"):
        draw(Number(), 1.0)
    with pytest.raises(TypeError, match="expected Values as the model's parameters, got float"):
        draw(Wrong(), 1.0)
