"""How long `draw` takes for graphs of some 500 Values, beside graphviz-pure, which lays out and writes the same graph.

    python benchmarks/drawing.py [TURNS]

CPU time in seconds, in turns, and the bytes of the SVG. By default such a graph is folded; `fold=False` draws it whole.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time

import autograd
from autograd import Value, draw
from autograd.graph import topological_order
from nn import MLP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def network() -> Value:
    """micrograd's network of 2-16-16-1 units, with what it computes of one point."""
    random.seed(1)
    output = MLP(2, [16, 16, 1])([Value(0.5), Value(-1.0)])
    assert isinstance(output, Value)
    return output


def thicket() -> Value:
    """Operations on two of the sixty nodes before, drawn at random: edges are long and cross each other."""
    source = random.Random(0)
    nodes = [Value(source.random()) for _ in range(40)]
    while len(nodes) < 490:
        a, b = source.choice(nodes[-60:]), source.choice(nodes[-60:])
        nodes.append((a * b).tanh() if source.random() < 0.3 else a + b)
    return autograd.sum(nodes[-60:])


def seconds(work: Callable[[], object], of_whom: int) -> float:
    """CPU time of this process, or of those that it has started."""
    if of_whom == resource.RUSAGE_SELF:
        begin = time.process_time()
        work()
        return time.process_time() - begin
    before = resource.getrusage(of_whom)
    work()
    after = resource.getrusage(of_whom)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(turns: int) -> None:
    program = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    if program is None:
        raise SystemExit("graphviz-pure is not installed: pip install graphviz-pure")
    print(f"load average {os.getloadavg()[0]:.1f}; medians of {turns} turns")
    for graph in (network, thicket):
        output = graph()
        output.backward()
        nodes = topological_order(output)
        source = draw(output, fold=False).dot.encode()
        works: dict[str, tuple[Callable[[], object], int]] = {
            "folded": (lambda output=output: draw(output).svg, resource.RUSAGE_SELF),  # type: ignore[misc]
            "whole": (lambda output=output: draw(output, fold=False).svg, resource.RUSAGE_SELF),  # type: ignore[misc]
            "graphviz-pure": (
                lambda source=source: subprocess.run([program, "-Tsvg"], input=source, capture_output=True, check=True),  # type: ignore[misc]
                resource.RUSAGE_CHILDREN,
            ),
        }
        taken: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(turns):
            for name, (work, of_whom) in works.items():
                taken[name].append(seconds(work, of_whom))
        medians = {name: statistics.median(times) for name, times in taken.items()}
        ratio = statistics.median(a / b for a, b in zip(taken["whole"], taken["graphviz-pure"], strict=True))
        size = len(draw(output, fold=False).svg) / len(nodes)
        listed = ", ".join(f"{name} {median:.3f} s" for name, median in medians.items())
        edges = sum(len(node.parents) for node in nodes)
        print(f"{graph.__name__}, {len(nodes)} nodes, {edges} edges: {listed}; whole against it {ratio:.3f}; "
              f"{size:.0f} bytes a node")  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
