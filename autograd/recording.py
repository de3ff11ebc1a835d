"""Whether operations record, and the guard that a recording sets: modes of the engine, each open for a block of code.

A mode belongs to the thread or task that has opened it; the guard is asked in all of them.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Check = Callable[[Any, str], None]  # Any: a Value, of either engine

open_blocks = ContextVar("open_blocks", default=0)  # of no_grad(): operations record where there is none
may_raise = ContextVar("may_raise", default=True)  # whether a result that is not finite may be an error


@contextmanager
def no_grad() -> Iterator[None]:
    """Operations record nothing: `with no_grad():`, or `@no_grad()` on a function. Their results are leaves."""
    open_blocks.set(open_blocks.get() + 1)
    try:
        yield
    finally:
        open_blocks.set(open_blocks.get() - 1)


def is_recording() -> bool:
    """Whether operations record here: whether no no_grad() block is open."""
    return not open_blocks.get()


@contextmanager
def recording(*, raises: bool = True) -> Iterator[None]:
    """Operations record, also in a no_grad() block around: the caller differentiates what they compute.

    With raises=False they follow IEEE 754, as the table's partials on floats do: an undefined result is nan, one that
    is too large is inf, and nothing raises.
    """
    blocks, errors = open_blocks.set(0), may_raise.set(raises)
    try:
        yield
    finally:
        may_raise.reset(errors)
        open_blocks.reset(blocks)


_check: Check | None = None


def guard(check: Check | None) -> None:
    """Has check(value, what) called before a comparison, bool() or float() of a Value; None ends it."""
    global _check
    _check = check


def ask_guard(value: Any, what: str) -> None:
    """Before the number of a Value is given away. Raises what the guard raises."""
    if _check is not None:
        _check(value, what)
