"""Replays: what is recorded of a function and of its transforms, and the structures that are made of vectors."""

from __future__ import annotations

from collections import namedtuple
from functools import wraps

import numpy as np
import pytest

from autograd import Value, compiled, grad, hessian, jacobian, structures, value_and_grad
from autograd.transforms.apart import Apart
from autograd.transforms.call import made_from
from autograd.transforms.replays import index_of, matrix_writer, older_than, recorded, writer

pytestmark = pytest.mark.both_engines

Pair = namedtuple("Pair", "first second")
STRUCTURES = [
    1.0, [1.0, 2.0], (1.0, 2.0), [[1.0], [2.0, 3.0]], {"a": 1.0, "b": [2.0]}, Pair(1.0, 2.0), np.zeros((2, 3)),
    np.zeros(()), [], [np.zeros(2), 1.0],
]  # fmt: skip


def form_of(structure):
    return structures.flatten(structure)[1]


def are_same(found, expected):
    assert type(found) is type(expected)
    assert form_of(found) == form_of(expected)
    assert structures.flatten(found)[0] == structures.flatten(expected)[0]


@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
def test_writers_write_what_unflatten_does(structure):
    form = form_of(structure)
    numbers = np.arange(float(form.count))
    are_same(writer(form)(numbers), structures.unflatten(form, numbers.tolist()))


@pytest.mark.parametrize("outputs", STRUCTURES, ids=repr)
@pytest.mark.parametrize("inputs", STRUCTURES, ids=repr)
def test_writers_of_matrices_write_what_unflatten_matrix_does(outputs, inputs):
    forms = form_of(outputs), form_of(inputs)
    matrix = np.arange(float(forms[0].count * forms[1].count)).reshape(forms[0].count, forms[1].count)
    are_same(matrix_writer(*forms)(matrix), structures.unflatten_matrix(*forms, matrix.tolist()))


@pytest.mark.parametrize("numbers", [[], [0], [2, 3, 4], [4, 3], [0, 2, 5], [1, 1]])
def test_places_that_follow_each_other_are_a_slice(numbers):
    row = np.arange(10.0)
    assert row[index_of(numbers)].tolist() == [float(number) for number in numbers]
    assert isinstance(index_of([2, 3, 4]), slice)


def test_what_a_transform_has_made_is_known_and_its_wrappers_are_not():
    def function(x):
        return x * x

    for name, transform in {
        "grad": grad,
        "value_and_grad": value_and_grad,
        "hessian": hessian,
        "jacobian": jacobian,
    }.items():
        made = transform(function, 0)
        assert made_from(made)[:3] == (name, function, 0)
        assert made_from(wraps(made)(lambda x: x)) is None
    assert made_from(function) is None
    assert made_from(3) is None


def test_leaves_from_outside_are_told_from_those_that_the_function_makes():
    outside, leaf = Value(1.0), Value(2.0)
    inside = Value(3.0)
    assert older_than(leaf, [outside, inside]) == [outside]
    assert older_than(leaf, [inside]) == []
    apart = Apart(([1.0, 2.0],), {})
    assert recorded(lambda x: x[0] * outside, apart).has_parameters
    assert not recorded(lambda x: x[0] * Value(5.0), apart).has_parameters
    assert not recorded(lambda x: x[0] * 5.0, apart).has_parameters


def test_what_is_replayed_where_no_number_was_used():
    apart = Apart(([1.0, 2.0],), {})
    assert recorded(lambda x: [5, x[0].data], apart)(np.array([[3.0, 4.0]])) == [5.0, 1.0]
    assert recorded(grad(lambda x: 5.0), apart) is None
    assert recorded(lambda: 5.0, Apart((), {})) is None


def test_a_model_that_is_built_when_it_is_first_called_has_parameters():
    class Lazy:
        weight = None

        def __call__(self, x):
            if self.weight is None:
                self.weight = Value(0.5)
            return x * self.weight

    replayed, model = compiled(Lazy()), Lazy()
    assert isinstance(replayed(2.0), Value)
    slope = compiled(grad(model))(2.0)
    assert isinstance(slope, Value)
    slope.backward()
    assert model.weight.grad == 1.0


def test_leaves_that_a_function_makes_at_every_call_are_constants():
    calls = []

    def function(x):
        calls.append(x)
        return x * Value(0.5)

    replayed = compiled(function)
    assert [replayed(2.0), replayed(3.0), replayed(4.0)] == [1.0, 1.5, 2.0]
    assert len(calls) == 2
