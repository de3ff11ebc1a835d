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


def missing(name: str, wengert: WengertList | None = None, fast_math: bool = False) -> str:
    """Why the executor cannot be used here, for this list, with fast mathematics; "" if it can."""
    executor = made(EXECUTORS[name])
    return "it has no fast_math" if fast_math and not executor.has_fast_math else executor.missing(wengert)


def available(wengert: WengertList | None = None, fast_math: bool = False) -> Iterator[str]:
    """The names of those that can be used here, and for this list, the best first."""
    return (name for name in EXECUTORS if not missing(name, wengert, fast_math))


def checked(name: str | None, wengert: WengertList | None = None, fast_math: bool = False) -> str:
    """The name of an executor that can be used here, and for this list: this one, or with None the best.

    Raises ValueError if it cannot be used or there is none of this name, and says which ones there are.
    """
    usable = available(wengert, fast_math)
    if name is None:
        best = next(usable, None)
        if best is None:
            having = (each for each in EXECUTORS if made(EXECUTORS[each]).has_fast_math)
            reasons = "; ".join(f"{each}: {missing(each, wengert)}" for each in having)
            raise ValueError(f"Tape: fast_math: no executor has it here: {reasons}")
        return best
    lacks = missing(name, wengert, fast_math) if isinstance(name, str) and name in EXECUTORS else None
    if lacks == "":
        return name
    reason = f": {lacks}" if lacks else ""
    raise ValueError(f"Tape: executor: expected {' or '.join(usable) or 'another'}, got {name!r}{reason}")


def checked_fast_math(fast_math: object) -> bool:
    """Raises TypeError for anything but True and False."""
    if not isinstance(fast_math, bool):
        raise TypeError(f"Tape: fast_math: expected True or False, got {fast_math!r}")
    return fast_math


def program(name: str, wengert: WengertList, fast_math: bool = False) -> Program:
    """The list, made ready by the executor of this name. Raises ValueError if it cannot be used here, or is damaged."""
    wengert.dependences  # noqa: B018  to find them is to check what the list's arrays hold, before anything is made of it
    executor = made(EXECUTORS[checked(name, wengert, fast_math)])
    return executor.fast_program(wengert) if fast_math else executor.program(wengert)


def owned(name: str, numbers: object) -> bool:
    """Whether these are arrays of the executor's own, such as a device's, which a tape leaves where they are."""
    return made(EXECUTORS[name]).owns(numbers)
