"""Ctrl-C, at every moment: an interrupted call leaves no mode of the engine open, and nothing takes its place."""

from __future__ import annotations

import contextlib
import inspect
import os
import random
import signal
import sys
from array import array
from functools import partial

import pytest

import autograd
from autograd import (
    RecordingError,
    Tape,
    Value,
    check_gradients,
    dot,
    draw,
    exp,
    explain,
    functions,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    log,
    no_grad,
    scatter,
    structures,
    tanh,
    value_and_grad,
    vjp,
)  # fmt: skip
from autograd.engines import recording
from autograd.operations import OPERATIONS
from autograd.recording import may_raise
from autograd.tape.branches import guarded
from autograd.transforms import sweeps
from autograd.vectors import gather

pytestmark = [pytest.mark.both_engines, pytest.mark.usefixtures("no_collections")]

INTERRUPTS = int(os.environ.get("INTERRUPTS", "800"))  # by signals


# ---- what is asked afterwards


def open_modes():
    """The modes that are open, though nothing runs that has opened one."""
    x = Value(1.0)
    found = []
    if (x * x).parents != (x, x):
        found.append("no_grad")
    try:
        log(Value(-1.0))
        found.append("raises=False")
    except ValueError:
        pass
    try:
        if not may_raise():
            found.append("raises=False")
        bool(LEAF), LEAF < 1.0
    except RecordingError:
        found.append("the guard")
    if sweeps.open_variables():
        found.append("a transform's variables")
    return found


LEAF = Value(0.5)
WEIGHTS = [Value(0.5), Value(-0.25), LEAF]


def model(x):
    return tanh(dot(WEIGHTS, [x, x * x, 1.0]))


@no_grad
def quiet(x):
    return model(x)


@no_grad
def quiet_pieces(x):
    yield model(x)
    yield model(2.0 * x)


def blocks():
    with no_grad():
        with recording(raises=False):
            model(Value(2.0))
        model(LEAF)
    quiet(1.0)
    list(quiet_pieces(1.0))


def blocks_of_one_manager():
    manager = no_grad()
    for _ in range(2):
        with manager, manager:
            model(LEAF)


class Evaluation:
    """A context manager that opens a block by hand, in its own code or in a helper's."""

    def __enter__(self):
        self.begin()
        return self

    def begin(self):
        self.block = no_grad()
        self.block.__enter__()

    def __exit__(self, *exception):
        self.block.__exit__(*exception)


class DirectEvaluation(Evaluation):
    def __enter__(self):
        self.block = no_grad()
        return self.block.__enter__()


@contextlib.contextmanager
def evaluation():
    with no_grad():
        yield


def stack_of_blocks():
    """An ExitStack keeps what is interrupted in `__exit__`, until a collection, if that is written in Python."""
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(no_grad())
        stack.enter_context(recording(raises=False))
        model(LEAF)


def stack_that_a_helper_fills():
    def filled():
        with contextlib.ExitStack() as stack:
            stack.enter_context(no_grad())
            return stack.pop_all()

    with filled():
        model(LEAF)


def classes_with_enter():
    with Evaluation(), DirectEvaluation():
        model(LEAF)


def generator_with_a_stack():
    def pieces():
        with contextlib.ExitStack() as stack:
            stack.enter_context(no_grad())
            yield model(LEAF)

    list(pieces())


def guarded_block():
    with guarded([LEAF]):
        model(LEAF)


PROGRAMS = {
    "blocks": blocks,
    "blocks of one manager": blocks_of_one_manager,
    "a stack of blocks": stack_of_blocks,
    "a stack that a helper fills": stack_that_a_helper_fills,
    "classes with __enter__": classes_with_enter,
    "a generator with a stack": generator_with_a_stack,
    "a context manager of contextlib": lambda: evaluation()(model)(LEAF),
    "a guarded block": guarded_block,
    "backward": lambda: model(LEAF).backward(),
    "grad": lambda: grad(model)(0.3),
    "value_and_grad": lambda: value_and_grad(model)(0.3),
    "gradients": lambda: gradients(model(LEAF), [LEAF], create_graph=True),
    "jacobian": lambda: jacobian(lambda x: [model(x[0]), x[1]])([0.3, 0.1]),
    "hessian": lambda: hessian(lambda x: x[0] * exp(x[1]))([0.3, 0.1]),
    "hvp": lambda: hvp(model, [0.3], [1.0]),
    "jvp": lambda: jvp(model, [0.3], [1.0]),
    "vjp": lambda: vjp(model, 0.3)[1](1.0),
    "a tape": lambda: Tape.record(model, [0.3]).value_and_grad([[0.1], [0.2]]),
    "check_gradients": lambda: check_gradients(lambda x: x * x, [0.3]),
    "explain": lambda: explain(LEAF * 2.0),
    "draw": lambda: str(draw(LEAF * 2.0)),
}


# ---- an interrupt wherever Python looks for signals: where a function begins, and after each call of C


class Interrupting:
    """Raises KeyboardInterrupt at the nth of these moments in the project's code, this file's and contextlib's."""

    def __init__(self, n):
        self.left = n

    def profile(self, frame, event, argument):
        is_beginning = event == "call" and not frame.f_code.co_flags & inspect.CO_GENERATOR  # it may be closed instead
        if self.left > 0 and (is_beginning or event == "c_return") and is_own(frame.f_code.co_filename):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt


def is_own(file):
    return "autograd" in file or file == contextlib.__file__


def is_interrupted(program, n):
    """Whether it was, at the nth moment: it has fewer, if not. What it raises must be the interrupt."""
    interrupting = Interrupting(n)
    try:
        sys.setprofile(interrupting.profile)
        try:
            program()
        finally:
            sys.setprofile(None)
    except KeyboardInterrupt:
        return True
    assert interrupting.left > 0, "the interrupt has got lost"
    return False


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_interrupt_at_each_moment(program):
    n, step = 1, 1
    while is_interrupted(PROGRAMS[program], n):
        assert open_modes() == [], n
        n += step
        step += n > 300  # the first moments one by one
    assert n > 3


@pytest.mark.skipif(autograd.engine != "native", reason="the Python engine puts them back in a loop")
@pytest.mark.parametrize("program", ["grad", "jacobian", "hessian", "hvp", "jvp", "vjp", "check_gradients", "explain"])
def test_gradients_that_a_sweep_has_borrowed_are_put_back(program):
    n = 1
    scatter(array("d", [5.0, 6.0, 7.0]), WEIGHTS, "grad")
    while is_interrupted(PROGRAMS[program], n):
        assert [weight.grad for weight in WEIGHTS] == [5.0, 6.0, 7.0], n
        n += 1 + n // 100
    scatter(array("d", [0.0] * 3), WEIGHTS, "grad")


# ---- real signals, at random moments


def interrupt(program, delay):
    """Runs it again and again, until a signal comes. What it raises must be the interrupt."""
    is_over = False

    def handle(number, frame):
        nonlocal is_over
        is_over = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, handle)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, delay)
            while not is_over:
                program()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGALRM, before)
    raise AssertionError("the interrupt has got lost")


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no timers")
@pytest.mark.parametrize("program", PROGRAMS)
def test_signals_at_random_moments(program):
    PROGRAMS[program]()  # it imports what it needs
    chance = random.Random(program)
    for _ in range(INTERRUPTS // len(PROGRAMS)):
        interrupt(PROGRAMS[program], 10 ** chance.uniform(-6.0, -2.7))
        assert open_modes() == []


# ---- an interrupt within what is given: an operand's own code


def interrupt_now(*_, **__):
    raise KeyboardInterrupt


OWN = {
    "__float__": lambda name: type("Hostile", (), {name: interrupt_now}),
    "__index__": lambda name: type("Hostile", (), {name: interrupt_now}),
    "item": lambda name: type("Hostile", (), {name: interrupt_now}),
    "__iter__": lambda name: type("Hostile", (), {name: interrupt_now}),
    "__next__": lambda name: type("Hostile", (), {name: interrupt_now, "__iter__": lambda self: self}),
    "__getattribute__": lambda name: type("Hostile", (), {name: interrupt_now}),
    "a float's __float__": lambda name: type("Hostile", (float,), {"__float__": interrupt_now}),
    "an int's __float__": lambda name: type("Hostile", (int,), {"__float__": interrupt_now}),
    "a list's __iter__": lambda name: type("Hostile", (list,), {"__iter__": interrupt_now}),
    "a dict's values": lambda name: type("Hostile", (dict,), {"values": interrupt_now}),
    "a Value's data": lambda name: type("Hostile", (Value,), {"data": property(interrupt_now)}),
    "a Value's __hash__": lambda name: type("Hostile", (Value,), {"__hash__": interrupt_now}),
    "__class__": lambda name: type(
        "Hostile", (), {"__class__": property(interrupt_now), "__float__": lambda self: 1.0}
    ),
}


def entries(thing):
    """Whatever may be given a number, or a structure of them: by name, a call that gives it the thing."""
    x = Value(2.0)
    calls = {}
    for name, operation in OPERATIONS.items():
        usual = [[x, 1.0]] * operation.sequences + [x] * (len(operation.operands) - operation.sequences)
        for k in range(len(usual)):
            for given in (thing, [thing], [1.0, thing], [x, thing]) if k < operation.sequences else (thing,):
                mixed = [*usual[:k], given, *usual[k + 1 :]]
                calls[f"{name} {len(calls)}"] = partial(getattr(functions, name), *mixed)
    calls |= {
        "x +": lambda: x + thing,
        "+ x": lambda: thing * x,
        "x **": lambda: x**thing,
        "x <": lambda: x < thing,
        "Value": lambda: Value(thing),
        "children": lambda: Value(1.0, thing),
        "a child": lambda: Value(1.0, (thing,)),
        "third": lambda: Value(1.0, (x,), thing),
        "a local derivative": lambda: Value(1.0, (x,), (thing,)),
        "data": lambda: setattr(x, "data", thing),
        "grad": lambda: setattr(x, "grad", thing),
        "_children": lambda: setattr(x, "_children", thing),
        "_prev": lambda: setattr(x, "_prev", thing),
        "_local_grads": lambda: setattr(x, "_local_grads", thing),
        "backward": lambda: x.backward(thing),
        "flatten": lambda: structures.flatten([thing], structures.scalar),
        "map": lambda: structures.map(abs, [thing]),
        "numbers_like": lambda: structures.numbers_like([1.0], [thing]),
        "sum": lambda: functions.sum([thing, x]),
        "grad of": lambda: grad(lambda y: y * y)(thing),
        "a result": lambda: grad(lambda y: thing)(1.0),
        "jvp": lambda: jvp(lambda y: y * y, [1.0], [thing]),
        "vjp": lambda: vjp(lambda y: y * y, 1.0)[1](thing),
        "hessian": lambda: hessian(lambda y: y[0] * y[0])([thing]),
        "Tape": lambda: Tape([x * x, thing], [x]),
        "inputs": lambda: Tape(x * x, thing),
        "record": lambda: Tape.record(lambda y: y * y, [thing]),
        "recorded": lambda: Tape.record(lambda y: thing, [1.0]),
        "gather": lambda: gather([thing], "data", array("d", [0.0])),
        "scatter": lambda: scatter(array("d", [0.0]), [thing], "data"),
        "check_gradients": lambda: check_gradients(lambda y: y * y, [thing]),
    }
    return calls


@pytest.mark.parametrize("own", OWN)
def test_an_interrupt_in_an_operands_own_code_goes_through(own):
    """What is given has code of its own, which is interrupted; where this code is not asked, anything may be raised."""
    kind, asked = OWN[own](own), 0
    for name in entries(None):
        thing = kind(1.0) if issubclass(kind, Value) else kind.__new__(kind)
        has_run = []

        def note(frame, event, argument, has_run=has_run):
            if frame.f_code is interrupt_now.__code__:
                has_run.append(True)

        call, error = entries(thing)[name], None
        sys.setprofile(note)
        try:
            call()
        except BaseException as raised:
            error = raised
        finally:
            sys.setprofile(None)
        assert isinstance(error, KeyboardInterrupt) is bool(has_run), f"{name}: {error!r} in the place of the interrupt"
        asked += bool(has_run)
    assert asked > 0
    assert open_modes() == []
