"""A row's rules in C, with numbers of several types. What the functions compute is the matter of the engines' tests."""

from __future__ import annotations

from autograd.operations import OPERATIONS
from autograd.rows_in_c import Body, partial_kernel, value_kernel


class Singles(Body):
    number, index, specifier = "float", "int", "static"


def test_the_types_are_those_of_the_body():
    text = value_kernel(OPERATIONS["logsumexp"], Singles) + partial_kernel(OPERATIONS["logsumexp"], 0, Singles)
    assert "static float logsumexp_value(int n, const float *operands)" in text
    assert "static void logsumexp_partial_0(float r, int n, const float *operands, float *derivatives)" in text
    assert "double" not in text
    assert "Py_ssize_t" not in text
    assert value_kernel(OPERATIONS["add"]).startswith("\nALWAYS_INLINE double add_value(Py_ssize_t n, ")


def test_a_term_that_is_needed_again_is_kept():
    text = partial_kernel(OPERATIONS["logsumexp"], 0)
    assert text.count("exp(") == 1
    assert "derivatives[i] = (derivatives[i] / " in text
