"""The picture of a network at a glance: blocks from left to right, neurons as circles, weights as edges.

`models.py` runs the model, `blocks.py` finds what it consists of, `evaluation.py` has the numbers, `arrangement.py`
gives everything its place. Here it is drawn, in the colours of a theme: blue is positive and orange negative, whether
it is an edge's weight, a circle's activation or a square of an image.
"""

from __future__ import annotations

import math
from functools import cache, partial
from itertools import chain
from typing import TYPE_CHECKING

from autograd.drawing import insets
from autograd.drawing.arrangement import (
    BLOCKS,
    HEAD,
    INSET,
    KERNEL,
    LINE,
    MARGIN,
    PAD,
    PICTURE,
    RADIUS,
    SMALL,
    STRIP,
    Arrangement,
    attention_sides,
    wrapped,
)
from autograd.drawing.blocks import network_of
from autograd.drawing.diagram import HOVER_CHARACTERS
from autograd.drawing.evaluation import PLANE, Evaluation, compact, in_lines, listed
from autograd.drawing.pen import Group, Picture, Shape, Text
from autograd.drawing.sizes import wide
from autograd.drawing.themes import mixed
from autograd.wording import counted, indexed, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from autograd.drawing.arrangement import Box, Edge
    from autograd.drawing.blocks import Block, Unit
    from autograd.drawing.pen import Piece, Point
    from autograd.drawing.themes import Theme

MOST_LABELS = 12  # weights into a block that are written beside their edges
LEAST_GAP = 80.0  # between columns, where they are
BEND = 0.45  # how far an edge goes straight on from its ends, as a share of its width


class Seen:
    """A model that has been run once, and its picture in the colours of any theme.

    Arguments:
        model: what can be called and has `named_parameters()` (or `parameters()`), such as an `nn.Module`.
        inputs: what the model is called with: numbers or Values, nested as it takes them. Without them, its first
            weights tell how many there are.
        opened: the names of what is not to be folded: those of blocks, and "blocks" in the middle of a deep network.

    Raises TypeError or ValueError for a model without parameters, if the weights do not tell what it takes, if what it
    returns does not depend on its parameters and inputs, and if nothing to open has such a name; and what the model
    raises.

    >>> from nn import MLP
    >>> from autograd.drawing.themes import THEMES
    >>> seen = Seen(MLP(2, [16, 16, 1]))
    >>> seen.title, len(seen.blocks)
    ('MLP, 337 parameters', 4)
    >>> seen.paint(THEMES["light"]).description.split(". ")[1]
    'layers[0] 16 neurons, relu: 32 weights 16 biases'
    """

    def __init__(self, model: Any, inputs: Any = None, opened: Sequence[str] = ()) -> None:
        network = network_of(model, inputs)
        numbers = Evaluation(network)
        self.blocks = network.blocks
        self.title = f"{shown(network.model, 60)}, {counted(len(network.parameters), 'parameter')}"
        self.opened = frozenset(opened)
        self.arrangement = cache(lambda opened: Arrangement(numbers, opened))
        known = self.arrangement(frozenset()).folded
        if unknown := sorted(self.opened - known.keys()):
            there = f"what is folded is called {', '.join(map(repr, known))}" if known else "nothing is folded"
            raise ValueError(f"draw: nothing to open is called {unknown[0]!r}; {there}")

    def paint(self, theme: Theme, opened: frozenset[str] = frozenset()) -> Picture:
        """The picture, in which what is opened is not folded."""
        return Painter(self.arrangement(self.opened | opened), theme, self.title).picture()

    def folded(self) -> Iterator[tuple[str, Callable[[Theme], Picture]]]:
        """The name of each part that is folded, and the picture where it is not."""
        for name in self.arrangement(self.opened).folded:
            yield name, partial(self.paint, opened=frozenset([name]))


class Painter:
    """Draws an arrangement in the colours of a theme."""

    def __init__(self, arrangement: Arrangement, theme: Theme, title: str) -> None:
        self.arrangement, self.theme, self.title = arrangement, theme, title
        self.numbers, self.network = arrangement.numbers, arrangement.network
        self.blocks, self.boxes = arrangement.blocks, arrangement.boxes
        self.has_numbers = self.network.recorded.is_example
        self.seen = [b for b in range(len(self.blocks)) if arrangement.is_seen(b)]

    def picture(self) -> Picture:
        lanes, floor = self.lanes()
        pieces = [
            *self.bands(),
            *chain.from_iterable(map(self.edges, self.seen)),
            *lanes,
            *chain.from_iterable(map(self.block, self.seen)),
            *self.fold(),
            *self.heading(),
            *self.legend(floor + 10),
        ]
        height = floor + 14.0 * len(self.legend_lines()) + MARGIN
        width, background = self.arrangement.width, self.theme.background
        return Picture(width, height, background, tuple(pieces), self.title, self.description())

    # ---- Text

    def text(
        self, at: Point, text: str, size: float = SMALL, *, align: str = "center", muted: bool = False,
        bold: bool = False, colour: str = "",
    ) -> Text:  # fmt: skip
        return Text(at, align, text, size, bold, colour or (self.theme.muted if muted else self.theme.ink))

    def on_background(self, text: Text) -> Iterator[Piece]:
        """A text in the middle of its place, which covers the edges behind it."""
        (x, y), half = text.at, wide(text.text, text.size) / 2 + 2
        yield Shape("box", ((x - half, y - text.size), (x + half, y + 3)), fill=self.theme.background)
        yield text

    def heading(self) -> Iterator[Piece]:
        unused = self.network.unused
        words = self.title + (f"; {unused:,} more are not needed here" if unused else "")
        yield self.text((MARGIN, MARGIN + 8), words, 11.0, align="left", bold=True)

    def description(self) -> str:
        """The picture in sentences, for who cannot see it."""
        sentences = []
        for box in self.boxes:
            words = f"{box.name} {' '.join(box.title[box.names :])}"
            sentences.append(f"{words}: {' '.join(box.caption)}." if box.caption else f"{words}.")
        return shown(" ".join(sentences), 4 * HOVER_CHARACTERS)

    # ---- Edges

    def edges(self, b: int) -> Iterator[Piece]:
        edges = self.arrangement.edges[b]
        scale = insets.scale_of(map(self.arrangement.size, edges))
        widest = self.theme.widest * min(1.0, 6.0 / math.sqrt(max(len(edges), 1)))  # of very many, all are thin
        for edge in edges:
            yield Group((self.stroke(edge, scale, widest),), self.edge_in_full(edge), edge.name)
        is_sparse = len(edges) <= MOST_LABELS and self.arrangement.gap >= LEAST_GAP
        if is_sparse and all(len(edge.weights) == 1 for edge in edges):
            taken: list[Point] = []
            for edge in edges:
                yield from self.label(edge, taken)

    def stroke(self, edge: Edge, scale: float, widest: float) -> Shape:
        """The curve of an edge; its colour is the sign of its weight, or of the sum of its weights."""
        theme, numbers = self.theme, self.numbers.all(edge.weights)
        (x0, y0), (x1, y1) = self.arrangement.exit(edge.source), self.arrangement.entry(edge.target)
        bend = BEND * (x1 - x0)
        points = ((x0, y0), (x0 + bend, y0), (x1 - bend, y1), (x1, y1))
        if any(map(math.isnan, numbers)):
            return Shape("curve", points, theme.ink, "", theme.widest)
        share = insets.share_of(self.arrangement.size(edge), scale)
        colour = mixed(theme.flow.of(sum(numbers)), theme.background, 0.3 + 0.7 * shade(math.sqrt(share)))
        return Shape("curve", points, colour, "", 0.4 + (widest - 0.4) * share)

    def label(self, edge: Edge, taken: list[Point]) -> Iterator[Piece]:
        """The weight on its edge, where there is room for it."""
        number = self.numbers.of(edge.weights[0])
        words = compact(number)
        room = wide(words, 8.0) + 7
        start, end = self.arrangement.exit(edge.source), self.arrangement.entry(edge.target)
        for t in (0.5, 0.38, 0.62, 0.28, 0.72, 0.2, 0.8):
            x, y = on_curve(start, end, t)
            if all(abs(x - a) > room or abs(y - c) > 11 for a, c in taken):
                taken.append((x, y))
                yield from self.on_background(self.text((x, y + 3), words, 8.0, colour=self.theme.gradient.of(number)))
                return

    def edge_in_full(self, edge: Edge) -> str:
        numbers = self.numbers
        if len(edge.weights) > 1:
            first = numbers.name(edge.weights[0])
            return in_lines(f"{counted(len(edge.weights), 'weight')}, {first} first", listed(numbers.all(edge.weights)))
        [weight], [v] = edge.weights, edge.inputs
        w = numbers.of(weight)
        lines = [f"{numbers.name(weight)} = {w!r}"]
        if self.has_numbers and len(self.blocks[edge.source[0]].units[edge.source[1]].uses) == 1:
            x = numbers.of(v)
            lines.append(f"× {x!r} = {w * x!r}")
        if (gradient := numbers.gradient(weight)) is not None:
            lines.append(f"gradient {gradient!r}")
        if numbers.uses[weight] > 1:
            lines.append(f"shared by {numbers.uses[weight]} neurons")
        return in_lines(*lines)

    # ---- What leads from block to block without weights, and back in time

    def bands(self) -> Iterator[Piece]:
        """What a block uses of one in the column before."""
        colour = mixed(self.theme.line, self.theme.background, 0.45)
        for s, b in self.links():
            if s < b and self.boxes[b].column - self.boxes[s].column == 1:
                (x0, y0), (x1, y1) = self.boxes[s].centre, self.boxes[b].centre
                x0, x1 = self.boxes[s].right + 2, self.boxes[b].left - 7
                bend = BEND * (x1 - x0)
                yield Shape("curve", ((x0, y0), (x0 + bend, y0), (x1 - bend, y1), (x1, y1)), colour, "", 3.0)
                yield arrow((x1 + 6, y1), colour)

    def links(self) -> list[tuple[int, int]]:
        return [(s, b) for b in self.seen for s in sorted(self.blocks[b].reads) if self.arrangement.is_seen(s)]

    def lanes(self) -> tuple[list[Piece], float]:
        """What goes past other blocks, and what goes back, below all blocks; and where the lanes end."""
        links = [(s, b) for s, b in self.links() if s >= b or self.boxes[b].column - self.boxes[s].column > 1]
        loops = [(s, b) for b in self.seen for s in sorted({edge.source[0] for edge in self.arrangement.loops[b]})]
        pieces: list[Piece] = []
        y = self.arrangement.height
        for k, (s, b) in enumerate(links):
            y += 14
            pieces += self.lane(s, b, y, k)
        for k, (s, b) in enumerate(loops, len(links)):
            y += 64
            pieces += self.lane(s, b, y, k)
            pieces += self.loop_weights(s, b, y)
            y += 10
        return pieces, y + 12

    def lane(self, s: int, b: int, y: float, k: int) -> Iterator[Piece]:
        source, target = self.boxes[s], self.boxes[b]
        colour = mixed(self.theme.line, self.theme.background, 0.7)
        aside = 3 * (k % 4)  # so that lanes do not run in each other
        x0, x1 = source.right + 9 + aside, target.left - 12 - aside
        y0, y1 = source.bottom - 7, target.bottom - 7
        points = ((source.right + 2, y0), (x0, y0), (x0, y), (x1, y), (x1, y1), (target.left - 7, y1))
        yield Shape("line", points, colour, "", 1.4)
        yield arrow((target.left - 1, y1), colour)

    def loop_weights(self, s: int, b: int, y: float) -> Iterator[Piece]:
        """The weights from one block back to another: a row for each unit, a column for each that it comes from."""
        edges = {(e.target[1], e.source[1]): e.weights for e in self.arrangement.loops[b] if e.source[0] == s}
        rows, columns = sorted({u for u, _ in edges}), sorted({u for _, u in edges})
        of_rows = [[self.numbers.all(edges.get((row, column), [])) for column in columns] for row in rows]
        cell = 48.0 / max(len(rows), len(columns), 5)
        across, down = cell * len(columns), cell * len(rows)
        middle = (self.boxes[s].right + self.boxes[b].left) / 2
        title = in_lines(
            "weights from the step before, a row for each neuron",
            *[f"{indexed(self.blocks[b].units[u].name)}: {listed([*chain.from_iterable(row)])}"
              for u, row in zip(rows, of_rows, strict=True)],
        )  # fmt: skip
        sums = [sum(numbers) for row in of_rows for numbers in row]
        at = middle - across / 2, y - 5 - down
        yield insets.image(sums, len(columns), at, across, down, self.theme, title=title)
        weights = sum(map(len, edges.values()))
        yield self.text((middle, y + 11), f"from the step before, {counted(weights, 'weight')}", muted=True)

    # ---- Blocks

    def block(self, b: int) -> Iterator[Piece]:
        block, box = self.blocks[b], self.boxes[b]
        x, _ = box.centre
        for k, line in enumerate(box.title):
            y = box.top - 6 - 12.0 * (len(box.title) - 1 - k)
            yield from self.on_background(self.text((x, y), line, LINE, bold=k < box.names, muted=k >= box.names))
        for k, line in enumerate(box.caption):
            yield from self.on_background(self.text((x, box.bottom + 12 + 11.0 * k), line, muted=True))
        if block.kind == "operations":
            corners = ((box.left, box.top), (box.right, box.bottom))
            frame = Shape("box", corners, self.theme.line, self.theme.operation, radius=6.0)
            yield Group((frame,), self.operations_in_full(block, box), f"b{b}")
            yield from self.attention(block, box)
        if box.style == "image":
            yield from self.image(block, box)
            return
        scale = insets.scale_of(x for unit in block.units for x in self.numbers.activations(unit))
        for u in box.units:
            yield Group((*self.unit(b, u, scale),), self.unit_in_full(block, u), f"u{b}.{u}")
        if box.fold is not None:
            more = f"{len(block.units) - len(box.units):,} more"
            words = self.text((box.inner + sum(box.widths) / 2, box.fold + 3), f"… {more}", LINE, muted=True)
            yield Group((*self.on_background(words),), in_lines(f"{more} in {box.name}"), box.name)

    def fold(self) -> Iterator[Piece]:
        """What stands in the place of the columns that are folded."""
        hidden = [block for b, block in enumerate(self.blocks) if not self.arrangement.is_seen(b)]
        if hidden:
            used = {v for block in hidden for unit in block.units for v in (*unit.weights, *unit.biases) if v >= 0}
            used |= {v for block in hidden for v in block.parameters}
            lines = ["…", counted(len(hidden), "more block"), counted(len(used), "parameter")]
            x, y = self.arrangement.fold, (self.arrangement.height + MARGIN + HEAD) / 2 - 6
            texts = [self.text((x, y + 12 * k), line, LINE, muted=True) for k, line in enumerate(lines)]
            yield Group((*chain.from_iterable(map(self.on_background, texts)),), in_lines(*lines[1:]), BLOCKS)

    def image(self, block: Block, box: Box) -> Iterator[Piece]:
        """All inputs together, where they are an image."""
        at, columns = (box.left, box.top), (block.shape or (1, 1))[1]
        if self.has_numbers:
            numbers = [x for unit in block.units for x in self.numbers.activations(unit)]
            title = in_lines("inputs, row by row", listed(numbers))
            yield insets.image(numbers, columns, at, PICTURE, PICTURE, self.theme, title=title)
        else:
            yield Shape("box", (at, (box.right, box.bottom)), self.theme.line, self.theme.leaf, 0.6)

    def attention(self, block: Block, box: Box) -> Iterator[Piece]:
        """A matrix for each head: in the row of a place the weights of the places that it sees."""
        side, across = attention_sides(block)
        left = box.centre[0] - (across * (side + 4) - 4) / 2
        for head, rows in enumerate(block.attention):
            at = left + (head % across) * (side + 4), box.top + PAD + (head // across) * (side + 4)
            if not self.has_numbers:
                yield Shape("box", (at, (at[0] + side, at[1] + side)), self.theme.line, self.theme.background)
                continue
            size = 1 + max(place for row in rows for place in row)
            numbers = [self.numbers.of(row[place]) if place in row else 0.0 for row in rows for place in range(size)]
            lines = [f"place {t}: {listed(self.numbers.all([*row.values()]))}" for t, row in enumerate(rows)]
            title = in_lines(f"head {head}, the weights of the places that each place sees", *lines)
            yield insets.image(numbers, size, at, side, side, self.theme, scale=1.0, title=title)

    # ---- Units

    def unit(self, b: int, u: int, scale: float) -> Iterator[Piece]:
        block, box, theme = self.blocks[b], self.boxes[b], self.theme
        unit, y, (kernels, own, _) = block.units[u], box.middles[u], box.widths
        if block.kind == "inputs":
            yield self.text((box.inner - 5, y + 3), self.arrangement.label(u), align="right", muted=True)
        if box.style == "circle":
            yield from self.circle(unit, (box.inner + RADIUS, y), scale, block.kind == "inputs")
            yield from self.inset(unit, (box.inner + 2 * RADIUS + 4, y - INSET / 2))
            return
        shown_kernels = [*self.arrangement.kernels(unit).values()][: round(kernels / (KERNEL + 3))]
        for k, weights in enumerate(map(self.numbers.all, shown_kernels)):
            at = box.inner + k * (KERNEL + 3), y - KERNEL / 2
            columns, title = insets.side_of(len(weights)), in_lines(f"kernel {k}, row by row", listed(weights))
            yield insets.image(weights, columns, at, KERNEL, KERNEL, theme, title=title)
        height = own if box.style == "map" else STRIP
        at = box.inner + kernels, y - height / 2
        if self.has_numbers:
            activations = self.numbers.activations(unit)
            columns = block.shape[1] if block.shape else len(activations)
            yield insets.image(activations, columns, at, own, height, theme, scale=scale)
        else:
            yield Shape("box", (at, (at[0] + own, at[1] + height)), theme.line, theme.computed, radius=2.0)

    def circle(self, unit: Unit, at: Point, scale: float, is_input: bool) -> Iterator[Piece]:
        """A neuron: in it its activation and below that δ; without inputs its bias."""
        theme, (x, y) = self.theme, at
        fill = theme.leaf if is_input else theme.computed
        numbers: list[float] = []
        if self.has_numbers:
            numbers = [*self.numbers.activations(unit), *(self.numbers.delta(unit) or [])]
            share = insets.share_of(numbers[0], scale)
            fill = mixed(theme.flow.of(share), theme.background, 0.4 * shade(abs(share))) if share == share else fill
        elif len(unit.biases) == 1:
            numbers = [self.numbers.of(unit.biases[0])]
        yield Shape("ellipse", (at, (RADIUS, RADIUS)), theme.line, fill, theme.outline)
        for k, number in enumerate(numbers):
            words = compact(number)
            size = min(SMALL, SMALL * 2 * (RADIUS - 2) / wide(words, SMALL))
            colour = theme.ink if self.has_numbers else theme.muted
            yield self.text((x, y + 3 + 9 * k - 4.5 * (len(numbers) - 1)), words, size, colour=colour)

    def inset(self, unit: Unit, at: Point) -> Iterator[Piece]:
        """The square beside a neuron: what it says over the plane, or the weights of an image."""
        kind = self.arrangement.inset(unit)
        if kind == "weights":
            weights, columns = self.numbers.all(unit.weights), (self.blocks[0].shape or (1, 1))[1]
            title = in_lines("its weights, as the inputs lie", listed(weights))
            yield insets.image(weights, columns, at, INSET, INSET, self.theme, title=title)
        if kind == "plane":
            names = " and ".join(given.name for given in self.blocks[0].units)
            reach = compact(self.numbers.reach)
            title = in_lines(f"its activation over {names} from −{reach} to {reach}")
            yield insets.image(self.numbers.plane(unit) or [], PLANE, at, INSET, INSET, self.theme, title=title)
            x, y = (leaf.data / self.numbers.reach for leaf in self.network.recorded.inputs)
            if self.has_numbers and math.isfinite(x) and math.isfinite(y):
                here = at[0] + INSET * (1 + x) / 2, at[1] + INSET * (1 - y) / 2
                yield Shape("ellipse", (here, (1.6, 1.6)), self.theme.background, self.theme.ink, 0.6)

    def unit_in_full(self, block: Block, u: int) -> str:
        unit, numbers = block.units[u], self.numbers
        lines = [(indexed(unit.name) if block.kind == "neurons" else unit.name) or f"result {u}"]
        if self.has_numbers:
            if block.kind == "neurons":
                lines.append(f"net input {listed(numbers.all([net for net, _ in unit.uses]))}")
            name = unit.activation or ("data" if block.kind != "neurons" else "activation")
            lines.append(f"{name} {listed(numbers.activations(unit))}")
        if unit.biases:
            lines.append(f"bias {listed(numbers.all(unit.biases))}")
        if (delta := numbers.delta(unit)) is not None:
            lines.append(f"δ {listed(delta)}, the gradient of its bias, of all backward() since zero_grad()")
        return in_lines(*lines)

    def operations_in_full(self, block: Block, box: Box) -> str:
        """What operations there are, and the parameters that they use."""
        operations = ", ".join(f"{count:,} {name}" for name, count in block.operations.most_common())
        parameters = [f"{self.numbers.name(v)} = {self.numbers.of(v)!r}" for v in sorted(block.parameters)]
        return in_lines(box.name, operations, *parameters)

    # ---- The legend

    def legend_lines(self) -> list[str]:
        parts = ["edges: weights, wider if larger, among those into one block"]
        if any(len(edge.weights) > 1 for edges in self.arrangement.edges for edge in edges):
            parts.append("an edge of several: √Σ w², and their sum's sign")
        units = [unit for block in self.blocks for unit in block.units if unit.weights]
        styles = {box.style for box in self.boxes[1:]}
        if "circle" in styles and self.has_numbers:
            has_deltas = any(self.numbers.delta(unit) for unit in units)
            of_delta = ", below it δ: the bias's gradient, of all backward() since zero_grad()"
            parts.append("circles: activation" + of_delta * has_deltas)
        elif "circle" in styles:
            parts.append("circles: bias")
        if styles & {"map", "strip"}:
            parts.append("images: activations at all places" if self.has_numbers else "images: weights")
        squares = {self.arrangement.inset(unit) for unit in units}
        if "plane" in squares:
            reach = compact(self.numbers.reach)
            parts.append(f"squares: activation over the inputs from −{reach} to {reach}")
        if "weights" in squares:
            parts.append("squares: weights, as the inputs lie")
        return wrapped("; ".join(parts), self.arrangement.width - 2 * MARGIN - 150, SMALL)

    def legend(self, y: float) -> Iterator[Piece]:
        x = MARGIN
        for words, colour in [("positive", self.theme.flow.positive), ("negative", self.theme.flow.negative)]:
            yield Shape("line", ((x, y - 3), (x + 16, y - 3)), colour, "", self.theme.widest)
            yield self.text((x + 20, y), words, align="left", muted=True)
            x += 28 + wide(words, SMALL)
        for k, line in enumerate(self.legend_lines()):
            yield self.text((x + 6, y + 13.0 * k), line, align="left", muted=True)


# ---- Small shapes


def arrow(tip: Point, colour: str) -> Shape:
    """The head of an arrow to the right."""
    x, y = tip
    return Shape("polygon", (tip, (x - 7, y - 3.5), (x - 7, y + 3.5)), "", colour)


def shade(share: float) -> float:
    """One of ten, so that a picture has few colours."""
    return round(10 * share) / 10


def on_curve(start: Point, end: Point, t: float) -> Point:
    """The point at t of the curve that an edge is."""
    (x0, y0), (x3, y3) = start, end
    x1, x2 = x0 + BEND * (x3 - x0), x3 - BEND * (x3 - x0)
    a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
    return a * x0 + b * x1 + c * x2 + d * x3, (a + b) * y0 + (c + d) * y3
