"""A Module finds its parameters, and a state gets back exactly, or not at all."""

from __future__ import annotations

import copy
import errno
import gc
import json
import math
import os
import pickle
import stat
import sys
import weakref
from array import array
from collections import ChainMap, UserDict, UserList, deque, namedtuple
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy
import pytest

from autograd import Value, multiply
from nn import MLP, SGD, Dropout, Module, Neuron, fit, half_squared_error, squared_error

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.both_engines


def numbers(module: Module) -> list[float]:
    return [parameter.data for parameter in module.parameters()]


class Everything(Module):
    """A parameter in each place where one can be, and things beside them that are none."""

    def __init__(self) -> None:
        self.name = "everything"
        self.scale = Value(1.0)
        self.rate = 0.5
        self.matrix = [[Value(2.0), Value(3.0)], (Value(4.0), Value(5.0))]
        self.neuron = Neuron(1)
        self.parts = [Neuron(1, nonlin=False), None, {"shift": Value(6.0), 7: [Value(7.0)]}]
        self.mixed = (Value(8.0), 0.25)
        self.computed = self.scale * 2.0
        self.nothing: list[Value] = []


NAMES = [
    *("scale", "matrix.0.0", "matrix.0.1", "matrix.1.0", "matrix.1.1", "neuron.weights.0", "neuron.bias"),
    *("parts.0.weights.0", "parts.0.bias", "parts.2.shift", "parts.2.7.0", "mixed.0"),
]


class Pair(Module):
    def __init__(self, first: object, second: object) -> None:
        self.first = first
        self.second = second


# ---- parameters


def test_parameters_are_found_wherever_an_attribute_leads_in_the_order_they_were_set() -> None:
    module = Everything()
    assert [name for name, _ in module.named_parameters()] == NAMES
    assert [parameter for _, parameter in module.named_parameters()] == module.parameters()
    assert module.parameters()[:5] == [module.scale, *module.matrix[0], *module.matrix[1]]


def test_an_attribute_set_again_keeps_its_place_and_one_that_is_new_comes_last() -> None:
    pair = Pair(Value(1.0), Value(2.0))
    pair.third = Value(3.0)
    pair.first = Value(4.0)
    assert numbers(pair) == [4.0, 2.0, 3.0]


def test_a_shared_parameter_occurs_once_under_its_first_name() -> None:
    neuron, value = Neuron(2), Value(1.0)
    pair = Pair([neuron, value], {"again": neuron, "value": value, "weights": neuron.weights})
    assert [name for name, _ in pair.named_parameters()] == [
        "first.0.weights.0",
        "first.0.weights.1",
        "first.0.bias",
        "first.1",
    ]
    assert len(pair.parameters()) == 4
    assert list(pair.state_dict()) == ["first.0.weights", "first.0.bias", "first.1"]


def test_modules_that_hold_each_other_are_walked_once() -> None:
    parent = Pair(Value(1.0), None)
    parent.second = Pair(Value(2.0), parent)
    assert numbers(parent) == [1.0, 2.0]
    assert parent.state_dict() == {"first": 1.0, "second.first": 2.0}
    itself = Pair(Value(3.0), None)
    itself.second = itself
    assert numbers(Pair(None, [itself])) == [3.0]


def nested(levels: int, innermost: object, hold: Callable[[object], object]) -> object:
    for _ in range(levels):
        innermost = hold(innermost)
    return innermost


def test_modules_hold_each_other_to_any_depth(tmp_path: Path) -> None:
    module = nested(10_000, [Value(1.0), Value(2.0)], lambda inner: Pair(inner, None))
    assert isinstance(module, Pair)
    module.second = Value(3.0)
    assert numbers(module) == [1.0, 2.0, 3.0]
    deep = ".".join(["first"] * 10_000)
    assert [name for name, _ in module.named_parameters()] == [f"{deep}.0", f"{deep}.1", "second"]
    assert sum(1 for _ in module.modules()) == 10_000
    assert repr(module) == "<Pair of 3 parameters>"
    module.save(tmp_path / "deep.json")
    for parameter in module.parameters():
        parameter.data = 0.0
    module.load(tmp_path / "deep.json")
    assert module.state_dict() == {deep: [1.0, 2.0], "second": 3.0}


def test_lists_hold_each_other_to_any_depth() -> None:
    for innermost, name in ((Value(1.0), ""), (Pair(Value(1.0), None), ".first")):
        module = Pair(nested(10_000, innermost, lambda inner: [inner]), None)
        assert [name for name, _ in module.named_parameters()] == [f"first{'.0' * 10_000}{name}"]
        state = module.state_dict()
        for parameter in module.parameters():
            parameter.data = 0.0
        module.load_state_dict(state)
        assert numbers(module) == [1.0]
    assert list(Pair(nested(10_000, "nothing", lambda inner: [inner]), None).named_parameters()) == []


def test_a_list_that_is_too_deep_for_json_is_an_error_and_writes_nothing(tmp_path: Path) -> None:
    module = Pair(nested(10_000, Value(1.0), lambda inner: [inner]), None)
    with pytest.raises(ValueError, match=r"cannot save .*deep.json: parameters: nested too deeply for JSON"):
        module.save(tmp_path / "deep.json")
    assert not list(tmp_path.iterdir())


def test_a_list_that_holds_itself_is_walked_once() -> None:
    endless: list[object] = [Value(1.0)]
    endless.append(endless)
    module = Pair(endless, endless)
    assert module.state_dict() == {"first.0": 1.0}
    assert numbers(module) == [1.0]


def test_zero_grad() -> None:
    module = Everything()
    for parameter in module.parameters():
        parameter.grad = 3.0
    module.zero_grad()
    assert [parameter.grad for parameter in module.parameters()] == [0.0] * len(NAMES)


class MicrogradStyle(Module):
    """With a `parameters()` of its own, which leaves one parameter out: it stays as it is."""

    def __init__(self) -> None:
        self.w = [Value(1.0), Value(2.0)]
        self.frozen = Value(3.0)

    def parameters(self) -> list[Value]:
        return self.w


def test_a_parameters_method_of_a_subclass_rules() -> None:
    module = MicrogradStyle()
    for value in [*module.w, module.frozen]:
        value.grad = 1.0
    module.zero_grad()
    assert [value.grad for value in [*module.w, module.frozen]] == [0.0, 0.0, 1.0]
    assert [name for name, _ in module.named_parameters()] == ["w.0", "w.1"]


def test_a_parameters_method_of_a_subclass_rules_in_what_holds_it_too() -> None:
    assert numbers(Pair([MicrogradStyle()], Value(4.0))) == [1.0, 2.0, 4.0]


def test_a_state_has_what_a_parameters_method_leaves_out() -> None:
    assert MicrogradStyle().state_dict() == {"w": [1.0, 2.0], "frozen": 3.0}


def test_a_parameter_to_which_no_attribute_leads_is_not_lost_in_silence(tmp_path: Path) -> None:
    class Hidden(Module):
        def __init__(self) -> None:
            self.function = partial(multiply, Value(1.5))

        def parameters(self) -> list[Value]:
            return list(self.function.args)

    with pytest.raises(ValueError, match=r"Hidden: no attribute leads to the parameter Value\(data=1\.5"):
        Hidden().state_dict()
    with pytest.raises(ValueError, match="no attribute leads"):
        Hidden().save(tmp_path / "model.json")
    assert list(tmp_path.iterdir()) == []


def test_two_parameters_of_one_name_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"Pair: two parameters have the name 'first\.a\.b'"):
        Pair({"a": {"b": Value(1.0)}, "a.b": Value(2.0)}, None).state_dict()


def test_deepcopy_is_a_model_of_its_own() -> None:
    model = MLP(2, [3, 1])
    twin = copy.deepcopy(model)
    assert twin([0.5, -0.25]).data == model([0.5, -0.25]).data
    twin.parameters()[0].data += 1.0
    assert numbers(twin)[0] == numbers(model)[0] + 1.0
    assert numbers(twin)[1:] == numbers(model)[1:]


# ---- slots


class InSlots(Module):
    __slots__ = ("weights", "bias", "unset")  # noqa: RUF023  # CPython sorts them, and so the order is tested

    def __init__(self) -> None:
        self.weights, self.bias = [Value(2.0), Value(3.0)], Value(1.0)


class InASlot(Module):
    __slots__ = "weights"

    def __init__(self) -> None:
        self.weights = [Value(1.0), Value(2.0), Value(3.0)]


class InPrivateSlots(Module):
    __slots__ = ["__weights", "_bias"]

    def __init__(self) -> None:
        self.__weights, self._bias = [Value(1.0), Value(2.0)], Value(3.0)


class _Underscored(Module):
    __slots__ = {"__weights": "documented", "a": "too"}

    def __init__(self) -> None:
        self.__weights, self.a = [Value(1.0), Value(2.0)], Value(3.0)


class WithAttributes(InSlots):
    """Without slots of its own."""

    def __init__(self) -> None:
        self.scale = Value(4.0)
        super().__init__()
        self.shift = Value(5.0)


class WithMoreSlots(InSlots):
    __slots__ = ("scale",)

    def __init__(self) -> None:
        self.shift, self.scale = Value(5.0), Value(4.0)
        super().__init__()


class Shadowing(InSlots):
    __slots__ = ("bias", "scale")

    def __init__(self) -> None:
        super().__init__()
        self.scale = Value(4.0)


class BehindAProperty(InASlot):
    __slots__ = ()

    @property
    def first(self) -> Value:
        return self.weights[0]

    @property
    def computed(self) -> Value:
        return Value(9.0)


class Mixin:
    __slots__ = ("offset",)


class WithAMixin(Mixin, Module):
    def __init__(self) -> None:
        self.weights, self.offset = [Value(2.0), Value(3.0)], Value(1.0)


@dataclass(slots=True)
class Slotted(Module):
    slope: Value = field(default_factory=lambda: Value(1.0))
    offset: Value = field(default_factory=lambda: Value(2.0))
    neurons: list[Neuron] = field(default_factory=lambda: [Neuron(1, nonlin=False)])
    rate: float = 0.5


@dataclass(slots=True, frozen=True, weakref_slot=True)
class Frozen(Module):
    slope: Value = field(default_factory=lambda: Value(1.0))
    offset: list[Value] = field(default_factory=lambda: [Value(2.0), Value(3.0)])


@dataclass(slots=True)
class SlottedTwice(Slotted):
    scale: Value = field(default_factory=lambda: Value(3.0))


SLOTTED = {
    InSlots: ["weights.0", "weights.1", "bias"],
    InASlot: ["weights.0", "weights.1", "weights.2"],
    InPrivateSlots: ["_InPrivateSlots__weights.0", "_InPrivateSlots__weights.1", "_bias"],
    _Underscored: ["_Underscored__weights.0", "_Underscored__weights.1", "a"],
    WithAttributes: ["weights.0", "weights.1", "bias", "scale", "shift"],
    WithMoreSlots: ["weights.0", "weights.1", "bias", "scale", "shift"],
    Shadowing: ["weights.0", "weights.1", "bias", "scale"],
    BehindAProperty: ["weights.0", "weights.1", "weights.2"],
    WithAMixin: ["offset", "weights.0", "weights.1"],
    Slotted: ["slope", "offset", "neurons.0.weights.0", "neurons.0.bias"],
    Frozen: ["slope", "offset.0", "offset.1"],
    SlottedTwice: ["slope", "offset", "neurons.0.weights.0", "neurons.0.bias", "scale"],
}


@pytest.mark.parametrize("kind", SLOTTED)
def test_parameters_in_slots_are_found_in_the_order_of_the_classes_before_the_attributes(kind: type[Module]) -> None:
    module = kind()
    assert [name for name, _ in module.named_parameters()] == SLOTTED[kind]
    assert [parameter for _, parameter in module.named_parameters()] == module.parameters()
    assert Pair(None, [module]).parameters() == module.parameters()
    assert [name for name, _ in Pair(None, [module]).named_parameters()] == [
        f"second.0.{name}" for name in SLOTTED[kind]
    ]


@pytest.mark.parametrize("kind", SLOTTED)
def test_parameters_in_slots_are_saved_loaded_copied_and_pickled(tmp_path: Path, kind: type[Module]) -> None:
    module, other = kind(), kind()
    for i, parameter in enumerate(module.parameters()):
        parameter.data, parameter.grad = 1.5 + i, 1.0
    module.zero_grad()
    assert {parameter.grad for parameter in module.parameters()} == {0.0}
    module.save(tmp_path / "model.json")
    assert other.load(tmp_path / "model.json") is other
    for twin in (other, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert numbers(twin) == numbers(module) == [1.5 + i for i in range(len(SLOTTED[kind]))]
        assert twin.state_dict() == module.state_dict()
        assert not set(twin.parameters()) & set(module.parameters())


@pytest.mark.parametrize("kind", SLOTTED)
def test_parameters_in_slots_are_trained(kind: type[Module]) -> None:
    module = kind()
    optimizer = SGD(module.parameters(), learning_rate=0.25)
    fit(
        lambda x: [parameter * x for parameter in module.parameters()],
        *([1.0], [[0.0] * len(SLOTTED[kind])]),
        *(half_squared_error, optimizer),
        epochs=60,
        progress=False,
    )
    assert all(abs(number) < 0.02 for number in numbers(module))


@pytest.mark.parametrize("kind", SLOTTED)
def test_modules_in_slots_change_their_mode(kind: type[Module]) -> None:
    module = kind()
    assert {each.training for each in module.modules()} == {True}
    assert {each.training for each in module.eval().modules()} == {False}
    assert len([*module.modules()]) == (2 if issubclass(kind, Slotted) else 1)


# ---- what holds parameters beside lists, tuples and dicts


@dataclass
class Weights:
    w: list[Value]
    b: Value
    rate: float = 0.5


@dataclass(slots=True)
class SlottedWeights:
    b: Value
    unset: Value = field(init=False)


Named = namedtuple("Named", "w b")
HOLDERS = {
    "list": (lambda a, b, c: [[a, b], c], ["first.0.0", "first.0.1", "first.1"]),
    "deque": (lambda a, b, c: deque([a, [b], c]), ["first.0", "first.1.0", "first.2"]),
    "list of deques": (lambda a, b, c: [deque([a, b]), None, deque([c])], ["first.0.0", "first.0.1", "first.2.0"]),
    "array": (lambda a, b, c: numpy.array([a, b, c]), ["first.0", "first.1", "first.2"]),
    "matrix": (lambda a, b, c: numpy.array([[a, b], [c, 1.0]]), ["first.0.0", "first.0.1", "first.1.0"]),
    "array without axes": (
        lambda a, b, c: [numpy.array(a), numpy.array([b, c])],
        ["first.0", "first.1.0", "first.1.1"],
    ),
    "array of modules": (
        lambda a, b, c: numpy.array([Pair(a, b), Pair(None, c)]),
        ["first.0.first", "first.0.second", "first.1.second"],
    ),
    "mapping": (lambda a, b, c: MappingProxyType({"x": a, 2: [b, c]}), ["first.x", "first.2.0", "first.2.1"]),
    "user's dict": (lambda a, b, c: UserDict({"x": a, "y": [b, c]}), ["first.x", "first.y.0", "first.y.1"]),
    "user's list": (lambda a, b, c: UserList([a, b, {"c": c}]), ["first.0", "first.1", "first.2.c"]),
    "chain of dicts": (lambda a, b, c: ChainMap({"y": b}, {"x": a}, {"z": c}), ["first.z", "first.x", "first.y"]),
    "named tuple": (lambda a, b, c: Named([a, b], c), ["first.0.0", "first.0.1", "first.1"]),
    "dataclass": (lambda a, b, c: Weights([a, b], c), ["first.w.0", "first.w.1", "first.b"]),
    "dataclass in slots": (
        lambda a, b, c: [SlottedWeights(a), SlottedWeights(b), SlottedWeights(c)],
        ["first.0.b", "first.1.b", "first.2.b"],
    ),
}


@pytest.mark.parametrize("kind", HOLDERS)
def test_parameters_are_found_in_whatever_has_an_order(tmp_path: Path, kind: str) -> None:
    held_in, names = HOLDERS[kind]
    values = [Value(1.0), Value(2.0), Value(3.0)]
    module = Pair(held_in(*values), [values[0] * 2.0, numpy.arange(3.0), deque(["a"]), {}, numpy.array("text", object)])
    assert set(module.parameters()) == set(values)
    assert [name for name, _ in module.named_parameters()] == names
    assert [parameter for _, parameter in module.named_parameters()] == module.parameters()
    module.save(tmp_path / "model.json")
    loaded = Pair(held_in(Value(0.0), Value(0.0), Value(0.0)), None)
    loaded.load(tmp_path / "model.json")
    assert loaded.state_dict() == module.state_dict()
    assert sorted(numbers(loaded)) == [1.0, 2.0, 3.0]
    if kind != "mapping":  # Python copies none
        assert numbers(copy.deepcopy(loaded)) == numbers(loaded)


@pytest.mark.parametrize("kind", HOLDERS)
def test_modules_are_found_in_whatever_has_an_order(kind: str) -> None:
    neurons = [Neuron(1), Neuron(2), Neuron(3)]
    module = Pair(HOLDERS[kind][0](*neurons), None)
    assert {each for each in module.modules() if isinstance(each, Neuron)} == set(neurons)
    assert len(module.parameters()) == 9
    module.eval()
    assert not any(neuron.training for neuron in neurons)


def test_the_state_of_an_array_is_that_of_a_list() -> None:
    module = Pair(numpy.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]), numpy.array(Value(5.0)))
    assert module.state_dict() == {"first": [[1.0, 2.0], [3.0, 4.0]], "second": 5.0}


def test_many_arrays_of_modules_are_all_found() -> None:
    """What an array gives as a list is gone at once, and the next may have its id."""
    arrays = [numpy.array([[Value(float(i)), None], [Neuron(1), "text"]]) for i in range(100)]
    module = Pair(arrays, {i: deque([array]) for i, array in enumerate(arrays)})
    assert len(module.parameters()) == 300
    assert len([*module.named_parameters()]) == 300
    assert len([*module.modules()]) == 101


IN_A_SET = {
    "set": lambda a: {a},
    "frozenset": lambda a: frozenset([a, 1.0]),
    "tuple in a set": lambda a: {("a", a)},
    "set in a list": lambda a: [1.0, {a}],
    "set in a set": lambda a: {frozenset([frozenset([a])])},
    "module in a set": lambda a: {Pair(a, None)},
    "set in a module in a set": lambda a: {Pair(None, {a})},
}


@pytest.mark.parametrize("kind", IN_A_SET)
def test_a_parameter_that_is_in_a_set_alone_is_not_lost_in_silence(tmp_path: Path, kind: str) -> None:
    value = Value(1.5)
    module = Pair(IN_A_SET[kind](value), Value(2.0))
    for call in (
        module.parameters, lambda: [*module.named_parameters()], module.zero_grad, module.state_dict,
        lambda: module.load_state_dict({"second": 1.0}), Pair(None, [module]).parameters,
        lambda: module.save(tmp_path / "model.json"),
    ):  # fmt: skip
        with pytest.raises(
            ValueError, match=r"Pair: the parameter Value\(data=1\.5.* is in a set alone.*keep it in a list"
        ):
            call()
    assert module.second.data == 2.0
    assert list(tmp_path.iterdir()) == []
    module.third = [value]
    assert module.parameters() == [module.second, value]
    assert module.state_dict() == {"second": 2.0, "third": [1.5]}


def test_sets_of_what_are_no_parameters_are_nobodys_concern() -> None:
    module = Pair({Value(1.0) * 2.0, 3, "text", (4, 5)}, [Value(2.0)])
    assert numbers(module) == [2.0]

    class Chosen(Pair):
        def parameters(self) -> list[Value]:
            return [self.second]

    chosen = Chosen({Value(1.0)}, Value(2.0))
    assert numbers(Pair(chosen, None)) == [2.0]
    assert chosen.state_dict() == {"second": 2.0}


def test_modules_in_a_set_change_their_mode() -> None:
    dropout = Dropout(0.5)
    Pair({dropout}, [frozenset([(1, dropout)])]).eval()
    assert not dropout.training


def test_classes_that_are_made_for_a_moment_are_not_kept() -> None:
    made = [type("Momentary", (Module,), {"__slots__": ("w",)}) for _ in range(2000)]
    for kind in made:
        module = kind()
        module.w = Value(1.0)
        assert numbers(module) == [1.0]
    kept = weakref.ref(made[0])
    del kind, module, made
    gc.collect()
    assert kept() is None


# ---- arrays in the place of lists


class Tensor:
    """As PyTorch's with a gradient: no array can be made of it, but a list."""

    def __init__(self, content: object) -> None:
        self.content = numpy.array(content)
        self.shape, self.dtype = self.content.shape, "torch.float32"

    def __array__(self, *arguments: object) -> object:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")

    def tolist(self) -> object:
        return self.content.tolist()


class OnlyArray:
    def __init__(self, content: object) -> None:
        self.content = content

    def __array__(self, *arguments: object, **keywords: object) -> object:
        return numpy.array(self.content)


DTYPES = ["f2", "f4", "f8", ">f8", "longdouble", "i1", "u2", "i8", "u8", "object"]


GIVEN = {
    **{dtype: partial(numpy.array, dtype=dtype) for dtype in DTYPES},
    "columns first": partial(numpy.array, order="F"),
    "not contiguous": lambda rows: numpy.repeat(numpy.array(rows), 2, axis=0)[::2],
    "masked, but nothing is": numpy.ma.array,
    "tensor": Tensor,
    "only __array__": OnlyArray,
    "list of arrays": lambda rows: [numpy.array(row, "f4") for row in rows],
    "tuple of tensors": lambda rows: tuple([Tensor(row) for row in rows]),
    "deque": deque,
    "array.array": lambda rows: array("d", rows) if isinstance(rows[0], int) else [array("i", row) for row in rows],
    "range": lambda rows: range(1, 3) if isinstance(rows[0], int) else [range(3, 5), range(5, 7)],
}


@pytest.mark.parametrize("kind", GIVEN)
def test_a_state_may_be_of_arrays_and_tensors(kind: str) -> None:
    pair = Pair([Value(0.0), Value(0.0)], [[Value(0.0), Value(0.0)], [Value(0.0), Value(0.0)]])
    pair.load_state_dict({"first": GIVEN[kind]([1, 2]), "second": GIVEN[kind]([[3, 4], [5, 6]])})
    assert numbers(pair) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert {type(number) for number in numbers(pair)} == {float}


@pytest.mark.parametrize("kind", [*DTYPES, "tensor", "only __array__"])
def test_a_number_may_be_an_array_without_axes(kind: str) -> None:
    pair = Pair([Value(0.0), Value(0.0)], Value(0.0))
    pair.load_state_dict({"first": [GIVEN[kind](1), GIVEN[kind](2)], "second": GIVEN[kind](3)})
    assert numbers(pair) == [1.0, 2.0, 3.0]


def test_a_state_may_be_a_file_of_numpys(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "w.npz", first=numpy.array([0.1, 0.2]), second=0.3)
    pair = Pair([Value(0.0), Value(0.0)], Value(0.0))
    with numpy.load(tmp_path / "w.npz") as state:
        pair.load_state_dict(state)
    assert numbers(pair) == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (numpy.zeros(3), 0.0, "first: expected a list of 2, got the shape (3,)"),
        (numpy.zeros(0), 0.0, "first: expected a list of 2, got the shape (0,)"),
        (numpy.zeros((2, 1)), 0.0, "first.0: expected a finite number, got [0.0]"),
        (Tensor([1.0, 2.0, 3.0]), 0.0, "first: expected a list of 2, got the shape (3,)"),
        (numpy.array(1.0), 0.0, "first: expected a list of 2, got array(1.)"),
        ([], 0.0, "first: expected a list of 2, got []"),
        ([1.0, 2.0], numpy.zeros(1), "second: expected a finite number, got array([0.])"),
        ([1.0, 2.0], numpy.nan, "second: expected a finite number, got nan"),
        (numpy.array([1.0, numpy.inf]), 0.0, "first.1: expected a finite number, got inf"),
        (numpy.array([1.0, 2.0j]), 0.0, "first.0: expected a finite number, got (1+0j)"),
        (numpy.array([True, False]), 0.0, "first.0: expected a finite number, got True"),
        (numpy.array(["1.0", "2.0"]), 0.0, "first.0: expected a finite number, got '1.0'"),
        ("12", 0.0, "first: expected a list of 2, got '12'"),
        (b"12", 0.0, "first: expected a list of 2, got b'12'"),
        (numpy.array([1, 2], "m8[s]"), 0.0, "first: expected numbers, got an array of timedelta64[s]"),
        (numpy.array([1, 2], "M8[ns]"), 0.0, "first: expected numbers, got an array of datetime64[ns]"),
        (numpy.array((1.0, 2.0), "f8,f8"), 0.0, "first: expected numbers, got an array of [('f0'"),
        (numpy.ma.array([1.0, 2.0], mask=[False, True]), 0.0, "first: expected numbers, got a masked array, of which"),
        ([1.0, numpy.ma.masked], 0.0, "first.1: expected numbers, got a masked array, of which"),
        (numpy.array([1.0, numpy.finfo("longdouble").max]), 0.0, "first.1: expected a finite number, got "),
        ({1.0, 2.0}, 0.0, "first: expected a list of 2, got {1.0, 2.0}"),
        ({0: 1.0, 1: 2.0}, 0.0, "first: expected a list of 2, got {0: 1.0, 1: 2.0}"),
    ],
)
def test_arrays_that_do_not_fit_change_nothing(first: object, second: object, message: str) -> None:
    pair = Pair([Value(7.0), Value(8.0)], Value(9.0))
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        pair.load_state_dict({"first": first, "second": second})
    assert message in str(caught.value)
    assert numbers(pair) == [7.0, 8.0, 9.0]


# ---- states


def test_the_numbers_of_a_state_show_shapes() -> None:
    module = Everything()
    module.neuron.weights[0].data = module.parts[0].weights[0].data = 0.5
    assert module.state_dict() == {
        "scale": 1.0,
        "matrix": [[2.0, 3.0], [4.0, 5.0]],
        "neuron.weights": [0.5],
        "neuron.bias": 0.0,
        "parts.0.weights": [0.5],
        "parts.0.bias": 0.0,
        "parts.2.shift": 6.0,
        "parts.2.7": [7.0],
        "mixed.0": 8.0,
    }


def test_a_state_of_numpys_numbers_and_whole_numbers_loads() -> None:
    pair = Pair([Value(0.0), Value(0.0)], Value(0.0))
    pair.load_state_dict({"first": (numpy.float32(0.5), 2), "second": numpy.int64(3)})
    assert numbers(pair) == [0.5, 2.0, 3.0]


def test_loading_leaves_gradients_and_sets_shared_parameters(tmp_path: Path) -> None:
    value = Value(1.0)
    pair = Pair([value, Value(2.0)], [value, Value(3.0)])
    value.grad = 7.0
    pair.load_state_dict({"first": [4.0, 5.0], "second": [4.0, 6.0]})
    assert numbers(pair) == [4.0, 5.0, 6.0]
    assert value.grad == 7.0
    with pytest.raises(ValueError, match=r"second\.0 is a shared parameter: expected one number, got 4\.0 and 8\.0"):
        pair.load_state_dict({"first": [4.0, 5.0], "second": [8.0, 6.0]})


# ---- what is no state of the model: the error says so, and nothing changes

GOOD = {"first": [1.0, 2.0], "second": 3.0}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"first": [1.0, 2.0]}, "another model: 1 missing, ['second']; build the model as it was"),
        (GOOD | {"third": 1.0}, "another model: 1 unknown, ['third']"),
        ({"first": [1.0, 2.0], "2nd": 3.0}, "1 missing, ['second']; 1 unknown, ['2nd']"),
        (GOOD | {"first": [1.0]}, "first: expected a list of 2, got one of 1"),
        (GOOD | {"first": [1.0, 2.0, 3.0]}, "first: expected a list of 2, got one of 3"),
        (GOOD | {"first": 1.0}, "first: expected a list of 2, got 1.0"),
        (GOOD | {"first": [1.0, [2.0]]}, "first.1: expected a finite number, got [2.0]"),
        (GOOD | {"second": [3.0]}, "second: expected a finite number, got [3.0]"),
        (GOOD | {"second": math.nan}, "second: expected a finite number, got nan"),
        (GOOD | {"first": [1.0, -math.inf]}, "first.1: expected a finite number, got -inf"),
        (GOOD | {"second": 10**400}, "second: expected a finite number, got a number beyond"),
        (GOOD | {"second": "3.0"}, "second: expected a finite number, got '3.0'"),
        (GOOD | {"second": True}, "second: expected a finite number, got True"),
        (GOOD | {"second": None}, "second: expected a finite number, got None"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(tmp_path: Path, parameters: dict[str, object], message: str) -> None:
    pair = Pair([Value(7.0), Value(8.0)], Value(9.0))
    path = tmp_path / "model.json"
    path.write_text(json.dumps({"format": "scalar-autograd parameters", "version": 1, "parameters": parameters}))
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the whole message is compared below
        pair.load_state_dict(parameters)  # type: ignore[arg-type]
    assert message in str(caught.value)
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        pair.load(path)
    assert message in str(caught.value)
    assert f"cannot load {path}: " in str(caught.value)
    assert numbers(pair) == [7.0, 8.0, 9.0]


def test_a_model_of_another_shape_is_told_from_this_one(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    MLP(2, [3, 1]).save(path)
    for other, message in [
        (MLP(3, [3, 1]), r"layers\.0\.neurons\.0\.weights: expected a list of 3, got one of 2"),
        (MLP(2, [4, 1]), r"2 missing, \['layers\.0\.neurons\.3\.bias', 'layers\.0\.neurons\.3\.weights'\]"),
        (MLP(2, [2, 1]), r"2 unknown, \['layers\.0\.neurons\.2\.bias', 'layers\.0\.neurons\.2\.weights'\]"),
    ]:
        before = numbers(other)
        with pytest.raises(ValueError, match=message):
            other.load(path)
        assert numbers(other) == before


def test_what_is_no_state_at_all() -> None:
    with pytest.raises(TypeError, match=r"expected a dict, .* got 'model\.json'; load\(path\) reads a file"):
        Module().load_state_dict("model.json")  # type: ignore[arg-type]


# ---- saving that fails leaves the old file


def saved(folder: Path) -> tuple[Path, bytes]:
    path = folder / "model.json"
    Pair([Value(1.0), Value(2.0)], Value(3.0)).save(path)
    return path, path.read_bytes()


def only(path: Path, content: bytes) -> bool:
    """There is that file with that content, and nothing beside it."""
    return list(path.parent.iterdir()) == [path] and path.read_bytes() == content


def test_saving_replaces_the_old_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path, content = saved(tmp_path)
    Pair(Value(4.0), Value(5.0)).save(path)
    assert path.read_bytes() != content
    assert only(path, path.read_bytes())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_saving_keeps_the_old_files_permissions(tmp_path: Path, mode: int) -> None:
    path, content = saved(tmp_path)
    path.chmod(mode)
    Pair(Value(4.0), Value(5.0)).save(path)
    assert path.read_bytes() != content
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_model_with_a_number_that_is_not_finite_is_not_saved(tmp_path: Path, number: float) -> None:
    path, content = saved(tmp_path)
    with pytest.raises(
        ValueError, match=rf"cannot save .*model\.json: first\.1: expected a finite number, got {number}"
    ):
        Pair([Value(1.0), Value(number)], Value(2.0)).save(path)
    assert only(path, content)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path, content = saved(tmp_path)

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[call], full)
    with pytest.raises(OSError, match=r"not saved, what was there is unchanged: No space left.*model\.json") as caught:
        Pair(Value(4.0), Value(5.0)).save(path)
    assert caught.value.errno == errno.ENOSPC
    assert only(path, content)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_write_that_the_system_refuses_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    import resource

    path, content = saved(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OSError, match="not saved, what was there is unchanged") as caught:
            Pair([Value(i / 7) for i in range(10_000)], Value(5.0)).save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno == errno.EFBIG
    assert only(path, content)


def test_an_interrupt_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, content = saved(tmp_path)

    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Pair(Value(4.0), Value(5.0)).save(path)
    assert only(path, content)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"the model is not saved.*missing.model\.json"):
        Module().save(tmp_path / "missing" / "model.json")
    assert list(tmp_path.iterdir()) == []


def test_a_path_through_a_file(tmp_path: Path) -> None:
    path, content = saved(tmp_path)
    with pytest.raises(OSError, match="the model is not saved"):
        Module().save(path / "model.json")
    assert only(path, content)


def test_a_path_that_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "model.json"
    folder.mkdir()
    with pytest.raises(FileExistsError, match=r"expected a file, this is a folder or a device.*model\.json"):
        Module().save(folder)
    assert list(tmp_path.iterdir()) == [folder]
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(FileExistsError, match="expected a file, this is a folder or a device"):
        Module().save(pipe)
    assert pipe.is_fifo()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    path, _ = saved(tmp_path)
    link = tmp_path / "latest.json"
    link.symlink_to(path)
    Pair(Value(4.0), Value(5.0)).save(link)
    assert link.is_symlink()
    assert json.loads(path.read_text())["parameters"] == {"first": 4.0, "second": 5.0}


# ---- what it says of itself


def test_a_model_of_ones_own_has_a_repr() -> None:
    assert repr(Everything()) == "<Everything of 12 parameters>"
    lost = Everything()
    lost.scale = {Value(1.0)}  # type: ignore[assignment]
    assert repr(lost).startswith("<")
    assert " object at " in repr(lost)


# ---- computed Values, which are no parameters


class Scaled(Module):
    def __init__(self):
        self.weights = {"w": [Value(3.0), Value(2.0) * 0.5]}
        self.last = None

    def __call__(self, x):
        self.last = [weight * x for weight in self.weights["w"]]
        return self.last[0] + self.last[1]


COMPUTED = r"^Scaled: weights\.w\.1 was computed, and from no parameter: so it is neither trained nor saved"


def test_what_was_computed_from_no_parameter_is_warned_of(tmp_path):
    model = Scaled()
    assert model.parameters() == [model.weights["w"][0]]
    optimizer = SGD(model.parameters(), 0.1)
    for use in (
        model.state_dict,
        lambda: model.save(tmp_path / "scaled.json"),
        lambda: fit(model, [1.0], [1.0], squared_error, optimizer, epochs=1, progress=False),
    ):
        with pytest.warns(UserWarning, match=COMPUTED):
            use()


def test_what_a_module_keeps_of_a_call_is_a_result():
    model = Scaled()
    model.weights["w"][1] = Value(1.0)
    model(Value(2.0) * 2.0)
    model.inputs = [Value(2.0) * Value(3.0) * 2.0]
    assert model.state_dict() == {"weights.w": [3.0, 1.0]}


def test_a_hint_is_no_reason_to_fail():
    model = Scaled()
    model.parameters = None
    history = fit(model, [1.0], [1.0], squared_error, SGD([model.weights["w"][0]], 0.1), epochs=1, progress=False)
    assert len(history.loss) == 1
