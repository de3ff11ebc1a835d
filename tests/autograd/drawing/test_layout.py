"""Layout: where the layout program puts what a graph shows, and what is said where it fails."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import sysconfig
from itertools import combinations

import pytest

from autograd import Value, dot, draw, tanh
from autograd.drawing import layout, sizes
from autograd.drawing.diagram import pictured
from autograd.drawing.layout import by_graphviz
from autograd.graph import topological_order


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("rankdir", ["LR", "TB", "RL", "BT"])
def test_everything_has_its_place_within_the_picture_and_nothing_lies_on_another(rankdir):
    x, w = Value(2.0, label="x"), Value(3.0, label="]&\\")
    y = dot([x, w], [w, 3.0]) * x + Value(1.0, (x,), "foreign")
    order = topological_order(y)
    nodes = list(pictured(order, {node: str(i) for i, node in enumerate(order)}, expand=True))
    layout = by_graphviz(nodes, rankdir)
    computed = [node for node in nodes if node.parents]
    wanted = {node.box: sizes.of_box(node) for node in nodes} | {n.circle: sizes.of_circle(n) for n in computed}
    operands = [(node, k) for node in computed for k in range(len(node.parents))]
    assert layout.centres.keys() == layout.sizes.keys() == wanted.keys()
    assert all(layout.sizes[name] == pytest.approx(size, abs=0.01) for name, size in wanted.items())
    assert layout.curves.keys() == {node.edge_from(k) for node, k in operands} | {node.edge for node in computed}
    assert layout.labels.keys() == {node.edge_from(k) for node, k in operands if node.op != "foreign"}
    for x, y in [*layout.centres.values(), *layout.labels.values(), *(p for c in layout.curves.values() for p in c)]:
        assert 0 < x < layout.width
        assert 0 < y < layout.height
    for (one, at), (other, there) in combinations(layout.centres.items(), 2):
        apart = [abs(at[i] - there[i]) - (wanted[one][i] + wanted[other][i]) / 2 for i in (0, 1)]
        assert max(apart) > 4, (one, other)


@pytest.mark.usefixtures("program")
def test_a_curve_goes_from_the_outline_of_one_to_that_of_the_other():
    a, b = Value(1.0, label="a"), Value(2.0)
    order = topological_order(a * b)
    nodes = list(pictured(order, {node: str(i) for i, node in enumerate(order)}, expand=False))
    layout = by_graphviz(nodes, "TB")
    for name, curve in layout.curves.items():
        start, end = name.split()[:2]
        assert len(curve) % 3 == 1
        for at, of, side in ((curve[0], start, 1), (curve[-1], end, -1)):
            (x, y), (width, height) = layout.centres[of], layout.sizes[of]
            assert abs(at[0] - x) <= width / 2 + 0.5
            if of.startswith("v"):
                assert at[1] - y == pytest.approx(side * height / 2, abs=0.5)
            else:
                assert math.hypot(at[0] - x, at[1] - y) == pytest.approx(width / 2, abs=0.5)


@pytest.mark.usefixtures("program")
def test_a_layout_that_takes_too_long_is_stopped_with_advice(monkeypatch):
    picture, run = draw(Value(1.0)), subprocess.run

    def impatient(command, *, timeout, **options):
        assert timeout == 20
        return run(command, timeout=-1, **options)

    monkeypatch.setattr(subprocess, "run", impatient)
    with pytest.raises(
        TimeoutError,
        match=r"^the layout of the picture took longer than 20 s: choose a graph with fewer",
    ):
        layout.output(picture.dot, ["-Tsvg"])
    assert picture.svg.startswith("<svg")  # which needs no layout program, though it asks one


@pytest.mark.skipif(os.name != "posix", reason="the program that hangs is a shell script")
def test_a_program_that_hangs_is_ended(tmp_path, monkeypatch):
    program = tmp_path / "dot"
    program.write_text('#!/bin/sh\necho $$ > "${0%dot}pid"\nexec /bin/sleep 600\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(layout, "LAYOUT_SECONDS", 1.0)
    with pytest.raises(TimeoutError, match=r"longer than 1 s: choose a graph with fewer edges"):
        _ = draw(Value(1.0)).png
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_without_a_layout_program_a_png_says_what_to_install_and_all_else_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_path", lambda *_: str(tmp_path))
    picture = draw(tanh(Value(1.0, label="x")))
    assert picture.dot.startswith("digraph")
    assert picture.svg.startswith("<svg")
    with pytest.raises(RuntimeError, match="pip install graphviz-pure"):
        picture.save(tmp_path / "x.png")
    assert [*tmp_path.iterdir()] == []


def test_where_users_have_no_folders_the_error_says_what_to_install(tmp_path, monkeypatch):
    """So it is in a browser: Pyodide has no folders of users, and starts no programs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_path", lambda *_: str(tmp_path))
    monkeypatch.delitem(sysconfig._INSTALL_SCHEMES, sysconfig.get_preferred_scheme("user"))
    with pytest.raises(ValueError, match="'user' returned"):
        sysconfig.get_preferred_scheme("user")
    with pytest.raises(RuntimeError, match="pip install graphviz-pure, or install Graphviz"):
        _ = draw(Value(1.0)).png
    monkeypatch.setattr(sys, "platform", "emscripten")
    with pytest.raises(RuntimeError, match=r"in a browser starts no layout program: lay out the picture's \.dot"):
        _ = draw(Value(1.0)).png
    assert draw(Value(1.0)).svg.startswith("<svg")


@pytest.mark.usefixtures("program")
def test_what_the_layout_program_complains_of_is_in_the_error():
    with pytest.raises(RuntimeError, match=r"failed with exit status \d+: .*syntax error"):
        layout.output("digraph {", ["-Tsvg"])
