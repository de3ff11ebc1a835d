"""Module is a part of a network: it finds the parameters in its attributes, names them, and keeps them in files.

A parameter is a leaf, a Value that was not computed. An attribute holds it by itself, in a Module, or in lists, tuples
and dicts of these, however nested. Its name is the way to it: `layers.0.neurons.3.weights.5`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from reprlib import repr as shortened

from autograd import Value
from nn.arguments import finite
from nn.state import read_state, write_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence, Set
    from typing import Self, TypeGuard

    from nn.state import Numbers

    Entry = Value | Sequence["Entry"]  # what a state has under one name: a parameter, or a list of parameters


class Module:
    """A part of a network: the parameters in its attributes.

    Values in anything but lists, tuples, dicts and Modules, such as a set or an array, are not found. A result that was
    computed under `no_grad()`, as when `fit` validates, is a leaf. In an attribute it would be taken for a parameter;
    its number is not: `self.last = result.data`.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slopes = [Value(2.0), Value(3.0)]
    ...         self.offset = Value(1.0)
    >>> [name for name, parameter in Line().named_parameters()]
    ['slopes.0', 'slopes.1', 'offset']
    >>> Line().state_dict()
    {'slopes': [2.0, 3.0], 'offset': 1.0}
    """

    training = True  # whether it is in training mode, not in evaluation mode

    def __new__(cls, *arguments: object, **keywords: object) -> Self:
        module = super().__new__(cls)
        # Else Python before 3.13 reads the attributes slowly once vars(), and so parameters(), was called.
        object.__setattr__(module, "__dict__", {})
        return module

    def parameters(self) -> list[Value]:
        """Each parameter once, in the order in which the attributes were set.

        A subclass may define this method itself. `zero_grad`, and the Modules that hold one of the subclass, call it.
        """
        found: dict[Value, None] = {}
        collect_parameters(vars(self).values(), found, {id(self)})
        return list(found)

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """The pairs of name and parameter, for each of `parameters()`. One that is shared has the first of its names.

        Raises ValueError if no attribute leads to a parameter that a `parameters()` of a subclass returns.
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

    def modules(self) -> Iterator[Module]:
        """This module and all that it holds, each once, from the outside to the inside."""
        unseen: list[object] = [self]
        seen: set[int] = set()
        while unseen:
            holder = unseen.pop()
            if id(holder) not in seen:
                seen.add(id(holder))
                unseen += [held for _, held in items_in(holder)][::-1]
                if isinstance(holder, Module):
                    yield holder

    def train(self, mode: bool = True) -> Self:
        """Puts this module, and all that it holds, in training mode. Returns the module.

        It is the mode that a module is in from the beginning. It matters to `Dropout`.
        """
        for module in Module.modules(self):
            module.training = mode
        return self

    def eval(self) -> Self:
        """Puts this module, and all that it holds, in evaluation mode. Returns the module."""
        return self.train(False)

    def state_dict(self) -> dict[str, Numbers]:
        """The parameters' numbers by name. Where an attribute is a list of parameters, its numbers are one list.

        Raises ValueError if a parameter has no name (see `named_parameters`), or if two have the same.
        """
        return {name: numbers_in(entry) for name, entry in self._named_entries().items()}

    def load_state_dict(self, state: Mapping[str, Numbers]) -> None:
        """Sets the parameters to the numbers of a `state_dict`; gradients stay as they are.

        Raises ValueError if the names or shapes are not those of this module, or if something is no finite number;
        TypeError if the state is no dict. Nothing is changed then.
        """
        if not isinstance(state, Mapping):
            raise TypeError(
                f"expected a dict, as state_dict() returns it, got {shortened(state)}; load(path) reads a file"
            )
        entries = self._named_entries()
        check_names(entries.keys(), state.keys())
        numbers: dict[Value, float] = {}
        for entry_name, entry in entries.items():
            for name, parameter, number in matched(entry_name, entry, state[entry_name]):
                if numbers.setdefault(parameter, number) != number:
                    raise ValueError(
                        f"{name} is a shared parameter: expected one number, got {numbers[parameter]} and {number}"
                    )
        for parameter, number in numbers.items():
            parameter.data = number

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the parameters to a file, as JSON. `load` gets the same floats back.

        The file takes the place of an older one, and its permissions, in a single step at the end. Raises ValueError if
        a parameter is not finite, and OSError if the file cannot be written; an older file is still there then.
        """
        try:
            state = self.state_dict()
            self.load_state_dict(state)  # what could not be loaded is not written
        except ValueError as error:
            raise ValueError(f"cannot save {os.fspath(path)}: {error}") from None
        write_state(path, state)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Sets the parameters to those of a file that `save` wrote.

        Raises OSError if the file cannot be read, and ValueError if it is not a whole and valid state of such a
        module. Nothing is changed then.
        """
        try:
            self.load_state_dict(read_state(path))
        except ValueError as error:
            raise ValueError(f"cannot load {os.fspath(path)}: {error}") from None

    def _named_entries(self) -> dict[str, Entry]:
        list(self.named_parameters())  # raises if a parameter has no name
        entries: dict[str, Entry] = {}
        for name, entry in entries_in(self):
            if entries.setdefault(name, entry) is not entry:
                raise ValueError(f"{type(self).__name__}: two parameters have the name {name!r}; rename one")
        return entries


def collect_parameters(holdings: Iterable[object], found: dict[Value, None], seen: set[int]) -> None:
    """Adds the parameters in what a Module or container holds; `seen` ends the walk where one holds itself."""
    for held in holdings:
        if isinstance(held, Value):
            if not held.parents:
                found[held] = None
        elif isinstance(held, HOLDERS) and id(held) not in seen:
            seen.add(id(held))
            if not isinstance(held, Module):
                collect_parameters(held.values() if isinstance(held, dict) else held, found, seen)
            elif type(held).parameters is Module.parameters:
                collect_parameters(held.__dict__.values(), found, seen)
            else:
                found.update(dict.fromkeys(held.parameters()))


HOLDERS = (Module, list, tuple, dict)


def entries_in(holder: object, prefix: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Entry]]:
    """What a state has of a Module or container: names, each with a parameter or a list of parameters.

    A list is left out if all of its parameters came before.
    """
    seen = {id(holder)} if seen is None else seen
    for key, held in items_in(holder):
        if is_entry(held):
            new = {id(parameter) for _, parameter in elements_in("", held)} - seen
            if new:
                seen |= new
                yield f"{prefix}{key}", held
        elif id(held) not in seen:
            seen.add(id(held))
            yield from entries_in(held, f"{prefix}{key}.", seen)


def items_in(holder: object) -> Iterable[tuple[object, object]]:
    if isinstance(holder, Module):
        return vars(holder).items()
    if isinstance(holder, dict):
        return holder.items()
    return enumerate(holder) if isinstance(holder, (list, tuple)) else ()


def is_entry(held: object) -> TypeGuard[Entry]:
    if isinstance(held, (list, tuple)):
        return len(held) > 0 and all(map(is_entry, held))
    return isinstance(held, Value) and not held.parents


def elements_in(name: str, entry: Entry) -> Iterator[tuple[str, Value]]:
    if isinstance(entry, Value):
        yield name, entry
    else:
        for i, element in enumerate(entry):
            yield from elements_in(f"{name}.{i}", element)


def numbers_in(entry: Entry) -> Numbers:
    return entry.data if isinstance(entry, Value) else [numbers_in(element) for element in entry]


def check_names(expected: Set[str], given: Set[str]) -> None:
    differences = {"missing": expected - given, "unknown": given - expected}
    if any(differences.values()):
        found = "; ".join(
            f"{len(names)} {what}, {shortened(sorted(map(str, names)))}" for what, names in differences.items() if names
        )
        raise ValueError(f"the state is of another model: {found}; build the model as it was when it was saved")


def matched(name: str, entry: Entry, numbers: object) -> Iterator[tuple[str, Value, float]]:
    """Each parameter of an entry with its name and its number."""
    if isinstance(entry, Value):
        yield name, entry, finite(name, numbers)
    elif not isinstance(numbers, (list, tuple)):
        raise ValueError(f"{name}: expected a list of {len(entry)}, got {shortened(numbers)}")
    elif len(numbers) != len(entry):
        raise ValueError(f"{name}: expected a list of {len(entry)}, got one of {len(numbers)}")
    else:
        for i, (element, number) in enumerate(zip(entry, numbers, strict=True)):
            yield from matched(f"{name}.{i}", element, number)
