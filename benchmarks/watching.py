"""What it costs to watch a training: the CPU time of `fit` with watch=True and without, in a kernel of Jupyter.

    python benchmarks/watching.py [ROUNDS [EPOCHS]]

The two take turns. Beside the pictures, the first ones need some set-up, and the figure in the end is not part of the
training: its time is told apart. Needs ipykernel and the extra `live`.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from nn import MLP, Adam, History, binary_cross_entropy, correct_sign, fit
from nn.watching import Watcher

POINTS = [[random.Random(k).uniform(-1, 1), random.Random(-k - 1).uniform(-1, 1)] for k in range(200)]
TARGETS = [int(x * x + y * y < 0.6) for x, y in POINTS]


class Timed(Watcher):
    """Tells how long the figure in the end has taken, how many pictures there were, and how long these have taken."""

    ended, shown, showing = 0.0, 0, 0.0

    def end(self, *given: Any) -> None:  # Any: as the Watcher has them
        start = process_time()
        super().end(*given)
        Timed.ended = process_time() - start

    def _show(self, *given: Any) -> None:
        start = process_time()
        super()._show(*given)
        Timed.shown += 1
        Timed.showing += process_time() - start


def trained(epochs: int, watch: bool) -> tuple[float, History]:
    random.seed(0)
    model = MLP(2, [16, 16, 1])
    start = process_time()
    history = fit(
        model, POINTS[50:], TARGETS[50:], binary_cross_entropy, Adam(model.parameters(), 0.003), epochs=epochs,
        validation=(POINTS[:50], TARGETS[:50]), metric=correct_sign, watch=watch, progress=False,
    )  # fmt: skip
    return process_time() - start, history


def measure(rounds: int, epochs: int) -> None:
    """In the kernel."""
    import nn.watching

    nn.watching.Watcher = Timed  # type: ignore[misc]  # of which fit makes one
    trained(20, True)  # imports what it needs
    plain, watched, ends, pictures, showing = [], [], [], [], []
    for _ in range(rounds):
        Timed.shown, Timed.showing = 0, 0.0
        plain.append(trained(epochs, False)[0])
        watched.append(trained(epochs, True)[0] - Timed.ended)
        ends.append(Timed.ended)
        pictures.append(Timed.shown)
        showing.append(Timed.showing / (watched[-1] - Timed.showing))
    print(
        f"{median(plain):.2f} s of CPU without, {median(watched):.2f} s with {median(pictures):.0f} pictures, which "
        f"are {median(showing):.1%} of it; {median(watched) / median(plain) - 1:+.1%} in all, of the least times "
        f"{min(watched) / min(plain) - 1:+.1%} ({rounds} rounds); the figure in the end: {median(ends):.2f} s"
    )


def printed(message: dict[str, Any]) -> None:
    """What the kernel prints, and its errors; not what it displays."""
    content = message["content"]
    print(content.get("text", "\n".join(content.get("traceback", []))), end="")


def main(rounds: int = 5, epochs: int = 5000) -> None:
    from jupyter_client.manager import start_new_kernel

    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import watching\n"
    manager, client = start_new_kernel()
    try:
        client.execute_interactive(f"{code}watching.measure({rounds}, {epochs})", output_hook=printed)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
