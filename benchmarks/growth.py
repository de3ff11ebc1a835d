"""One big graph: what does a contestant spend on building, differentiating and freeing it, in time and in memory?

Measured once in a process: a second graph would move into the memory that the first one left.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import perf_counter

from workloads import chain, wide

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
WIDTH, DEPTHS = 500, (1_000_000, 10_000_000)
WIDE_NODES = 4 * WIDTH**2 - 1


def grow_wide(contestant: Any) -> dict[str, Any]:
    grow(contestant, partial(wide, 3))  # a warm-up
    return grow(contestant, partial(wide, WIDTH))


def grow_deep(contestant: Any, nodes: int) -> dict[str, Any]:
    grow(contestant, partial(chain, 10))
    return grow(contestant, partial(chain, nodes))


def grow(contestant: Any, build: Any) -> dict[str, Any]:
    """The seconds that each phase took, the bytes resident before and after it, and the numbers computed.

    Plain floats have only the first phase.
    """
    memory, start = [resident()], perf_counter()
    root, leaves = build(contestant.leaf, contestant.relu)
    seconds = [perf_counter() - start]
    memory.append(resident())
    if not contestant.differentiates:
        return {"seconds": seconds, "memory": memory, "peak": None, "numbers": [root]}

    start = perf_counter()
    root.backward()
    seconds.append(perf_counter() - start)
    memory.append(resident())
    peak = resident("VmHWM")
    numbers = contestant.numbers((root, [leaves[0], leaves[-1]]))

    start = perf_counter()
    del root
    if contestant.cyclic:
        gc.collect()
    seconds.append(perf_counter() - start)
    memory.append(resident())
    return {"seconds": seconds, "memory": memory, "peak": peak, "numbers": numbers}


def resident(field: str = "VmRSS") -> int | None:
    """Bytes of this process in memory, now or (VmHWM) at most so far; None where the system doesn't say."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith(field + ":")]
    return int(kilobytes) * 1024


def return_memory() -> None:
    """From here on, big blocks that are freed are given back at once, where the C library can do that."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 1 << 16)


def forget_peak() -> None:
    """From here on, "at most so far" begins anew, where the system can do that."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
