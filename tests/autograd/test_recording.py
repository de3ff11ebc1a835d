"""Modes: whether operations record, in blocks and decorated functions of every kind, and what ends a block."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import gc
import inspect
import itertools
import math
import os
import pickle
import subprocess
import sys
import threading
import types
import unittest
import weakref

import pytest

from autograd import RecordingError, Tape, Value, divide, dot, exp, functions, grad, gradients, no_grad, tanh
from autograd.engines import is_recording, recording
from autograd.operations import OPERATIONS
from autograd.recording import Holdings

pytestmark = pytest.mark.both_engines


@pytest.fixture(autouse=True)
def recording_is_on_before_and_after():
    assert is_recording()
    yield
    assert is_recording()
    assert (Value(1.0) * 2.0).parents  # the native engine's count says the same


def is_recorded():
    """Whether an operation records here, on either engine."""
    recorded = bool((Value(1.0) * 2.0).parents)
    assert recorded is is_recording()
    return recorded


def test_no_grad_records_nothing():
    x = Value(2.0)
    with no_grad():
        y = x * 3 + dot([x], [x])
        with no_grad():
            pass
        z = x * x
        w = dot([x, 1.0], [1.0, 1.0])
    assert (y.data, y.parents, y.op, z.parents) == (10.0, (), "", ())
    assert (type(w), w.data, w.parents) == (Value, 3.0, ())
    assert (x * x).parents == (x, x)

    @no_grad()
    def predict(v):
        return tanh(v)

    assert predict(x).parents == ()
    with pytest.raises(RuntimeError), no_grad():
        raise RuntimeError
    assert (x * x).parents == (x, x)


def test_no_grad_blocks_may_overlap():
    def block():
        with no_grad():
            yield

    first, second = block(), block()
    next(first)
    next(second)
    first.close()
    assert (Value(1.0) * 2).parents == ()
    second.close()
    assert (Value(1.0) * 2).op == "*"


def test_no_grad_is_a_threads_own():
    recorded = []
    with no_grad():
        thread = threading.Thread(target=lambda: recorded.append((Value(1.0) * 2).op))
        thread.start()
        thread.join()
    assert recorded == ["*"]


def test_what_is_to_be_differentiated_is_recorded_in_a_no_grad_block_too():
    x = Value(2.0)
    with no_grad():
        assert not is_recording()
        with recording():
            assert is_recording()
            assert (x * x).parents == (x, x)
            with no_grad():
                assert (x * x).parents == ()
        assert (x * x).parents == ()
    assert is_recording()


def test_rules_on_values_follow_ieee_754():
    zero = Value(0.0)
    with recording(raises=False):
        for result, data, slope in [
            (1.0 / zero, math.inf, -math.inf),
            (divide(zero, 0.0), math.nan, math.inf),
            (zero**-0.5, math.inf, -math.inf),
            (exp(Value(1e3)), math.inf, math.inf),
        ]:
            assert repr(result.data) == repr(data)
            assert result.local_derivatives == (slope,)
        with recording(), pytest.raises(ZeroDivisionError):
            1.0 / zero
    with pytest.raises(ZeroDivisionError):
        1.0 / zero


BAD = [
    0.0,
    -0.0,
    math.inf,
    -math.inf,
    math.nan,
    1e308,
    -1e308,
    1e-320,
    -1e-320,
    -1.0,
    1.0,
    2.0,
    0.5,
    710.5,
    -1100.0,
    1e16,
]


@pytest.mark.parametrize("name", OPERATIONS)
def test_nothing_raises_where_that_is_said(name):
    """The values and derivatives of every operation are those of the tape, whose replays raise nothing, either."""
    operation, function = OPERATIONS[name], getattr(functions, name)
    scalars = len(operation.operands) - operation.sequences
    if name == "take":
        pytest.skip("a tape refuses an index that is none")
    for numbers in itertools.product(BAD, repeat=2 if operation.sequences else scalars):
        leaves = [Value(number) for number in numbers]
        with recording(raises=False):
            result = function(*[leaves] * operation.sequences, *leaves[:scalars])
            derivatives = gradients(result, leaves)
        tape = Tape(result, leaves)
        assert same(tape.forward([numbers])[0], result.data), numbers
        assert all(map(same, tape.jacobian([numbers], wrt="inputs")[0], derivatives)), numbers


def same(x, y):
    return x == y or (math.isnan(x) and math.isnan(y)) or abs(x - y) <= 1e-14 * abs(y)  # NumPy's own functions


# ---- the decorator, with brackets and without

DECORATORS = {"@no_grad()": lambda f: no_grad()(f), "@no_grad": no_grad}
both_ways = pytest.mark.parametrize("decorate", DECORATORS.values(), ids=DECORATORS)


@both_ways
def test_functions(decorate):
    @decorate
    def predict(x: float, *more: float, scale: float = 2.0) -> tuple[Value, bool]:
        """Predicts."""
        return tanh(x) * scale, is_recorded()

    result, recorded = predict(Value(0.5), scale=3.0)
    assert (result.data, result.parents, recorded) == (math.tanh(0.5) * 3.0, (), False)
    assert (predict.__name__, predict.__doc__, predict.__module__) == ("predict", "Predicts.", __name__)
    assert [*inspect.signature(predict).parameters] == ["x", "more", "scale"]
    assert predict.__wrapped__(Value(0.5))[1]


@both_ways
def test_an_error_ends_the_block(decorate):
    @decorate
    def fail():
        raise LookupError("as it was")

    with pytest.raises(LookupError, match=r"^as it was$"):
        fail()
    assert is_recorded()


@both_ways
def test_recursion(decorate):
    @decorate
    def depth(n):
        return [is_recorded()] + (depth(n - 1) if n else [])

    assert depth(3) == [False] * 4


@both_ways
def test_methods(decorate):
    class Model:
        @decorate
        def plain(self):
            return self, is_recorded()

        @classmethod
        @decorate
        def of_the_class(cls):
            return cls, is_recorded()

        @decorate
        @classmethod
        def of_the_class_outside(cls):
            return cls, is_recorded()

        @staticmethod
        @decorate
        def static(x):
            return x, is_recorded()

        @decorate
        @staticmethod
        def static_outside(x):
            return x, is_recorded()

        @property
        @decorate
        def shown(self):
            return self, is_recorded()

        @decorate
        def __call__(self):
            return self, is_recorded()

        @decorate
        def pieces(self):
            yield self, is_recorded()

    model = Model()
    for found in (model.plain(), model.shown, model(), *model.pieces()):
        assert found == (model, False)
    assert model.of_the_class() == Model.of_the_class_outside() == (Model, False)
    assert model.static(1) == Model.static_outside(1) == (1, False)


class Callable:
    def __call__(self, x):
        return x, is_recorded()


class CallableGenerator:
    def __call__(self, x):
        yield x, is_recorded()


CALLABLES = {
    "an instance": Callable(),
    "a bound method": Callable().__call__,
    "a partial": functools.partial(Callable(), 1),
    "a builtin": divmod,
    "a function of the table": tanh,
}


@both_ways
@pytest.mark.parametrize("name", CALLABLES)
def test_other_callables(decorate, name):
    call = decorate(CALLABLES[name])
    if name == "a builtin":
        assert call(7, 2) == (3, 1)
    elif name == "a function of the table":
        assert call(Value(0.5)).parents == ()
    else:
        assert call(*() if name == "a partial" else (1,)) == (1, False)


@both_ways
def test_callables_that_run_in_pieces(decorate):
    for generate in (CallableGenerator(), functools.partial(CallableGenerator(), 1), CallableGenerator().__call__):
        pieces = decorate(generate)(*() if isinstance(generate, functools.partial) else (1,))
        assert is_recorded()
        assert next(pieces) == (1, False)
        assert is_recorded()
        assert [*pieces] == []


@pytest.mark.parametrize("thing", [Value, Callable, 5, "f", None])
def test_what_cannot_be_decorated(thing):
    with pytest.raises(TypeError, match=r"^no_grad: expected a function to decorate, or nothing, got "):
        no_grad()(thing)
    if thing is not None:
        with pytest.raises(TypeError, match=r"^no_grad: expected a function to decorate, or nothing, got "):
            no_grad(thing)


def test_a_block_may_be_opened_again_and_within_itself():
    block = no_grad()
    for _ in range(2):
        with block as opened:
            assert opened is block
            assert not is_recorded()
            with block:
                assert not is_recorded()
            assert not is_recorded()
        assert is_recorded()


def test_decorated_functions_are_pickled_by_their_name():
    assert pickle.loads(pickle.dumps(decorated)) is decorated


@no_grad
def decorated():
    return is_recorded()


# ---- generators


@both_ways
def test_a_generator_records_nothing_while_its_own_code_runs(decorate):
    @decorate
    def pieces(n):
        for i in range(n):
            before = is_recorded()
            sent = yield i, before
            assert not is_recorded()
            assert sent == (None if i == 0 else 10 * i)
        return "end", is_recorded()

    assert inspect.isgeneratorfunction(pieces)
    running = pieces(3)
    assert next(running) == (0, False)
    assert is_recorded()
    assert running.send(None) == (1, False)
    assert is_recorded()
    assert running.send(10) == (2, False)
    with pytest.raises(StopIteration) as stopped:
        running.send(20)
    assert stopped.value.value == ("end", False)
    assert [*pieces(0)] == []


@both_ways
def test_a_generator_gets_what_is_thrown_and_may_go_on(decorate):
    @decorate
    def pieces():
        while True:
            try:
                yield is_recorded()
            except KeyError as error:
                yield error.args, is_recorded()

    running = pieces()
    assert next(running) is False
    assert running.throw(KeyError("a")) == (("a",), False)
    assert is_recorded()
    assert next(running) is False
    with pytest.raises(ValueError, match="b"):
        running.throw(ValueError("b"))
    assert is_recorded()
    assert [*running] == []


@both_ways
def test_a_generator_that_is_closed_or_dropped_ends_its_code(decorate):
    ended = []

    @decorate
    def pieces():
        try:
            yield 1
            yield 2
        finally:
            ended.append(is_recorded())

    running = pieces()
    next(running)
    running.close()
    assert ended == [False]
    running = pieces()
    next(running)
    del running
    gc.collect()
    assert ended == [False, False]
    unstarted = pieces()
    unstarted.close()
    assert ended == [False, False]


@both_ways
def test_generators_take_turns(decorate):
    @decorate
    def pieces():
        for _ in range(2):
            yield is_recorded()

    def plain():
        for _ in range(2):
            yield is_recorded()

    assert [*zip(pieces(), plain(), pieces(), strict=True)] == [(False, True, False)] * 2

    @decorate
    def outer():
        yield from pieces()
        yield from plain()

    assert [*outer()] == [False] * 4
    assert [(recorded, is_recorded()) for recorded in pieces()] == [(False, True)] * 2


# ---- coroutines


class Waiting:
    """What a loop resumes, once."""

    def __await__(self):
        return (yield "waiting")


def driven(coroutine):
    """Runs a coroutine as a loop does, in this context; whether recording was on each time that it waited."""
    between = []
    while True:
        try:
            assert coroutine.send(None) == "waiting"
        except StopIteration as stop:
            return stop.value, between
        between.append(is_recorded())


@both_ways
def test_a_coroutine_records_nothing_while_its_own_code_runs(decorate):
    @decorate
    async def work(x):
        first = is_recorded()
        await Waiting()
        return x, first, is_recorded()

    assert inspect.iscoroutinefunction(work)
    assert driven(work(1)) == ((1, False, False), [True])


@both_ways
def test_tasks_do_not_disturb_each_other(decorate):
    @decorate
    async def quiet(n):
        seen = []
        for _ in range(n):
            seen.append(is_recorded())
            await asyncio.sleep(0)
        return seen

    async def plain(n):
        seen = []
        for _ in range(n):
            seen.append(is_recorded())
            await asyncio.sleep(0)
        return seen

    async def block(n):
        with no_grad():
            return await plain(n)

    async def main():
        return await asyncio.gather(quiet(3), plain(3), block(3), plain(3), quiet(2))

    assert asyncio.run(main()) == [[False] * 3, [True] * 3, [False] * 3, [True] * 3, [False] * 2]


@both_ways
def test_a_coroutine_that_is_cancelled_or_fails(decorate):
    seen = []

    @decorate
    async def work():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            seen.append(is_recorded())
            raise

    async def main():
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return is_recorded()

    assert asyncio.run(main())
    assert seen == [False]

    @decorate
    async def fail():
        await Waiting()
        raise LookupError("as it was")

    with pytest.raises(LookupError, match=r"^as it was$"):
        driven(fail())
    unfinished = fail()
    unfinished.send(None)
    unfinished.close()


@both_ways
def test_an_asynchronous_generator(decorate):
    ended = []

    @decorate
    async def pieces(n):
        try:
            for i in range(n):
                await asyncio.sleep(0)
                try:
                    sent = yield i, is_recorded()
                    assert sent is None or sent == i
                except KeyError as error:
                    yield error.args, is_recorded()
        finally:
            await asyncio.sleep(0)
            ended.append(is_recorded())

    assert inspect.isasyncgenfunction(pieces)

    async def main():
        seen = [(piece, is_recorded()) async for piece in pieces(2)]
        assert seen == [((0, False), True), ((1, False), True)]
        running = pieces(3)
        assert await anext(running) == (0, False)
        assert await running.asend(0) == (1, False)
        assert await running.athrow(KeyError("a")) == (("a",), False)
        assert is_recorded()
        await running.aclose()
        unstarted = pieces(1)
        await unstarted.aclose()
        failing = pieces(2)
        await anext(failing)
        with pytest.raises(ValueError, match="b"):
            await failing.athrow(ValueError("b"))
        return is_recorded()

    assert asyncio.run(main())
    assert ended == [False] * 3


@both_ways
def test_a_generator_that_is_awaited(decorate):
    @decorate
    @types.coroutine
    def work():
        yield "waiting"
        return is_recorded()

    async def awaiting():
        return await work(), is_recorded()

    assert driven(iter(work())) == (False, [True])
    assert driven(awaiting()) == ((False, True), [True])
    assert driven(decorate(awaiting)()) == ((False, False), [True])


# ---- a generator that suspends itself within its own block


def suspended(*, inner=None):
    with no_grad():
        yield is_recorded()
        yield inner and inner()


def test_it_leaves_the_block_open_and_backward_ends_it():
    x = Value(3.0)
    running = suspended()
    assert next(running) is False
    y = x * x
    assert (y.parents, is_recording()) == ((), False)
    x.backward()
    assert is_recorded()
    (x * x).backward()
    assert x.grad == 7.0
    running.close()
    assert is_recorded()


def test_backward_ends_a_block_in_which_nothing_raises_too():
    def unchecked():
        with recording(raises=False):
            yield

    running = unchecked()
    next(running)
    assert (Value(1.0) / 0.0).data == math.inf
    (Value(2.0) * 1.0).backward()
    with pytest.raises(ZeroDivisionError):
        Value(1.0) / 0.0
    running.close()


def test_whoever_asks_next_finds_it_open_until_then():
    first, second = suspended(), suspended()
    next(first)
    next(second)
    first.close()
    assert not is_recorded()
    second.close()
    assert is_recorded()


def test_backward_within_the_running_generator_does_not_end_its_block():
    x = Value(2.0)
    running = suspended(inner=lambda: (x.backward(), is_recorded())[1])
    next(running)
    assert next(running) is False
    x.backward()
    assert is_recorded()
    running.close()


def test_backward_in_a_block_does_not_end_it():
    x = Value(2.0)
    y = x * x
    with no_grad():
        y.backward()
        assert not is_recorded()
        with recording():
            (x * x).backward()
            assert is_recorded()
        assert not is_recorded()
    assert x.grad == 8.0


@contextlib.contextmanager
def evaluation():
    with no_grad():
        yield


@contextlib.contextmanager
def evaluation_within_another():
    with evaluation():
        yield


class Evaluation:
    def __enter__(self):
        self.block = no_grad()
        self.block.__enter__()

    def __exit__(self, *exception):
        self.block.__exit__(*exception)


class EvaluationByAStack(contextlib.ExitStack):
    def __enter__(self):
        self.enter_context(no_grad())
        return super().__enter__()


@pytest.mark.parametrize("block", [evaluation, evaluation_within_another, Evaluation, EvaluationByAStack])
def test_a_context_manager_opens_it_for_whoever_uses_that(block):
    x = Value(2.0)
    with block():
        assert not is_recorded()
        x.backward()
        assert not is_recorded()
    assert is_recorded()
    with contextlib.ExitStack() as stack:
        stack.enter_context(block())
        x.backward()
        assert not is_recorded()
    assert is_recorded()

    def by_a_generator():
        with block():
            yield is_recorded()

    running = by_a_generator()
    assert next(running) is False
    assert not is_recorded()
    x.backward()
    assert is_recorded()
    running.close()


# Whoever has opened a block may return before it ends. Each of these opens one, and returns a call that ends it.


class EvaluationByAHelper(Evaluation):
    def __enter__(self):
        self.begin()

    def begin(self):
        super().__enter__()


def by_hand():
    manager = no_grad()
    manager.__enter__()
    return lambda: manager.__exit__(None, None, None)


def by_a_class_with_a_helper():
    manager = EvaluationByAHelper()
    manager.__enter__()
    return manager.__exit__


def by_a_stack_that_is_returned():
    stack = contextlib.ExitStack()
    stack.enter_context(no_grad())
    return stack.close


def by_a_stack_that_is_filled():
    with contextlib.ExitStack() as stack:
        fill(stack)
        return stack.pop_all().close


def fill(stack):
    stack.enter_context(no_grad())


def by_a_test_case():
    case = unittest.TestCase()
    case.enterContext(no_grad())
    return case.doCleanups


ENDED = []  # generators and coroutines, which are kept


def by_a_generator_that_has_ended():
    stack = contextlib.ExitStack()

    def filling():
        yield fill(stack)
        stack.enter_context(no_grad())

    ENDED.append(filling())
    assert [*ENDED[-1]] == [None]
    return stack.close


def by_a_coroutine_that_has_ended():
    stack = contextlib.ExitStack()

    async def filling():
        stack.enter_context(no_grad())

    ENDED.append(filling())
    driven(ENDED[-1])
    return stack.close


def by_a_generator_that_is_dropped():
    stack = contextlib.ExitStack()

    def filling():
        stack.enter_context(no_grad())
        yield

    next(filling())
    return stack.close


OPENING = [
    by_hand,
    by_a_class_with_a_helper,
    by_a_stack_that_is_returned,
    by_a_stack_that_is_filled,
    by_a_test_case,
    by_a_generator_that_has_ended,
    by_a_coroutine_that_has_ended,
    by_a_generator_that_is_dropped,
]


@pytest.mark.parametrize("open_block", OPENING)
def test_backward_ends_no_block_that_was_opened_for_somebody_else(open_block):
    end = open_block()
    Value(1.0).backward()
    assert not is_recorded()
    end()
    assert is_recorded()


def test_an_asynchronous_context_manager():
    x = Value(2.0)

    @contextlib.asynccontextmanager
    async def asynchronous():
        with no_grad():
            yield

    async def main():
        async with asynchronous():
            await asyncio.sleep(0)
            x.backward()
            seen = is_recorded()
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(asynchronous())
            stack.enter_context(no_grad())
            x.backward()
            return seen, is_recorded()

    assert asyncio.run(main()) == (False, False)


def test_a_block_that_was_ended_may_still_be_left():
    running = suspended()
    next(running)
    Value(1.0).backward()
    with no_grad():
        assert [*running] == [None]
        assert not is_recorded()
    assert is_recorded()


def test_a_generator_that_is_forgotten_takes_its_block_along():
    running = suspended()
    next(running)
    alive = weakref.ref(running)
    del running
    gc.collect()
    assert alive() is None
    assert is_recorded()


def test_an_open_block_keeps_nothing_alive_once_it_is_left():
    def leave():
        x = Value(1.0)
        with no_grad():
            return weakref.ref(x)

    gc.disable()
    try:
        assert leave()() is None
    finally:
        gc.enable()


class InterruptedStack(contextlib.ExitStack):
    def _push_cm_exit(self, manager, end):  # what enter_context calls once the block is open
        raise KeyboardInterrupt


class InterruptedEvaluation(Evaluation):
    def __enter__(self):
        super().__enter__()
        raise KeyboardInterrupt


class InterruptedEvaluationByAHelper(EvaluationByAHelper):
    def __enter__(self):
        super().__enter__()
        raise KeyboardInterrupt


def interrupted_stack():
    with InterruptedStack() as stack:
        stack.enter_context(no_grad())


def interrupted_class():
    with InterruptedEvaluation():
        pass


def interrupted_class_with_a_helper():
    with InterruptedEvaluationByAHelper():
        pass


def interrupted_test_case():
    case = unittest.TestCase()
    case.addCleanup = interrupted_function
    case.enterContext(no_grad())


def interrupted_function(*_):
    manager = no_grad()
    manager.__enter__()
    raise KeyboardInterrupt


def interrupted_generator():
    def pieces():
        interrupted_stack()
        yield

    def own():
        manager = no_grad()
        manager.__enter__()
        yield
        raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        list(pieces())
    list(own())


def interrupted_coroutine():
    async def own():
        manager = no_grad()
        manager.__enter__()
        raise KeyboardInterrupt

    driven(own())


INTERRUPTED = [
    interrupted_stack,
    interrupted_class,
    interrupted_class_with_a_helper,
    interrupted_test_case,
    interrupted_function,
    interrupted_generator,
    interrupted_coroutine,
]


@pytest.mark.parametrize("opening", INTERRUPTED)
def test_a_block_whose_end_nobody_holds_is_not_open(opening):
    """Whatever has opened it was interrupted just then. No collection is needed: there is no cycle."""
    gc.disable()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            opening()
        assert is_recorded()
    finally:
        gc.enable()


def test_transforms_and_recordings_in_a_suspended_generators_block():
    running = suspended()
    next(running)
    assert grad(lambda x: x * x)(3.0) == 6.0
    assert Tape.record(lambda x: x * x, [1.0]).forward([3.0]).tolist() == [9.0]
    assert is_recorded()
    running.close()
    with no_grad(), pytest.raises(RecordingError, match="within no_grad"):
        Tape.record(lambda x: x * x, [1.0])


# ---- threads


def test_the_blocks_of_a_thread_are_its_own():
    inside, asked = threading.Barrier(2), threading.Barrier(2)
    seen = {}

    def quiet():
        with no_grad():
            inside.wait(10)
            seen["quiet"] = is_recorded()
            asked.wait(10)

    thread = threading.Thread(target=quiet)
    thread.start()
    inside.wait(10)
    seen["plain"] = is_recorded()
    Value(1.0).backward()  # ends no block of another thread
    asked.wait(10)
    thread.join()
    assert seen == {"quiet": False, "plain": True}


def test_one_block_in_two_threads():
    block, order = no_grad(), [threading.Event() for _ in range(3)]
    seen = []

    def first():
        with block:
            order[0].set()
            assert order[1].wait(10)
        seen.append(is_recorded())
        order[2].set()

    def second():
        assert order[0].wait(10)
        with block:
            order[1].set()
            assert order[2].wait(10)
            seen.append(is_recorded())
        seen.append(is_recorded())

    threads = [threading.Thread(target=target) for target in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True, False, True]


def test_blocks_of_one_manager_in_many_threads():
    manager, wrong = no_grad(), []

    def open_and_end():
        for _ in range(500):
            with contextlib.ExitStack() as stack:
                stack.enter_context(manager)
                wrong.append(is_recording())
                with manager:
                    wrong.append(is_recording())
                wrong.append(is_recording())
            wrong.append(not is_recording())
            manager.__enter__()
            wrong.append(is_recording())
            manager.__exit__(None, None, None)
            wrong.append(not is_recording())

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=open_and_end) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(wrong) == 4 * 500 * 6
    assert not any(wrong)


def test_a_decorated_generator_that_another_thread_resumes():
    @no_grad
    def pieces():
        for _ in range(3):
            yield is_recorded()

    running, seen = pieces(), []

    def resume():
        seen.append((next(running), is_recorded()))

    resume()
    thread = threading.Thread(target=resume)
    thread.start()
    thread.join()
    resume()
    assert seen == [(False, True)] * 3


# ---- blocks that end elsewhere than they began


def test_a_task_that_was_started_within_a_block_records_after_its_end():
    async def train():
        await asyncio.sleep(0.01)
        w = Value(3.0)
        z = w * w
        z.backward()
        return w.grad

    async def main():
        with no_grad():
            task = asyncio.create_task(train())
        return await task

    assert asyncio.run(main()) == 6.0


def test_a_context_that_was_copied_within_a_block_records_after_its_end():
    with no_grad():
        context = contextvars.copy_context()
        assert context.run(lambda: (Value(2.0) * 2.0).parents) == ()
    x = Value(2.0)
    assert context.run(lambda: (x * 2.0).parents) == (x,)
    with no_grad():  # another one, in another context
        assert context.run(lambda: (x * 2.0).parents) == (x,)


def test_begin_and_end_looked_up_on_the_class_as_an_exit_stack_does():
    first, second, none = no_grad(), no_grad(), (None, None, None)
    begin, end = no_grad.__enter__, no_grad.__exit__
    assert begin(first) is first
    assert not is_recorded()
    end(first, *none)
    assert is_recorded()
    for manager in (first, second, second):  # it is called again, and so belongs to no block
        assert begin(manager) is manager
    for manager in (second, first, second):
        assert not is_recorded()
        end(manager, *none)
    assert is_recorded()


@pytest.mark.parametrize("end", [lambda m: no_grad.__exit__(m, 0, 0, 0), lambda m: m.__exit__(0, 0, 0)])
def test_begin_and_end_looked_up_on_the_class_and_then_another_way(end):
    manager = no_grad()
    begin, not_called = no_grad.__enter__, no_grad.__exit__
    begin(manager)
    end(manager)
    assert is_recorded()
    with pytest.raises(RuntimeError, match="has not begun"):
        end(manager)

    no_grad.__enter__(manager)
    end(manager)
    assert is_recorded()
    begin, not_called = no_grad.__enter__, no_grad.__exit__
    with manager:
        begin(manager)
        not_called(manager, 0, 0, 0)
        assert not is_recorded()
        del not_called
    assert is_recorded()
    with pytest.raises(RuntimeError, match="has not begun"):
        end(manager)

    def begin_and_return():
        begin, _ = no_grad.__enter__, no_grad.__exit__
        begin(manager)

    begin_and_return()
    assert not is_recorded()
    end(manager)
    assert is_recorded()


def test_a_block_in_an_exit_stack_ends_once():
    manager = no_grad()
    with pytest.raises(RuntimeError, match="has not begun"), contextlib.ExitStack() as stack:  # noqa: PT012
        stack.enter_context(manager)
        manager.__exit__(None, None, None)
        assert is_recorded()
    begin, end = no_grad.__enter__, no_grad.__exit__
    begin(manager)
    end(manager, None, None, None)
    with pytest.raises(RuntimeError, match="release unlocked lock"):
        end(manager, None, None, None)


def test_a_manager_keeps_no_block_that_an_exit_stack_has_ended():
    manager = no_grad()
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            with contextlib.ExitStack() as inner:
                inner.enter_context(manager)
                stack.enter_context(manager)
                assert not is_recorded()
            assert not is_recorded()
    assert is_recorded()
    for _ in range(100):
        with contextlib.ExitStack() as stack:
            stack.enter_context(manager)
    assert len(manager._blocks) <= 1
    with pytest.raises(RuntimeError, match="has not begun"):
        manager.__exit__(None, None, None)


def test_the_end_of_a_block_that_has_not_begun_is_an_error_and_changes_nothing():
    block = no_grad()
    with pytest.raises(RuntimeError, match="no_grad: a block is ended that has not begun"):
        block.__exit__(None, None, None)
    with block:
        assert (Value(2.0) * 2.0).parents == ()
    with pytest.raises(RuntimeError, match="has not begun"):
        block.__exit__(None, None, None)
    with no_grad():
        assert (Value(2.0) * 2.0).parents == ()
    x = Value(2.0)
    assert (x * 2.0).parents == (x,)


# ---- What open blocks hold


def test_what_is_held_is_known_everywhere_and_whether_a_block_is_open_here_alone():
    holdings, seen = Holdings(), []

    def look():
        seen.append((holdings.contents(), holdings.are_open_here()))

    def look_elsewhere(run):
        thread = threading.Thread(target=run, args=[look])
        thread.start()
        thread.join()

    look()
    with holdings.holding("outer"):
        look()
        with holdings.holding("inner"):
            copied = contextvars.copy_context()
        look_elsewhere(lambda look: look())
        look_elsewhere(copied.run)
    copied.run(look)
    assert seen == [([], False), (["outer"], True), (["outer"], False), (["outer"], True), ([], False)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_has_the_blocks_of_the_thread_that_forked_alone():
    """Also where that has copied the context of one of the others. The child ends itself."""
    program = """
import contextvars, os, signal, threading
from autograd import Tape, compiled, grad
from autograd.recording import recorded_inputs
from autograd.tape import branches
from autograd.transforms import sweeps
copied, begun, over = [], threading.Semaphore(0), threading.Event()
def wait(x):
    copied.append(contextvars.copy_context())
    begun.release()
    over.wait(20)
    return x * x
threads = [threading.Thread(target=run) for run in (lambda: grad(wait)(1.0), lambda: Tape.record(wait, [1.0]))]
for thread in threads:
    thread.start()
    begun.acquire(timeout=20)
def child(x):
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        assert len(sweeps.evaluated) == 1 and sweeps.evaluated.are_open_here()
        assert not recorded_inputs and not any(each.run(branches.is_recording_tapes) for each in copied)
        assert copied[0].run(sweeps.evaluated.are_open_here) is False
        os._exit(7)
    over.set()
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    return x
grad(child)(1.0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "7\n", done.stderr
