"""find_layers() finds the layers in a trace: neurons with the same inputs, of which the chain rule is a matrix's, too.

    z = W x + b    a = f(z)    δ = ∂result/∂z = f'(z) ∘ ∂result/∂a    ∂result/∂x = Wᵀ δ    ∂result/∂W = δ xᵀ

(M. A. Nielsen, "Neural Networks and Deep Learning", 2015, chapter 2.) What is a layer, the tape's groups say. They ask
which variables are inputs. A trace only has leaves; those are inputs, and numbers too, that a `dot` has in the place of
its inputs, or that are a factor of several products: a layer's neurons share their inputs, and not their weights.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from autograd.explaining.trace import Given
from autograd.operations import ROW
from autograd.packages import numpy
from autograd.tape import Product, WengertList, find_groups

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from autograd.explaining.trace import Entry, Operand, Trace

    Number: TypeAlias = "Entry | float"


@dataclass(eq=False)
class Layer:
    """Neurons with the same inputs. A weight, an input or a bias is an entry of the trace, or a number.

    weights     a row for each neuron, with one for each input
    inputs      what all neurons get
    biases      one for each neuron; none where no neuron has one
    nets        of each neuron the net input, z
    activation  the operation on them, "" if there is none, or not the same for all
    outputs     what it makes of each; without an activation, the net inputs
    """

    weights: list[list[Number]]
    inputs: list[Number]
    biases: list[Number]
    nets: list[Entry]
    activation: str
    outputs: list[Entry]


def find_layers(trace: Trace) -> list[Layer]:
    """The layers, in the order in which they are computed; none where NumPy is not installed, which tapes need."""
    if any(isinstance(entry.operation, Given) for entry in trace.entries):
        return []  # of such an operation no tape knows how it is computed
    try:
        numbering = Numbering(trace)
        groups = find_groups(numbering.wengert())
    except ImportError:
        return []
    products = [group for group in groups.groups if isinstance(group, Product)]
    found = [numbering.layer(product, groups.constants) for product in products]
    order = {entry: i for i, entry in enumerate(trace.entries)}
    layers = [with_activation(layer, trace) for layer in found if is_layer(layer)]
    return sorted(layers, key=lambda layer: order[layer.nets[0]])


def is_layer(layer: Layer) -> bool:
    """Not a single product: nobody would write it as a matrix."""
    return len(layer.inputs) > 1 or len(layer.nets) > 1


def with_activation(layer: Layer, trace: Trace) -> Layer:
    """The same with the operation that is all that becomes of each net input, if it is one and the same."""
    uses: dict[Entry, list[Entry]] = {net: [] for net in layer.nets}
    for entry in trace.entries:
        for parent in entry.parents:
            if parent in uses:
                uses[parent].append(entry)
    outputs = [users[0] for users in uses.values() if len(users) == 1 and len(users[0].parents) == 1]
    operations = {output.operation for output in outputs}
    if len(outputs) == len(layer.nets) and len(operations) == 1:
        [operation] = operations
        if operation and not operation.is_infix:
            layer.activation, layer.outputs = operation.name, outputs
    return layer


class Numbering:
    """The entries as a tape numbers them: inputs, parameters, results; and the numbers that are inputs."""

    def __init__(self, trace: Trace) -> None:
        self.entries = trace.entries
        leaves = [entry for entry in trace.entries if not entry.parents]
        inputs = inputs_among(trace, leaves)
        self.computed = [entry for entry in trace.entries if entry.parents]
        self.inputs: list[Number] = [*inputs]
        self.promoted: dict[tuple[float, ...], list[int]] = {}  # the numbers in a dot's inputs, by their sequence
        for entry in self.computed:
            if is_dot(entry) and all(isinstance(x, float) for x in entry.operands[1]):  # type: ignore[union-attr]
                sequence: tuple[float, ...] = entry.operands[1]  # type: ignore[assignment]
                if sequence not in self.promoted:
                    self.promoted[sequence] = [*range(len(self.inputs), len(self.inputs) + len(sequence))]
                    self.inputs += sequence
        self.parameters = [leaf for leaf in leaves if leaf not in inputs]
        self.order: list[Number] = [*self.inputs, *self.parameters, *self.computed]
        self.variable = {entry: i for i, entry in enumerate(self.order) if not isinstance(entry, float)}
        self.constants: list[float] = []

    def wengert(self) -> WengertList:
        rows = [ROW[entry.operation.name] for entry in self.computed if entry.operation]
        lengths = [max([len(o) for o in entry.operands if isinstance(o, tuple)], default=1) for entry in self.computed]
        operands = [variable for entry in self.computed for variable in self.operands(entry)]
        output = self.variable[self.entries[-1]]
        return WengertList(
            len(self.inputs),
            len(self.parameters),
            numpy.array(self.constants, numpy.float64),
            *(numpy.array(numbers, numpy.int32) for numbers in (rows, lengths, operands, [output])),
        )

    def operands(self, entry: Entry) -> Iterator[int]:
        for place, operand in enumerate(entry.operands):
            if place == 1 and is_dot(entry) and operand in self.promoted:
                yield from self.promoted[operand]  # type: ignore[index]
                continue
            for element in operand if isinstance(operand, tuple) else (operand,):
                yield self.constant(element) if isinstance(element, float) else self.variable[element]

    def constant(self, number: float) -> int:
        self.constants.append(number)
        return -len(self.constants)

    def layer(self, product: Product, constants: list[float]) -> Layer:
        def number(variable: int) -> Number:
            return self.order[variable] if variable >= 0 else constants[-1 - variable]

        weights = [[*map(number, row)] for row in product.weights]
        inputs = [*map(number, product.inputs)]
        biases = [*map(number, product.biases)]
        ones = len(self.constants) + 3  # the number of ONE, by which the tape multiplies a bias in a chain of products
        if product.inputs[-1] == -ones and not any(biases):
            biases, inputs, weights = [row[-1] for row in weights], inputs[:-1], [row[:-1] for row in weights]
        nets: list[Entry] = [self.order[result] for result in product.results]  # type: ignore[misc]
        return Layer(weights, inputs, [] if not any(biases) else biases, nets, "", nets)


def inputs_among(trace: Trace, leaves: Iterable[Entry]) -> set[Entry]:
    """The leaves that are inputs: see above."""
    beside_inputs: set[Operand] = set()
    factors: Counter[Operand] = Counter()
    for entry in trace.entries:
        if is_dot(entry):
            weights, inputs, bias = entry.operands
            assert isinstance(weights, tuple)
            assert isinstance(inputs, tuple)
            beside_inputs.update(weights, [bias])
            factors.update([*inputs, *inputs])
        elif entry.operation and entry.operation.name == "multiply":
            factors.update(entry.operands)
    return {leaf for leaf in leaves if factors[leaf] > 1 and leaf not in beside_inputs}


def is_dot(entry: Entry) -> bool:
    return entry.operation is not None and entry.operation.name == "dot"
