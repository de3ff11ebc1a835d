"""program() is a trace as data: what a page has to know to write its lines, to step through them and to compute anew.

Numbers are those of the engine, to the last bit. What follows from them by addition and multiplication alone, the
adjoints, is left out: the page's script computes them, in the engine's order, with the same bits.
"""

from __future__ import annotations

import json
import math
import re

from autograd.drawing import BOX_CHARACTERS
from autograd.explaining.notation import Notation
from autograd.explaining.trace import Entry, Given
from autograd.wording import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from autograd.explaining.trace import Operand, Trace
    from autograd.operation import Operation

    Template: TypeAlias = list[str | int]
    Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | float | int | bool | None"

MARK = "\0"  # around the place of an operand in a template; `shown` lets none through
BRACKETS = "\1"


class Slots(Notation):
    """Formulas with places for their operands, which may get brackets where a number has a sign."""

    def grouped(self, written: str) -> str:
        return BRACKETS + written if re.fullmatch(f"{MARK}\\d+{MARK}", written) else super().grouped(written)

    def function(self, name: str) -> str:
        return shown(name, BOX_CHARACTERS)

    def verbatim(self, text: str) -> str:
        return shown(text, BOX_CHARACTERS)


def program(trace: Trace) -> dict[str, Json]:
    """The trace as data.

    names, remarks  of the entries, which have numbers: their places; remarks by number, where there are some
    values          the entries' data
    operations      of each operation that is used: its name, and its domain in words, "" if it has none
    constants, instructions, derivatives
                    the entries as instructions of a tape (tape.js says how), `row` being the place in `operations`; and
                    of each the local derivatives, as they were recorded
    formulas        the templates: texts, and numbers 2 k or 2 k + 1 in the place of operand k, sequences laid flat; an
                    odd number asks for brackets around what has a sign
    written         of each instruction, the place of its formula there
    """
    number = {entry: i for i, entry in enumerate(trace.entries)}
    rows: dict[Operation | Given, int] = {}
    constants: list[float] = []
    formulas: dict[str, int] = {}
    instructions: list[Json] = []
    written: list[int] = []

    def variable(operand: Entry | float) -> int:
        if isinstance(operand, Entry):
            return number[operand]
        constants.append(operand)
        return -len(constants)

    for entry in trace.entries:
        if not entry.operation:
            continue
        row = rows.setdefault(entry.operation, len(rows))
        operands = [[*map(variable, o)] if isinstance(o, tuple) else variable(o) for o in entry.operands]
        instructions.append([number[entry], row, *operands])
        formula = json.dumps(template(entry.operation, entry.operands))
        written.append(formulas.setdefault(formula, len(formulas)))
    return {
        "names": [entry.name for entry in trace.entries],
        "remarks": {str(i): entry.remark for i, entry in enumerate(trace.entries) if entry.remark},
        "values": [entry.data for entry in trace.entries],
        "operations": [
            [shown(text, BOX_CHARACTERS + 100) for text in (row.name, getattr(row, "domain", ""))] for row in rows
        ],
        "constants": [*constants],
        "instructions": instructions,
        "derivatives": [list(entry.local_derivatives) for entry in trace.entries if entry.operation],
        "formulas": [json.loads(formula) for formula in formulas],
        "written": [*written],
    }


def operations_of(trace: Trace) -> list[Operation | Given]:
    """In the order of the program's `operations`."""
    return [*dict.fromkeys(entry.operation for entry in trace.entries if entry.operation)]


def template(operation: Operation | Given, operands: tuple[Operand, ...]) -> Template:
    """The formula, with places for its operands.

    >>> from autograd.operations import OPERATIONS
    >>> template(OPERATIONS["divide"], (2.0, 3.0)), template(OPERATIONS["negative"], (2.0,))
    ([1, ' / ', 3], ['-', 1])
    """
    places = iter(range(10**9))
    slots: list[Any] = []  # what a notation writes in the place of operands
    for operand in operands:
        if isinstance(operand, tuple):
            slots.append(tuple([Slot(next(places), element) for element in operand]))
        else:
            slots.append(Slot(next(places), operand))
    mark: Callable[[Any], str] = lambda slot: f"{MARK}{slot.place}{MARK}"  # noqa: E731
    return [*parts(Slots().formula(operation, slots, mark))]


class Slot:
    """The place of an operand. It is equal to what the operand is, since a bias of 0 is not written."""

    def __init__(self, place: int, operand: Entry | float) -> None:
        self.place = place
        self.operand = operand

    def __eq__(self, other: object) -> bool:
        return self.operand == other

    __hash__ = None  # type: ignore[assignment]


def parts(formula: str) -> Iterator[str | int]:
    for text, brackets, place in re.findall(f"([^{MARK}{BRACKETS}]+)|({BRACKETS}?){MARK}(\\d+){MARK}", formula):
        yield text or 2 * int(place) + (brackets != "")


def as_json(data: Json) -> str:
    """For a script element, which no text within can end. Numbers that JSON lacks are their names, as strings.

    >>> as_json({"</script>": [1.0, -0.0, float("inf")]})
    '{"\\\\u003c/script>":[1.0,-0.0,"Infinity"]}'
    """
    text = json.dumps(finite(data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def finite(data: Json) -> Json:
    if isinstance(data, float) and not math.isfinite(data):
        return "NaN" if math.isnan(data) else "Infinity" if data > 0 else "-Infinity"
    if isinstance(data, dict):
        return {name: finite(part) for name, part in data.items()}
    return [*map(finite, data)] if isinstance(data, (list, tuple)) else data
