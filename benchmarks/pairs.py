"""How are two contestants compared? In turns: ours, theirs, ours, theirs, ... each pair under the same weather.

A machine that others use, or that warms up, slows both of a pair. So the ratio is taken in each pair, and of the ratios
the median.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from threading import Timer
from time import monotonic

from contestants import CONTESTANTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

FOLDER = Path(__file__).parent
SECONDS_PER_ANSWER = 150


class CannotError(Exception):
    """A contestant is not installed, or failed; the message says how."""


@contextmanager
def worker(contestant: str, threads: int = 1) -> Iterator[Worker]:
    """A contestant's process, until the end of the block. Raises CannotError if the contestant is not installed."""
    with subprocess.Popen(
        [sys.executable, str(FOLDER / "worker.py"), contestant],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(contestant, threads),
    ) as process:  # fmt: skip
        try:
            yield Worker(process)
        finally:
            process.kill()


class Worker:
    """The other end of worker.py."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.version = self.answer()["version"]

    def ask(self, do: str, **arguments: Any) -> Any:
        """The worker's answer; raises CannotError if it fails, crashes, or takes too long."""
        assert self.process.stdin
        with suppress(BrokenPipeError):  # it is dead, as the lack of an answer will tell
            print(json.dumps({"do": do, **arguments}), file=self.process.stdin, flush=True)
        return self.answer()

    def answer(self) -> Any:
        assert self.process.stdout
        limit = Timer(SECONDS_PER_ANSWER, self.process.kill)
        limit.start()
        line = self.process.stdout.readline()
        in_time = limit.is_alive()
        limit.cancel()
        if not line:
            raise CannotError(how_it_ended(self.process.wait()) if in_time else f"stopped after {SECONDS_PER_ANSWER} s")
        answer = json.loads(line)
        if "failed" in answer:
            raise CannotError(answer["failed"])
        return answer


def how_it_ended(code: int) -> str:
    return f"crashed ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"


def environment(contestant: str, threads: int = 1) -> dict[str, str]:
    """This process's, with `autograd` and `nn` to be found though not installed, and bytecode kept as it usually is.

    The libraries and `trainers.py` read how many threads to use from variables; JAX's is NPROC.
    """
    path = os.pathsep.join(filter(None, [str(FOLDER.parent), os.environ.get("PYTHONPATH", "")]))
    count = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"), str(threads))
    own = {**os.environ, "PYTHONPATH": path, **count, **CONTESTANTS[contestant].environment}
    own.pop("PYTHONDONTWRITEBYTECODE", None)
    return own


@dataclass(frozen=True)
class Pairs:
    """What two contestants took, turn by turn."""

    ours: list[float]
    theirs: list[float]

    @property
    def time(self) -> float:
        return median(self.theirs)

    @property
    def ratio(self) -> float:
        """How many times our time they took."""
        return median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """The quartiles of the ratio; with fewer than four pairs the least and the most."""
        if len(self.ratios) < 4:
            return min(self.ratios), max(self.ratios)
        lower, _, upper = quantiles(self.ratios, n=4)
        return lower, upper

    @property
    def ratios(self) -> list[float]:
        return [theirs / ours for ours, theirs in zip(self.ours, self.theirs, strict=True)]


def taken_in_turns(
    ours: Callable[[], float], theirs: Callable[[], float], most: int, seconds: float, least: int = 3
) -> Pairs:
    """At most so many pairs, and no more once they have taken so many seconds, but at least so many."""
    pairs, start = Pairs([], []), monotonic()
    while len(pairs.ours) < most and (len(pairs.ours) < least or monotonic() - start < seconds):
        pairs.ours.append(ours())
        pairs.theirs.append(theirs())
    return pairs
