"""How contestants are measured: in turns, ours, theirs, ours, theirs, ..., each pair under the same weather.

A machine that others use, or that warms up, slows both of a pair. So the ratio is taken in each pair, and of the ratios
the median. Each contestant has a process of its own, which `worker.py` runs.
"""

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Any

from contestants import CONTESTANTS
from report import RATIO, Case, Cell, Row, Sample, Table

FOLDER = Path(__file__).parent
SECONDS_PER_ANSWER, SECONDS_PER_STEP = 150, 2.0
# Once so many seconds have passed, so many turns are enough; by whether each sample has a process of its own.
ENOUGH = {False: (4.0, 3), True: (20.0, 1)}


class CannotError(Exception):
    """A contestant is not installed, or failed; the message says how."""


def measured(table: Table, quick: bool = False) -> dict[str, list[Cell]]:
    """Of each row, by its title, a cell for each case. If quick, of one turn.

    Raises CannotError where ours, which the others are held against, is not there or fails.
    """
    with ExitStack() as processes:
        takers = [Taker(table, row, processes) for row in table.rows]
        ours, others = (takers[0], takers[1:]) if table.paired else (None, takers)
        for case in table.cases:
            samples: list[Sample] = []  # of ours
            for taker in others:
                taker.cells.append(measured_cell(case, ours, taker, samples, quick))
            if ours:
                ours.cells.append(Cell(samples or [ours(case)]))
    return {taker.row.title: taker.cells for taker in takers}


class Taker:
    """Takes samples of a row, all from one process, or each from its own."""

    def __init__(self, table: Table, row: Row, processes: ExitStack) -> None:
        self.table, self.row, self.processes = table, row, processes
        self.process: subprocess.Popen[str] | None = None
        self.cells: list[Cell] = []
        self.numbers: list[list[float]] = []  # what it computed

    def __call__(self, case: Case) -> Sample:
        task = {"question": self.table.question, "collector": case.collector}
        with ExitStack() as once:
            if self.table.once or not self.process:
                processes = once if self.table.once else self.processes
                self.process = processes.enter_context(worker(self.row.contestant, self.table.threads))
            sample = asked(self.process, **task, **{**case.task, **self.row.task})
        self.numbers = sample.pop("numbers", self.numbers)
        return sample


def measured_cell(case: Case, ours: Taker | None, theirs: Taker, samples: list[Sample], quick: bool) -> Cell:
    """Samples of theirs, in turns with ours, which are added to `samples`; or their error."""
    table, takers = theirs.table, [ours, theirs] if ours else [theirs]
    seconds, least = (0.0, 1) if quick else ENOUGH[table.once]
    try:
        refuse_slow(theirs, case)
        if not table.once:
            for taker in takers:  # which prepares, and warms up
                taker(case)
            same_numbers(theirs.numbers, takers[0].numbers)
        turns = in_turns([partial(taker, case) for taker in takers], table.most, least, seconds)
        same_numbers(theirs.numbers, takers[0].numbers)
    except CannotError as error:
        if ours:
            ours(case)  # which raises if it was ours that failed
        return Cell(error=str(error))
    if not ours:
        return Cell([sample for [sample] in turns])
    samples += [sample for sample, _ in turns]
    return Cell([sample | {RATIO: sample[table.value] / of_ours[table.value]} for of_ours, sample in turns])


def in_turns(takers: Sequence[Callable[[], Sample]], most: int, least: int, seconds: float) -> list[list[Sample]]:
    """At most so many turns, and no more once they have taken so many seconds, but at least so many."""
    turns: list[list[Sample]] = []
    start = monotonic()
    while len(turns) < most and (len(turns) < least or monotonic() - start < seconds):
        turns.append([take() for take in takers])
    return turns


def refuse_slow(taker: Taker, case: Case) -> None:
    """Raises CannotError if a step would take seconds, by the time of one with fewer examples."""
    for smaller, cell in zip(taker.table.cases, taker.cells, strict=False):
        few, many = smaller.task.get("examples", 1), case.task.get("examples", 1)
        if 1 < few < many and max(cell.numbers("seconds"), default=0.0) * many / few > SECONDS_PER_STEP:
            raise CannotError("left out")


def same_numbers(theirs: Sequence[Sequence[float]], ours: Sequence[Sequence[float]]) -> None:
    """Raises CannotError where what was computed differs, as far as both go: plain floats compute no gradient.

    A number that is small among the others may be a difference of larger ones: it is held against these.
    """
    for numbers, expected in zip(theirs, ours, strict=False):
        largest = max(map(abs, expected))
        for number, other in zip(numbers, expected, strict=False):
            if not math.isclose(number, other, rel_tol=1e-9, abs_tol=1e-12 * largest):
                raise CannotError(f"computes other numbers: {number} for {other}")


@contextmanager
def worker(contestant: str, threads: int = 1) -> Iterator[subprocess.Popen[str]]:
    """A contestant's process, until the end of the block."""
    command, pipe = [sys.executable, str(FOLDER / "worker.py"), contestant], subprocess.PIPE
    own = environment(contestant, threads)
    with suppress(BrokenPipeError), subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=own) as process:
        try:
            yield process
        finally:
            process.kill()


def asked(process: subprocess.Popen[str], **question: Any) -> Sample:
    """The worker's answer. Raises CannotError if it fails, crashes, or takes too long."""
    assert process.stdin
    assert process.stdout
    limit = Timer(SECONDS_PER_ANSWER, process.kill)
    limit.start()
    with suppress(BrokenPipeError):  # it is dead, as the lack of an answer will tell
        print(json.dumps(question), file=process.stdin, flush=True)
    line = process.stdout.readline()
    in_time = limit.is_alive()
    limit.cancel()
    if not line and in_time:
        code = process.wait()
        raise CannotError(f"crashed ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}")
    answer: Sample = json.loads(line) if line else {"failed": f"stopped after {SECONDS_PER_ANSWER} s"}
    if "failed" in answer:
        raise CannotError(answer["failed"])
    return answer


def environment(contestant: str, threads: int = 1) -> dict[str, str]:
    """This process's, with `autograd` to be found though not installed, and bytecode kept as it usually is."""
    path = os.pathsep.join(filter(None, [str(FOLDER.parent), os.environ.get("PYTHONPATH", "")]))
    # The libraries and arrays.py read how many threads to use; JAX's variable is NPROC.
    count = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"), str(threads))
    own = {**os.environ, "PYTHONPATH": path, **count, **CONTESTANTS[contestant].environment}
    own.pop("PYTHONDONTWRITEBYTECODE", None)
    return own
