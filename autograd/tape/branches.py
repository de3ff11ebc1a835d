"""guarded() refuses what a recording cannot hold: a branch that depends on the numbers of the example recorded."""

from __future__ import annotations

import threading
from contextlib import contextmanager

from autograd.engines import Value, guard
from autograd.graph import topological_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class RecordingError(RuntimeError):
    """A function that cannot be recorded: what it does depends on the numbers that it is recorded with."""


_recorded: tuple[set[Value], ...] = ()  # the inputs of every recording that is going on, in any thread
_lock = threading.Lock()


@contextmanager
def guarded(inputs: list[Value]) -> Iterator[None]:
    """Within it, asking for the number of a Value that depends on the inputs raises RecordingError."""
    global _recorded
    leaves = set(inputs)
    try:
        with _lock:
            _recorded = (*_recorded, leaves)
            guard(refuse_branches)
        yield
    finally:
        with _lock:
            _recorded = tuple(other for other in _recorded if other is not leaves)
            guard(refuse_branches if _recorded else None)


def refuse_branches(value: Value, what: str) -> None:
    """Raises RecordingError if the value, of which `what` is asked, depends on the inputs of a recording."""
    recorded = _recorded
    for node in topological_order(value):
        if any(node in inputs for inputs in recorded):
            raise RecordingError(
                f"Tape.record: {what} of {value!r}, which depends on an input: the branch taken would be recorded for "
                "all examples; choose within the graph, with maximum, minimum, relu or abs"
            )
