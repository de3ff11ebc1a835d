"""The process in which one contestant runs: it answers requests, one JSON object a line, until its input ends.

A process for each, so that none runs among another's modules and garbage, or on bytecode that the interpreter has
specialised to another's numbers, and so that a crash is that contestant's own.

    python worker.py CONTESTANT
"""

from __future__ import annotations

import gc
import json
import math
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter

from contestants import CONTESTANTS
from growth import forget_peak, grow_deep, grow_wide, resident, return_memory
from networks import NETWORKS
from trainers import THREADS
from workloads import CHAIN, README

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SECONDS_PER_MEASUREMENT = 0.04  # shorter steps are repeated until they take that long

STEPS: dict[str, Callable[..., Any]] = {
    "moons": lambda contestant: contestant.training(),
    "moons-nn": lambda contestant: contestant.network(),
    "readme": lambda contestant: contestant.expression(README),
    "chain": lambda contestant: contestant.expression(CHAIN),
    "graph": lambda contestant: contestant.graph(),
    "differentiate": lambda contestant, network, examples: contestant.differentiate(NETWORKS[network], examples),
    "train": lambda contestant, network, examples: contestant.train(NETWORKS[network], examples),
}


class Worker:
    """A contestant and the step that it has prepared."""

    def __init__(self, name: str) -> None:
        self.contestant = CONTESTANTS[name].make()
        self.step: Callable[[], Any] = lambda: None
        self.repetitions = 1

    def prepare(self, workload: str, **arguments: Any) -> dict[str, Any]:
        """Takes the first steps: the seconds before the first was done, and the numbers that they computed."""
        start = perf_counter()
        self.step = STEPS[workload](self.contestant, **arguments)
        outcome = self.step()
        seconds = perf_counter() - start
        numbers = self.contestant.numbers(outcome)
        if self.contestant.differentiates:
            numbers += self.contestant.numbers(self.step())
        del outcome
        self.repetitions = math.ceil(SECONDS_PER_MEASUREMENT / self.seconds_per_step(1))
        a_step = self.seconds_per_step(self.repetitions)
        self.repetitions = math.ceil(SECONDS_PER_MEASUREMENT / a_step)
        return {"seconds": seconds, "numbers": numbers, "a step": a_step}

    def time(self, collector: bool) -> dict[str, Any]:
        """Seconds per step, with the garbage collector as Python has it, or off."""
        if not collector:
            gc.collect()
            gc.disable()
        try:
            if self.repetitions > 1:  # a warm-up: the processor's caches hold what another process left
                self.seconds_per_step(self.repetitions // 2)
            return {"seconds": self.seconds_per_step(self.repetitions)}
        finally:
            gc.enable()

    def seconds_per_step(self, repetitions: int) -> float:
        step = self.step
        start = perf_counter()
        for _ in range(repetitions):
            step()
        return (perf_counter() - start) / repetitions

    def grow(self, collector: bool, nodes: int | None = None) -> dict[str, Any]:
        """A big graph's seconds and bytes: a wide one, or a chain of so many nodes."""
        if not collector:
            gc.disable()
        return grow_wide(self.contestant) if nodes is None else grow_deep(self.contestant, nodes)

    def record(self, graph: str) -> dict[str, Any]:
        """What it takes to record a graph."""
        from tape_trainers import recording

        return recording(graph)

    def peak(self, network: str, examples: int) -> dict[str, int | None]:
        """The bytes that a first step on a batch needs at most, besides the batch itself: once in a process."""
        return_memory()
        step = self.contestant.differentiate(NETWORKS[network], examples)
        before = resident()
        forget_peak()
        step()
        peak = resident("VmHWM")
        return {"bytes": None if before is None or peak is None else peak - before}


def main(name: str) -> None:
    if THREADS > 1 and hasattr(os, "sched_setaffinity"):  # as many processors, for those that count them
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a contestant prints is not an answer
    try:
        worker = Worker(name)
    except ImportError as error:
        print(json.dumps({"failed": f"not installed: {error}"}), file=answers)
        return
    print(json.dumps({"version": installed_version(CONTESTANTS[name].distribution)}), file=answers)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(worker, request.pop("do"))(**request)
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers)


def installed_version(distribution: str) -> str:
    try:
        return version(distribution) if distribution else ""
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    main(sys.argv[1])
