"""Comparison holds the numbers of an experiment beside those of its original, with the band that they must be in.

A repetition is honest if the seeds and the bands are fixed before it runs, and if all seeds are shown.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from reprlib import repr as shortened
from statistics import median

from autograd import structures
from autograd.displays import Table
from autograd.wording import printable
from nn.arguments import finite, real_array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

MIME = "application/vnd.scalar-autograd.comparison+json"  # of the rows, for programs that read a stored notebook


@dataclass
class Row:
    """What was measured; what the original reports; our numbers, one a run; and where their median must lie."""

    what: str
    theirs: str
    ours: list[float]
    low: float
    high: float
    format: str = "g"
    over: str = "seeds"

    @property
    def median(self) -> float:
        return median(self.ours)

    @property
    def holds(self) -> bool:
        return self.low <= self.median <= self.high

    def texts(self) -> tuple[str, str, str, str]:
        """The cells of the table: what, theirs, ours, and the band."""
        ours = self.written(self.median)
        if len(self.ours) > 1:
            ours += f" ({self.written(min(self.ours))} to {self.written(max(self.ours))}, {len(self.ours)} {self.over})"
        return self.what, self.theirs, ours, self.band()

    def band(self) -> str:
        if math.inf in (self.high, -self.low):
            ends = [f"≥ {self.written(self.low)}", f"≤ {self.written(self.high)}"]
            return " ".join(end for end, bound in zip(ends, (self.low, self.high), strict=True) if math.isfinite(bound))
        return f"{self.written(self.low)} to {self.written(self.high)}"

    def written(self, number: float) -> str:
        return format(number, self.format)


class Comparison:
    """A table: what was measured, theirs, ours over the seeds, and the band that our median must be in.

    Arguments:
        original: what the original is called, such as its authors and year.
        over: what there is a number of ours for, in the plural, such as "draws".

    In a notebook it shows itself as a table. `rows` has the numbers, and `missed` those rows whose median is outside.
    Raises TypeError for what is no text.

    >>> table = Comparison("Rumelhart et al. 1986")
    >>> table.add("XOR, sweeps until learned", "558", [208, 542, 272], band=(100, 1000))
    >>> print(table)
    what                       Rumelhart et al. 1986  here                       must be
    XOR, sweeps until learned  558                    272 (208 to 542, 3 seeds)  100 to 1000
    >>> table.missed
    []
    """

    def __init__(self, original: str, over: str = "seeds") -> None:
        self.original = checked_text("Comparison: original", original)
        self.over = checked_text("Comparison: over", over)
        self.rows: list[Row] = []

    def add(
        self,
        what: str,
        theirs: str,
        ours: float | Iterable[float],
        *,
        band: tuple[float, float] = (-math.inf, math.inf),
        format: str = "g",
    ) -> None:
        """Adds a row.

        Arguments:
            what: was measured, with its unit.
            theirs: what the original reports, in words where it has no number.
            ours: a number, or one for each seed, or what else `over` says.
            band: (low, high), where the median of ours must lie; either may be infinite.
            format: how a number is written, as Python's `format` takes it.

        Raises ValueError if there is no number, for what is no finite number, unless low <= high, and for a format that
        floats have not; TypeError for what is no text, and for a band that is none. Nothing is added then.
        """
        what = checked_text("Comparison: what", what)
        theirs = checked_text(f"Comparison: {what}: theirs", theirs)
        format = checked_text(f"Comparison: {what}: format", format)
        given: Sequence[Any] | None = structures.sequence(ours)
        numbers = [finite(f"Comparison: {what}", number) for number in ([ours] if given is None else given)]
        if not numbers:
            raise ValueError(f"Comparison: {what}: expected a number, or one for each seed, got none")
        low, high = real_array(f"Comparison: {what}: band (low, high)", band, (2,), finite=False).tolist()
        if not low <= high:
            raise ValueError(f"Comparison: {what}: expected a band (low, high), got ({low}, {high})")
        row = Row(what, theirs, numbers, low, high, format, self.over)
        try:
            row.texts()
        except ValueError:
            raise ValueError(
                f"Comparison: {what}: format: expected one that floats have, such as '.2f', got {shortened(format)}"
            ) from None
        self.rows.append(row)

    @property
    def missed(self) -> list[Row]:
        """The rows whose median is not in its band."""
        return [row for row in self.rows if not row.holds]

    def cells(self) -> list[tuple[str, ...]]:
        return [("what", self.original, "here", "must be"), *(row.texts() for row in self.rows)]

    def __str__(self) -> str:
        head, *rows = self.cells()
        return Table(self.original, head, rows).text

    __repr__ = __str__

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """For notebooks: the table as text and as Markdown, and the numbers for programs."""
        head, *rows = [f"| {' | '.join(map(markdown_cell, row))} |" for row in self.cells()]
        rows_of_numbers = [
            {
                "what": row.what,
                "theirs": row.theirs,
                "ours": row.ours,
                "band": [end if math.isfinite(end) else None for end in (row.low, row.high)],
                "texts": row.texts(),
            }
            for row in self.rows
        ]
        return {
            "text/plain": str(self),
            "text/markdown": "\n".join([head, "|---|---|---|---|", *rows]),
            MIME: {"original": self.original, "rows": rows_of_numbers},
        }


def checked_text(name: str, given: str) -> str:
    if not isinstance(given, str):
        raise TypeError(f"{name}: expected a text, got {shortened(given)}")
    return given


def markdown_cell(text: str) -> str:
    r"""A text as a cell of a table in Markdown, which ends at no | and at no end of a line in it.

    >>> print(markdown_cell("P(a|b)"), markdown_cell("a\nb"))
    P(a\|b) a\nb
    """
    return re.sub(r"(\\*)\|", r"\1\1\\|", printable(text))
