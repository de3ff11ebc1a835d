"""The functions: on floats a float, on Values a Value, and what they tell of themselves."""

from __future__ import annotations

import inspect

import pytest

import autograd
from autograd import Value, dot, functions, where
from autograd.operations import OPERATIONS

pytestmark = pytest.mark.both_engines


@pytest.mark.parametrize("name", OPERATIONS)
def test_functions_on_floats_return_the_value_that_values_have(name):
    function = getattr(autograd, name)
    for point in OPERATIONS[name].samples:
        number = function(*point)
        assert type(number) is float
        lifted = [[Value(x) for x in operand] if isinstance(operand, list) else Value(operand) for operand in point]
        assert function(*lifted).data == number


@pytest.mark.parametrize("name", OPERATIONS)
def test_functions_tell_formula_and_signature(name):
    operation, function = OPERATIONS[name], getattr(autograd, name)
    assert function.__name__ == name
    assert operation.formula in function.__doc__
    start = ("start",) if name == "sum" else ()  # as the builtin has it
    assert tuple(inspect.signature(function).parameters) == operation.operands + start
    assert operation.domain in function.__doc__
    assert name in functions.__all__
    assert name in autograd.__all__


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if not operation.sequences])
def test_every_operation_of_scalars_is_a_method(name):
    point = OPERATIONS[name].samples[0]
    assert getattr(Value(point[0]), name)(*point[1:]).data == getattr(autograd, name)(*point)


def test_operands_by_keyword_and_by_default():
    x = Value(-2.0)
    assert x.leaky_relu().data == -0.02
    assert x.leaky_relu(slope=0.5).data == autograd.leaky_relu(x, 0.5).data == -1.0
    assert dot([2.0], [3.0], bias=1.0) == 7.0
    slope = Value(0.5)
    x.leaky_relu(slope).backward()
    assert (x.grad, slope.grad) == (0.5, -2.0)


def test_where_chooses_a_branch_and_its_derivative():
    x = Value(2.0)
    where(x > 0, x * x, -x).backward()
    assert x.grad == 4.0
    assert where(False, 1.0, 2.0) == 2.0
