"""A training that was watched is shown again: as one figure at its end, as a GIF, or as a page that plays it.

What the page draws from, the live view in a notebook draws from too: `setting`, `curves` and `boundary`.
"""

from __future__ import annotations

import base64
import json
import math
import os
import tempfile
import zlib
from importlib.resources import files as resources
from pathlib import Path
from typing import TYPE_CHECKING

from autograd import files, packages, pages
from autograd.packages import numpy
from nn.arguments import finite
from nn.film import RESOLUTION
from nn.plots import COLOURS, MARKERS, fill_plane, panels, plot_epochs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from nn.film import Film

    Array = NDArray[numpy.float64]
    Json = dict[str, Any]  # Any: as JSON has it

    class History(Protocol):
        """What `fit` returns: the means of each epoch."""

        loss: list[float]
        metric: list[float]
        validation_loss: list[float]
        validation_metric: list[float]


MOST_OF_A_CURVE = 200  # points: a panel shows hardly more


def animate(history: History, film: Film | None, path: str | os.PathLike[str], rate: float) -> None:
    """Writes the animation, as `History.animate` says it."""
    rate = finite("animate: rate", rate)
    if not 0.1 <= rate <= 50.0:  # a GIF counts in hundredths of a second, and browsers take a single one for ten
        raise ValueError(f"animate: rate: expected from 0.1 to 50 pictures a second, got {rate}")
    if film is None:
        raise ValueError(
            "animate: this History has no pictures: train with fit(..., watch=True), and animate what that returns; a "
            "copy and a checkpoint of a History have none"
        )
    writers: dict[str, Callable[[History, Film, float], bytes | str]] = {".gif": gif, ".html": page}
    suffix = files.path_of(path).suffix.lower()
    if suffix not in writers:
        raise ValueError(f"animate: expected a path that ends in {' or '.join(writers)}, got {os.fspath(path)!r}")
    files.write(path, writers[suffix](history, film, rate), "the animation")


# ---- As data


def setting(film: Film, epochs: float) -> Json:
    """What stays: how many epochs there are, and the plane with its examples."""
    plane = film.plane
    return {
        "epochs": epochs,
        "colours": COLOURS,
        "plane": plane and {
            "side": RESOLUTION,
            "extent": [plane.xs[0], plane.xs[-1], plane.ys[0], plane.ys[-1]],
            "points": [
                [x, y, max(k, 0)] for (x, y), k in zip(plane.points.tolist(), plane.classes.tolist(), strict=True)
            ],
        },
    }  # fmt: skip


def curves(history: History, film: Film, epoch: float, now: Sequence[float] = ()) -> Json:
    """The curves up to an epoch, as pairs (epoch, mean); `now` has the means so far in one that has just begun."""
    shown = []
    for k, (name, training, validation) in enumerate(series(history, film)):
        pairs = [thinned(numbers) for numbers in (training, validation)]
        if len(now) > k and epoch > len(training):
            pairs[0].append((epoch, number_or_none(now[k])))
        shown.append({"name": name, "training": pairs[0], "validation": pairs[1]})
    return {"epoch": epoch, "curves": shown}


def series(history: History, film: Film) -> list[tuple[str, list[float], list[float]]]:
    """The name of each thing that is measured, and its means on the examples, and on the held-out ones."""
    measured = [(history.loss, history.validation_loss), (history.metric, history.validation_metric)]
    return [(name, *numbers) for name, numbers in zip(film.names, measured, strict=False)]


def thinned(numbers: Sequence[float]) -> list[tuple[float, float | None]]:
    some = numpy.linspace(0, len(numbers) - 1, min(len(numbers), MOST_OF_A_CURVE)).astype(int).tolist()
    return [(k + 1, number_or_none(numbers[k])) for k in some]


def number_or_none(number: float) -> float | None:
    """JSON has neither nan nor infinity."""
    return number if math.isfinite(number) else None


def boundary(scores: Array | None) -> Json | None:
    """The scores in the plane, (RESOLUTION², outputs), as 16-bit integers: which one leads depends on no scale.

    Of several outputs, those of the classes that lead somewhere: there may be hundreds of others.
    """
    if scores is None:
        return None
    are_several = scores.shape[1] > 1
    classes = numpy.unique(scores.argmax(axis=1)) if are_several else numpy.zeros(1, int)
    scores = scores[:, classes] / (abs(scores).max() or 1.0)
    leads = (scores - scores.mean(axis=1, keepdims=True)) / 2.0 if are_several else scores
    numbers = numpy.rint(32767.0 * leads).astype("<i2")
    return {
        "classes": classes.tolist() if are_several else None,
        "scores": base64.b64encode(numbers.T.tobytes()).decode(),
    }


# ---- As a figure


def figure(history: History, film: Film, parameters: Array) -> Figure:
    """The curves, and the plane as the model sees it with these parameters."""
    return Screen(history, film, film.scores(parameters)).figure


class Screen:
    """A figure on which the training can be shown at any moment: each curve, and in the plane the classes."""

    def __init__(self, history: History, film: Film, scores: Array | None) -> None:
        self.film = film
        lines = series(history, film)
        self.figure, axes = panels(len(lines) + (scores is not None), width=4.2)
        self.curves, self.plane = axes[: len(lines)], axes[-1]
        for ax, (name, training, validation) in zip(self.curves, lines, strict=True):
            plot_epochs(ax, training, validation, "mean loss" if name == "loss" else name)
        if scores is not None:
            self.fill(scores)

    def fill(self, scores: Array) -> None:
        """Colours the plane, and puts the examples there."""
        plane = self.film.plane
        assert plane is not None
        fill_plane(self.plane, plane.xs.tolist(), plane.ys.tolist(), scores)
        for target in numpy.unique(plane.classes).tolist():
            k = max(target, 0)
            x, y = plane.points[plane.classes == target].T
            self.plane.plot(x, y, MARKERS[k % 8], color=COLOURS[k % 8], markeredgecolor="white", markersize=5)

    def cursors(self, epochs: float) -> list[Any]:  # Any: matplotlib's lines
        """A line in each of the curves."""
        for ax in self.curves:
            ax.set_xlim(-0.02 * epochs, 1.02 * epochs)
        return [ax.axvline(0.0, color="0.3", linewidth=1.2) for ax in self.curves]


def gif(history: History, film: Film, rate: float) -> bytes:
    try:
        from matplotlib import rc_context
        from matplotlib.animation import PillowWriter
    except ImportError as error:
        raise ImportError(f"animate writes a GIF with matplotlib: {packages.install('matplotlib')}") from error

    moments = [(snapshot.epoch, film.scores(snapshot.parameters)) for snapshot in film.snapshots]
    screen = Screen(history, film, next((scores for _, scores in moments if scores is not None), None))
    cursors = screen.cursors(film.snapshots[-1].epoch)
    screen.figure.draw_without_rendering()
    screen.figure.set_layout_engine("none")  # from now on nothing moves but what is shown
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "animation.gif"
        writer = PillowWriter(fps=rate)  # type: ignore[arg-type]  # which only divides by it
        writer.setup(screen.figure, path, screen.figure.dpi)
        with rc_context({"savefig.bbox": None}):  # all frames are of one size
            for epoch, scores in moments:
                for cursor in cursors:
                    cursor.set_xdata([epoch, epoch])
                if scores is not None:
                    screen.plane.clear()
                    screen.fill(scores)
                writer.grab_frame()
        writer.finish()  # `writer.saving` does so after an error, too, and where there is no frame yet hides it
        return path.read_bytes()


# ---- As a page


def page(history: History, film: Film, rate: float) -> str:
    last = film.snapshots[-1].epoch
    data = {
        "rate": rate,
        "setting": setting(film, last),
        "curves": curves(history, film, last),
        "frames": [
            {"epoch": epoch, "boundary": boundary(film.scores(vector)), "network": deflated(film.network(vector))}
            for epoch, vector in film.snapshots
        ],
    }
    body = f"""\
<main>
<h1>A training, replayed</h1>
<noscript><p>This page draws with JavaScript, which is switched off.</p></noscript>
<form id="controls" aria-label="Replay" hidden>
<button id="play" type="button">▶ Play</button>
<input id="moment" type="range" min="0" max="{len(film.snapshots) - 1}" value="0" aria-label="Moment of the training"
 aria-describedby="keys">
</form>
<div id="picture"></div>
<p id="keys" hidden>Space plays and pauses; ← and → go back and forward, Home and End to the start and the end.</p>
</main>
<script type="application/json" id="data">{json.dumps(data).replace("<", chr(92) + "u003c")}</script>"""
    style, script = ("".join(map(resource, names)) for names in (STYLES, SCRIPTS))
    return pages.page("A training, replayed", style, body, script, images=True)


def deflated(text: str | None) -> str | None:
    """A text that has many likes, compressed as browsers undo it."""
    return text and base64.b64encode(zlib.compress(text.encode(), 9)).decode()


STYLES, SCRIPTS = ("animation.css", "watching.css"), ("watching.js", "animation.js")


def resource(name: str) -> str:
    return resources("nn").joinpath(name).read_text(encoding="utf-8")
