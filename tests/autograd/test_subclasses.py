"""Subclasses of Value: their own attributes, constructors, `_backward`, operators and other base classes."""

from __future__ import annotations

import abc
import copy
import gc
import operator
import pickle
import weakref
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Generic, TypeVar

import pytest

import autograd
from autograd import Tape, Value, dot, draw, exp, explain, gather, no_grad, subclasses
from autograd.graph import topological_order
from nn import Module

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
    assert (v * 2.0).data == (2.0 * v).data == 12.0
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


# ---- a class as micrograd has it, on top of Value


class Micrograd(Value):
    """Its constructor sets everything itself, its operators are its own where micrograd's are, and nothing else is."""

    def __init__(self, data, _children=(), _op=""):
        self.data = data
        self.grad = 0
        self._backward = lambda: None
        self._prev = set(_children)
        self._op = _op

    def __add__(self, other):
        other = other if isinstance(other, Micrograd) else Micrograd(other)
        out = Micrograd(self.data + other.data, (self, other), "+")

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Micrograd) else Micrograd(other)
        out = Micrograd(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, other):
        out = Micrograd(self.data**other, (self,), f"**{other}")

        def _backward():
            self.grad += (other * self.data ** (other - 1)) * out.grad

        out._backward = _backward
        return out

    def relu(self):
        out = Micrograd(0 if self.data < 0 else self.data, (self,), "ReLU")

        def _backward():
            self.grad += (out.data > 0) * out.grad

        out._backward = _backward
        return out


class Microgpt(Value):
    """The same with microgpt's constructor, by keyword or not."""

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0
        self._children = children
        self._local_grads = local_grads

    def __add__(self, other):
        other = other if isinstance(other, Microgpt) else Microgpt(other)
        return Microgpt(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Microgpt) else Microgpt(other)
        return Microgpt(self.data * other.data, children=(self, other), local_grads=(other.data, self.data))

    def __pow__(self, other):
        return Microgpt(self.data**other, (self,), (other * self.data ** (other - 1),))

    def relu(self):
        return Microgpt(max(0, self.data), (self,), (float(self.data > 0),))


def micrograds_test(new):
    """The expression in micrograd's README."""
    a, b = new(-4.0), new(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g = sum([g, g * 0.0]) - 1.0 + 1
    return a, b, g


@pytest.mark.parametrize("kind", [Micrograd, Microgpt])
def test_programs_written_for_engines_of_this_kind(kind):
    a, b, g = micrograds_test(kind)
    nodes = topological_order(g)
    assert {type(node) for node in nodes} == {kind}
    g.backward()
    *inputs, expected = micrograds_test(Value)
    expected.backward()
    assert g.data == pytest.approx(expected.data, rel=1e-15)
    assert [a.grad, b.grad] == pytest.approx([x.grad for x in inputs], rel=1e-15)
    assert g.data == pytest.approx(24.70408163265306, rel=1e-15)
    assert {type(node.grad) for node in nodes} == {float}
    del nodes, g
    gc.collect()


@pytest.mark.parametrize("kind", [Micrograd, Microgpt])
def test_their_nodes_go_with_their_graph(kind):
    a, b, g = micrograds_test(kind)
    alive = [weakref.ref(node) for node in topological_order(g) if node is not a and node is not b]
    assert len(alive) > 20
    del g
    gc.collect()
    assert [node for reference in alive if (node := reference()) is not None] == []
    assert (a.data, b.data) == (-4.0, 2.0)


# ---- operators: those that are derived go through a subclass's own


def logging(*names):
    """A subclass with these operators of its own, which write down that they were called."""

    def own(name):
        def method(self, *others):
            self.log.append(name)
            return getattr(Value, name)(self, *others)

        return method

    return type("Logging", (Value,), {"log": []} | {name: own(name) for name in names})


DERIVED = {
    "__add__": {
        "v + 1": lambda v: v + 1.0,
        "1 + v": lambda v: 1.0 + v,
        "v - 1": lambda v: v - 1.0,
        "sum([v, v])": lambda v: sum([v, v]),
        "w + v": lambda v: Value(1.0) + v,
        "v += 1": lambda v: operator.iadd(v, 1.0),
        "autograd.sum([v, v])": lambda v: autograd.sum([v, v]),
    },
    "__mul__": {
        "v * 2": lambda v: v * 2.0,
        "2 * v": lambda v: 2.0 * v,
        "-v": lambda v: -v,
        "v / 2": lambda v: v / 2.0,
        "1 - v": lambda v: 1.0 - v,
        "w * v": lambda v: Value(2.0) * v,
        "v *= 2": lambda v: operator.imul(v, 2.0),
    },
    "__pow__": {
        "v ** 2": lambda v: v**2.0,
        "v / w": lambda v: Value(1.0) / v,
        "3 / v": lambda v: 3.0 / v,
    },
}


@pytest.mark.parametrize("name", DERIVED)
def test_derived_operators_go_through_the_own_one(name):
    for expression, call in DERIVED[name].items():
        v, w = logging(name)(4.0), Value(4.0)
        result, expected = call(v), call(w)
        assert name in v.log, expression
        result.backward()
        expected.backward()
        assert (result.data, v.grad) == pytest.approx((expected.data, w.grad), rel=1e-15), expression


def test_operators_that_are_not_derived_from_the_own_one_stay_the_engines():
    adding, raising = logging("__add__"), logging("__pow__")
    for name in ("__mul__", "__rmul__", "__neg__", "__truediv__", "__rtruediv__", "__pow__"):
        assert getattr(adding, name) is getattr(Value, name)
    for name in ("__add__", "__radd__", "__sub__", "__neg__", "__mul__", "__rmul__"):
        assert getattr(raising, name) is getattr(Value, name)
    assert (adding(3.0) / 7.0).data == 3.0 / 7.0


def test_what_a_subclass_derives_itself_stays():
    class Own(Value):
        def __add__(self, other):
            return ("added", other)

        def __sub__(self, other):
            return ("subtracted", other)

    class Further(Own):
        def __add__(self, other):
            return ("added further", other)

    class Mixing:
        def __mul__(self, other):
            return ("multiplied", other)

    class Mixed(Mixing, Own):
        pass

    assert (Own(1.0) + 2.0, Own(1.0) - 2.0, 2.0 + Own(1.0)) == (("added", 2.0), ("subtracted", 2.0), ("added", 2.0))
    assert Further(1.0) - 2.0 == ("subtracted", 2.0)
    assert 2.0 + Further(1.0) == ("added further", 2.0)
    assert (2.0 * Mixed(1.0), -Mixed(1.0)) == (("multiplied", 2.0), ("multiplied", -1))


def test_operators_that_the_class_gets_later_before_its_first_instance():
    class Late(Value):
        pass

    Late.__add__ = lambda self, other: ("added", other)
    v = Late(1.0)
    assert (v + 2.0, 2.0 + v, v - 3.0, autograd.sum([v, v])[0]) == (
        ("added", 2.0),
        ("added", 2.0),
        ("added", -3.0),
        "added",
    )


def test_a_plain_subclass_has_the_engines_operators():
    for name in ("__add__", "__radd__", "__sub__", "__mul__", "__rmul__", "__truediv__", "__neg__", "__pow__"):
        assert getattr(Slotted, name) is getattr(Parameter, name) is getattr(Value, name)


# ---- constructors


class SetsDataOnly(Value):
    def __init__(self, number):
        self.data = number


class SetsNothing(Value):
    def __init__(self):
        pass


class LabelFirst:
    def __init__(self, number):
        self.label = "set by a mixin"
        self.data = number


class OfAMixin(LabelFirst, Value):
    pass


class Made(Value):
    def __new__(cls, number):
        made = super().__new__(cls)
        made.data = number
        return made

    def __init__(self, number):
        pass


class MadeWithoutTheConstructor(Value):
    def __new__(cls, number):
        made = super().__new__(cls)
        Value.__init__(made, number, label="made")
        return made

    def __init__(self, number):
        self.note = number


class Setting(Value):
    """Its `__setattr__` needs what its constructor sets."""

    def __init__(self, number):
        super().__setattr__("names", [])
        super().__init__(number)

    def __setattr__(self, name, attribute):
        self.names.append(name)
        super().__setattr__(name, attribute)


class PastTheEngine(Value):
    def __setattr__(self, name, attribute):
        object.__setattr__(self, name, attribute)

    def __delattr__(self, name):
        object.__delattr__(self, name)


class Strict(Value):
    def __setattr__(self, name, attribute):
        if name == "rate":
            raise TypeError("a rate is not set")
        super().__setattr__(name, attribute)

    def __delattr__(self, name):
        self.deleted = name
        super().__delattr__(name)


class OfObject(Value):
    __setattr__, __delattr__ = object.__setattr__, object.__delattr__


class Walking:
    """Has a name that Value has, too."""

    def backward(self):
        raise NotImplementedError

    _number = 5.0


class BeforeAMixin(Value, Walking):
    def __init__(self, number):
        self.data = number


class Late(Value):
    """Its constructor is put into it later."""


Late.__init__ = lambda self, number: setattr(self, "data", number)


class Grandchild(SetsDataOnly):
    def __init__(self, number):
        super().__init__(number + 1.0)


@pytest.mark.parametrize(
    ("make", "data"),
    [(lambda: SetsDataOnly(2.0), 2.0), (SetsNothing, 0.0), (lambda: OfAMixin(2.0), 2.0), (lambda: Made(2.0), 2.0),
     (lambda: MadeWithoutTheConstructor(2.0), 2.0), (lambda: Setting(2.0), 2.0), (lambda: Grandchild(1.0), 2.0),
     (lambda: BeforeAMixin(2.0), 2.0), (lambda: Late(2.0), 2.0)],
)  # fmt: skip
def test_every_constructor_begins_with_a_leaf(make, data):
    v = make()
    assert (v.data, v.grad, v.parents, v.op, v.operation, v.operands, v.local_derivatives) == (
        data,
        0.0,
        (),
        "",
        None,
        (),
        (),
    )
    (v * 3.0 + v).backward()
    assert v.grad == 4.0
    assert repr(v).startswith(f"Value(data={data}, grad=4.0")
    assert v.label in ("", "set by a mixin", "made")


@pytest.mark.parametrize("kind", [PastTheEngine, type("Further", (PastTheEngine,), {}), OfObject])
def test_attributes_are_set_by_super_not_by_object(kind):
    """With the Python engine object.__setattr__ does the same. CPython keeps it from it with a class in C."""
    v = kind(1.0)
    if autograd.engine == "python":
        v.data, v.note = 3.0, "n"
        del v.note
        return
    for name, use in (("__setattr__", lambda: setattr(v, "data", 3.0)), ("__delattr__", lambda: delattr(v, "note"))):
        expected = rf"^{kind.__name__}\.{name}: expected it to call super\(\)\.{name}, got object\.{name}, which"
        with pytest.raises(TypeError, match=expected):
            use()
    assert v.data == 1.0


@pytest.mark.parametrize("kind", [Strict, type("Further", (Strict,), {})])
def test_setattr_and_delattr_of_ones_own(kind):
    v = kind(1.0)
    v.data, v.note = 3.0, "n"
    del v.note
    assert (v.data, v.deleted, hasattr(v, "note")) == (3.0, "note", False)
    with pytest.raises(TypeError, match=r"^a rate is not set$"):
        v.rate = 0.5


@pytest.mark.parametrize("eq", [True, False])
def test_a_frozen_dataclass_is_refused(eq):
    frozen = dataclass(frozen=True, eq=eq)(type("Frozen", (Value,), {"__annotations__": {"data": float}}))
    for kind in (frozen, type("Further", (frozen,), {})):
        with pytest.raises(TypeError, match=rf"^{kind.__name__} is a frozen dataclass, but backward\(\) sets the grad"):
            kind(2.0)


# ---- equality, length, data of their own


class Equal(Value):
    def __eq__(self, other):
        return isinstance(other, Value) and self.data == other.data


class Hashed(Equal):
    def __hash__(self):
        return id(self)


class HashedByData(Equal):
    def __hash__(self):
        return hash(self.data)


class InheritsHash(HashedByData):
    pass


class MixedHash:
    def __hash__(self):
        return hash(self.label)


class HashedByLabel(MixedHash, Value):
    pass


class Sized(Value):
    def __len__(self):
        return 3

    def __iter__(self):
        return iter([1.0, 2.0, 3.0])

    def __getitem__(self, place):
        return 1.0


def sine_and_product(x, y):
    return (x * y).sin() + x * y * y


@pytest.mark.parametrize("kind", [Equal, Hashed, Sized])
def test_kinds_whose_values_compare_or_have_a_length(kind):
    x, y = kind(2.0), kind(2.0)
    node = sine_and_product(x, y)
    node.backward()
    expected = [Value(2.0), Value(2.0)]
    sine_and_product(*expected).backward()
    truth = [v.grad for v in expected]
    assert [x.grad, y.grad] == truth
    assert len(topological_order(node)) == 7
    assert (dot([x, y], [y, x]).data, autograd.sum([x, y]).data, Value(x).data) == (8.0, 4.0, 2.0)
    tape = Tape(node, [x])
    assert tape.parameters == (y,)
    assert tape.forward([2.0]).tolist() == [node.data]
    assert draw(node).svg.count("<title>x") == 0
    assert explain(node).text
    assert autograd.gradients(node, [x, y]) == truth
    assert (x == y) is (kind is not Sized)
    assert (x != y) is (kind is Sized)
    assert len({x, y}) == 2


class Two(Module):
    def __init__(self, kind):
        self.w, self.b = kind(2.0), kind(2.0)


@pytest.mark.parametrize("kind", [HashedByData, InheritsHash, HashedByLabel])
@pytest.mark.parametrize(
    "use",
    [
        lambda node, x, y: autograd.gradients(node, [x, y]),
        lambda node, x, y: autograd.gradients(node, [x, y], create_graph=True),
        lambda node, x, y: autograd.jacobian(lambda z: x * y * y * z)(2.0),
        lambda node, x, y: autograd.vjp(lambda z: x * y * y * z, 2.0)[1](1.0),
        lambda node, x, y: draw(node),
        lambda node, x, y: explain(node).text,
        lambda node, x, y: Two(type(x)).parameters(),
        lambda node, x, y: Two(type(x)).state_dict(),
        lambda node, x, y: {x, y},
    ],
)
def test_a_hash_that_makes_one_node_of_two_is_refused(kind, use):
    x, y = kind(2.0), kind(2.0)
    node = sine_and_product(x, y)
    with pytest.raises(
        TypeError, match=rf"^{kind.__name__}\.__hash__: expected id\(self\), got .*leave __hash__ away$"
    ):
        use(node, x, y)
    node.backward()
    truth = [Value(2.0), Value(2.0)]
    sine_and_product(*truth).backward()
    assert [x.grad, y.grad] == [v.grad for v in truth]
    copied = copy.deepcopy([x, y, x])
    assert copied[0] is copied[2]
    assert copied[0] is not copied[1]


def equal_by_a_decorator():
    @dataclass
    class Equal(Value):
        data: float

    return Equal


def equal_by_an_assignment():
    class Equal(Value):
        pass

    Equal.__eq__ = lambda self, other: isinstance(other, Value) and self.data == other.data
    Equal.__hash__ = None
    return Equal


def without_the_engines_init_subclass():
    class Silent:
        def __init_subclass__(cls):
            pass

    class Equal(Silent, Value):
        def __eq__(self, other):
            return isinstance(other, Value) and self.data == other.data

    return Equal


@pytest.mark.parametrize("make", [equal_by_a_decorator, equal_by_an_assignment, without_the_engines_init_subclass])
def test_an_equality_that_the_class_gets_later(make):
    test_kinds_whose_values_compare_or_have_a_length(make())


class Odd(Value):
    """Its == answers with what is no bool, its != is Value's."""

    def __eq__(self, other):
        return [] if other is None else NotImplemented if isinstance(other, str) else ["equal"]

    __ne__ = Value.__ne__


def raising(self, other):
    raise LookupError("compared")


def test_unequal_is_not_equal_whenever_the_class_gets_its_equality():
    class Late(Value):
        pass

    x, y, plain = Late(2.0), Late(2.0), Value(2.0)
    assert [x == y, x != y, x == x, x != x] == [False, True, True, False]
    Late.__eq__ = lambda self, other: isinstance(other, Value) and self.data == other.data
    assert [x == y, x != y, x == plain, x != plain, plain == x, plain != x] == [True, False] * 3
    assert [Value.__ne__(x, y), x.__ne__(y), Value.__ne__(plain, x)] == [False, False, NotImplemented]
    Late.__eq__ = raising
    with pytest.raises(LookupError, match=r"^compared$"):
        x != y  # noqa: B015
    del Late.__eq__
    assert [x == y, x != y] == [False, True]
    Late.__ne__ = lambda self, other: "unequal"
    assert [x == y, x != y] == [False, "unequal"]
    odd = Odd(1.0)
    assert [odd != None, odd != x, odd != "s"] == [True, False, True]  # noqa: E711


def hashed_by_a_decorator():
    return dataclass(unsafe_hash=True)(type("Late", (Value,), {"__annotations__": {"data": float}}))


def hash_of_data(value):
    return hash(value.data)


def hashed_by_an_assignment():
    late = type("Late", (Value,), {})
    late.__hash__ = hash_of_data
    return late


def hashed_after_an_instance():
    late = type("Late", (Value,), {})
    late(1.0)
    late.__hash__ = hash_of_data
    return late


def hashed_in_its_base():
    base = type("Base", (Value,), {})
    late = type("Late", (base,), {})
    late(1.0)
    base.__hash__ = hash_of_data
    return late


@pytest.mark.parametrize(
    "make", [hashed_by_a_decorator, hashed_by_an_assignment, hashed_after_an_instance, hashed_in_its_base]
)
def test_a_hash_that_the_class_gets_later_is_refused(make):
    kind = make()
    x, y = kind(2.0), kind(2.0)
    for use in (lambda node: autograd.gradients(node, [x, y]), lambda node: node._prev, draw):
        with pytest.raises(TypeError, match=r"^Late\.__hash__: expected id\(self\), got .*unsafe_hash=True"):
            use(x * y)


def test_a_plain_subclass_keeps_its_hash_and_is_looked_at_once(monkeypatch):
    class Plain(Value):
        pass

    Plain(1.0)
    assert Plain.__hash__ in (Value.__hash__, object.__hash__)
    with monkeypatch.context() as patched:
        patched.setattr(subclasses, "complete", lambda kind: pytest.fail("it was looked at again"))
        assert len({Plain(1.0), Plain(1.0)}) == 2


def test_a_length_does_not_make_a_sequence_of_a_value():
    v = Sized(2.0)
    assert autograd.grad(lambda x: x * x)(v).data == 4.0
    assert (v + 1.0).data == 3.0
    assert bool(Sized(0.0)) is False
    w = Value(0.0)
    w.data = v
    assert w.data == 2.0


class Clamped(Value):
    """Its `data` is at most 1, whoever sets it, and its `grad` is counted."""

    reads = 0

    @property
    def data(self):
        Clamped.reads += 1
        return Value.data.__get__(self)

    @data.setter
    def data(self, number):
        Value.data.__set__(self, min(1.0, number))

    @property
    def grad(self):
        return 10.0 * Value.grad.__get__(self)

    @grad.setter
    def grad(self, number):
        Value.grad.__set__(self, number / 10.0)


def test_data_and_grad_of_ones_own():
    from array import array

    v = Clamped(0.5)
    v.data = 7.0
    assert (v.data, f"{v:.1f}", v.item(), v.detach().data) == (1.0, "1.0", 1.0, 1.0)
    vector = array("d", [3.0, 0.25])
    autograd.scatter(vector, [v, Value(0.0)], "data")
    assert v.data == 1.0
    gather([v, Value(5.0)], "data", vector)
    assert list(vector) == [1.0, 5.0]
    autograd.scatter(vector, [Value(0.0), v], "grad")
    assert (v.grad, Value.grad.__get__(v)) == (5.0, 0.5)
    gather([v, v], "grad", vector)
    assert list(vector) == [5.0, 5.0]


class Shown(Value):
    """Shows another number than it computes with."""

    data = property(lambda self: 100.0)


def test_operations_take_the_number_itself():
    v = Shown(2.0)
    assert (v.data, v.item()) == (100.0, 100.0)
    assert ((v * 3.0).data, Value(v).data, dot([v], [v]).data, v < 3.0, bool(Shown(0.0))) == (
        6.0,
        2.0,
        4.0,
        True,
        False,
    )
    with no_grad():
        assert (float(v), (v * v).data) == (100.0, 4.0)


def hidden_by_a_dataclass(name="data", **options):
    body = {"__annotations__": {name: float}} | ({} if options else {name: 5.0})
    return dataclass(eq=False, **options)(type("Hiding", (Value,), body))


class Plainly:
    data = 5.0


class Lazily:
    @cached_property
    def grad(self):
        return 1.0


def assigned_later(name):
    late = type("Hiding", (Value,), {})
    setattr(late, name, None)
    return late


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hidden_by_a_dataclass(), r"Hiding\.data is 5\.0, and hides the data that .*default_factory"),
        (lambda: hidden_by_a_dataclass("grad"), r"Hiding\.grad is 5\.0, and hides the grad"),
        (lambda: hidden_by_a_dataclass(slots=True), r"Hiding\.data is a slot, .* and slots=True out"),
        (lambda: type("Microgpt", (Value,), {"__slots__": ("data", "grad", "_children", "_local_grads")}),
         r"Microgpt\.data is a slot, and hides the data that Values compute with: leave it out of __slots__"),
        (lambda: type("Hiding", (Value,), {"__slots__": ("_children",)}), r"Hiding\._children is a slot"),
        (lambda: type("Hiding", (Value,), {"__slots__": "grad"}), r"Hiding\.grad is a slot"),
        (lambda: type("Hiding", (Value,), {"grad": lambda self: 1.0}), r"Hiding\.grad is <function .*it a property"),
        (lambda: type("Hiding", (Plainly, Value), {}), r"Plainly\.data is 5\.0, and hides"),
        (lambda: type("Hiding", (Lazily, Value), {}), r"Lazily\.grad is <functools\.ca"),
        *[(partial(assigned_later, name), rf"Hiding\.{name} is None, and hides the {name} that Values")
          for name in subclasses.COMPUTED_WITH],
    ],
)  # fmt: skip
def test_what_hides_the_number_that_operations_take_is_refused(make, message):
    kind = make()
    for _ in range(2):
        with pytest.raises(TypeError, match=f"^{message}"):
            kind(2.0)
    further = type("Further", (kind,), {})
    with pytest.raises(TypeError, match=f"^{message}"):
        further(2.0)


def test_dataclasses():
    @dataclass
    class Parameter(Value):
        data: float
        rate: float = 0.1
        label: str = "w"
        grad: float = field(default_factory=lambda: 0.5)

    p = Parameter(2.0, rate=0.2)
    assert (p.data, p.grad, p.rate, p.label, Parameter(1.0).rate) == (2.0, 0.5, 0.2, "w", 0.1)
    y = p * p * 3.0
    y.backward()
    assert (y.data, p.grad) == (12.0, 12.5)
    p.data -= p.rate * p.grad
    assert (p * 2.0).data == 2.0 * p.data == -1.0
    assert autograd.gradients(p * p, [p]) == [-1.0]
    assert repr(p).endswith("Parameter(data=-0.5, rate=0.2, label='w', grad=12.5)")
    assert copy.deepcopy(p) == p == replace(p)
    assert p != replace(p, rate=0.3)


def test_a_gather_whose_values_change_the_list():
    """It is an error, and no harm is done."""
    from array import array

    class Emptying(Value):
        data = property(lambda self: values.clear() or 1.0)

    values = [Emptying(1.0), Value(2.0)]
    with pytest.raises((TypeError, ValueError)):
        gather(values, "data", array("d", [0.0, 0.0]))


# ---- wrappers on the class itself


@pytest.fixture
def restored():
    """Value as it was, whatever a test has done to the class."""
    before = {name: vars(Value)[name] for name in ("__init__", "_backward")}
    yield
    for name, attribute in before.items():
        setattr(Value, name, attribute)
    x = Value(2.0)
    (x * x).backward()
    assert x.grad == 4.0


def wrapped_init(log, *, then=None):
    plain = Value.__init__

    def init(self, *arguments, **keywords):
        plain(self, *arguments, **keywords)
        log.append(self)
        if then:
            then(self)

    Value.__init__ = init


def graph(x, y):
    z = x * y + 1.0
    total = dot([z, 2.0, x], [y, x, x], z) + autograd.sum([x, y, z]) + autograd.logsumexp([x, z])
    return (-total).tanh() * abs(y) / 3.0


def nodes_made():
    x, y = Value(0.5, label="x"), Value(0.25)
    result = graph(x, y)
    result.backward()
    order = topological_order(result)
    return order, [(node.data, node.grad, node.op, node.label, node.local_derivatives) for node in order]


def test_a_wrapped_constructor_sees_every_value_that_is_made(restored):
    _, plain = nodes_made()
    log = []
    wrapped_init(log)
    order, found = nodes_made()
    assert found == plain
    assert {*map(id, order)} <= {*map(id, log)}
    assert len(log) == len(order)
    del log[:]
    with no_grad():
        result = graph(Value(0.5), Value(0.25))
    assert result in log
    assert all(type(value) is Value and not value.parents for value in log)
    del log[:]
    x = Value(2.0)
    assert x.detach() in log
    assert Value(x) in log
    assert (copy.copy(x) in log) is True


def test_a_wrapped_constructor_may_set_attributes_and_labels(restored):
    _, plain = nodes_made()
    log = []

    def mark(value):
        value.number = len(log)
        value.label = value.label or f"v{len(log)}"

    wrapped_init(log, then=mark)
    order, found = nodes_made()
    assert [(data, grad, op, slopes) for data, grad, op, _, slopes in found] == [
        (data, grad, op, slopes) for data, grad, op, _, slopes in plain
    ]
    assert sorted(node.number for node in order) == [*range(1, len(order) + 1)]
    assert [node.label for node in order if node.number > 2] == [f"v{node.number}" for node in order if node.number > 2]


def test_a_wrapped_constructor_may_round_and_give_parents(restored):
    log = []
    wrapped_init(log, then=lambda value: setattr(value, "data", round(value.data, 1)))
    assert (Value(0.123) * 3.0).data == 0.3
    other = Value(5.0)
    log.clear()
    wrapped_init(log, then=lambda value: setattr(value, "_children", (other,)))
    x = Value(2.0)
    assert x.parents == (other,)
    y = x * 3.0
    assert (y.parents, y.local_derivatives, y.op) == ((x,), (3.0,), "*")  # an operation's own are set afterwards
    with no_grad():
        assert (x * 3.0).parents == (other,)


def test_an_error_in_a_wrapped_constructor_goes_through(restored):
    log = []

    def fail(value):
        if value.data > 5.0:
            raise LookupError("too large")

    wrapped_init(log, then=fail)
    x = Value(3.0)
    for call in (lambda: x * 2.0, lambda: Value(7.0), lambda: dot([x], [x]), lambda: autograd.exp(x)):
        with pytest.raises(LookupError, match=r"^too large$"):
            call()
    assert (x * 1.0).data == 3.0


def test_a_wrapped_constructor_and_subclasses(restored):
    log = []
    wrapped_init(log)
    p = Parameter(2.0, "w")
    assert [value is p for value in log] == [True]
    made = SetsDataOnly(1.0)
    assert made not in log
    assert (made * p).data == 2.0


def test_a_wrapped_backward_sees_every_node(restored):
    _, plain = nodes_made()
    log = []
    original = Value._backward

    def _backward(self):
        log.append(self)
        original(self)

    Value._backward = _backward
    wrapped_order, found = nodes_made()
    assert found == plain
    assert [*map(id, log)] == [*map(id, reversed(wrapped_order))]
    log.clear()
    p = Parameter(2.0, "w")
    (p * 2.0).backward()
    assert log[-1] is p
    Value._backward = original
    log.clear()
    nodes_made()
    assert log == []


CALLS = {
    "__mul__": lambda x: x * 3.0,
    "__add__": lambda x: x + 3.0,
    "__neg__": lambda x: -x,
    "__pow__": lambda x: x**2,
    "relu": lambda x: x.relu(),
    "exp": lambda x: x.exp(),
    "backward": lambda x: x.backward(),
    "__repr__": repr,
}


@pytest.mark.parametrize("name", CALLS)
def test_a_wrapped_method_or_operator_is_called(name):
    plain, log, x = getattr(Value, name), [], Value(2.0)

    def wrapper(self, *arguments):
        log.append(self)
        return plain(self, *arguments)

    setattr(Value, name, wrapper)
    try:
        CALLS[name](x)
        CALLS[name](slotted := Slotted(3.0))
        assert [*map(id, log)] == [id(x), id(slotted)]
    finally:
        setattr(Value, name, plain)
    CALLS[name](x)
    assert len(log) == 2


def test_a_backward_that_does_nothing(restored):
    Value._backward = lambda self: None
    x = Value(2.0)
    y = x * x
    y.backward()
    assert (x.grad, y.grad) == (0.0, 1.0)


def test_a_backward_that_takes_the_graph_apart():
    """The nodes of a walk live until its end."""
    x = Value(2.0)

    def build():
        h = (x * 2.0) * 3.0
        out = (h * 1.0) * 5.0
        out._backward = lambda: out.__init__(0.0)
        return out

    out = build()
    out.backward()
    assert (out.data, out.parents, x.grad) == (0.0, (), 0.0)
    del out._backward

    def cut(node):
        parents = node.parents
        node._children = ()
        for parent in parents:
            parent.grad += 1.0

    y = (x * 2.0) * 3.0
    y._backward = lambda: cut(y)
    y.backward()
    assert (y.parents, x.grad) == ((), 2.0)


# ---- initialised again


def test_a_computed_value_that_is_initialised_again_is_a_leaf():
    for make in (lambda x: x * x, lambda x: dot([x, x, x], [x, x, x]), lambda x: Value(1.0, (x,), "f"), lambda x: -x):
        x = Value(2.0, label="x")
        alive = weakref.ref(x)
        c = make(x)
        c.grad, c.label, c.note = 3.0, "c", "kept"
        c.__init__(5.0)
        assert (c.data, c.grad, c.label, c.parents, c.op, c.operands, c.note) == (5.0, 0.0, "", (), "", (), "kept")
        assert repr(c) == "Value(data=5.0, grad=0.0)"
        c.backward()
        c.backward()
        assert (c.grad, x.grad) == (2.0, 0.0)
        del x
        assert alive() is None
        assert copy.copy(c).data == 5.0


def test_what_was_computed_from_it_keeps_its_local_derivatives():
    x = Value(2.0)
    y = x * x
    z = y * y
    y.__init__(10.0)
    z.backward()
    assert (z.local_derivatives, y.grad, x.grad) == ((4.0, 4.0), 8.0, 0.0)


@pytest.mark.parametrize(
    "name", ["data", "grad", "label", "op", "parents", "operands", "operation", "local_derivatives"]
)
def test_what_a_value_is_made_of_is_not_deleted(name):
    v = Value(2.0, label="v") * 3.0
    before = repr(v)
    with pytest.raises(AttributeError):
        delattr(v, name)
    if name in ("op", "parents", "operands", "operation", "local_derivatives"):
        with pytest.raises(AttributeError):
            setattr(v, name, ())
    assert repr(v) == before


def test_a_dictionary_of_ones_own():
    v = Value(2.0)
    attributes = {"note": 1}
    v.__dict__ = attributes
    assert (v.note, vars(v)) == (1, attributes)
    v.other = 2
    assert attributes == {"note": 1, "other": 2}
    del v.__dict__
    assert vars(v) == {}
    assert not hasattr(v, "note")
    attributes["itself"] = v
    v.__dict__ = attributes
    alive = weakref.ref(v)
    del v, attributes
    gc.collect()
    assert alive() is None


# ---- the collector


def test_reading_attributes_has_no_trace():
    """Neither do copies, pickles, drawings and explanations; only who sets attributes makes a Value known to it."""
    v = Value(2.0, label="v")
    copy.deepcopy(v)
    pickle.dumps(v)
    vars(v)
    v.__dict__.get("x")
    getattr(v, "nothing", None)
    y = v * v
    draw(y)
    explain(y)
    if autograd.engine == "native":
        assert not gc.is_tracked(v)
        assert not gc.is_tracked(v * v)
        v.note = 1.0
        assert gc.is_tracked(v)
        assert gc.is_tracked(v * v)


def test_a_setattr_that_is_inherited_leaves_the_other_bases_in_their_order():
    class Logged(Value):
        def __setattr__(self, name, attribute):
            super().__setattr__(name, attribute)

    class Bounded(Logged):
        def __setattr__(self, name, attribute):
            super().__setattr__(name, min(attribute, 1.0) if name == "data" else attribute)

    class Named(Logged):
        pass

    class Both(Named, Bounded):
        pass

    both = Both(0.5)
    both.data = 7.0
    assert both.data == 1.0


def test_a_frozen_mixin_freezes_its_own_fields_alone():
    @dataclass(frozen=True)
    class Rated:
        rate: float = 1.0

    class Mixed(Rated, Value):
        def __init__(self, data):
            Value.__init__(self, data)

    x = Mixed(2.0)
    (x * 3.0).backward()
    assert (x.rate, x.grad) == (1.0, 3.0)
