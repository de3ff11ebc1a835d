"""A Summary says what a model is made of: its layers with their shapes, parameters, and multiply-adds an example.

`summarizing.py` finds it out; here it is written as a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from autograd.displays import Table, in_notebooks
from autograd.wording import counted, indexed, shown, shown_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Shape = tuple[int | str, ...]  # "n" where any number may stand; () of a number by itself

MOST_ROWS = 100  # of the table
MOST_ALIKE = 8  # rows in turn that differ in nothing but their names, before one row stands for all of them
LONGEST_NAME = 60
COLUMNS = ("layer", "kind", "inputs → outputs", "parameters", "multiply-adds")
UNKNOWN = "?"


class Summary:
    """What `Module.summary` returns. `print` shows it as a table, and so do notebooks.

    rows: a Row for each Module within the model, in front of those that this holds, and one for the parameters that it
        holds beside them. A Neuron has none: its layer counts it. A model that has none of these is a row itself.
    total: the Row of the model itself.

    A row counts all that is in its Module, in other rows or not. A parameter that several Modules share is in the row
    of each, and once in that of the model.
    """

    def __init__(self, rows: Sequence[Row], total: Row, notes: Iterable[str] = ()) -> None:
        self.rows = [*rows]
        self.total = total
        self.notes = [*notes]

    @property
    def parameters(self) -> int:
        """How many the model has: as many as `model.parameters()`."""
        return self.total.parameters

    @property
    def multiply_adds(self) -> int | None:
        """How many products the model takes for an example; None if that is unknown."""
        return self.total.multiply_adds

    @property
    def table(self) -> Table:
        lines = folded(self.rows)
        rows: list[Sequence[str]] = [*lines[:MOST_ROWS]]
        if len(lines) > MOST_ROWS:
            rows.append([f"… and {len(lines) - MOST_ROWS:,} more"])
        foot = [self.total.cells, *[[note] for note in self.notes]]
        caption = f"{self.total.kind}: {counted(self.parameters, 'parameter')}"
        return Table(caption, COLUMNS, rows, numbers=COLUMNS[-2:], foot=foot)

    def __repr__(self) -> str:
        return self.table.text

    _repr_html_ = in_notebooks(lambda summary: summary.table)


@dataclass
class Row:
    """A Module: the way to it, what it is, the shapes of its inputs and outputs, how much it has and does.

    The way is a key as `state_dict` has them, `layers.0`; the table has it as people read it, `layers[0]`. A shape is a
    tuple of ints, or of words such as "n" where any number may stand; () is that of a number by itself, and None is
    unknown. `kind` is "" where the row is not of a Module but of parameters.
    """

    name: str
    kind: str
    inputs: Shape | None
    outputs: Shape | None
    parameters: int
    multiply_adds: int | None

    @property
    def is_unknown(self) -> bool:
        return bool(self.kind) and None in (self.inputs, self.outputs, self.multiply_adds)

    @property
    def cells(self) -> list[str]:
        shapes = f"{spelled(self.inputs)} → {spelled(self.outputs)}"
        multiply_adds = UNKNOWN if self.multiply_adds is None else f"{self.multiply_adds:,}"
        found = (shapes, f"{self.parameters:,}", multiply_adds) if self.kind else ("", f"{self.parameters:,}", "")
        return [shown_end(indexed(self.name), LONGEST_NAME), shown(self.kind, LONGEST_NAME), *found]


def spelled(shape: Shape | None) -> str:
    return UNKNOWN if shape is None else " × ".join(map(str, shape)) or "1"


def folded(rows: Sequence[Row]) -> list[list[str]]:
    """The cells of the rows; of many in turn that differ in nothing but their names, one line says what each is."""
    lines = []
    for _, group in groupby(rows, lambda row: (row.name.rpartition(".")[0], *row.cells[1:])):
        alike = [row.cells for row in group]
        if len(alike) > MOST_ALIKE:
            _, kind, shapes, parameters, multiply_adds = alike[0]
            name = f"{alike[0][0]} … {alike[-1][0]}"
            alike = [[name, f"{kind} × {len(alike):,}", shapes, f"{parameters} each", f"{multiply_adds} each"]]
        lines += alike
    return lines
