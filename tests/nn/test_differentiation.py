"""A batch's gradient: through a tape it is what it is example by example, and where none can be had it is said why."""

from __future__ import annotations

import random
from collections import namedtuple

import numpy as np
import pytest

from autograd import Value, exp, log, maximum, no_grad, relu, tanh, where
from autograd import sum as total
from nn.datasets import digits, moons, xor
from nn.differentiation import ByExample, ByTape, NotAlikeError
from nn.layers import MLP
from nn.losses import binary_cross_entropy, cross_entropy, half_squared_error, hinge, squared_error
from nn.optimizers import SGD, Adam
from nn.training import correct_class, correct_sign, fit


def network(nin, *nouts, activation=tanh, fused=True):
    random.seed(3)
    return MLP(nin, nouts, activation=activation, fused=fused)


def both(model, functions, parameters, examples, held_out=()):
    arguments = model, functions, parameters, examples, list(held_out)
    return ByExample(*arguments), ByTape(*arguments)


def vector_of(parameters):
    return np.array([parameter.data for parameter in parameters])


def rows(inputs, targets):
    return list(zip(np.asarray(inputs).tolist(), np.asarray(targets).tolist(), strict=True))


RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(40, 2))
LINE = network(1, 3, 1)
PROBLEMS = {
    "hinge": (network(2, 5, 1, activation=relu), hinge, correct_sign, rows(POINTS, np.sign(POINTS[:, 0]).astype(int))),
    "binary cross-entropy": (network(2, 4, 1), binary_cross_entropy, correct_sign, rows(POINTS, POINTS[:, 0] > 0)),
    "a class": (network(2, 4, 3), cross_entropy, correct_class, rows(POINTS, RNG.integers(0, 3, 40))),
    "probabilities": (network(2, 4, 3), cross_entropy, correct_class, rows(POINTS, RNG.dirichlet([1, 1, 1], 40))),
    "several targets": (network(2, 4, 2), half_squared_error, None, rows(POINTS, POINTS[:, ::-1])),
    "spelled out": (network(2, 4, 1, fused=False), squared_error, None, rows(POINTS, POINTS.sum(1))),
    "a number": (lambda x: LINE([x]), squared_error, None, rows(POINTS[:, 0], POINTS[:, 1])),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_tape_and_the_examples_one_by_one_agree(problem):
    model, loss, metric, examples = PROBLEMS[problem]
    parameters = (model if isinstance(model, MLP) else LINE).parameters()
    functions = [loss] if metric is None else [loss, metric]
    one_by_one, by_tape = both(model, functions, parameters, examples, examples[7:20])
    vector = vector_of(parameters) * 1.5
    for batch in [list(range(40)), [5], [3, 3, 39, 0]]:
        sums, gradient = one_by_one.differentiate(vector, batch)
        sums_of_tape, gradient_of_tape = by_tape.differentiate(vector, batch)
        assert sums_of_tape == pytest.approx(sums, rel=1e-12)
        assert gradient_of_tape == pytest.approx(gradient, rel=1e-12, abs=1e-15)
    assert by_tape.measure(vector) == pytest.approx(one_by_one.measure(vector), rel=1e-12)


@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_training_through_a_tape_and_without_comes_to_the_same(optimizer):
    training, held_out = digits()
    runs = []
    for tape in (True, False):
        model = network(64, 6, 10)
        history = fit(
            model, training.inputs[:60], training.targets[:60], cross_entropy, optimizer(model.parameters(), 0.01),
            epochs=3, batch_size=7, metric=correct_class, validation=(held_out.inputs[:20], held_out.targets[:20]),
            progress=False, tape=tape,
        )  # fmt: skip
        runs.append((history, vector_of(model.parameters()), np.array([p.grad for p in model.parameters()])))
    (taped, parameters, gradient), (eager, *expected) = runs
    assert parameters == pytest.approx(expected[0], rel=1e-10)
    assert gradient == pytest.approx(expected[1], rel=1e-9, abs=1e-13)
    assert taped.loss == pytest.approx(eager.loss, rel=1e-11)
    assert taped.validation_loss == pytest.approx(eager.validation_loss, rel=1e-11)
    assert (taped.metric, taped.validation_metric) == (eager.metric, eager.validation_metric)
    assert (taped.eager, eager.eager) == ("", "tape=False")


# ---- parameters


def test_only_the_optimizers_parameters_learn_and_others_are_read():
    frozen, learned, elsewhere = Value(2.0), Value(1.0), Value(7.0)
    parameters = [elsewhere, learned]
    _, by_tape = both(lambda x: frozen * learned * x, [squared_error], parameters, rows([1.0, 2.0], [0.0, 0.0]))
    _, gradient = by_tape.differentiate(np.array([9.0, 1.0]), [0, 1])
    assert gradient.tolist() == [0.0, 2 * 2 * 2 * (1 + 4) / 2]
    frozen.data = 3.0
    _, gradient = by_tape.differentiate(np.array([9.0, 1.0]), [0, 1])
    assert gradient.tolist() == [0.0, 2 * 3 * 3 * (1 + 4) / 2]


def test_an_optimizer_with_a_step_of_its_own_is_asked_for_it():
    class Halving(SGD):
        def step(self):
            super().step()
            self.learning_rate /= 2

    def run(tape):
        slope = Value(0.0)
        optimizer = Halving([slope], 0.25)
        fit(lambda x: slope * x, [1.0] * 4, [2.0] * 4, squared_error, optimizer,
            epochs=2, batch_size=2, progress=False, tape=tape)  # fmt: skip
        return slope.data, slope.grad, optimizer.learning_rate

    assert run(True) == run(False)
    assert run(True)[2] == 0.25 / 16


def test_what_a_loss_regularises_is_differentiated_too():
    model = network(2, 3, 1)
    parameters = model.parameters()

    def loss(output, target):
        return squared_error(output, target) + 0.1 * total([p * p for p in parameters])

    one_by_one, by_tape = both(model, [loss], parameters, rows(*xor(20)))
    vector = vector_of(parameters)
    assert by_tape.differentiate(vector, [1, 4, 9])[1] == pytest.approx(
        one_by_one.differentiate(vector, [1, 4, 9])[1], rel=1e-13
    )


# ---- where there can be no tape

CHANCE = random.Random(0)
REFUSED = {
    "a comparison": (lambda x: P * x if P * x > 0 else -P * x, [1.0, 2.0], [0.0, 0.0], "a comparison"),
    "a choice": (lambda x: where(x > 1, P * x, P), [1.0, 2.0], [0.0, 0.0], "a comparison"),
    "an index": (lambda x: [P, P][x], [0, 1], [0.0, 0.0], "indices"),
    "another graph": (lambda x: P * x.data if isinstance(x, Value) else P * x, [1.0, 2.0], [0.0, 0.0], "another graph"),
    "chance": (lambda x: P * x * CHANCE.random(), [1.0, 2.0], [0.0, 0.0], "another graph"),
    "a number made anew": (lambda x: P * x * Value(CHANCE.random()), [1.0, 2.0], [0.0, 0.0], "another graph"),
    "other lengths": (lambda x: P * total([Value(0.0), *x]), [[1.0], [1.0, 2.0]], [0.0, 0.0], "different forms"),
    "words": (lambda x: P * len(x), ["a", "bc"], [0.0, 0.0], "no numbers"),
    "no target": (lambda x: P * x, [1.0, 2.0], [None, None], "no numbers"),
}
P = Value(0.5)


@pytest.mark.parametrize("case", REFUSED)
def test_where_examples_have_not_all_the_same_graph_each_is_built_and_it_is_said_why(case):
    model, inputs, targets, reason = REFUSED[case]

    def loss(output, target):
        return (output - (0.0 if target is None else target)) ** 2

    P.data = 0.5
    history = fit(model, inputs, targets, loss, SGD([P], 0.01), epochs=1, progress=False)
    assert reason in history.eager
    assert P.data != 0.5
    with pytest.raises(TypeError, match=rf"fit: tape=True: .*{reason}.*; with tape=None or False"):
        fit(model, inputs, targets, loss, SGD([P], 0.01), epochs=1, progress=False, tape=True)


def scaled(x):
    with no_grad():
        scale = P * 2.0
    return P * scale * x


def plus_or_minus(output, target):
    return (output - 1.0) ** 2 if target == 1 else (output + 1.0) ** 2


def looked_up(output, target):
    return (output - {1: 1.0}.get(target, -1.0)) ** 2


NUMBERS = [float(i % 7) for i in range(500)]
UNSEEN = {  # what comes of the numbers, and is no part of the graph
    "a target compared": (lambda x: P * x, plus_or_minus, NUMBERS[:6], [0, 1, 0, 0, 1, 0], "a comparison"),
    "a target looked up": (lambda x: P * x, looked_up, NUMBERS[:6], [0, 1, 0, 0, 1, 0], "example 1 "),
    "a rare target": (lambda x: P * x, looked_up, NUMBERS, [1 if i == 3 else 0 for i in range(500)], "example 3 "),
    "a target's identity": (lambda x: P * x, lambda y, t: y**2 if t is True else y, NUMBERS[:2], [True, False], ""),
    "an input compared": (lambda x: P if x == 3 else P * x, squared_error, NUMBERS[:6], NUMBERS[:6], "a comparison"),
    "an input looked up": (lambda x: P * {1.0: 3.0}.get(x, 0.5), squared_error, NUMBERS[:6], NUMBERS[:6], "example "),
    "an input's type": (lambda x: P if isinstance(x, float) else -P, squared_error, NUMBERS[:6], NUMBERS[:6], ""),
    "a parameter compared": (lambda x: (P if P > 0 else -P) + x * 0.0, squared_error, [1.0], [-1.0], "a comparison"),
    "a parameter's data": (lambda x: P * P.data * x, squared_error, NUMBERS[:6], NUMBERS[:6], "example 1 "),
    "no_grad": (scaled, squared_error, NUMBERS[:6], NUMBERS[:6], "example 1 "),
    "rare chance": (lambda x: P * x + (random.random() < 1e-3), squared_error, NUMBERS, NUMBERS, "random numbers"),
    "NumPy's chance": (lambda x: P * x + 0.0 * np.random.rand(), squared_error, [1.0], [1.0], "random numbers"),  # noqa: NPY002
}


@pytest.mark.parametrize("case", UNSEEN)
def test_what_a_tape_does_not_see_is_found_out_by_numbers(case):
    """Then the training is the one without a tape: from its first random number to the last bit."""
    model, loss, inputs, targets, reason = UNSEEN[case]

    def run(tape):
        random.seed(5)
        P.data = 0.25
        history = fit(model, inputs, targets, loss, SGD([P], 0.001), epochs=6, batch_size=3, progress=False, tape=tape)
        return history, P.data, random.getstate()

    (history, *found), (expected_history, *expected) = run(None), run(False)
    assert "the graph of one example cannot serve for all: " in history.eager
    assert reason in history.eager
    assert (history.loss, found) == (expected_history.loss, expected)


def test_finding_out_changes_no_parameter():
    P.data = 0.3
    with pytest.raises(TypeError, match="tape=True: the graph of one example cannot serve for all"):
        fit(scaled, [1.0], [1.0], squared_error, SGD([P]), epochs=1, progress=False, tape=True)
    assert P.data == 0.3
    both(lambda x: P * x, [squared_error], [P], rows(NUMBERS, NUMBERS))
    assert P.data == 0.3


# ---- metrics

Line = namedtuple("Line", "score slope")


def with_and_without(tape_or_not, **options):
    P.data = 0.5
    arguments = {"inputs": NUMBERS[:6], "targets": NUMBERS[:6], "loss": squared_error} | options
    model = arguments.pop("model", lambda x: P * x)
    history = fit(
        model, optimizer=SGD([P], 0.01), epochs=3, batch_size=2, progress=False, tape=tape_or_not, **arguments
    )
    return history, P.data


def test_a_metric_may_look_at_the_parameters():
    options = {"metric": lambda output, target: P.data, "validation": ([1.0], [1.0])}
    taped, eager = with_and_without(True, **options)[0], with_and_without(False, **options)[0]
    assert taped.metric == pytest.approx(eager.metric, rel=1e-12)
    assert taped.validation_metric == pytest.approx(eager.validation_metric, rel=1e-12)
    assert len({0.5, *taped.metric, *taped.validation_metric}) == 7


@pytest.mark.parametrize(
    ("form", "taped"), [(lambda y: (y, P), True), (lambda y: [(y,), 1.0], True), (lambda y: Line(y, P), False)]
)
def test_a_metric_gets_the_output_in_the_form_that_the_model_gave_it(form, taped):
    seen = []

    def first(output):
        while isinstance(output, (list, tuple)):
            output = output[0]
        return output

    def metric(output, target):
        seen.append(type(output))
        return getattr(output, "score", first(output))

    options = {"model": lambda x: form(P * x), "loss": lambda y, t: squared_error(first(y), t), "metric": metric}
    history, found = with_and_without(None, **options)
    assert (history.eager == "") == taped
    assert set(seen) == {type(form(P))}
    eager, expected = with_and_without(False, **options)
    assert history.metric == pytest.approx(eager.metric, rel=1e-12)
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("tape", [True, False])
def test_an_interrupt_within_a_metric_keeps_what_was_learned(tape):
    calls = []

    def metric(output, target):
        calls.append(P.data)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return 0.0

    history, learned = with_and_without(tape, metric=metric)
    assert history.interrupted
    assert len(history.loss) == 1
    assert learned == pytest.approx(calls[8], rel=1e-15)
    assert learned != 0.5


def test_a_validation_example_that_an_operation_refuses_is_refused_with_a_tape_too():
    def run(tape):
        with pytest.raises(ValueError, match=r"^log\(-0\.\d+\): expected x > 0$") as caught:
            with_and_without(
                tape, model=lambda x: log(P * x), inputs=[1.0], targets=[1.0], validation=([2.0, -1.0], [0.0, 0.0])
            )
        return str(caught.value)

    assert run(True) == run(False)


def test_a_loss_of_no_parameter_is_noticed_though_a_metrics_output_depends_on_one():
    for tape in (True, False):
        with pytest.raises(ValueError, match="the loss depends on none of the optimizer's parameters"):
            with_and_without(tape, loss=lambda output, target: Value(1.0) * 2.0, metric=lambda output, target: 0.0)


# ---- targets


def test_a_target_that_the_loss_refuses_is_refused_although_a_tape_would_take_it():
    slope = Value(0.5)
    for tape in (None, False):
        with pytest.raises(ValueError, match=r"hinge: expected a target of -1 or \+1, got 0"):
            fit(
                lambda x: slope * x,
                [1.0, 2.0, 3.0],
                [1, 0, -1],
                hinge,
                SGD([slope]),
                epochs=1,
                progress=False,
                tape=tape,
            )
    with pytest.raises(IndexError, match="expected a class from 0 to 1, one per logit, got 2"):
        fit(
            lambda x: [slope * x, slope],
            [1.0, 2.0, 3.0],
            [0, 2, 1],
            cross_entropy,
            SGD([slope]),
            epochs=1,
            progress=False,
        )


def test_a_target_that_only_does_not_go_with_another_examples_output_is_none_to_refuse():
    slope = Value(1.0)

    def loss(output, target):
        return log(target - output)

    history = fit(lambda x: slope * x, [1.0, 5.0], [2.0, 6.0], loss, SGD([slope], 0.01), epochs=1, progress=False)
    assert history.eager == ""


# ---- numbers that are not finite


def test_the_operation_that_met_a_wrong_number_is_named_as_without_a_tape():
    def run(tape):
        slope = Value(1.0, label="slope")
        with pytest.raises((ValueError, FloatingPointError)) as caught:
            fit(lambda x: log(slope * x), [1.0, 2.0, -3.0], [0.0] * 3, lambda y, t: y, SGD([slope], 0.1), epochs=1,
                batch_size=2, shuffle=False, progress=False, tape=tape)  # fmt: skip
        return type(caught.value), str(caught.value), slope.data

    assert run(False) == run(False)
    assert run(None)[:2] == run(False)[:2]
    assert "log(-" in run(None)[1]


def test_an_overflow_says_which_batch_and_leaves_the_parameters():
    slope = Value(1.0)
    with pytest.raises(FloatingPointError, match=r"fit: epoch 1, batch 2: exp\(3000\.0\): the result is beyond"):
        fit(lambda x: exp(slope * x), [1.0, 3000.0], [0.0, 0.0], lambda y, t: 0.0 * y, SGD([slope], 0.1), epochs=1,
            batch_size=1, shuffle=False, progress=False, tape=True)  # fmt: skip
    assert slope.data == 1.0


def test_maximum_relu_and_abs_choose_within_the_graph():
    slope = Value(0.5)
    history = fit(
        lambda x: maximum(slope * x[0], relu(-x[1])) + abs(x[0]), moons(10)[0], [0.0] * 10, squared_error,
        SGD([slope]), epochs=1, progress=False, tape=True,
    )  # fmt: skip
    assert history.eager == ""


def test_the_reason_is_the_tapes_own():
    slope = Value(0.5)
    with pytest.raises(NotAlikeError, match=r"the graph of one example cannot serve for all: Tape\.record: bool"):
        both(lambda x: slope if x else -slope, [squared_error], [slope], rows([1.0, 0.0], [0.0, 0.0]))
