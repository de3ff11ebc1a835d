"""How results are reported: tables of rows, cases and budgets, and where they were measured, as Markdown."""

import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from math import isnan, nan
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

Sample = dict[str, Any]  # numbers by name
RATIO, SLOPE = "× ours", "an example more"  # what is computed from others


class Row(NamedTuple):
    """A contestant, and what is asked of it besides, or instead of, what a case asks of all."""

    title: str
    contestant: str
    task: Mapping[str, Any] = {}


class Case(NamedTuple):
    """What is asked of all rows, with the garbage collector as Python has it, or off."""

    title: str = ""
    task: Mapping[str, Any] = {}
    collector: bool = True


class Cell(NamedTuple):
    """What was measured of a row in a case, or why nothing was."""

    samples: Sequence[Sample] = ()
    error: str = ""

    def numbers(self, name: str) -> list[float]:
        return [sample[name] for sample in self.samples if not isnan(sample.get(name, nan))]


Cells = Mapping[str, Sequence[Cell]]  # of a table: of each row, by its title, one for each case


class Budget(NamedTuple):
    """What a row's number of this name may be at most, or must be at least."""

    row: str
    name: str
    limit: float
    at_least: bool = False

    def verdict(self, number: float) -> str:
        """Nothing if the number is nan."""
        sign, met = ("≥", number >= self.limit) if self.at_least else ("≤", number <= self.limit)
        limit, verdict = written(self.name, self.limit), "met" if met else "**missed**"
        return "" if isnan(number) else f"{sign} {limit}, is {written(self.name, number)}: {verdict}"


class Table(NamedTuple):
    """What is measured, and which numbers are shown: one in each case, with its ratio to ours, and more of one case."""

    rows: Sequence[Row]  # the first is ours
    cases: Sequence[Case] = (Case(),)
    value: str = "seconds"  # the number that is shown in each case
    more: Sequence[str] = ()  # further ones
    budgets: Sequence[Budget] = ()
    of: int = 0  # the case that further numbers and budgets are of
    title: str = ""
    question: str = "time"  # the worker's method
    once: bool = False  # whether each sample has a process of its own
    paired: bool = True  # whether each row is measured in turns with ours
    most: int = 11  # samples
    threads: int = 1

    def markdown(self, cells: Cells) -> str:
        shown = (self.value, RATIO) if self.paired else (self.value,)
        columns = [(i, name) for i, case in enumerate(self.cases) if case.title for name in shown]
        columns += [(self.of, name) for name in self.more]
        titles = [self.cases[i].title if name == self.value else name for i, name in columns]
        return markdown(["", *titles, "budget"], [self.line(row.title, cells[row.title], columns) for row in self.rows])

    def line(self, title: str, cells: Sequence[Cell], columns: Sequence[tuple[int, str]]) -> list[str]:
        """A row's texts. An error stands once, in the first place where it is missed."""
        line, told = [title], ""
        for i, name in columns:
            error = cells[i].error
            line.append("—" if error and error == told else error or self.text(cells, i, name))
            told = error or told
        of_row = [budget for budget in self.budgets if budget.row == title]
        verdicts = [budget.verdict(self.number(cells, self.of, budget.name)) for budget in of_row]
        return [*line, "; ".join(filter(None, verdicts))]

    def number(self, cells: Sequence[Cell], case: int, name: str) -> float:
        """The median; nan where there is none."""
        if name == SLOPE:
            few, many = (int(case.task["examples"]) for case in self.cases)
            return (self.number(cells, 1, self.value) - self.number(cells, 0, self.value)) / (many - few)
        return median(cells[case].numbers(name) or [nan])

    def text(self, cells: Sequence[Cell], case: int, name: str) -> str:
        """Of ratios with the quartiles, and in bold where the contestant has less than we; ours are 1."""
        number = self.number(cells, case, name)
        if isnan(number):
            return "1" if name == RATIO else "—"
        if name != RATIO:
            return written(name, number)
        text = f"{written(name, number)} ({'–'.join(map(significant, spread(cells[case].numbers(name))))})"
        return f"**{text}**" if number < 1 else text

    def time(self, cells: Cells, row: str, case: int) -> str:
        """Nothing where it was not to be measured; the kind of error where it could not be."""
        of_row = cells.get(row, ())[: case + 1]
        return "".join(cell.error.partition(":")[0] or self.text(of_row, case, self.value) for cell in of_row[case:])


class Section(NamedTuple):
    """Tables of one subject."""

    title: str
    text: str
    tables: Sequence[Table]


def spread(numbers: Sequence[float]) -> tuple[float, float]:
    """The quartiles; of fewer than four the least and the most."""
    if len(numbers) < 4:
        return min(numbers), max(numbers)
    lower, _, upper = quantiles(numbers, n=4)
    return lower, upper


def readme_table(works: Mapping[str, tuple[str, str]], results: Mapping[str, tuple[Table, Cells]]) -> str:
    """README.md's table: the native engine and micrograd, with the garbage collector on and off, and plain floats.

    `works` are, by a section's name, the work in words, and what plain floats do of it.
    """
    lines = []
    for name, (work, part) in works.items():
        table, cells = results[name]
        ours = [row.title for row in table.rows if row.contestant == table.rows[0].contestant][-1]
        times = [table.time(cells, row, case) for row in (ours, "micrograd") for case in (0, 1)]
        lines.append([work, *times, f"{table.time(cells, 'plain floats', 0)}, {part}" if part else ""])
    return markdown(["work", "native engine", "collector off", "micrograd", "collector off", "plain floats"], lines)


def markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table; a column in which nothing stands is left out."""
    columns = [column for column in zip(header, *lines, strict=True) if any(column[1:])]
    first, *others = zip(*columns, strict=True)
    rule = ["---", *["---:"] * (len(first) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (first, rule, *others))


def significant(number: float) -> str:
    """Three digits."""
    return f"{number:,.0f}" if abs(number) >= 99.95 else f"{number:.3g}"


def duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if abs(seconds) >= size:
            return f"{significant(seconds / size)} {unit}"
    return f"{significant(seconds * 1e9)} ns"


FORMS: dict[str, Callable[[float], str]] = {
    **dict.fromkeys((RATIO, "bytes a node", "at most a node", "numbers a weight"), significant),
    **dict.fromkeys(("nodes", "edges", "instructions"), "{:,.0f}".format),
    **dict.fromkeys(("memory", "before", "at most", "after"), lambda count: f"{count / 1e6:,.1f} MB"),
    SLOPE: lambda count: f"{significant(count)} bytes",
    "not given back": "{:.2%}".format,
}


def written(name: str, number: float) -> str:
    """The number of this name; most are seconds."""
    return FORMS.get(name, duration)(number)


def machine(distributions: Iterable[str]) -> str:
    """The day, the processor and its load, and the versions of what is installed."""
    versions = [platform.python_implementation() + " " + platform.python_version()]
    for name in distributions:
        with suppress(PackageNotFoundError):
            versions.append(f"{name} {version(name)}")
    load = f"; load average at the start {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    system = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    return f"- {date.today():%d %B %Y}; {cpu()}, {system}{load}\n- {', '.join(versions)}; {compiler()}\n"


def cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def compiler() -> str:
    with suppress(OSError):
        return subprocess.run(["cc", "--version"], capture_output=True, text=True).stdout.partition("\n")[0]
    return "no C compiler"
