"""gather() and scatter(): every number arrives, and on an error nothing has been written."""

from __future__ import annotations

import ctypes
import math
from array import array
from contextlib import suppress

import numpy as np
import pytest

from autograd import Value, gather, scatter
from autograd.vectors import add_to

pytestmark = pytest.mark.both_engines

NUMBERS = [1.5, -0.0, math.inf, -math.inf, 5e-324, 1.7976931348623157e308]


class Parameter(Value):
    pass


def values():
    made = [Value(x) if i % 2 else Parameter(x) for i, x in enumerate(NUMBERS)]
    for i, value in enumerate(made):
        value.grad = 0.5 * i
    return made


def vectors(n, number=7.0):
    yield array("d", [number] * n)
    yield np.full(n, number)
    yield memoryview(bytearray(8 * n)).cast("d")
    yield np.full(2 * n, number)[n:]


@pytest.mark.parametrize("container", [list, tuple])
@pytest.mark.parametrize(("attribute", "expected"), [("data", NUMBERS), ("grad", [0.5 * i for i in range(6)])])
def test_gather(attribute, expected, container):
    for vector in vectors(6):
        assert gather(container(values()), attribute, vector) is None
        assert list(vector) == expected
        assert [math.copysign(1.0, x) for x in vector] == [math.copysign(1.0, x) for x in expected]


@pytest.mark.parametrize("container", [list, tuple])
@pytest.mark.parametrize("attribute", ["data", "grad"])
def test_scatter(attribute, container):
    other = "grad" if attribute == "data" else "data"
    for vector in vectors(6):
        vector[:] = array("d", NUMBERS) if not isinstance(vector, memoryview) else memoryview(array("d", NUMBERS))
        targets = values()
        before = [getattr(value, other) for value in targets]
        assert scatter(vector, container(targets), attribute) is None
        assert [getattr(value, attribute) for value in targets] == NUMBERS
        assert [getattr(value, other) for value in targets] == before
        assert all(type(getattr(value, attribute)) is float for value in targets)


@pytest.mark.parametrize("are_plain", [False, True])
@pytest.mark.parametrize("is_grad", [False, True])
def test_add_to(is_grad, are_plain):
    """What is said to be plain may have become something else since: its numbers are the same."""
    targets, attribute = values(), "grad" if is_grad else "data"
    terms = [0.25, 3.0, -math.inf, math.inf, 5e-324, 1.7976931348623157e308]
    expected = [getattr(value, attribute) + term for value, term in zip(targets, terms, strict=True)]
    assert add_to(targets, is_grad, array("d", terms), are_plain) is None
    assert repr([getattr(value, attribute) for value in targets]) == repr(expected)


class Guarded(Value):
    """Its gradient may be read no more than so often."""

    reads = 1000

    @property
    def grad(self):
        Guarded.reads -= 1
        if Guarded.reads < 0:
            raise RuntimeError("read too often")
        return super().grad

    @grad.setter
    def grad(self, number):
        Value.grad.__set__(self, number)


def test_where_a_subclass_refuses_to_be_read_nothing_is_added():
    targets = [Value(1.0), Guarded(2.0), Guarded(3.0), Value(4.0)]
    Guarded.reads = 1
    with pytest.raises(RuntimeError, match="read too often"):
        add_to(targets, True, array("d", [1.0] * 4), False)
    Guarded.reads = 1000
    assert [value.grad for value in targets] == [0.0] * 4
    add_to(targets, True, array("d", [1.0, 2.0, 3.0, 4.0]), False)
    add_to(targets, True, array("d", [1.0, 2.0, 3.0, 4.0]), True)
    assert [value.grad for value in targets] == [2.0, 4.0, 6.0, 8.0]


class Growing(Value):
    """Whoever reads it makes the list longer, or shorter, that it is in."""

    change = staticmethod(lambda: None)

    @property
    def data(self):
        Growing.change()
        return super().data


@pytest.mark.parametrize("change", [lambda x: x.extend([Value(9.0)] * 1000), list.clear], ids=["longer", "shorter"])
def test_a_list_that_changes_while_it_is_read(change):
    """What happens is left open, but nothing is written that is not the vector's."""
    targets = [Value(1.0), Growing(2.0), Value(3.0)]
    Growing.change = staticmethod(lambda: change(targets))
    vector = array("d", [0.0, 0.0, 0.0, 7.0])
    with suppress(TypeError, ValueError):
        gather(targets, "data", memoryview(vector)[:3])
    assert vector[3] == 7.0


def test_a_nan_and_the_same_value_twice():
    x = Value(1.0)
    scatter(array("d", [2.0, math.nan]), [x, x], "data")
    assert math.isnan(x.data)
    vector = array("d", [0.0, 0.0])
    gather([x, x], "data", vector)
    assert [math.isnan(number) for number in vector] == [True, True]


def test_computed_nodes_too():
    x = Value(3.0)
    y = x * x
    scatter(array("d", [5.0]), [y], "data")
    assert (y.data, y.parents) == (5.0, (x, x))


def test_no_values_and_no_numbers():
    gather([], "data", array("d"))
    scatter(np.empty(0), (), "grad")


def test_a_read_only_vector_is_read_but_not_written():
    vector = np.array([3.0])
    vector.flags.writeable = False
    x = Value(1.0)
    scatter(vector, [x], "data")
    assert x.data == 3.0
    with pytest.raises(ValueError, match=r"^expected a vector that can be written, got a read-only ndarray$"):
        gather([x], "grad", vector)
    with pytest.raises(ValueError, match="read-only memoryview"):
        gather([x], "grad", memoryview(array("d", [0.0])).toreadonly())
    assert vector[0] == 3.0


NO_VECTORS = {
    "too short": lambda: array("d", [7.0, 7.0]),
    "too long": lambda: array("d", [7.0] * 4),
    "of single precision": lambda: np.full(3, 7.0, dtype=np.float32),
    "of integers": lambda: array("q", [7, 7, 7]),
    "of the other byte order": lambda: np.full(3, 7.0, dtype=np.dtype("d").newbyteorder()),
    "of complex numbers": lambda: np.full(3, 7.0, dtype=complex),
    "of bytes": lambda: bytearray(24),
    "of two dimensions": lambda: np.full((3, 1), 7.0),
    "of none": lambda: np.array(7.0),
    "not in one piece": lambda: np.full(6, 7.0)[::2],
    "backwards": lambda: np.full(3, 7.0)[::-1],
    "of another kind": lambda: (ctypes.c_float * 3)(7.0, 7.0, 7.0),
    "a list": lambda: [7.0, 7.0, 7.0],
    "a number": lambda: 7.0,
    "None": lambda: None,
    "of objects": lambda: np.array([Value(7.0)] * 3),
}


@pytest.mark.parametrize("make", NO_VECTORS.values(), ids=NO_VECTORS)
def test_what_is_no_vector_is_refused_and_nothing_is_written(make):
    targets, vector = [Value(float(i)) for i in range(3)], make()
    before = repr(vector)
    for call in (lambda: gather(targets, "data", vector), lambda: scatter(vector, targets, "data")):
        with pytest.raises(ValueError, match=r"^expected a vector of "):
            call()
    assert [value.data for value in targets] == [0.0, 1.0, 2.0]
    assert repr(vector) == before


@pytest.mark.parametrize("wrong", [1.0, None, "x", np.float64(1.0)], ids=repr)
@pytest.mark.parametrize("position", [0, 1, 2])
def test_what_is_no_value_is_refused_and_nothing_is_written(wrong, position):
    targets = [Value(float(i)) for i in range(3)]
    mixed = [*targets]
    mixed[position] = wrong
    vector = array("d", [7.0, 7.0, 7.0])
    for call in (lambda: gather(mixed, "data", vector), lambda: scatter(vector, mixed, "data")):
        with pytest.raises(TypeError, match=rf"^expected Values, got {type(wrong).__name__} among them$"):
            call()
    assert list(vector) == [7.0] * 3
    assert [value.data for value in targets] == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    "wrong", [iter([]), {}, np.array([]), None, Value(1.0)], ids=lambda wrong: type(wrong).__name__
)
def test_the_values_come_in_a_list_or_tuple(wrong):
    for call in (lambda: gather(wrong, "data", array("d")), lambda: scatter(array("d"), wrong, "data")):
        with pytest.raises(TypeError, match=r"^expected a list or tuple of Values, got "):
            call()


@pytest.mark.parametrize("attribute", ["label", "", "Data", None, 1])
def test_the_attribute_is_data_or_grad(attribute):
    x, vector = Value(1.0), array("d", [7.0])
    for call in (lambda: gather([x], attribute, vector), lambda: scatter(vector, [x], attribute)):
        with pytest.raises(ValueError, match=r"^expected the attribute data or grad, got "):
            call()
    assert (x.data, vector[0]) == (1.0, 7.0)


def test_a_vector_is_released():
    vector = array("d", [1.0])
    gather([Value(2.0)], "data", vector)
    scatter(vector, [Value(2.0)], "grad")
    with pytest.raises(ValueError, match="expected a vector of 2 float64"):
        gather([Value(2.0)] * 2, "data", vector)
    vector.append(3.0)  # which an array with a view upon it refuses
    assert list(vector) == [2.0, 3.0]
