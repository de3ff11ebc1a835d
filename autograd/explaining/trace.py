"""The trace has all numbers of an evaluation and of the chain rule, as the textbooks do it on paper.

The primal trace has every Value in the order of evaluation, the adjoint trace everything that the chain rule adds to a
Value's adjoint, which is the derivative of the result with respect to it (A. Griewank and A. Walther, "Evaluating
Derivatives", 2008, chapters 2 and 3; A. G. Baydin et al., "Automatic differentiation in machine learning: a survey",
JMLR 18, 2018, table 3):

    adjoint of parent  +=  adjoint of node  *  d node / d parent

The trace walks as `backward()` walks and adds in its order, so its adjoints are the engine's gradients to the last
bit. It begins with adjoints of 0, and reads and changes no `grad`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from autograd.by_hand import change_since, has_own_backward
from autograd.drawing import BOX_CHARACTERS
from autograd.engines import Value, recording
from autograd.graph import topological_order
from autograd.operation import Operation
from autograd.operations import OPERATIONS
from autograd.wording import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, TypeAlias

    from autograd.value import Scalar

    Operand: TypeAlias = "Entry | float | tuple[Entry | float, ...]"

NAME_CHARACTERS = 16
NAME = re.compile(r"([^\[\]']+)(\[\d+(, ?\d+)*\])*'*")  # loss, x1, hidden.w[0][2], y'


class Given:
    """It stands for the operation of a node whose local derivatives were given by hand: its symbol is all we know."""

    def __init__(self, symbol: str, operands: int) -> None:
        self.name = self.symbol = symbol or "f"
        self.is_infix = operands == 2 and not self.symbol.isidentifier()


@dataclass(eq=False)
class Entry:
    """A Value in the trace: what it held when the trace was made.

    name        its label, where that can stand in a formula and is no other's; else v1, v2, ...
    remark      the label where it is not the name
    operands    as the Value's, with entries in the place of Values
    adjoint     the derivative of the result with respect to it
    """

    name: str
    remark: str
    data: float
    operation: Operation | Given | None
    operands: tuple[Operand, ...]
    parents: tuple[Entry, ...]
    local_derivatives: tuple[float, ...]
    adjoint: float = 0.0

    def uses(self, place: int) -> int:
        """How often the parent at that place is among the parents up to there; 0 if it is there only once."""
        parent = self.parents[place]
        return self.parents[: place + 1].count(parent) if self.parents.count(parent) > 1 else 0


@dataclass(eq=False)
class Contribution:
    """What an edge adds to the adjoint of its parent: `before` is None where it is the first to do so."""

    node: Entry
    place: int  # of the parent, among the node's
    before: float | None
    after: float

    @property
    def parent(self) -> Entry:
        return self.node.parents[self.place]

    @property
    def local_derivative(self) -> float:
        return self.node.local_derivatives[self.place]


@dataclass(eq=False)
class Trace:
    """The entries in topological order, the last of them the result; the contributions in the engine's order."""

    entries: list[Entry]
    contributions: list[Contribution]

    @property
    def result(self) -> Entry:
        return self.entries[-1]

    def rows(self) -> Iterator[tuple[Entry, list[Contribution | Entry]]]:
        """The two-column table: each entry, and the contributions that it makes, to be read from the bottom up.

        The result's row ends in itself: in its adjoint the chain rule begins. So does a leaf's: there it ends.
        """
        made = self.contributions_of()
        for entry in self.entries:
            beside: list[Contribution | Entry] = [*reversed(made[entry])]
            yield entry, [*beside, entry] if entry is self.result or not entry.parents else beside

    def contributions_of(self) -> dict[Entry, list[Contribution]]:
        """Those that each entry makes to the adjoints of its parents."""
        made: dict[Entry, list[Contribution]] = {entry: [] for entry in self.entries}
        for contribution in self.contributions:
            made[contribution.node].append(contribution)
        return made

    def __getstate__(self) -> dict[str, object]:
        """With places for entries, which may hold one another deeper than pickle goes; operations by their names."""
        place = {entry: i for i, entry in enumerate(self.entries)}

        def placed(operand: Operand | tuple[Operand, ...]) -> object:
            if isinstance(operand, tuple):
                return tuple(map(placed, operand))
            return place[operand] if isinstance(operand, Entry) else operand

        entries = [
            {
                **vars(entry),
                "operation": entry.operation.name if isinstance(entry.operation, Operation) else entry.operation,
                "operands": placed(entry.operands),
                "parents": placed(entry.parents),
            }
            for entry in self.entries
        ]
        return {
            "entries": entries,
            "contributions": [(place[c.node], c.place, c.before, c.after) for c in self.contributions],
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Raises ValueError for an operation that is not in the table here."""
        self.entries = []

        def entry_at(operand: Any) -> Any:
            if isinstance(operand, tuple):
                return tuple(map(entry_at, operand))
            return self.entries[operand] if isinstance(operand, int) else operand

        for given in state["entries"]:
            operation = given["operation"]
            if isinstance(operation, str) and operation not in OPERATIONS:
                raise ValueError(
                    f"this explanation has an operation that is not in the table here: {operation}; "
                    "one of your own must be defined before it is loaded"
                )
            known = OPERATIONS[operation] if isinstance(operation, str) else operation
            operands, parents = entry_at(given["operands"]), entry_at(given["parents"])
            self.entries.append(Entry(**{**given, "operation": known, "operands": operands, "parents": parents}))
        self.contributions = [Contribution(self.entries[i], *rest) for i, *rest in state["contributions"]]


@recording(raises=False)
def trace(value: Value) -> Trace:
    """The trace of the graph that `value` was computed from.

    Raises ValueError if a node's local derivatives are not recorded, if it has a `_backward` of its own, or if data
    have been assigned since it was computed, so that its operands would now give another number.

    >>> a = Value(3.0, label="a")
    >>> paper = trace(a * a + 1.0)
    >>> [(entry.name, entry.data, entry.adjoint) for entry in paper.entries]
    [('a', 3.0, 6.0), ('v1', 9.0, 1.0), ('v2', 10.0, 1.0)]
    >>> [(c.parent.name, c.before, c.after) for c in paper.contributions]
    [('v1', None, 1.0), ('a', None, 3.0), ('a', 3.0, 6.0)]
    """
    order = topological_order(value)
    entries: dict[Value, Entry] = {}

    def entry_of(operand: Scalar) -> Entry | float:
        return entries[operand] if isinstance(operand, Value) else operand

    for node, (name, remark) in zip(order, named(order), strict=True):
        check_recorded(node, name)
        entries[node] = Entry(
            name,
            remark,
            node.data,
            node.operation or (Given(node.op, len(node.parents)) if node.parents else None),
            tuple(
                tuple(map(entry_of, o)) if isinstance(o, tuple) else entry_of(o)
                for o in (node.operands if node.operation else node.parents)
            ),
            tuple(entries[parent] for parent in node.parents),
            node.local_derivatives,
        )
    listed = list(entries.values())
    return Trace(listed, list(chain_rule(listed)))


def chain_rule(entries: list[Entry]) -> Iterator[Contribution]:
    """Sets the entries' adjoints, in the order in which `backward()` does, and says what it adds."""
    reached = {entries[-1]}
    entries[-1].adjoint += 1.0
    for node in reversed(entries):
        for place, (parent, local_derivative) in enumerate(zip(node.parents, node.local_derivatives, strict=True)):
            before = parent.adjoint if parent in reached else None
            parent.adjoint += local_derivative * node.adjoint
            reached.add(parent)
            yield Contribution(node, place, before, parent.adjoint)


# ---- Names.


def named(order: Sequence[Value]) -> Iterator[tuple[str, str]]:
    """Each Value's name, and its label where that is another: it clashes, or could not be told from a formula."""
    labels = [shown(node.label, BOX_CHARACTERS) for node in order]
    count = Counter(label.replace("_", "") for label in labels)  # mathematics writes w1 and w_1 alike
    usable = {label for label in labels if count[label.replace("_", "")] == 1 and is_name(label)}
    taken = set(labels)
    numbers = (name for i in range(1, 2 * len(order) + 1) if (name := f"v{i}") not in taken)
    for label in labels:
        yield (label, "") if label in usable else (next(numbers), label)


def is_name(label: str) -> bool:
    """Whether a formula can have it: no operation's name, nor `x.grad`, nor written from right to left."""
    match = NAME.fullmatch(label)
    return (
        len(label) <= NAME_CHARACTERS
        and match is not None
        and all(part.isidentifier() for part in match[1].split("."))
        and label.split(".")[-1] != "grad"
        and label not in OPERATIONS
        and not any(unicodedata.bidirectional(c) in ("R", "AL") for c in label)
    )


# ---- A trace must be true: what does not follow from what is recorded, it refuses.


def check_recorded(node: Value, name: str) -> None:
    if has_own_backward(node):
        raise ValueError(
            f"explain: {name} has a _backward of its own, which can be followed only by running it: "
            "explain what the table's operations computed"
        )
    if not node.parents:
        return
    if node.operation is None:
        if node.local_derivatives:
            return
        raise ValueError(
            f"explain: {name} was computed by {shown(node.op, BOX_CHARACTERS)!r}, which is not in the table and has "
            "recorded no local derivatives: explain what the table's operations computed"
        )
    if change := change_since(node):
        raise ValueError(
            f"explain: {name}, computed by {node.operation.name}, is {node.data!r}, but {change}: "
            "data have been assigned since; compute the result again, and explain that"
        )
