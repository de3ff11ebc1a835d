"""Recordings are those of one function: what is replayed, for each structure of arguments that it was called with."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING

from autograd import structures
from autograd.engines import Value, is_recording, recording
from autograd.locks import Lock
from autograd.packages import numpy
from autograd.tape import RecordingError, is_recording_tapes
from autograd.transforms import sweeps
from autograd.transforms.apart import Apart, Static, is_number, is_plain_array, quick_key
from autograd.transforms.replays import recorded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from autograd.structures import Structure
    from autograd.transforms.call import Function
    from autograd.transforms.replays import Replay

    Array = NDArray[numpy.float64]

MOST_STRUCTURES = 128  # of a function, whose recordings are kept
DIGITS = 1e-9  # that check asks for: a recording adds up in another order at times


class Unknown:
    """In the place of a recording that there is not; None is one of which nothing is to be replayed."""


UNKNOWN = Unknown()


class Recordings:
    """Those of a function, by the structure of its arguments."""

    def __init__(self, function: Function, static: frozenset[int | str], check: bool) -> None:
        self.function, self.static, self.check = function, static, check
        self.known: dict[object, Replay | None] = {}  # None where there is nothing to replay
        self.lock = Lock()

    def __call__(self, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        read = None if sweeps.evaluated.are_open_here() or is_recording_tapes() else self.read(arguments, keywords)
        if read is None:
            return self.function(*arguments, **keywords)
        key, numbers = read
        replay = self.known.get(key, UNKNOWN)  # in one step: another thread may give it up meanwhile
        if isinstance(replay, Unknown):
            replay = self.record(key, arguments, keywords)
        if replay is None or (replay.has_parameters and is_recording()):
            return self.function(*arguments, **keywords)
        result = replay(numbers)
        if self.check:
            compare(result, self.on_values(arguments, keywords))
        return result

    def on_values(self, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        """What the function itself returns for Values in the places of the numbers, as it is recorded."""
        apart = Apart(*self.marked(arguments, keywords))
        given, named = apart.filled([Value(number) for number in apart.numbers])
        with recording():  # gradients() within it needs the graph
            return self.function(*given, **named)

    def read(self, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> tuple[object, Array] | None:
        """The key of the structure, and the numbers, (1, numbers); None if there are Values among them."""
        if not self.static and not keywords:
            if len(arguments) == 1 and is_plain_array(only := arguments[0]):
                return ("array", only.shape), only.reshape(1, -1)
            numbers: list[float] = []
            if (key := quick_key(arguments, numbers)) is not None:
                return key, as_row(numbers)
        apart = Apart(*self.marked(arguments, keywords))
        return None if apart.has_values else (apart.key, as_row(apart.numbers))

    def marked(self, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, of which those that are static are leaves; keywords in their order, which **kwargs shows."""
        count = len(arguments)
        positions = {each + count if each < 0 else each for each in self.static if isinstance(each, int)}
        marked = [Static(argument) if i in positions else argument for i, argument in enumerate(arguments)]
        return tuple(marked), {name: Static(x) if name in self.static else x for name, x in keywords.items()}

    def record(self, key: object, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Replay | None:
        apart = Apart(*self.marked(arguments, keywords))
        try:
            with recording():
                replay = recorded(self.function, apart)
        except TypeError as error:  # such as that of range(n), or of names[n]
            if any(isinstance(apart.leaves[place], int) for place in apart.places):
                error.add_note("compiled: integers vary, too; name an argument that counts or chooses in static=")
            raise
        with self.lock():
            while len(self.known) >= MOST_STRUCTURES:
                del self.known[next(iter(self.known))]
            self.known[key] = replay
        return replay


def as_row(numbers: list[float]) -> Array:
    """(1, numbers). An array.array reads a list in half of the time."""
    try:
        return numpy.frombuffer(array("d", numbers)).reshape(1, -1) if numbers else numpy.empty((1, 0))
    except OverflowError:
        raise OverflowError("compiled: the arguments: an integer is beyond the largest float, 1.8e308") from None


# ---- Comparing


def compare(replayed: Structure, own: Structure) -> None:
    """Raises RecordingError, naming the first, if there is a number that differs from the function's own."""
    (found, form), (expected, own_form) = (structures.flatten(each) for each in (replayed, own))
    reason = "it depends on something that is no argument, such as state, random numbers or .data"
    if form != own_form:
        raise RecordingError(f"compiled: check: the function returns {own_form!r}, and has returned {form!r}: {reason}")
    sizes = [abs(structures.number(each)) for each in expected if is_number(each)]
    scale = max(filter(math.isfinite, sizes), default=0.0)
    for place, number, other in zip(form.places(), found, expected, strict=True):
        if not are_close(number, other, scale):
            where = f" at {place}" if place else ""
            raise RecordingError(
                f"compiled: check: the function returns {structures.number(other) if is_number(other) else other!r}"
                f"{where}, and its recording {number!r}: {reason}"
            )


def are_close(x: Any, y: Any, scale: float) -> bool:
    if not (is_number(x) and is_number(y)):
        return bool(x == y)
    x, y = structures.number(x), structures.number(y)
    return x == y or (x != x and y != y) or math.isclose(x, y, rel_tol=DIGITS, abs_tol=DIGITS * 1e-3 * scale)
