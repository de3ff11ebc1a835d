"""How is training on batches measured? A table for each work: contestants are rows, sizes of the batch are columns."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import median

from comparisons import BATCHES, BUDGETED
from contestants import CONTESTANTS
from measures import pairs_ratio, present, same_numbers
from pairs import CannotError, taken_in_turns, worker
from report import duration, heading, ratio, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from comparisons import Table, Training
    from measures import Run
    from pairs import Pairs, Worker

    Results = dict[str, dict[int, "Cell | str"]]  # of a contestant, with a batch of a size; or why there is none

SECONDS_A_STEP = 2.0  # who would take longer, by the time with a smaller batch, is left out
SECONDS_A_SLOW_STEP = 0.3  # is measured in one pair


@dataclass(frozen=True)
class Cell:
    first: float  # seconds until the first step was done
    pairs: Pairs


def measure_training(run: Run, training: Training) -> str:
    parts = [heading(training)]
    for part in training.tables:
        results, firsts = measured(run, training.name, part)
        header = ["", *(text for count in BATCHES for text in (f"batch of {count:,}", "× ours")), "first", "budget"]
        rows = [row_of_ours(run, results, firsts), *(row(run, part, name, results[name]) for name in results)]
        parts.append(f"### {part.title}\n\n{table(header, rows)}\n\n{who_is_faster(results)}\n")
    return "\n".join(parts)


def measured(run: Run, network: str, part: Table) -> tuple[Results, dict[int, float]]:
    """The results, and our seconds until the first step with each batch."""
    results: Results = {name: {} for name in part.contestants if name != run.tape}
    firsts = {}
    with ExitStack() as processes:
        ours, theirs = processes.enter_context(worker(run.tape, part.threads)), {}
        for name in results:
            try:
                present(run, name)
                theirs[name] = processes.enter_context(worker(name, part.threads))
            except CannotError as error:
                results[name] = dict.fromkeys(BATCHES, str(error))
        for count in BATCHES:
            task = {"workload": part.work, "network": network, "examples": count}
            prepared = ours.ask("prepare", **task)
            firsts[count] = prepared["seconds"]
            for name, process in theirs.items():
                try:
                    refuse_slow(results[name], count)
                    results[name][count] = compared(run, task, ours, process, prepared["numbers"])
                except CannotError as error:
                    if ours.process.poll() is not None:  # it was ours
                        raise
                    results[name][count] = str(error)
    return results, firsts


def refuse_slow(results: dict[int, Cell | str], count: int) -> None:
    for smaller, cell in results.items():
        if isinstance(cell, Cell) and cell.pairs.time * count / smaller > SECONDS_A_STEP and smaller > 1:
            raise CannotError("left out")


def compared(run: Run, task: dict[str, Any], ours: Worker, theirs: Worker, expected: list[float]) -> Cell:
    prepared = theirs.ask("prepare", **task)
    same_numbers(prepared["numbers"], expected)

    def seconds(contestant: Worker) -> float:
        return contestant.ask("time", collector=True)["seconds"]  # type: ignore[no-any-return]

    most = 1 if prepared["a step"] > SECONDS_A_SLOW_STEP else run.pairs // 2
    pairs = taken_in_turns(partial(seconds, ours), partial(seconds, theirs), most, run.seconds)
    return Cell(prepared["seconds"], pairs)


def row_of_ours(run: Run, results: Results, firsts: dict[int, float]) -> list[str]:
    cells = [CONTESTANTS[run.tape].title]
    for count in BATCHES:
        times = [
            time
            for cell in (of[count] for of in results.values())
            if isinstance(cell, Cell)
            for time in cell.pairs.ours
        ]
        cells += [duration(median(times)) if times else "—", "1"]
    return [*cells, duration(firsts[BUDGETED]), ""]


def row(run: Run, part: Table, name: str, of: dict[int, Cell | str]) -> list[str]:
    """In bold where the contestant is faster."""
    cells = [CONTESTANTS[name].title]
    for count in BATCHES:
        cell = of[count]
        if isinstance(cell, str):
            cells += [cell, "—"]
        else:
            text = pairs_ratio(cell.pairs)
            cells += [duration(cell.pairs.time), f"**{text}**" if cell.pairs.ratio < 1 else text]
    budgeted = of[BUDGETED]
    if isinstance(budgeted, str):
        return cells
    return [*cells, duration(budgeted.first), run.budget(part, name, budgeted.pairs.ratio)]


def who_is_faster(results: Results) -> str:
    sizes = []
    for count in BATCHES:
        faster = [
            f"{CONTESTANTS[name].title} ({ratio(cell.pairs.ratio)})"
            for name, of in results.items()
            if isinstance(cell := of[count], Cell) and cell.pairs.ratio < 1
        ]
        if faster:
            sizes.append(f"with a batch of {count:,}, {', '.join(faster)}")
    return f"Faster than the tape: {'; '.join(sizes)}." if sizes else "None is faster than the tape."
