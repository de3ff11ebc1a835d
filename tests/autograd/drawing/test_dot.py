"""The DOT for people who lay it out themselves. What it shows is compared with the picture in test_drawing.py."""

from __future__ import annotations

import sys

import pytest

from autograd import Value
from autograd.drawing import draw, layout
from autograd.drawing.dot import cell, markup


@pytest.mark.parametrize("rankdir", ["LR", "TB", "RL", "BT"])
def test_it_goes_where_the_picture_goes(rankdir):
    assert f"rankdir={rankdir}" in draw(Value(1.0), rankdir=rankdir).dot


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("label", ["\\N", "]", "<b>", "&amp;", '"', "漢字", "\\", "]]>"])
def test_no_label_is_read_as_graphvizs(label):
    done = layout.output(draw(Value(1.0, label=label)).dot, ["-Tsvg"]).decode()
    shown = label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    assert f">{shown}</text>" in done


def test_markup_and_cells():
    assert markup("a\\N]<") == "a\\\\N&#93;&lt;"
    assert cell("漢字") == cell("abcd") > cell("ab")


def test_without_the_package_graphviz_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ImportError, match=r"by the package graphviz, which is not installed: pip install graphviz"):
        draw(Value(1.0)).dot  # noqa: B018
