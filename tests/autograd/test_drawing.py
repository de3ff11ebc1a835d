"""Drawings: what a picture shows is what the engine holds, and no label, page or failure can break it.

The pictures are read back with an XML parser, and the graphs as the layout program itself understood them (its JSON).
Every picture is drawn by each layout program that there is: graphviz-pure, and the system's dot if it is installed.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter

from autograd import Value, dot, drawing, leaky_relu, logsumexp, maximum, relu, sqrt, sum, tanh
from autograd.drawing import Drawing, draw
from autograd.graph import topological_order

SVG = "{http://www.w3.org/2000/svg}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"  # what Graphviz writes for the second of two spaces


@pytest.fixture(params=["graphviz-pure", "dot"], autouse=True)
def program(request, monkeypatch):
    if request.param == "graphviz-pure":
        monkeypatch.setenv("PATH", "")  # it lies beside this Python, and no system's dot is found
    elif not shutil.which("dot"):
        pytest.skip("the system has no dot")
    assert Path(drawing.layout_program()).stem == request.param


def neuron() -> Value:
    x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
    w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    o = tanh(x1 * w1 + x2 * w2 + b)
    o.label = "o"
    o.backward()
    return o


def groups(picture: Drawing) -> list[tuple[str, list[str]]]:
    """Everything that has a hover text, with the texts that are seen."""
    root = ElementTree.fromstring(picture.svg)
    return [
        (title.replace(NO_BREAK_SPACE, " "), [visible(text) for text in group.findall(f"{SVG}text")])
        for group in root.iter(f"{SVG}g")
        if (title := group.findtext(f"{SVG}title")) is not None
    ]


def visible(text: ElementTree.Element) -> str:
    return (text.text or "").replace(NO_BREAK_SPACE, " ").strip(" ")


def boxes(picture: Drawing) -> list[tuple[str, list[str]]]:
    return [(title, texts) for title, texts in groups(picture) if "data" in texts]


def circles(picture: Drawing) -> list[list[str]]:
    root = ElementTree.fromstring(picture.svg)
    return [
        [visible(text) for text in group.findall(f"{SVG}text")]
        for group in root.iter(f"{SVG}g")
        if group.find(f"{SVG}ellipse") is not None
    ]


def edges(picture: Drawing) -> list[dict[str, str]]:
    """The edges as the layout program reads them, with the names of their ends."""
    graph = json.loads(drawing.laid_out(picture.dot, "json"))
    name = {node["_gvid"]: node["name"] for node in graph["objects"]}
    return [{**edge, "ends": f"{name[edge['tail']]} {name[edge['head']]}"} for edge in graph["edges"]]


# ---- What is shown.


def test_a_box_for_each_value_shows_its_label_data_and_gradient():
    value = neuron()
    nodes = topological_order(value)
    unseen = boxes(draw(value))
    assert len(unseen) == len(nodes) == 10
    for node in nodes:
        label = [node.label] if node.label else []
        title = "\n".join([*label, f"data {node.data!r}", f"grad {node.grad!r}"])
        *label_shown, data, data_shown, grad, grad_shown = unseen.pop([title for title, _ in unseen].index(title))[1]
        assert (label_shown, data, grad) == (label, "data", "grad")
        assert math.isclose(float(data_shown), node.data, rel_tol=5e-4)
        assert math.isclose(float(grad_shown), node.grad, rel_tol=5e-4)


def test_the_local_derivative_stands_on_each_edge_and_hovering_shows_the_product():
    value = neuron()
    expected = Counter(
        (f"local derivative {derivative!r}\n× gradient {node.grad!r} = {derivative * node.grad!r}", f"{derivative:.4g}")
        for node in topological_order(value)
        for derivative in node.local_derivatives
    )
    labels = Counter(
        (title, texts[0]) for title, texts in groups(draw(value)) if title.startswith("local derivative") and texts
    )
    assert labels == expected
    assert sorted(labels.elements())[-1][1] == "2"


a, b = Value(3.0, label="a"), Value(4.0, label="b")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (a, []),
        (a + b, ["v0 o2 1", "v1 o2 1", "o2 v2"]),
        (a * a, ["v0 o1 3", "v0 o1 3", "o1 v1"]),
        ((a * 2) * (a + 1), ["v0 o1 2", "o1 v1", "v0 o2 1", "o2 v2", "v1 o3 4", "v2 o3 6", "o3 v3"]),
        (dot([a, b], [b, a], a), ["v0 o2 4", "v1 o2 3", "v1 o2 3", "v0 o2 4", "v0 o2 1", "o2 v2"]),
        (Value(1.0, (a, b), "foreign"), ["v0 o2", "v1 o2", "o2 v2"]),
    ],
    ids=["leaf", "sum", "square", "diamond", "dot", "without local derivatives"],
)
def test_every_edge_of_the_graph_is_an_edge_of_the_picture(value, expected):
    if expected:
        read = [f"{edge['ends']} {edge.get('label', '')}".split() for edge in edges(draw(value))]
        assert Counter(map(" ".join, read)) == Counter(expected)
    nodes = topological_order(value)
    root = ElementTree.fromstring(draw(value).svg)
    assert len(boxes(draw(value))) == len(nodes)
    assert len(circles(draw(value))) == len([node for node in nodes if node.parents])
    assert len([path for path in root.iter(f"{SVG}path") if path.get("fill") == "none"]) == len(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (a + b, ["+"]),
        (2 * a, ["2 *"]),
        (a * 2, ["* 2"]),
        (a**3, ["** 3"]),
        (2**a, ["2 **"]),
        (1 - a, ["1 -"]),
        (a / -1.23456, ["/ -1.235"]),
        (-a, ["neg"]),
        (leaky_relu(a), ["leaky_relu", "slope = 0.01"]),
        (maximum(0.0, a), ["max", "x = 0"]),
        (dot([a, 1.5], [2.5, b], -1.0), ["dot", "weights = 1.5", "inputs = 2.5", "bias = -1"]),
        (logsumexp([a, b, 0.5, 0.25]), ["logsumexp", "x = 0.5, 0.25"]),
        (sum([a, *[1.0] * 100]), ["sum", "x = 1, 1, 1, 1, 1, 1, 1…"]),
        (Value(1.0, (a,), "<&>"), ["<&>"]),
        (Value(1.0, (a,)), [""]),
    ],
    ids=lambda case: "" if isinstance(case, Value) else case[0],
)
def test_a_circle_shows_the_operation_and_its_constants(value, expected):
    assert circles(draw(value)) == [expected]


def test_hovering_over_an_operation_shows_its_formula_and_constants_in_full():
    titles = [title for title, texts in groups(draw(dot([a], [1 / 3]))) if "dot" in texts]
    formula = "dot(weights, inputs, bias=0.0) = bias + sum(w * x for w, x in zip(weights, inputs))"
    assert titles == [f"{formula}\ninputs = 0.3333333333333333\nbias = 0.0"]


def test_an_edge_has_the_colour_of_its_gradients_sign_and_a_width_that_grows_with_its_size():
    large, small, negative, zero = (Value(x) for x in (4.0, 1.0, -1.0, 0.0))
    result = dot([large, small, negative, zero], [3.0, 1.0, -2.0, 0.0])
    before = edges(draw(result))
    assert {(edge["color"], float(edge["penwidth"])) for edge in before} == {(drawing.ZERO, 0.8)}
    result.backward()
    by_end = {edge["ends"]: edge for edge in edges(draw(result))}
    colours = [by_end[f"v{i} o4"]["color"] for i in range(4)]
    widths = [float(by_end[f"v{i} o4"]["penwidth"]) for i in range(4)]
    assert colours == [drawing.POSITIVE, drawing.POSITIVE, drawing.NEGATIVE, drawing.ZERO]
    assert widths[0] > widths[2] > widths[1] > widths[3]
    assert (widths[0], widths[3]) == (3.0, 0.8)


def test_numbers_that_are_not_finite_are_shown():
    x = Value(0.0)
    y = sqrt(x) * 0.0
    y.backward()
    assert Counter(text for _, texts in groups(draw(y)) for text in texts) >= Counter(["inf", "nan"])
    assert ("data 0.0\ngrad nan", ["data", "0", "grad", "nan"]) in boxes(draw(y))


def test_text_fits_its_boxes_and_circles():
    labels = ["w", "-", "a label as long as it may", "Größe ∂ρ", "漢字テスト日本語漢字", "L" * 10_000]
    terms = [Value(-1.234567e-300 * i, label=label) for i, label in enumerate(labels)]
    for group in ElementTree.fromstring(draw(leaky_relu(dot(terms, [0.5] * 6))).svg).iter(f"{SVG}g"):
        path, ellipse = group.find(f"{SVG}path"), group.find(f"{SVG}ellipse")
        top = -math.inf
        if ellipse is not None:
            left, right = (float(ellipse.attrib["cx"]) + side * float(ellipse.attrib["rx"]) for side in (-1, 1))
        elif path is not None and path.get("fill") != "none":
            across = [float(x) for x in re.findall(r"(-?[\d.]+),", path.attrib["d"])]
            left, right = min(across), max(across)
            top = min(float(y) for y in re.findall(r",(-?[\d.]+)", path.attrib["d"]))
        else:
            continue
        for text in group.findall(f"{SVG}text"):
            content = text.text or ""
            columns = len(content) + len(re.findall(r"[\u3000-\u9fff]", content))
            length = columns * 0.602 * float(text.attrib["font-size"])
            start = float(text.attrib["x"]) - {"start": 0, "middle": length / 2}[text.attrib["text-anchor"]]
            assert top + 4 < float(text.attrib["y"]) - 0.76 * float(text.attrib["font-size"])  # where a d ends
            assert left < start
            assert start + length < right, content


# ---- Whatever the labels hold.

NASTY = [
    "<", ">", "&", "|", "{", "}", '"', "'", "\\", "\\\\", "\\N", "\\n\\l\\r", "a\nb", "\r", "\t", "\0", "\x1b[31m",
    "\x7f", "\ud800", "\ufffe", "\u202egnirts", "מספר", " ", "   ", "<b>bold</b>", "<>", "&amp;", "&#92;N", "&lt;",
    "{a|<port>b}", "]", "]]>", "<!--", "%s", "é", "é", "漢字", "🙂", "\\", "\\E\\T\\G\\L",
]  # fmt: skip


@pytest.mark.parametrize("label", NASTY, ids=ascii)
def test_a_label_is_shown_as_it_is_and_what_cannot_be_printed_as_an_escape(label):
    ((title, texts),) = boxes(draw(Value(1.0, label=label)))
    expected = label if label.isprintable() else ascii(label)[1:-1] if label.isascii() else None
    if expected is not None:
        assert title == f"{expected}\ndata 1.0\ngrad 0.0"
        assert texts == [expected.strip(" "), "data", "1", "grad", "0"]
    assert (title + "".join(texts)).replace("\n", "").isprintable()


def texts() -> st.SearchStrategy[str]:
    """Any text, with more than its share of what means something in DOT, HTML and XML."""
    return st.text(st.characters() | st.sampled_from("\\NGLnlr&#92lt;<>\"'|{}[]-! \n\0"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(label=texts(), op=texts())
@example(label="\\" * 30, op="<>")
def test_any_label_and_any_operation_make_well_formed_xml(label, op):
    picture = draw(Value(1.0, (Value(2.0, label=label),), op, label=label))
    assert len(boxes(picture)) == 2
    assert len(circles(picture)) == 1
    if op.isprintable() and len(op) <= drawing.BOX_CHARACTERS:
        assert circles(picture) == [[op.strip(" ")]]
    if label.isprintable():
        in_full = label if len(label) <= drawing.HOVER_CHARACTERS else label[: drawing.HOVER_CHARACTERS - 1] + "…"
        assert Counter(title for title, _ in boxes(picture)) == Counter(
            "\n".join([*([in_full] if label else []), f"data {data}", "grad 0.0"]) for data in (1.0, 2.0)
        )


def test_a_long_label_is_shortened_in_the_box_and_less_so_on_hover():
    ((title, texts),) = boxes(draw(Value(1.0, label="x" * 10_000)))
    assert texts[0] == "x" * 23 + "…"
    assert title.splitlines()[0] == "x" * 999 + "…"


@pytest.mark.parametrize("label", [None, 3, 2.5, ("w", 1)])
def test_a_label_need_not_be_a_string(label):
    ((_, texts),) = boxes(draw(Value(1.0, label=label)))
    assert texts[:-4] == ([] if label is None else [str(label)])


@pytest.mark.parametrize(
    "label",
    [
        "<script>alert(1)</script>",
        "</text></svg><script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        '" onload="alert(1)',
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "<![CDATA[<script>alert(1)</script>",
        '</TD><TD HREF="javascript:alert(1)">',
        '<IMG SRC="/etc/passwd"/>',
        '"]; evil [URL="javascript:alert(1)"',
        "</title><a href='javascript:alert(1)'>",
    ],
)
def test_a_label_never_becomes_markup(label):
    picture = draw(Value(1.0, (Value(2.0, label=label),), label, label=label))
    root = ElementTree.fromstring(picture.svg)
    plain = ElementTree.fromstring(draw(Value(1.0, (Value(2.0, label="x"),), "y", label="x")).svg)
    assert Counter(element.tag for element in root.iter()) == Counter(element.tag for element in plain.iter())
    attributes = {attribute for element in root.iter() for attribute in element.attrib}
    assert attributes <= {attribute for element in plain.iter() for attribute in element.attrib}
    assert "<script" not in picture.svg
    assert [title.splitlines()[0] for title, _ in boxes(picture)] == [label, label]


# ---- On a page.


def test_nothing_in_a_drawing_can_meet_another_one_or_the_page():
    root = ElementTree.fromstring(draw(neuron()).svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg", "g", "title", "text", "polygon", "path", "ellipse",
    }  # fmt: skip
    attributes = {attribute for element in root.iter() for attribute in element.attrib}
    assert not attributes & {"id", "class", "style", "href"}
    assert not [attribute for attribute in attributes if ":" in attribute or "}" in attribute]


def test_two_drawings_fit_into_one_page():
    page = ElementTree.fromstring(f"<body>{draw(neuron()).svg}{draw(a * b).svg}</body>")
    assert [len([*svg.iter(f"{SVG}ellipse")]) for svg in page] == [5, 1]


def test_the_background_is_opaque_and_covers_the_picture():
    root = ElementTree.fromstring(draw(neuron()).svg)
    frame = root[0]
    background = frame[0]
    assert background.get("fill") == drawing.BACKGROUND
    dx, dy = map(float, re.findall(r"translate\((\S+) (\S+)\)", frame.attrib["transform"])[0])
    corners = [tuple(map(float, corner.split(","))) for corner in background.attrib["points"].split()]
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert min(x + dx for x, _ in corners) == pytest.approx(0, abs=0.01)
    assert min(y + dy for _, y in corners) == pytest.approx(0, abs=0.01)
    assert max(x + dx for x, _ in corners) == pytest.approx(width, abs=1)
    assert max(y + dy for _, y in corners) == pytest.approx(height, abs=1)


def test_the_size_of_a_picture_is_that_of_what_is_in_it():
    root = ElementTree.fromstring(draw(neuron()).svg)
    size = [float(root.attrib[name].removesuffix("pt")) for name in ("width", "height")]
    assert size == pytest.approx([float(length) for length in root.attrib["viewBox"].split()[2:]], abs=1)


def test_notebooks_get_svg_png_and_text():
    picture = draw(a * b)
    bundle, metadata = DisplayFormatter().format(picture)
    assert bundle == {"image/svg+xml": picture.svg, "image/png": picture.png, "text/plain": repr(picture)}
    assert metadata == {}
    assert repr(picture).startswith("<Drawing of 3 nodes")


def test_the_same_graph_gives_the_same_bytes():
    first, second = draw(neuron()), draw(neuron())
    assert first.dot == second.dot
    assert first.svg == second.svg
    assert first.png == second.png
    code = (
        "from autograd import Value, draw; a = Value(1.0, label='a'); b = Value(2.0, label='b'); "
        "print(draw(a * b + a / b - b.tanh()).svg)"
    )
    pictures = {
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(pictures) == 1


def test_a_page_finds_every_piece_of_an_addressed_svg_by_its_name():
    x, w = Value(2.0, label="x"), Value(3.0, label="]&\\")
    y = dot([x, w], [w, 3.0]) * x
    y.backward()
    order = topological_order(y)
    root = ElementTree.fromstring(draw(y)._addressed_svg())
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


# ---- Files.


def test_png(tmp_path):
    picture = draw(neuron())
    picture.save(tmp_path / "x.png")
    content = (tmp_path / "x.png").read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert content[-8:-4] == b"IEND"
    size = [int.from_bytes(content[start : start + 4], "big") for start in (16, 20)]
    points = [float(x) for x in ElementTree.fromstring(picture.svg).attrib["viewBox"].split()[2:]]
    assert size == pytest.approx([2 * length for length in points], abs=4)


@pytest.mark.parametrize("name", ["x.svg", "x.SVG", "x.dot"])
def test_what_is_saved_is_what_is_shown(name, tmp_path):
    picture = draw(Value(1.0, label="Größe\n漢字\ud800"))
    picture.save(str(tmp_path / name))
    content = (tmp_path / name).read_bytes().decode("utf-8")
    assert content == (picture.svg if name.lower() == "x.svg" else picture.dot)


def test_a_drawing_shows_the_numbers_of_when_it_was_made():
    value = Value(1.0)
    picture = draw(value)
    value.data = 2.0
    assert boxes(picture)[0][1] == ["data", "1", "grad", "0"]


def test_the_dot_source_comes_back_from_the_layout_program_as_it_was():
    picture = draw(neuron())
    again = Drawing(drawing.laid_out(picture.dot, "canon").decode(), picture.nodes)
    assert sorted(groups(again)) == sorted(groups(picture))


@pytest.mark.parametrize("name", ["x.pdf", "x", "x.svg.gz", ".svg", "svg"])
def test_an_unknown_suffix_is_refused_and_the_known_ones_are_named(name, tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.svg, \.png or \.dot, got '.*" + re.escape(name)):
        draw(a).save(tmp_path / name)
    assert [*tmp_path.iterdir()] == []


def test_an_unwritable_path_is_named_in_the_error(tmp_path):
    missing = tmp_path / "missing" / "x.svg"
    with pytest.raises(FileNotFoundError, match=re.escape(repr(str(missing.resolve())))):
        draw(a).save(missing)
    directory = tmp_path / "x.svg"
    directory.mkdir()
    with pytest.raises(OSError, match=r"x\.svg'$"):
        draw(a).save(directory)
    with pytest.raises(OSError, match=r"y\.svg'$"):
        draw(a).save(Path(__file__) / "y.svg")
    assert [*tmp_path.iterdir()] == [directory]


def full_disk(path, content):
    path.touch()
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def interrupt(source, target):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("owner", "name", "failure", "error"),
    [
        (Path, "write_bytes", full_disk, OSError),
        (os, "replace", interrupt, KeyboardInterrupt),
        (drawing, "LAYOUT_SECONDS", -1.0, TimeoutError),
    ],
    ids=["full disk", "interrupt", "no layout"],
)
def test_when_saving_fails_the_old_file_survives(owner, name, failure, error, tmp_path, monkeypatch):
    path = tmp_path / "x.svg"
    path.write_text("old")
    picture = draw(a)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, failure)
        with pytest.raises(error):
            picture.save(path)
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_saving_replaces_the_file_that_a_link_stands_for(tmp_path):
    target, link = tmp_path / "target.svg", tmp_path / "link.svg"
    target.write_text("old")
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("this system makes no links")
    draw(a).save(link)
    assert link.is_symlink()
    assert target.read_text() == draw(a).svg


# ---- Limits and faults.


def chain(nodes: int) -> Value:
    value = Value(1.0)
    for _ in range(nodes - 1):
        value = relu(value)
    return value


def test_a_graph_over_the_limit_is_refused_with_advice():
    message = "draw: 5,640 nodes (limit 500), 5,639 edges (limit 1,000): draw one example's loss, or pass max_nodes="
    with pytest.raises(ValueError, match=re.escape(message)):
        draw(chain(5640))
    with pytest.raises(ValueError, match=r"3 nodes \(limit 2\)"):
        draw(chain(3), max_nodes=2)
    assert len(boxes(draw(chain(3), max_nodes=3))) == 3


def test_a_graph_with_too_many_edges_is_refused_with_the_same_advice():
    xs = [Value(1.0) for _ in range(80)]
    dense = sum([dot(xs[:40], xs[40:]) for _ in range(40)])
    message = "121 nodes (limit 500), 3,240 edges (limit 1,000): draw one example's loss, or pass max_nodes="
    with pytest.raises(ValueError, match=re.escape(message)):
        draw(dense)
    with pytest.raises(ValueError, match=r"3,240 edges \(limit 3,238\)"):
        draw(dense, max_nodes=1619)
    assert draw(dense, max_nodes=1620).nodes == 121


@pytest.mark.parametrize(
    ("given", "message"), [(1.5, "float: 1.5"), (None, "NoneType: None"), ([a], "list: "), ("a", "str: 'a'")]
)
def test_only_a_value_can_be_drawn(given, message):
    with pytest.raises(TypeError, match=re.escape(f"draw: expected a Value, got {message}")):
        draw(given)


def test_a_layout_that_takes_too_long_is_stopped_with_advice(monkeypatch):
    picture, run = draw(a), subprocess.run

    def impatient(command, *, timeout, **options):
        assert timeout == 20
        return run(command, timeout=-1, **options)

    monkeypatch.setattr(subprocess, "run", impatient)
    with pytest.raises(TimeoutError, match=r"longer than 20 s: draw a graph with fewer edges, such as one example's"):
        _ = picture.svg


def test_without_a_layout_program_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_path", lambda *_: str(tmp_path))
    picture = draw(a)
    assert picture.dot.startswith("digraph")
    with pytest.raises(RuntimeError, match="pip install graphviz-pure"):
        _ = picture.svg
    with pytest.raises(RuntimeError, match="pip install graphviz-pure"):
        picture.save(tmp_path / "x.png")
    assert [*tmp_path.iterdir()] == []


def test_what_the_layout_program_complains_of_is_in_the_error():
    with pytest.raises(RuntimeError, match=r"failed with exit status \d+: .*syntax error"):
        _ = Drawing("digraph {", 0).svg


def test_importing_drawing_imports_neither_graphviz_nor_numpy():
    code = "import sys, autograd.drawing; sys.exit(str({'graphviz', 'numpy'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stderr.strip() == "set()"
