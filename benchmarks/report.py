"""How do the results read? As Markdown: the machine, the versions, a table for each comparison."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import date
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from comparisons import Comparison, Training

PREAMBLE = """\
# Results

Written by `make bench`. Times are medians; "× ours" is how many times as long as this engine (the first row) a
contestant took: the median of the ratios of pairs that were measured in turns (ours, theirs, ours, theirs, ...), with
the quartiles in brackets (of fewer than four pairs, the least and the most). Each contestant runs in a process of its
own, all in float64, on one thread where nothing else is said, and it was checked that their numbers agree. The garbage
collector is on, as users have it, but where a column says that it is off. "First" is what passes until the first step
is done: making the parameters and, where a contestant compiles, compiling. Budgets are of this engine's design.
"""


def preamble(versions: dict[str, str]) -> str:
    installed = ", ".join(f"{name} {number}" for name, number in versions.items())
    load = f"; load average at the start {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{PREAMBLE}\n"
        f"- {date.today():%d %B %Y}; {cpu()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}{load}\n"
        f"- {platform.python_implementation()} {platform.python_version()}; {installed}; {compiler()}\n"
    )


def cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"


def compiler() -> str:
    try:
        return subprocess.run(["cc", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError):
        return "no C compiler"


def section(comparison: Comparison, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return f"{heading(comparison)}\n{table(header, rows)}\n"


def heading(comparison: Comparison | Training) -> str:
    return f"## {comparison.title}\n\n{comparison.text}\n"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join([*line, *["—"] * (len(header) - len(line))]) + " |" for line in lines)


def failure(comparison: Comparison | Training, contestant: str, error: str) -> str:
    return f"## {comparison.title}\n\n{contestant}: {error}\n"


def duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{significant(seconds / size)} {unit}"
    return f"{significant(seconds * 1e9)} ns"


def ratio(median: float, spread: tuple[float, float] | None = None) -> str:
    between = f" ({significant(spread[0])}–{significant(spread[1])})" if spread else ""
    return f"{significant(median)}{between}"


def significant(number: float) -> str:
    """Three digits."""
    return f"{number:,.0f}" if abs(number) >= 99.95 else f"{number:.3g}"


def megabytes(count: float) -> str:
    return f"{count / 1e6:,.1f} MB"
