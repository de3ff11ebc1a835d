"""Training: `fit` goes through the examples epoch by epoch, in mini-batches, and `History` is what it measured.

For each batch an optimizer makes a step, which follows the gradient of the batch's mean loss down.
"""

from __future__ import annotations

import copy
import math
import random
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from reprlib import repr as shortened
from typing import TYPE_CHECKING, cast

from autograd import Value, scatter, structures
from autograd.displays import Table, in_notebooks
from autograd.packages import numpy
from autograd.undo import Undo
from autograd.wording import counted
from nn.arguments import check_function, check_record, flag, flag_or_none, pairs_of, positive, seed_number
from nn.dropout import Generated
from nn.module import Module, warn_of_computed
from nn.optimizers import Optimizer, gathered, is_finite
from nn.problem import MetricError, Problem, choose
from nn.progress import figures, progress_bar, series_table

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from tqdm import tqdm

    from nn.arguments import Example
    from nn.film import Film
    from nn.problem import Evaluator
    from nn.watching import Watcher

    Vector = NDArray[numpy.float64]
    # Any: inputs, outputs and targets have whatever form the model and the loss agree upon.
    Model = Callable[[Any], Any]
    Loss = Callable[[Any, Any], Value]
    Metric = Callable[[Any, Any], Value | float]
    Examples = Iterable[Any]

# What these functions are called elsewhere.
LOSSES = {
    "mse": "squared_error", "mean squared error": "squared_error", "l2": "squared_error",
    "bce": "binary_cross_entropy", "binary crossentropy": "binary_cross_entropy", "log loss": "binary_cross_entropy",
    "ce": "cross_entropy", "categorical crossentropy": "cross_entropy", "nll": "cross_entropy",
    "max margin": "hinge", "hinge": "hinge", "half squared error": "half_squared_error",
}  # fmt: skip
# Why a training ended.
REASONS = {
    "epochs": "all epochs were gone through",
    "patience": "the validation loss did not fall any more",
    "callback": "the callback ended it",
}
METRICS = {"accuracy": "correct_class", "acc": "correct_class", "binary accuracy": "correct_sign"}


def fit(
    model: Model,
    inputs: Examples,
    targets: Examples,
    loss: Loss,
    optimizer: Optimizer,
    *,
    epochs: int,
    batch_size: int = 32,
    validation: tuple[Examples, Examples] | None = None,
    metric: Metric | None = None,
    patience: int | None = None,
    callback: Callable[[History], object] | None = None,
    history: History | None = None,
    shuffle: bool = True,
    seed: int | None = 0,
    progress: bool = True,
    watch: bool = False,
    tape: bool | None = None,
) -> History:
    """Minimises the mean of loss(model(input), target) over the examples, by mini-batch gradient descent.

    A batch B makes one step of the optimizer, with the gradient of (1/|B|) Σ_{i in B} loss(model(input_i), target_i).
    If all examples have the same graph, it is recorded once, and a tape replays it (`autograd.Tape`). Where numbers
    stand in other places in some examples, as in sequences of several lengths and in trees, each shape has a tape, if
    there are no more than 256. (In a tree None may stand for what it has not.) Each example's graph is built in its
    turn if there is anything else than numbers, as strings and None alone; or if examples of one shape have several
    graphs, because model or loss choose by comparing, by chance or by an index. But by an index, such as the number of
    a word, `autograd.take` may choose, as `Embedding` does. All that is found out in the beginning: some of the
    examples and all of the targets are computed and replayed, with the parameters as they are and with others. What
    shows rarely or late needs `tape=False`, such as a choice by `.data` that is always the same at first, or by a set
    (`word in STOP_WORDS`), in which a Value is itself and no number. Memory does not grow with the batch.

    Arguments:
        model: from one example's input to its output; any callable. An input is what one row of `inputs` holds: a list
            of floats, a float, or another structure. Numbers of NumPy become Python's. The model may change it: it gets
            a copy.
        inputs, targets: equally many of each: arrays of which a row is an example, lists, or other iterables.
        loss: from an output and a target to a Value.
        optimizer: carries the parameters to learn and the learning rate. Their gradients are reset at each batch.
        epochs: how often to go through all examples, at least 1.
        batch_size: examples per step, at least 1. An epoch's last batch is smaller if they do not divide evenly.
        validation: (inputs, targets) that are not learned from; loss and metric are computed on them after each epoch.
            They have the form of those to learn from, if these have one; with `tape=False`, any that the model takes.
        metric: from an output and a target to a number, 1.0 for right and 0.0 for wrong for example: `correct_class`.
            It may read the parameters, but not change them.
        patience: stop early, after this many epochs in which the validation loss did not fall below its lowest value,
            and go back to the parameters that it was lowest with (I. Goodfellow, Y. Bengio, A. Courville, "Deep
            Learning", 2016, algorithm 7.1). Without it, the parameters are those after the last step.
        callback: is called after each epoch with the History so far, and ends the training by returning True. The
            parameters are those after the epoch (until then they keep their old numbers, if there is a tape). It may
            change them, save them, or set `optimizer.learning_rate`. What it changes of the model otherwise, a tape
            does not notice.
        history: go on with a training that this is the History of: `epochs` counts its epochs too, and what is returned
            has them. With the parameters and the optimizer as they were (`load_checkpoint`), the same data and the
            same seed, it goes on to the bit as if it had never ended, if model and loss draw nothing themselves. (If
            `patience` has put the best parameters back, it takes the last ones again. An epoch that was interrupted
            is begun anew, with what had been learned in it: save in a callback to go on from whole epochs.)
        shuffle: draw a new order for each epoch, else take the examples as they come.
        seed: of these orders, and of what `Dropout` leaves out; None draws one. Two calls with the same seed draw the
            same, unless the second goes on with the history of the first. Python's and NumPy's global random states are
            neither used nor changed, as long as no other thread draws from them now and then.
        progress: show a progress bar on the standard error stream, or in a notebook: the epoch, the time left, and loss
            and metric so far, behind a slash those of the last validation.
        watch: in a notebook, show while it learns how the loss and the metric go; the decision boundary, where inputs
            are pairs of numbers and targets are classes (of a single output, it is at 0, and for a squared error midway
            between the targets); and the network, if the model is one that `autograd.draw`
            takes. Each picture moves up to ten times a second, and all together take no more than a twentieth of the
            training's time. In the end a figure takes their place. They need anywidget, the extra `live`; without it,
            the figure is drawn anew now and then. Elsewhere, as in a terminal, there is the bar alone. Everywhere the
            History keeps the parameters at up to 61 moments, in some 32 MiB at most, for `History.animate`. What is
            learned is the same, to the bit, with `watch` and without.
        tape: None chooses as said; True insists on a tape; False builds each example's graph: the same numbers up to
            rounding, slower. With a tape model and loss are called in the beginning only, and the metric gets the
            model's output with numbers in the place of Values. Without one, `grad` of leaves that the optimizer does
            not have, as those of frozen layers, adds up.

    Returns the History of losses and metrics. An interrupt (Ctrl-C) ends the training and returns it too, with
    `interrupted` set; what was learned so far is in the parameters.

    Raises, before anything is changed:
        ValueError: no examples, or not equally many inputs and targets; `epochs`, `batch_size` or `patience` below 1;
            `patience` without `validation`; validation examples of another form; if there is a tape, the index of a
            lookup that no element has; no example's loss depends on the optimizer's parameters, as within `no_grad()`;
            a `history` of other lists, or of as many epochs already.
        TypeError: `epochs`, `batch_size`, `patience` or `seed` is not an integer; `validation` is not a pair;
            `optimizer` makes no steps; model, loss, metric or callback is no function; a flag is not True or False;
            the examples are no list or array; the first loss is not a Value;
            `tape=True` and the examples of a shape do not have the same graph; numbers are masked.
    Raises, with the parameters as they were before the batch; before the first step everything is as it was, `grad` and
    the global random states included:
        FloatingPointError: a loss or a gradient is nan or infinite, or too large to compute.
        Whatever model, loss and metric raise; where each example's graph is built, with a note of the example.

    >>> from autograd import Value
    >>> from nn.losses import squared_error
    >>> from nn.optimizers import SGD
    >>> slope = Value(0.0)
    >>> history = fit(lambda x: slope * x, [1.0, 2.0, 3.0], [2.0, 4.0, 6.0], squared_error, SGD([slope], 0.1),
    ...               epochs=20, progress=False)
    >>> round(slope.data, 6)
    2.0
    """
    if isinstance(optimizer, type) or not hasattr(optimizer, "step") or not hasattr(optimizer, "parameters"):
        raise TypeError(
            "fit: optimizer: expected one that makes a step, such as SGD(model.parameters()), "
            f"got {shortened(optimizer)}; "
            "a second-order method goes through all examples by itself, with its own minimize(...)"
        )
    check_function("fit: model", model, "MLP(2, [16, 1])")
    check_function("fit: loss", loss, "squared_error", LOSSES)
    if metric is not None:
        check_function("fit: metric", metric, "correct_class", METRICS)
    if callback is not None:
        check_function("fit: callback", callback, "lambda history: history.loss[-1] < 0.01")
    examples = pairs_of("fit", inputs, targets)
    if validation is not None and not (isinstance(validation, (tuple, list)) and len(validation) == 2):
        raise TypeError(f"fit: validation: expected a pair (inputs, targets), got {shortened(validation)}")
    held_out = [] if validation is None else pairs_of("fit, validation", *validation)
    epochs, batch_size = positive("fit: epochs", epochs), positive("fit: batch_size", batch_size)
    seed = seed_number(seed)
    shuffle, progress = flag("fit: shuffle", shuffle), flag("fit: progress", progress)
    watch = flag("fit: watch", watch)
    tape = flag_or_none("fit: tape", tape)
    if patience is not None:
        patience = positive("fit: patience", patience)
        if validation is None:
            raise ValueError("fit: patience watches the validation loss; pass validation=(inputs, targets) with it")
    if not isinstance(history, (History, type(None))):
        raise TypeError(f"fit: history: expected a History, as fit returns it, got {shortened(history)}")
    earlier = None if history is None else history.film
    history = History() if history is None else copy.deepcopy(history)
    history.check(len(optimizer.parameters), epochs, metric is not None, validation is not None)

    if isinstance(model, Module):
        warn_of_computed(model)
    problem = Problem("fit", loss, optimizer.parameters, examples, model, metric, held_out, Generated(seed, 0))
    run = Run(optimizer, history, patience, metric)
    order, shuffler = list(range(len(examples))), random.Random(seed)
    done = len(history.loss)
    for _ in range(done if shuffle else 0):
        shuffler.shuffle(order)
    try:
        evaluator, history.eager = choose(problem, tape)
        bar = progress_bar((epochs - done) * len(examples), progress, f"{done}/{epochs}")
        with run.undo, bar:
            if watch:
                run.watch(model, loss, examples, epochs, earlier)
            for epoch in range(done + 1, epochs + 1):
                bar.set_description_str(f"{epoch}/{epochs}", refresh=False)
                if shuffle:
                    shuffler.shuffle(order)
                problem.generated = Generated(seed, epoch)
                batches = [order[k : k + batch_size] for k in range(0, len(order), batch_size)]
                history.append(run.epoch(epoch, evaluator, batches, bar), run.validated(epoch, evaluator))
                run.show(bar, history.loss[-1:] + history.metric[-1:])
                run.note_best(epoch)
                is_stopped = run.told(callback)
                if is_stopped or (patience is not None and epoch - run.best_epoch >= patience):
                    history.stopped = "callback" if is_stopped else "patience"
                    break
            history.stopped = history.stopped or "epochs"
    except KeyboardInterrupt:
        history.interrupted = True
    finally:
        run.end()
    return history


@dataclass(repr=False)
class History:
    """What `fit` measured: one number per epoch in each list; a list stays empty if it was not asked for.

    loss, metric: means over the examples as they were learned from, so with the parameters of each batch's turn.
    validation_loss, validation_metric: means over the validation examples, with the parameters at the epoch's end.
    interrupted: whether Ctrl-C ended the training. The epoch that it broke off is in no list.
    best_parameters: the numbers of the optimizer's parameters after `best_epoch`.
    last_parameters: their numbers after the last step, if `patience` has put the best ones back; else empty.
    eager: the reason why each example's graph was built; "" where a tape was used.
    stopped: why it ended, a key of `nn.training.REASONS`: "epochs", "patience" or "callback"; "" while it is under way,
        and where Ctrl-C ended it. `reason` says it in words.
    film: what a training with `watch=True` has left to be shown again, by `animate`; None where there is none, as in a
        copy or a checkpoint.

    Raises ValueError if a list is none of floats.

    >>> History(loss=[0.9, 0.2], validation_loss=[0.8, 0.3])
    <History of 2 epochs: loss 0.2, validation_loss 0.3 (best 0.3 in epoch 2)>
    """

    loss: list[float] = field(default_factory=list)
    metric: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_metric: list[float] = field(default_factory=list)
    interrupted: bool = False
    best_parameters: list[float] = field(default_factory=list)
    last_parameters: list[float] = field(default_factory=list)
    eager: str = ""
    film = cast("Film | None", None)  # no field: it has the model, which may be nothing to copy or to write
    stopped: str = ""

    def __post_init__(self) -> None:
        self.check_numbers()

    @property
    def reason(self) -> str:
        return "interrupted" if self.interrupted else REASONS.get(self.stopped, "still under way")

    @property
    def best_epoch(self) -> int:
        """The epoch, counted from 1, of the lowest validation loss (the first of several); 0 if none is a number."""
        epochs = [epoch for epoch, loss in enumerate(self.validation_loss, 1) if not math.isnan(loss)]
        return min(epochs, key=lambda epoch: self.validation_loss[epoch - 1], default=0)

    def append(self, trained: Sequence[float], validated: Sequence[float]) -> None:
        """An epoch's means: of the loss and, where there is one, of the metric."""
        for numbers_of_epoch, series in [
            (trained, (self.loss, self.metric)),
            (validated, (self.validation_loss, self.validation_metric)),
        ]:
            for mean, numbers in zip(numbers_of_epoch, series, strict=False):
                numbers.append(mean)

    def check(self, parameters: int, epochs: int, has_metric: bool, has_validation: bool) -> None:
        """Raises ValueError if `fit` cannot go on with this history."""
        self.check_numbers()
        done = len(self.loss)
        expected = {
            "metric": done * has_metric,
            "validation_loss": done * has_validation,
            "validation_metric": done * (has_metric and has_validation),
            "best_parameters": parameters * (self.best_epoch > 0),
            "last_parameters": parameters * (self.last_parameters != []),
        }
        for name, length in expected.items():
            if len(getattr(self, name)) != length:
                raise ValueError(
                    f"fit: history: expected {counted(length, 'number')} in {name}, got {len(getattr(self, name))}; go "
                    "on with the metric, the validation examples and the parameters that it was made with"
                )
        if done >= epochs:
            raise ValueError(
                f"fit: history: it has {counted(done, 'epoch')} already; epochs={epochs} counts these too, ask for more"
            )
        self.interrupted, self.stopped = False, ""

    def check_numbers(self) -> None:
        """Raises ValueError if a list holds anything but floats, as that of a damaged checkpoint may."""
        measured = "loss", "metric", "validation_loss", "validation_metric"
        check_record("history", self, [*measured, "best_parameters", "last_parameters"], ["eager", "stopped"])

    def plot(self, ax: Axes | None = None) -> Figure:
        """The loss curve, as `nn.plots.loss_curve` draws it."""
        from nn.plots import loss_curve

        return loss_curve(self, ax)

    def animate(self, path: str | os.PathLike[str], *, rate: float = 10.0) -> None:
        """Writes a file that plays the training: its curves, where there is one the decision boundary, and the network.

        Arguments:
            path: ends in `.html`, for a page with a button and a slider, which needs no connection; or in `.gif`, for a
                picture that moves anywhere, without the network. An existing file is replaced once the new one is
                complete.
            rate: pictures a second, from 0.1 to 50. There are 30 to 61, or as many as there were steps.

        Raises ValueError for another path or rate, and if the training was not watched, by `fit(..., watch=True)`;
        OSError if the file cannot be written; ImportError for a GIF if matplotlib is missing; and whatever the model
        raises. The model is computed as it is now, with the parameters of then.
        """
        from nn.animation import animate

        animate(self, self.film, path, rate)

    def __getstate__(self) -> dict[str, Any]:
        return {name: kept for name, kept in vars(self).items() if name != "film"}

    def __repr__(self) -> str:
        series = ("loss", "metric", "validation_loss", "validation_metric")
        last = [f"{name} {numbers[-1]:.4g}" for name in series if (numbers := getattr(self, name))]
        epoch = self.best_epoch
        best = f" (best {self.validation_loss[epoch - 1]:.4g} in epoch {epoch})" if epoch else ""
        interrupted = ", interrupted" if self.interrupted else ""
        return f"<History of {counted(len(self.loss), 'epoch')}: {', '.join(last)}{best}{interrupted}>"

    def _table(self) -> Table:
        """What notebooks show: the numbers of each epoch, of very many the first and last ones, and why it ended."""
        epoch, names = self.best_epoch, ("loss", "metric", "validation_loss", "validation_metric")
        lowest = f"lowest validation loss: {self.validation_loss[epoch - 1]:.6g}, in epoch {epoch:,}" if epoch else ""
        eager = f"each example's graph was built: {self.eager}" if self.eager else ""
        caption = f"History of {counted(len(self.loss), 'epoch')}: {self.reason}"
        return series_table(caption, "epoch", self, names, 1, [lowest, eager])

    _repr_html_ = in_notebooks(_table)


class Run:
    """The steps of a training. Meanwhile the parameters are a vector; `leave` puts it back into the Values."""

    def __init__(self, optimizer: Optimizer, history: History, patience: int | None, metric: Metric | None) -> None:
        self.optimizer = optimizer
        self.history = history
        self.patience = patience
        self.names = ["loss"] if metric is None else ["loss", getattr(metric, "__name__", "metric")]
        self.best_epoch = history.best_epoch
        self.vector = gathered(optimizer.parameters, "data")
        if history.last_parameters and self.vector.tolist() == history.best_parameters:
            self.vector = numpy.array(history.last_parameters)
        history.last_parameters = []
        self.gradient = gathered(optimizer.parameters, "grad")
        self.undo = Undo(optimizer.parameters)
        self.watcher: Watcher | None = None

    def watch(self, model: Model, loss: object, examples: list[Example], epochs: int, earlier: Film | None) -> None:
        """Has the training watched from now on, and the history keep its film."""
        from nn.film import Film
        from nn.watching import Watcher, screen

        film = Film(model, self.optimizer.parameters, examples, self.names, earlier, loss)
        self.history.film = film
        self.watcher = Watcher(film, self.history, screen(film, self.history, epochs))
        self.watcher.step(len(self.history.loss), [], 0, self.vector)

    def epoch(self, number: int, evaluator: Evaluator, batches: list[list[int]], bar: tqdm[Any]) -> list[float]:
        """A step for each batch. Returns the means of loss and metric over all examples, as they were met."""
        totals, seen = [0.0] * len(self.names), 0
        for count, batch in enumerate(batches, 1):
            try:
                sums, gradient = evaluator.sums_and_gradient(self.vector, batch, self.undo)
                if number == count == 1 and not gradient.any():
                    check_dependence(evaluator, chain(batch, *batches))
                self.vector, self.gradient = self.stepped(gradient), gradient
                self.undo.keep()
            except MetricError as error:
                raise error.__cause__ or error from None
            except ArithmeticError as error:
                examples = [(f"example {i}", evaluator.problem.examples[i]) for i in batch]
                where = f"epoch {number}, batch {count}"
                raise self.explained(error, where, examples, "as they were before this batch") from error
            totals = [total + summand for total, summand in zip(totals, sums, strict=True)]
            seen += len(batch)
            if self.watcher is not None:
                self.watcher.step(number - 1 + seen / len(evaluator.problem.examples), totals, seen, self.vector)
            if bar.update(len(batch)) or count == len(batches):
                self.show(bar, [total / seen for total in totals])
        return [total / seen for total in totals]

    def show(self, bar: tqdm[Any], means: Sequence[float]) -> None:
        """Has the bar show these means, and those of the last validation, at its next update."""
        validated = self.history.validation_loss[-1:] + self.history.validation_metric[-1:]
        bar.set_postfix_str(figures(self.names, means, validated), refresh=False)

    def validated(self, number: int, evaluator: Evaluator) -> list[float]:
        """The means of loss and metric over the held-out examples."""
        try:
            return evaluator.means(self.vector)
        except MetricError as error:
            raise error.__cause__ or error from None
        except ArithmeticError as error:
            examples = [(f"example {i} of the validation", one) for i, one in enumerate(evaluator.problem.held_out)]
            raise self.explained(error, f"epoch {number}, validation", examples, "those after this epoch") from error

    def stepped(self, gradient: Vector) -> Vector:
        """The parameters after a step of the optimizer."""
        if type(self.optimizer).step is Optimizer.step:
            return self.optimizer.stepped(self.vector.copy(), gradient.copy())  # it may compute in place
        self.leave(self.vector, gradient)  # a step of the optimizer's own takes and changes Values
        self.optimizer.step()
        vector = gathered(self.optimizer.parameters, "data")
        if not is_finite(vector):
            raise FloatingPointError("a parameter is not finite after the step")
        return vector

    def note_best(self, epoch: int) -> None:
        """Keeps the parameters if the epoch's validation loss is the lowest so far, and no nan."""
        losses, best = self.history.validation_loss, self.best_epoch
        if losses and (losses[-1] < losses[best - 1] if best else not math.isnan(losses[-1])):
            self.best_epoch = epoch
        if self.best_epoch == epoch:
            self.history.best_parameters = self.vector.tolist()

    def told(self, callback: Callable[[History], object] | None) -> bool:
        """Whether the callback, which may change the parameters, ends the training."""
        if callback is None:
            return False
        self.leave(self.vector, self.gradient)
        try:
            answer = callback(self.history)
        finally:
            self.vector = gathered(self.optimizer.parameters, "data")
            self.gradient = gathered(self.optimizer.parameters, "grad")
        if self.best_epoch == len(self.history.loss):
            self.history.best_parameters = self.vector.tolist()  # with what the callback has changed
        return isinstance(answer, (bool, numpy.bool_)) and bool(answer)

    def end(self) -> None:
        """Puts the numbers into the Values, also if an interrupt comes in between."""
        try:
            self.put_back()
        except KeyboardInterrupt:
            self.history.interrupted = True
            self.put_back()
        if self.watcher is not None:
            self.watcher.end(self.vector, gathered(self.optimizer.parameters, "data"))

    def put_back(self) -> None:
        """The best parameters, under `patience`, else the last ones; and the last gradient."""
        vector = self.vector
        if self.patience is not None and self.best_epoch:
            vector = numpy.array(self.history.best_parameters)
            if (vector != self.vector).any():
                self.history.last_parameters = self.vector.tolist()
        self.leave(vector, self.gradient)

    def leave(self, vector: Vector, gradient: Vector) -> None:
        scatter(vector, self.optimizer.parameters, "data")
        scatter(gradient, self.optimizer.parameters, "grad")

    def explained(
        self, error: ArithmeticError, where: str, examples: list[tuple[str, Any]], left: str
    ) -> FloatingPointError:
        """The error with what helps, and with which parameters are left: the best ones, if `patience` keeps them."""
        if self.patience is not None and self.best_epoch:
            left = f"those of epoch {self.best_epoch}, which had the lowest validation loss"
        return FloatingPointError(f"fit: {where}: {error}. {self.advice(examples)} The parameters are {left}.")

    def advice(self, examples: list[tuple[str, Any]]) -> str:
        for name, example in examples:
            for leaf in structures.flatten(example)[0]:
                if isinstance(leaf, float) and not math.isfinite(leaf):
                    return f"There is a number {leaf} in {name}: mend the example, or leave it out."
        rate = None
        with suppress(AttributeError, ValueError):  # there are groups, or the schedule fails
            rate = self.optimizer.learning_rate
        lower = "a lower learning rate" if rate is None else f"a learning rate below {rate:g}"
        return f"What helps: {lower}, clipped gradients, or examples without huge numbers."


def check_dependence(evaluator: Evaluator, examples: Iterable[int]) -> None:
    """Raises ValueError if none of the losses depends on a parameter. Some may be constant, as a hinge's flat side."""
    if not evaluator.depends_on_parameters(examples):
        raise ValueError(
            "fit: the loss depends on none of the optimizer's parameters in any example, so nothing would be learned; "
            "make the optimizer with those of this model, such as SGD(model.parameters()), and compute the loss from "
            "the model's output, not from its .data"
        )
