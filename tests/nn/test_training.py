"""Training: `fit` is gradient descent on the mean loss, to the last bit, and leaves no surprise behind."""

from __future__ import annotations

import gc
import math
import random
import threading
import time
import weakref
from dataclasses import dataclass

import numpy as np
import pytest

from autograd import Value, no_grad, relu, sqrt, tanh
from autograd import sum as total
from nn.datasets import moons, xor
from nn.layers import MLP
from nn.losses import binary_cross_entropy, cross_entropy, residuals, squared_error
from nn.metrics import correct_class, correct_sign, evaluate
from nn.optimizers import SGD, Adam, Optimizer
from nn.second_order import GaussNewton
from nn.training import History, Run, fit

pytestmark = pytest.mark.both_engines


class Recorder(Optimizer):
    """Keeps the gradients of all steps, and changes nothing."""

    def __init__(self, parameters):
        super().__init__(parameters, learning_rate=0.0)
        self.gradients = []

    def update(self, parameters, gradient):
        self.gradients.append(gradient.tolist())
        return parameters


def network(seed=1, shape=(2, [4, 1])):
    random.seed(seed)
    return MLP(*shape, activation=tanh)


def numbers(model):
    return [parameter.data for parameter in model.parameters()]


def quiet(*args, **options):
    return fit(*args, **{"epochs": 1, "progress": False} | options)


def eagerly(*args, **options):
    """As `fit` calls model and loss for each example: a tape calls them a few times only."""
    return quiet(*args, **options, tape=False)


# ---- the gradient and the steps


def test_gradient_of_the_mean_loss_of_a_line_by_hand():
    slope, offset = Value(0.5), Value(-1.0)
    optimizer = Recorder([slope, offset])
    xs, ys = [1.0, 2.0, -3.0, 0.25], [0.0, 4.0, 2.0, -8.0]
    quiet(lambda x: slope * x + offset, xs, ys, squared_error, optimizer, batch_size=4)
    residuals = [0.5 * x - 1.0 - y for x, y in zip(xs, ys, strict=True)]
    assert optimizer.gradients == [
        [sum(2 * r * x for r, x in zip(residuals, xs, strict=True)) / 4, sum(2 * r for r in residuals) / 4]
    ]


def test_gradient_is_that_of_the_graph_of_the_mean_loss():
    inputs, targets = xor(7, seed=3)
    model = network()
    optimizer = Recorder(model.parameters())
    quiet(model, inputs, targets, binary_cross_entropy, optimizer, batch_size=7)
    model.zero_grad()
    mean = (
        total([binary_cross_entropy(model(x), t) for x, t in zip(inputs.tolist(), targets.tolist(), strict=True)]) / 7
    )
    mean.backward()
    assert optimizer.gradients[0] == pytest.approx([p.grad for p in model.parameters()], rel=1e-13, abs=1e-16)


@pytest.mark.parametrize("tape", [True, False])
def test_fit_is_this_loop(tape):
    inputs, targets = moons(11, seed=2)
    by_fit, by_hand = network(), network()
    history = quiet(
        by_fit, inputs, targets, binary_cross_entropy, Adam(by_fit.parameters(), 0.05),
        epochs=3, batch_size=4, seed=5, tape=tape,
    )  # fmt: skip

    optimizer, losses, order, shuffler = Adam(by_hand.parameters(), 0.05), [], list(range(11)), random.Random(5)
    for _ in range(3):
        shuffler.shuffle(order)
        epoch_loss = 0.0
        for batch in (order[:4], order[4:8], order[8:]):
            optimizer.zero_grad()
            for i in batch:
                loss = binary_cross_entropy(by_hand(inputs[i].tolist()), int(targets[i]))
                loss.backward(1 / len(batch))
                epoch_loss += loss.data
            optimizer.step()
        losses.append(epoch_loss / 11)

    assert numbers(by_fit) == (pytest.approx(numbers(by_hand), rel=1e-11) if tape else numbers(by_hand))
    assert history.loss == pytest.approx(losses, rel=1e-11 if tape else 1e-14)


def test_every_epoch_takes_every_example_once_and_the_last_batch_is_the_remainder():
    p = Value(0.0)
    optimizer = Recorder([p])
    seen = []

    def model(x):
        seen.append(x)
        return p * x

    inputs = [float(2**i) for i in range(10)]
    eagerly(model, inputs, [0.0] * 10, lambda output, _: output, optimizer, epochs=2, batch_size=4)
    epochs = [seen[:10], seen[10:]]
    assert [sorted(epoch) for epoch in epochs] == [inputs, inputs]
    assert epochs[0] != epochs[1] != inputs
    batches = [epoch[k : k + 4] for epoch in epochs for k in (0, 4, 8)]
    assert [len(batch) for batch in batches] == [4, 4, 2] * 2
    assert optimizer.gradients == [[sum(batch) / len(batch)] for batch in batches]


def test_without_shuffling_the_examples_come_in_their_order():
    p = Value(0.0)
    seen = []
    eagerly(lambda x: seen.append(x) or p * x, range(5), range(5), squared_error, SGD([p]), epochs=2, shuffle=False)
    assert seen == [0, 1, 2, 3, 4] * 2


def test_a_seed_decides_the_run_and_the_global_random_states_do_not():
    def run(seed, globally):
        model = network()
        random.seed(globally)
        before = random.getstate()
        quiet(model, *moons(12), binary_cross_entropy, SGD(model.parameters(), 0.1), epochs=2, batch_size=5, seed=seed)
        assert random.getstate() == before
        return numbers(model)

    assert run(3, globally=1) == run(3, globally=2)
    assert run(3, globally=1) != run(4, globally=1)


def test_memory_does_not_grow_with_the_batch():
    p, graphs, alive = Value(1.0), [], []

    def loss(output, target):
        alive.append(sum(graph() is not None for graph in graphs))
        error = (output - target) ** 2
        graphs.append(weakref.ref(error))
        return error

    gc.disable()
    try:
        eagerly(lambda x: p * x, [1.0] * 50, [2.0] * 50, loss, SGD([p]), batch_size=50)
    finally:
        gc.enable()
    assert max(alive) == 1


# ---- what the model gets


@pytest.mark.parametrize(
    ("inputs", "row"),
    [
        (np.array([[1.5, 2.0]]), [1.5, 2.0]),
        (np.array([[1.5, 2.0]], dtype=np.float32), [1.5, 2.0]),
        ([np.array([1.5, 2.0])], [1.5, 2.0]),
        ([[1.5, 2.0]], [1.5, 2.0]),
        (np.array([1.5]), 1.5),
        ([np.float64(1.5)], 1.5),
        (iter([1.5]), 1.5),
    ],
)
def test_inputs_are_plain_floats(inputs, row):
    got, p = [], Value(0.0)
    eagerly(
        lambda x: got.append(x) or p * 1.0, inputs, np.array([3]), lambda output, t: got.append(t) or output, SGD([p])
    )
    assert got == [row, 3]
    plain = got[0] if isinstance(got[0], list) else got[:1]
    assert {type(number) for number in plain} == {float}
    assert type(got[1]) is int


# ---- what it measures


def test_losses_and_metrics_are_means_over_the_examples():
    inputs, targets = moons(10, seed=1)
    others, other_targets = moons(6, seed=2)
    model = network()
    history = quiet(
        model, inputs, targets, binary_cross_entropy, SGD(model.parameters(), 0.0),
        epochs=2, batch_size=4, validation=(others, other_targets), metric=correct_sign,
    )  # fmt: skip

    def score(x):
        *hidden, output = [[*(w.data for w in n.weights), n.bias.data] for layer in model.layers for n in layer.neurons]
        outputs = [math.tanh(w1 * x[0] + w2 * x[1] + bias) for w1, w2, bias in hidden]
        return sum(w * h for w, h in zip(output, [*outputs, 1.0], strict=True))

    def means(inputs, targets):
        scores = [score(x) for x in inputs]
        losses = [math.log1p(math.exp(s if t == 0 else -s)) for s, t in zip(scores, targets, strict=True)]
        return [
            sum(losses) / len(losses),
            sum((s > 0) == t for s, t in zip(scores, targets, strict=True)) / len(losses),
        ]

    loss, accuracy = means(inputs, targets)
    validation_loss, validation_accuracy = means(others, other_targets)
    assert history.loss == pytest.approx([loss, loss], rel=1e-13)
    assert history.metric == pytest.approx([accuracy, accuracy], rel=1e-15)
    assert history.validation_loss == pytest.approx([validation_loss] * 2, rel=1e-13)
    assert history.validation_metric == pytest.approx([validation_accuracy] * 2, rel=1e-15)
    assert 0 < accuracy < 1


def test_validation_is_at_the_end_of_the_epoch_and_records_nothing():
    p, outputs = Value(0.0), []

    def model(x):
        outputs.append(p + x)
        return outputs[-1]

    history = eagerly(
        model, [0.0], [0.0], lambda output, _: -output, SGD([p], 1.0),
        epochs=3, validation=([10.0, 20.0], [0.0, 0.0]),
    )  # fmt: skip
    assert history.loss == [0.0, -1.0, -2.0]  # before each step
    assert history.validation_loss == [-16.0, -17.0, -18.0]  # after it
    assert [output.parents != () for output in outputs] == [True, False, False] * 3


def test_a_class_metric_reaches_its_truth():
    model = network(shape=(2, [6, 2]))
    history = quiet(
        model, *xor(40), cross_entropy, Adam(model.parameters(), 0.1), epochs=20, batch_size=8, metric=correct_class
    )
    assert history.metric[-1] == 1.0
    assert evaluate(model, *xor(40, seed=9), correct_class) == [1.0]


# ---- when it ends


def climb(**options):
    """Each epoch adds 1 to p; the validation loss is (p - 3)², lowest after epoch 3."""
    p = Value(0.0)
    history = quiet(
        lambda x: p * x, [1.0], [None], lambda output, target: -output if target is None else (output - target) ** 2,
        SGD([p], 1.0), validation=([1.0], [3.0]), **options,
    )  # fmt: skip
    return p.data, history


@pytest.mark.parametrize(("patience", "epochs"), [(1, 4), (2, 5), (3, 6), (100, 10)])
def test_early_stopping_goes_back_to_the_best(patience, epochs):
    p, history = climb(epochs=10, patience=patience)
    assert history.validation_loss == [(epoch - 3) ** 2 for epoch in range(1, epochs + 1)]
    assert (p, history.best_epoch) == (3.0, 3)


def test_early_stopping_goes_back_with_an_optimizer_that_computes_in_place():
    class InPlace(SGD):
        def update(self, parameters, gradient):
            parameters -= self.learning_rate * gradient
            gradient[:] = 0.0
            return parameters

    def run(optimizer):
        p = Value(0.0)
        history = quiet(
            lambda x: p * x, [1.0], [9.0], squared_error, optimizer([p], 0.1),
            epochs=30, validation=([1.0], [3.0]), patience=2,
        )  # fmt: skip
        return p.data, p.grad, history.validation_loss, history.best_epoch

    assert run(InPlace) == run(SGD)
    assert run(InPlace)[3] == 2


def test_a_history_says_why_it_ended():
    def trained(**options):
        p = Value(0.0)
        examples = [1.0], [2.0]
        return quiet(lambda x: p * x, *examples, squared_error, SGD([p], 0.1), epochs=4, **options)

    assert (trained().stopped, trained().reason) == ("epochs", "all epochs were gone through")
    stopped = trained(callback=lambda history: len(history.loss) == 2)
    assert (stopped.stopped, stopped.reason) == ("callback", "the callback ended it")
    seen = []
    trained(callback=lambda history: seen.append(history.reason))
    assert seen == ["still under way"] * 4
    assert climb(epochs=10, patience=1)[1].reason == "the validation loss did not fall any more"
    assert climb(epochs=10, patience=100)[1].reason == "all epochs were gone through"
    going_on = History(**vars(stopped))
    assert trained(history=going_on).stopped == "epochs"
    assert going_on.stopped == "callback"
    assert History(interrupted=True).reason == "interrupted"


def test_without_patience_the_last_step_counts():
    p, history = climb(epochs=10)
    assert (p, len(history.loss), history.best_epoch) == (10.0, 10, 3)


def test_a_tie_is_no_improvement_and_a_nan_is_none():
    assert History(validation_loss=[math.nan, 2.0, 1.0, 1.0]).best_epoch == 3
    assert History().best_epoch == 0


@pytest.mark.parametrize("interrupted_call", [1, 5, 8])
def test_an_interrupt_returns_what_was_learned(interrupted_call):
    p, calls = Value(0.0), []

    def model(x):
        calls.append(x)
        if len(calls) == interrupted_call:
            raise KeyboardInterrupt
        return p * x

    def loss(output, target):
        return -output

    history = eagerly(model, [1.0, 1.0, 1.0], [0.0] * 3, loss, SGD([p], 1.0), epochs=10, batch_size=2)
    complete_epochs, examples_after = divmod(interrupted_call - 1, 3)
    assert history.interrupted
    assert len(history.loss) == complete_epochs
    assert p.data == 2 * complete_epochs + examples_after // 2
    assert "interrupted" in repr(history)


def test_an_interrupt_with_patience_goes_back_to_the_best():
    p = Value(0.0)

    def model(x):
        if p.data == 5.0:
            raise KeyboardInterrupt
        return p * x

    def loss(output, target):
        return -output if target is None else (output - target) ** 2

    history = quiet(model, [1.0], [None], loss, SGD([p], 1.0), epochs=9, validation=([1.0], [3.0]), patience=5)
    assert history.interrupted
    assert p.data == 3.0


# ---- errors


def test_a_nan_stops_before_the_step_and_says_where():
    p, q = Value(1.0), Value(0.0)
    inputs = [1.0, 1.0, 1.0, 1.0, math.nan, 1.0]
    with pytest.raises(
        FloatingPointError,
        match=r"epoch 1, batch 3: the loss of an example is nan\. There is a number nan in example 4: mend .* before",
    ):
        quiet(
            lambda x: p * x + q, inputs, [0.0] * 6, lambda output, _: output, SGD([p, q], 0.5),
            batch_size=2, shuffle=False,
        )  # fmt: skip
    assert (p.data, q.data) == (0.0, -1.0)


def test_a_loss_that_is_too_large_stops_before_the_step():
    p = Value(1.0)
    optimizer = SGD([p], 1e10)
    states = []

    def model(x):
        states.append(p.data)
        return p * x

    with pytest.raises(FloatingPointError, match=r"fit: epoch \d+, batch 1: .*a learning rate below 1e\+10"):
        quiet(model, [10.0], [0.0], squared_error, optimizer, epochs=100)
    assert p.data == states[-1]
    assert math.isfinite(p.data)


def test_an_infinite_gradient_stops_before_the_step():
    p = Value(0.0)
    with pytest.raises(FloatingPointError, match="epoch 1, batch 1: the gradient is not finite, though the loss is"):
        quiet(lambda x: sqrt(p * x), [1.0], [0.0], lambda output, _: output, SGD([p], 0.5))
    assert p.data == 0.0


def test_a_step_out_of_range_is_not_made():
    p = Value(-1e308)
    with pytest.raises(FloatingPointError, match=r"epoch 1, batch 1: SGD.*overflow"):
        quiet(lambda x: p * x, [1.0], [0.0], lambda output, _: output, SGD([p], 1e308))
    assert p.data == -1e308


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"inputs": [1.0]}, ValueError, "fit: expected one target per input, got 1 input and 2 targets"),
        ({"inputs": [], "targets": []}, ValueError, "fit: expected at least one example, got none"),
        ({"inputs": np.zeros((0, 2)), "targets": np.zeros(0)}, ValueError, "fit: expected at least one example"),
        ({"inputs": np.ma.array([1.0, 2.0], mask=[0, 1])}, TypeError, "fit: expected numbers, got a masked array"),
        ({"targets": np.ma.array([1.0, 2.0], mask=[0, 1])}, TypeError, "fit: expected numbers, got a masked array"),
        ({"epochs": 0}, ValueError, "epochs: expected a positive int, got 0"),
        ({"epochs": 2.0}, TypeError, "epochs: expected a positive int, got 2.0"),
        ({"batch_size": -3}, ValueError, "batch_size: expected a positive int, got -3"),
        ({"batch_size": None}, TypeError, "batch_size: expected a positive int, got None"),
        ({"patience": 0, "validation": ([1.0], [1.0])}, ValueError, "patience: expected a positive int"),
        ({"patience": 2}, ValueError, r"patience watches the validation loss; pass validation="),
        (
            {"validation": [1.0, 2.0, 3.0]},
            TypeError,
            r"validation: expected a pair \(inputs, targets\), got \[1\.0, 2\.0, 3",
        ),
        ({"validation": np.zeros((2, 2))}, TypeError, r"validation: expected a pair \(inputs, targets\), got array"),
        ({"validation": 1.0}, TypeError, r"validation: expected a pair \(inputs, targets\), got 1\.0"),
        ({"validation": ([1.0], [])}, ValueError, "fit, validation: expected one target per input"),
        ({"validation": ([], [])}, ValueError, "fit, validation: expected at least one example"),
        ({"loss": lambda output, target: 0.0}, TypeError, "expected a loss that returns a Value, got float: 0.0"),
    ],
)
def test_bad_arguments_change_nothing(changes, error, message):
    p = Value(1.0)
    arguments = {"inputs": [1.0, 2.0], "targets": [1.0, 2.0], "loss": squared_error, "epochs": 1} | changes
    with pytest.raises(error, match=message):
        fit(lambda x: p * x, optimizer=SGD([p], 0.1), progress=False, **arguments)
    assert p.data == 1.0


def test_an_optimizer_of_another_models_parameters_is_noticed():
    model, other = network(), network()
    with pytest.raises(
        ValueError, match=r"depends on none of the optimizer's parameters.*SGD\(model\.parameters\(\)\)"
    ):
        quiet(model, *xor(8), squared_error, SGD(other.parameters(), 0.1, momentum=0.9), batch_size=4)
    assert numbers(model) == numbers(other) == numbers(network())


@pytest.mark.parametrize(
    "loss",
    [
        lambda output, target: relu(output - 100.0) if target else output.tanh() * 0.0,
        lambda output, target: output if target else Value(0.0),
        lambda output, target: output if target else Value(2.0) * 3.0,
    ],
    ids=["flat", "constant here and there", "computed from a constant here and there"],
)
def test_a_gradient_of_0_is_not_taken_for_another_models(loss):
    p = Value(0.0)
    history = quiet(lambda x: p * x, [0.0, 0.0], [0, 1], loss, SGD([p], 0.1), shuffle=False)
    assert (p.data, len(history.loss)) == (0.0, 1)


# ---- a training that would train nothing


WAYS = pytest.mark.parametrize("tape", [None, False])
ALL_WAYS = pytest.mark.parametrize("tape", [None, True, False])


@WAYS
@pytest.mark.parametrize(
    "loss",
    [
        lambda output, target: Value((output.data - target) ** 2),
        lambda output, target: squared_error(Value(output.data), target),
        lambda output, target: squared_error(output.detach(), target),
        lambda output, target: Value(0.0),
    ],
    ids=["a new leaf", "from the output's data", "detached", "constant"],
)
def test_a_loss_that_leaves_the_graph_is_an_error(loss, tape):
    model, (inputs, targets) = network(), xor(8)
    before = numbers(model)
    optimizer = SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=0.1)
    with pytest.raises(ValueError, match=r"depends on none of the optimizer's parameters in any example.*not from its"):
        quiet(model, inputs, targets, loss, optimizer, tape=tape, batch_size=4)
    assert (numbers(model), optimizer.steps) == (before, 0)


@WAYS
@pytest.mark.parametrize("last", [0, 7])
def test_one_example_that_learns_is_enough_in_whatever_batch(last, tape):
    """As with a hinge that is written with a comparison: it is a constant where the margin is kept."""
    p = Value(1.0)
    history = quiet(
        lambda x: p * x, [1.0] * 8, [float(i == last) for i in range(8)],
        lambda output, target: squared_error(output, 0.0) if target else Value(0.0),
        SGD([p], 0.1), batch_size=2, shuffle=False, tape=tape,
    )  # fmt: skip
    assert p.data == pytest.approx(0.9)
    assert history.loss == [pytest.approx(1 / 8)]


@ALL_WAYS
def test_within_no_grad_nothing_can_be_learned(tape):
    model, (inputs, targets) = network(), xor(8)
    before = numbers(model)
    with (
        no_grad(),
        pytest.raises(ValueError, match=r"fit: nothing is recorded within no_grad\(\).*end the block before"),
    ):
        quiet(model, inputs, targets, squared_error, SGD(model.parameters(), 0.1), tape=tape)
    with no_grad(), pytest.raises(ValueError, match=r"GaussNewton: nothing is recorded within no_grad"):
        GaussNewton(model.parameters()).minimize(
            lambda x, t: residuals(model(x), t), inputs, targets, progress=False, tape=tape
        )
    assert numbers(model) == before


# ---- who is to blame


@ALL_WAYS
@pytest.mark.parametrize("where", ["inputs", "targets"])
def test_examples_that_are_no_numbers_are_named(where, tape):
    p = Value(1.0)
    data = {"inputs": [1.0, 2.0, 3.0], "targets": [1.0, 2.0, 3.0]}
    data[where] = [1.0, 2.0, math.inf]
    with pytest.raises(
        FloatingPointError, match=r"There is a number inf in example 2: mend the example, or leave it out"
    ):
        quiet(lambda x: p * x, **data, loss=squared_error, optimizer=SGD([p], 0.1), tape=tape)
    assert p.data == 1.0


@ALL_WAYS
def test_an_error_of_the_metric_is_its_own(tape):
    p = Value(1.0)

    def metric(output, target):
        return 1 / 0

    for options in ({}, {"validation": ([1.0], [1.0])}):
        with pytest.raises(ZeroDivisionError, match="division by zero"):
            quiet(lambda x: p * x, [1.0], [2.0], squared_error, SGD([p], 0.1), metric=metric, tape=tape, **options)


@ALL_WAYS
def test_a_validation_loss_beyond_the_largest_float_says_so(tape):
    p = Value(1.0)
    with pytest.raises(
        FloatingPointError,
        match=r"fit: epoch 1, validation: .*beyond the largest float.*parameters are those after this",
    ):
        quiet(lambda x: p * x, [1.0], [2.0], squared_error, SGD([p], 0.1), validation=([1e200], [1.0]), tape=tape)
    assert p.data == pytest.approx(1.2)


@ALL_WAYS
def test_an_error_under_patience_says_which_parameters_are_left(tape):
    p = Value(1.0)
    left = []

    def callback(history):
        left.append(p.data)
        if len(history.loss) == 2:
            optimizer.learning_rate = 1e300

    optimizer = SGD([p], 0.1)
    with pytest.raises(
        FloatingPointError, match="The parameters are those of epoch 2, which had the lowest validation"
    ):
        quiet(
            lambda x: p * x, [1.0, 2.0], [2.0, 4.0], squared_error, optimizer, epochs=9, patience=5, batch_size=2,
            validation=([1.0], [2.0]), callback=callback, tape=tape,
        )  # fmt: skip
    assert p.data == left[1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "mse"}, "fit: loss: expected a function, got 'mse'; write squared_error, without quotes"),
        ({"loss": "Cross-Entropy"}, "fit: loss: .*; write cross_entropy, without quotes"),
        ({"loss": "nice"}, "fit: loss: expected a function, got 'nice'; such as squared_error"),
        ({"loss": None}, "fit: loss: expected a function, got None; such as squared_error"),
        ({"metric": "accuracy"}, "fit: metric: .*; write correct_class, without quotes"),
        ({"model": [1.0]}, r"fit: model: expected a function, got \[1\.0\]"),
        ({"callback": 3}, "fit: callback: expected a function, got 3"),
        ({"optimizer": SGD}, r"fit: optimizer: expected one that makes a step, such as SGD\(model\.parameters\(\)\)"),
        ({"tape": 0}, "fit: tape: expected True, False or None, got 0"),
        ({"shuffle": "no"}, "fit: shuffle: expected True or False, got 'no'"),
        ({"inputs": {1: 2}}, r"fit: expected a list or an array, with a row for each example, got \{1: 2\}"),
        ({"targets": 5}, "fit: expected a list or an array, with a row for each example, got 5"),
        ({"validation": (None, None)}, "fit, validation: expected a list or an array, .* got None"),
        ({"seed": 1.5}, r"seed: expected an int, or None to draw one, got 1\.5"),
        ({"seed": "a"}, "seed: expected an int, or None to draw one, got 'a'"),
    ],
)
def test_what_others_write_here_is_answered(changes, message):
    p = Value(1.0)
    arguments = {
        "model": lambda x: p * x, "inputs": [1.0], "targets": [1.0], "loss": squared_error,
        "optimizer": SGD([p], 0.1), "epochs": 1,
    } | changes  # fmt: skip
    with pytest.raises(TypeError, match=message):
        fit(**{"progress": False} | arguments)


def test_random_numbers_of_other_threads_are_left_alone():
    """They come in between, and are neither put back nor taken for the model's own."""
    drawn, is_over = [], threading.Event()
    models = [network() for _ in range(10)]
    inputs, targets = xor(64)

    def draw():
        while not is_over.is_set():
            drawn.append(random.random())
            time.sleep(0.0)

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        for model in models:
            history = quiet(model, inputs, targets, binary_cross_entropy, SGD(model.parameters(), 0.1))
            assert history.eager == ""
    finally:
        is_over.set()
        thread.join()
    assert len(set(drawn)) == len(drawn)


def test_a_seed_may_be_any_int():
    results = []
    for seed in (3, np.int64(3), np.uint8(3)):
        model, (inputs, targets) = network(), xor(16)
        quiet(model, inputs, targets, binary_cross_entropy, SGD(model.parameters(), 0.1), batch_size=3, seed=seed)
        results.append(numbers(model))
    assert results[1:] == results[:1] * 2
    model, (inputs, targets) = network(), xor(16)
    quiet(model, inputs, targets, binary_cross_entropy, SGD(model.parameters(), 0.1), batch_size=3, seed=-3)
    assert numbers(model) != results[0]


# ---- callbacks, and going on; `test_checkpoints.py` goes on from files


@WAYS
def test_a_callback_sees_every_epoch_and_can_stop(tape):
    p, seen = Value(0.0), []

    def callback(history):
        seen.append((len(history.loss), p.data, p.grad != 0.0))
        return history.loss[-1] < 0.1

    history = quiet(
        lambda x: p * x, [1.0], [2.0], squared_error, SGD([p], 0.25), epochs=50, callback=callback, tape=tape
    )
    assert seen == [(1, 1.0, True), (2, 1.5, True), (3, 1.75, True), (4, 1.875, True)]
    assert history.loss == [4.0, 1.0, 0.25, 0.0625]


@WAYS
def test_a_callback_can_change_rate_and_parameters(tape):
    p = Value(0.0)
    optimizer = SGD([p], 0.25)

    def callback(history):
        optimizer.learning_rate = 0.5
        p.data = 0.0

    history = quiet(lambda x: p * x, [1.0], [2.0], squared_error, optimizer, epochs=2, callback=callback, tape=tape)
    assert history.loss == [4.0, 4.0]
    assert p.data == 0.0


@pytest.mark.parametrize("answer", [1, [0.5], "yes", np.array([1.0, 2.0]), 0.7])
def test_only_true_ends_the_training(answer):
    p = Value(0.0)
    for last, epochs in ((answer, 3), (np.bool_(True), 1), (False, 3), (None, 3)):
        history = quiet(
            lambda x: p * x, [1.0], [2.0], squared_error, SGD([p], 0.1), epochs=3, callback=lambda _, last=last: last
        )
        assert len(history.loss) == epochs


def test_what_a_callback_has_done_stays_when_it_fails():
    p = Value(0.0)

    def callback(history):
        p.data, p.grad = 7.0, 5.0
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        quiet(lambda x: p * x, [1.0], [2.0], squared_error, SGD([p], 0.1), callback=callback)
    assert (p.data, p.grad) == (7.0, 5.0)


def test_patience_keeps_what_the_callback_has_made_of_the_best():
    p = Value(0.0)

    def round_off(history):
        p.data = round(p.data, 1)

    history = quiet(
        lambda x: p * x, [1.0], [2.0], squared_error, SGD([p], 0.123), epochs=5, patience=1,
        validation=([1.0], [1.0]), callback=round_off,
    )  # fmt: skip
    assert p.data == round(p.data, 1) == history.best_parameters[0]


def test_an_interrupt_while_the_numbers_are_put_back_loses_nothing(monkeypatch):
    p, put_back, interrupts = Value(0.0), Run.put_back, [KeyboardInterrupt]

    def interrupted(run):
        if interrupts:
            raise interrupts.pop()
        put_back(run)

    monkeypatch.setattr(Run, "put_back", interrupted)
    history = quiet(lambda x: p * x, [1.0], [2.0], squared_error, SGD([p], 0.25), epochs=3)
    assert (p.data, history.loss, history.interrupted) == (1.75, [4.0, 1.0, 0.25], True)


def test_an_error_and_an_interrupt_of_a_callback():
    p = Value(0.0)

    def interrupt(history):
        raise KeyboardInterrupt

    history = quiet(lambda x: p * x, [1.0], [2.0], squared_error, SGD([p], 0.25), epochs=5, callback=interrupt)
    assert (history.interrupted, history.loss, p.data) == (True, [4.0], 1.0)
    with pytest.raises(TypeError, match="'History' object"):
        quiet(lambda x: p * x, [1.0], [2.0], squared_error, SGD([p], 0.25), callback=lambda history: history[0])
    assert p.data == 1.5


def test_going_on_counts_all_epochs_and_leaves_the_history_alone():
    p, whole = Value(0.0), Value(0.0)
    data = [1.0, 2.0, -1.0, 0.5, 3.0], [2.0, 3.0, 1.0, 0.0, 2.0]
    expected = quiet(lambda x: whole * x, *data, squared_error, SGD([whole], 0.01), epochs=7, batch_size=2)
    optimizer = SGD([p], 0.01)
    first = quiet(lambda x: p * x, *data, squared_error, optimizer, epochs=3, batch_size=2)
    last = quiet(lambda x: p * x, *data, squared_error, optimizer, epochs=7, batch_size=2, history=first)
    assert (p.data, last.loss) == (whole.data, expected.loss)
    assert first.loss == expected.loss[:3]


@pytest.mark.parametrize(
    ("history", "message"),
    [
        (History(loss=[1.0, 1.0]), "it has 2 epochs already; epochs=2 counts these too, ask for more"),
        (History(loss=[1.0], metric=[1.0]), "expected 0 numbers in metric, got 1; go on with the metric"),
        (History(loss=[1.0], validation_loss=[1.0]), "expected 0 numbers in validation_loss, got 1"),
    ],
)
def test_a_history_that_cannot_be_gone_on_with(history, message):
    p = Value(1.0)
    with pytest.raises(ValueError, match=f"fit: history: {message}"):
        quiet(lambda x: p * x, [1.0], [1.0], squared_error, SGD([p], 0.1), epochs=2, history=history)
    with pytest.raises(TypeError, match="fit: history: expected a History"):
        quiet(lambda x: p * x, [1.0], [1.0], squared_error, SGD([p], 0.1), epochs=2, history=[1.0])


@pytest.mark.parametrize(
    "fields",
    [
        {"loss": ["a"]}, {"loss": 1.0}, {"metric": [None]}, {"validation_loss": [10**400]}, {"loss": [1j]},
        {"validation_metric": [[1.0]]}, {"best_parameters": {1.0}}, {"eager": None}, {"stopped": ["epochs"]},
    ],
    ids=repr,
)  # fmt: skip
def test_a_history_that_is_none(fields):
    [name] = fields
    with pytest.raises(ValueError, match=f"^history: expected a (list of floats|text) in {name}, got "):
        History(**fields)


def test_a_history_may_have_more():
    @dataclass
    class Noted(History):
        notes: tuple[str, ...] = ()

    assert Noted(loss=[1.0], notes=("too fast",)).notes == ("too fast",)


def test_the_best_of_losses_that_are_partly_nan():
    assert repr(History(loss=[0.9, 0.2], validation_loss=[math.nan, 0.3])).endswith("(best 0.3 in epoch 2)>")
    assert History(validation_loss=[math.nan, math.nan]).best_epoch == 0
    assert repr(History(loss=[1.0], validation_loss=[math.nan])) == "<History of 1 epoch: loss 1, validation_loss nan>"


# ---- a call that raises before anything is changed has changed nothing


def drawn():
    """Numbers of both global random states, taken from copies of them."""
    mine, numpys = random.Random(), np.random.RandomState()
    mine.setstate(random.getstate())
    numpys.set_state(np.random.get_state())  # noqa: NPY002
    return [mine.random(), numpys.random()]


def refuses(target):
    def loss(output, given):
        random.random()
        np.random.random()  # noqa: NPY002
        if given == target:
            raise RuntimeError("from within")
        return squared_error(output, given)

    return loss


class Failing(SGD):
    def step(self):
        random.random()
        super().step()
        raise RuntimeError("from within")


def raising(output, target):
    random.random()
    raise RuntimeError("from within")


FAILURES = {  # what is wrong, and what is raised
    "no tape": ({"loss": lambda y, t: squared_error(y, t) * random.random(), "tape": True}, TypeError),
    "no loss": ({"loss": lambda y, t: 1.0}, TypeError),
    "no loss of the third": ({"loss": lambda y, t: squared_error(y, t) if t < 2.0 else 1.0, "tape": False}, TypeError),
    "the loss raises": ({"loss": refuses(2.0)}, RuntimeError),
    "the loss raises without a tape": ({"loss": refuses(2.0), "tape": False}, RuntimeError),
    "the metric raises": ({"metric": raising}, RuntimeError),
    "the metric raises without a tape": ({"metric": raising, "tape": False}, RuntimeError),
    "the optimizer raises": ({"optimizer": Failing}, RuntimeError),
    "the optimizer raises without a tape": ({"optimizer": Failing, "tape": False}, RuntimeError),
    "nan": ({"inputs": [1.0, 2.0, math.nan, 3.0]}, FloatingPointError),
    "nan without a tape": ({"inputs": [1.0, 2.0, math.nan, 3.0], "tape": False}, FloatingPointError),
    "an infinite step": ({"optimizer": lambda p: SGD(p, 1e308), "inputs": [1e10] * 4}, FloatingPointError),
    "no parameter": ({"parameters": [Value(1.0)]}, ValueError),
    "no parameter, without a tape": ({"parameters": [Value(1.0)], "tape": False}, ValueError),
    "validation": ({"validation": ([[1.0, 2.0]], [1.0])}, ValueError),
    "no epochs": ({"epochs": 0}, ValueError),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_call_that_raises_before_the_first_step_has_changed_nothing(case):
    """Of the parameters that learn, of those that do not, and of the random states."""
    changes, error = FAILURES[case]
    slope, frozen = Value(0.5), Value(-2.0)
    options = {
        "inputs": [1.0, 2.0, 3.0, 4.0], "targets": [0.0, 1.0, 2.0, 3.0], "loss": squared_error,
        "optimizer": lambda p: SGD(p, 0.1), "parameters": [slope], "shuffle": False, **changes,
    }  # fmt: skip
    values = [slope, frozen, *options["parameters"]]
    for i, value in enumerate(values):
        value.grad = 5.0 + i
    before = [(value.data, value.grad) for value in values], drawn()
    optimizer = options.pop("optimizer")(options.pop("parameters"))
    with pytest.raises(error):
        quiet(lambda x: slope * frozen * x, optimizer=optimizer, **options)
    assert ([(value.data, value.grad) for value in values], drawn()) == before


@ALL_WAYS
def test_an_interrupt_before_the_first_step_leaves_the_gradients(tape):
    slope = Value(0.5)
    slope.grad = 7.0

    def metric(output, target):
        raise KeyboardInterrupt

    history = quiet(lambda x: slope * x, [1.0], [1.0], squared_error, SGD([slope], 0.1), metric=metric, tape=tape)
    assert history.interrupted
    assert (slope.data, slope.grad) == (0.5, 7.0)


@ALL_WAYS
def test_an_error_after_a_step_leaves_the_gradient_of_that_step(tape):
    slope, calls = Value(0.5), []

    def metric(output, target):
        calls.append(target)
        if len(calls) == 2:
            raise RuntimeError("from within")
        return 0.0

    with pytest.raises(RuntimeError, match="from within"):
        quiet(
            lambda x: slope * x, [1.0, 2.0], [1.0, 1.0], squared_error, SGD([slope], 0.1),
            metric=metric, batch_size=1, shuffle=False, tape=tape,
        )  # fmt: skip
    assert (slope.data, slope.grad) == (0.5 + 0.1, -1.0)


# ---- validation examples of another form


@ALL_WAYS
@pytest.mark.parametrize(
    ("inputs", "targets", "got"),
    [
        ([[1.0, 2.0, 3.0]] * 2, [0.0, 1.0], r"\(\[1\.0, 2\.0, 3\.0\], 0\.0\)"),
        ([[1.0, 2.0], [1.0]], [0.0, 1.0], r"\(\[1\.0\], 1\.0\)"),
        (np.ones((2, 5)), [0, 1], r"\(\[1\.0, 1\.0, 1\.0, 1\.0, 1\.0\], 0\)"),
        ([[1.0, 2.0]] * 2, [0.0, [2.0, 3.0]], r"\(\[1\.0, 2\.0\], \[2\.0, 3\.0\]\)"),
        ([1.0, 2.0], [0.0, 1.0], r"\(1\.0, 0\.0\)"),
        (["a", "b"], [0.0, 1.0], r"\('a', 0\.0\)"),
    ],
)
def test_validation_examples_of_another_form_are_refused_before_the_first_epoch(inputs, targets, got, tape):
    model, calls = network(), []
    before, state = numbers(model), random.getstate()

    class Noting(SGD):
        def update(self, parameters, gradient):
            calls.append(gradient)
            return super().update(parameters, gradient)

    def loss(output, target):
        return squared_error([output], target if isinstance(target, list) else [target])

    message = (
        rf"fit, validation: expected examples of the form of those to learn from, such as \(\[.*\], \d\), got {got}"
    )
    with pytest.raises(ValueError, match=message):
        quiet(model, *xor(8), loss, Noting(model.parameters(), 0.1), validation=(inputs, targets), tape=tape)
    assert calls == []
    assert (numbers(model), random.getstate()) == (before, state)
    assert [p.grad for p in model.parameters()] == [0.0] * len(before)


def test_without_a_tape_validation_examples_may_have_any_form_that_the_model_takes():
    slope = Value(0.5)

    def model(x):
        return slope * total([Value(0.0), *x])

    def run(tape):
        slope.data = 0.5
        return quiet(
            model, [[1.0, 2.0]] * 3, [1.0] * 3, squared_error, SGD([slope], 0.1), shuffle=False,
            validation=([[1.0], [2.0, 3.0, 4.0]], [1.0, 2.0]), tape=tape,
        )  # fmt: skip

    history = run(False)
    assert history.validation_loss == [((slope.data - 1.0) ** 2 + (9.0 * slope.data - 2.0) ** 2) / 2]
    with pytest.raises(ValueError, match="with tape=False a model may take any form"):
        run(None)


def test_validation_examples_are_checked_as_those_to_learn_from_are():
    """What a tape does not see may be in them alone."""
    for validation, reason in [
        (([1.0, 7.0], [0.0, 0.0]), "example 1 of the validation has another graph"),
        (([1.0] * 500, [5.0 if i == 3 else 0.0 for i in range(500)]), "the target of example 3 of the validation"),
    ]:
        slope = Value(0.5)
        history = quiet(
            lambda x, slope=slope: slope * x * {7.0: 9.0}.get(x, 1.0), [1.0, 2.0], [0.0, 1.0],
            lambda y, t: {5.0: 2.0}.get(t, 1.0) * (y - t) ** 2, SGD([slope], 0.1), validation=validation,
        )  # fmt: skip
        assert reason in history.eager


# ---- what it shows


def test_the_progress_bar_shows_epoch_loss_and_metric(capfd):
    p = Value(0.0)
    fit(lambda x: p * x, [1.0, 1.0], [1.0, -1.0], squared_error, SGD([p], 0.0), epochs=2, metric=correct_sign)
    out, err = capfd.readouterr()
    assert out == ""
    assert "2/2 |██████████| 00:00, loss 1 correct_sign 0.5" in err


def test_no_progress_bar(capfd):
    p = Value(0.0)
    fit(lambda x: p * x, [1.0], [1.0], squared_error, SGD([p]), epochs=1, progress=False)
    assert capfd.readouterr() == ("", "")


def test_a_history_reads_and_plots_itself():
    history = History([2.0, 0.123456], [0.5, 0.75], [1.0, 1.5], [0.25, 0.5], interrupted=True)
    assert repr(history) == (
        "<History of 2 epochs: loss 0.1235, metric 0.75, validation_loss 1.5, validation_metric 0.5 "
        "(best 1 in epoch 1), interrupted>"
    )
    line, _ = history.plot().axes[0].lines
    assert list(line.get_ydata()) == [2.0, 0.123456]


@pytest.mark.parametrize("tape", [None, True, False])
def test_a_generator_that_is_suspended_within_no_grad_leaves_a_training_alone(tape):
    def batches():
        with no_grad():
            yield 1

    weights = []
    for suspended in (False, True):
        generator = batches()
        if suspended:
            next(generator)
        w = Value(0.5)
        fit(
            lambda x, w=w: w * x,
            [1.0, 2.0],
            [2.0, 4.0],
            squared_error,
            SGD([w], 0.1),
            epochs=3,
            progress=False,
            tape=tape,
        )
        weights.append(w.data)
        generator.close()
    assert weights[0] == weights[1]
