"""Plots show what a model has learned, and how it went.

Each function draws on the Axes `ax` if they are given, else on a new figure, and returns the figure:
`loss_curve(history).savefig("loss.png")`. New figures are not pyplot's: they need no display and no closing, they
leave pyplot's state alone, and they show themselves in notebooks. Each class has a colour and a marker of its own;
colour-blind people can tell the colours apart too (M. Okabe and K. Ito, "Color universal design", 2008).

Names are drawn to the letter: what stands between two dollars is no formula. Unicode has ∂, θ and x₁.

Raises ImportError if matplotlib is missing.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sized
from io import BytesIO
from reprlib import repr as shortened
from typing import TYPE_CHECKING, cast

from autograd import no_grad, packages, structures
from autograd.packages import numpy
from autograd.wording import BEYOND_FLOATS, counted, printable
from nn.arguments import (
    at_least,
    check_function,
    class_array,
    finite,
    flag,
    is_sequence,
    measured,
    positive,
    real_array,
    scalars,
    whole,
)
from nn.dropout import drawing, nobody

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal, Protocol, TypeVar

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[numpy.float64]
    Answers = TypeVar("Answers")

    class History(Protocol):
        """What `fit` returns: the mean loss of each epoch, on the training examples and on the validation examples."""

        loss: list[float]
        validation_loss: list[float]


COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000"]
MARKERS = "osD^vP*X"
MOST_PIXELS = 2**16 - 1  # on a side of a figure, of which matplotlib makes a picture
MOST_CLASSES = 10_000  # of a matrix that memory and paper have room for
SCALES: dict[str, Any] = {"log": {"nonpositive": "mask"}, "linear": {}}  # what has no logarithm is left out
DASHES: list[Any] = ["-", "--", "-.", ":", (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1))]  # Any: as matplotlib has it


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
            class, of which the largest wins. It is asked in evaluation mode, so Dropout leaves nothing out.
        inputs: the examples, of shape (n, 2).
        targets: their classes, of shape (n,): as `correct_sign` takes them for a score (0 and 1, or -1 and +1), as
            `correct_class` takes them for logits (counted from 0).
        resolution: the model is asked at resolution² points, and the boundaries are interpolated between them.

    Raises ValueError if inputs or targets have another shape, if a target is none of the classes, and if the model does
    not return finite numbers, as many everywhere; TypeError for what are no numbers.
    """
    check_function("decision_boundary: model", model, "MLP(2, [16, 1])")
    points = real_array("decision_boundary: inputs", inputs, ("n", 2))
    classes = class_array("decision_boundary: targets", targets)
    if len(points) != len(classes):
        raise ValueError(
            f"decision_boundary: expected {counted(len(points), 'target')}, one for each input, got {len(classes)}"
        )
    resolution = at_least(2, "decision_boundary: resolution", resolution)
    ax = axes("decision_boundary", ax, 6.0, 5.0)
    xs, ys = (side.tolist() for side in sides_around(points, resolution))
    outputs = asked(lambda: [model([x, y]) for y in ys for x in xs])
    is_score = not is_sequence(outputs[0])
    scores = scores_of(outputs, is_score)
    allowed = [-1, 0, 1] if is_score else [*range(scores.shape[1])]
    if not numpy.isin(classes, allowed).all():
        strange = classes[~numpy.isin(classes, allowed)][0]
        raise ValueError(f"decision_boundary: targets: expected classes among {shortened(allowed)}, got {strange}")
    fill_plane(ax, xs, ys, scores)
    for target in numpy.unique(classes).tolist():
        k = int(target > 0) if is_score else int(target)
        x, y = points[classes == target].T
        ax.plot(
            x, y, MARKERS[k % 8], color=COLOURS[k % 8], markeredgecolor="white", markersize=6, label=f"class {target}"
        )
    ax.legend()
    return figure_of(ax)


def loss_curve(history: History, ax: Axes | None = None) -> Figure:
    """The mean loss of each epoch, and the validation loss if there is one.

    Raises ValueError if the history has no epochs, TypeError for what is no History of numbers.
    """
    if not hasattr(history, "loss") or not hasattr(history, "validation_loss"):
        raise TypeError(
            f"loss_curve: expected a History, as fit returns it, got {shortened(history)}; loss_curves takes losses"
        )
    losses = losses_of("loss_curve: loss", history.loss)
    if not len(losses):
        raise ValueError("loss_curve: the history has no epochs; was the training interrupted in the first one?")
    validation = losses_of("loss_curve: validation_loss", history.validation_loss)
    if len(validation) not in (0, len(losses)):
        raise ValueError(
            f"loss_curve: expected as many validation losses as losses, {len(losses)}, got {len(validation)}"
        )
    ax = axes("loss_curve", ax, 6.0, 4.0)
    plot_epochs(ax, losses, validation, "mean loss")
    return figure_of(ax)


def loss_curves(
    losses: Mapping[str, History | Sequence[float]],
    ax: Axes | None = None,
    *,
    scale: Literal["log", "linear"] = "log",
) -> Figure:
    """Several trainings compared: the mean loss of each epoch, a curve for each.

    Arguments:
        losses: what a curve is called, and its History or its losses.
        scale: of the losses' axis. On the logarithmic one a loss that shrinks by a constant factor is a straight line,
            and one that is 0 is left out.

    Raises ValueError if there is nothing to draw, or a curve has no epochs; TypeError for what is no dict of numbers.

    >>> figure = loss_curves({"rate 0.1": [1.0, 0.5, 0.25], "rate 0.01": [1.0, 0.93, 0.86]})
    """
    curves = {
        name: losses_of(f"loss_curves: {name!r}", given.loss if hasattr(given, "loss") else given)
        for name, given in items_of("loss_curves: losses", losses).items()
    }
    if not curves or not all(map(len, curves.values())):
        got = next((f"none in {name!r}" for name, curve in curves.items() if not len(curve)), "no curve")
        raise ValueError(f"loss_curves: expected at least one curve, and a loss in each, got {got}")
    check_scale("loss_curves", scale)
    ax = axes("loss_curves", ax, 6.0, 4.0)
    for k, (name, curve) in enumerate(curves.items()):
        line = {"linestyle": DASHES[k % 6], "color": COLOURS[k % 8], **marks(curve, MARKERS[k % 8], scale)}
        ax.plot(range(1, len(curve) + 1), curve, label=literal(name), **line)
    ax.set(xlabel="epoch", ylabel="mean loss")
    ax.set_yscale(scale, **SCALES[scale])
    ax.locator_params(axis="x", integer=True)
    ax.grid(alpha=0.3)
    ax.legend()
    return figure_of(ax)


def seed_curves(
    curves: Mapping[str, Sequence[Sequence[float]]],
    ax: Axes | None = None,
    *,
    scale: Literal["log", "linear"] = "linear",
    start: int = 1,
) -> Figure:
    """Several runs of each kind, one a seed: every run as a thin line, and their median as a thick one.

    Arguments:
        curves: what a kind is called, and the numbers of each of its runs, one a step. Runs may have different lengths:
            the end of one that is shorter than the longest is marked, and the median ends with the shortest.
        scale: of the vertical axis. On a logarithmic one a number that is 0 or negative is left out.
        start: the number of the first step.

    Raises ValueError if there is nothing to draw, or a run has no steps; TypeError for what is no dict of numbers.

    >>> figure = seed_curves({"rate 0.1": [[1.0, 0.5, 0.25], [1.1, 0.7, 0.2]], "rate 1": [[1.0, 0.1, 0.01]]})
    """
    kinds = {
        name: [losses_of(f"seed_curves: {name!r}", run) for run in runs_of(f"seed_curves: {name!r}", runs)]
        for name, runs in items_of("seed_curves: curves", curves).items()
    }
    if not kinds or not all(runs and all(map(len, runs)) for runs in kinds.values()):
        raise ValueError("seed_curves: expected at least one run of each kind, and a number in each, got none")
    check_scale("seed_curves", scale)
    start = whole("seed_curves: start", start)
    ax = axes("seed_curves", ax, 6.0, 4.0)
    longest = max(len(run) for runs in kinds.values() for run in runs)
    for k, (name, runs) in enumerate(kinds.items()):
        colour = COLOURS[k % 8]
        for run in runs:
            line = {"color": colour, "linewidth": 0.7, "alpha": 0.45, **marks(run, MARKERS[k % 8], scale)}
            ax.plot(range(start, start + len(run)), run, **line)
            if len(run) < longest:
                ax.plot([start + len(run) - 1], [run[-1]], MARKERS[k % 8], color=colour, markersize=3)
        middle = numpy.median([run[: min(map(len, runs))] for run in runs], axis=0)
        steps = range(start, start + len(middle))
        line = {"linestyle": DASHES[k % 6], "color": colour, "linewidth": 2.2, **marks(middle, MARKERS[k % 8], scale)}
        ax.plot(steps, middle, label=literal(name), **line)
    ax.set_yscale(scale, **SCALES[scale])
    ax.locator_params(axis="x", integer=True)
    ax.grid(alpha=0.3)
    ax.legend()
    return figure_of(ax)


def hinton_diagram(
    weights: ArrayLike,
    ax: Axes | None = None,
    *,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    largest: float | None = None,
) -> Figure:
    """A matrix of weights as squares: white ones are positive, black ones negative, the area is the size.

    Arguments:
        weights: of shape (rows, columns).
        rows, columns: their names.
        largest: the size of a weight whose square fills its cell, above 0; larger ones fill it too. By default, that of
            the largest weight. Diagrams that are to be compared need the same.

    Raises ValueError for another shape, for numbers that are not finite, and unless there are as many names as rows and
    columns; TypeError for what are no numbers, or no names.
    Source: D. E. Rumelhart, J. L. McClelland and the PDP research group, "Parallel Distributed Processing", 1986, where
    Hinton and others draw weights so.

    >>> figure = hinton_diagram([[1.0, -2.0], [0.5, 4.0]], columns=["left", "right"])
    """
    matrix = real_array("hinton_diagram: weights", weights, ("n", "m"))
    height, width = matrix.shape
    row_names = names_of_all("hinton_diagram: rows", rows, height)
    column_names = names_of_all("hinton_diagram: columns", columns, width)
    full = full_weight("hinton_diagram: largest", largest, matrix)
    ax = axes("hinton_diagram", ax, 1.0 + 0.5 * width, 0.6 + 0.5 * height)
    ax.set_facecolor("0.65")
    for (row, column), weight in numpy.ndenumerate(matrix):
        side = 0.92 * float(numpy.sqrt(min(abs(weight) / full, 1.0)))
        colour = "white" if weight > 0 else "black"
        ax.add_patch(rectangle((column - side / 2, row - side / 2), side, colour))
    ax.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="equal")
    ax.set_xticks(range(len(column_names)), column_names)
    turn_long_names(ax, room=2)
    ax.set_yticks(range(len(row_names)), row_names)
    ax.tick_params(length=0)
    return figure_of(ax)


def feature_maps(
    maps: ArrayLike,
    ax: Axes | None = None,
    *,
    columns: int = 12,
    names: Sequence[str] = (),
    largest: float | None = None,
) -> Figure:
    """Images side by side, such as what the maps of a convolution say: black is positive, as ink, and white negative.

    Arguments:
        maps: of shape (maps, height, width). The flat outputs of a `Convolution` are `reshape(layer.output_shape)`.
        columns: how many maps there are in a row, at most.
        names: of the maps, written above them.
        largest: the size of a number that is drawn in black or white, above 0; larger ones are, too. By default, that
            of the largest number.

    Raises ValueError for another shape, for numbers that are not finite, and unless there are as many names as maps;
    TypeError for what are no numbers, or no names.

    >>> figure = feature_maps([[[1.0, -1.0], [0.0, 0.5]], [[0.0, 0.0], [1.0, 1.0]]])
    """
    images = real_array("feature_maps: maps", maps, ("n", "height", "width"))
    columns = positive("feature_maps: columns", columns)
    titles = names_of_all("feature_maps: names", names, len(images))
    full = full_weight("feature_maps: largest", largest, images)
    ax = side_by_side("feature_maps", images, ax, columns, full, titles, colours="Greys", inches=0.8)
    ax.set_axis_on()
    ax.set_facecolor(COLOURS[5])  # white paper has an edge then
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return figure_of(ax)


def receptive_fields(
    weights: ArrayLike,
    shape: tuple[int, int],
    ax: Axes | None = None,
    *,
    columns: int = 8,
    names: Sequence[str] = (),
    largest: float | None = None,
) -> Figure:
    """The weights of neurons that look at a picture, each as a picture: white ones are positive, black ones negative.

    Arguments:
        weights: of shape (neurons, height × width), of each neuron those of the picture's pixels, row by row.
        shape: (height, width) of the picture.
        columns: how many neurons there are in a row, at most.
        names: of the neurons, written above them.
        largest: the size of a weight that is drawn in white or black, above 0; larger ones are, too. By default, that
            of the largest weight. Fields that are to be compared need the same.

    Raises ValueError for weights of another shape, or that are not finite, and unless there are as many names as
    neurons; TypeError for what are no numbers, or no names.
    Source: D. A. Pomerleau, "Efficient training of artificial neural networks for autonomous navigation", Neural
    Computation 3, 1991, draws a network that drives so.

    >>> figure = receptive_fields([[0.0, 1.0, 2.0, -1.0], [0.5, 0.5, -0.5, -0.5]], (2, 2), names=["corner", "edge"])
    """
    if not is_sequence(shape) or len(sides := [*shape]) != 2:
        raise TypeError(f"receptive_fields: shape: expected (height, width), got {shortened(shape)}")
    height, width = (positive("receptive_fields: shape", side) for side in sides)
    matrix = real_array("receptive_fields: weights", weights, ("n", height * width))
    titles = names_of_all("receptive_fields: names", names, len(matrix))
    full = full_weight("receptive_fields: largest", largest, matrix)
    columns = positive("receptive_fields: columns", columns)
    fields = matrix.reshape(-1, height, width)
    ax = side_by_side("receptive_fields", fields, ax, columns, full, titles, colours="gray", inches=1.6)
    return figure_of(ax)


def trajectories(paths: Mapping[str, ArrayLike], ax: Axes | None = None) -> Figure:
    """Paths in the plane, such as orbits, in equal units on both axes: each begins at its large marker.

    Arguments:
        paths: what each is called, and its points, of shape (n, 2).

    Raises ValueError if there is none, for another shape, and for numbers that are not finite; TypeError for what is no
    dict of numbers.

    >>> figure = trajectories({"a fall": [[0.0, 1.0], [0.1, 0.6], [0.2, 0.0]]})
    """
    lines = {
        name: real_array(f"trajectories: {name!r}", path, ("n", 2))
        for name, path in items_of("trajectories: paths", paths).items()
    }
    if not lines:
        raise ValueError("trajectories: expected at least one path, got none")
    ax = axes("trajectories", ax, 6.0, 6.0)
    for k, (name, line) in enumerate(lines.items()):
        colour = COLOURS[k % 8]
        ax.plot(*line.T, linestyle=DASHES[k % 6], color=colour, label=literal(name))
        ax.plot(*line[:1].T, MARKERS[k % 8], color=colour, markersize=8, markeredgecolor="white")
    ax.set_aspect("equal")
    ax.legend()
    return figure_of(ax)


def error_surface(
    error: Callable[[float, float], Any],  # Any: a Value or a number
    w1: tuple[float, float],
    w2: tuple[float, float],
    ax: Axes | None = None,
    *,
    paths: Mapping[str, ArrayLike] | None = None,
    levels: int | Sequence[float] = 12,
    resolution: int = 60,
) -> Figure:
    """The error as a function of two weights: a map with lines of equal error, or in space, the surface itself.

    Arguments:
        error: from w1 and w2 to the error, a number or a Value. Models in it are in evaluation mode.
        w1, w2: from where to where each weight goes.
        ax: Axes in the plane get the map. Those of `panels` with the projection "3d" get the surface.
        paths: descents to draw, what each is called and the weights at each of its points, of shape (n, 2). It starts
            at the large marker.
        levels: the errors that have a line on the map, or about how many lines to draw.
        resolution: the error is asked for at resolution² points.

    Raises ValueError if a path has another shape, for numbers that are not finite or leave no room, and if the error is
    finite nowhere; TypeError for what are no numbers, and if the error is none.

    >>> figure = error_surface(lambda w1, w2: 0.5 * (w1 + w2) ** 2, (-2, 2), (-2, 2), paths={"down": [[2, 1], [1, 0]]})
    """
    check_function("error_surface: error", error, "lambda w1, w2: half_squared_error(w1 * x + w2, target)")
    descents = {
        name: real_array(f"error_surface: path {name!r}", path, ("n", 2))
        for name, path in items_of("error_surface: paths", {} if paths is None else paths).items()
    }
    resolution = at_least(2, "error_surface: resolution", resolution)
    lines = levels_of(levels)
    ends = [ends_of(f"error_surface: {name}", given) for name, given in {"w1": w1, "w2": w2}.items()]
    xs, ys = (numpy.linspace(low, high, resolution) for low, high in ends)
    ax = axes("error_surface", ax, 6.0, 5.0, "3d")
    draw: Any = ax  # Any: Axes in space have methods that those in the plane have not
    errors = numpy.array(asked(lambda: [[measured(error, x, y) for x in xs.tolist()] for y in ys.tolist()]))
    heights = asked(
        lambda: {name: [measured(error, x, y) for x, y in descent.tolist()] for name, descent in descents.items()}
    )
    if not numpy.isfinite(errors).any():
        raise ValueError(f"error_surface: expected an error that is finite somewhere, got {errors[0, 0]} and the like")
    in_space = ax.name == "3d"
    if in_space:
        draw.plot_surface(*numpy.meshgrid(xs, ys), errors, cmap="cividis", alpha=0.7, antialiased=False)
        draw.set(zlabel="error")
    else:
        ax.contourf(xs, ys, errors, lines, cmap="Greys_r", alpha=0.25)
        contours = ax.contour(xs, ys, errors, lines, colors="0.45", linewidths=0.8)
    for k, (name, descent) in enumerate(descents.items()):
        points = [*descent.T, heights[name]] if in_space else [*descent.T]
        line = {"color": COLOURS[k % 8], "marker": MARKERS[k % 8], "zorder": 5}
        draw.plot(*points, linestyle=DASHES[k % 6], markersize=3, label=literal(name), **line)
        draw.plot(*([coordinate[0]] for coordinate in points), markersize=8, markeredgecolor="white", **line)
    ax.set(xlabel="w₁", ylabel="w₂", xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]))
    if descents:
        ax.legend()
    if not in_space:
        write_on_lines(ax, contours, [*descents.values()])
    return figure_of(ax)


def panels(
    columns: int, rows: int = 1, *, width: float = 4.0, height: float = 3.5, projections: Sequence[str | None] = ()
) -> tuple[Figure, list[Axes]]:
    """Axes to draw several plots on, side by side on one figure, which shows itself in notebooks.

    Arguments:
        columns, rows: how many, at least 1.
        width, height: of each, in inches.
        projections: of the first ones, as matplotlib calls them, such as "3d" for axes in space; those that are None,
            and all others, are in the plane.

    Returns the figure, and the axes, row by row. Raises ValueError and TypeError for what leaves no room for them.

    >>> figure, (left, right) = panels(2)
    >>> loss_curves({"a": [1.0, 0.5]}, left) is loss_curves({"b": [1.0, 0.7]}, right) is figure
    True
    """
    columns, rows = positive("panels: columns", columns), positive("panels: rows", rows)
    width, height = positive_number("panels: width", width), positive_number("panels: height", height)
    figure = new_figure(columns * width, rows * height)
    shapes = projections_of(projections, columns * rows)
    return figure, [figure.add_subplot(rows, columns, k, projection=shape) for k, shape in enumerate(shapes, 1)]


def confusion_matrix(
    targets: ArrayLike,
    predictions: ArrayLike,
    ax: Axes | None = None,
    *,
    classes: Sequence[str] | None = None,
    shares: bool = False,
) -> Figure:
    """How many examples of each class (row) were taken for each class (column); the diagonal is right.

    Arguments:
        targets, predictions: the true and the predicted class of each example, counted from 0, of shape (n,).
        classes: their names; by default, their numbers up to the largest.
        shares: show, instead of how many, what share of its class that is, in percent: where some classes have far
            more examples than others. Shares below half a percent are left out.

    Raises ValueError if targets and predictions are not equally many whole numbers from 0 up, or if a class has no
    name; TypeError for what are no numbers, and if `shares` is not True or False.
    """
    rows = class_array("confusion_matrix: targets", targets)
    columns = class_array("confusion_matrix: predictions", predictions)
    names = names_of("confusion_matrix: classes", classes)
    counts = confusion_counts(rows, columns, len(names))
    names = names or [str(k) for k in range(len(counts))]
    side = max(6.0, 1.0 + 0.4 * len(names))  # room for a number in each cell
    shown = counts
    if flag("confusion_matrix: shares", shares):
        shown = numpy.rint(100 * counts / numpy.maximum(counts.sum(axis=1, keepdims=True), 1)).astype(numpy.int64)
    ax = axes("confusion_matrix", ax, side, side - 0.5)
    ax.imshow(shown, cmap="Blues")
    for (row, column), number in numpy.ndenumerate(shown):
        if number:
            colour = "white" if number > shown.max() / 2 else "black"
            ax.text(column, row, f"{number}", ha="center", va="center", color=colour)
    room = 10 * (side - 1.0) / len(names)  # of a name, at ten letters an inch
    ax.set_xticks(range(len(names)), names)
    turn_long_names(ax, room)
    ax.set_yticks(range(len(names)), names)
    right, total = counts.trace(), counts.sum()
    ax.set(xlabel="predicted class", ylabel="true class", title=f"{right:,} of {total:,} right ({right / total:.1%})")
    return figure_of(ax)


def dendrogram(
    points: ArrayLike, names: Sequence[str], ax: Axes | None = None, *, kinds: Sequence[str] | None = None
) -> Figure:
    """A tree that joins what is alike: first the nearest points, in the end the two groups that all fall into.

    Each step joins the clusters A and B whose d is the smallest, and draws a bracket there:

        d = √(2 |A| |B| / (|A| + |B|)) ‖mean of A − mean of B‖

    Arguments:
        points: of shape (n, features), at least 2.
        names: what each is called.
        kinds: of what kind each is; the names of a kind have a colour of their own.

    Raises ValueError for another shape, for numbers that are not finite, and unless there are as many names, and kinds,
    as points; TypeError for what are no numbers, or no names; ImportError if SciPy is missing, which does the joining.
    Source: J. H. Ward, "Hierarchical grouping to optimize an objective function", 1963.

    >>> figure = dendrogram([[0.0], [0.1], [5.0]], ["a", "b", "c"], kinds=["vowel", "consonant", "consonant"])
    """
    rows = real_array("dendrogram: points", points, ("n", "features"))
    if len(rows) < 2:
        raise ValueError("dendrogram: points: expected at least 2, got 1")
    of_points = {"names": names_of("dendrogram: names", names), "kinds": names_of("dendrogram: kinds", kinds)}
    for what, given in of_points.items():
        if given and len(given) != len(rows):
            raise ValueError(f"dendrogram: {what}: expected {len(rows)}, one for each point, got {len(given)}")
    if not of_points["names"]:
        raise TypeError("dendrogram: names: expected a list of names, got None")
    with numpy.errstate(over="ignore"):
        if not numpy.isfinite(((rows - rows[0]) ** 2).sum()):
            raise ValueError("dendrogram: points: the squares of their distances have to be finite; divide all of them")
    tree = clustered(rows)
    ax = axes("dendrogram", ax, 6.0, 0.8 + 0.15 * len(rows))
    for places, distances in zip(tree["icoord"], tree["dcoord"], strict=True):
        ax.plot(distances, places, color="0.45", linewidth=1.0)
    labels = [of_points["names"][k] for k in tree["leaves"]]
    ax.set_yticks(range(5, 10 * len(rows), 10), labels, fontsize=8)  # where SciPy puts the leaves
    ax.set(xlabel="distance", xlim=(0.0, None), ylim=(10 * len(rows), 0))
    ax.tick_params(axis="y", length=0)
    colour_kinds(ax, [of_points["kinds"][k] for k in tree["leaves"]] if kinds is not None else [])
    return figure_of(ax)


def clustered(points: NDArray[numpy.float64]) -> dict[str, list[Any]]:
    """The brackets of the tree, and in which order the points are its leaves."""
    try:
        from scipy.cluster import hierarchy
    except ImportError as error:
        raise ImportError(f"dendrogram joins with SciPy: {packages.install('scipy')}") from error
    return cast("dict[str, list[Any]]", hierarchy.dendrogram(hierarchy.linkage(points, "ward"), no_plot=True))


def colour_kinds(ax: Axes, kinds: list[str]) -> None:
    """The names of the leaves, from the first, by their kinds, which a legend tells."""
    colours = {kind: COLOURS[k % 8] for k, kind in enumerate(sorted(set(kinds)))}
    for label, kind in zip(ax.get_yticklabels(), kinds, strict=False):
        label.set_color(colours[kind])
    for kind, colour in colours.items():
        ax.plot([], [], "s", color=colour, label=kind)
    if kinds:
        ax.legend()


def attention(
    weights: Sequence[Sequence[Any]], ax: Axes | None = None, *, tokens: Sequence[str] | None = None
) -> Figure:
    """Where each place of a sequence looks: a row has the weights that it gives to the places so far, dark for large.

    Arguments:
        weights: a row for each of n places, of Values or numbers, whose sum is 1: row t has t + 1, those of the places
            so far, as `nn.CausalAttention.weights` gives them for each head; or n, those of all places.
        tokens: what each place is called, such as its letter; None leaves the names away.

    Raises ValueError if there is no row, or one has another length, a number outside of [0, 1] or another sum, and
    unless there are as many tokens as rows; TypeError for what are no numbers, or no names.
    Source: D. Bahdanau, K. Cho and Y. Bengio, "Neural machine translation by jointly learning to align and translate",
    2015, figure 3.

    >>> figure = attention([[1.0], [0.25, 0.75], [0.0, 0.5, 0.5]], tokens=["a", "d", "a"])
    """
    matrix = attention_matrix(weights)
    names = names_of("attention: tokens", tokens)
    if len(names) not in (0, len(matrix)):
        raise ValueError(f"attention: tokens: expected {counted(len(matrix), 'name')}, got {len(names)}")
    side = 1.2 + 0.35 * len(matrix)
    ax = axes("attention", ax, side, side)
    ax.imshow(matrix, cmap="Blues", vmin=0.0, vmax=1.0)
    ax.set_facecolor("0.92")  # of what is not seen
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(length=0)
    ax.set(xlabel="looks at", ylabel="place")
    return figure_of(ax)


def plot_epochs(ax: Axes, training: Sequence[float] | Array, validation: Sequence[float] | Array, what: str) -> None:
    """What was measured in each epoch, on the examples learned from and, if there are any, on the held-out ones."""
    epochs = range(1, len(training) + 1)
    for k, (numbers, name) in enumerate([(training, "training"), (validation, "validation")]):
        if len(numbers):
            few = {"marker": MARKERS[k], "markersize": 3}  # of more, the markers would hide the curve
            line = {"color": COLOURS[k], **(few if len(numbers) <= 100 else marks(numbers, MARKERS[k]))}
            ax.plot(epochs, numbers, DASHES[k], label=name, **line)
    if len(validation):
        ax.legend()
    ax.set(xlabel="epoch", ylabel=literal(what if len(what) <= 36 else f"{what[:35]}…"))  # as much as has room
    ax.locator_params(axis="x", integer=True)
    ax.grid(alpha=0.3)


def marks(numbers: Sequence[float] | Array, marker: str, scale: str = "linear") -> dict[str, Any]:
    """Marks for those of the numbers of a curve that no line leads to: there is none beside them that can be drawn.

    >>> marks(numpy.array([2.0, 1.0, numpy.nan, 0.5, numpy.inf]), "o")
    {'marker': 'o', 'markersize': 3, 'markevery': [3]}
    """
    numbers = numpy.asarray(numbers, float)
    is_drawn = numpy.isfinite(numbers) & ((numbers > 0) | (scale != "log"))
    has_neighbour = numpy.append(is_drawn[1:], False) | numpy.append(False, is_drawn[:-1])
    alone = numpy.flatnonzero(is_drawn & ~has_neighbour).tolist()
    return {"marker": marker, "markersize": 3, "markevery": alone} if alone else {}


def sides_around(points: NDArray[numpy.float64], resolution: int) -> tuple[NDArray[numpy.float64], ...]:
    """The x and the y of a grid around points in the plane, with a margin."""
    margin = 0.1 * numpy.ptp(points, axis=0) + 1e-9
    xs, ys = numpy.linspace(points.min(axis=0) - margin, points.max(axis=0) + margin, resolution).T
    return xs, ys


def fill_plane(ax: Axes, xs: list[float], ys: list[float], scores: NDArray[numpy.float64]) -> None:
    """Colours the plane by the class that leads at each of its points, and draws the boundaries.

    Arguments:
        xs, ys: of the grid.
        scores: (len(ys) × len(xs), 1), positive for one class and negative for the other; or (…, classes) logits.
    """
    logits = numpy.hstack([-scores, scores]) if scores.shape[1] == 1 else scores
    for k, lead in enumerate(leads(logits.T.reshape(-1, len(ys), len(xs)))):
        if lead.max() > 0:
            ax.contourf(xs, ys, lead, levels=[0.0, lead.max()], colors=[COLOURS[k % 8]], alpha=0.25)
        if lead.min() < 0 < lead.max():
            ax.contour(xs, ys, lead, levels=[0.0], colors="0.3", linewidths=1.0)
    ax.set(xlabel="x₁", ylabel="x₂", xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]))


def turn_long_names(ax: Axes, room: float) -> None:
    """Turns those of the names below the Axes that have more letters than there is room for. A letter stays upright."""
    for label in ax.get_xticklabels():
        label.set_rotation(90 if len(label.get_text()) > room else 0)


def literal(name: object) -> str:
    r"""A name as matplotlib shows it to the letter: what stands between two dollars is no formula.

    What can't be printed is shown as Python's escape, but a line break is one. A name that is empty, or begins with an
    underscore, which matplotlib leaves out of legends, has a space in front.

    >>> literal("$5 or $6"), literal("_hidden"), literal("\x00")
    ('\\$5 or \\$6', ' _hidden', '\\x00')
    """
    text = "\n".join(map(printable, str(name).split("\n"))).replace("$", r"\$")
    return f" {text}" if text[:1] in ("", "_") else text


def write_on_lines(ax: Axes, contours: Any, paths: Sequence[NDArray[numpy.float64]]) -> None:
    """Writes its number on each line of equal error: off the frame, the paths, the legend and the other numbers.

    A line that has no room for it has none. Distances are in parts of the sides of the Axes.
    """
    to_sides = ax.transData + ax.transAxes.inverted()
    taken = [points_along(to_sides.transform(path)) for path in paths] + [points_in_legend(ax)]
    places = []
    for line in contours.get_paths():
        parts = numpy.split(line.vertices, numpy.flatnonzero(line.codes == line.MOVETO)) if len(line.vertices) else []
        for part in parts[1:]:  # nothing is in front of the first one
            points = to_sides.transform(part)
            room = numpy.minimum(points, 1.0 - points).min(axis=1)  # to the frame
            for others in taken:
                if len(others):
                    room = numpy.minimum(room, numpy.linalg.norm(points[:, None] - others, axis=2).min(axis=1))
            best = int(room.argmax())
            if room[best] >= ROOM and numpy.linalg.norm(numpy.diff(points, axis=0), axis=1).sum() >= 4 * ROOM:
                places.append(part[best])
                taken.append(points[best : best + 1])
    if places:
        ax.clabel(contours, manual=places, fmt="%g", fontsize=8)


ROOM = 0.06  # that a number on a line needs on all sides


def points_along(path: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """Points on the lines of a path, as far as it is in the Axes, and each only once in a grid of 50 × 50."""
    parts = numpy.linspace(0.0, 1.0, 50)[:, None, None]
    with numpy.errstate(over="ignore", invalid="ignore"):  # a descent may leave for infinity
        points = numpy.concatenate([path, (path[:-1] + parts * numpy.diff(path, axis=0)).reshape(-1, 2)])
        inside = points[((points > -0.1) & (points < 1.1)).all(axis=1)]
    return numpy.unique(numpy.rint(50 * inside), axis=0) / 50


def points_in_legend(ax: Axes) -> NDArray[numpy.float64]:
    """Points all over the legend, which from now on stays at the side where it is."""
    legend = ax.get_legend()
    if legend is None:
        return numpy.empty((0, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a figure may have no room yet, before all of its panels are drawn
        ax.figure.canvas.figure.draw_without_rendering()  # which finds the place
    box = legend.get_window_extent().transformed(ax.transAxes.inverted())
    side = [round(box.y0 + box.y1), round(box.x0 + box.x1)]  # 0, 1 or 2
    names = ("lower", "center", "upper")[side[0]], ("left", "center", "right")[side[1]]
    place: Any = " ".join(dict.fromkeys(names))  # Any: one of the names that matplotlib has for its places
    legend.set_loc(place)
    xs, ys = numpy.linspace(box.x0, box.x1, 12), numpy.linspace(box.y0, box.y1, 12)
    return numpy.stack(numpy.meshgrid(xs, ys), axis=-1).reshape(-1, 2)


def leads(logits: NDArray[numpy.float64]) -> list[NDArray[numpy.float64]]:
    """By how much each class (the first axis) is ahead of the best of the others: negative where it loses."""
    return [logit - numpy.delete(logits, k, axis=0).max(axis=0) for k, logit in enumerate(logits)]


def confusion_counts(
    targets: NDArray[numpy.int64], predictions: NDArray[numpy.int64], names: int
) -> NDArray[numpy.int64]:
    """counts[i, j]: examples of class i that were taken for class j."""
    if len(targets) != len(predictions):
        raise ValueError(
            f"confusion_matrix: expected as many predictions as targets, got {len(predictions)} and {len(targets)}"
        )
    both = numpy.concatenate([targets, predictions])
    size = names or both.max() + 1
    if size > MOST_CLASSES:
        raise ValueError(f"confusion_matrix: expected up to {MOST_CLASSES} classes, got {size}")
    if both.min() < 0 or both.max() >= size:
        raise ValueError(f"confusion_matrix: expected classes from 0 to {size - 1}, got {both.min()} to {both.max()}")
    counts = numpy.zeros((size, size), dtype=numpy.int64)
    numpy.add.at(counts, (targets, predictions), 1)
    return counts


# ---- What is given, checked


def asked(answers: Callable[[], Answers]) -> Answers:
    """The answers of a model, as a picture shows it: in evaluation mode, and nothing is recorded."""
    with no_grad():
        return drawing(nobody, answers)


def scores_of(outputs: list[Any], is_score: bool) -> NDArray[numpy.float64]:
    """(n, 1) scores or (n, classes) logits."""
    name = f"decision_boundary: the model's {'score' if is_score else 'logits'}"
    try:
        rows = [scalars(name, [output] if is_score or not is_sequence(output) else output) for output in outputs]
    except OverflowError:
        raise ValueError(f"{name}: expected finite numbers, got {BEYOND_FLOATS}") from None
    if len({len(row) for row in rows}) > 1 or not rows[0]:
        raise ValueError(f"{name}: expected as many of each input, at least 1, got {len(rows[0])} and {len(rows[-1])}")
    scores = numpy.array([[structures.number(score) for score in row] for row in rows])
    if not numpy.isfinite(scores).all():
        raise ValueError(f"{name}: expected finite numbers, got {scores[~numpy.isfinite(scores)][0]}")
    return scores


def attention_matrix(given: Any) -> NDArray[numpy.float64]:
    """(n, n) weights, nan where a row has none: behind its own place."""
    if not is_sequence(given) or isinstance(given, str):
        raise TypeError(f"attention: weights: expected a list of rows, one for each place, got {shortened(given)}")
    rows = [*given]
    if not rows:
        raise ValueError("attention: weights: expected a row for each place, at least one, got none")
    matrix = numpy.full((len(rows), len(rows)), numpy.nan)
    for t, row in enumerate(rows):
        numbers = real_array(f"attention: row {t}", row, ("n",))
        if len(numbers) not in (t + 1, len(rows)):
            raise ValueError(
                f"attention: row {t}: expected {counted(t + 1, 'weight')}, or {len(rows)}, got {len(numbers)}"
            )
        if numbers.min() < 0.0 or abs(numbers.sum() - 1.0) > 1e-6:
            raise ValueError(
                f"attention: row {t}: expected weights of at least 0 whose sum is 1, got {shortened(numbers.tolist())}"
            )
        matrix[t, : len(numbers)] = numbers
    return matrix


def losses_of(name: str, given: Any) -> NDArray[numpy.float64]:
    """They may be none, and nan or infinite, as they are where a training has failed."""
    is_empty = is_sequence(given) and isinstance(given, Sized) and len(given) == 0
    return numpy.empty(0) if is_empty else real_array(name, given, ("n",), finite=False)


def check_scale(name: str, scale: object) -> None:
    if not isinstance(scale, str) or scale not in SCALES:
        raise ValueError(f"{name}: scale: expected 'log' or 'linear', got {shortened(scale)}")


def runs_of(name: str, given: Any) -> list[Any]:
    if not is_sequence(given):
        raise TypeError(f"{name}: expected a list of runs, got {shortened(given)}")
    return [*given]


def items_of(name: str, given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise TypeError(f"{name}: expected a dict, from what each is called, got {shortened(given)}")
    return given


def ends_of(name: str, given: Any) -> tuple[float, float]:
    low, high = real_array(name, given, (2,)).tolist()
    if not 0.0 < high - low < numpy.inf:
        raise ValueError(f"{name}: expected (low, high), got ({low}, {high}), whose distance is {high - low}")
    return low, high


def levels_of(given: Any) -> Any:
    """How many lines, or the errors that have one."""
    if not is_sequence(given):
        return positive("error_surface: levels", given)
    levels = real_array("error_surface: levels", given, ("n",))
    if len(levels) < 2 or not (numpy.diff(levels) > 0).all():
        raise ValueError(f"error_surface: levels: expected at least 2 that increase, got {shortened(levels.tolist())}")
    return levels


def projections_of(given: Any, count: int) -> list[str | None]:
    from matplotlib.projections import get_projection_names

    names = get_projection_names()
    listed = [*given] if is_sequence(given) and not isinstance(given, str) else None
    if listed is None or not all(shape is None or (isinstance(shape, str) and shape in names) for shape in listed):
        raise ValueError(f"panels: projections: expected a list of None and names such as '3d', got {shortened(given)}")
    if len(listed) > count:
        raise ValueError(f"panels: projections: expected up to {count}, one for each panel, got {len(listed)}")
    return [*listed, *[None] * (count - len(listed))]


def names_of(name: str, given: Any) -> list[str]:
    """The names as they are drawn; none for None."""
    if given is None:
        return []
    names = [*given] if is_sequence(given) and not isinstance(given, (str, Mapping)) else []
    if not names or not all(isinstance(each, str) for each in names):
        raise TypeError(f"{name}: expected a list of names, got {shortened(given)}")
    return [*map(literal, names)]


def names_of_all(name: str, given: Sequence[str], count: int) -> list[str]:
    """None at all, or one for each."""
    is_empty = is_sequence(given) and isinstance(given, Sized) and len(given) == 0
    names = names_of(name, None if is_empty else given)
    if len(names) not in (0, count):
        raise ValueError(f"{name}: expected {counted(count, 'name')}, got {len(names)}")
    return names


def full_weight(name: str, largest: float | None, weights: NDArray[numpy.float64]) -> float:
    """The size of a weight that is drawn as large, or as bright, as any is."""
    if largest is None:
        return float(abs(weights).max()) or 1.0
    return positive_number(name, largest)


def positive_number(name: str, given: float) -> float:
    number = finite(name, given)
    if number <= 0.0:
        raise ValueError(f"{name}: expected a positive number, got {given}")
    return number


def axes(name: str, ax: Axes | None, width: float, height: float, *others: str) -> Axes:
    """The Axes that are given, or new ones. They are in the plane, or of another kind that is allowed."""
    if ax is None:
        return new_axes(width, height)
    if not (hasattr(ax, "contourf") and hasattr(ax, "get_figure")):
        raise TypeError(f"{name}: ax: expected Axes, such as panels() makes, got {shortened(ax)}")
    kinds = ["rectilinear", *others]
    if ax.name not in kinds:
        raise ValueError(f"{name}: ax: expected Axes of the kind {' or '.join(kinds)}, got {ax.name}")
    return ax


# ---- Figures


def side_by_side(
    name: str,
    images: NDArray[numpy.float64],
    ax: Axes | None,
    columns: int,
    full: float,
    titles: Sequence[str] = (),
    *,
    colours: str,
    inches: float,
) -> Axes:
    """Images (n, height, width), of so many inches each, with at most so many in a row: from -full to full."""
    count, height, width = images.shape
    full = min(full, 8e307)  # matplotlib subtracts: twice that is still a float
    columns = min(columns, count)
    rows = -(-count // columns)
    gap, title_room = max(1, width // 16), round(0.3 * height) if titles else 0
    cell_height = height + gap + title_room
    ax = axes(name, ax, inches * columns, inches * rows * cell_height / (width + gap))
    for k, image in enumerate(images):
        top, left = (k // columns) * cell_height, (k % columns) * (width + gap)
        box = (left, left + width, top + height, top)  # the first row of pixels is on top
        ax.imshow(image.clip(-full, full), cmap=colours, vmin=-full, vmax=full, extent=box, interpolation="nearest")
        if titles:
            ax.text(left + width / 2, top - gap / 2, titles[k], ha="center", va="bottom", fontsize=8)
    bottom = rows * cell_height - title_room
    ax.set(xlim=(-gap, columns * (width + gap)), ylim=(bottom, -gap - title_room), aspect="equal")
    ax.set_axis_off()
    return ax


def rectangle(corner: tuple[float, float], side: float, colour: str) -> Any:  # Any: matplotlib is imported when used
    from matplotlib.patches import Rectangle

    return Rectangle(corner, side, side, facecolor=colour, edgecolor="none")


def figure_of(ax: Axes) -> Figure:
    return cast("Figure", ax.figure)


def new_axes(width: float, height: float) -> Axes:
    """Axes on a figure of their own, of the given size in inches."""
    return new_figure(width, height).add_subplot()


def new_figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(f"nn.plots draws with matplotlib: {packages.install('matplotlib')}") from error

    class Picture(Figure):
        """Shows itself in notebooks, which by themselves show pyplot's figures only."""

        def _repr_png_(self) -> bytes:
            png = BytesIO()
            self.savefig(png, format="png")
            return png.getvalue()

    figure = Picture(figsize=(width, height), layout="constrained")
    if max(width, height) * figure.dpi > MOST_PIXELS:
        raise ValueError(
            f"a figure of {width:,.0f} by {height:,.0f} in has more than {MOST_PIXELS:,} pixels on a side; draw less"
        )
    return figure
