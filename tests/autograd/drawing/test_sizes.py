"""Sizes: what is shown has room for its text, and whole numbers stay short in files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograd.drawing import sizes
from autograd.drawing.diagram import Node

NODE = Node("0", "w", 1.0, -0.123456)


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("漢字", 4), ("e\u0301", 1), ("", 0)])
def test_text_is_measured_by_columns(text, columns):
    assert sizes.wide(text, 10.0) == pytest.approx(6.02 * columns, abs=1)
    assert sizes.wide(text, 10.0) >= 6.02 * columns


def test_a_box_grows_with_its_label_and_with_the_longer_of_its_numbers():
    bare, labelled = sizes.of_box(replace(NODE, label="")), sizes.of_box(NODE)
    assert labelled[0] - bare[0] == pytest.approx(sizes.wide("w", 11) + sizes.GAP, abs=2)
    assert sizes.of_box(replace(NODE, data=-1.23456e-300))[0] > labelled[0]
    assert sizes.of_box(replace(NODE, label="w" * 28)) == sizes.of_box(replace(NODE, label="w" * 1000))
    assert labelled[1] == bare[1]


def test_a_gradient_can_have_room_for_another_one():
    assert sizes.of_numbers(replace(NODE, room=12)) == sizes.wide("data " + "0" * 12, 11)
    assert sizes.of_numbers(replace(NODE, room=2)) == sizes.of_numbers(NODE) == sizes.wide("grad -0.1235", 11)


def test_circles_are_round_where_they_can_be():
    assert sizes.of_circle(replace(NODE, op="+")) == (26, 26)
    width, height = sizes.of_circle(replace(NODE, op="leaky_relu"))
    assert width > height == 26


def test_halves_are_whole():
    for label in ("", "w", "ww", "www"):
        assert sizes.of_box(replace(NODE, label=label))[0] % 2 == 0
        assert sizes.of_circle(replace(NODE, op=label * 3))[0] % 2 == 0
