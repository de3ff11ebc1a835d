"""A layout says where everything of a picture lies; here a layout program, Graphviz, finds it.

The program is the system's `dot` where there is one, else the one that the package graphviz-pure brings. It runs for 20
seconds at most. It is told how large everything is and gives places alone: what is drawn there is not its affair.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest

from autograd import packages
from autograd.drawing import sizes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autograd.drawing.diagram import Node
    from autograd.drawing.pen import Point

LAYOUT_SECONDS = 20.0
POINTS = 72  # of an inch, in which Graphviz has sizes
BARE = 'BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0" FIXEDSIZE="TRUE"'  # a table of one cell
MARGIN = 7.0  # around the picture, in points


class NoProgramError(RuntimeError):
    """There is no layout program."""


@dataclass(frozen=True)
class Layout:
    """Where everything lies: in points, y downwards, from the upper left corner.

    Arguments:
        width, height: of the whole.
        centres: of boxes and circles, by their names in diagram.py, such as "v3" and "o3".
        sizes: their widths and heights.
        curves: of the edges, by name ("v1 o3 0", "o3 v3"): Bézier's cubic pieces, the first point, then three for each
            piece. A curve ends where the arrow's tip is.
        labels: of the edges that have one, its centre.
    """

    width: float
    height: float
    centres: dict[str, Point]
    sizes: dict[str, Point]
    curves: dict[str, tuple[Point, ...]]
    labels: dict[str, Point]


def by_graphviz(nodes: Sequence[Node], rankdir: str) -> Layout:
    """The layout of a graph by the layout program, layer by layer.

    E. R. Gansner, E. Koutsofios, S. C. North and K.-P. Vo, "A technique for drawing directed graphs", 1993.

    Arguments:
        nodes: what is shown, parents before their nodes.
        rankdir: where the graph goes: "LR", "TB", "RL" or "BT".

    Raises RuntimeError if no layout program is found, or it fails, and TimeoutError if it takes longer than 20 s.
    """
    graph = json.loads(output("\n".join(source(nodes, rankdir)), ["-Tjson0"]))
    left, bottom, right, top = map(float, graph["bb"].split(","))

    def points(written: str) -> tuple[Point, ...]:
        pairs = (pair.split(",") for pair in written.split())
        return tuple((float(x) - left + MARGIN, top - float(y) + MARGIN) for x, y in pairs)

    places, edges = graph["objects"], graph.get("edges", [])
    return Layout(
        right - left + 2 * MARGIN,
        top - bottom + 2 * MARGIN,
        {place["name"]: points(place["pos"])[0] for place in places},
        {place["name"]: (float(place["width"]) * POINTS, float(place["height"]) * POINTS) for place in places},
        {edge["id"]: points(edge["pos"]) for edge in edges},
        {edge["id"]: points(edge["lp"])[0] for edge in edges if "lp" in edge},
    )


def source(nodes: Sequence[Node], rankdir: str) -> Iterator[str]:
    """The graph in DOT, with sizes and without anything to be seen."""
    yield f"digraph {{ graph [rankdir={rankdir} nodesep=0.12 ranksep=0.25]"
    yield 'node [fixedsize=true label=""] edge [dir=none]'
    for node in nodes:
        yield f'"{node.box}" [shape=box {size(sizes.of_box(node))}]'
        if not node.parents:
            continue
        yield f'"{node.circle}" [shape=ellipse {size(sizes.of_circle(node))}]'
        yield f'"{node.circle}" -> "{node.box}" [id="{node.edge}"]'
        for k, (parent, derivative) in enumerate(zip_longest(node.parents, node.local_derivatives)):
            label = "" if derivative is None else f"label={cell(sizes.of_label(derivative))}"
            yield f'"v{parent}" -> "{node.circle}" [id="{node.edge_from(k)}" minlen={node.ranks} {label}]'
    yield "}"


def size(of: Point) -> str:
    return f"width={of[0] / POINTS:.4f} height={of[1] / POINTS:.4f}"


def cell(of: Point) -> str:
    """A label that has the size and shows nothing."""
    width, height = map(round, of)
    return f'<<TABLE {BARE} WIDTH="{width}" HEIGHT="{height}"><TR><TD></TD></TR></TABLE>>'


# ---- The program.


def output(dot: str, options: Sequence[str]) -> bytes:
    """What the layout program writes. Raises RuntimeError if it fails, TimeoutError if it takes long."""
    command = [layout_program(), *options]
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
            raise NoProgramError("Python in a browser starts no layout program: lay out the picture's .dot elsewhere")
        raise NoProgramError(
            f"a picture needs a layout program: {packages.install('graphviz-pure')}, or install Graphviz"
        )
    return program
