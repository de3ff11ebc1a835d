"""guarded() refuses what a recording cannot hold: a branch that depends on the numbers of the example recorded."""

from __future__ import annotations

from autograd.engines import Value, guard
from autograd.graph import topological_order
from autograd.locks import Lock
from autograd.recording import Holding, recorded_inputs


class RecordingError(RuntimeError):
    """A function that cannot be recorded: what it does depends on the numbers that it is recorded with."""


_lock = Lock()


def guarded(inputs: list[Value]) -> Holding:
    """Within it, asking for the number of a Value that depends on the inputs raises RecordingError."""
    with _lock():
        holding = recorded_inputs.holding(set(inputs))
        guard(refuse_branches)
    return holding


def is_recording_tapes() -> bool:
    """Whether a recording is going on around this call; one of another thread does not matter."""
    return recorded_inputs.are_open_here()


def refuse_branches(value: Value, what: str) -> None:
    """Raises RecordingError if the value, of which `what` is asked, depends on the inputs of a recording.

    Whoever asks first after the end of all recordings takes the guard away.
    """
    recorded = recorded_inputs.contents()
    if not recorded:
        with _lock():
            if not recorded_inputs:
                guard(None)
        return
    for node in topological_order(value):
        if any(node in inputs for inputs in recorded):
            raise RecordingError(
                f"Tape.record: {what} of {value!r}, which depends on an input: "
                + (OF_BRANCH if what in ("a comparison", "bool()") else OF_NUMBER)
            )


OF_BRANCH = (
    "the branch taken would be recorded for all examples; choose within the graph, with maximum, minimum, relu or abs"
)
OF_NUMBER = (
    "what follows from this number would be recorded for all examples; compute with Values, by the functions of "
    "autograd: autograd.exp(x) for math.exp(x)"
)
