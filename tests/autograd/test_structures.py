"""Structures: taken apart into their numbers, and put together with others."""

from __future__ import annotations

import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

from autograd import Value
from autograd.structures import arranged, jacobian_like, mapped, numbers_in, numbers_like, rebuilt


class Pair(NamedTuple):
    first: object
    second: object


NESTED = {"a": [1, (2.5, [])], "b": Pair(np.array([[3.0, 4.0]]), True), "c": np.array(5)}


def test_numbers_are_in_order_and_are_floats():
    v = Value(1.0)
    assert numbers_in(NESTED) == [1.0, 2.5, 3.0, 4.0, 1.0, 5.0]
    assert {type(number) for number in numbers_in(NESTED)} == {float}
    assert numbers_in([v, 2]) == [v, 2.0]
    with pytest.raises(TypeError, match="expected a real number, got str: 'x'"):
        numbers_in([1.0, "x"])


def test_what_is_rebuilt_has_the_same_structure():
    again = rebuilt(NESTED, [10.0, 20.0, 30.0, 40.0, 50.0, 60.0])
    assert (again["a"], type(again["b"]), again["b"].second) == ([10.0, (20.0, [])], Pair, 50.0)
    assert again["b"].first.tolist() == [[30.0, 40.0]]
    assert (again["c"].shape, again["c"].dtype, float(again["c"])) == ((), np.float64, 60.0)
    objects = rebuilt(np.zeros(2), [Value(1.0), 2.0])
    assert (objects.dtype, objects[1]) == (object, 2.0)


def test_several_rows_make_arrays():
    rows = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    single, array = arranged([0.0, np.zeros(2)], rows, (2,))
    assert single.tolist() == [1.0, 4.0]
    assert array.tolist() == [[2.0, 3.0], [5.0, 6.0]]
    by_output = jacobian_like((np.zeros((1, 2)), 0.0), {"x": np.zeros(2), "y": 0.0}, [*rows, [7.0, 8.0, 9.0]])
    assert by_output[0]["x"].tolist() == [[[1.0, 2.0], [4.0, 5.0]]]
    assert by_output[0]["y"].tolist() == [[3.0, 6.0]]
    assert by_output[1]["x"].tolist() == [7.0, 8.0]
    assert by_output[1]["y"] == 9.0


def test_numbers_of_the_same_form():
    assert numbers_like([0.0, (0.0, 0.0)], [1, (2, 3)]) == [1.0, 2.0, 3.0]
    assert numbers_like([0.0, 0.0], np.array([1.0, 2.0])) == [1.0, 2.0]
    assert numbers_like(np.zeros((2, 1)), [[1.0], [2.0]]) == [1.0, 2.0]
    assert numbers_like(np.array(0.0), 3.0) == [3.0]
    assert numbers_like({"a": 0.0, "b": 0.0}, {"b": 2.0, "a": 1.0}) == [1.0, 2.0]


@pytest.mark.parametrize(
    ("structure", "given", "error", "message"),
    [
        ([0.0], [1.0, 2.0], ValueError, "expected a sequence of 1, got list"),
        (np.zeros(2), np.zeros(3), ValueError, "expected a sequence of 2, got ndarray"),
        (np.zeros((2, 2)), np.zeros(2), ValueError, "expected a sequence of 2, got float64"),
        ([0.0], {"a": 1.0}, ValueError, "expected a sequence of 1, got dict"),
        ({"a": 0.0}, [1.0], ValueError, "expected a dict with the keys 'a', got list"),
        (0.0, [1.0], TypeError, "expected a real number, got list"),
        (0.0, np.zeros(1), TypeError, "expected a real number, got ndarray"),
    ],
)
def test_numbers_of_another_form(structure, given, error, message):
    with pytest.raises(error, match=message):
        numbers_like(structure, given)


def test_mapped_leaves_anything_else_to_the_function():
    assert mapped([1, ("x", None)], lambda leaf: [leaf]) == [[1], (["x"], [None])]


def test_without_arrays_numpy_is_not_imported():
    code = "import sys; from autograd import grad, hessian; hessian(lambda x: x[0] * x[1])([1.0, 2.0]); "
    code += "grad(lambda x: x)(1.0); print('numpy' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
