"""Layout: what the layout program makes of a graph, and what is said where it fails."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections import Counter
from xml.etree import ElementTree

import pytest

from autograd import Value, dot, draw
from autograd.drawing import Drawing, layout
from autograd.graph import topological_order

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.usefixtures("program")
def test_a_page_finds_every_piece_of_an_addressed_svg_by_its_name():
    x, w = Value(2.0, label="x"), Value(3.0, label="]&\\")
    y = dot([x, w], [w, 3.0]) * x
    y.backward()
    order = topological_order(y)
    root = ElementTree.fromstring(layout.svg_of(draw(y).dot, addressed=True))
    nodes = {group.attrib["data-node"]: group for group in root.iter(f"{SVG}g") if "data-node" in group.attrib}
    ends = [group.attrib["data-edge"] for group in root.iter(f"{SVG}g") if "data-edge" in group.attrib]
    computed = [i for i, node in enumerate(order) if node.parents]
    operands = [(i, k, order.index(parent)) for i in computed for k, parent in enumerate(order[i].parents)]
    assert nodes.keys() == {f"v{i}" for i in range(len(order))} | {f"o{i}" for i in computed}
    assert Counter(ends) == Counter([f"v{p} o{i} {k}" for i, k, p in operands] + [f"o{i} v{i}" for i in computed])
    for i, node in enumerate(order):
        parts = {text.get("data-part"): text.text for text in nodes[f"v{i}"].iter(f"{SVG}text")}
        assert (parts["data"], parts["grad"]) == (f"{node.data:.4g}", f"{node.grad:.4g}")
    for element in root.iter():
        for name in ("data-node", "data-edge", "data-part"):
            element.attrib.pop(name, None)
    assert [element.attrib for element in root.iter()] == [
        element.attrib for element in ElementTree.fromstring(draw(y).svg).iter()
    ]


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
        _ = picture.svg


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


def test_without_a_layout_program_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_path", lambda *_: str(tmp_path))
    picture = draw(Value(1.0))
    assert picture.dot.startswith("digraph")
    with pytest.raises(RuntimeError, match="pip install graphviz-pure"):
        _ = picture.svg
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
        _ = draw(Value(1.0)).svg
    monkeypatch.setattr(sys, "platform", "emscripten")
    with pytest.raises(RuntimeError, match=r"in a browser starts no layout program: lay out the picture's \.dot"):
        _ = draw(Value(1.0)).svg


@pytest.mark.usefixtures("program")
def test_what_the_layout_program_complains_of_is_in_the_error():
    with pytest.raises(RuntimeError, match=r"failed with exit status \d+: .*syntax error"):
        _ = Drawing("digraph {", 0).svg
