"""The units of a list: what is written for which replay. What they compute is the matter of test_c.py."""

from __future__ import annotations

import re

import pytest

from autograd import Value, dot, exp, tanh
from autograd.tape.executors.c_units import Units, each, runs
from autograd.tape.record import write_down
from autograd.tape.sweeps_in_c import Text

pytestmark = pytest.mark.both_engines


def units(outputs, inputs, **options):
    return Units(write_down(outputs, inputs)[0], **options)


def test_only_what_is_asked_for_is_differentiated():
    x, w = Value(0.5), Value(2.0)
    of = units([tanh(w * x)], [x])
    assert "tanh_by_x" not in of.of_lanes(False, False).text
    assert "A(0)" not in of.of_lanes(True, False).text
    assert "A(0)" in of.of_lanes(True, True).text
    assert not of.has_uniform
    assert units([tanh(w * w) * x], [x]).has_uniform


def test_large_products_are_kernels_and_small_ones_are_not():
    x = [Value(0.1) for _ in range(12)]
    for width, has_kernel in ((4, False), (12, True)):
        layer = [tanh(dot([Value(0.1 * (i + j)) for j in range(12)], x)) for i in range(width)]
        unit = units([dot(layer, layer)], x).of_lanes(True, False)
        assert ("product_forward(&P0" in unit.text) == has_kernel
        assert ("push_to_weights(&P0" in unit.text) == has_kernel


def test_fast_mathematics_is_written_only_where_it_is_asked_for_and_needed():
    x = Value(0.5)
    assert "fast_exp_lanes" in units([exp(x)], [x], fast_math=True).of_lanes(False, False).text
    assert "fast_exp" not in units([exp(x)], [x]).of_lanes(False, False).text
    assert "fast_exp" not in units([x * x], [x], fast_math=True).of_lanes(False, False).text


def test_which_sets_of_outputs_are_asked_for():
    x = Value(0.5)
    of = units([tanh(x), exp(x), exp(x) * tanh(x)], [x])
    needs = dict(zip(of.masks[1], of.needs([True, False, False]), strict=True))
    assert needs == {mask: bool(mask & 1) for mask in needs}
    assert of.needs([]) == [False] * len(needs)


def test_runs_and_loops():
    assert runs([5, 1, 2, 3, 9]) == [(1, 3), (5, 1), (9, 1)]
    text = Text()
    assert each(text, "x[{}] = y[{}];", [(1, 2)]) == ["x[1] = y[2];"]
    [loop] = each(text, "x[{}] = y[{}];", [(i, 3 * i) for i in range(20)])
    assert re.fullmatch(r"for \(int i = 0; i < 20; i\+\+\) x\[\(i\)\] = y\[\(0 \+ 3 \* i\)\];", loop)
