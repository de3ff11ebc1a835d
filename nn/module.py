"""Module is a part of a network: it finds the parameters in its attributes, names them, and keeps them in files.

A parameter is a leaf, a Value that was not computed. An attribute holds it by itself, in a Module, or in lists, dicts
and the like of these, however nested. Its name is the way to it: `layers.0.neurons.3.weights.5`. Tables and pictures
spell it as Python does: `layers[0].neurons[3].weights[5]`.
"""

from __future__ import annotations

import os
import warnings
from array import array
from collections import ChainMap, UserDict, UserList, deque
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from functools import partial
from reprlib import repr as shortened
from types import MappingProxyType, MemberDescriptorType

from autograd import Value, scatter, structures
from autograd.displays import Table, definer, in_notebooks, package_of
from autograd.packages import numpy
from autograd.wording import counted
from nn.arguments import finite, flag, nested_numbers
from nn.state import read_state, write_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence, Set
    from typing import Any, ClassVar, Self

    from nn.state import Numbers
    from nn.summary import Shape, Summary

    Entry = Value | list["Entry"]  # what a state has under one name: a parameter, or a list of parameters
    Contents = dict[Any, Any] | Sequence[Any]  # Any: whatever an attribute may be


# Whether `fit` learns, or `nn` measures: then all Modules are in this mode. None where nobody does.
current_mode: ContextVar[bool | None] = ContextVar("current_mode", default=None)


class Module:
    """A part of a network: the parameters in its attributes and slots.

    They are found in Modules, lists, tuples, deques and arrays of objects, in dicts and the like of them, and in the
    fields of dataclasses. They are not found in objects of other classes, nor is what only the class has as an
    attribute. A set has no order: a parameter that is nowhere but in a set is an error.

    A Value that was computed is no parameter, but a result. If it looks like one, as in
    `self.weight = Value(random.gauss(0, 1)) * 0.5`, then `fit`, `state_dict` and `save` warn: a leaf was meant,
    `Value(random.gauss(0, 0.5))`. A result that was computed under `no_grad()`, as when `fit` validates, is a leaf. In
    an attribute it would be taken for a parameter; its number is not: `self.last = result.data`.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slopes = [Value(2.0), Value(3.0)]
    ...         self.offset = Value(1.0)
    >>> [name for name, parameter in Line().named_parameters()]
    ['slopes.0', 'slopes.1', 'offset']
    >>> Line().state_dict()
    {'slopes': [2.0, 3.0], 'offset': 1.0}
    """

    __slots__ = ("__dict__", "__weakref__")  # as without this line, but dataclasses with slots look here

    if not TYPE_CHECKING:  # which would ask for a constructor that takes the same

        def __new__(cls, *arguments, **keywords):
            module = super().__new__(cls)
            # Else Python before 3.13 reads the attributes slowly once vars(), and so parameters(), was called.
            object.__setattr__(module, "__dict__", {})
            return module

    def parameters(self) -> list[Value]:
        """Each parameter once: those in slots in the order of the classes, base classes first, then those in other
        attributes, in the order in which they were set.

        A subclass may define this method itself. `zero_grad`, and the Modules that hold one of the subclass, call it.

        Raises ValueError if a parameter is in a set alone.
        """
        found: dict[Value, None] = {}
        sets: list[Iterable[object]] = []
        collect_parameters(values_of(contents(self)), found, {id(self): self}, sets)
        if sets:
            check_sets(self, sets, found)
        return list(found)

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """The pairs of name and parameter, for each of `parameters()`. One that is shared has the first of its names.

        Raises ValueError if no attribute leads to a parameter that a `parameters()` of a subclass returns, or as
        `parameters` does.
        """
        names: dict[Value, str] = {}
        for entry_name, entry in entries_in(self):
            for name, parameter in elements_in(entry_name, entry):
                names.setdefault(parameter, name)
        for parameter in self.parameters():
            if parameter not in names:
                raise ValueError(
                    f"{type(self).__name__}: no attribute leads to the parameter {parameter!r}, so it has no name; "
                    "keep it in an attribute, by itself or in a list, tuple, dict or Module"
                )
            yield names[parameter], parameter

    def zero_grad(self) -> None:
        """Sets the gradient of each parameter to 0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    @property
    def training(self) -> bool:
        """Whether it is in training mode, and not in evaluation mode.

        While `fit` learns, every Module is in training mode. Where `nn` measures, as `evaluate` and the validation of
        `fit` do, and in second-order methods, every Module is in evaluation mode. Otherwise it is in the mode that
        `train()` or `eval()` has put it in; at first, in training mode.
        """
        mode = current_mode.get()
        return vars(self).get("_training", True) if mode is None else mode

    @training.setter
    def training(self, mode: bool) -> None:
        vars(self)["_training"] = flag(f"{type(self).__name__}.training", mode)

    def modules(self) -> Iterator[Module]:
        """This module and all that it holds, each once, from the outside to the inside."""
        return (holder for holder, _ in holders(self) if isinstance(holder, Module))

    def train(self, mode: bool = True) -> Self:
        """Puts this module, and all that it holds, in training mode. Returns the module.

        It matters to `Dropout`, and to modules of one's own that ask for `self.training`.
        """
        mode = flag("train: mode", mode)
        for module in Module.modules(self):
            vars(module)["_training"] = mode  # also where it is frozen
        return self

    def eval(self) -> Self:
        """Puts this module, and all that it holds, in evaluation mode. Returns the module."""
        return self.train(False)

    def summary(self, *inputs: Any) -> Summary:  # Any: what the model takes
        """What the model is made of: its layers with their shapes, their parameters, and multiply-adds an example.

        Arguments:
            inputs: an example, as the model is called with it: `model(*inputs)`. The model runs on it, in evaluation
                mode; a second time if it chooses by the numbers. Without it, what is unknown is a "?".

        `print` shows the table, and notebooks do; `rows`, `total`, `parameters` and `multiply_adds` have its numbers.
        Multiply-adds are the products of the graph that an example records: of each `dot` as many as it has pairs. What
        Modules of `nn` take, with functions of the engine, is known without an example where their shapes are.

        Raises what the model raises on the inputs, RecordingError for inputs within `no_grad()`, where there is no
        graph, and ValueError if a parameter is in a set alone.

        >>> from nn import MLP
        >>> print(MLP(2, [16, 16, 1]).summary())
        layer      kind           inputs → outputs  parameters  multiply-adds
        layers[0]  Layer, relu    2 → 16                    48             32
        layers[1]  Layer, relu    16 → 16                  272            256
        layers[2]  Layer, linear  16 → 1                    17             16
        ─────────────────────────────────────────────────────────────────────
        in all     MLP            2 → 1                    337            304
        """
        return Module._summarized(self, inputs)

    # summarizing.py sets it, which imports this file and those of all kinds of Modules.
    _summarized: ClassVar[Callable[[Module, tuple[Any, ...]], Summary]]

    def _shapes(self) -> tuple[Shape | None, Shape | None]:
        """The shapes of the inputs and of the outputs, so far as they are known without a run."""
        return None, None

    def _table(self) -> Table:
        return Module.summary(self).table

    _repr_html_ = in_notebooks(_table)

    def __repr__(self) -> str:
        try:
            return f"<{type(self).__name__} of {counted(len(self.parameters()), 'parameter')}>"
        except Exception:  # a message that shows what is wrong may need it
            return object.__repr__(self)

    def state_dict(self) -> dict[str, Numbers]:
        """The parameters' numbers by name. Where an attribute is a list of parameters, its numbers are one list.

        Raises ValueError if a parameter has no name (see `named_parameters`), or if two have the same.
        """
        warn_of_computed(self)
        return {name: numbers_in(entry) for name, entry in named_entries(self).items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # Any: Numbers, or arrays or tensors of them
        """Sets the parameters to the numbers of a `state_dict`; gradients stay as they are.

        For a list of parameters, any sequence of numbers may be given, an array of NumPy or a tensor of PyTorch too.

        Raises ValueError if the names or shapes are not those of this module, or if something is no finite number;
        TypeError if the state is no dict. Nothing is changed then.
        """
        assign(checked(self, state))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the parameters to a file, as JSON with a checksum. `load` gets the same floats back.

        The file takes the place of an older one, and its permissions, in a single step at the end. Raises ValueError if
        a parameter is not finite, and OSError if the file cannot be written; an older file is still there then.
        """
        try:
            state = self.state_dict()
            checked(self, state)  # what could not be loaded is not written
            write_state(path, state)
        except ValueError as error:
            raise ValueError(f"cannot save {os.fspath(path)}: {error}") from None

    def load(self, path: str | os.PathLike[str]) -> Self:
        """Sets the parameters to those of a file that `save` wrote, and returns the module.

        A file has no more than parameters: the module is made as it was when it was saved, with the same activations.

        Raises OSError if the file cannot be read, and ValueError if it is not a whole and valid state of such a
        module, or if it has been changed since. Nothing is changed then.
        """
        try:
            self.load_state_dict(read_state(path))
        except ValueError as error:
            raise ValueError(f"cannot load {os.fspath(path)}: {error}") from None
        return self


def declared_shapes(module: Module) -> tuple[Shape | None, Shape | None]:
    """What `_shapes` of its class in `nn` says; nothing is known of a subclass with a `__call__` of its own."""
    kinds = type(module).__mro__
    declaring = next(kind for kind in kinds if "_shapes" in vars(kind) and package_of(kind) == package_of(Module))
    if kinds.index(definer(type(module), "__call__")) < kinds.index(declaring):
        return None, None
    shapes: tuple[Shape | None, Shape | None] = vars(declaring)["_shapes"](module)
    return shapes


# ---- What a Module or container holds


class Openers(dict[type, "Callable[[Any], Contents] | None"]):
    """For each class: how the contents of its objects are seen, as a dict or a sequence; None if they hold nothing."""

    def __missing__(self, kind: type) -> Callable[[Any], Contents] | None:
        if len(self) > 1000:  # classes that were made for a moment are not kept for ever
            self.clear()
        self[kind] = opener(kind)
        return self[kind]


def opener(kind: type) -> Callable[[Any], Contents] | None:
    if issubclass(kind, Module):
        slots = slots_of(kind)
        return partial(slots_and_attributes, slots) if slots else vars
    if issubclass(kind, (list, tuple, dict)):
        return itself
    if issubclass(kind, SETS):
        return unordered
    if issubclass(kind, (deque, UserList)):
        return list
    if issubclass(kind, (UserDict, ChainMap, MappingProxyType)):
        return dict
    if issubclass(kind, numpy.ndarray):
        return objects_in_array
    if is_dataclass(kind) and not issubclass(kind, (type, Value)):
        return fields_of_dataclass
    return None


OPENERS = Openers()
SETS = (set, frozenset)


def contents(holder: object) -> Contents:
    open = OPENERS[type(holder)]
    return open(holder) if open else ()


def values_of(inside: Contents) -> Iterable[object]:
    return inside.values() if isinstance(inside, dict) else inside


def itself(holder: Contents) -> Contents:
    return holder


def unordered(holder: Iterable[object]) -> Contents:
    """Nothing: what is in a set has no place, and no name. `check_sets` looks into it."""
    return ()


def slots_and_attributes(slots: Iterable[MemberDescriptorType], module: Module) -> dict[str, object]:
    """Of two slots of one name, a base class's and a class's, and of a slot and an attribute, there is one."""
    in_slots = {}
    for slot in slots:
        with suppress(AttributeError):  # nothing has been assigned to it
            in_slots[slot.__name__] = slot.__get__(module)
    return in_slots | vars(module) | in_slots  # the order of the first, the values of the last


def slots_of(kind: type) -> list[MemberDescriptorType]:
    """The slots of a class, those of its base classes first; of each class in the order in which it names them."""
    slots: list[MemberDescriptorType] = []
    for cls in reversed(kind.__mro__):
        if (names := vars(cls).get("__slots__")) is not None:
            names = [names] if isinstance(names, str) else list(names)
            private = f"_{cls.__name__.lstrip('_')}"
            place = {spelt: i for i, name in enumerate(names) for spelt in (name, private + name)}
            own = [member for member in vars(cls).values() if isinstance(member, MemberDescriptorType)]
            slots += sorted(own, key=lambda member: place.get(member.__name__, len(place)))
    return slots


def objects_in_array(holder: Any) -> Contents:
    if holder.dtype != object:
        return ()
    return holder.tolist() if holder.ndim else [holder.item()]


def fields_of_dataclass(instance: Any) -> dict[str, object]:
    return {field.name: getattr(instance, field.name) for field in fields(instance) if hasattr(instance, field.name)}


def collect_parameters(
    holdings: Iterable[Any], found: dict[Value, None], seen: dict[int, object], sets: list[Iterable[object]]
) -> None:
    """Adds the parameters in what a Module or container holds. What is in sets is left for later.

    `seen` ends the walk where one holds itself. It keeps all it has seen, lest something new gets the id of something
    that is gone.
    """
    waiting = [iter(holdings)]  # a loop, for Modules may hold each other to any depth
    while waiting:
        for held in waiting[-1]:
            if isinstance(held, Value):
                if not held.parents:
                    found[held] = None
            elif (open := OPENERS[type(held)]) and id(held) not in seen:
                seen[id(held)] = held
                if open is unordered:
                    sets.append(held)
                elif isinstance(held, Module) and type(held).parameters is not Module.parameters:
                    found.update(dict.fromkeys(held.parameters()))
                else:
                    waiting.append(iter(values_of(open(held))))
                    break
        else:
            waiting.pop()


def holders(module: Module) -> Iterator[tuple[object, list[object]]]:
    """The module, and all Modules and containers that it holds, each once and with what is in it, from the outside."""
    unseen: list[object] = [module]
    seen: dict[int, object] = {}
    while unseen:
        holder = unseen.pop()
        if id(holder) not in seen:
            seen[id(holder)] = holder
            inside: list[Any] = [*(holder if isinstance(holder, SETS) else values_of(contents(holder)))]
            unseen += [held for held in inside if OPENERS[type(held)]][::-1]
            yield holder, inside


def walk(holder: object, seen: dict[int, object]) -> Iterator[tuple[list[str], Any]]:
    """All that a Module or container holds, to any depth: the keys that lead there, and what is there.

    What a thing holds follows it, unless it is in `seen` by then, as it is from then on.
    """
    keys: list[str] = []
    waiting = [iter(items_in(holder))]
    while waiting:
        for key, held in waiting[-1]:
            keys.append(str(key))
            yield keys, held
            if OPENERS[type(held)] and id(held) not in seen:
                seen[id(held)] = held
                waiting.append(iter(items_in(held)))
                break
            keys.pop()
        else:
            waiting.pop()
            del keys[-1:]


def items_in(holder: object) -> Iterable[tuple[object, Any]]:
    inside = contents(holder)
    return inside.items() if isinstance(inside, dict) else enumerate(inside)


def check_sets(module: Module, sets: list[Iterable[object]], found: dict[Value, None]) -> None:
    in_sets: dict[Value, None] = {}
    seen: dict[int, object] = {}
    for held in sets:  # which grows where there are sets in it
        collect_parameters(held, in_sets, seen, sets)
    for parameter in in_sets:
        if parameter not in found:
            raise ValueError(
                f"{type(module).__name__}: the parameter {parameter!r} is in a set alone, where it has no place and no "
                "name; keep it in a list, or, if it is no parameter, define parameters()"
            )


def warn_of_computed(module: Module) -> None:
    """Warns of a Value that looks like a parameter, but was computed: `Value(random.gauss(0, 1)) * 0.5`."""
    name = None
    with suppress(Exception):  # of whatever the module holds: a hint is no reason to fail
        name = name_of_computed(module)
    if name is not None:
        warnings.warn(
            f"{type(module).__name__}: {name} was computed, and from no parameter: so it is neither trained nor saved. "
            "A parameter is a leaf, such as Value(x.data) with x computed before",
            stacklevel=3,
        )


def name_of_computed(module: Module) -> str | None:
    """That of a Value whose only parent is a leaf which is no parameter; None if there is none.

    Outputs, states and inputs that a module keeps have other parents, as a rule.
    """
    values = (held for _, inside in holders(module) for held in inside if isinstance(held, Value))
    alike = [held for held in values if len(held.parents) == 1 and not held.parents[0].parents]
    parameters = {*module.parameters()} if alike else set()
    computed = {id(held) for held in alike if held.parents[0] not in parameters}
    named = walk(module, {id(module): module}) if computed else ()
    return next((".".join(keys) for keys, held in named if id(held) in computed), None)


# ---- Entries: what has a name in a state


def named_entries(module: Module) -> dict[str, Entry]:
    """The entries of the module's state by name. Raises ValueError if a parameter has no name, or two have the same."""
    list(module.named_parameters())  # raises if a parameter has no name
    entries: dict[str, Entry] = {}
    for name, entry in entries_in(module):
        if name in entries:
            raise ValueError(f"{type(module).__name__}: two parameters have the name {name!r}; rename one")
        entries[name] = entry
    return entries


def entries_in(holder: object) -> Iterator[tuple[str, Entry]]:
    """What a state has of a Module or container: names, each with a parameter or a list of parameters.

    A list is left out if all of its parameters came before.
    """
    seen = {id(holder): holder}
    others: dict[int, object] = {}
    for keys, held in walk(holder, seen):
        entry = entry_of(held, others)
        if entry is not None:
            new: dict[int, object] = {id(parameter): parameter for _, parameter in elements_in("", entry)}
            if not new.keys() <= seen.keys():
                yield ".".join(keys), entry
            seen |= new | {id(held): held}  # which is not walked through


def entry_of(held: object, others: dict[int, object]) -> Entry | None:
    """The parameter, or the list of parameters, that something is; None if it is something else.

    `others` gets what is found to be something else, lest the inner ones of many are looked through for each outer one.
    """
    found: list[Entry] = []
    around: dict[int, object] = {}
    waiting = [(iter([held]), found)]
    while waiting:
        elements, entries = waiting[-1]
        for element in elements:
            if isinstance(element, Value) and not element.parents:
                entries.append(element)
                continue
            inside = contents(element)
            if not inside or isinstance(inside, dict) or id(element) in around or id(element) in others:
                others |= around
                return None
            around[id(element)] = element
            if isinstance(element, numpy.ndarray) and not element.ndim:
                inner = entries  # it is its element
            else:
                entries.append(inner := [])
            waiting.append((iter(inside), inner))
            break
        else:
            waiting.pop()
            if around:
                around.popitem()
    return found[0]


def elements_in(name: str, entry: Entry) -> Iterator[tuple[str, Value]]:
    for keys, held in walk({name: entry}, {}):
        if isinstance(held, Value):
            yield ".".join(keys), held


def numbers_in(entry: Entry) -> Numbers:
    if isinstance(entry, Value):
        return entry.data
    numbers: list[Numbers] = []
    waiting = [(entry, numbers)]
    while waiting:
        entries, places = waiting.pop()
        for element in entries:
            if isinstance(element, Value):
                places.append(element.data)
            else:
                inner: list[Numbers] = []
                places.append(inner)
                waiting.append((element, inner))
    return numbers


# ---- Loading


def checked(module: Module, state: Mapping[str, Any]) -> dict[Value, float]:
    """The number that a state has for each parameter. Raises ValueError or TypeError if it is of another module."""
    if not isinstance(state, Mapping):
        raise TypeError(f"expected a dict, as state_dict() returns it, got {shortened(state)}; load(path) reads a file")
    entries = named_entries(module)
    check_names(entries.keys(), state.keys())
    return single(triple for name, entry in entries.items() for triple in matched(name, entry, state[name]))


def check_names(expected: Set[str], given: Set[str]) -> None:
    differences = {"missing": expected - given, "unknown": given - expected}
    if any(differences.values()):
        found = "; ".join(
            f"{len(names)} {what}, {shortened(sorted(map(str, names)))}" for what, names in differences.items() if names
        )
        raise ValueError(f"the state is of another model: {found}; build the model as it was when it was saved")


def matched(name: str, entry: Entry, given: object) -> Iterator[tuple[str, Value, float]]:
    """Each parameter of an entry with its name and its number."""
    waiting = [(name, entry, given)]
    while waiting:
        place, expected, found = waiting.pop()
        numbers = nested_numbers(place, found)
        sequence = structures.sequence(numbers)
        if isinstance(expected, Value):
            yield place, expected, finite(place, numbers if sequence is None else found)
        elif sequence is None or len(sequence) != len(expected):
            shape = getattr(found, "shape", ())
            got = f"the shape {tuple(shape)}" if shape else f"one of {len(sequence)}" if sequence else shortened(found)
            raise ValueError(f"{place}: expected a list of {len(expected)}, got {got}")
        else:
            parts = zip(expected, sequence, strict=True)
            waiting += [(f"{place}.{i}", element, number) for i, (element, number) in enumerate(parts)][::-1]


def single(numbers: Iterable[tuple[str, Value, float]]) -> dict[Value, float]:
    """The number of each parameter, which has a name. Raises ValueError if one that is shared has two."""
    found: dict[Value, float] = {}
    for name, parameter, number in numbers:
        if found.setdefault(parameter, number) != number:
            raise ValueError(f"{name} is a shared parameter: expected one number, got {found[parameter]} and {number}")
    return found


def assign(numbers: dict[Value, float]) -> None:
    """Sets each parameter to its number, in one piece, so that no interrupt gets between."""
    scatter(array("d", numbers.values()), list(numbers), "data")
