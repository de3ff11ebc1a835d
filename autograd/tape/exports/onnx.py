"""to_onnx() writes a Wengert list as an ONNX model: an operator for each group of its instructions.

A layer is a `Gemm`, and its weights are one initializer. So a program that shows ONNX models shows the network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, product, takewhile
from typing import TYPE_CHECKING

from autograd import packages
from autograd.engines import Value
from autograd.operands import described
from autograd.operations import ROWS
from autograd.packages import numpy
from autograd.tape import executors
from autograd.tape.groups import Product, find_groups
from autograd.tape.wengert import ON_INPUTS, TAKE

try:
    import onnx
    from onnx import helper, numpy_helper
except ImportError as error:
    raise ImportError(f"a tape is written in ONNX by the package onnx: {packages.install('onnx')}") from error

from autograd.tape.exports.operators import INT64, Functions, imports, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from autograd.tape.groups import Group
    from autograd.tape.wengert import WengertList

    Numbers = NDArray[numpy.float64]

IR_VERSION = 8  # the first with functions


def to_onnx(wengert: WengertList, parameters: Numbers, labels: Sequence[str], dtype: str) -> onnx.ModelProto:
    """What Tape.to_onnx() returns. The labels are those of the inputs, and then of the parameters."""
    found = find_groups(wengert)
    writer = Writer(wengert, numbers_of(wengert, parameters, found.constants), labels, dtype)
    for groups in with_shared_weights(found.groups):
        writer.write(groups)
    return writer.model()


def labelled(leaves: Sequence[Value], names: Iterable[tuple[str, Value]]) -> list[str]:
    """The names of the leaves, or else their labels. Raises as Tape.to_onnx() says."""
    named = {id(value): name for name, value in pairs(names)}
    if named and named.keys().isdisjoint(map(id, leaves)):
        raise ValueError(
            "Tape.to_onnx: names: expected those of the tape's parameters, got names of none of them; a copy of the "
            "model, or another one, has parameters of its own"
        )
    return [named.get(id(leaf), leaf.label) for leaf in leaves]


def pairs(names: Iterable[tuple[str, Value]]) -> Iterator[tuple[str, Value]]:
    expected = "Tape.to_onnx: names: expected pairs of a name and a parameter, as model.named_parameters() has them"
    if not isinstance(names, Iterable):
        raise TypeError(f"{expected}, got {described(names)}")
    for pair in names:
        match pair:
            case (str(), Value()):
                yield pair
            case _:
                raise TypeError(f"{expected}, got {described(pair)}")


def with_shared_weights(groups: list[Group]) -> Iterator[list[Group]]:
    """The groups; together those that are one layer at several places, as a convolution is: none needs another."""
    together: list[Group] = []
    for group in groups:
        if together and not is_at_another_place(group, together):
            yield together
            together = []
        together.append(group)
    if together:
        yield together


def is_at_another_place(group: Group, others: list[Group]) -> bool:
    first = others[0]
    if not isinstance(group, Product) or not isinstance(first, Product) or group.weights != first.weights:
        return False
    computed = {*chain.from_iterable(other.results for other in others)}
    return group.biases == first.biases and computed.isdisjoint([*group.inputs, *group.biases])


class Writer:
    """Writes a model, whose tensors are (batch, columns). `place` has the tensor and the column of what varies.

    What depends on no input is written as the number that it is now.
    """

    def __init__(self, wengert: WengertList, numbers: Numbers, labels: Sequence[str], dtype: str) -> None:
        self.wengert, self.dtype = wengert, dtype
        self.labels = [label.encode(errors="replace").decode() for label in labels]  # a lone surrogate is no UTF-8
        self.numbers = numbers  # numbers_of() the list
        self.operands: dict[int, list[Any]] = {result: read for result, _, read in wengert.instructions()}
        self.place = {variable: ("inputs", variable) for variable in range(wengert.inputs)}
        self.width = {"inputs": wengert.inputs}
        self.functions = Functions(dtype)
        self.type = helper.np_dtype_to_tensor_dtype(numpy.dtype(dtype))
        self.nodes: list[onnx.NodeProto] = []
        self.known: dict[tuple[object, ...], str] = {}  # the names of what has been written: nothing is written twice
        self.initializers: list[onnx.TensorProto] = []
        self.taken, self.uses = {"inputs", "outputs"}, Counter[str]()

    def write(self, groups: list[Group]) -> None:
        """Writes the operator that computes a group, or a layer at several places."""
        products = [group for group in groups if isinstance(group, Product)]
        if products:
            self.computed(self.layer(products), [result for group in groups for result in group.results])
        elif groups[0].row == TAKE and all(self.is_uniform(self.operands[v][0]) for v in groups[0].results):
            self.lookup(groups[0])
        else:
            self.computed(self.operation(groups[0]), groups[0].results)

    def computed(self, tensor: str, results: Sequence[int]) -> None:
        self.place |= {result: (tensor, column) for column, result in enumerate(results)}
        self.width[tensor] = len(results)

    def lookup(self, group: Group) -> None:
        """`Gather`, from one table of all sequences: at each index the rows of all are looked up."""
        read = [self.operands[result] for result in group.results]
        columns = {tuple(sequence): None for sequence, _ in read}
        indices = {index: None for _, index in read}
        table = self.initializer(numpy.array([*columns]).T, "table")
        places = self.node("Cast", self.gathered([*indices]), to=INT64)
        found = self.reshaped(self.node("Gather", table, places, axis=0), len(indices) * len(columns))
        self.width[found] = len(indices) * len(columns)
        column = {pair: k for k, pair in enumerate(product(indices, columns))}
        for result, (sequence, index) in zip(group.results, read, strict=True):
            self.place[result] = found, column[index, tuple(sequence)]

    def operation(self, group: Group) -> str:
        name, members = ROWS[group.row].name, len(group.results)
        inputs = []
        for operand in zip(*(self.operands[result] for result in group.results), strict=True):
            if isinstance(operand[0], list):
                inputs.append(self.tensor([*chain(*operand)], members, group.length))
            else:
                inputs.append(self.tensor(operand, members))
        output = self.unused(name)
        self.nodes.append(self.functions.node(name, inputs, output))
        self.nodes[-1].name = output
        return output

    def layer(self, groups: list[Product]) -> str:
        """weights · inputs + biases: `Gemm`; at several places `MatMul`, of tensors (batch, places, columns)."""
        first, neurons, places = groups[0], len(groups[0].results), len(groups)
        inputs = self.tensor(
            [*chain(*(group.inputs for group in groups))], *([places] if places > 1 else []), first.length
        )
        weights = numpy.array(first.weights)
        matrix = self.initializer(weights if places == 1 else weights.T, "weights")
        has_biases = max(first.biases) >= 0 or self.numbers[first.biases].any()  # or else they are the constant 0
        bias = [self.tensor(first.biases, neurons, kind="biases")] if has_biases else []
        if places == 1:
            return self.node("Gemm", inputs, matrix, *bias, transB=1)
        result = self.node("MatMul", inputs, matrix)
        return self.reshaped(self.node("Add", result, *bias) if bias else result, places * neurons)

    def is_uniform(self, variables: Sequence[int]) -> bool:
        return self.place.keys().isdisjoint(variables)

    def tensor(self, variables: Sequence[int], *shape: int, kind: str = "constants") -> str:
        """The tensor of these variables, (batch, *shape); (1, *shape) or a scalar if they depend on no input."""
        if self.is_uniform(variables):
            is_one = len({*variables}) == 1 and len(shape) == 1
            table = numpy.array(variables[0]) if is_one else numpy.array(variables, int).reshape(1, *shape)
            return self.initializer(table, kind)
        varies = [variable in self.place for variable in variables]
        one = variables[varies.index(True)]
        result = self.gathered([v if varying else one for v, varying in zip(variables, varies, strict=True)])
        if not all(varies):
            result = self.node(
                "Where", self.constant("varies", [varies]), result, self.initializer(numpy.array([variables]))
            )
        return result if len(shape) == 1 else self.reshaped(result, *shape)

    def gathered(self, variables: Sequence[int]) -> str:
        """The tensor whose columns are these variables, all of which depend on inputs."""
        places = [self.place[variable] for variable in variables]
        first: dict[str, int] = {}  # of each tensor, the place of its first column, side by side with the others
        width = 0
        for tensor, _ in places:
            if tensor not in first:
                first[tensor] = width
                width += self.width[tensor]
        columns = [first[tensor] + column for tensor, column in places]
        whole = self.node("Concat", *first, axis=1) if len(first) > 1 else next(iter(first))
        return (
            whole
            if columns == [*range(width)]
            else self.node("Gather", whole, self.constant("columns", columns), axis=1)
        )

    def reshaped(self, tensor: str, *shape: int) -> str:
        return self.node("Reshape", tensor, self.constant("shape", [0, *shape]))  # 0: as many examples as there are

    def node(self, operator: str, *inputs: str, **attributes: object) -> str:
        key = operator, *inputs, *attributes.items()
        if key not in self.known:
            self.known[key] = output = self.unused(operator)
            self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return self.known[key]

    def constant(self, name: str, numbers: Sequence[Any]) -> str:
        """A tensor of integers, or booleans."""
        return self.stored(name, numpy.array(numbers), str(numbers))

    def initializer(self, variables: NDArray[numpy.int_], kind: str = "constants") -> str:
        """A tensor of the numbers of variables that depend on no input. Of all others, 0."""
        leaves = [v for v in variables.ravel().tolist() if self.wengert.inputs <= v < self.wengert.first_result]
        name = stem([self.labels[v] for v in leaves if self.labels[v]]) or kind
        return self.stored(name, rounded(self.numbers[variables], self.dtype), variables.tobytes(), variables.shape)

    def stored(self, name: str, array: NDArray[Any], *key: object) -> str:
        if key not in self.known:
            self.known[key] = text = self.unused(name)
            self.initializers.append(numpy_helper.from_array(array, text))
        return self.known[key]

    def unused(self, name: str) -> str:
        """The name, with a number behind it where it is taken."""
        text = name
        while text in self.taken:
            self.uses[name] += 1
            text = f"{name}_{self.uses[name]}"
        self.taken.add(text)
        return text

    def model(self) -> onnx.ModelProto:
        self.write_outputs()
        shapes = {"inputs": self.wengert.inputs, "outputs": len(self.wengert.outputs)}
        inputs, outputs = (
            helper.make_tensor_value_info(name, self.type, ["batch", width]) for name, width in shapes.items()
        )
        inputs.doc_string = ", ".join(self.labels[: self.wengert.inputs]).strip(", ")
        graph = helper.make_graph(self.nodes, "tape", [inputs], [outputs], self.initializers)
        return helper.make_model(
            graph,
            functions=[*self.functions.written.values()],
            opset_imports=imports(),
            ir_version=IR_VERSION,
            producer_name="scalar-autograd",
        )

    def write_outputs(self) -> None:
        """Gives the tensor of the outputs its name."""
        variables = self.wengert.outputs.tolist()
        result = self.tensor(variables, len(variables))
        if self.is_uniform(variables):
            examples = self.node("Shape", "inputs", start=0, end=1)
            shape = self.node("Concat", examples, self.constant("shape", [len(variables)]), axis=0)
            result = self.node("Expand", result, shape)
        if not any(result in node.output for node in self.nodes):
            result = self.node("Identity", result)
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = ["outputs" if name == result else name for name in names]


def numbers_of(wengert: WengertList, parameters: Numbers, constants: Sequence[float]) -> Numbers:
    """The numbers of the variables that depend on no input, and of the constants from the end; of all others, 0.

    The constants are those of the groups, which name more of them than the list has.
    """
    uniform = numpy.flatnonzero(wengert.dependences & ON_INPUTS == 0).astype(numpy.int32)
    wanted = replace(wengert, outputs=uniform)
    outputs, example, unused = numpy.empty((1, len(uniform))), numpy.zeros((1, wengert.inputs)), numpy.empty(0)
    program = executors.program(executors.checked(None, wanted), wanted)
    program.replay(1, example, parameters, outputs, None, unused, None, 1)
    numbers = numpy.zeros(len(wengert.dependences))
    numbers[uniform] = outputs[0]
    return numpy.append(numbers, constants[::-1])


def stem(labels: Sequence[str]) -> str:
    """What these labels have in common: `w` of w0, w1; `layers.0.weights` of layers.0.weights.0, layers.0.weights.1."""
    parts = zip(*(label.split(".") for label in labels), strict=False)
    stems = [part[0] if len({*part}) == 1 else shared_start(part).rstrip("0123456789[](),_- ") for part in parts]
    return ".".join(filter(None, stems))


def shared_start(texts: Sequence[str]) -> str:
    alike = takewhile(lambda letters: len({*letters}) == 1, zip(*texts, strict=False))
    return "".join(letters[0] for letters in alike)
