"""How is each comparison measured, and what stands in its table?"""

from __future__ import annotations

import math
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from time import perf_counter

from comparisons import MEMORIES
from contestants import CONTESTANTS
from growth import DEPTHS, WIDE_NODES
from pairs import CannotError, Pairs, Worker, environment, taken_in_turns, worker
from report import duration, megabytes, ratio, section, significant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from comparisons import Comparison, Table


@dataclass(frozen=True)
class Run:
    """Who takes part, and how many pairs are measured."""

    ours: str  # the native engine where it is built, else Python's
    missing: dict[str, str]  # who is not there, and why
    pairs: int  # of a comparison, at most
    seconds: float  # of a comparison; once they have passed, three pairs are enough
    processes: int  # pairs, where every measurement starts a process and may take half a minute

    @property
    def tape(self) -> str:
        return "tape-numpy" if "tape" in self.missing else "tape"

    def others(self, comparison: Comparison) -> list[str]:
        return [name for name in comparison.contestants if name != self.ours]

    def budget(self, comparison: Comparison | Table, key: str, measured: float) -> str:
        """The verdict; budgets are the native engine's."""
        if key not in comparison.budgets or "native" in self.missing:
            return ""
        return comparison.budgets[key].verdict(measured)


# ---- a step, again and again


def measure_steps(run: Run, comparison: Comparison) -> str:
    header = ["", "time", "× ours", "collector off: time", "× ours", "first", "budget"]
    rows: list[list[str]] = []
    times: dict[bool, list[float]] = {True: [], False: []}
    with worker(run.ours) as ours:
        prepared = ours.ask("prepare", workload=comparison.name)
        for name in run.others(comparison):
            try:
                first, pairs = step_pairs(run, comparison, ours, name, prepared["numbers"])
            except CannotError as error:
                if ours.process.poll() is not None:  # it was ours
                    raise
                rows.append([CONTESTANTS[name].title, str(error)])
                continue
            cells = [cell for on in (True, False) for cell in (duration(pairs[on].time), pairs_ratio(pairs[on]))]
            budget = run.budget(comparison, name, pairs[True].ratio)
            rows.append([CONTESTANTS[name].title, *cells, duration(first), budget])
            for on in (True, False):
                times[on] += pairs[on].ours
    cells = [cell for on in (True, False) for cell in (duration(median(times[on])) if times[on] else "—", "1")]
    rows.insert(0, [CONTESTANTS[run.ours].title, *cells, duration(prepared["seconds"]), ""])
    return section(comparison, header, rows)


def step_pairs(
    run: Run, comparison: Comparison, ours: Worker, name: str, expected: Sequence[float]
) -> tuple[float, dict[bool, Pairs]]:
    """Seconds to the first step, and the pairs with the garbage collector on and off."""
    present(run, name)
    with worker(name) as theirs:
        prepared = theirs.ask("prepare", workload=comparison.name)
        same_numbers(prepared["numbers"], expected)

        def seconds(contestant: Worker, on: bool) -> float:
            return contestant.ask("time", collector=on)["seconds"]  # type: ignore[no-any-return]

        pairs = {
            on: taken_in_turns(partial(seconds, ours, on), partial(seconds, theirs, on), run.pairs, run.seconds)
            for on in (True, False)
        }
    return prepared["seconds"], pairs


def present(run: Run, name: str) -> None:
    if name in run.missing:
        raise CannotError(run.missing[name])


def same_numbers(numbers: Sequence[float], expected: Sequence[float]) -> None:
    """Raises CannotError where they differ, as far as both go: plain floats compute no gradient.

    A number that is small among the others may be a difference of larger ones: it is held against these.
    """
    largest = max(map(abs, expected))
    for number, other in zip(numbers, expected, strict=False):
        if not math.isclose(number, other, rel_tol=1e-9, abs_tol=1e-12 * largest):
            raise CannotError(f"computes other numbers: {number} for {other}")


def pairs_ratio(pairs: Pairs) -> str:
    return ratio(pairs.ratio, pairs.spread)


# ---- one big graph


def measure_million(run: Run, comparison: Comparison) -> str:
    header = [
        "", "build", "backward", "free", "together", "× ours", "collector off: together", "× ours",
        "bytes a node", "at most", "budget",
    ]  # fmt: skip
    grown: dict[tuple[str, bool], list[Any]] = defaultdict(list)

    def seconds(name: str, on: bool) -> float:
        with worker(name) as process:
            growth = process.ask("grow", collector=on)
        grown[name, on].append(growth)
        return sum(growth["seconds"])  # type: ignore[no-any-return]

    for on in (True, False):
        seconds(run.ours, on)
    rows = []
    for name in run.others(comparison):
        try:
            present(run, name)
            pairs = {
                on: taken_in_turns(partial(seconds, run.ours, on), partial(seconds, name, on), run.processes, limit, 1)
                for on, limit in ((True, 5 * run.seconds), (False, run.seconds))
            }
            same_numbers(grown[name, True][0]["numbers"], grown[run.ours, True][0]["numbers"])
        except CannotError as error:
            rows.append([CONTESTANTS[name].title, str(error)])
            continue
        budget = run.budget(comparison, name, pairs[True].ratio)
        rows.append(million_row(name, grown, [pairs_ratio(pairs[True]), pairs_ratio(pairs[False])], budget))
    size = bytes_a_node(grown[run.ours, True])
    budget = run.budget(comparison, "bytes", size) if size is not None else ""
    rows.insert(0, million_row(run.ours, grown, ["1", "1"], budget))
    return section(comparison, header, rows)


def million_row(name: str, grown: dict[tuple[str, bool], list[Any]], ratios: list[str], budget: str) -> list[str]:
    on, off = grown[name, True], grown[name, False]
    phases = phase_cells(on)
    phases += ["—"] * (3 - len(phases))  # plain floats only build
    together = [duration(median(sum(growth["seconds"]) for growth in growths)) for growths in (on, off)]
    sizes = [f"{size:.0f}" if size is not None else "—" for size in (bytes_a_node(on), bytes_a_node(on, "peak"))]
    return [CONTESTANTS[name].title, *phases, together[0], ratios[0], together[1], ratios[1], *sizes, budget]


def phase_cells(growths: list[Any]) -> list[str]:
    return [duration(median(seconds)) for seconds in zip(*(growth["seconds"] for growth in growths), strict=True)]


def bytes_a_node(growths: list[Any], moment: str = "built") -> float | None:
    """The median; None where the system doesn't tell, and for floats, which are gone when the sum is there."""
    if any(growth["peak"] is None for growth in growths):
        return None
    after = [growth["peak"] if moment == "peak" else growth["memory"][1] for growth in growths]
    return median((a - growth["memory"][0]) / WIDE_NODES for a, growth in zip(after, growths, strict=True))  # type: ignore[no-any-return]


# ---- the same graph ten times as deep


def measure_deep(run: Run, comparison: Comparison) -> str:
    """Native only: Python's objects are too big for ten million of them on many a machine."""
    header = ["nodes", "build", "backward", "free", "together, per node", "memory before", "at most", "after", "budget"]
    if run.ours != "native":
        return section(comparison, header, [[run.missing["native"]]])
    grown: dict[int, list[Any]] = {nodes: [] for nodes in DEPTHS}
    for _ in range(run.processes):
        for nodes in DEPTHS:
            with worker("native") as process:
                grown[nodes].append(process.ask("grow", collector=True, nodes=nodes))
    per_node = {nodes: median(sum(growth["seconds"]) / nodes for growth in grown[nodes]) for nodes in DEPTHS}
    few, many = DEPTHS
    linear = run.budget(comparison, "linear", per_node[many] / per_node[few])
    rows = []
    for nodes, growths in grown.items():
        memory, left = memory_cells(growths)
        verdicts = [linear] + ([run.budget(comparison, "left", left)] if left is not None else [])
        budget = "; ".join(verdicts) if nodes == many else ""
        rows.append([f"{nodes:,}", *phase_cells(growths), duration(per_node[nodes]), *memory, budget])
    return section(comparison, header, rows)


def memory_cells(growths: list[Any]) -> tuple[list[str], float | None]:
    """Resident memory before, at most, and after; and how many hundredths of it did not come back."""
    if any(growth["peak"] is None for growth in growths):
        return ["—"] * 3, None
    before, peak, after = (
        median(values) for values in zip(*((g["memory"][0], g["peak"], g["memory"][-1]) for g in growths), strict=True)
    )
    return [megabytes(before), megabytes(peak), megabytes(after)], 100 * (after - before) / (peak - before)


# ---- imports


def measure_import(run: Run, comparison: Comparison) -> str:
    rows = []
    for name in comparison.contestants:
        contestant = CONTESTANTS[name]
        label = contestant.title.partition(",")[0]
        if name in run.missing:
            rows.append([label, run.missing[name]])
            continue
        bare, whole = (partial(seconds_of, name, code) for code in ("pass", f"import {contestant.module}"))
        whole()  # a warm-up, which compiles to bytecode
        pairs = taken_in_turns(bare, whole, run.pairs, run.seconds)
        milliseconds = 1e3 * median(w - b for b, w in zip(pairs.ours, pairs.theirs, strict=True))
        budget = run.budget(comparison, name, milliseconds)
        rows.append([label, f"`{contestant.module}`", significant(milliseconds), budget])
    return section(comparison, ["", "module", "milliseconds", "budget"], rows)


def seconds_of(contestant: str, code: str) -> float:
    start = perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=environment(contestant))
    return perf_counter() - start


# ---- the tape, but for batches


def measure_graph(run: Run, comparison: Comparison) -> str:
    return measure_steps(replace(run, ours=run.tape), comparison)


def measure_recording(run: Run, comparison: Comparison) -> str:
    header = [
        "graph",
        "nodes",
        "edges",
        "instructions",
        "built",
        "recorded",
        "a node",
        "first replay",
        "budget",
    ]
    rows = []
    with worker(run.tape) as ours:
        for graph in comparison.contestants:
            recorded = ours.ask("record", graph=graph)
            build, record, replay = map(duration, recorded["seconds"])
            a_node = recorded["seconds"][1] / recorded["nodes"]
            counts = [f"{recorded[count]:,}" for count in ("nodes", "edges", "instructions")]
            budget = run.budget(comparison, graph, a_node * 1e6)
            rows.append([graph, *counts, build, record, duration(a_node), replay, budget])
    return section(comparison, header, rows)


def measure_memory(run: Run, comparison: Comparison) -> str:
    few, many = MEMORIES
    rows = []
    for name in comparison.contestants:
        try:
            present(run, name)
            peaks = [peak(name, count) for count in MEMORIES]
        except CannotError as error:
            rows.append([CONTESTANTS[name].title, str(error)])
            continue
        if None in peaks:
            rows.append([CONTESTANTS[name].title])
            continue
        an_example = (peaks[1] - peaks[0]) / (many - few)
        budget = run.budget(comparison, name, an_example)
        rows.append([CONTESTANTS[name].title, *map(megabytes, peaks), f"{an_example:.1f} bytes", budget])
    header = ["", f"{few:,} examples", f"{many:,} examples", "an example more", "budget"]
    return section(comparison, header, rows)


def peak(name: str, examples: int) -> Any:
    with worker(name) as process:
        return process.ask("peak", network="2-16-16-1", examples=examples)["bytes"]


MEASURES: dict[str, Callable[[Run, Comparison], str]] = {
    "million": measure_million,
    "deep": measure_deep,
    "import": measure_import,
    "graph": measure_graph,
    "recording": measure_recording,
    "memory": measure_memory,
}
