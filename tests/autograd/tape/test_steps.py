"""The steps of a list: those of one example, of many, and which outputs depend on what."""

from __future__ import annotations

import pytest

from autograd import Value, dot, tanh
from autograd.tape.record import write_down
from autograd.tape.steps import Apply, Neurons, of_many, of_one, of_uniform, output_sets

pytestmark = pytest.mark.both_engines


def recorded(outputs, inputs):
    return write_down(outputs, inputs)[0]


def test_of_one_example_the_instructions_stand_as_they_do_in_the_list():
    x, w = Value(0.5), Value(2.0)
    layout = of_one(recorded([tanh(w * x) + w], [x]))
    assert [step.operation.name for step in layout.steps] == ["multiply", "tanh", "add"]
    assert layout.parts == [(0, 0, 1), (1, 0, 1), (2, 0, 1)]
    assert all(layout.varies)


def test_what_is_uniform_is_left_out_of_that_of_many():
    x, w = Value(0.5), Value(2.0)
    wengert = recorded([tanh(w * w) * x], [x])
    assert [step.operation.name for step in of_uniform(wengert)] == ["multiply", "tanh"]
    assert [step.operation.name for step in of_many(wengert).steps] == ["multiply"]


def test_neurons_with_the_same_inputs_are_one_step():
    x, rows = [Value(0.1) for _ in range(3)], [[Value(float(i + j)) for j in range(3)] for i in range(4)]
    layout = of_many(recorded([tanh(dot(row, x, row[0])) for row in rows], x))
    first, *others = layout.steps
    assert isinstance(first, Neurons)
    assert (len(first.results), first.inputs) == (4, [0, 1, 2])
    assert all(isinstance(step, Apply) for step in others)
    assert layout.parts[0] == (0, 0, 4)


def test_a_dot_with_few_terms_of_two_varying_factors_is_cut_into_runs():
    x, w = [Value(0.1 * (i + 1)) for i in range(17)], [Value(0.3 * i) for i in range(17)]
    weights = [*w[:8], tanh(x[16]), *w[9:]]
    layout = of_many(recorded([dot(weights, x, Value(0.2))], x))
    runs = [step for step in layout.steps if isinstance(step, Neurons) or step.operation.name == "dot"]
    assert [type(step) for step in runs] == [Neurons, Apply, Neurons]
    assert runs[1].operands[-1] == runs[1].result  # it goes on from the result so far
    assert runs[2].starts == runs[2].results


def test_the_sets_of_outputs():
    x = Value(0.5)
    shared = x * 2.0
    wengert = recorded([tanh(shared), shared + 1.0], [x])
    masks, sets = output_sets(wengert)
    assert masks[:2] == [None, None]  # x and what both need
    assert [sets[mask] for mask in masks[2:]] == [0b01, 0b10]
    assert output_sets(recorded([tanh(shared)], [x])) == ([None] * 3, [])
