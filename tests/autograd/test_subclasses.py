"""Subclasses of Value: their own attributes, constructors, `_backward`, operators and other base classes."""

from __future__ import annotations

import abc
import copy
import gc
import pickle
import weakref
from typing import Generic, TypeVar

import pytest

from autograd import Value, dot, exp, gather, no_grad
from autograd.graph import topological_order

T = TypeVar("T")


class Slotted(Value):
    __slots__ = ("rate",)


class Slotless(Value):
    __slots__ = ()


class Parameter(Value):
    momentum = 0.9

    def __init__(self, data, name, *, rate=0.1):
        super().__init__(data, label=name)
        self.rate = rate


class Named:
    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        cls.registered = cls.__name__

    @property
    def shown(self):
        return f"{self.label}={self.data}"


class Mixed(Named, Value):
    pass


class MixedAfter(Value, Named):
    pass


class Abstract(Value, abc.ABC):
    @abc.abstractmethod
    def rate(self): ...


class Concrete(Abstract):
    def rate(self):
        return 0.5


class Boxed(Value, Generic[T]):
    pass


class Clipped(Value):
    """Passes on at most 1 to its parents."""

    def __init__(self, value):
        super().__init__(value.data, (value,), "clip")

    def _backward(self):
        for parent in self.parents:
            parent.grad += max(-1.0, min(1.0, self.grad))


class Doubling(Value):
    def __radd__(self, other):
        return ("reflected", other)

    def __mul__(self, other):
        return super().__mul__(2.0 * other)


ALL = [Slotted, Slotless, Mixed, MixedAfter, Concrete, Boxed, lambda data: Parameter(data, "p"), Boxed[int]]


@pytest.mark.parametrize("make", ALL, ids=lambda make: getattr(make, "__name__", str(make)))
def test_they_take_part_in_graphs(make):
    v = make(2.0)
    y = v * v + dot([v, 1.0], [3.0, v]) + exp(v * 0.0)
    assert y.data == 4.0 + 6.0 + 2.0 + 1.0
    assert type(y) is Value
    y.backward()
    assert v.grad == 4.0 + 3.0 + 1.0
    assert v in topological_order(y)
    with no_grad():
        assert type(v * 2) is Value


@pytest.mark.parametrize("make", ALL, ids=lambda make: getattr(make, "__name__", str(make)))
def test_they_have_attributes_weak_references_and_are_collected(make):
    v = make(2.0)
    v.note = "n"
    v.__dict__["other"] = 1
    assert (v.note, v.other) == ("n", 1)
    assert v.__dict__.items() >= {"note": "n", "other": 1}.items()
    del v.note
    with pytest.raises(AttributeError, match="note"):
        getattr(v, "note")  # noqa: B009
    v.itself = v
    alive = weakref.ref(v)
    del v
    gc.collect()
    assert alive() is None


def test_slots_are_their_own():
    v = Slotted(1.0)
    with pytest.raises(AttributeError, match="rate"):
        getattr(v, "rate")  # noqa: B009
    v.rate = 0.5
    assert v.rate == 0.5
    assert "rate" not in v.__dict__
    v.rate = v
    alive = weakref.ref(v)
    del v
    gc.collect()
    assert alive() is None


def test_a_constructor_of_its_own():
    p = Parameter(2, "w", rate=0.5)
    assert (p.data, p.label, p.rate, p.momentum) == (2.0, "w", 0.5, 0.9)
    with pytest.raises(TypeError, match="expected a real number, got str"):
        Parameter("x", "w")
    with pytest.raises(TypeError):
        Parameter(1.0)


def test_without_its_constructor_it_is_a_value_nonetheless():
    class Forgetful(Value):
        def __init__(self, data):
            pass

    v = Forgetful(1.0)
    v.data = 3.0
    assert v.data == 3.0
    del v


def test_other_base_classes():
    m = Mixed(2.0, label="m")
    assert (m.registered, m.shown) == ("Mixed", "m=2.0")
    assert MixedAfter(2.0).registered == "MixedAfter"
    assert Concrete(1.0).rate() == 0.5
    with pytest.raises(TypeError, match="abstract"):
        Abstract(1.0)
    with pytest.raises(TypeError, match=r"lay-?out conflict"):
        type("Impossible", (Value, int), {})


def test_a_backward_of_its_own_is_called_wherever_it_stands():
    x = Value(5.0)
    y = Clipped(x * x) * 3.0
    y.backward()
    assert x.grad == 10.0
    clipped = Clipped(x)
    assert (clipped.parents, clipped.op, clipped.local_derivatives) == ((x,), "clip", ())
    x.grad = 0.0
    clipped.backward(-7.0)
    assert x.grad == -1.0


def test_an_attribute_stands_before_the_method():
    x = Value(5.0)
    clipped = Clipped(x)
    clipped._backward = lambda: setattr(x, "grad", 42.0)
    clipped.backward()
    assert x.grad == 42.0


def test_an_error_in_a_backward_of_its_own_goes_through():
    class Broken(Clipped):
        def _backward(self):
            raise LookupError("broken")

    x = Value(1.0)
    with pytest.raises(LookupError, match=r"^broken$"):
        (Broken(x) * 2).backward()
    (x * 2).backward()
    assert x.grad == 2.0


def test_operators_of_its_own():
    v = Doubling(3.0)
    assert (v * 2.0).data == 12.0
    assert (2.0 * v).data == 12.0  # by its own product, as in micrograd
    assert 1.0 + v == ("reflected", 1.0)
    plain = Value(1.0)
    assert plain + v == ("reflected", plain)
    assert (v + 1.0).data == 4.0


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies(duplicate):
    p = Parameter(2.0, "w", rate=0.5)
    p.grad, p.history = 0.25, [1.0]
    twin = duplicate(p)
    assert type(twin) is Parameter
    assert (twin.data, twin.grad, twin.label, twin.rate, twin.history) == (2.0, 0.25, "w", 0.5, [1.0])
    slotted = Slotted(1.0)
    slotted.rate = 0.5
    slotted.note = "n"
    twin = duplicate(slotted)
    assert (type(twin), twin.data, twin.rate, twin.note) == (Slotted, 1.0, 0.5, "n")
    assert "rate" not in twin.__dict__


def test_a_copy_within_a_cycle():
    p = Parameter(2.0, "w")
    p.itself = p
    twin = copy.deepcopy(p)
    assert twin.itself is twin
    assert pickle.loads(pickle.dumps(p)).itself.data == 2.0
    del p.itself, twin.itself


def test_they_may_be_gathered():
    from array import array

    vector = array("d", [0.0, 0.0])
    gather([Parameter(2.0, "w"), Slotted(3.0)], "data", vector)
    assert list(vector) == [2.0, 3.0]
