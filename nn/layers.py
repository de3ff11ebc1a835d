"""Neurons make layers, and layers make networks: Neuron, Layer, MLP; Sequential, LayerNorm and Embedding beside them.

Neurons are made and called as micrograd's are. The weights are drawn with Python's `random`, in micrograd's order: the
same seed gives the same network.
"""

from __future__ import annotations

import math
import random
from contextlib import suppress
from reprlib import repr as shortened

from autograd import Value, dot, multiply, relu, softmax, sqrt, sum, take
from nn.arguments import Within, flag, is_sequence, neuron_inputs, positive, scalars, standard_deviation
from nn.module import Module, declared_shapes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from nn.summary import Shape


class Neuron(Module):
    """activation(bias + w_1 x_1 + ... + w_n x_n)

    Arguments:
        nin: the number n of inputs.
        nonlin: False leaves the activation away.
        activation: a function of a Value, such as `autograd.tanh`.
        fused: True makes the net input a single `dot` node; False makes a node of every product and sum.

    The weights are drawn from the uniform distribution over [-1, 1], the bias is 0.
    Raises TypeError or ValueError if `nin` is not a positive int, TypeError if the activation is no function.

    >>> neuron = Neuron(2)
    >>> neuron.w[0].data, neuron.w[1].data, neuron.b.data = 0.5, -1.0, 2.0
    >>> neuron([3.0, 1.0])
    Value(data=2.5, grad=0.0, op='relu')
    """

    # What a subclass has whose own constructor sets the weights and the bias alone, as micrograd's.
    nonlin = True
    activation: Callable[[Value], Value] = staticmethod(relu)
    fused = True

    def __init__(
        self, nin: int, nonlin: bool = True, activation: Callable[[Value], Value] = relu, fused: bool = True
    ) -> None:
        nin = positive("nin", nin)
        if not callable(activation):
            raise TypeError(f"activation: expected a function, such as autograd.tanh, got {activation!r}")
        if nonlin and is_of_a_layer(activation):
            raise ValueError(
                "activation: softmax is of all net inputs of a layer, not of one neuron's; write "
                f"Layer({nin}, nout, activation=softmax), or sigmoid for a single probability"
            )
        self.weights = [Value(random.uniform(-1, 1), label=f"w{i}") for i in range(nin)]
        self.bias = Value(0.0, label="b")
        self.nonlin = flag("nonlin", nonlin)
        self.activation = activation
        self.fused = flag("fused", fused)

    def __call__(self, x: Iterable[Value | float], *others: object) -> Value:
        """The neuron's output for n inputs, Values or numbers. Raises ValueError if there are more or fewer."""
        [output] = outputs_of([self], neuron_inputs(x, len(self.weights), others), caller=self)
        return output

    def _shapes(self) -> tuple[Shape | None, Shape | None]:
        return (len(self.weights),), (1,)

    def __repr__(self) -> str:
        name = name_of(self.activation) if self.nonlin else "linear"
        return f"{name.title().replace('_', '').replace('Relu', 'ReLU')}Neuron({len(self.weights)})"

    # What micrograd calls the weights and the bias.

    @property
    def w(self) -> list[Value]:
        return self.weights

    @w.setter
    def w(self, weights: list[Value]) -> None:
        self.weights = weights

    @property
    def b(self) -> Value:
        return self.bias

    @b.setter
    def b(self, bias: Value) -> None:
        self.bias = bias


def is_of_a_layer(activation: object) -> bool:
    """Whether an activation is a function of all net inputs of a layer, and not of one neuron's."""
    return activation is softmax


def outputs_of(neurons: Iterable[Neuron], inputs: list[Value | float], caller: Neuron | None = None) -> list[Value]:
    """The neurons' outputs, for a list of as many inputs as each has weights.

    This is a loop, since a call for each neuron would take as long as all the rest. A neuron of a subclass may compute
    something else, so it is called, unless it is the caller itself.
    """
    outputs = []
    for neuron in neurons:
        if type(neuron) is not Neuron and neuron is not caller:
            outputs.append(neuron(inputs))
            continue
        weights, bias = neuron.weights, neuron.bias
        net_input = dot(weights, inputs, bias) if neuron.fused else net_input_term_by_term(weights, inputs, bias)
        activation = neuron.activation
        outputs.append(activation(net_input) if neuron.nonlin else net_input)
    return outputs


def net_input_term_by_term(weights: list[Value], inputs: list[Value | float], bias: Value) -> Value:
    """dot(weights, inputs, bias), with a node for every product and sum."""
    net_input = bias
    for weight, x in zip(weights, inputs, strict=True):
        net_input = net_input + multiply(weight, x)  # unlike *, it refuses an array as an x
    return net_input


class Layer(Module):
    """`nout` neurons with the same `nin` inputs; further arguments are those of each Neuron.

    With `activation=softmax` its outputs are probabilities, those of `autograd.softmax`: its neurons are linear, and
    compete. Raises ValueError for a single one, whose probability would always be 1. `cross_entropy` wants logits,
    those of a linear layer, and no softmax before it: it has its own.

    >>> random.seed(1)
    >>> Layer(2, 3, nonlin=False)
    Layer of [LinearNeuron(2), LinearNeuron(2), LinearNeuron(2)]
    >>> probabilities = Layer(2, 3, activation=softmax)
    >>> round(sum(probabilities([1.0, -1.0])).data, 12)
    1.0
    """

    is_softmax = False  # what a subclass has whose own constructor sets the neurons alone

    def __init__(self, nin: int, nout: int, **kwargs: Any) -> None:  # Any: see Neuron
        nout = positive("nout", nout)
        if kwargs.get("nonlin", True) and is_of_a_layer(kwargs.get("activation")):
            if nout == 1:
                raise ValueError(
                    "activation: softmax of a single neuron is always 1; give the layer a neuron for each class, or "
                    f"write Layer({nin}, 1, activation=sigmoid)"
                )
            self.is_softmax = True
            kwargs = kwargs | {"nonlin": False}
        self.neurons = [Neuron(nin, **kwargs) for _ in range(nout)]

    def __call__(
        self, x: Iterable[Value | float], *others: object
    ) -> Any:  # Any: a Value from a layer of width one, else a list of them
        """The neurons' outputs: a list of Values, or the Value itself where there is one neuron."""
        inputs = neuron_inputs(x, len(self.neurons[0].weights), others)
        outputs = outputs_of(self.neurons, inputs)
        if self.is_softmax:
            return softmax(outputs)
        return outputs[0] if len(outputs) == 1 else outputs

    def _shapes(self) -> tuple[Shape | None, Shape | None]:
        return (len(self.neurons[0].weights),), (len(self.neurons),)

    def __repr__(self) -> str:
        return f"{'Softmax layer' if self.is_softmax else 'Layer'} of [{', '.join(map(repr, self.neurons))}]"


class Sequential(Module):
    """Layers one after the other, each fed by the one before: any functions of a sequence of numbers.

    A method of Value, such as `autograd.tanh`, is a layer too: it is applied to each of the numbers. A layer that
    returns a single Value feeds the next one a sequence of one. Raises TypeError for what is no function.

    >>> from autograd import tanh
    >>> model = Sequential(Layer(3, 2, nonlin=False), LayerNorm(2), tanh, Layer(2, 1, nonlin=False))
    >>> model
    Sequential of [Layer of [LinearNeuron(3), LinearNeuron(3)], LayerNorm(2), tanh, Layer of [LinearNeuron(2)]]
    >>> len(model.parameters())
    15
    """

    def __init__(self, *layers: Callable[[Any], Any]) -> None:
        for layer in layers:
            if not callable(layer) or isinstance(layer, type):
                raise TypeError(f"Sequential: expected layers, such as Layer(2, 3), got {layer!r}")
        self.layers: list[Any] = list(layers)  # Any: each its own kind of function

    def __call__(
        self, x: Iterable[Value | float], *others: object
    ) -> Any:  # Any: a Value if the last layer's width is one, else a list
        """What the last layer returns: a list of Values, or where its width is one the Value itself."""
        outputs: Any = x
        for k, layer in enumerate(self.layers):
            is_single = k > 0 and isinstance(outputs, Value)
            try:
                outputs = applied(layer, [outputs] if is_single else outputs, *(others if k == 0 else ()))
            except Exception as error:
                if k > 0:  # the first has the inputs of all
                    error.add_note(f"This was in layers[{k}] of a {type(self).__name__}, {name_of(layer)}.")
                raise
            if is_single and isinstance(outputs, list) and len(outputs) == 1:
                [outputs] = outputs  # as Dropout returns the one that it got
        return outputs

    def _shapes(self) -> tuple[Shape | None, Shape | None]:
        """Those of the first layer's inputs and the last one's outputs; layers that keep any shape do not count."""
        any_shape = (("n",), ("n",))
        layers = [layer for layer in self.layers if not is_elementwise(layer)]
        pairs = [declared_shapes(layer) if isinstance(layer, Module) else (None, None) for layer in layers]
        shaping = [pair for pair in pairs if pair != any_shape] or [any_shape]
        inputs, outputs = shaping[0][0], shaping[-1][1]
        is_of_another_length = len(shaping) > 1 and any(side != "n" for side in outputs or () if isinstance(side, str))
        return inputs, None if is_of_another_length else outputs

    def __repr__(self) -> str:
        layers = [repr(layer) if isinstance(layer, Module) else name_of(layer) for layer in self.layers]
        return f"{type(self).__name__} of [{', '.join(layers)}]"


def applied(layer: Callable[..., Any], x: Any, *others: object) -> Any:
    """The layer's outputs. A method of Value takes a number, and so the inputs one by one."""
    if is_elementwise(layer) and not others:
        return [layer(number) for number in scalars(name_of(layer), x)]
    return layer(x, *others)


def is_elementwise(function: object) -> bool:
    """Whether it is a method of Value, such as `autograd.tanh`, which takes a number."""
    return callable(function) and not isinstance(function, Module) and vars(Value).get(name_of(function)) is function


def name_of(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


class MLP(Sequential):
    """A multilayer perceptron: layers of the widths `nouts`, each fed by the one before, the first by `nin` inputs.

    The last layer is linear, all others have the activation. Raises TypeError or ValueError if a width is not a
    positive int, or if there is none.

    >>> model = MLP(2, [3, 1])
    >>> model
    MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(3)]]
    >>> len(model.parameters())
    13
    >>> type(model([1.0, -2.0]))
    <class 'autograd.Value'>
    """

    def __init__(
        self,
        nin: int,
        nouts: Iterable[int],
        activation: Callable[[Value], Value] = relu,
        fused: bool = True,
    ) -> None:
        if not is_sequence(nouts):
            raise TypeError(f"nouts: expected the widths of the layers, such as [16, 16, 1], got {shortened(nouts)}")
        widths = [nin, *nouts]
        if len(widths) == 1:
            raise ValueError("nouts: expected the width of at least one layer, such as [16, 16, 1], got none")
        self.layers = [
            Layer(widths[i], widths[i + 1], nonlin=i < len(widths) - 2, activation=activation, fused=fused)
            for i in range(len(widths) - 1)
        ]


class LayerNorm(Module):
    """gain_i (x_i − μ) / √(σ² + ε) + bias_i, with the mean μ and the variance σ² of the n inputs of one example.

        μ = (1/n) Σ x_i,    σ² = (1/n) Σ (x_i − μ)²

    Arguments:
        width: the number n of inputs.
        epsilon: ε, which keeps the quotient finite where all inputs are the same.

    The gains are 1 to begin with, the biases 0. Raises TypeError or ValueError if `width` is not a positive int or
    epsilon negative. The squares have to be floats: it is for inputs up to 1e150, and with epsilon=0.0 one of them has
    to differ from the mean by at least 1e-150. Below, its square loses digits, and where the squares are 0, as of equal
    inputs, ZeroDivisionError is raised.
    Source: Ba, Kiros and Hinton, "Layer normalization", 2016, equations 3 and 4.

    >>> [round(y.data, 6) for y in LayerNorm(2, epsilon=0.0)([3.0, 1.0])]
    [1.0, -1.0]
    """

    epsilon = Within(0.0, math.inf)

    def __init__(self, width: int, epsilon: float = 1e-5) -> None:
        width = positive("LayerNorm: width", width)
        self.epsilon = epsilon
        self.gain = [Value(1.0, label=f"g{i}") for i in range(width)]
        self.bias = [Value(0.0, label=f"b{i}") for i in range(width)]

    def __call__(self, x: Iterable[Value | float]) -> list[Value]:
        """The n outputs for n inputs, Values or numbers. Raises ValueError if there are more or fewer."""
        inputs = scalars("LayerNorm", neuron_inputs(x, len(self.gain), what="LayerNorm", which="one for each gain"))
        mean = sum(inputs) / len(inputs)
        centred = [x - mean for x in inputs]
        deviation = sqrt(dot(centred, centred) / len(inputs) + self.epsilon)
        return [g * (c / deviation) + b for g, c, b in zip(self.gain, centred, self.bias, strict=True)]

    def _shapes(self) -> tuple[Shape | None, Shape | None]:
        return (len(self.gain),), (len(self.gain),)

    def __repr__(self) -> str:
        return f"LayerNorm({len(self.gain)})"


class Embedding(Module):
    """A table of `count` rows of `width` numbers to learn, of which each example looks some up by their indices.

    The row of a word or of a letter takes the place of a one-hot vector times a matrix, and costs no more than the row.

    Arguments:
        count: how many rows there are, for the indices 0 to count − 1.
        width: how many numbers each has.
        deviation: the standard deviation of the first numbers, drawn from the normal distribution; 1 is PyTorch's.

    Raises TypeError or ValueError if `count` or `width` is not a positive int, or `deviation` is negative.
    Source: Y. Bengio et al., "A neural probabilistic language model", 2003, section 2.

    >>> embedding = Embedding(10, 3)
    >>> embedding(7) == embedding.weights[7]
    True
    """

    def __init__(self, count: int, width: int, deviation: float = 1.0) -> None:
        count, width = positive("Embedding: count", count), positive("Embedding: width", width)
        size = standard_deviation("Embedding: deviation", deviation)
        self.weights = [[Value(random.gauss(0.0, size), label=f"e{i},{j}") for j in range(width)] for i in range(count)]

    def __call__(self, index: Value | float) -> list[Value]:
        """The row at the index: a list of `width` Values.

        An index that is a Value, as the input of a tape is, is looked up in the graph, by `autograd.take`.
        Raises ValueError unless the index is a whole number from 0 to count − 1, TypeError if it is no number.
        """
        with suppress(OverflowError):  # an int beyond the largest float is no index either
            try:
                [given] = scalars("Embedding: index", [index])
            except TypeError as error:
                raise TypeError(advised(str(error), index)) from None
            number = given.data if isinstance(given, Value) else given
            if 0 <= number < len(self.weights) and number == int(number):
                if isinstance(given, Value):
                    return [take(column, given) for column in zip(*self.weights, strict=True)]
                return [*self.weights[int(number)]]
        shown = shortened(index.data if isinstance(index, Value) else index)
        raise ValueError(f"Embedding: index: expected a whole number from 0 to {len(self.weights) - 1}, got {shown}")

    def _shapes(self) -> tuple[Shape | None, Shape | None]:
        return (), (len(self.weights[0]),)

    def __repr__(self) -> str:
        return f"Embedding({len(self.weights)}, {len(self.weights[0])})"


def advised(error: str, index: object) -> str:
    """The error of an index that is no number, with what to do where it is a word, or a whole sentence."""
    expected = "Embedding: index: expected the number of a row, got"
    if isinstance(index, str):
        return f"{expected} str: {index!r}; give each word a number first"
    if is_sequence(index):
        return f"{error}; or row by row: [embedding(word) for word in sentence]"
    return error
