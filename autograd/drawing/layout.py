"""A layout program makes a picture of a graph in DOT; its SVG is then made fit for any page.

The program is the system's `dot` where there is one, else the one that the package graphviz-pure brings. It runs for 20
seconds at most. Its SVG is cleaned of all that could meet its like on the same page: ids, classes, links.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from contextlib import suppress
from xml.etree import ElementTree

from autograd import packages

LAYOUT_SECONDS = 20.0

OPTIONS = {"png": ["-Gdpi=144"], "pdf": ["-Gmargin=0"]}

# Layouts measure Courier's text; of readers' monospaced fonts, none is wider.
FONT_FAMILY = "Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', Courier, monospace"


class UnknownFormatError(RuntimeError):
    """The layout program cannot write the format: graphviz-pure knows no PDF, and Graphviz needs Cairo for it."""


def svg_of(dot: str, *, addressed: bool = False) -> str:
    """The graph as an SVG element; with `addressed`, its pieces have the names that they have in DOT.

    That is for a page that shows one step after the other. With the names of `diagram.py`, boxes and circles, each a
    `<g>`, have `data-node="v<i>"` and `data-node="o<i>"`; the edge from the box `v<p>`, the k-th of the operation's
    parents, has `data-edge="v<p> o<i> <k>"`, and the edge from circle to box `data-edge="o<i> v<i>"`. In a box, the
    texts of the numbers have `data-part="data"` and `data-part="grad"`.
    """
    return cleaned(laid_out(dot, "svg"), addressed)


def png_of(dot: str) -> bytes:
    """The graph as the bytes of a PNG file, with 144 dots per inch."""
    return laid_out(dot, "png")


def pdf_of(dot: str) -> bytes:
    """The graph as the bytes of a PDF file. Raises UnknownFormatError if the layout program writes none."""
    return laid_out(dot, "pdf")


def laid_out(dot: str, format: str) -> bytes:
    """What the layout program makes of the graph. Raises RuntimeError if it fails, TimeoutError if it takes long."""
    command = [layout_program(), f"-T{format}", *OPTIONS.get(format, [])]
    no_window = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # on Windows, where a program would open one
    try:
        done = subprocess.run(
            command, input=dot.encode(), capture_output=True, timeout=LAYOUT_SECONDS, creationflags=no_window
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(
            f"the layout of the picture took longer than {LAYOUT_SECONDS:g} s: choose a graph with fewer edges, "
            "such as one example's loss, or one neuron"
        ) from None
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip()
        if "not recognized" in message:
            raise UnknownFormatError(message)
        raise RuntimeError(f"{' '.join(command)} failed with exit status {done.returncode}: {message}")
    return done.stdout


def layout_program() -> str:
    """The system's `dot`, else `graphviz-pure`, from where pip puts programs or from the search path."""
    folders = [sysconfig.get_path("scripts")]
    with suppress(ValueError):  # in a browser nobody has folders of their own
        folders.append(sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user")))
    pip = os.pathsep.join(folders)
    program = shutil.which("dot") or shutil.which("graphviz-pure", path=pip) or shutil.which("graphviz-pure")
    if program is None:
        if sys.platform == "emscripten":
            raise RuntimeError("Python in a browser starts no layout program: lay out the picture's .dot elsewhere")
        raise RuntimeError(
            f"a picture needs a layout program: {packages.install('graphviz-pure')}, or install Graphviz"
        )
    return program


def cleaned(svg: bytes, addressed: bool) -> str:
    """The SVG element alone: tooltips become `title` elements; ids, classes and the nodes' names in DOT go."""
    root = ElementTree.fromstring(svg)
    if addressed:
        address(root)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for name in element.findall("{*}title"):
            element.remove(name)
        if tooltip := element.get("{http://www.w3.org/1999/xlink}title"):
            element.tag = "g"  # it was a link, to nowhere
            title = ElementTree.Element("title")
            title.text = tooltip
            element.insert(0, title)
        for attribute in list(element.keys()):
            if attribute in ("id", "class", "font-family") or attribute.startswith("{"):
                del element.attrib[attribute]
    root.attrib |= {"xmlns": "http://www.w3.org/2000/svg", "font-family": FONT_FAMILY}
    return ElementTree.tostring(root, encoding="unicode")


def address(root: ElementTree.Element) -> None:
    """Gives every drawn piece the name that it has in DOT as an attribute of its own."""
    for group in root.iterfind(".//{*}g"):
        if (kind := group.get("class")) in ("node", "edge"):
            group.set(f"data-{kind}", group.attrib["id"])
            if kind == "node" and group.attrib["id"].startswith("v"):
                *_, data, _, grad = group.iterfind(".//{*}text")
                data.set("data-part", "data")
                grad.set("data-part", "grad")
