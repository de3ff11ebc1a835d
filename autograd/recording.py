"""The modes of the engine, each open for a block of code: whether operations record, and what open blocks hold.

No interrupt leaves a mode open. Python looks for signals within its own code alone, never between the C call that a
`with` statement begins or ends with and the block. So what `with` calls here is C, and what runs in Python before that
may be interrupted anywhere: until the call, the block is not open. A block ends at the latest with whatever holds its
end: the `with` statement, or the manager. Neither a block nor a manager refers to a frame: its variables may hold the
manager, and this cycle would keep the block open until the garbage collector finds it.

Whether operations record belongs to the thread or task that has opened the block. What blocks hold is asked in all
threads, and whether such a block is open in one. In a forked process those of other threads are over.
"""

from __future__ import annotations

import functools
import sys
import types
from _thread import allocate_lock, get_ident
from contextlib import suppress
from contextvars import ContextVar
from weakref import ref

from autograd.locks import after_fork

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from types import FrameType
    from typing import Any, Self, TypeVar, overload

    F = TypeVar("F", bound=Callable[..., Any])
    Check = Callable[[Any, str], None]  # Any: a Value, of either engine
    Function = Callable[..., Any]


# ---- Blocks of code


class Block:
    """A block of code in which operations record, or do not; native/recording.c has its twin.

    owner       weakly, the generator or coroutine that has opened it; None if none has
    records     whether operations record
    raises      whether a result that is not finite may be an error; None where that is as it was

    It is open from `begin()`, which returns what begin was asked for, to `end()`: each is a single C call.
    """

    __slots__ = ("__weakref__", "_lock", "_returned", "owner", "raises", "records")

    def __init__(self, owner: ref[Any] | None = None, records: bool = True, raises: bool | None = None) -> None:
        self.owner, self.records, self.raises = owner, records, raises
        self._returned: list[Any] = [None]  # of one element, until begin() takes it
        self._lock = allocate_lock()  # locked, until end() releases it
        self._lock.acquire()

    @property
    def is_open(self) -> bool:
        return not self._returned and self._lock.locked()

    def begin(self, returned: Any) -> Callable[[], Any]:
        """The call that begins the block, and returns this."""
        self._returned[0] = returned
        return self._returned.pop

    def end(self) -> Callable[..., None]:
        """The call that ends it. It keeps the block alive as long as `with` keeps it."""
        return functools.partial(self._lock.__exit__, self)  # type: ignore[arg-type]  # it ignores what it is given


open_blocks: ContextVar[tuple[ref[Block], ...]] = ContextVar("open_blocks", default=())  # from the outermost on


def is_recording() -> bool:
    """Whether operations record here.

    A task that was started within a block goes on with what it has inherited; after the block's end it records again.
    """
    blocks = open_blocks.get()
    if not blocks:
        return True
    for reference in reversed(blocks):
        block = reference()
        if block is not None and block.is_open:
            return block.records
    forget_ended_blocks()
    return True


def may_raise() -> bool:
    """Whether a result that is not finite may be an error here."""
    opened = [block for reference in open_blocks.get() if (block := reference()) is not None and block.is_open]
    return next((block.raises for block in reversed(opened) if block.raises is not None), True)


def forget_ended_blocks() -> tuple[ref[Block], ...]:
    """The blocks here that have not ended. One that has not begun is among them: a signal's handler may ask this."""
    kept = tuple([reference for reference in open_blocks.get() if reference() is not None])
    open_blocks.set(kept)
    return kept


def end_stale_blocks() -> None:
    """Ends the blocks of suspended generators. Others stay: who has opened one may have returned, and left its end."""
    if not open_blocks.get():
        return
    frame: FrameType | None = sys._getframe(1)
    running = set()
    while frame is not None:
        running.add(frame)
        frame = frame.f_back
    blocks = forget_ended_blocks()
    open_blocks.set(tuple([kept for kept in blocks if (block := kept()) and not is_suspended(block.owner, running)]))


def is_suspended(owner: ref[Any] | None, running: set[FrameType]) -> bool:
    """Whether it is a generator whose code has begun, has not come to its end, and does not run."""
    generator = owner and owner()
    frames = [getattr(generator, name, None) for name in ("gi_frame", "cr_frame", "ag_frame")]
    return any(frame is not None and frame not in running for frame in frames)


# ---- Context managers that open blocks


class Begin:
    """`__enter__`. What runs in Python runs when Python looks it up, and the rest is C."""

    def __get__(self, manager: Mode | None, kind: type | None = None) -> Callable[..., Any]:
        frame = sys._getframe(1)
        if manager is not None:
            block = manager._awaited(frame) if is_of_with(frame) else manager._block(frame)
            return block.begin(manager)
        entering = Entering(id(frame))
        looked_up.set(ref(entering))
        return entering


class End:
    """`__exit__`, likewise."""

    def __get__(self, manager: Mode | None, kind: type | None = None) -> Callable[..., Any]:
        frame, reference = sys._getframe(1), looked_up.get()
        if manager is not None:
            return manager._block(frame).end() if is_of_with(frame) else manager._end(frame)
        entering = None if reference is None else reference()
        if entering is None or entering.frame != id(frame) or entering.end is not None:
            return end_of_last
        entering.end = functools.partial(end_of_last)  # until it is bound to a block
        return entering.end


LOAD_SPECIAL = -1
if sys.version_info >= (3, 14):
    from opcode import opmap

    LOAD_SPECIAL = opmap["LOAD_SPECIAL"]


def is_of_with(frame: FrameType) -> bool:
    """Whether a `with` statement looks up here. Since Python 3.14 it does so first for `__exit__`."""
    return LOAD_SPECIAL >= 0 and frame.f_code.co_code[frame.f_lasti] == LOAD_SPECIAL


class Entering:
    """`__enter__` of the class. An ExitStack looks it up, then `__exit__`, and calls both with a manager.

    An interrupt within the call of `__exit__` would leave the block open: the ExitStack keeps the manager, in a cycle
    with the interrupt. So that this call is C alone, the first call of `__enter__` has `__exit__` end just its block.
    """

    def __init__(self, frame: int) -> None:
        self.frame, self.is_used = frame, False
        self.end: functools.partial[None] | None = None

    def __call__(self, manager: Mode) -> Any:
        block = manager._block(sys._getframe(1), None if self.is_used else self.end)
        bind(self.end, end_of_last if self.is_used else block.end())
        self.is_used = True
        return block.begin(manager)()


looked_up: ContextVar[ref[Entering] | None] = ContextVar("looked_up", default=None)  # last, on the class


def end_of_last(manager: Mode, *exception: object) -> None:
    manager._end(sys._getframe(1))(*exception)


def bind(end: functools.partial[None] | None, call: Callable[..., None]) -> None:
    """From now on, to call this end is to call that."""
    if end is not None:
        end.__setstate__((call, (), {}, None))  # type: ignore[attr-defined]  # typeshed leaves it out


class Mode:
    """A context manager whose blocks have operations record, or not. One may open several, also within each other."""

    _records: bool
    _raises: bool | None
    # The blocks whose end has not been looked up, after the ids of the frames that opened them. With the third, an end
    # that an ExitStack has, it may have ended since.
    _blocks: list[tuple[int, Block, functools.partial[None] | None]]

    def _block(self, frame: FrameType, end: functools.partial[None] | None = None) -> Block:
        block = Block(owner(frame), self._records, self._raises)
        self._forget_ended()
        self._blocks.append((id(frame), block, end))
        open_blocks.set((*[kept for kept in open_blocks.get() if kept() is not None], ref(block)))
        return block

    def _awaited(self, frame: FrameType) -> Block:
        """The block whose end `with` has looked up just before, since Python 3.14."""
        opened = next(opened for opened in self._blocks[::-1] if opened[0] == id(frame))
        self._blocks.remove(opened)
        return opened[1]

    def _forget_ended(self) -> None:
        for opened in [opened for opened in self._blocks if opened[2] and not opened[1].is_open]:
            with suppress(ValueError):  # another thread has done it
                self._blocks.remove(opened)

    def _end(self, frame: FrameType) -> Callable[..., None]:
        """For `with`, that of the block whose begin it has looked up just before; else, of the last one opened here."""
        self._forget_ended()
        blocks = self._blocks[::-1]
        if not blocks:
            return functools.partial(refuse_to_end, type(self).__name__)
        last = blocks[0]
        if len(blocks) > 1:  # another thread may have blocks of the same manager
            here = [reference() for reference in open_blocks.get()]
            # Of frames that are gone, the ids may be those of others by now. But those of `with` still run.
            last = max(blocks, key=lambda opened: (opened[1] in here, opened[0] == id(frame)))
        self._blocks.remove(last)
        bind(last[2], end_of_last)
        return last[1].end()

    __enter__, __exit__ = Begin(), End()


def refuse_to_end(name: str, *exception: object) -> None:
    raise RuntimeError(f"{name}: a block is ended that has not begun; write `with {name}():`")


ENTERING = {"__enter__", "__aenter__", "enter_context", "enter_async_context"}


def owner(frame: FrameType) -> ref[Any] | None:
    """The generator whose block it is, or None: not another context manager, which opens the block for somebody."""
    while True:
        code = frame.f_code
        is_generator, is_entering = code.co_flags & (GENERATOR | ASYNC_GENERATOR), code.co_name in ENTERING
        if not (is_generator or is_entering) or (caller := frame.f_back) is None:
            return generator_of(frame)
        if not is_entering and caller.f_code.co_name not in ENTERING:  # a generator that nobody runs to enter a block
            return generator_of(frame)
        frame = caller


def generator_of(frame: FrameType) -> ref[Any] | None:
    """The generator or coroutine, of any kind, whose code runs in this frame; None for that of a function."""
    if not frame.f_code.co_flags & (GENERATOR | COROUTINE | ASYNC_GENERATOR):
        return None
    if hasattr(frame, "f_generator"):  # since Python 3.14
        return ref(frame.f_generator)
    return ref(get_generator()(frame))


@functools.cache
def get_generator() -> Callable[[FrameType], Any]:
    import ctypes  # where it is needed, since it takes milliseconds

    return ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(("PyFrame_GetGenerator", ctypes.pythonapi))


class recording(Mode):  # noqa: N801  a function to its users
    """Operations record, also in a no_grad() block around: the caller differentiates what they compute.

    With raises=False they follow IEEE 754, as the table's partials on floats do: an undefined result is nan, one that
    is too large is inf, and nothing raises. As a decorator, all this holds in the function.
    """

    def __init__(self, *, raises: bool = True) -> None:
        self._records, self._raises, self._blocks = True, raises, []

    def __call__(self, function: F) -> F:
        @functools.wraps(function)
        def with_recording(*arguments: Any, **keywords: Any) -> Any:
            with recording(raises=bool(self._raises)):
                return function(*arguments, **keywords)

        return with_recording  # type: ignore[return-value]


class no_grad(Mode):  # noqa: N801  a function to its users
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

    if TYPE_CHECKING:

        @overload
        def __new__(cls, function: F) -> F: ...  # type: ignore[misc]  # the function, decorated
        @overload
        def __new__(cls, function: None = None) -> Self: ...

    def __new__(cls, function: Any = None) -> Any:
        manager = object.__new__(cls)
        manager._records, manager._raises, manager._blocks = False, None, []
        return manager if function is None else manager(function)

    def __call__(self, function: F) -> F:
        if isinstance(function, (classmethod, staticmethod)):
            return type(function)(self(function.__func__))
        if isinstance(function, type) or not callable(function):
            raise TypeError(f"no_grad: expected a function to decorate, or nothing, got {function!r}")
        decorate = next((wrapper for kind, wrapper in WRAPPERS.items() if flags(function) & kind), of_function)
        return functools.wraps(function)(decorate(function))  # type: ignore[return-value]


# ---- Functions without recording. If their code runs in pieces, recording is on again in between.

# The flags of their code, as inspect calls them; ITERABLE_COROUTINE is that of a generator which may be awaited.
GENERATOR, COROUTINE, ITERABLE_COROUTINE, ASYNC_GENERATOR = 0x20, 0x80, 0x100, 0x200


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


def of_iterable_coroutine(function: Function) -> Function:
    return types.coroutine(of_generator(function))


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


WRAPPERS = {  # by the flag that is found first
    ITERABLE_COROUTINE: of_iterable_coroutine,
    GENERATOR: of_generator,
    COROUTINE: of_coroutine,
    ASYNC_GENERATOR: of_async_generator,
}


# ---- What open blocks hold, and numbers that leave the graph


class Holdings:
    """What is held by blocks that are open now, in any thread: `with holdings.holding(content):`.

    It lives as long as the process does.
    """

    def __init__(self) -> None:
        self._references: set[ref[Holding]] = set()
        self._here: ContextVar[tuple[ref[Holding], ...]] = ContextVar("holdings", default=())
        after_fork(self._forget_other_threads)

    def holding(self, content: Any) -> Holding:
        holding = Holding(content)
        self._references.add(ref(holding, self._references.discard))
        self._here.set((*[kept for kept in self._here.get() if kept() is not None], ref(holding)))
        return holding

    def are_open_here(self) -> bool:
        """Whether one of the blocks is open around this call: in this thread, or where its context was copied from."""
        if not self._references:  # as most often, and quickly
            return False
        holdings = [reference() for reference in self._here.get()]
        return any(holding is not None and holding.is_open for holding in holdings)

    def _forget_other_threads(self) -> None:
        """They do not run in a forked process, and would never end their blocks there."""
        for reference in tuple(self._references):
            holding = reference()
            if holding is not None and holding.thread != get_ident():
                if holding.is_open:
                    holding.end()()
                self._references.discard(reference)

    def contents(self) -> list[Any]:
        if not self._references:  # as most often, and quickly
            return []
        holdings = [reference() for reference in tuple(self._references)]
        return [holding.content for holding in holdings if holding is not None and holding.is_open]

    def __len__(self) -> int:
        """How many there are, with those whose blocks are about to begin."""
        return len(self._references)


class Holding(Block):
    """A context manager for a single block, which holds something, in the thread that has made it."""

    __slots__ = ("content", "thread")

    def __init__(self, content: Any) -> None:
        super().__init__()
        self.content, self.thread = content, get_ident()

    __enter__ = property(lambda self: self.begin(None))
    __exit__ = property(Block.end)


recorded_inputs = Holdings()  # the sets of those of every recording of a tape that is going on, in any thread

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
            f"{what} of {value!r} would lose its derivative: write autograd's own function or method, such as "
            f"autograd.exp(x) for math.exp(x), or x.data for the plain number; within no_grad(), {what} gives it"
        )
