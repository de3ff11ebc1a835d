"""Whether operations record, and the guard that a recording sets: modes of the engine, each open for a block of code.

A mode belongs to the thread or task that has opened it; the guard is asked in all of them.
"""

from __future__ import annotations

import functools
import sys
import types
from contextlib import contextmanager
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator
    from types import FrameType
    from typing import Any, Self

    Check = Callable[[Any, str], None]  # Any: a Value, of either engine
    Function = Callable[..., Any]

open_blocks: ContextVar[tuple[Block, ...]] = ContextVar("open_blocks", default=())  # of no_grad()
may_raise = ContextVar("may_raise", default=True)  # whether a result that is not finite may be an error


def is_recording() -> bool:
    """Whether operations record here: whether no no_grad() block is open.

    A task that was started within a block goes on with what it has inherited; after the block's end it records again.
    """
    blocks = open_blocks.get()
    return not blocks or not any(block.is_open for block in blocks)


class no_grad:  # noqa: N801  a function to its users
    """Operations record nothing: `with no_grad():`, or `@no_grad()` or `@no_grad` on a function. Results are leaves.

    A decorated generator function or coroutine function records nothing while its own code runs. A generator that
    suspends itself within a `with no_grad():` block of its own leaves the block open for its caller; `backward()` and
    `fit` end it.

    >>> from autograd import Value
    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.parents
    ()
    """

    def __new__(cls, function: Function | None = None) -> Any:  # Any: with a function, that function decorated
        manager = super().__new__(cls)
        manager._blocks = []
        return manager if function is None else manager(function)

    _blocks: list[Block]  # that it has begun and not ended

    def __enter__(self) -> Self:
        block = Block(owner(sys._getframe(1)))
        count(+1)  # while there are none, the native engine need not ask
        self._blocks.append(block)
        open_blocks.set((*open_blocks.get(), block))
        return self

    def __exit__(self, *exception: object) -> None:
        if not self._blocks:
            raise RuntimeError("no_grad: a block is ended that has not begun; write `with no_grad():`")
        here = open_blocks.get()  # another thread may have blocks of the same manager
        own = next((block for block in reversed(self._blocks) if block in here), self._blocks[-1])
        self._blocks.remove(own)
        own.is_open = False
        open_blocks.set(tuple([block for block in here if block is not own]))
        count(-1)

    def __call__(self, function: Function) -> Any:
        if isinstance(function, (classmethod, staticmethod)):
            return type(function)(self(function.__func__))
        if isinstance(function, type) or not callable(function):
            raise TypeError(f"no_grad: expected a function to decorate, or nothing, got {function!r}")
        decorate = next((wrapper for kind, wrapper in WRAPPERS.items() if flags(function) & kind), of_function)
        return functools.wraps(function)(decorate(function))


class Block:
    """An open no_grad() block, and the frame of the code that has opened it."""

    __slots__ = ("frame", "is_open")

    def __init__(self, frame: FrameType) -> None:
        self.frame = frame
        self.is_open = True


ENTERING = ("__enter__", "__aenter__", "enter_context", "enter_async_context")


def owner(frame: FrameType) -> FrameType:
    """The frame whose block it is: not that of another context manager, which opens the block for somebody."""
    while (caller := frame.f_back) is not None:
        is_run_by_one = frame.f_code.co_flags & (GENERATOR | ASYNC_GENERATOR) and caller.f_code.co_name in ENTERING
        if not is_run_by_one and frame.f_code.co_name not in ENTERING:
            break
        frame = caller
    return frame


def count(change: int) -> None:
    """Tells the engine in use that a block begins, +1, or ends, -1."""


def end_stale_blocks() -> None:
    """Ends the blocks whose code does not run: it is a suspended generator's, or an interrupt kept it from the end."""
    blocks = open_blocks.get()
    if not blocks:
        return
    frame: FrameType | None = sys._getframe(1)
    running = set()
    while frame is not None:
        running.add(frame)
        frame = frame.f_back
    open_blocks.set(tuple([block for block in blocks if block.frame in running]))


# ---- Functions without recording. If their code runs in pieces, recording is on again in between.

GENERATOR, COROUTINE, ASYNC_GENERATOR = 0x20, 0x80, 0x200  # the flags of their code, as inspect calls them


def flags(function: Function) -> int:
    while isinstance(function, functools.partial):
        function = function.func
    if not hasattr(function, "__code__"):
        function = type(function).__call__
    return getattr(getattr(function, "__code__", None), "co_flags", 0)


def of_function(function: Function) -> Function:
    def without_recording(*arguments: Any, **keywords: Any) -> Any:
        with no_grad():
            return function(*arguments, **keywords)

    return without_recording


def of_generator(function: Function) -> Function:
    def generator(*arguments: Any, **keywords: Any) -> Generator[Any, Any, Any]:
        return (yield from in_pieces(function(*arguments, **keywords)))

    return generator


def of_coroutine(function: Function) -> Function:
    async def coroutine(*arguments: Any, **keywords: Any) -> Any:
        return await in_pieces(function(*arguments, **keywords))

    return coroutine


def of_async_generator(function: Function) -> Function:
    async def generator(*arguments: Any, **keywords: Any) -> AsyncGenerator[Any, Any]:
        pieces = function(*arguments, **keywords)
        resume, argument = pieces.asend, None
        while True:
            try:
                item = await in_pieces(resume(argument))
            except StopAsyncIteration:
                return
            try:
                resume, argument = pieces.asend, (yield item)
            except GeneratorExit:
                await in_pieces(pieces.aclose())
                raise
            except BaseException as error:
                resume, argument = pieces.athrow, error

    return generator


@types.coroutine
def in_pieces(pieces: Any) -> Generator[Any, Any, Any]:
    """What `yield from pieces` does for a generator, and `await pieces` for a coroutine, without recording in it."""
    resume, argument = pieces.send, None
    while True:
        try:
            with no_grad():
                item = resume(argument)
        except StopIteration as stop:
            return stop.value
        try:
            resume, argument = pieces.send, (yield item)
        except GeneratorExit:
            with no_grad():
                pieces.close()
            raise
        except BaseException as error:
            resume, argument = pieces.throw, error


WRAPPERS = {GENERATOR: of_generator, COROUTINE: of_coroutine, ASYNC_GENERATOR: of_async_generator}


# ---- What is differentiated records in any case


@contextmanager
def recording(*, raises: bool = True) -> Iterator[None]:
    """Operations record, also in a no_grad() block around: the caller differentiates what they compute.

    With raises=False they follow IEEE 754, as the table's partials on floats do: an undefined result is nan, one that
    is too large is inf, and nothing raises.
    """
    blocks, errors = open_blocks.set(()), may_raise.set(raises)
    try:
        yield
    finally:
        may_raise.reset(errors)
        open_blocks.reset(blocks)


# ---- The guard, and numbers that leave the graph

_check: Check | None = None


def guard(check: Check | None) -> None:
    """Has check(value, what) called before the number of a Value is given away; None ends it.

    That is before a comparison, bool(), float(), item(), detach(), a copy, and their like.
    """
    global _check
    _check = check


def ask_guard(value: Any, what: str) -> None:
    """Before the number of a Value is given away. Raises what the guard raises."""
    if _check is not None:
        _check(value, what)


def refuse_to_leave(value: Any, what: str) -> None:
    """Before a Value turns into a plain number by itself. Raises TypeError while operations record."""
    ask_guard(value, what)
    if is_recording():
        raise TypeError(
            f"{what} of {value!r} would lose its derivative: write the function or method of the table, such as "
            f"autograd.exp(x) for math.exp(x), or x.data for the plain number; within no_grad(), {what} gives it"
        )
