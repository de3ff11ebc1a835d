"""Draws the printable table: every operation with its formula and its derivatives, on one page of A4, as SVG and PDF.

    python docs/printable.py FOLDER

The formulas are those of the table, and of the derivatives that its rules give.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from autograd.explaining import in_latex
from autograd.formulas import derivatives
from autograd.operations import ROWS, TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from matplotlib.text import Text

    from autograd.operation import Operation


POINTS = 72.0
WIDTH, HEIGHT, MARGIN, GAP = 595.0, 842.0, 32.0, 16.0  # A4, in points; the margin, and the gap between the columns
COLUMN = (WIDTH - 2 * MARGIN - GAP) / 2
FORMULA, DERIVATIVE = 56.0, 142.0  # where they begin in a column
BETWEEN = 8.0  # what is left free in front of them
SIZE, SPACE, LARGEST = 8.0, 4.4, 14.0  # of the text, between lines, and of the title
STYLE = {"mathtext.fontset": "cm", "svg.fonttype": "path", "svg.hashsalt": "table", "font.size": SIZE}

FOOTNOTE = (
    r"$\partial_{x}$ is the partial derivative by x; $[x = y]$ is 1 where x = y, else 0. They hold off the kinks: "
    "there the reference has the conventions."
)


@rc_context(STYLE)
def page() -> Figure:
    """The table in two columns, as long as each other as nearly as they can be."""
    figure = Figure(figsize=(WIDTH / POINTS, HEIGHT / POINTS))
    figure.text(MARGIN / WIDTH, 1 - MARGIN / HEIGHT, "Operations and their derivatives", size=LARGEST, va="top")
    figure.text(MARGIN / WIDTH, MARGIN / HEIGHT, FOOTNOTE, size=SIZE, color="0.3", va="bottom")
    blocks = [block(figure, operation) for operation in ROWS[:TABLE]]
    total = sum(map(height, blocks))
    left, down = MARGIN, HEIGHT - MARGIN - 2 * LARGEST
    filled = 0.0
    for lines in blocks:
        if left == MARGIN and filled >= total / 2:
            left, down = MARGIN + COLUMN + GAP, HEIGHT - MARGIN - 2 * LARGEST
        place(figure, lines, left, down)
        filled += height(lines)
        down -= height(lines)
    if down < MARGIN + 2 * SIZE:
        raise ValueError(
            f"the table is {MARGIN + 2 * SIZE - down:.0f} points too long for one page: make SIZE or SPACE smaller"
        )
    return figure


@dataclass
class Line:
    """Texts beside each other, around the height 0, and how high they are in points, with the space below them."""

    texts: list[Text]
    height: float


def block(figure: Figure, operation: Operation) -> list[Line]:
    """The lines of one operation, not yet in their places: a line for each derivative."""
    lines = []
    for number, (operand, derivative) in enumerate(derivatives(operation).items()):
        by = rf"\partial_{{{in_latex(operand, one_line=True)}}}\, = \," if len(operation.operands) > 1 else ""
        cells = [(DERIVATIVE, f"${by}{displayed(derivative)}$")]
        if number == 0:
            cells += [(0.0, operation.name), (FORMULA, f"${displayed(operation.formula)}$")]
        stacks = [cell(figure, left, text) for left, text in cells]
        lines.append(Line([text for stack in stacks for text in stack], max(map(stacked, stacks)) + SPACE))
    return lines


def displayed(formula: str) -> str:
    """In LaTeX, with fractions as high as in a display, but for those in exponents and in other fractions."""
    latex, depth, parts = in_latex(formula, one_line=True), 0, []
    for character in latex.replace(r"\frac", "\N{FRACTION SLASH}"):
        depth += (character == "{") - (character == "}")
        parts.append(character.replace("\N{FRACTION SLASH}", r"\frac" if depth else r"\dfrac"))
    return "".join(parts)


def cell(figure: Figure, left: float, text: str) -> list[Text]:
    """The lines of a text: a sum for which its column lacks the room has two, and what is still too wide is smaller."""
    room = {0.0: FORMULA - BETWEEN, FORMULA: DERIVATIVE - BETWEEN, DERIVATIVE: COLUMN}[left] - left
    lines = [written(figure, left, text)]
    if size_of(lines[0])[0] > room:
        lines[0].remove()
        lines = [written(figure, left, part) for part in on_two_lines(text)]
    for line in lines:
        line.set_fontsize(SIZE * min(1.0, room / size_of(line)[0]))
    return lines


def written(figure: Figure, left: float, text: str) -> Text:
    """A text of the figure; its place across is kept in points."""
    return figure.text(left, 0.0, text, family="sans-serif", math_fontfamily="cm", va="center", ha="left")


def on_two_lines(latex: str) -> list[str]:
    """Of a sum, what is added last stands below the rest; all else stays on one line."""
    depths = accumulate((character in "{(") - (character in "})") for character in latex)
    sums = [i for i, depth in enumerate(depths) if latex[i] == "+" and depth == 0]
    return [f"{latex[: sums[-1]]}$", "${}" + latex[sums[-1] :]] if sums else [latex]  # by {} the + keeps its distance


def stacked(lines: list[Text]) -> float:
    """Puts lines below each other, around the height 0, and gives their height in all."""
    heights = [size_of(line)[1] for line in lines]
    total = sum(heights) + (len(lines) - 1) * SPACE / 2
    down = total / 2
    for line, height in zip(lines, heights, strict=True):
        line.set_y(down - height / 2)
        down -= height + SPACE / 2
    return total


def size_of(text: Text) -> tuple[float, float]:
    """Its width and height in points."""
    box = text.get_window_extent()
    assert text.figure is not None
    return box.width / text.figure.dpi * POINTS, box.height / text.figure.dpi * POINTS


def height(lines: list[Line]) -> float:
    return sum(line.height for line in lines)


def place(figure: Figure, lines: list[Line], left: float, down: float) -> None:
    """Puts the lines below each other, with a thin rule above the first."""
    rule = [left / WIDTH, (left + COLUMN) / WIDTH], [down / HEIGHT] * 2
    figure.add_artist(Line2D(*rule, color="0.8", linewidth=0.4))
    for line in lines:
        middle = down - line.height / 2
        for text in line.texts:
            x, y = text.get_position()
            text.set_position(((left + x) / WIDTH, (middle + y) / HEIGHT))
        down -= line.height


@rc_context(STYLE)
def write(folder: Path) -> None:
    """operations.svg and operations.pdf. The same table gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    figure = page()
    figure.savefig(folder / "operations.svg", metadata={"Date": None})
    figure.savefig(folder / "operations.pdf", metadata={"CreationDate": None})


if __name__ == "__main__":
    write(Path(sys.argv[1]))
