"""The C executor: it writes the Wengert list out as C, and the system's compiler makes a program of it.

The texts are in `c_units.py`, and how they are compiled in `compiling.py`. They are compiled when they are needed:
there is one for a single example, and one for batches, each with gradients and without.
"""

from __future__ import annotations

import threading
from ctypes import c_int64, c_void_p
from typing import TYPE_CHECKING, Any

from autograd.locks import Lock
from autograd.operations import ROWS
from autograd.packages import numpy
from autograd.tape.dialects import Lanes, Rules
from autograd.tape.executors import compiling
from autograd.tape.executors.c_units import CHUNK, EIGHT, MOST_LANES, Units
from autograd.tape.executors.executor import Executor
from autograd.tape.wengert import ON_INPUTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from autograd.tape.executors.executor import Array
    from autograd.tape.wengert import WengertList

OPERANDS_WORTH_A_THREAD = 1 << 18  # so many take longer than a thread takes to start
OPERANDS_BETWEEN_SIGNALS = 1 << 24  # so many take some hundredths of a second


SHORT_LIST = 80  # operands
# For longer lists gcc takes many seconds at -O3, and makes nothing quicker. For texts of thousands of unlike
# instructions -O1 does in half of the time what -O2 does, but for two things: before calls of the C library the upper
# halves of vectors need to be cleared (in gcc's words, an expensive optimisation), and fast_math.h needs vectors.
OF_SHORT, OF_OTHERS, OF_LONG = ("-O3",), ("-O2", "-fno-tree-slp-vectorize"), ("-O1", "-fexpensive-optimizations")


def level(operands: int, is_long: bool, fast_math: bool) -> tuple[str, ...]:
    """The compiler's flags that say how much is optimised."""
    if is_long and not fast_math:
        return OF_LONG
    return OF_SHORT if operands <= SHORT_LIST else OF_OTHERS


class C(Executor):
    """Machine code of the list itself, several examples in the lanes of vectors, forward and backward together."""

    has_fast_math = True

    def missing(self, wengert: WengertList | None = None) -> str:
        reason = compiling.missing()
        if reason or wengert is None:
            return reason
        rules = Rules(Lanes)
        for row in {*wengert.rows.tolist()}:
            if row >= len(ROWS):
                continue  # the list is damaged, as is found out later
            try:
                for partial in (None, *range(len(ROWS[row].partials))):
                    rules.rule(ROWS[row], partial)
            except TypeError as error:
                return str(error)
        return ""

    def program(self, wengert: WengertList) -> Program:
        return Program(wengert, fast_math=False)

    def fast_program(self, wengert: WengertList) -> Program:
        return Program(wengert, fast_math=True)


class Unit:
    """A unit that is compiled, and rooms for its replays: each thread has one for itself."""

    def __init__(self, text: str, numbers: int, options: tuple[str, ...]) -> None:
        library = compiling.compiled(text, options)
        self.library, self.run, self.numbers = library, library.run, numbers
        self.rooms: list[Array] = []

    def room(self) -> Array:
        try:
            return self.rooms.pop()
        except IndexError:
            memory = numpy.zeros(self.numbers + MOST_LANES)
            first = -memory.ctypes.data % (8 * MOST_LANES) // 8  # as vectors are aligned
            return memory[first : first + self.numbers]


class Program:
    """A list, and what has been compiled of it so far."""

    def __init__(self, wengert: WengertList, fast_math: bool) -> None:
        self.wengert, self.units = wengert, Units(wengert, fast_math)
        self.compiled: dict[tuple[str, bool, bool], Unit] = {}
        self.lock = Lock()
        self.options = compiling.FAST if fast_math else compiling.EXACT
        self.first, self.end = wengert.inputs, wengert.first_result
        self.variables = self.end + len(wengert)
        self.operands = len(wengert.operands) + wengert.inputs + len(wengert.outputs)
        depends = wengert.dependences
        self.uniform_outputs = [
            (k, v) for k, v in enumerate(wengert.outputs.tolist()) if v < 0 or not depends[v] & ON_INPUTS
        ]
        self.constants = numpy.array([*wengert.constants.tolist(), -0.0, 0.0, 1.0])
        places = wengert.outputs
        self.output_places = numpy.where(places < 0, self.variables - 1 - places, places)
        self.spare: list[tuple[Array, Array]] = []  # arrays that no replay uses now

    def compile(self) -> None:
        """Compiles all that replays may need: of batches and of one example, with each gradient and without."""
        for kind in ("lanes", "one"):
            for backward, for_inputs in ((False, False), (True, False), (True, True)):
                self.unit(kind, backward, for_inputs)
        for backward in (False, True) if self.units.has_uniform else ():
            self.unit("uniform", backward, False)

    def unit(self, kind: str, backward: bool, for_inputs: bool) -> Unit:
        key = kind, backward, for_inputs
        with self.lock():
            if key not in self.compiled:
                write: Callable[..., Any] = getattr(self.units, f"of_{kind}")
                written = write(backward) if kind == "uniform" else write(backward, for_inputs)
                optimised = level(len(self.wengert.operands), written.is_long, self.units.fast_math)
                self.compiled[key] = Unit(written.text, written.room, (*optimised, *self.options))
            return self.compiled[key]

    # ---- A replay

    def replay(
        self, examples: int, batch: Array, parameters: Array, outputs: Array, seeds: Array | None, gradient: Array,
        input_gradients: Array | None, threads: int, /,
    ) -> None:  # fmt: skip
        asked: list[bool] = []
        if seeds is not None:
            asked = (seeds.reshape(-1, outputs.shape[1]) != 0.0).any(axis=0).tolist()
        if seeds is not None and not any(asked):  # nothing is differentiated
            gradient[:] = 0.0
            if input_gradients is not None:
                input_gradients[:] = 0.0
            seeds = None
        need = numpy.array([*self.units.needs(asked), False], numpy.uint8)
        if examples == 1:
            self.replay_one(batch, parameters, outputs, seeds, gradient, input_gradients, need)
        else:
            self.replay_many(batch, parameters, outputs, seeds, gradient, input_gradients, need, threads)

    def arrays(self, parameters: Array, are_differentiated: bool) -> tuple[Array, Array]:
        """All variables' numbers, with those that are there before anything is computed, and their adjoints, 0.

        They are a pair of `spare`, since a new one's memory would have to come from the system each time.
        """
        try:
            numbers, adjoints = self.spare.pop()
        except IndexError:
            numbers, adjoints = (numpy.empty(self.variables + len(self.constants)) for _ in range(2))
            numbers[self.variables :] = self.constants
        numbers[self.first : self.end] = parameters
        if are_differentiated:
            adjoints[:] = 0.0
        return numbers, adjoints

    def replay_one(
        self, batch: Array, parameters: Array, outputs: Array, seeds: Array | None, gradient: Array,
        input_gradients: Array | None, need: Any,
    ) -> None:  # fmt: skip
        numbers, adjoints = pair = self.arrays(parameters, seeds is not None)
        numbers[: self.first] = batch[0]
        places = self.wengert.outputs
        if seeds is not None:
            numpy.add.at(adjoints, places, seeds.reshape(-1))
        unit = self.unit("one", seeds is not None, input_gradients is not None)
        call(unit, numbers, adjoints, need, 3)
        outputs[0] = numbers[self.output_places]
        if seeds is not None:
            gradient[:] = adjoints[self.first : self.end]
            if input_gradients is not None:
                input_gradients[0] = adjoints[: self.first]
        self.spare.append(pair)

    def replay_many(
        self, batch: Array, parameters: Array, outputs: Array, seeds: Array | None, gradient: Array,
        input_gradients: Array | None, need: Any, threads: int,
    ) -> None:  # fmt: skip
        numbers, totals = pair = self.arrays(parameters, seeds is not None)
        uniform = self.unit("uniform", seeds is not None, False) if self.units.has_uniform else None
        if uniform:
            call(uniform, numbers, totals, need, 1)
        unit = self.unit("lanes", seeds is not None, input_gradients is not None)
        sums = totals if seeds is not None else totals[:0]
        Chunks(unit, batch, numbers, outputs, seeds, sums, input_gradients, need).run(
            self.most_threads(batch, threads), self.operands
        )
        if seeds is not None:
            for k, variable in self.uniform_outputs:
                totals[variable] += sum_of_seeds(seeds[:, k]) if seeds.ndim == 2 else len(batch) * seeds[k]
            if uniform:
                call(uniform, numbers, totals, need, 2)
            gradient[:] = totals[self.first : self.end]
        self.spare.append(pair)

    def most_threads(self, batch: Array, threads: int) -> int:
        chunks = -(-len(batch) // CHUNK)
        return max(1, min(threads, chunks, len(batch) * self.operands // OPERANDS_WORTH_A_THREAD))


def call(unit: Unit, numbers: Array, adjoints: Array, need: Any, sweeps: int) -> None:
    room = unit.room()
    unit.run(pointer(numbers), pointer(adjoints), pointer(need, numpy.uint8), pointer(room), sweeps)
    unit.rooms.append(room)


def pointer(array: Any, kind: type = numpy.float64) -> c_void_p:
    """To the first number. Compiled code takes the others to lie behind it, row by row."""
    if array is None:
        return c_void_p(None)
    if array.dtype != kind or not array.flags.c_contiguous:
        order = "" if array.flags.c_contiguous else ", not C-contiguous"
        raise ValueError(f"replay: expected C-contiguous arrays of {kind.__name__}, got one of {array.dtype}{order}")
    return c_void_p(array.ctypes.data)


def sum_of_seeds(seeds: Array) -> float:
    """As eight sums within each chunk."""
    total = 0.0
    for first in range(0, len(seeds), CHUNK):
        chunk = seeds[first : first + CHUNK]
        padded = numpy.concatenate([numpy.zeros(EIGHT), chunk, numpy.zeros(-len(chunk) % EIGHT)])
        x = numpy.cumsum(padded.reshape(-1, EIGHT), axis=0)[-1].tolist()
        total += ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]))
    return total


class Chunks:
    """A batch, chunk by chunk. The chunks' sums are added in their order, whichever thread has computed them."""

    def __init__(
        self, unit: Unit, batch: Array, numbers: Array, outputs: Array, seeds: Array | None, totals: Array,
        input_gradients: Array | None, need: Any,
    ) -> None:  # fmt: skip
        self.unit, self.batch, self.numbers, self.outputs, self.seeds = unit, batch, numbers, outputs, seeds
        self.totals, self.input_gradients, self.need = totals, input_gradients, need
        self.turn, self.is_stopped = 0, False
        self.error: BaseException | None = None  # of another thread
        self.condition = threading.Condition()

    def run(self, threads: int, operands: int) -> None:
        """With one thread, so many chunks at once that signals need not wait for long."""
        if threads == 1:
            examples = max(1, OPERANDS_BETWEEN_SIGNALS // (operands * CHUNK)) * CHUNK
            room = self.unit.room()
            part = numpy.empty_like(self.totals) if len(self.batch) > CHUNK and len(self.totals) else None
            for first in range(0, len(self.batch), examples):
                self.replay(slice(first, first + examples), self.totals, part, room)
            self.unit.rooms.append(room)
            return
        others = [threading.Thread(target=self.share_or_stop, args=(t, threads)) for t in range(1, threads)]
        started: list[threading.Thread] = []
        try:
            for other in others:
                other.start()
                started.append(other)
            self.share(0, threads)
        except BaseException:
            self.stop()
            raise
        finally:
            for other in started:
                other.join()
        if self.error is not None:
            raise self.error

    def share_or_stop(self, thread: int, threads: int) -> None:
        try:
            self.share(thread, threads)
        except BaseException as error:  # which the others must not wait for
            self.error = error
            self.stop()

    def stop(self) -> None:
        with self.condition:
            self.is_stopped = True
            self.condition.notify_all()

    def share(self, thread: int, threads: int) -> None:
        """One chunk of so many."""
        room, total = self.unit.room(), numpy.empty_like(self.totals)
        for first in range(thread * CHUNK, len(self.batch), threads * CHUNK):
            total[:] = 0.0
            self.replay(slice(first, first + CHUNK), total, None, room)
            with self.condition:
                self.condition.wait_for(lambda: self.is_stopped or self.turn == first // CHUNK)  # noqa: B023
                if self.is_stopped:
                    return
                self.turn += 1
                self.totals += total
                self.condition.notify_all()
        self.unit.rooms.append(room)

    def replay(self, place: slice, total: Array, part: Array | None, room: Array) -> None:
        batch, seeds, step = self.batch[place], self.seeds, 0
        if seeds is not None and seeds.ndim == 2:
            seeds, step = seeds[place], seeds.shape[1]
        gradients = self.input_gradients[place] if self.input_gradients is not None else None
        self.unit.run(
            c_int64(len(batch)), pointer(batch), pointer(self.numbers), pointer(seeds), c_int64(step),
            pointer(self.need, numpy.uint8), pointer(self.outputs[place]), pointer(total), pointer(part),
            c_int64(len(total)), pointer(gradients), pointer(room),
        )  # fmt: skip
