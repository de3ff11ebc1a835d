"""Summarizing finds out what a model is made of, for `Module.summary`. Nothing is guessed.

A shape is what a Module of `nn` declares, or what was seen when the model ran; multiply-adds are counted on the graph
that a run has recorded. Without an example only that is run, on zeros, which computes the same on any numbers: layers
of `nn` with functions of the engine. What remains unknown is None.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from threading import RLock
from types import FunctionType

from autograd import RecordingError, Tape, Value, softmax, structures
from autograd.displays import definer, package_of
from autograd.graph import topological_order
from autograd.undo import undisturbed
from autograd.wording import counted
from nn.convolution import Convolution
from nn.dropout import drawing, nobody
from nn.layers import Layer, Neuron, is_elementwise, name_of
from nn.module import Module, contents, declared_shapes, elements_in, entries_in, values_of, walk
from nn.summary import UNKNOWN, Row, Summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from nn.summary import Shape

WITHOUT_AN_EXAMPLE = "?: not known without an example; summary(inputs) runs the model on one"
OF_ONE_CALL = "multiply-adds of layers are those of one call"
WITH_AN_EXAMPLE = "?: not called by itself, called with other things than numbers, or computed without a graph"


def summarized(model: Module, inputs: tuple[Any, ...]) -> Summary:
    """What `Module.summary` returns."""
    modules = dict(named_modules(model))
    found: dict[int, Found] = {}
    if inputs:
        found = run(model, inputs)
    for module in [] if inputs else [model, *modules.values()]:
        zeros = None if id(module) in found else zeros_for(module)
        if zeros is not None:
            with suppress(Exception):  # what cannot be run on zeros stays unknown
                found |= run(module, (zeros,))
    own = {name: beside(module) for name, module in {"": model, **modules}.items()}
    rows = [*rows_of(model, modules, own, found)] or [row_of("itself", model, found)]
    total = row_of("in all", model, found)
    holders = Counter(parameter for parameters in own.values() for parameter in parameters)
    shared = sum(count > 1 for count in holders.values())
    notes = {
        WITH_AN_EXAMPLE if inputs else WITHOUT_AN_EXAMPLE: any(row.is_unknown for row in [*rows, total]),
        OF_ONE_CALL: total.multiply_adds is None and any(row.multiply_adds is not None for row in rows),
        f"{counted(shared, 'parameter')} of several layers, counted once in all": shared > 0,
    }
    return Summary(rows, total, [note for note, holds in notes.items() if holds])


Module._summarized = summarized

# ---- What there is


def named_modules(holder: object) -> Iterator[tuple[str, Module]]:
    """The Modules in a Module or container, each once with its first name; without the neurons of layers."""
    seen = {id(holder): holder}
    for keys, held in walk(holder, seen):
        if isinstance(held, Module) and is_row(held) and id(held) not in seen:
            yield ".".join(keys), held


def rows_of(
    model: Module, modules: dict[str, Module], own: dict[str, list[Value]], found: dict[int, Found]
) -> Iterator[Row]:
    """A row for each Module in a model, and below it one for the parameters that it has beside those of others."""
    for name, module in {"": model, **modules}.items():
        if module is not model:
            yield row_of(name, module, found)
        if own[name] and any(True for _ in held_rows(module, {})):
            ways = {id(parameter): way for way, entry in entries_in(module) for _, parameter in elements_in("", entry)}
            names = [f"{name}.{ways.get(id(parameter), UNKNOWN)}".removeprefix(".") for parameter in own[name]]
            yield Row(", ".join(dict.fromkeys(names)), "", None, None, len(own[name]), None)


def row_of(name: str, module: Module, found: dict[int, Found]) -> Row:
    seen, (inputs, outputs) = found.get(id(module), Found()), declared_shapes(module)
    shapes = chosen(seen.inputs, inputs), chosen(seen.outputs, outputs)
    return Row(name, kind_of(module), *shapes, len(module.parameters()), seen.multiply_adds)


def beside(module: Module) -> list[Value]:
    """The parameters that a Module has beside those of the Modules in it that have rows of their own."""
    theirs = {parameter for held in held_rows(module, {}) for parameter in held.parameters()}
    return [parameter for parameter in module.parameters() if parameter not in theirs]


def held_rows(holder: object, seen: dict[int, object]) -> Iterator[Module]:
    """The Modules with rows that a Module or container holds, but not those that these hold."""
    for _, held in walk(holder, seen):
        if isinstance(held, Module) and is_row(held) and id(held) not in seen:
            seen[id(held)] = held  # which is not walked through
            yield held


def is_row(module: Module) -> bool:
    return not isinstance(module, Neuron)


def kind_of(module: Module) -> str:
    """The class, and of layers the activation."""
    neurons = module.neurons if isinstance(module, Layer) else [module]
    names = [
        "softmax" if isinstance(module, Layer) and module.is_softmax
        else name_of(neuron.activation) if getattr(neuron, "nonlin", True) else "linear"
        for neuron in neurons if isinstance(neuron, (Neuron, Convolution))
    ]  # fmt: skip
    return ", ".join([type(module).__name__, *dict.fromkeys(names)])


# ---- What a run shows


@dataclass
class Found:
    """What a Module's calls in a run have shown: the shapes, a pair for each call, and the multiply-adds of all."""

    inputs: list[Shape | None] = field(default_factory=list)
    outputs: list[Shape | None] = field(default_factory=list)
    multiply_adds: int | None = None


@dataclass
class Call:
    """A call of a Module. What the graph has between `start` and `end`, two leaves, was computed by it."""

    module: Module
    inputs: Shape | None
    start: Value
    outputs: Shape | None = None
    end: Value | None = None  # None where it raised, and where it returned what is yet to be computed


@dataclass
class Calls:
    """The calls so far, each of them the outermost of its Module, and the Modules whose calls have not ended."""

    all: list[Call] = field(default_factory=list)
    open: list[Module] = field(default_factory=list)


calls_of_run: ContextVar[Calls | None] = ContextVar("calls_of_run", default=None)
one_at_a_time = RLock()  # the classes' methods are other ones while it is held


def run(model: Any, inputs: tuple[Any, ...]) -> dict[int, Found]:
    """What is found of the model and of each Module in it, by its id, when it runs on the inputs, in evaluation mode.

    It runs on Values, as a tape has it, or on the inputs as they are, where the model chooses by their numbers, or they
    are none. Raises RecordingError within `no_grad()`, and what the model raises.
    """
    if not (Value(0.0) * 1.0).parents:
        raise RecordingError("summary: within no_grad() nothing is recorded, and so nothing counted; call it outside")
    calls, leaves, outputs = Calls(), {*model.parameters()}, list[Value]()

    def computed(*arguments: Any) -> list[Value]:
        nonlocal calls, outputs
        calls = Calls()
        leaves.update(values_in(arguments))
        with noticing({type(module) for module in model.modules()}, calls):
            result = model(*arguments)
        outputs = values_in(result)
        return outputs

    with undisturbed(model.parameters()):
        try:
            drawing(nobody, Tape.record, computed, inputs)
        except Exception:
            drawing(nobody, computed, *inputs)
    has_graph = outputs and all(output.parents or output in leaves for output in outputs)
    return findings(calls.all, multiply_adds_before(calls.all, outputs) if has_graph else None)


def values_in(structure: Any) -> list[Value]:
    return [leaf for leaf in structures.flatten(structure)[0] if isinstance(leaf, Value)]


@contextmanager
def noticing(kinds: Iterable[type], calls: Calls) -> Iterator[None]:
    """Meanwhile the calls in this context of objects of these classes are noted. `drawing` has made it for this alone.

    An interrupt does not leave a class with another method: if it ends putting back, it is done once more.
    """
    definers: set[Any] = {definer(kind, "__call__") for kind in kinds}
    with one_at_a_time:
        originals = {kind: call for kind in definers if isinstance(call := vars(kind).get("__call__"), FunctionType)}
        calls_of_run.set(calls)
        try:
            for kind, method in originals.items():
                kind.__call__ = noted(method)
            yield
        finally:
            try:
                put_back(originals)
            finally:
                put_back(originals)


def put_back(originals: dict[Any, FunctionType]) -> None:
    for kind, method in originals.items():
        kind.__call__ = method


def noted(method: Callable[..., Any]) -> Callable[..., Any]:
    """A class's `__call__` that notes its calls, but for those of an object within one of the same object."""

    @wraps(method)
    def call_of(self: Module, *arguments: Any, **keywords: Any) -> Any:
        calls = calls_of_run.get()
        if calls is None or any(self is module for module in calls.open):
            return method(self, *arguments, **keywords)
        given = [argument for argument in (*arguments, *keywords.values()) if argument is not None]
        call = Call(self, shape_of(given[0]) if len(given) == 1 else None, Value(0.0))
        calls.all.append(call)
        calls.open.append(self)
        try:
            result = method(self, *arguments, **keywords)
        finally:
            calls.open.pop()
        call.outputs = shape_of(result)
        if not isinstance(result, (Iterator, Awaitable)):
            call.end = Value(0.0)
        return result

    return call_of


def findings(calls: list[Call], before: dict[Value, int] | None) -> dict[int, Found]:
    found: dict[int, Found] = {}
    for call in calls:
        own = found.setdefault(id(call.module), Found(multiply_adds=0))
        own.inputs.append(call.inputs)
        own.outputs.append(call.outputs)
        if own.multiply_adds is None or call.end is None or before is None:
            own.multiply_adds = None
        else:
            own.multiply_adds += before[call.end] - before[call.start]
    return found


def multiply_adds_before(calls: list[Call], outputs: list[Value]) -> dict[Value, int] | None:
    """How many the outputs' graph has before each start and end of a call: it is in the order of creation.

    A `dot` has as many as it has pairs, and a product is one. None if there is a node with parents but without an
    operation, as those that are made by hand: nobody knows what they took.
    """
    ends = [leaf for call in calls for leaf in (call.start, call.end) if leaf is not None]
    order = topological_order(*ends, *outputs)
    if any(node.parents and node.operation is None for node in order):
        return None
    total, before, places = 0, {}, {id(leaf) for leaf in ends}
    for node in order:
        if id(node) in places:
            before[node] = total
        elif node.operation is not None:
            total += len(node.operands[0]) if node.operation.name == "dot" else node.operation.name == "multiply"
    return before


# ---- What runs on zeros as it does on any numbers


def zeros_for(module: Module) -> Any:
    """Zeros in the shape of the module's inputs, if it is known and it computes the same on any numbers; else None."""
    shape, _ = declared_shapes(module)
    size = None if shape is None else size_of(shape)
    if size is None or not all(map(is_known, module.modules())):
        return None
    return [0.0] * size if shape else 0.0


def is_known(module: Module) -> bool:
    """Whether it computes what its class in `nn` says, with functions of the engine."""
    kinds = type(module).__mro__
    ours = {name for kind in kinds if package_of(kind) == PACKAGE for name in vars(kind)}
    others = {name for kind in kinds if package_of(kind) not in (PACKAGE, "builtins") for name in vars(kind)}
    if any(name == "__call__" or not name.startswith("__") for name in others & ours):
        return False  # a subclass computes something else
    is_linear = isinstance(module, Neuron) and not module.nonlin  # it does not ask its activation
    functions = [] if is_linear else [*functions_in(module), getattr(module, "activation", softmax)]
    return callable(module) and all(function is softmax or is_elementwise(function) for function in functions)


PACKAGE = package_of(Module)


def functions_in(holder: object) -> Iterator[Callable[..., Any]]:
    for held in values_of(contents(holder)):
        if callable(held) and not isinstance(held, (Module, Value)):
            yield held
        elif isinstance(held, (list, tuple, dict)):
            yield from functions_in(held)


# ---- Shapes


def shape_of(structure: Any) -> Shape | None:
    """Of a number, a Value, or nested sequences of these; "n" where parts have several lengths; None of others."""
    if isinstance(structure, (Value, int, float)):
        return ()
    parts = structures.sequence(structure)
    if parts is None:
        try:
            structures.number(structure)
        except (TypeError, ValueError, OverflowError):
            return None
        return ()
    shape = merged([*map(shape_of, parts)]) if parts else ()
    return None if shape is None else (len(parts), *shape)


def merged(shapes: Sequence[Shape | None]) -> Shape | None:
    """The shape of all; "n" for a side that differs."""
    known = [shape for shape in shapes if shape is not None]
    if len(known) < len(shapes) or len({*map(len, known)}) != 1:
        return None
    return tuple([sides[0] if len({*sides}) == 1 else "n" for sides in zip(*known, strict=True)])


def chosen(seen: Sequence[Shape | None], declared: Shape | None) -> Shape | None:
    """What was seen; what is declared where nothing was, or as many numbers in one row, as Convolution takes them."""
    shape = merged(seen)
    if shape is None or (declared and len(shape) <= 1 and size_of(shape) == size_of(declared)):
        return declared
    return shape


def size_of(shape: Shape) -> int | None:
    """How many numbers it has; None where any number may stand."""
    sides = [side for side in shape if isinstance(side, int)]
    return math.prod(sides) if len(sides) == len(shape) else None
