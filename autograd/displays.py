"""Displays are the tables that objects show: as text where they are printed, as HTML in notebooks.

A `Table` is written both ways from the same cells. Its HTML has no colours, ids, classes or scripts: it takes the looks
of the page, light or dark, and the tables of one page don't meet. `in_notebooks` makes the method that notebooks call.
"""

from __future__ import annotations

from autograd.wording import columns, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from typing import Any

    Cell = str | tuple[str, str]  # the text; or the text and the HTML around it, such as "<strong>{}</strong>"

LONGEST = 1000  # characters of a cell
LEFT, RIGHT = ' style="text-align: left"', ' style="text-align: right"'


class Table:
    """Rows of cells below a head.

    Arguments:
        caption: what the table is of, in HTML only: where text is printed, people know what they print.
        head: the names of the columns.
        rows: of each row the cells, of which the first names the row. A row of a single cell is as wide as the table.
        numbers: the columns of numbers, by their names: these stand at the right, words at the left.
        foot: rows below the others, such as their sums.

        left_out: the columns that are not shown, by their names.

    What cannot be printed is written as Python's escapes.

    >>> print(Table("a < b", ["name", "size"], [["a", "9"], ["b", "10"], ["and 3 more"]], numbers=["size"]).text)
    name  size
    a        9
    b       10
    and 3 more
    """

    def __init__(
        self,
        caption: str,
        head: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        *,
        numbers: Collection[str] = (),
        foot: Iterable[Sequence[Cell]] = (),
        left_out: Collection[str] = (),
    ) -> None:
        places = [k for k, name in enumerate(head) if name not in left_out]
        self.caption = caption
        self.head = [head[k] for k in places]
        self.rows, self.foot = (
            [[row[k] for k in places] if len(row) == len(head) else row for row in part] for part in (rows, foot)
        )
        self.are_numbers = [name in numbers for name in self.head]

    @property
    def text(self) -> str:
        """The table as lines of text, the columns aligned."""
        texts = [[text_of(cell) for cell in row] for row in [self.head, *self.rows, *self.foot]]
        whole = [row for row in texts if len(row) == len(self.head)]
        widths = [max(map(columns, column)) for column in zip(*whole, strict=True)]
        lines = [self._line(row, widths) if len(row) == len(self.head) else row[0] for row in texts]
        if self.foot:
            lines.insert(1 + len(self.rows), "─" * (sum(widths) + 2 * (len(widths) - 1)))
        return "\n".join(lines)

    def _line(self, cells: list[str], widths: list[int]) -> str:
        padded = []
        for cell, width, is_number in zip(cells, widths, self.are_numbers, strict=True):
            room = " " * (width - columns(cell))
            padded.append(room + cell if is_number else cell + room)
        return "  ".join(padded).rstrip()

    @property
    def html(self) -> str:
        """The table as an element of HTML, well-formed as XML too."""
        head = "".join([f'<th scope="col"{self._align(k)}>{escaped(name)}</th>' for k, name in enumerate(self.head)])
        rows = {"tbody": self.rows, "tfoot": self.foot}
        parts = [
            f"<{part}>\n{''.join(map(self._row, rows[part]))}</{part}>\n" for part in ("tbody", "tfoot") if rows[part]
        ]
        caption = f"<caption{LEFT}>{escaped(self.caption)}</caption>\n" if self.caption else ""
        return f"<table>\n{caption}<thead><tr>{head}</tr></thead>\n{''.join(parts)}</table>"

    def _row(self, row: Sequence[Cell]) -> str:
        if len(row) < len(self.head):
            return f'<tr><td colspan="{len(self.head)}"{LEFT}>{escaped(row[0])}</td></tr>\n'
        first, *others = [escaped(cell) for cell in row]
        cells = "".join([f"<td{self._align(k)}>{cell}</td>" for k, cell in enumerate(others, 1)])
        return f'<tr><th scope="row"{self._align(0)}>{first}</th>{cells}</tr>\n'

    def _align(self, column: int) -> str:
        return RIGHT if self.are_numbers[column] else LEFT


def text_of(cell: Cell) -> str:
    return shown(cell if isinstance(cell, str) else cell[0], LONGEST)


def escaped(cell: Cell) -> str:
    from html import escape  # here, since the engine's import imports this file

    form = "{}" if isinstance(cell, str) else cell[1]
    return form.format(escape(text_of(cell)))


def ends(row: Callable[[int], Sequence[Cell]], count: int, most: int) -> list[Sequence[Cell]]:
    """The rows row(0), row(1), ...; of more than `most` the first and the last ones, and how many stand between them.

    >>> ends(lambda k: [str(k)], 4, most=2)
    [['0'], ['… and 2 more'], ['3']]
    """
    if count <= most:
        return [row(k) for k in range(count)]
    first, last = range(most - most // 2), range(count - most // 2, count)
    return [*map(row, first), [f"… and {count - most:,} more"], *map(row, last)]


def in_notebooks(table: Callable[[Any], Table]) -> Callable[[Any], str]:
    """The method `_repr_html_` of a class whose objects show as tables in notebooks.

    Notebooks show the repr where a subclass brings one of its own, and where the table fails: what a cell has computed
    is worth more than how it looks. (It could return None there; but marimo then shows nothing.)
    """

    def _repr_html_(self: object) -> str:
        """What notebooks show: a table; or the repr, where a subclass has its own."""
        if has_our_repr(type(self)):
            try:
                return table(self).html
            except Exception:  # whatever it is
                pass
        lines = "\n".join(map(escaped, repr(self).splitlines()))
        return f"<pre>{lines}</pre>"

    return _repr_html_


def has_our_repr(kind: type) -> bool:
    """Whether the package that the table of a class comes from also brought its repr, or nobody did."""
    return package_of(definer(kind, "__repr__")) in ("builtins", package_of(definer(kind, "_repr_html_")))


def definer(kind: type, name: str) -> type:
    """The class that a class has a method from, or `object`.

    >>> definer(bool, "__repr__"), definer(bool, "__add__")
    (<class 'bool'>, <class 'int'>)
    """
    return next((cls for cls in kind.__mro__ if name in vars(cls)), object)


def package_of(cls: type) -> str:
    return cls.__module__.partition(".")[0]
