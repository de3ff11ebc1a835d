"""Weights go to NumPy and PyTorch, and come from there: each layer's as one matrix and one vector of biases.

    to_numpy(model)           {"layers.0.weight": array, "layers.0.bias": array, ...}
    from_numpy(model, arrays)
    to_torch(model, module)   sets the module's parameters to those of the model
    from_torch(model, module) sets the model's parameters to those of the module

A `Layer` has a weight of the shape (nout, nin), a row for each neuron, and a bias of the shape (nout,), as PyTorch's
`Linear` has them. (Keras and Flax have the weight's transpose.) Any other parameters have the names that they have in
the `state_dict`, and the shape of their list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby, zip_longest
from reprlib import repr as shortened
from typing import NamedTuple

from autograd import structures
from autograd.packages import numpy
from nn.arguments import is_sequence
from nn.module import Module, assign, matched, named_entries, numbers_in, single

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from numpy.typing import NDArray

    from nn.module import Entry

    Array = NDArray[numpy.float64]
    Named = list[tuple[str, Any]]  # Any: an array, a tensor, or nested lists of numbers


def to_numpy(model: Module) -> dict[str, Array]:
    """The model's parameters by name, as float64 arrays. `numpy.savez(path, **to_numpy(model))` keeps them in a file.

    Raises TypeError if the model is no Module, ValueError if a parameter has no name (see `Module.named_parameters`).

    >>> from nn import MLP
    >>> {name: array.shape for name, array in to_numpy(MLP(2, [3, 1])).items()}
    {'layers.0.weight': (3, 2), 'layers.0.bias': (3,), 'layers.1.weight': (1, 3), 'layers.1.bias': (1,)}
    """
    return {block.name: block.array() for block in blocks_of("to_numpy", model)}


def from_numpy(model: Module, arrays: Mapping[str, Any] | Iterable[Any]) -> None:
    """Sets the model's parameters to numbers from arrays; gradients stay as they are.

    Arguments:
        model: the Module.
        arrays: by name, as `to_numpy` gives them and `numpy.load` reads them from a file, or one after the other,
            [W1, b1, W2, b2]. Each may be an array of floats or ints of any size, a tensor of these, or nested lists.

    Raises TypeError for what are no arrays, ValueError if the names, the number of arrays or the shapes are not those
    of `to_numpy(model)`, or if something is no finite number. Nothing is changed then.

    >>> from nn import MLP
    >>> model = MLP(2, [1])
    >>> from_numpy(model, [[[0.5, -0.25]], [2.0]])
    >>> model([4.0, 8.0]).data
    2.0
    """
    blocks = blocks_of("from_numpy", model)
    if isinstance(arrays, Mapping):
        names = [block.name for block in blocks]
        if set(arrays) != set(names):
            table = side_by_side(blocks, list(arrays.items()))
            raise ValueError(f"from_numpy: the names differ. {table}\nTo go by the order, give a list of the arrays.")
        given = [(name, arrays[name]) for name in names]
    elif is_sequence(arrays) and not isinstance(arrays, (str, bytes)):
        given = [(f"array {i}", array) for i, array in enumerate(arrays)]
    else:
        raise TypeError(f"from_numpy: expected arrays, in a dict or in a list, got {shortened(arrays)}")
    receive("from_numpy", blocks, given)


def to_torch(model: Module, module: Any) -> None:
    """Sets the parameters of a PyTorch module to those of the model, in order.

    Arguments:
        model: the Module; it is not changed.
        module: a `torch.nn.Module` whose `parameters()` have the shapes of `to_numpy(model)`, in the same order, such
            as Sequential(Linear(2, 9), Tanh(), Linear(9, 1)) for MLP(2, [9, 1], tanh). Axes of length 1 do not count: a
            Neuron fits a Linear(nin, 1).

    The numbers are rounded to the module's dtype. PyTorch's default, float32, keeps 7 of 16 digits: `module.double()`
    keeps all. The activations are not looked at; nor are buffers.

    Raises TypeError for what is no such module, ValueError if the shapes are others, or if a number is not finite, or
    is not in that dtype. Nothing is changed then.
    """
    blocks = blocks_of("to_torch", model)
    tensors = tensors_of("to_torch", module, blocks)
    check_shapes("to_torch", blocks, tensors)
    for name, tensor in tensors:
        if not tensor.is_floating_point():
            raise ValueError(f"to_torch: expected floats, but {name} is of {tensor.dtype}")
    rounded = [tensor.new_tensor(numbers_in(block.entry)) for block, (_, tensor) in zip(blocks, tensors, strict=True)]
    for block, numbers, (name, _) in zip(blocks, rounded, tensors, strict=True):
        if not numbers.isfinite().all():
            raise ValueError(f"to_torch: {block.name} has a number that is not finite in {name}, of {numbers.dtype}")
    for numbers, (_, tensor) in zip(rounded, tensors, strict=True):
        tensor.copy_(numbers)


def from_torch(model: Module, module: Any) -> None:
    """Sets the model's parameters to those of a PyTorch module, in order; gradients stay as they are.

    Arguments and errors are those of `to_torch`, but here the module is not changed. No digit is lost.
    """
    blocks = blocks_of("from_torch", model)
    receive("from_torch", blocks, tensors_of("from_torch", module, blocks))


# ---- Blocks: the parameters that are one array


class Block(NamedTuple):
    name: str
    entry: Entry

    def array(self) -> Array:
        return numpy.array(numbers_in(self.entry))


def blocks_of(caller: str, model: Module) -> list[Block]:
    """What a model's state has under one name is a block, but neurons 0, 1, 2, ... are two, a weight and a bias."""
    if not isinstance(model, Module):
        raise TypeError(f"{caller}: expected a Module, got {shortened(model)}")
    single = [block for name, entry in named_entries(model).items() for block in even_blocks(name, entry)]
    blocks = [
        block for place, of_place in groupby(single, key=neurons_place) for block in stacked(place, list(of_place))
    ]
    return blocks if len({block.name for block in blocks}) == len(blocks) else single


def even_blocks(name: str, entry: Entry) -> Iterator[Block]:
    """The entry, or, where its lists have different lengths and so make no array, its elements."""
    if shape_of(entry) is not None:
        yield Block(name, entry)
    elif isinstance(entry, list):
        for i, element in enumerate(entry):
            yield from even_blocks(f"{name}.{i}", element)


def shape_of(numbers: Any) -> tuple[int, ...] | None:
    """The shape of an array, a tensor, or nested lists; None where these have different lengths."""
    if hasattr(numbers, "shape"):
        return tuple(numbers.shape)
    elements = structures.sequence(numbers)
    if elements is None:
        return ()
    shape, *others = {shape_of(element) for element in elements} or {()}
    return None if others or shape is None else (len(elements), *shape)


def neurons_place(block: Block) -> str:
    """Where the neurons are that a block is of: "layers.0.neurons."; "" if it is of none."""
    before, neurons, _ = f".{block.name}".rpartition(".neurons.")
    return f"{before}{neurons}"[1:]


def stacked(place: str, blocks: list[Block]) -> list[Block]:
    """The blocks of neurons 0, 1, 2, ..., with equally many weights, as a weight and a bias; others as they are."""
    names = [f"{place}{i}.{part}" for i in range(len(blocks) // 2) for part in ("weights", "bias")]
    weights, biases = [block.entry for block in blocks[::2]], [block.entry for block in blocks[1::2]]
    is_layer = [block.name for block in blocks] == names and shape_of(biases) == (len(biases),)
    if not is_layer or len(shape_of(weights) or ()) != 2:
        return blocks
    layer = place.removesuffix("neurons.")
    return [Block(f"{layer}weight", weights), Block(f"{layer}bias", biases)]


# ---- What is given


def receive(caller: str, blocks: list[Block], given: Named) -> None:
    check_shapes(caller, blocks, given)
    triples = (
        triple
        for block, (name, numbers) in zip(blocks, given, strict=True)
        for triple in matched(f"{caller}: {name}", block.entry, numbers)
    )
    assign(single(triples))


def tensors_of(caller: str, module: Any, blocks: list[Block]) -> Named:
    """The module's parameters, without their gradients, in the shape of the blocks where they differ by axes of 1."""
    if isinstance(module, Module) or not hasattr(module, "named_parameters"):
        raise TypeError(
            f"{caller}: expected the model, then a torch.nn.Module, got {shortened(module)}; "
            "from_numpy(model, state.values()) takes the tensors of a state_dict"
        )
    tensors = [(name, parameter.detach()) for name, parameter in module.named_parameters()]
    shapes = [shape_of(block.entry) for block in blocks] + [None] * len(tensors)
    return [
        (
            name,
            tensor.view(shape) if shape is not None and without_ones(shape) == without_ones(tensor.shape) else tensor,
        )
        for (name, tensor), shape in zip(tensors, shapes, strict=False)
    ]


def without_ones(shape: Iterable[int]) -> list[int]:
    return [length for length in shape if length != 1]


def check_shapes(caller: str, blocks: list[Block], given: Named) -> None:
    if [shape_of(block.entry) for block in blocks] != [shape_of(numbers) for _, numbers in given]:
        raise ValueError(f"{caller}: the shapes differ. {side_by_side(blocks, given)}")


def side_by_side(blocks: list[Block], given: Named) -> str:
    """A table of the model's names and shapes, and of those that were given."""
    own = [described(block.name, block.entry) for block in blocks]
    others = [described(name, numbers) for name, numbers in given]
    width = max(map(len, ["the model", *own]))
    rows = zip_longest(["the model", *own], ["given", *others], fillvalue="")
    return "\n".join(
        ["What the model has, and what was given:", *[f"    {mine:{width}}  {other}".rstrip() for mine, other in rows]]
    )


def described(name: str, numbers: Any) -> str:
    shape = shape_of(numbers)
    return f"{name} {'rows of different lengths' if shape is None else shape}"
