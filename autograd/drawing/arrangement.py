"""The arrangement of a network's picture: where its blocks and units lie, and which of its edges are drawn.

A block stands to the right of all that it needs, so a layout takes milliseconds and no other program. What is too much
to be read is folded, and counted in words: units in a long column, the weakest of very many edges, columns in the
middle of a deep network.
"""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from autograd.drawing import naming
from autograd.drawing.sizes import COLUMN, wide
from autograd.operations import OPERATIONS
from autograd.packages import numpy
from autograd.wording import counted, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from autograd.drawing.blocks import Block, Unit
    from autograd.drawing.evaluation import Array, Evaluation
    from autograd.drawing.pen import Point

    Spot = tuple[int, int]  # a block and a unit of it

# What is legible, and how much of it.
FEWEST_COLUMNS = 5  # which are never folded
BLOCKS = "blocks"  # what the columns are called that are folded in the middle
MOST_UNITS = 20  # in a column of circles
MOST_STRIPS = 48  # in a column of strips, which are flatter
MOST_EDGES = 400  # into a block
MOST_KERNELS = 4  # beside a map

# Lengths in points.
WIDTH = 980.0  # of a picture with few columns
MOST_WIDTH = 1030.0  # beyond which columns are folded
MARGIN = 18.0
HEAD = 24.0  # for the title
GAPS = 42.0, 150.0  # between columns
FOLD = 70.0  # for columns that are folded
PAD = 8.0  # around the units in a block of operations
RADIUS, INSET = 15.0, 28.0  # of a neuron's circle; the side of the square beside it
STRIP, MAP, KERNEL, PICTURE = 11.0, 34.0, 22.0, 180.0  # heights
LINE, SMALL = 9.0, 8.5  # sizes of fonts


@dataclass
class Box:
    """Where a block lies, and its units.

    Arguments:
        style: how its units look: "image" (all of them together), "map", "strip" or "circle".
        column: of the picture.
        units: those that are shown.
        widths: of what stands in a row: kernels, the unit itself, the square beside it.
        pitch: from one unit to the next.
        width, height: without the title above it and the caption below.
        extra: the height of what stands above the units.
        left, top: its upper left corner.
        title, names, caption: lines of text; so many of the title's are its name.
        middles: of each unit that is shown, its height.
        fold: the height of the words that stand for the units that are not; None if all are shown.
    """

    style: str
    column: int
    units: list[int]
    widths: tuple[float, float, float]
    pitch: float
    width: float
    height: float
    extra: float = 0.0
    left: float = 0.0
    top: float = 0.0
    title: list[str] = field(default_factory=list)
    names: int = 1
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
    def centre(self) -> Point:
        return self.left + self.width / 2, self.top + self.height / 2

    @property
    def inner(self) -> float:
        """Where the units begin, at the left."""
        return self.left + (self.width - sum(self.widths)) / 2

    @property
    def name(self) -> str:
        return "".join(self.title[: self.names])

    @property
    def full_height(self) -> float:
        return self.height + 13.0 * len(self.title) + 11.0 * len(self.caption) + 26


@dataclass
class Edge:
    """The weights from one unit to another, of which there may be several, as in a convolution."""

    source: Spot
    target: Spot
    weights: list[int]
    inputs: list[int]

    @property
    def name(self) -> str:
        return "u{}.{} u{}.{}".format(*self.source, *self.target)


class Arrangement:
    """Where everything lies.

    Arguments:
        numbers: of the network.
        opened: the names of what is not folded: those of blocks, of whose units all are shown, and BLOCKS.

    `folded` is what is folded: the block of each name, and None of BLOCKS. `boxes` are those of the blocks, `edges` the
    edges into each block, `loops` those that lead back in time. `hidden` are the columns that are folded, and `fold` is
    the middle of what stands for them.
    """

    def __init__(self, numbers: Evaluation, opened: Collection[str] = ()) -> None:
        self.numbers, self.network, self.opened = numbers, numbers.network, opened
        self.blocks = self.network.blocks
        self.names = self.names_of_blocks()
        self.folded: dict[str, int | None] = {}
        self.hidden = range(0)
        self.boxes = self.measured()
        self.edges: list[list[Edge]] = []
        self.loops: list[list[Edge]] = []
        for b in range(len(self.blocks)):
            edges, loops = self.edges_into(b)
            self.edges.append(edges)
            self.loops.append(loops)
        for b, (block, box) in enumerate(zip(self.blocks, self.boxes, strict=True)):
            box.title, box.caption = [*self.titles(b, block)], [*self.captions(b, block)]
        self.gap = self.fold = 0.0
        self.width, self.height = self.placed()

    def is_seen(self, *blocks: int) -> bool:
        """Whether none of the blocks is in a column that is folded."""
        return all(self.boxes[b].column not in self.hidden for b in blocks)

    def names_of_blocks(self) -> list[str]:
        """What each block is called; blocks of one name are numbered."""
        names = [name_of(block).replace("/", "\\") for block in self.blocks]  # a page divides ways by /
        count, so_far = Counter(names), Counter[str]()
        for b, name in enumerate(names):
            if count[name] > 1:
                so_far[name] += 1
                names[b] = f"{name} {so_far[name]}"
        return names

    # ---- What is shown, and how large

    def measured(self) -> list[Box]:
        columns: list[int] = []
        for b, block in enumerate(self.blocks):
            columns.append(max((columns[s] + 1 for s in self.sources_of(block) if s < b), default=0))
        beside = Counter(columns)
        boxes = []
        for b, (block, column) in enumerate(zip(self.blocks, columns, strict=True)):
            style = style_of(block)
            limit = max(4, (MOST_STRIPS if style == "strip" else MOST_UNITS) // beside[column])
            limit = len(block.units) if self.names[b] in self.opened else limit
            boxes.append(self.box(block, style, column, folded(len(block.units), limit)))
        if BLOCKS not in self.opened:
            widths = [max(box.width for box in boxes if box.column == c) for c in range(len(beside))]
            self.hidden = too_many(widths, MOST_WIDTH - 2 * MARGIN - self.label_width(boxes[0]))
        for b, (block, box) in enumerate(zip(self.blocks, boxes, strict=True)):
            if box.column in self.hidden:
                box.units = []
                self.folded[BLOCKS] = None
            elif 0 < len(box.units) < len(block.units):
                self.folded[self.names[b]] = b
        return boxes

    def sources_of(self, block: Block) -> set[int]:
        """The blocks that a block needs something of."""
        places, units = self.network.places, block.units
        different = [unit for k, unit in enumerate(units) if not k or unit.inputs != units[k - 1].inputs]
        return block.reads | {places[v][0] for unit in different for v in unit.inputs if v in places}

    def box(self, block: Block, style: str, column: int, units: list[int]) -> Box:
        if style == "image":
            return Box(style, column, [], (0.0, PICTURE, 0.0), 0.0, PICTURE, PICTURE)
        few = len(units) <= 8
        widths, pitch = (0.0, 2 * RADIUS, 0.0), 2 * RADIUS + (14.0 if few else 6.0)
        if style == "map":
            side = 1.4 * MAP if few else MAP
            kernels = min(max((len(self.kernels(unit)) for unit in block.units), default=0), MOST_KERNELS)
            widths, pitch = (kernels * (KERNEL + 3), side, 0.0), side + 6
        elif style == "strip":
            places = max(len(unit.uses) for unit in block.units)
            widths, pitch = (0.0, min(max(30.0, 2.0 * places, min(14.0 * places, 56.0)), 84.0), 0.0), STRIP + 3
        elif block.units and self.inset(block.units[0]):
            widths = 0.0, 2 * RADIUS, INSET + 4
        width, extra = sum(widths), 0.0
        if block.attention:
            side, across = attention_sides(block)
            width = max(width, across * (side + 4) - 4)
            extra = math.ceil(len(block.attention) / across) * (side + 4) + 4
        if not units:  # operations whose results have no order
            width, extra = max(width, 54.0), max(extra, 24.0)
        pad = PAD if block.kind == "operations" else 0.0
        rows = len(units) + (len(units) < len(block.units))
        return Box(style, column, units, widths, pitch, width + 2 * pad, extra + rows * pitch + 2 * pad, extra)

    def kernels(self, unit: Unit) -> dict[Spot, list[int]]:
        """The weights of a unit by the unit that they come from."""
        found: dict[Spot, list[int]] = {}
        for weight, v in zip(unit.weights, unit.inputs, strict=True):
            if v in self.network.places:
                found.setdefault(self.network.places[v][:2], []).append(weight)
        return found

    def inset(self, unit: Unit) -> str:
        """What is shown beside a neuron: the "plane" or, where it sees an image, its "weights"; "" for nothing."""
        image = self.blocks[0]
        if not unit.weights:
            return ""
        if self.numbers.plane(unit):
            return "plane"
        return "weights" if image.is_image and unit.inputs == [u.uses[0][0] for u in image.units] else ""

    # ---- Edges

    def edges_into(self, b: int) -> tuple[list[Edge], list[Edge]]:
        """The edges between units that are shown, the strongest of very many; and those that go back to a block."""
        block = self.blocks[b]
        rows: list[tuple[int, Unit, dict[Spot, list[int]], Array]] = []
        for u in self.boxes[b].units:
            unit = block.units[u]
            if not rows or unit.inputs != rows[-1][1].inputs:
                ways = self.ways(unit.inputs)
            rows.append((u, unit, ways, self.strengths(unit, ways)))
        strengths = numpy.concatenate([row[3] for row in rows]) if rows else numpy.empty(0)
        is_loop = [source[0] >= b for _, _, ways, _ in rows for source in ways]
        strengths[is_loop] = -1.0  # which is weaker than any edge
        chosen = {*numpy.argsort(-strengths, kind="stable")[:MOST_EDGES].tolist()}
        edges: list[Edge] = []
        loops: list[Edge] = []
        k = 0
        for u, unit, ways, _ in rows:
            for source, own in ways.items():
                if source[0] >= b or k in chosen:
                    weights, inputs = [unit.weights[i] for i in own], [unit.inputs[i] for i in own]
                    (loops if source[0] >= b else edges).append(Edge(source, (b, u), weights, inputs))
                k += 1
        return sorted(edges, key=self.size), loops  # the largest are drawn last

    def ways(self, inputs: list[int]) -> dict[Spot, list[int]]:
        """For each unit that is shown and that some of the inputs are of, which ones."""
        ways: dict[Spot, list[int]] = {}
        is_drawn = [{*range(len(block.units))} if box.style == "image" else {*box.units}
                    for block, box in zip(self.blocks, self.boxes, strict=True)]  # fmt: skip
        for i, v in enumerate(inputs):
            place = self.network.places.get(v)
            if place and place[1] in is_drawn[place[0]]:
                ways.setdefault(place[:2], []).append(i)
        return ways

    def strengths(self, unit: Unit, ways: dict[Spot, list[int]]) -> Array:
        """Of each way √Σ (w x)², or √Σ w² without inputs; inf if that is no number, so that it is seen."""
        table = self.numbers.table
        terms = table[unit.weights]
        which = [*chain.from_iterable(ways.values())]
        of = numpy.repeat(numpy.arange(len(ways)), [len(own) for own in ways.values()])
        with numpy.errstate(over="ignore", invalid="ignore"):
            if self.network.recorded.is_example:
                terms = terms * table[unit.inputs]
            sums = numpy.bincount(of, numpy.square(terms[which]), len(ways))
        return numpy.where(numpy.isnan(sums), math.inf, numpy.sqrt(sums))

    def size(self, edge: Edge) -> float:
        """The size of its weight, or of all of them, √Σ w²; inf for nan."""
        size = math.hypot(*self.numbers.all(edge.weights))
        return math.inf if math.isnan(size) else size

    def counts(self, b: int) -> tuple[int, int]:
        """How many weights lead into a block, and how many of these are drawn."""
        drawn = sum(len(edge.weights) for edge in chain(self.edges[b], self.loops[b]))
        return sum(len(unit.weights) for unit in self.blocks[b].units), drawn

    # ---- Words

    def titles(self, b: int, block: Block) -> Iterator[str]:
        yield shown(self.names[b], 40)
        if block.kind == "inputs":
            yield size_in_words(block, "input")
        elif block.kind == "neurons":
            functions = Counter(unit.activation or "linear" for unit in block.units).most_common(3)
            names = [f"{name} of {n}" if n < len(block.units) else name for name, n in functions]
            yield f"{size_in_words(block, 'neuron')}, {', '.join(names)}"
        else:
            symbols = [f"{n:,} {OPERATIONS[name].symbol}" for name, n in block.operations.most_common(4)]
            yield ", ".join(symbols) + ", …" * (len(block.operations) > 4)

    def captions(self, b: int, block: Block) -> Iterator[str]:
        if block.parameters:
            yield counted(len(block.parameters), "parameter")
        total, drawn = self.counts(b)
        if 0 < drawn < total:
            why = "the strongest" if len(self.edges[b]) == MOST_EDGES else "those of what is shown"
            yield f"{drawn:,} of {counted(total, 'weight')} drawn, {why}"
        elif total:
            yield counted(total, "weight") + ", none drawn" * (not drawn)
        kernels = max(len(self.kernels(unit)) for unit in block.units) if self.boxes[b].style == "map" else 0
        if kernels > MOST_KERNELS:
            yield f"kernels of {MOST_KERNELS} of the {kernels} maps"
        biases = len({bias for unit in block.units for bias in unit.biases if bias >= 0})
        if biases:
            yield counted(biases, "bias")

    # ---- Places

    def placed(self) -> tuple[float, float]:
        """Places all boxes. Returns the width of the picture, and where the columns end."""
        columns = self.seen_columns()
        boxes = [box for b, box in enumerate(self.boxes) if self.is_seen(b)]
        widths = [max(box.width for box in boxes if box.column == c) if c >= 0 else FOLD for c in columns]
        labels = self.label_width(self.boxes[0])
        room = (WIDTH - 2 * MARGIN - labels - sum(widths)) / max(len(columns) - 1, 1)
        self.gap = min(max(room, GAPS[0]), GAPS[1])
        for box in boxes:  # a line has half of the gap on each side
            break_lines(box, widths[columns.index(box.column)] + self.gap - 10)
        heights = [sum(box.full_height for box in boxes if box.column == c) for c in columns]
        left, end, spare = self.ends(boxes, widths, labels)
        for c, width, height in zip(columns, widths, heights, strict=True):
            y = MARGIN + HEAD + (max(heights) - height) / 2
            if c < 0:
                self.fold = left + width / 2
            for b, box in enumerate(self.boxes):
                if box.column == c:
                    box.left, box.top = left + (width - box.width) / 2, y + 13.0 * len(box.title) + 4
                    self.place_units(b)
                    y += box.full_height
            left += width + self.gap
        return end + spare, MARGIN + HEAD + max(heights)

    def ends(self, boxes: list[Box], widths: list[float], labels: float) -> tuple[float, float, float]:
        """Where the first column begins and the last one ends, with room for their words; and the room beyond."""
        words = [
            max(wide(line, LINE) for box in boxes if box.column == column for line in (*box.title, *box.caption)) / 2
            for column in (boxes[0].column, boxes[-1].column)
        ]
        left = MARGIN + max(labels, words[0] - widths[0] / 2)
        across = sum(widths) + self.gap * (len(widths) - 1)
        end = left + across + max(0.0, words[1] - widths[-1] / 2) + MARGIN
        spare = max(0.0, 420.0 - end) / 2
        return left + spare, end + spare, spare

    def seen_columns(self) -> list[int]:
        """The columns from left to right; -1 stands for all that are folded."""
        columns = [c for c in range(1 + max(box.column for box in self.boxes)) if c not in self.hidden]
        return [*columns[: self.hidden.start], -1, *columns[self.hidden.start :]] if self.hidden else columns

    def place_units(self, b: int) -> None:
        box = self.boxes[b]
        y = box.top + box.extra + box.pitch / 2 + (PAD if self.blocks[b].kind == "operations" else 0.0)
        for k, u in enumerate(box.units):
            if k and u > box.units[k - 1] + 1:
                box.fold = y
                y += box.pitch
            box.middles[u] = y
            y += box.pitch

    def label_width(self, box: Box) -> float:
        return max((wide(self.label(u), SMALL) for u in box.units), default=0) + 4

    def label(self, u: int) -> str:
        """What stands beside an input."""
        return shown(self.blocks[0].units[u].name, 14)

    def entry(self, spot: Spot) -> Point:
        """Where edges arrive at a unit."""
        box = self.boxes[spot[0]]
        return box.inner, box.middles[spot[1]]

    def exit(self, spot: Spot) -> Point:
        """Where edges leave a unit; that of an image leave its row."""
        block, box = self.blocks[spot[0]], self.boxes[spot[0]]
        if box.style == "image":
            height, width = block.shape or (1, 1)
            return box.right, box.top + (spot[1] // width + 0.5) * PICTURE / height
        return box.inner + sum(box.widths), box.middles[spot[1]]


# ---- Blocks


def name_of(block: Block) -> str:
    """Where it stands in the model, `layers[0]`, or else what it is."""
    path = ".".join(naming.place(block.path))
    if block.kind == "neurons":
        return path or block.part or "neurons"
    if block.kind == "inputs":
        return "inputs"
    part = f"{path}, {block.part}" if path else block.part
    return "attention" if block.attention else part or "operations"


def style_of(block: Block) -> str:
    if block.is_image:
        return "image"
    if block.shape:
        return "map"
    return "strip" if any(len(unit.uses) > 1 for unit in block.units) else "circle"


def attention_sides(block: Block) -> tuple[float, int]:
    """How large the matrix of a head is drawn, and how many stand side by side."""
    return (52.0, 1) if len(block.attention) == 1 else (38.0, 2)


def size_in_words(block: Block, noun: str) -> str:
    count = len(block.units)
    if block.shape:
        size = "{} × {}".format(*block.shape)
        return f"{count} = {size}" if block.is_image else f"{counted(count, 'map')} of {size}"
    places = max((len(unit.uses) for unit in block.units), default=1)
    return counted(count, noun) + (f" at {places} places" if places > 1 else "")


def too_many(widths: list[float], room: float) -> range:
    """The columns in the middle that are folded, so that the others have room; but not if there are only a few."""
    hidden = range(0)
    for seen in range(len(widths), FEWEST_COLUMNS - 1, -1):
        hidden = range((seen + 1) // 2, len(widths) - seen // 2)
        shown = [width for c, width in enumerate(widths) if c not in hidden] + [FOLD] * bool(hidden)
        if sum(shown) + GAPS[0] * (len(shown) - 1) <= room:
            break
    return hidden


def folded(count: int, limit: int) -> list[int]:
    """Which of the units are shown: all, or the first and the last of more than can be read."""
    if count <= limit:
        return [*range(count)]
    return [*range((limit + 1) // 2), *range(count - limit // 2, count)]


# ---- Lines of text


def break_lines(box: Box, room: float) -> None:
    """Breaks the lines of the title and the caption, so that they have room."""
    name, *others = (wrapped(text, room, LINE) for text in box.title)
    box.names = len(name)
    box.title = [*name, *chain.from_iterable(others)]
    box.caption = [line for text in box.caption for line in wrapped(text, room, SMALL)]


def wrapped(text: str, room: float, size: float) -> list[str]:
    """The text in lines that have room: a long way of names is broken behind a dot, a long word anywhere."""
    most = max(8, int(room / (size * COLUMN)))
    apart = " ".join(word.replace(".", ". ") if len(word) > most else word for word in text.split())
    return [line.replace(". ", ".") for line in textwrap.wrap(apart, most)] or [""]
