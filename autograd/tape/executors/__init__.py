"""The executors that a tape may choose from: `EXECUTORS` is their registry, a line for each."""

from __future__ import annotations

from functools import cache
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograd.tape.executors.executor import Executor
    from autograd.tape.executors.executor import Program as Program
    from autograd.tape.wengert import WengertList

# Where the class of each stands, which is imported when it is first asked for. The first that can be used is a tape's
# default.
EXECUTORS = {
    "native": "autograd.tape.executors.native.Native",
    "numpy": "autograd.tape.executors.numpy.NumPy",
    "xla": "autograd.tape.executors.xla.XLA",
    "c": "autograd.tape.executors.c.C",
}


@cache
def made(place: str) -> Executor:
    """An instance of the class that stands there."""
    module, _, kind = place.rpartition(".")
    executor: Executor = getattr(import_module(module), kind)()
    return executor


def available(wengert: WengertList | None = None) -> Iterator[str]:
    """The names of those that can be used here, and for this list, the best first."""
    return (name for name, place in EXECUTORS.items() if not made(place).missing(wengert))


def checked(name: str | None, wengert: WengertList | None = None) -> str:
    """The name of an executor that can be used here, and for this list: this one, or with None the best.

    Raises ValueError if it cannot be used or there is none of this name, and says which ones there are.
    """
    if name is None:
        return next(available(wengert))
    missing = made(EXECUTORS[name]).missing(wengert) if name in list(EXECUTORS) else None
    if missing == "":
        return name
    reason = f": {missing}" if missing else ""
    raise ValueError(f"Tape: executor: expected {' or '.join(available(wengert))}, got {name!r}{reason}")


def program(name: str, wengert: WengertList) -> Program:
    """The list, made ready by the executor of this name. Raises ValueError if it cannot be used here, or is damaged."""
    wengert.dependences  # noqa: B018  to find them is to check what the list's arrays hold, before anything is made of it
    return made(EXECUTORS[checked(name, wengert)]).program(wengert)


def owned(name: str, numbers: object) -> bool:
    """Whether these are arrays of the executor's own, such as a device's, which a tape leaves where they are."""
    return made(EXECUTORS[name]).owns(numbers)
