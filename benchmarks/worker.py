"""The process in which one contestant runs. It answers questions, one JSON object a line, until its input ends.

A process for each, so that none runs among another's modules and garbage, or on bytecode that the interpreter has
specialised to another's numbers, and so that a crash is that contestant's own. An answer is a sample: numbers by name.

    python worker.py CONTESTANT
"""

import ctypes
import gc
import json
import math
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import transformer
from arrays import THREADS
from backgammon import BACKGAMMON
from contestants import CONTESTANTS
from nettalk import READING
from second_derivatives import DERIVED
from structures import STRUCTURES
from workloads import EXPRESSIONS, NETWORKS, Step, chain, wide

SECONDS_PER_MEASUREMENT = 0.04  # shorter steps are repeated until they take that long
WORKLOADS, GRAPHS = (
    {**EXPRESSIONS, **NETWORKS, **STRUCTURES, **READING, **BACKGAMMON, **DERIVED},
    {"chain": chain, "wide": wide},
)
M_MMAP_THRESHOLD = -3  # of glibc's malloc.h


class Worker:
    """A contestant, and the step that it has prepared. Its public methods answer questions."""

    def __init__(self, name: str) -> None:
        self.name, self.contestant = name, CONTESTANTS[name].make()
        self._task: dict[str, Any] = {}
        self._step: Step = lambda: None
        self._repetitions, self._first = 1, 0.0

    def answer(self, question: str, collector: bool, **task: Any) -> dict[str, Any]:
        """A sample, with the garbage collector as Python has it or off."""
        prepared = {} if question != "time" or task == self._task else {"numbers": self._prepare(**task)}
        if not collector:
            gc.collect()
            gc.disable()
        try:
            return getattr(self, question)(**task) | prepared  # type: ignore[no-any-return]
        finally:
            gc.enable()

    def time(self, **task: Any) -> dict[str, float]:
        """The seconds that a step takes, and those until the first was done."""
        if self._repetitions > 1:  # a warm-up: the processor's caches hold what another process left
            self._seconds_per_step(self._repetitions // 2)
        return {"seconds": self._seconds_per_step(self._repetitions), "first": self._first}

    def _prepare(self, work: str, workload: str, **size: int) -> list[list[float]]:
        """Takes the first two steps, or one where all compute the same. Returns what each of them computed."""
        start = perf_counter()
        self._step = getattr(self.contestant, work)(WORKLOADS[workload], **size)
        outcome = self._step()
        self._first = perf_counter() - start
        numbers = [self.contestant.numbers(outcome)]
        if self.contestant.differentiates:
            numbers.append(self.contestant.numbers(self._step()))
        del outcome
        self._repetitions = 1
        for _ in range(2):  # a single step is a first guess
            self._repetitions = math.ceil(SECONDS_PER_MEASUREMENT / self._seconds_per_step(self._repetitions))
        self._task = {"work": work, "workload": workload, **size}
        return numbers

    def _seconds_per_step(self, repetitions: int) -> float:
        step, clock = self._step, perf_counter
        if hasattr(step, "seconds"):
            return step.seconds(repetitions, clock) / repetitions  # type: ignore[no-any-return]
        start = clock()
        for _ in range(repetitions):
            step()
        return (clock() - start) / repetitions

    def grow(self, graph: str, size: int, nodes: int) -> dict[str, Any]:
        """The seconds of building a big graph, differentiating and freeing it; bytes. Plain floats only compute.

        To be asked once of a process: a second graph would move into the memory that the first one left.
        """
        if size > 4:
            self.grow(graph, 4, 1)  # a warm-up
        contestant, clock = self.contestant, perf_counter
        memory, start = [resident()], clock()
        root, leaves = GRAPHS[graph](size, contestant.leaf, contestant.relu)
        seconds = [clock() - start]
        if not contestant.differentiates:
            return {"together": seconds[0], "build": seconds[0], "numbers": [[root]]}
        memory.append(resident())
        start = clock()
        root.backward()
        seconds.append(clock() - start)
        memory.append(resident("VmHWM"))
        numbers = contestant.numbers((root, [leaves[0], leaves[-1]]))
        start = clock()
        del root
        if contestant.cyclic:
            gc.collect()
        seconds.append(clock() - start)
        before, built, most, after = *memory, resident()
        return {
            **dict(zip(("build", "backward", "free"), seconds, strict=True)),
            "together": sum(seconds), "a node": sum(seconds) / nodes, "numbers": [numbers],
            "bytes a node": (built - before) / nodes, "at most a node": (most - before) / nodes,
            "before": before, "at most": most, "after": after,
            "not given back": (after - before) / max(most - before, 1),
        }  # fmt: skip

    def peak(self, workload: str, examples: int) -> dict[str, float]:
        """The bytes that a first step on a batch needs at most, besides what was there once it was prepared."""
        give_back_at_once()
        return {"memory": growth(self.contestant.differentiate(NETWORKS[workload], examples))}

    def room(self, workload: str, examples: int) -> dict[str, float]:
        """The bytes that a tape's replay needs, besides the list that it replays."""
        give_back_at_once()
        step, parameters = self.contestant.ready(NETWORKS[workload], examples)
        memory = growth(step)
        return {"memory": memory, "numbers a weight": memory / 8 / parameters}

    def learn(self, steps: int, work: str = "learn") -> dict[str, Any]:
        """The seconds of a whole training of microgpt, with so many steps, and what of them falls to a token."""
        names = transformer.names(steps)
        start = perf_counter()
        losses = getattr(self.contestant, work)(names)
        seconds = perf_counter() - start
        tokens = sum(len(name) + 1 for name in names)
        return {"training": seconds, "a step": seconds / steps, "a token": seconds / tokens, "numbers": [losses]}

    def record(self, graph: str) -> dict[str, float]:
        """What it takes to record a graph."""
        from tapes import recording

        return recording(graph, perf_counter)

    def load(self) -> dict[str, float]:
        """The seconds that an import adds to the start of Python."""
        times = [perf_counter()]
        for code in ("pass", f"import {CONTESTANTS[self.name].module}"):
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(perf_counter())
        return {"seconds": times[2] - 2 * times[1] + times[0]}


def give_back_at_once() -> None:
    """From now on, big blocks of memory that are freed."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 1 << 16)


def growth(step: Step) -> float:
    """The bytes that the step needs at most, besides those that are there already."""
    before = resident()
    with suppress(OSError):  # "at most so far" begins anew
        Path("/proc/self/clear_refs").write_text("5")
    step()
    return resident("VmHWM") - before


def resident(field: str = "VmRSS") -> float:
    """Bytes of this process in memory, now or (VmHWM) at most so far; nan where the system doesn't say."""
    with suppress(OSError):
        [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field)]
        return float(line.split()[1]) * 1024
    return math.nan


def main(name: str) -> None:
    if THREADS > 1 and hasattr(os, "sched_setaffinity"):  # as many processors, for those that count them
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a contestant prints is not an answer
    worker = None
    for line in sys.stdin:
        try:
            worker = worker or Worker(name)
            answer = worker.answer(**json.loads(line))
        except Exception as error:
            kind = "not installed" if isinstance(error, ImportError) else type(error).__name__
            answer = {"failed": f"{kind}: {error}"}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main(sys.argv[1])
