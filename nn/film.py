"""A film is what a training leaves to be looked at: its parameters at some moments, and what the model did with them.

`fit(..., watch=True)` makes one. Its pictures are of a copy of the model where there can be one, and what they change
is put back: so a training that is watched comes to the same numbers, to the bit.
"""

from __future__ import annotations

import copy
import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from autograd import draw, scatter
from autograd.packages import numpy
from autograd.undo import undisturbed
from nn.arguments import class_array, column_of, columns_of, real_array
from nn.dropout import drawing, nobody
from nn.losses import half_squared_error, squared_error
from nn.plots import sides_around
from nn.problem import ByExample, ByTape, Problem, choose

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import NDArray

    from autograd import Value
    from nn.arguments import Example
    from nn.problem import Evaluator

    Array = NDArray[numpy.float64]
    Model = Callable[[Any], Any]  # Any: as `fit` takes it

MOST_SNAPSHOTS = 60
MOST_BYTES = 2**25  # of all snapshots together: of a large model there are fewer
MOST_POINTS = 500  # that a picture of the plane shows
RESOLUTION = 40  # the model is asked at so many points, squared


class Snapshot(NamedTuple):
    """The parameters at a moment, counted in epochs: 1.5 is in the middle of the second."""

    epoch: float
    parameters: Array


class Film:
    """A training as it can be shown again.

    Arguments:
        model, parameters, examples: those of the training.
        names: what is measured: "loss", and the metric's name if there is one.
        loss: that of the training. A squared error has a single output learn the targets themselves, so its boundary is
            midway between them; any other takes it for a score, or a logit, whose boundary is at 0.
        earlier: the film of the training that is gone on with.

    snapshots   of all steps every first, second, fourth, ..., so that they are evenly spaced and no more than
                `MOST_SNAPSHOTS` (and the last step's), and their memory is bounded, however long the training
    plane       where the model can be asked, if its inputs are pairs of numbers and the targets classes; else None
    """

    def __init__(
        self,
        model: Model,
        parameters: list[Value],
        examples: list[Example],
        names: list[str],
        earlier: Film | None = None,
        loss: object = None,
    ) -> None:
        self.model, self.parameters, self.names = model, parameters, names
        self.plane = plane_of(examples)
        self.learns_targets = loss in (squared_error, half_squared_error)
        self.most = max(2, min(MOST_SNAPSHOTS, MOST_BYTES // (8 * len(parameters) or 1)))
        self.snapshots: list[Snapshot] = []
        self.steps, self.stride = 0, 1
        if earlier is not None and len(earlier.parameters) == len(parameters):
            self.snapshots, self.steps, self.stride = [*earlier.snapshots], earlier.steps, earlier.stride
        self.example = examples[0][0]
        self._evaluator: Evaluator | None = None
        self._drawn: tuple[Model, list[Value]] | None = None

    def note(self, epoch: float, vector: Array) -> None:
        """Is told of the start and of each step. Who goes on starts where the earlier film ends: that is noted once."""
        if self.snapshots and self.snapshots[-1].epoch == epoch:
            if (self.steps - 1) % self.stride:
                self.snapshots.pop()  # that was kept as the last step alone
            return
        if self.steps % self.stride == 0:
            self.snapshots.append(Snapshot(epoch, vector.copy()))
            if len(self.snapshots) > self.most:
                self.snapshots, self.stride = self.snapshots[::2], 2 * self.stride
        self.steps += 1

    def end(self, epoch: float, vector: Array) -> None:
        """Is told of the last step again."""
        if not self.snapshots or self.snapshots[-1].epoch != epoch:
            self.snapshots.append(Snapshot(epoch, vector.copy()))

    def scores(self, vector: Array) -> Array | None:
        """(RESOLUTION², 1) scores or (RESOLUTION², classes) logits of the model with these parameters, in the plane.

        None where they cannot be shown: without a plane, for numbers that are not finite, or too large to compute, and
        where the targets are no classes of this model. Raises what else the model raises.
        """
        if self.plane is None:
            return None
        with undisturbed(self.parameters), suppress(ArithmeticError):
            evaluator = self._evaluator or self._asking(self.plane)
            # A tape has been recorded of a copy, once for all. Else the model is copied as it is at each time.
            self._evaluator = evaluator if isinstance(evaluator, ByTape) else None
            scores = evaluator.outputs(vector)
            if numpy.isfinite(scores).all() and self.plane.are_classes(scores.shape[1]):
                is_target = self.learns_targets and scores.shape[1] == 1
                return scores - self.plane.midway if is_target else scores
        return None

    def _asking(self, plane: Plane) -> Evaluator:
        """What asks the model at all points of the plane. Some of them tell whether a tape may do so."""
        model, parameters = twin(self.model, self.parameters)
        some = Problem("watch", model, parameters, plane.inputs[:: RESOLUTION + 1])
        evaluator, _ = choose(some, None)
        if not isinstance(evaluator, ByTape):
            return ByExample(replace(some, examples=plane.inputs))
        [evaluator.numbers] = columns_of(plane.inputs)
        return evaluator

    def network(self, vector: Array) -> str | None:
        """The picture of the network with these parameters, as SVG; None where there is none of such a model.

        Raises what the model raises, but for what says that it cannot be drawn.
        """
        with undisturbed(self.parameters), suppress(TypeError, ValueError):
            model, parameters = self._drawn = self._drawn or twin(self.model, self.parameters)
            scatter(vector, parameters, "data")
            return drawing(nobody, network_svg, model, self.example)  # as `scores` asks it: whole
        return None


def network_svg(model: Model, example: Any) -> str:
    """The network as SVG, without the numbers that hovering would show: it is shown as an image.

    The example is for models whose weights do not tell what they take.
    """
    try:
        drawing = draw(model)
    except ValueError:
        drawing = draw(model, example)
    return re.sub("<title>[^<]*</title>", "", drawing.svg)


def twin(model: Model, parameters: list[Value]) -> tuple[Model, list[Value]]:
    """A copy of the model, and of the parameters that are in it. What cannot be copied, as a function, is itself."""
    copies: dict[int, Any] = {}
    try:
        copied = copy.deepcopy(model, copies)
    except Exception:  # a model may hold anything
        return model, parameters
    return copied, [copies.get(id(parameter), parameter) for parameter in parameters]


# ---- The plane


class Plane:
    """The plane of the inputs: a grid on which the model is asked, and the examples.

    xs, ys      the grid's
    points      (n, 2), as many as a picture shows
    classes     (n,), as `decision_boundary` takes them
    """

    def __init__(self, points: Array, classes: NDArray[numpy.int64]) -> None:
        self.xs, self.ys = sides_around(points, RESOLUTION)
        some = numpy.linspace(0, len(points) - 1, min(len(points), MOST_POINTS)).astype(int)
        self.points, self.classes = points[some], classes[some]

    @property
    def midway(self) -> float:
        """Between two classes; 0 where there is only one."""
        low, high = int(self.classes.min()), int(self.classes.max())
        return (low + high) / 2.0 if low != high else 0.0

    @property
    def inputs(self) -> list[Example]:
        """Row by row, from the lowest y on."""
        return [([x, y],) for y in self.ys.tolist() for x in self.xs.tolist()]

    def are_classes(self, outputs: int) -> bool:
        """Whether a model with so many outputs may tell these classes apart."""
        low, high = (-1, 1) if outputs == 1 else (0, outputs - 1)
        return bool(low <= self.classes.min() and self.classes.max() <= high)


def plane_of(examples: list[Example]) -> Plane | None:
    """The plane, if inputs are lists of two numbers, and targets whole numbers, or one number per class."""
    inputs, targets = zip(*examples, strict=True)
    if not all(isinstance(input, (list, tuple)) and len(input) == 2 for input in inputs):
        return None
    with suppress(TypeError, ValueError, OverflowError), numpy.errstate(all="ignore"):
        goals = column_of("targets", targets)
        classes = goals[:, 0] if goals.shape[1] == 1 else goals.argmax(axis=1)
        plane = Plane(real_array("inputs", column_of("inputs", inputs), ("n", 2)), class_array("targets", classes))
        if numpy.isfinite([plane.xs, plane.ys]).all():
            return plane
    return None
