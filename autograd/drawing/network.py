"""The picture of a network at a glance: its blocks from left to right, neurons as circles, weights as edges.

`blocks.py` says what is shown. Here it gets its place, in a few milliseconds, by a layout of the project's own: a block
stands to the right of all that it needs, and what is too much to be read is folded, and counted in words.
"""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from autograd.drawing import insets
from autograd.drawing.blocks import network_of
from autograd.drawing.diagram import HOVER_CHARACTERS, shown
from autograd.drawing.pen import Group, Picture, Shape, Text
from autograd.drawing.themes import THEMES, mixed
from autograd.operations import OPERATIONS
from autograd.packages import numpy
from autograd.tape import replayed
from autograd.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from autograd.drawing.blocks import Block, Network, Unit
    from autograd.drawing.pen import Piece, Point
    from autograd.drawing.themes import Theme

# What is legible, and how much of it.
MOST_UNITS = 20  # in a column of circles
MOST_STRIPS = 48  # in a column of strips, which are flatter
MOST_EDGES = 400  # into a block
MOST_NUMBERS = 64  # of a kind, in a text that hovering shows
MOST_LABELS = 12  # weights into a block that are written beside their edges
MOST_KERNELS = 4  # beside a map

# Lengths in points.
WIDTH = 980.0  # what a picture does not exceed, if it can be helped
MARGIN = 18.0
GAPS = 42.0, 150.0  # between columns
RADIUS, GLYPH = 15.0, 0.602  # of a circle; how wide a character is, in sizes of its font
INSET, STRIP, MAP, KERNEL, PICTURE = 28.0, 11.0, 34.0, 22.0, 150.0
PLANE = 15  # points along each side of the plane on which neurons with two inputs are asked


def picture(model: Any, inputs: Any = None, theme: str = "light") -> Picture:
    """The picture of a model, with the numbers that it computes from the inputs if there are any.

    Arguments:
        model: what can be called and has `named_parameters()` (or `parameters()`), such as an `nn.Module`.
        inputs: what the model is called with: numbers or Values, nested as it takes them. Without them, the first
            weights tell how many there are.
        theme: "light" or "dark".

    Raises TypeError or ValueError for a model without parameters, if the weights do not tell what it takes, and if what
    it returns does not depend on its parameters and inputs; and what the model raises.
    """
    network = network_of(model, inputs)
    return Painter(network, Numbers(network), THEMES[theme]).picture()


# ---- The numbers


class Numbers:
    """The number of each variable, and what each unit says over the plane where a network has two inputs."""

    def __init__(self, network: Network) -> None:
        self.network = network
        wengert, run = network.wengert, network.recorded
        self.data, self.grad = network.vector("data"), network.vector("grad")
        first = wengert.first_result
        units = [unit for block in network.blocks for unit in block.units]
        seen = {v for unit in units for use in unit.uses for v in use}
        seen |= {v for unit in units for v in unit.weights}
        seen |= {v for block in network.blocks for head in block.attention for row in head for v in row.values()}
        variables = sorted(v for v in seen if v >= first)
        at = [[leaf.data for leaf in run.inputs]]
        self.is_plane = not run.branches and [len(unit.uses) for unit in network.blocks[0].units] == [1, 1]
        self.reach = max([2.0, *(1.25 * abs(x) for x in at[0] if run.is_example and math.isfinite(x))])
        if self.is_plane:
            steps = [self.reach * (2 * k / (PLANE - 1) - 1) for k in range(PLANE)]
            at += [[x, y] for y in reversed(steps) for x in steps]
        self.rows = replayed(wengert, variables, numpy.array(at), numpy.array(self.data))
        self.column = {v: k for k, v in enumerate(variables)}
        self.computed = dict(zip(variables, self.rows[0].tolist(), strict=True))
        self.has_gradients = any(grad != 0.0 for grad in self.grad)  # nan, too
        biases = Counter(bias for unit in units for bias in unit.biases)
        self.own_biases = {bias for bias, count in biases.items() if count == 1}

    def of(self, variable: int) -> float:
        wengert = self.network.wengert
        if variable < 0:
            return float(wengert.constants[-1 - variable])
        if variable < wengert.inputs:
            return self.network.recorded.inputs[variable].data
        if variable < wengert.first_result:
            return self.data[variable - wengert.inputs]
        return self.computed[variable]

    def gradient(self, variable: int) -> float | None:
        """Of a parameter, where a backward pass has been."""
        k = variable - self.network.wengert.inputs
        return self.grad[k] if self.has_gradients and 0 <= k < len(self.grad) else None

    def name(self, variable: int) -> str:
        """The name or the label of a parameter."""
        k = variable - self.network.wengert.inputs
        if 0 <= k < len(self.network.names):
            return self.network.names[k] or str(self.network.parameters[k].label or "a parameter")
        return "a number" if variable < 0 else "a computed weight"

    def activations(self, unit: Unit) -> list[float]:
        return [self.of(activation) for _, activation in unit.uses]

    def delta(self, unit: Unit) -> list[float] | None:
        """δ, the derivative by the net input: that by the bias, which is added to nothing else.

        One number, the sum over all places and examples, or one for each place if each has its bias.
        """
        if not self.has_gradients or not unit.biases or not self.own_biases.issuperset(unit.biases):
            return None
        deltas = [self.gradient(bias) for bias in unit.biases]
        return None if None in deltas or len(deltas) not in (1, len(unit.uses)) else [d for d in deltas if d is not None]

    def plane(self, unit: Unit) -> list[float] | None:
        """The unit's activations over the plane, row by row from above."""
        column = self.column.get(unit.uses[0][1])
        return self.rows[1:, column].tolist() if self.is_plane and column is not None else None


# ---- Where everything lies


@dataclass
class Box:
    """Where a block lies, and its units.

    Arguments:
        style: how its units look: "image" (all of them are one), "map", "strip" or "circle".
        column: of the picture.
        units: those that are shown.
        widths: of what stands in a row: kernels, the unit itself, an inset.
        pitch: from one unit to the next.
        extra: height of what stands above the units: matrices of attention.
        left, top, width, height: without the titles above it and the words below.
    """

    style: str
    column: int
    units: list[int]
    widths: tuple[float, float, float]
    pitch: float
    extra: float = 0.0
    left: float = 0.0
    top: float = 0.0
    width: float = 0.0
    height: float = 0.0
    title: list[str] = field(default_factory=list)
    caption: list[str] = field(default_factory=list)
    middles: dict[int, float] = field(default_factory=dict)
    fold: float | None = None

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


@dataclass
class Edge:
    """The weights from one unit to another, of which there may be several, as in a convolution."""

    source: tuple[int, int]
    target: tuple[int, int]
    weights: list[int]
    inputs: list[int]
    strength: float = 0.0


class Painter:
    def __init__(self, network: Network, numbers: Numbers, theme: Theme) -> None:
        self.network, self.numbers, self.theme = network, numbers, theme
        self.blocks = network.blocks
        self.has_numbers = network.recorded.is_example
        self.sources = [self.sources_of(block) for block in self.blocks]
        self.edges: list[list[Edge]] = []
        self.loops: list[list[Edge]] = []
        self.boxes = self.measured()
        self.find_edges()
        self.write_words()
        self.width, self.height = self.placed()

    def picture(self) -> Picture:
        lanes, floor = self.lanes()
        pieces = [
            *self.bands(),
            *chain.from_iterable(self.drawn_edges(b) for b in range(len(self.blocks))),
            *lanes,
            *chain.from_iterable(self.drawn_block(b) for b in range(len(self.blocks))),
            *self.heading(),
            *self.legend(floor),
        ]
        height = floor + 14.0 * len(self.legend_lines()) + MARGIN
        return Picture(self.width, height, self.theme.background, tuple(pieces), self.title(), self.description())

    # ---- Measures

    def sources_of(self, block: Block) -> set[int]:
        """The blocks that a block needs something of."""
        found = {self.network.places[v][0] for unit in block.units for v in unit.inputs if v in self.network.places}
        return found | block.reads

    def measured(self) -> list[Box]:
        columns: list[int] = []
        for b in range(len(self.blocks)):
            columns.append(max((columns[s] + 1 for s in self.sources[b] if s < b), default=0))
        beside = Counter(columns)
        boxes = []
        for block, column in zip(self.blocks, columns, strict=True):
            style = self.style(block)
            most = MOST_STRIPS if style == "strip" else MOST_UNITS
            limit = max(4, most // beside[column])
            boxes.append(self.box(block, style, column, folded(len(block.units), limit)))
        return boxes

    def style(self, block: Block) -> str:
        if block.is_image:
            return "image"
        if block.shape:
            return "map"
        return "strip" if any(len(unit.uses) > 1 for unit in block.units) else "circle"

    def box(self, block: Block, style: str, column: int, units: list[int]) -> Box:
        few = len(units) <= 8
        if style == "image":
            return Box(style, column, [], (0.0, PICTURE, 0.0), 0.0, width=PICTURE, height=PICTURE)
        widths, pitch = (0.0, 2 * RADIUS, 0.0), 2 * RADIUS + (14.0 if few else 6.0)
        if style == "map":
            side = 1.4 * MAP if few else MAP
            kernels = min(max((len(self.kernels(unit)) for unit in block.units), default=0), MOST_KERNELS)
            widths, pitch = (kernels * (KERNEL + 3), side, 0.0), side + 6
        elif style == "strip":
            places = max(len(unit.uses) for unit in block.units)
            widths, pitch = (0.0, min(max(30.0, 2.0 * places, min(14.0 * places, 56.0)), 84.0), 0.0), STRIP + 3
        elif block.kind != "inputs" and any(self.inset(unit) for unit in block.units[:1]):
            widths, pitch = (0.0, 2 * RADIUS, INSET + 4), max(pitch, INSET + 6)
        extra = 0.0
        width = sum(widths)
        if block.attention:
            side, across = self.attention_sides(block)
            width = max(width, across * (side + 4) - 4)
            extra = math.ceil(len(block.attention) / across) * (side + 4) + 4
        rows = len(units) + (len(units) < len(block.units))
        if not units:
            width, extra = max(width, 54.0), max(extra, 24.0)
        pad = 8.0 if block.kind == "operations" else 0.0
        height = extra + rows * pitch + 2 * pad
        return Box(style, column, units, widths, pitch, extra, width=width + 2 * pad, height=height)

    def attention_sides(self, block: Block) -> tuple[float, int]:
        """How large the matrix of a head is drawn, and how many stand side by side."""
        return (52.0, 1) if len(block.attention) == 1 else (38.0, 2)

    def kernels(self, unit: Unit) -> dict[tuple[int, int], list[int]]:
        """The weights of a unit by the unit that they come from."""
        found: dict[tuple[int, int], list[int]] = {}
        for weight, v in zip(unit.weights, unit.inputs, strict=True):
            place = self.network.places.get(v)
            if place:
                found.setdefault(place[:2], []).append(weight)
        return found

    def inset(self, unit: Unit) -> str:
        """What is shown beside a neuron: the "plane" or, where it sees an image, its "weights"; or nothing, ""."""
        if self.numbers.plane(unit):
            return "plane"
        image = self.blocks[0]
        if image.is_image and len(unit.weights) == len(image.units):
            return "weights" if unit.inputs == [u.uses[0][0] for u in image.units] else ""
        return ""

    # ---- Edges

    def find_edges(self) -> None:
        """The strongest edges between units that are shown. What goes back to a block before is a loop instead."""
        for b, block in enumerate(self.blocks):
            edges: dict[tuple[tuple[int, int], tuple[int, int]], Edge] = {}
            loops: dict[tuple[tuple[int, int], tuple[int, int]], Edge] = {}
            for u in self.boxes[b].units:
                unit = block.units[u]
                for weight, v in zip(unit.weights, unit.inputs, strict=True):
                    place = self.network.places.get(v)
                    if place is None:
                        continue
                    into = loops if place[0] >= b else edges
                    source = place[:2]
                    if self.boxes[place[0]].style == "image" or source[1] in self.boxes[place[0]].units:
                        edge = into.setdefault((source, (b, u)), Edge(source, (b, u), [], []))
                        edge.weights.append(weight)
                        edge.inputs.append(v)
            for edge in edges.values():
                edge.strength = self.strength(edge)
            strongest = sorted(edges.values(), key=lambda edge: -edge.strength)[:MOST_EDGES]
            self.edges.append(strongest[::-1])
            self.loops.append([*loops.values()])

    def strength(self, edge: Edge) -> float:
        """√Σ (w x)², or √Σ w² without inputs; inf if that is no number, so that it is seen."""
        terms = [self.numbers.of(w) for w in edge.weights]
        if self.has_numbers:
            terms = [w * self.numbers.of(v) for w, v in zip(terms, edge.inputs, strict=True)]
        strength = math.hypot(*terms)
        return math.inf if math.isnan(strength) else strength

    def counts(self, b: int) -> tuple[int, int]:
        """How many weights lead into a block, and how many of these are drawn."""
        drawn = sum(len(edge.weights) for edge in chain(self.edges[b], self.loops[b]))
        return sum(len(unit.weights) for unit in self.blocks[b].units), drawn

    # ---- Words

    def title(self) -> str:
        return f"{shown(self.network.model, 60)}, {counted(len(self.network.parameters), 'parameter')}"

    def description(self) -> str:
        parts = []
        for block, box in zip(self.blocks, self.boxes, strict=True):
            parts.append(f"{', '.join(box.title)}: {' '.join(box.caption)}".removesuffix(": ") + ".")
        return shown(" ".join(parts), 4 * HOVER_CHARACTERS)

    def write_words(self) -> None:
        for b, (block, box) in enumerate(zip(self.blocks, self.boxes, strict=True)):
            box.title, box.caption = [*self.titles(b, block)], [*self.captions(b, block)]

    def titles(self, b: int, block: Block) -> Iterator[str]:
        count = len(block.units)
        if block.kind == "inputs":
            yield "inputs"
            yield self.size_in_words(block, "input")
        elif block.kind == "neurons":
            yield shown(block.path or block.part or f"layer {b}", 40)
            functions = Counter(unit.activation for unit in block.units)
            names = ", ".join(
                (name or "linear") + (f" of {k}" if k < count else "") for name, k in functions.most_common(3)
            )
            yield f"{self.size_in_words(block, 'neuron')}, {names}"
        else:
            part = f"{block.path}, {block.part}" if block.path else block.part
            yield shown("attention" if block.attention else part or "operations", 40)
            symbols = [f"{n:,} {OPERATIONS[name].symbol}" for name, n in block.operations.most_common(4)]
            yield ", ".join(symbols) + ", …" * (len(block.operations) > 4)

    def size_in_words(self, block: Block, noun: str) -> str:
        count = len(block.units)
        if block.shape:
            height, width = block.shape
            size = f"{height} × {width}"
            return f"{count} = {size}" if block.is_image else f"{counted(count, 'map')} of {size}"
        places = max((len(unit.uses) for unit in block.units), default=1)
        return counted(count, noun) + (f" at {places} places" if places > 1 else "")

    def captions(self, b: int, block: Block) -> Iterator[str]:
        if block.kind == "operations":
            if block.parameters:
                yield counted(len(block.parameters), "parameter")
            return
        total, drawn = self.counts(b)
        if drawn < total:
            yield f"{drawn:,} of {counted(total, 'weight')} drawn, {self.why_not_all(b)}"
        elif total:
            yield counted(total, "weight")
        kernels = max((len(self.kernels(unit)) for unit in block.units), default=0)
        if self.boxes[b].style == "map" and kernels > MOST_KERNELS:
            yield f"kernels of {MOST_KERNELS} of the {kernels} maps"
        biases = len({bias for unit in block.units for bias in unit.biases})
        if biases:
            yield counted(biases, "bias")

    def why_not_all(self, b: int) -> str:
        if len(self.edges[b]) == MOST_EDGES:
            return "the strongest"
        return "those of what is shown"

    # ---- Placing

    def placed(self) -> tuple[float, float]:
        columns = 1 + max(box.column for box in self.boxes)
        widths = [max(box.width for box in self.boxes if box.column == c) for c in range(columns)]
        labels = self.label_width()
        room = WIDTH - 2 * MARGIN - labels - sum(widths)
        gap = min(max(room / max(columns - 1, 1), GAPS[0]), GAPS[1])
        left = MARGIN + labels
        lefts = []
        for width in widths:
            lefts.append(left)
            left += width + gap
        # A title may be wider than its block: it has half of the gap on each side.
        for box in self.boxes:
            room = widths[box.column] + gap - 10
            box.title = [line for text in box.title for line in wrapped(text, room, 9.0)]
            box.caption = [line for text in box.caption for line in wrapped(text, room, 8.5)]
        heights = [
            sum(full_height(box) for box in self.boxes if box.column == c) for c in range(columns)
        ]
        top = MARGIN + 24.0
        for c in range(columns):
            y = top + (max(heights) - heights[c]) / 2
            for b, box in enumerate(self.boxes):
                if box.column == c:
                    box.left = lefts[c] + (widths[c] - box.width) / 2
                    box.top = y + 13.0 * len(box.title) + 4
                    self.place_units(b)
                    y += full_height(box)
        first, last = (max((len(line) for line in box.title + box.caption), default=0) for box in
                       (self.boxes[0], self.boxes[-1]))  # fmt: skip
        shift = max(0.0, MARGIN + first * 9 * GLYPH / 2 - (self.boxes[0].left + self.boxes[0].width / 2))
        for box in self.boxes:
            box.left += shift
        end = max(box.left + box.width / 2 + max(box.width / 2, last * 9 * GLYPH / 2) for box in self.boxes)
        width = max(end + MARGIN, 420.0)
        spare = (width - end - MARGIN) / 2
        for box in self.boxes:
            box.left += spare
        return width, top + max(heights)

    def label_width(self) -> float:
        names = [self.input_label(u) for u in self.boxes[0].units]
        return max((len(name) for name in names), default=0) * 8.5 * GLYPH + 4

    def input_label(self, u: int) -> str:
        return shown(self.blocks[0].units[u].name, 14)

    def place_units(self, b: int) -> None:
        block, box = self.blocks[b], self.boxes[b]
        pad = 8.0 if block.kind == "operations" else 0.0
        y = box.top + pad + box.extra + box.pitch / 2
        before: int | None = None
        for u in box.units:
            if before is not None and u > before + 1:
                box.fold = y
                y += box.pitch
            box.middles[u] = y
            y += box.pitch
            before = u

    # ---- Attachments

    def inner(self, b: int) -> float:
        """Where the units of a block begin, at the left."""
        box = self.boxes[b]
        return box.left + (box.width - sum(box.widths)) / 2

    def entry(self, b: int, u: int) -> Point:
        return self.inner(b), self.boxes[b].middles[u]

    def exit(self, b: int, u: int) -> Point:
        box = self.boxes[b]
        if box.style == "image":
            height, width = self.blocks[b].shape or (1, 1)
            return box.right, box.top + (u // width + 0.5) * PICTURE / height
        return self.inner(b) + sum(box.widths), box.middles[u]

    # ---- Pieces

    def text(self, at: Point, text: str, size: float = 8.5, *, align: str = "center", muted: bool = False,
             bold: bool = False, colour: str = "") -> Text:  # fmt: skip
        return Text(at, align, text, size, bold, colour or (self.theme.muted if muted else self.theme.ink))

    def on_background(self, text: Text) -> Iterator[Piece]:
        """A text that covers the edges behind it."""
        (x, y), half = text.at, len(text.text) * text.size * GLYPH / 2 + 2
        yield Shape("box", ((x - half, y - text.size), (x + half, y + 3)), fill=self.theme.background)
        yield text

    def drawn_edges(self, b: int) -> Iterator[Piece]:
        edges = self.edges[b]
        scale = insets.scale_of(self.size_of(edge) for edge in edges)
        widest = self.theme.widest * min(1.0, 6.0 / math.sqrt(max(len(edges), 1)))  # of very many, all are thin
        labels: list[Point] = []
        for edge in edges:
            start, end = self.exit(*edge.source), self.entry(*edge.target)
            yield Group((self.stroke(edge, start, end, scale, widest),), self.edge_title(edge))
        if len(edges) <= MOST_LABELS and all(len(edge.weights) == 1 for edge in edges):
            for edge in edges:
                yield from self.label(edge, labels)

    def size_of(self, edge: Edge) -> float:
        """The size of its weight, or of all of them, √Σ w²."""
        return math.hypot(*(self.numbers.of(w) for w in edge.weights))

    def sign_of(self, edge: Edge) -> float:
        return math.fsum(self.numbers.of(w) for w in edge.weights) if len(edge.weights) > 1 else self.numbers.of(
            edge.weights[0]
        )

    def stroke(self, edge: Edge, start: Point, end: Point, scale: float, widest: float) -> Shape:
        theme, size = self.theme, self.size_of(edge)
        sign = self.sign_of(edge)
        bend = (end[0] - start[0]) * 0.45
        points = (start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end)
        if math.isnan(size) or math.isnan(sign):
            return Shape("curve", points, theme.undefined, "", theme.widest)
        share = abs(insets.share_of(size, scale))
        width = 0.4 + (widest - 0.4) * share
        colour = mixed(theme.flow.of(sign), theme.background, 0.3 + 0.7 * math.sqrt(share))
        return Shape("curve", points, colour, "", width)

    def label(self, edge: Edge, taken: list[Point]) -> Iterator[Piece]:
        """The weight beside its edge, where there is room."""
        number = self.numbers.of(edge.weights[0])
        text = compact(number)
        width = len(text) * 8 * GLYPH + 4
        start, end = self.exit(*edge.source), self.entry(*edge.target)
        for t in (0.5, 0.38, 0.62, 0.28, 0.72, 0.2, 0.8):
            x, y = on_curve(start, end, 0.45, t)
            if all(abs(x - a) > width + 3 or abs(y - c) > 11 for a, c in taken):
                taken.append((x, y))
                yield from self.on_background(self.text((x, y + 3), text, 8.0, colour=self.sign_colour(number)))
                return

    def sign_colour(self, number: float) -> str:
        return self.theme.undefined if math.isnan(number) else self.theme.gradient.of(number)

    def edge_title(self, edge: Edge) -> str:
        numbers = self.numbers
        if len(edge.weights) > 1:
            listed = listed_numbers([numbers.of(w) for w in edge.weights])
            first = numbers.name(edge.weights[0])
            return shown(f"{counted(len(edge.weights), 'weight')} from {first}: {listed}", HOVER_CHARACTERS)
        [weight], [v] = edge.weights, edge.inputs
        w = numbers.of(weight)
        parts = [f"{numbers.name(weight)} = {w!r}"]
        source = self.blocks[edge.source[0]].units[edge.source[1]]
        if self.has_numbers and len(source.uses) == 1:
            x = numbers.of(v)
            parts.append(f"times {x!r} = {w * x!r}")
        gradient = numbers.gradient(weight)
        if gradient is not None:
            parts.append(f"gradient {gradient!r}")
        return shown(", ".join(parts), HOVER_CHARACTERS)

    def bands(self) -> Iterator[Piece]:
        """What operations use of the blocks beside them."""
        colour = mixed(self.theme.line, self.theme.background, 0.45)
        for b, block in enumerate(self.blocks):
            for s in block.reads:
                if s < b and self.boxes[b].column - self.boxes[s].column == 1:
                    (x0, y0), (x1, y1) = (self.boxes[s].right + 2, self.boxes[s].middle), (
                        self.boxes[b].left - 7, self.boxes[b].middle)  # fmt: skip
                    bend = (x1 - x0) * 0.45
                    yield Shape("curve", ((x0, y0), (x0 + bend, y0), (x1 - bend, y1), (x1, y1)), colour, "", 3.0)
                    yield arrow((x1 + 6, y1), (1.0, 0.0), colour)

    def lanes(self) -> tuple[list[Piece], float]:
        """What goes past other blocks or back in time, below all of them; and where the lanes end."""
        colour = mixed(self.theme.line, self.theme.background, 0.7)
        links = [
            (s, b, "") for b, block in enumerate(self.blocks) for s in sorted(block.reads)
            if s >= b or self.boxes[b].column - self.boxes[s].column > 1
        ]  # fmt: skip
        for b, edges in enumerate(self.loops):
            for s in sorted({edge.source[0] for edge in edges}):
                weights = [w for edge in edges if edge.source[0] == s for w in edge.weights]
                links.append((s, b, f"from the step before, {counted(len(weights), 'weight')}"))
        pieces: list[Piece] = []
        y = self.height + 4
        for k, (s, b, words) in enumerate(links):
            source, target = self.boxes[s], self.boxes[b]
            matrix = self.loop_matrix(s, b) if words else None
            y += 14.0 + (56.0 if matrix else 0.0)
            x0, x1 = source.right + 9 + 3 * (k % 4), target.left - 12 - 3 * (k % 4)
            y0, y1 = source.bottom - 7, target.bottom - 7
            points = ((source.right + 2, y0), (x0, y0), (x0, y), (x1, y), (x1, y1), (target.left - 7, y1))
            pieces.append(Shape("line", points, colour, "", 1.4))
            pieces.append(arrow((target.left - 1, y1), (1.0, 0.0), colour))
            if matrix:
                middle = (x0 + x1) / 2
                numbers, columns, title = matrix
                cell = 48.0 / max(columns, len(numbers) // columns, 5)
                across, down = columns * cell, len(numbers) // columns * cell
                at = middle - across / 2, y - 5 - down
                pieces.append(insets.image(numbers, columns, at, across, down, self.theme, title=title))
                pieces.append(self.text((middle, y + 11), words, muted=True))
                y += 10
        return pieces, y + 12

    def loop_matrix(self, s: int, b: int) -> tuple[list[float], int, str] | None:
        """The weights from one block back to another: a row for each unit, a column for each that it comes from."""
        edges = {(e.target[1], e.source[1]): e.weights for e in self.loops[b] if e.source[0] == s}
        rows, columns = sorted({u for u, _ in edges}), sorted({u for _, u in edges})
        numbers = [math.fsum(map(self.numbers.of, edges.get((row, column), []))) for row in rows for column in columns]
        lines = [
            f"to {row}: {listed_numbers([self.numbers.of(w) for c in columns for w in edges.get((row, c), [])])}"
            for row in rows
        ]
        return numbers, len(columns), shown("weights from the step before, " + "; ".join(lines), 4 * HOVER_CHARACTERS)

    def drawn_block(self, b: int) -> Iterator[Piece]:
        block, box, theme = self.blocks[b], self.boxes[b], self.theme
        x = box.left + box.width / 2
        for k, line in enumerate(box.title):
            y = box.top - 6 - 12.0 * (len(box.title) - 1 - k)
            yield from self.on_background(self.text((x, y), line, 9.0, bold=k == 0, muted=k > 0))
        for k, line in enumerate(box.caption):
            yield from self.on_background(self.text((x, box.bottom + 12 + 11.0 * k), line, 8.5, muted=True))
        if block.kind == "operations":
            corners = ((box.left, box.top), (box.right, box.bottom))
            yield Shape("box", corners, line=theme.line, fill=theme.operation, radius=6.0)
            yield from self.drawn_attention(b)
        if box.style == "image":
            yield from self.drawn_image(b)
            return
        numbers = [number for unit in block.units for number in self.numbers.activations(unit)]
        scale = insets.scale_of(numbers)
        for u in box.units:
            yield Group((*self.drawn_unit(b, u, scale),), self.unit_title(b, u))
        if box.fold is not None:
            more = len(block.units) - len(box.units)
            yield self.text((self.inner(b) + sum(box.widths) / 2, box.fold + 3), f"… {more:,} more", 9.0, muted=True)

    def drawn_image(self, b: int) -> Iterator[Piece]:
        block, box = self.blocks[b], self.boxes[b]
        numbers = [number for unit in block.units for number in self.numbers.activations(unit)]
        at, columns = (box.left, box.top), (block.shape or (1, 1))[1]
        if self.has_numbers:
            title = shown(f"inputs, row by row: {listed_numbers(numbers)}", HOVER_CHARACTERS)
            yield insets.image(numbers, columns, at, box.width, box.height, self.theme, title=title)
        else:
            corners = (at, (box.right, box.bottom))
            yield Shape("box", corners, line=self.theme.line, fill=self.theme.leaf, width=0.6)

    def drawn_attention(self, b: int) -> Iterator[Piece]:
        block, box = self.blocks[b], self.boxes[b]
        if not block.attention:
            return
        side, across = self.attention_sides(block)
        left = box.left + (box.width - across * (side + 4) + 4) / 2
        for head, rows in enumerate(block.attention):
            size = 1 + max(place for row in rows for place in row)
            numbers = [self.numbers.of(row[p]) if p in row else 0.0 for row in rows for p in range(size)]
            lines = [f"place {t}: {listed_numbers([self.numbers.of(v) for v in row.values()])}"
                     for t, row in enumerate(rows)]  # fmt: skip
            title = f"head {head}, the weights of the places seen, row by row; " + "; ".join(lines)
            at = left + (head % across) * (side + 4), box.top + 8 + (head // across) * (side + 4)
            if self.has_numbers:
                yield insets.image(
                    numbers, size, at, side, side, self.theme, scale=1.0, title=shown(title, 4 * HOVER_CHARACTERS)
                )
            else:
                yield Shape("box", (at, (at[0] + side, at[1] + side)), self.theme.line, self.theme.background)

    def drawn_unit(self, b: int, u: int, scale: float) -> Iterator[Piece]:
        block, box, theme = self.blocks[b], self.boxes[b], self.theme
        unit, y, left = block.units[u], box.middles[u], self.inner(b)
        kernels, own, _ = box.widths
        if block.kind == "inputs":
            yield self.text((left - 5, y + 3), self.input_label(u), align="right", muted=True)
        if box.style == "circle":
            yield from self.drawn_circle(unit, (left + RADIUS, y), scale, block.kind == "inputs")
            if block.kind != "inputs":
                yield from self.drawn_inset(unit, (left + 2 * RADIUS + 4, y - INSET / 2))
            return
        for k, weights in enumerate([*self.kernels(unit).values()][: round(kernels / (KERNEL + 3))]):
            numbers = [self.numbers.of(w) for w in weights]
            at = left + k * (KERNEL + 3), y - KERNEL / 2
            yield insets.image(numbers, insets.side_of(len(numbers)), at, KERNEL, KERNEL, theme)
        height = own if box.style == "map" else STRIP
        at = left + kernels, y - height / 2
        activations = self.numbers.activations(unit)
        if self.has_numbers:
            columns = (block.shape or (1, len(activations)))[1]
            yield insets.image(activations, columns, at, own, height, theme, scale=scale)
        else:
            yield Shape("box", (at, (at[0] + own, at[1] + height)), theme.line, theme.computed, radius=2.0)

    def drawn_circle(self, unit: Unit, at: Point, scale: float, is_input: bool) -> Iterator[Piece]:
        theme, (x, y) = self.theme, at
        [activation] = self.numbers.activations(unit)
        fill = theme.leaf if is_input else theme.computed
        if self.has_numbers:
            share = insets.share_of(activation, scale)
            fill = theme.undefined if math.isnan(share) else mixed(theme.flow.of(share), theme.background, 0.4 * abs(share))
        yield Shape("ellipse", (at, (RADIUS, RADIUS)), theme.line, fill, theme.outline)
        lines = [*self.lines(unit, activation, is_input)]
        for k, (text, colour) in enumerate(lines):
            size = min(8.5, 2 * (RADIUS - 2) / (GLYPH * max(len(text), 1)))
            yield self.text((x, y + 3 + 9 * k - 4.5 * (len(lines) - 1)), text, size, colour=colour)

    def lines(self, unit: Unit, activation: float, is_input: bool) -> Iterator[tuple[str, str]]:
        """What stands in a circle: activation and δ with inputs, else the bias."""
        if self.has_numbers:
            yield compact(activation), self.theme.background if math.isnan(activation) else self.theme.ink
            delta = self.numbers.delta(unit)
            if delta is not None and len(delta) == 1:
                yield compact(delta[0]), self.theme.ink
        elif not is_input and len(unit.biases) == 1:
            yield compact(self.numbers.of(unit.biases[0])), self.theme.muted

    def drawn_inset(self, unit: Unit, at: Point) -> Iterator[Piece]:
        kind = self.inset(unit)
        if kind == "plane":
            reach = compact(self.numbers.reach)
            inputs = " and ".join(u.name for u in self.blocks[0].units)
            title = shown(f"its activation over {inputs} from −{reach} to {reach}", HOVER_CHARACTERS)
            yield insets.image(self.numbers.plane(unit) or [], PLANE, at, INSET, INSET, self.theme, title=title)
            if self.has_numbers:
                x, y = (leaf.data / self.numbers.reach for leaf in self.network.recorded.inputs)
                if math.isfinite(x) and math.isfinite(y):
                    point = at[0] + INSET * (1 + x) / 2, at[1] + INSET * (1 - y) / 2
                    yield Shape("ellipse", (point, (1.6, 1.6)), self.theme.background, self.theme.ink, 0.6)
        elif kind == "weights":
            columns = (self.blocks[0].shape or (1, 1))[1]
            numbers = [self.numbers.of(w) for w in unit.weights]
            yield insets.image(numbers, columns, at, INSET, INSET, self.theme, title="its weights, as the inputs lie")

    def unit_title(self, b: int, u: int) -> str:
        block, unit, numbers = self.blocks[b], self.blocks[b].units[u], self.numbers
        parts = [unit.name or f"{block.kind} {u}"]
        if self.has_numbers:
            if block.kind == "neurons":
                parts.append(f"net input {listed_numbers([numbers.of(net) for net, _ in unit.uses])}")
            name = unit.activation or ("result" if block.kind == "operations" else "activation")
            parts.append(f"{name} {listed_numbers(numbers.activations(unit))}")
        if unit.biases:
            parts.append(f"bias {listed_numbers([numbers.of(bias) for bias in unit.biases])}")
        delta = numbers.delta(unit)
        if delta is not None:
            parts.append(f"δ {listed_numbers(delta)}, the gradient of its bias")
        return shown(", ".join(parts), HOVER_CHARACTERS)

    # ---- Around it

    def heading(self) -> Iterator[Piece]:
        words = self.title()
        if self.network.unused:
            words += f"; {counted(self.network.unused, 'parameter')} not needed here"
        yield self.text((MARGIN, MARGIN + 8), words, 11.0, align="left", bold=True)

    def legend_lines(self) -> list[str]:
        parts = ["edges: weights, wider if larger, among those into one block"]
        if any(len(edge.weights) > 1 for edges in self.edges for edge in edges):
            parts.append("an edge of several: √Σ w², and their sum's sign")
        styles = {box.style for box, block in zip(self.boxes, self.blocks, strict=True) if block.kind != "inputs"}
        if "circle" in styles:
            has_deltas = self.numbers.has_gradients and self.has_numbers
            parts.append(f"circles: {'activation' if self.has_numbers else 'bias'}{', below it δ' if has_deltas else ''}")
        if styles & {"map", "strip"}:
            parts.append("images: activations at all places" if self.has_numbers else "images: weights")
        if any(self.inset(unit) == "plane" for block in self.blocks[1:] for unit in block.units[:1]):
            reach = compact(self.numbers.reach)
            parts.append(f"squares: activation over the inputs from −{reach} to {reach}")
        elif self.blocks[0].is_image:
            parts.append("squares: weights, as the inputs lie")
        return wrapped("; ".join(parts), self.width - 2 * MARGIN - 190, 8.5)

    def legend(self, floor: float) -> Iterator[Piece]:
        theme, y = self.theme, floor + 10
        x = MARGIN
        for words, colour in [("positive", theme.flow.positive), ("negative", theme.flow.negative)]:
            yield Shape("line", ((x, y - 3), (x + 16, y - 3)), colour, "", theme.widest)
            yield self.text((x + 20, y), words, align="left", muted=True)
            x += 28 + len(words) * 8.5 * GLYPH
        for k, line in enumerate(self.legend_lines()):
            yield self.text((x + 6, y + 13.0 * k), line, align="left", muted=True)


# ---- Small helpers


def folded(count: int, limit: int) -> list[int]:
    """Which of the units are shown: all, or the first and the last of more than can be read."""
    if count <= limit:
        return [*range(count)]
    return [*range((limit + 1) // 2), *range(count - limit // 2, count)]


def full_height(box: Box) -> float:
    return box.height + 13.0 * len(box.title) + 4 + 11.0 * len(box.caption) + 22


def wrapped(text: str, room: float, size: float) -> list[str]:
    """The text in lines that have room; a word that has not is broken."""
    return textwrap.wrap(text, max(8, int(room / (size * GLYPH))))


def arrow(tip: Point, direction: Point, colour: str) -> Shape:
    """A head of an arrow."""
    (x, y), (dx, dy) = tip, direction
    return Shape("polygon", (tip, (x - 7 * dx + 3.5 * dy, y - 7 * dy + 3.5 * dx), (x - 7 * dx - 3.5 * dy, y - 7 * dy - 3.5 * dx)), "", colour)


def on_curve(start: Point, end: Point, bend: float, t: float) -> Point:
    """The point at t of the curve that an edge is."""
    (x0, y0), (x3, y3) = start, end
    x1, x2 = x0 + bend * (x3 - x0), x3 - bend * (x3 - x0)
    a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
    return a * x0 + b * x1 + c * x2 + d * x3, (a + b) * y0 + (c + d) * y3


def compact(number: float) -> str:
    """The number in five characters, if they suffice: three digits, or two, or one."""
    for digits in (3, 2, 1):
        text = f"{number:.{digits}g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
        if len(text) <= 5:
            break
    return text.replace("-", "−") if not text.startswith("nan") else text


def listed_numbers(numbers: Sequence[float]) -> str:
    """The numbers in full, the first ones of very many."""
    more = len(numbers) - MOST_NUMBERS
    return ", ".join(map(repr, numbers[:MOST_NUMBERS])) + (f" and {more:,} more" if more > 0 else "")
