"""Progress is shown by a bar: on the standard error stream, where there is one, and in notebooks as a widget.

Afterwards `series_table` shows the numbers of all epochs or steps.
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

from autograd.displays import Table, ends

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from tqdm import tqdm

MOST_ROWS = 10
ROOM = 44  # columns for the figures: at 80, with up to 99 epochs and an hour, they leave 20 to the bar


def progress_bar(total: int, shown: bool, place: str = "") -> tqdm[Any]:
    """A bar of `tqdm`. It shows nothing if it is not to, or if the program has no standard error stream.

    Arguments:
        total: how many steps there are.
        shown: whether the bar is to be shown.
        place: what stands before the bar at first, and is set anew with `set_description_str`; else the count of steps.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in a notebook without ipywidgets it warns; the bar is then one of text
        from tqdm.auto import tqdm

    has_stream = sys.stderr is not None and not getattr(sys.stderr, "closed", False)
    form = ("{desc}" if place else "{n_fmt}/{total_fmt}") + " |{bar}| {remaining}{postfix}"
    is_off = not (shown and has_stream)
    return tqdm(desc=place, total=total, bar_format=form, dynamic_ncols=True, mininterval=0.5, disable=is_off)


def figures(names: Sequence[str], learned: Sequence[float], validated: Sequence[float] = ()) -> str:
    """The means so far, each with its name; behind a slash, where there is one, that of the validation.

    The last name is cut where it would take the bar's room.

    >>> figures(["loss"], [0.01234])
    'loss 0.0123'
    >>> figures(["loss", "correct_class"], [0.0123, 0.9979], [0.0456, 0.9812])
    'loss 0.0123/0.0456 correct_class 0.998/0.981'
    """
    means = [f"{mean:.3g}" for mean in learned]
    for k, mean in enumerate(validated):
        means[k] += f"/{mean:.3g}"
    *_, last = names
    room = ROOM - len(" ".join([*names[:-1], "", *means]))
    shown = last if len(last) <= room else f"{last[: max(room - 1, 0)]}…"
    return " ".join(f"{name} {mean}" for name, mean in zip([*names[:-1], shown], means, strict=True))[:ROOM]


def series_table(caption: str, unit: str, record: Any, names: Sequence[str], first: int, notes: Sequence[str]) -> Table:
    """A table of lists of numbers, a row for each epoch or step; of very many, of the first and the last ones.

    Arguments:
        caption: of the table.
        unit: what a row is of, "epoch" or "step".
        record: has the lists as attributes. One may be shorter than the others: what is missing are its last numbers.
        names: of the attributes.
        first: the number of the first row.
        notes: sentences below the rows; an empty one is left out.

    >>> from types import SimpleNamespace
    >>> print(series_table("", "epoch", SimpleNamespace(loss=[0.5, 0.25]), ["loss"], 1, ["It goes on."]).text)
    epoch  loss
        1   0.5
        2  0.25
    ───────────
    It goes on.
    """
    lists = [getattr(record, name) for name in names]
    head = [unit, *[name.replace("_", " ") for name in names]]

    def row(k: int) -> list[str]:
        return [f"{first + k:,}", *[f"{numbers[k]:.6g}" if k < len(numbers) else "" for numbers in lists]]

    rows = ends(row, max(map(len, lists)), MOST_ROWS)
    left_out = [name for name, numbers in zip(head[1:], lists, strict=True) if not numbers]
    return Table(caption, head, rows, numbers=head, foot=[[note] for note in notes if note], left_out=left_out)
