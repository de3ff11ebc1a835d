"""Plots: what has a model learned, and how did it go?

Each function draws on the Axes `ax` if they are given, else on a new figure, and returns the figure:
`loss_curve(history).savefig("loss.png")`. New figures are not pyplot's: they need no display and no closing, they
leave pyplot's state alone, and they show themselves in notebooks. Classes are told apart by colour and by marker; the
colours can be told apart by colour-blind people too (M. Okabe and K. Ito, "Color universal design", 2008).

Raises ImportError if matplotlib is missing.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, cast

import numpy

from autograd import no_grad

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from nn.training import History

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000"]
MARKERS = "osD^vP*X"


def decision_boundary(
    model: Callable[[list[float]], Any],  # Any: a score or logits, see below
    inputs: ArrayLike,
    targets: ArrayLike,
    ax: Axes | None = None,
    *,
    resolution: int = 60,
) -> Figure:
    """The plane coloured by the class that the model predicts, the boundaries between the classes, and the examples.

    Arguments:
        model: from [x1, x2] to a score, which is positive for one class and negative for the other, or to a logit per
            class, of which the largest wins.
        inputs: the examples, of shape (n, 2).
        targets: their classes, of shape (n,): as `correct_sign` takes them for a score (0 and 1, or -1 and +1), as
            `correct_class` takes them for logits (counted from 0).
        resolution: the model is asked at resolution² points, and the boundaries are interpolated between them.

    Raises ValueError if inputs or targets have another shape.
    """
    points, classes = numpy.asarray(inputs, dtype=float), numpy.asarray(targets)
    if points.shape != (len(points), 2) or classes.shape != (len(points),) or not len(points):
        raise ValueError(
            "decision_boundary: expected inputs of shape (n, 2) and targets of shape (n,), "
            f"got {points.shape} and {classes.shape}"
        )
    ax = ax or new_axes(6.0, 5.0)
    frame = 0.1 * numpy.ptp(points, axis=0) + 1e-9
    xs, ys = numpy.linspace(points.min(axis=0) - frame, points.max(axis=0) + frame, resolution).T.tolist()
    with no_grad():
        outputs = [model([x, y]) for y in ys for x in xs]
    is_score = not hasattr(outputs[0], "__len__")
    logits = [[-float(output), float(output)] if is_score else [float(logit) for logit in output] for output in outputs]
    for k, lead in enumerate(leads(numpy.array(logits).T.reshape(-1, resolution, resolution))):
        if lead.max() > 0:
            ax.contourf(xs, ys, lead, levels=[0.0, lead.max()], colors=[COLOURS[k % 8]], alpha=0.25)
        if lead.min() < 0 < lead.max():
            ax.contour(xs, ys, lead, levels=[0.0], colors="0.3", linewidths=1.0)
    for target in numpy.unique(classes).tolist():
        k = int(target > 0) if is_score else int(target)
        x, y = points[classes == target].T
        ax.plot(
            x, y, MARKERS[k % 8], color=COLOURS[k % 8], markeredgecolor="white", markersize=6, label=f"class {target}"
        )
    ax.set(xlabel="x₁", ylabel="x₂", xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]))
    ax.legend()
    return figure_of(ax)


def loss_curve(history: History, ax: Axes | None = None) -> Figure:
    """The mean loss of each epoch, and the validation loss if there is one.

    Raises ValueError if the history has no epochs.
    """
    if not history.loss:
        raise ValueError("loss_curve: the history has no epochs; was the training interrupted in the first one?")
    ax = ax or new_axes(6.0, 4.0)
    epochs = range(1, len(history.loss) + 1)
    ax.plot(epochs, history.loss, color=COLOURS[0], marker="o", markersize=3, label="training")
    if history.validation_loss:
        ax.plot(epochs, history.validation_loss, "--", color=COLOURS[1], marker="s", markersize=3, label="validation")
        ax.legend()
    ax.set(xlabel="epoch", ylabel="mean loss")
    ax.locator_params(axis="x", integer=True)
    ax.grid(alpha=0.3)
    return figure_of(ax)


def confusion_matrix(
    targets: ArrayLike, predictions: ArrayLike, ax: Axes | None = None, *, classes: Sequence[str] | None = None
) -> Figure:
    """How many examples of each class (row) were taken for each class (column); the diagonal is right.

    Arguments:
        targets, predictions: the true and the predicted class of each example, counted from 0, of shape (n,).
        classes: their names; by default, their numbers up to the largest.

    Raises ValueError if targets and predictions are not equally many integers from 0 up, or if a class has no name.
    """
    counts = confusion_counts(numpy.asarray(targets), numpy.asarray(predictions), classes)
    names = list(classes) if classes else [str(k) for k in range(len(counts))]
    ax = ax or new_axes(6.0, 5.5)
    ax.imshow(counts, cmap="Blues")
    for (row, column), count in numpy.ndenumerate(counts):
        if count:
            colour = "white" if count > counts.max() / 2 else "black"
            ax.text(column, row, f"{count}", ha="center", va="center", color=colour)
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(names)), names)
    right, total = counts.trace(), counts.sum()
    ax.set(xlabel="predicted class", ylabel="true class", title=f"{right:,} of {total:,} right ({right / total:.1%})")
    return figure_of(ax)


def leads(logits: NDArray[numpy.float64]) -> list[NDArray[numpy.float64]]:
    """By how much each class (the first axis) is ahead of the best of the others: negative where it loses."""
    return [logit - numpy.delete(logits, k, axis=0).max(axis=0) for k, logit in enumerate(logits)]


def confusion_counts(
    targets: NDArray[Any], predictions: NDArray[Any], classes: Sequence[str] | None
) -> NDArray[numpy.int64]:
    """counts[i, j]: examples of class i that were taken for class j."""
    both = numpy.concatenate([targets, predictions])
    if targets.shape != predictions.shape or targets.ndim != 1 or not both.size or both.dtype.kind not in "iu":
        raise ValueError(
            "confusion_matrix: expected as many predictions as targets, integers, "
            f"got targets of shape {targets.shape} and predictions of shape {predictions.shape}, {both.dtype}"
        )
    size = len(classes) if classes else both.max() + 1
    if both.min() < 0 or both.max() >= size:
        raise ValueError(f"confusion_matrix: expected classes from 0 to {size - 1}, got {both.min()} to {both.max()}")
    counts = numpy.zeros((size, size), dtype=numpy.int64)
    numpy.add.at(counts, (targets, predictions), 1)
    return counts


def figure_of(ax: Axes) -> Figure:
    return cast("Figure", ax.figure)


def new_axes(width: float, height: float) -> Axes:
    """Axes on a figure of their own, of the given size in inches."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError('nn.plots draws with matplotlib: pip install "scalar-autograd[plots]"') from error

    class Picture(Figure):
        """Shows itself in notebooks, which by themselves show pyplot's figures only."""

        def _repr_png_(self) -> bytes:
            png = BytesIO()
            self.savefig(png, format="png")
            return png.getvalue()

    return Picture(figsize=(width, height), layout="constrained").subplots()
