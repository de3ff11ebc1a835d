"""Outputs and derivatives are the same through a tape as example by example, and it is said why there is no tape."""

from __future__ import annotations

import random
import re
from collections import OrderedDict, deque, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

from autograd import (
    Value,
    define,
    dot,
    engine,
    exp,
    log,
    maximum,
    no_grad,
    relu,
    softplus,
    structures,
    take,
    tanh,
    where,
)
from autograd import sum as total
from nn.datasets import digits, moons, xor
from nn.dropout import Dropout
from nn.layers import MLP, Embedding
from nn.losses import binary_cross_entropy, cross_entropy, half_squared_error, hinge, residuals, squared_error
from nn.metrics import correct_class, correct_sign, evaluate
from nn.optimizers import SGD, Adam
from nn.problem import ByExample, ByTape, ByTapes, NotAlikeError, Problem
from nn.second_order import GaussNewton, LevenbergMarquardt, NaturalGradient, Newton
from nn.training import fit

pytestmark = pytest.mark.both_engines

EXECUTORS = ["native", "numpy"] if engine == "native" else ["numpy"]


def network(nin, *nouts, activation=tanh, fused=True):
    random.seed(3)
    return MLP(nin, nouts, activation=activation, fused=fused)


def both(model, functions, parameters, examples, held_out=()):
    loss, *metrics = functions
    problem = Problem("fit", loss, parameters, examples, model, *(metrics or [None]), held_out=list(held_out))
    return ByExample(problem), ByTape(problem)


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


ORDERS = {
    "as they were made": lambda parameters: parameters,
    "backwards": lambda parameters: parameters[::-1],
    "turned round": lambda parameters: parameters[5:] + parameters[:5],
    "some": lambda parameters: parameters[3:],
    "some, turned round": lambda parameters: parameters[9:] + parameters[2:7],
    "one that the loss has not": lambda parameters: [*parameters[:4], Value(2.0), *parameters[4:]],
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_the_parameters_may_have_any_order(order):
    model, loss, metric, examples = PROBLEMS["a class"]
    parameters = order(model.parameters())
    one_by_one, by_tape = both(model, [loss, metric], parameters, examples)
    vector = vector_of(parameters) * np.linspace(0.5, 1.5, len(parameters))
    before = vector.tolist()
    (sums, gradient), (others, of_tape) = (way.sums_and_gradient(vector, [5, 0, 7]) for way in (one_by_one, by_tape))
    assert others == pytest.approx(sums, rel=1e-12)
    assert of_tape == pytest.approx(gradient, rel=1e-12, abs=1e-15)
    assert vector.tolist() == before


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_tape_and_the_examples_one_by_one_agree(problem):
    model, loss, metric, examples = PROBLEMS[problem]
    parameters = (model if isinstance(model, MLP) else LINE).parameters()
    functions = [loss] if metric is None else [loss, metric]
    one_by_one, by_tape = both(model, functions, parameters, examples, examples[7:20])
    vector = vector_of(parameters) * 1.5
    for batch in [list(range(40)), [5], [3, 3, 39, 0]]:
        sums, gradient = one_by_one.sums_and_gradient(vector, batch)
        sums_of_tape, gradient_of_tape = by_tape.sums_and_gradient(vector, batch)
        assert sums_of_tape == pytest.approx(sums, rel=1e-12)
        assert gradient_of_tape == pytest.approx(gradient, rel=1e-12, abs=1e-15)
    assert by_tape.means(vector) == pytest.approx(one_by_one.means(vector), rel=1e-12)


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
    _, gradient = by_tape.sums_and_gradient(np.array([9.0, 1.0]), [0, 1])
    assert gradient.tolist() == [0.0, 2 * 2 * 2 * (1 + 4) / 2]
    frozen.data = 3.0
    _, gradient = by_tape.sums_and_gradient(np.array([9.0, 1.0]), [0, 1])
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
    assert by_tape.sums_and_gradient(vector, [1, 4, 9])[1] == pytest.approx(
        one_by_one.sums_and_gradient(vector, [1, 4, 9])[1], rel=1e-13
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


@pytest.mark.parametrize("metric", [lambda output, target: P.data, lambda output, target: P * 1.0])
def test_a_metric_may_look_at_the_parameters(metric):
    options = {"metric": metric, "validation": ([1.0], [1.0])}
    taped, eager = with_and_without(True, **options)[0], with_and_without(False, **options)[0]
    assert taped.metric == pytest.approx(eager.metric, rel=1e-12)
    assert taped.validation_metric == pytest.approx(eager.validation_metric, rel=1e-12)
    assert len({0.5, *taped.metric, *taped.validation_metric}) == 7


@pytest.mark.parametrize(
    ("form", "taped"), [(lambda y: (y, P), True), (lambda y: [(y,), 1.0], True), (lambda y: Line(y, P), True)]
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
        with pytest.raises(
            ValueError, match=r"^log\(-0\.\d+\): expected x > 0\nIt was raised by example 1 of the validation\.$"
        ) as caught:
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


# ---- each example's outputs and derivatives


def evaluators(function, parameters, examples, with_hessian=False):
    problem = Problem("minimize", function, parameters, examples)
    yield ByExample(problem)
    for executor in EXECUTORS:
        yield ByTape(problem, with_hessian, executor=executor)


def test_the_jacobian_of_two_outputs_by_hand():
    a, b, unused = Value(2.0), Value(3.0), Value(7.0)
    examples = [(1.0, [2.0, 0.5]), (-2.0, [0.0, 4.0]), (0.5, [1.0, 1.0])]
    for evaluator in evaluators(lambda x, u: [a * b * x + u[0], a**2 * u[1]], [a, unused, b], examples):
        assert evaluator.outputs(np.array([5.0, 0.0, 4.0])).tolist() == [[22.0, 12.5], [-40.0, 100.0], [11.0, 25.0]]
        assert evaluator.jacobian(np.array([5.0, 0.0, 4.0])).tolist() == [
            [[4.0 * x, 0.0, 5.0 * x], [10.0 * u[1], 0.0, 0.0]] for x, u in examples
        ]
        assert evaluator.depends_on_parameters(range(len(examples)))


def test_a_function_without_data_has_one_example():
    a, b = Value(2.0), Value(3.0)
    for evaluator in evaluators(lambda: [a * b, a, 1.5], [a, b], [()]):
        assert evaluator.outputs(np.array([2.0, 3.0])).tolist() == [[6.0, 2.0, 1.5]]
        assert evaluator.jacobian(np.array([2.0, 3.0])).tolist() == [[[3.0, 2.0], [1.0, 0.0], [0.0, 0.0]]]


def test_a_network_replayed_and_example_by_example():
    random.seed(2)
    model = MLP(2, [3, 2], activation=tanh)
    parameters = model.parameters()
    examples = [(x.tolist(), t.tolist()) for x, t in zip(RNG.normal(size=(9, 2)), RNG.normal(size=(9, 2)), strict=True)]
    vector = vector_of(parameters) * 1.5
    one_by_one, *replayed = evaluators(lambda x, t: residuals(model(x), t), parameters, examples)
    assert one_by_one.jacobian(vector).shape == (9, 2, len(parameters))
    for evaluator in replayed:
        np.testing.assert_allclose(evaluator.outputs(vector), one_by_one.outputs(vector), rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(evaluator.jacobian(vector), one_by_one.jacobian(vector), rtol=1e-13, atol=1e-15)


def test_no_gradient_is_touched():
    a, b = Value(2.0), Value(3.0)
    a.grad, b.grad = 5.0, 7.0
    for evaluator in evaluators(lambda x: a * b * x, [a], [(1.0,), (2.0,)]):
        assert evaluator.jacobian(np.array([2.0])).tolist() == [[[3.0]], [[6.0]]]
        assert (a.grad, b.grad) == (5.0, 7.0)


def test_whether_anything_depends_on_the_parameters():
    a, b = Value(2.0), Value(0.0)
    for function, expected in [(lambda x: a * b * x, True), (lambda x: b * x, False), (lambda x: a, True)]:
        assert [evaluator.depends_on_parameters([0]) for evaluator in evaluators(function, [a], [(0.0,)])] == [
            expected
        ] * (1 + len(EXECUTORS))


W = Value(0.5)
RANDOM = random.Random(0)
UNLIKE = {
    "a branch": (lambda x: W * x if x > 0 else W * 2.0, [(1.0,), (-1.0,)]),
    "a branch that is not seen": (lambda x: W * x if getattr(x, "data", x) > 0 else W + 1.0, [(1.0,), (-1.0,)]),
    "an index": (lambda k: [W, exp(W)][k], [(0,), (1,)]),
    "a class that no logit has": (lambda k: cross_entropy([W, 2.0 * W], k), [(0,), (2,)]),
    "chance": (lambda x: W * x * RANDOM.random(), [(1.0,), (2.0,)]),
    "more outputs": (lambda x: [W * x] * (1 if getattr(x, "data", x) > 0 else 2), [(-1.0,), (-2.0,), (1.0,)]),
    "texts": (lambda word: W * len(word), [("ab",), ("abc",)]),
    "a text and a number": (lambda word, x: W * len(word) * x, [("ab", 1.0), ("abc", 2.0)]),
}


@pytest.mark.parametrize("case", UNLIKE)
def test_where_no_tape_can_be_had(case):
    function, examples = UNLIKE[case]
    with pytest.raises((NotAlikeError, IndexError, ValueError)) as raised:
        ByTape(Problem("minimize", function, [W], examples))
    expected = {"a class that no logit has": IndexError, "more outputs": ValueError}.get(case, NotAlikeError)
    assert raised.type is expected


def test_a_choice_within_the_graph_is_no_branch():
    for evaluator in evaluators(lambda x: maximum(W * x, 0.0), [W], [(1.0,), (-1.0,)]):
        assert evaluator.jacobian(np.array([0.5])).tolist() == [[[1.0]], [[0.0]]]


def test_outputs_that_are_none_or_not_equally_many():
    with pytest.raises(ValueError, match="at least one Value, got an empty list"):
        ByExample(Problem("minimize", lambda x: [], [W], [(1.0,)])).outputs(np.array([0.5]))
    with pytest.raises(ValueError, match="got 1 for example 0 and 2 for example 1"):
        ByExample(Problem("minimize", lambda k: [W] * k, [W], [(1,), (2,)])).outputs(np.array([0.5]))


# ---- second derivatives


def test_the_hessian_of_logistic_regression():
    """(1/n) Σ p (1 − p) x xᵀ, with p = sigmoid(w x); of a parameter that the loss does not depend on it is 0."""
    w, unused = [Value(0.5), Value(-1.0), Value(0.25)], Value(1.0)
    xs = RNG.normal(size=(10, 3))
    vector = np.array([0.3, 0.7, -0.2, 0.0])
    p = 1 / (1 + np.exp(-xs @ vector[:3]))
    expected = np.zeros((4, 4))
    expected[:3, :3] = (xs.T * p * (1 - p)) @ xs / 10
    for evaluator in evaluators(
        lambda x: softplus(dot(w, x)), [*w, unused], [(x.tolist(),) for x in xs], with_hessian=True
    ):
        gradient, hessian = evaluator.gradient_and_hessian(vector)
        np.testing.assert_allclose(gradient, [*(xs.T @ p / 10), 0.0], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(hessian, expected, rtol=1e-12, atol=1e-16)


def test_a_networks_hessian_replayed_and_example_by_example():
    random.seed(4)
    model = MLP(2, [3, 1], activation=tanh)
    parameters = model.parameters()
    examples = [(x.tolist(), t) for x, t in zip(RNG.normal(size=(6, 2)), [0.0, 1.0, 0.5] * 2, strict=True)]
    vector = vector_of(parameters) * 0.7
    one_by_one, *replayed = evaluators(lambda x, t: softplus(model(x) - t), parameters, examples, with_hessian=True)
    gradient, hessian = one_by_one.gradient_and_hessian(vector)
    np.testing.assert_allclose(gradient, one_by_one.jacobian(vector)[:, 0].mean(axis=0), rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-13, atol=1e-16)
    for evaluator in replayed:
        again = evaluator.gradient_and_hessian(vector)
        np.testing.assert_allclose(again[0], gradient, rtol=1e-13, atol=1e-16)
        np.testing.assert_allclose(again[1], hessian, rtol=1e-12, atol=1e-15)


def test_the_hessian_of_the_cross_entropy():
    """diag p − p pᵀ, whatever the class: by example, since the largest logit is looked for."""
    z = [Value(1.0), Value(-0.5), Value(0.25)]
    evaluator = ByExample(Problem("minimize", lambda k: cross_entropy(z, k), z, [(0,), (2,), (2,)]))
    vector = np.array([0.5, 2.0, -1.0])
    p = np.exp(vector) / np.exp(vector).sum()
    gradient, hessian = evaluator.gradient_and_hessian(vector)
    np.testing.assert_allclose(gradient, p - [1 / 3, 0.0, 2 / 3], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(hessian, np.diag(p) - np.outer(p, p), rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize(
    ("function", "examples"),
    [(lambda x: relu(W * x), [(1.0,), (-1.0,)]), (lambda x: x * abs(W), [(1.0,)]), (lambda: abs(W), [()])],
)
def test_a_derivative_that_has_cases_is_replayed(function, examples):
    """Each example and each parameter has its own case."""
    problem = Problem("minimize", lambda *data: function(*data) ** 2, [W], examples)
    by_tape, by_example = ByTape(problem, with_hessian=True), ByExample(problem)
    for number in (0.5, -0.75, 0.0):
        found, expected = (way.gradient_and_hessian(np.array([number])) for way in (by_tape, by_example))
        assert [each.tolist() for each in found] == [each.tolist() for each in expected]


def test_a_rule_that_branches_has_no_list():
    clipped = define("clipped", lambda m, x: m.minimum(x, 1.0), [lambda m, r, x: 1.0 if x < 1.0 else 0.0])
    problem = Problem("minimize", lambda: clipped(W), [W], [()])
    ByTape(problem)
    with pytest.raises(NotAlikeError, match=r"branches on its operands, which a list cannot; write it with m\.where"):
        ByTape(problem, with_hessian=True)


# ---- the check: parameters are moved, twice

METHODS = {
    "Newton": (Newton, half_squared_error),
    "Gauss–Newton": (GaussNewton, residuals),
    "Levenberg–Marquardt": (LevenbergMarquardt, residuals),
    "natural gradient": (lambda parameters: NaturalGradient(parameters, "normal"), None),
}


@pytest.mark.parametrize("method", METHODS)
def test_a_parameter_read_as_a_number_is_found_out_by_every_method(method):
    """Its graph is right only for the parameters that it was recorded with: the loss must be the function's own."""
    make, loss = METHODS[method]
    w, b = Value(2.0), Value(0.5)

    def model(x):
        return w.data * x * b + w

    inputs, targets = [1.0, 2.0, 3.0], [1.0, -1.0, 2.0]
    function = model if loss is None else lambda x, t: loss(model(x), t)
    descent = make([w, b]).minimize(function, inputs, targets, steps=3, progress=False)
    true = np.mean([(model(x).data - t) ** 2 / 2 for x, t in zip(inputs, targets, strict=True)])
    assert descent.loss[-1] == pytest.approx(true, rel=1e-12)
    assert "another graph" in descent.eager


@pytest.mark.parametrize("number", [0.1, 0.0, -0.0, 1.0, -0.3, 1e-12, 1e10, 5e-324, 1e300])
def test_no_value_of_a_parameter_hides_that_it_is_read_as_a_number(number):
    slope = Value(number)
    model = (lambda x: slope * 0.0 + slope.data * x) if number else (lambda x: slope + slope.data * x)
    problem = Problem("fit", lambda output, target: output - target, [slope], rows([1.0, 2.0], [0.0, 0.0]), model)
    with pytest.raises(NotAlikeError, match=r"example [01] has another graph"):
        ByTape(problem)
    assert slope.data == number


def test_every_parameter_is_moved_twice():
    parameters, seen = [Value(number) for number in (0.1, 0.0, -2.0, 1e-8, 1e8, 1e-320)], set()

    def model(x):
        seen.add(tuple(vector_of(parameters).tolist()))
        return total([p * x for p in parameters])

    both(model, [squared_error], parameters, rows(NUMBERS, NUMBERS))
    assert len(seen) == 3
    for numbers in zip(*seen, strict=True):
        assert len(set(numbers)) == 3


def test_a_choice_that_shows_only_elsewhere_is_found_out():
    slope = Value(1.0)

    def model(x):
        return slope * x if slope.data == 1.0 else 2.0 * slope * x

    with pytest.raises(NotAlikeError, match="another graph"):
        both(model, [squared_error], [slope], rows(NUMBERS, NUMBERS))


@pytest.mark.parametrize(
    ("function", "number"),
    [(log, 0.01), (lambda w: log(-w), -0.01), (lambda w: log(1.0 - w), 0.999), (lambda w: log(w - 0.499), 0.5)],
)
def test_a_parameter_is_moved_less_far_where_the_function_ends(function, number):
    parameter = Value(number)
    ByTape(Problem("minimize", lambda: function(parameter), [parameter], [()]))
    assert parameter.data == number


def test_where_the_function_can_be_computed_for_these_parameters_only_there_is_no_tape():
    parameter = Value(0.5)
    with pytest.raises(NotAlikeError, match="no example can be computed with other parameters"):
        ByTape(Problem("minimize", lambda: log(-abs(parameter - 0.5) + 1e-300), [parameter], [()]))
    assert parameter.data == 0.5


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1.0, 1e6, 1e12])
def test_the_check_is_free_of_scale(scale):
    for is_read in (False, True):
        slope = Value(0.5)

        def function(x, t, slope=slope, is_read=is_read):
            return (slope * x + (slope.data * 1e-3 if is_read else 0.0) - t) * scale

        problem = Problem("minimize", function, [slope], rows([1.0, 2.0, 3.0], [2.0, -1.0, 0.5]))
        if is_read:
            with pytest.raises(NotAlikeError, match="another graph"):
                ByTape(problem)
        else:
            ByTape(problem)


# ---- what comes in and what goes out

Point = namedtuple("Point", "x y")


@dataclass
class Pair:
    x: float
    y: float


@pytest.mark.parametrize(
    "form",
    [
        Point,
        Pair,
        lambda x, y: {"x": x, "y": y},
        lambda x, y: (x, [y]),
        lambda x, y: deque([x, y]),
        lambda x, y: [x, y],
    ],
    ids=["named tuple", "dataclass", "dict", "nested", "deque", "list"],
)
def test_inputs_of_any_structure_keep_the_tape(form):
    slope, offset = Value(0.5), Value(-1.0)

    def model(point):
        [x, y], _ = structures.flatten(point)
        return slope * x + offset * y

    inputs = [form(float(i), i * 0.5 - 1.0) for i in range(5)]
    problem = Problem("fit", squared_error, [slope, offset], [(x, 1.0) for x in inputs], model)
    expected = ByExample(problem).sums_and_gradient(np.array([2.0, 3.0]), [0, 3, 4])
    sums, gradient = ByTape(problem).sums_and_gradient(np.array([2.0, 3.0]), [0, 3, 4])
    assert sums == pytest.approx(expected[0], rel=1e-13)
    assert gradient == pytest.approx(expected[1], rel=1e-13)
    assert inputs == [form(float(i), i * 0.5 - 1.0) for i in range(5)]


def test_a_value_among_the_inputs_is_no_number():
    """It may be a parameter, whose gradient would be lost if it became an input of the tape."""
    slope, embedding = Value(2.0), Value(3.0)
    history = fit(
        lambda x: slope * x[0] * x[1], [[embedding, 1.0]], [0.0], squared_error, SGD([embedding], 0.01),
        epochs=1, progress=False,
    )  # fmt: skip
    assert "the inputs are no numbers: expected a number, got a Value" in history.eager
    assert embedding.grad == 2 * (2.0 * 3.0) * 2.0


OUTPUTS = {
    "named tuple": lambda y: Line(y, P),
    "dict": lambda y: {"score": y, "slope": P},
    "OrderedDict": lambda y: OrderedDict(slope=P, score=y),
    "dataclass": lambda y: Pair(y, P),
    "nested": lambda y: {"scores": [(y, 2.0 * y)], "slope": (P,)},
    "array": lambda y: np.array([[y, P]]),
    "list": lambda y: [y, P],
    "tuple": lambda y: (y,),
    "Value": lambda y: y,
}


@pytest.mark.parametrize("kind", OUTPUTS)
def test_a_metric_gets_what_the_model_returns_with_and_without_a_tape(kind):
    """In the same structure, with the same numbers in it."""
    runs = []
    for tape in (None, False):
        seen = []

        def metric(output, target, seen=seen):
            leaves, form = structures.flatten(output, structures.number)
            seen.append((form, leaves))
            return leaves[0]

        options = {"model": lambda x: OUTPUTS[kind](P * x), "metric": metric, "validation": ([0.5], [1.0])}
        loss = lambda output, target: squared_error(total(structures.flatten(output)[0]), target)  # noqa: E731
        history, found = with_and_without(tape, loss=loss, **options)
        runs.append((history, found, seen))
    (taped, found, seen), (eager, expected, expected_seen) = runs
    assert taped.eager == ""
    assert [form for form, _ in seen] == [form for form, _ in expected_seen]
    for (_, leaves), (_, expected_leaves) in zip(seen, expected_seen, strict=True):
        assert leaves == pytest.approx(expected_leaves, rel=1e-12)
    assert taped.metric == pytest.approx(eager.metric, rel=1e-12)
    assert taped.validation_metric == pytest.approx(eager.validation_metric, rel=1e-12)
    assert found == pytest.approx(expected, rel=1e-12)


def test_an_output_that_is_no_structure_of_numbers_is_left_to_the_metric():
    history, _ = with_and_without(
        None, model=lambda x: {"name": "score", "score": P * x},
        loss=lambda output, target: squared_error(output["score"], target),
        metric=lambda output, target: len(output["name"]),
    )  # fmt: skip
    assert "expected a real number, got str: 'score'" in history.eager
    assert history.metric == [5.0] * 3


# ---- a function may change what it gets


def spoiling(x):
    """An example of each kind that can be changed in place, changed, and a number that all of it makes."""
    if isinstance(x, dict):
        x["a"] = x["a"] * 2.0
        return P * x.pop("a") * x["b"]
    if isinstance(x[0], list):
        x[0][0] = x[0][0] * 2.0
        x[0].append(1.0)
        return P * x[0][0] * x[1][0]
    x[0] = x[0] * 2.0
    return P * x[0] * x[1]


@pytest.mark.parametrize("tape", [None, True, False])
@pytest.mark.parametrize(
    "example", [lambda i: [i, 2.0], lambda i: {"a": i, "b": 2.0}, lambda i: [[i], [2.0]], lambda i: deque([i, 2.0])]
)
def test_a_model_that_changes_its_input_changes_no_example(example, tape):
    data, untouched = [example(float(i)) for i in range(4)], [example(float(i)) for i in range(4)]
    P.data = 0.5
    history = fit(
        spoiling, data, [1.0] * 4, squared_error, SGD([P], 0.001), epochs=3, batch_size=2, shuffle=False,
        validation=(data, [1.0] * 4), progress=False, tape=tape,
    )  # fmt: skip
    assert data == untouched
    slope, losses = 0.5, []
    for _ in range(3):
        errors = []
        for batch in ([0.0, 1.0], [2.0, 3.0]):
            found = [slope * 4.0 * i - 1.0 for i in batch]
            errors += found
            slope -= 0.001 * sum(2.0 * e * 4.0 * i for e, i in zip(found, batch, strict=True)) / 2
        losses.append(sum(e * e for e in errors) / 4)
    assert history.loss == pytest.approx(losses, rel=1e-12)
    assert evaluate(spoiling, data, [1.0] * 4, squared_error) == pytest.approx(history.validation_loss[-1:], rel=1e-12)
    assert data == untouched
    minimized = GaussNewton([P]).minimize(lambda x: spoiling(x) - 1.0, data, progress=False, tape=tape)
    assert data == untouched
    assert P.data == pytest.approx(6.0 / (4.0 * 14.0), rel=1e-9)
    assert minimized.converged


@pytest.mark.parametrize("tape", [None, True, False])
def test_a_loss_and_a_metric_that_change_the_target_change_no_example(tape):
    targets = [[1.0, 2.0] for _ in range(4)]

    def loss(output, target):
        target[0] = target[0] * 0.0
        return squared_error(output, target[0])

    def metric(output, target):
        return target.pop()

    options = {"inputs": NUMBERS[:4], "targets": targets, "loss": loss, "metric": metric}
    history, _ = with_and_without(tape, **options)
    assert targets == [[1.0, 2.0]] * 4
    assert history.metric == [2.0] * 3


# ---- several shapes


class Recurrent:
    """A recurrence over a sequence of any length, and a readout."""

    def __init__(self, outputs=1):
        random.seed(7)
        self.w, self.u = ([[Value(random.uniform(-0.5, 0.5)) for _ in range(n)] for _ in range(3)] for n in (3, 1))
        self.readout = [[Value(random.uniform(-1, 1)) for _ in range(3)] for _ in range(outputs)]

    def parameters(self):
        return [value for rows in (self.w, self.u, self.readout) for row in rows for value in row]

    def __call__(self, sequence):
        h = [0.1, 0.2, 0.3]
        for x in sequence:
            h = [tanh(dot([*row, *v], [*h, x])) for row, v in zip(self.w, self.u, strict=True)]
        outputs = [dot(row, h) for row in self.readout]
        return outputs[0] if len(outputs) == 1 else outputs


class Tree:
    """A recursive network: a tree is a number, or a triple of a number, a left and a right tree, or None for none."""

    def __init__(self):
        random.seed(8)
        self.w = [Value(random.uniform(-1, 1)) for _ in range(4)]

    def parameters(self):
        return self.w

    def __call__(self, tree):
        if tree is None:
            return self.w[3]
        if not isinstance(tree, (tuple, list)):
            return self.w[0] * tree
        if len(tree) == 1:
            return self(tree[0])
        number, left, right = tree
        return tanh(dot(self.w[:3], [number, self(left), self(right)]))


def sequences(count, lengths=(1, 4, 2, 7, 0), seed=0):
    draw = random.Random(seed)
    return [[draw.uniform(-1, 1) for _ in range(lengths[i % len(lengths)])] for i in range(count)]


TREES = [
    (0.5, 1.0, None), (0.1, (0.2, None, 0.4), None), 3.0, (0.5, None, 1.0), (-0.5, 2.0, None), 1.0, [None],
    (0.3, (0.1, 1.0, None), (0.1, None, None)), (0.3, (0.2, 1.0, None), (0.3, None, None)), [0.3, 0.1, 0.2], (1, 2, 3),
]  # fmt: skip
RAGGED = {
    "sequences": (Recurrent, squared_error, None, sequences(40), NUMBERS[:40]),
    "a class": (lambda: Recurrent(3), cross_entropy, correct_class, sequences(40), [i % 3 for i in range(40)]),
    "targets of their own": (Recurrent, lambda y, t: y * y - total(t), None, sequences(20), sequences(20, (2, 1, 0))),
    "trees": (Tree, squared_error, lambda y, t: y - t, TREES, NUMBERS[: len(TREES)]),
    "one example of each": (Recurrent, squared_error, None, sequences(6, range(6)), NUMBERS[:6]),
    "weights": (
        Recurrent, lambda y, t: squared_error(y, t[0], weight=t[1]), None, sequences(12),
        [(1.0, i / 4) for i in range(12)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("case", RAGGED)
def test_a_tape_for_each_shape_and_the_examples_one_by_one_agree(case, executor):
    make, loss, metric, inputs, targets = RAGGED[case]
    model, n = make(), len(inputs)
    examples = list(zip(inputs, targets, strict=True))
    problem = Problem("fit", loss, model.parameters(), examples, model, metric, [*examples[3:6], *examples[1:2]])
    one_by_one, by_tapes = ByExample(problem), ByTapes(problem, executor=executor)
    vector = vector_of(model.parameters()) * 1.5
    for batch in ([*range(n)], [2], [3, 3, n - 1, 0], [*range(n)][::-1]):
        sums, gradient = one_by_one.sums_and_gradient(vector, batch)
        sums_of_tapes, gradient_of_tapes = by_tapes.sums_and_gradient(vector, batch)
        assert sums_of_tapes == pytest.approx(sums, rel=1e-12)
        assert gradient_of_tapes == pytest.approx(gradient, rel=1e-12, abs=1e-15)
        again = by_tapes.sums_and_gradient(vector, batch)
        assert (again[0], again[1].tolist()) == (sums_of_tapes, gradient_of_tapes.tolist())
    assert by_tapes.means(vector) == pytest.approx(one_by_one.means(vector), rel=1e-12)
    assert by_tapes.depends_on_parameters([0, 1])


@pytest.mark.parametrize("with_hessian", [False, True])
def test_several_shapes_without_a_model(with_hessian):
    model = Recurrent()
    examples = list(zip(sequences(15), NUMBERS[:15], strict=True))

    def function(sequence, target):
        return (model(sequence) - target) ** 2

    problem = Problem("minimize", function, model.parameters(), examples)
    one_by_one, by_tapes = ByExample(problem), ByTapes(problem, with_hessian)
    vector = vector_of(model.parameters())
    assert by_tapes.outputs(vector) == pytest.approx(one_by_one.outputs(vector), rel=1e-13)
    assert by_tapes.jacobian(vector) == pytest.approx(one_by_one.jacobian(vector), rel=1e-11, abs=1e-14)
    if with_hessian:
        for mine, others in zip(
            by_tapes.gradient_and_hessian(vector), one_by_one.gradient_and_hessian(vector), strict=True
        ):
            assert mine == pytest.approx(others, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("method", [Newton, GaussNewton, LevenbergMarquardt])
def test_second_order_methods_have_a_tape_for_each_shape(method):
    inputs, truth = sequences(30, (1, 2, 3)), [0.7, -0.3]

    def run(tape):
        w = [Value(0.1), Value(0.2)]

        def function(x):
            h, t = 0.0, 0.0
            for number in x:
                h, t = tanh(w[0] * number + w[1] * h), tanh(truth[0] * number + truth[1] * t)
            return (h - t) ** 2 if method is Newton else h - t

        descent = method(w).minimize(function, inputs, progress=False, tape=tape)
        return descent, [value.data for value in w]

    (taped, found), (eager, expected) = run(None), run(False)
    assert (taped.eager, eager.eager) == ("", "tape=False")
    assert taped.converged
    assert found == pytest.approx(expected, rel=1e-6)
    assert taped.loss[:3] == pytest.approx(eager.loss[:3], rel=1e-9, abs=1e-20)


@pytest.mark.parametrize("method", [GaussNewton, LevenbergMarquardt])
@pytest.mark.parametrize("tape", [None, False])
def test_examples_of_several_shapes_that_differ_in_how_many_outputs_there_are(method, tape):
    w, inputs = Value(0.5), [[1.0], [2.0], [1.0, 2.0], [3.0]]

    def minimize(function):
        return method([w]).minimize(function, inputs, progress=False, tape=tape)

    message = (
        rf"^{method.__name__}.*: expected as many outputs for each example, got 1 for example 0 and 2 for example 2; "
        r"residuals may be filled up with 0\.0"
    )
    with pytest.raises(ValueError, match=message):
        minimize(lambda x: [w * number - 1.0 for number in x])
    assert w.data == 0.5
    minimize(lambda x: [w * number - 1.0 for number in x] + [0.0] * (2 - len(x)))  # as the error says
    assert w.data == pytest.approx(9.0 / 19.0, rel=1e-6)  # Σ x / Σ x²


def test_more_shapes_than_tapes_are_kept_for(monkeypatch):
    monkeypatch.setattr("nn.problem.MOST_SHAPES", 3)
    model = Recurrent()
    options = {"epochs": 1, "progress": False}
    for lengths, reason in (((1, 2, 3), ""), ((1, 2, 3, 4), "the examples have 4 shapes, and 3 at most have tapes")):
        inputs = sequences(12, lengths)
        history = fit(model, inputs, NUMBERS[:12], squared_error, SGD(model.parameters(), 0.01), **options)
        assert reason in history.eager
        assert bool(reason) == bool(history.eager)
    with pytest.raises(TypeError, match=r"fit: tape=True: .*the examples have 4 shapes, and 3 at most have tapes"):
        fit(model, inputs, NUMBERS[:12], squared_error, SGD(model.parameters(), 0.01), tape=True, **options)


@pytest.mark.parametrize("shape", range(5))
def test_one_shape_of_several_that_a_tape_does_not_see_is_found_out_and_named(shape):
    """Whichever it is: where its examples choose by a number, and where their graph is another elsewhere."""
    lengths = (1, 4, 2, 7, 0)
    inputs = sequences(40, lengths)

    def branching(sequence):
        if len(sequence) == lengths[shape] and P > 0:
            return P * 2.0
        return P * total([*sequence, 1.0])

    def reading(sequence):
        return P * total([*sequence, 1.0]) * (P.data if len(sequence) == lengths[shape] else 1.0)

    for model, reason in ((branching, "a comparison"), (reading, f"example {shape} has another graph")):
        P.data = 0.5
        history = fit(model, inputs, NUMBERS[:40], squared_error, SGD([P], 0.001), epochs=2, progress=False)
        assert reason in history.eager
        found, P.data = P.data, 0.5
        fit(model, inputs, NUMBERS[:40], squared_error, SGD([P], 0.001), epochs=2, progress=False, tape=False)
        assert P.data == found


def test_a_rare_example_of_a_shape_is_named_by_its_place_among_all():
    inputs = [[1.0], [1.0, 2.0], [3.0], [2.0, 2.0], [5.0, 7.0]]
    with pytest.raises(TypeError, match="example 4 has another graph"):
        fit(
            lambda x: P * {7.0: 0.0}.get(x[-1], x[0]), inputs, NUMBERS[:5], squared_error, SGD([P], 0.01),
            epochs=1, progress=False, tape=True,
        )  # fmt: skip


def test_a_validation_example_of_a_shape_that_no_other_example_has():
    model = Recurrent()
    parameters = model.parameters()
    validation = ([*sequences(3, (9, 4, 11)), [0.5] * 11], [1.0, 2.0, 3.0, 4.0])
    start = vector_of(parameters)

    def run(tape):
        for parameter, number in zip(parameters, start.tolist(), strict=True):
            parameter.data = number
        return fit(
            model, sequences(20), NUMBERS[:20], squared_error, Adam(parameters, 0.01), epochs=3, batch_size=6,
            validation=validation, metric=lambda y, t: y - t, progress=False, tape=tape,
        )  # fmt: skip

    taped, eager = run(True), run(False)
    for name in ("loss", "metric", "validation_loss", "validation_metric"):
        assert getattr(taped, name) == pytest.approx(getattr(eager, name), rel=1e-11)


def test_the_operation_that_met_a_wrong_number_is_named_whatever_the_shape():
    def run(tape):
        P.data = 0.5
        with pytest.raises(FloatingPointError) as caught:
            fit(
                lambda x: P * total(x) * 1e200 * total(x) * 1e200, [[1.0], [0.0, 0.0], [1e-300]], [0.0] * 3,
                lambda y, t: y, SGD([P], 0.01), epochs=1, progress=False, tape=tape,
            )  # fmt: skip
        return str(caught.value)

    assert run(True) == run(False)


def test_dropout_draws_the_same_for_several_shapes():
    random.seed(3)
    w, dropout = [Value(random.uniform(-1, 1)) for _ in range(8)], Dropout(0.4)

    def model(sequence):
        return dot(w[: len(sequence)], dropout(sequence)) if sequence else w[7] * 1.0

    start = vector_of(w).tolist()

    def run(tape):
        for parameter, number in zip(w, start, strict=True):
            parameter.data = number
        history = fit(
            model, sequences(30), NUMBERS[:30], squared_error, SGD(w, 0.02), epochs=3, batch_size=7,
            validation=(sequences(5, seed=1), NUMBERS[:5]), progress=False, tape=tape,
        )  # fmt: skip
        return history, vector_of(w)

    (taped, found), (eager, expected) = run(True), run(False)
    assert found == pytest.approx(expected, rel=1e-11)
    assert taped.loss == pytest.approx(eager.loss, rel=1e-11)
    assert taped.validation_loss == pytest.approx(eager.validation_loss, rel=1e-11)


def test_a_training_on_several_shapes_goes_on_to_the_bit():
    model = Recurrent()
    parameters, inputs = model.parameters(), sequences(30)
    start = vector_of(parameters).tolist()

    def run(*epochs):
        for parameter, number in zip(parameters, start, strict=True):
            parameter.data = number
        optimizer, history = Adam(parameters, 0.01), None
        for end in epochs:
            history = fit(
                model, inputs, NUMBERS[:30], squared_error, optimizer, epochs=end, batch_size=8, history=history,
                progress=False, tape=True,
            )  # fmt: skip
        return history.loss, vector_of(parameters).tolist()

    assert run(6) == run(2, 3, 6)


def test_an_index_of_a_sequence_that_the_table_has_not():
    embedding = Embedding(4, 1)
    with pytest.raises(ValueError, match=r"^fit: example 3: Embedding: index: expected .* from 0 to 3, got 4(\.0)?$"):
        fit(
            lambda word: total([embedding(letter)[0] for letter in word]), [[0], [1, 2], [3], [3, 4], [1, 1, 1]],
            [0.0] * 5, squared_error, SGD(embedding.parameters(), 0.1), epochs=1, progress=False,
        )  # fmt: skip


@pytest.mark.parametrize("tape", [None, False])
@pytest.mark.parametrize("method", [SGD, GaussNewton, LevenbergMarquardt])
@pytest.mark.parametrize("wrong", ["word", "class"])
def test_an_error_of_one_example_names_it(method, tape, wrong):
    """Whoever raises it, a lookup or a loss, and whether there is a tape or not."""
    embedding, words, classes = Embedding(4, 3), [0, 1, 2, 3], [0, 1, 2, 0]
    (words if wrong == "word" else classes)[3] = 4

    def run():
        if method is SGD:
            optimizer = SGD(embedding.parameters(), 0.1)
            fit(embedding, words, classes, cross_entropy, optimizer, epochs=1, progress=False, tape=tape)
        else:
            minimize = method(embedding.parameters()).minimize
            minimize(lambda x, t: cross_entropy(embedding(x), t), words, classes, progress=False, tape=tape)

    with pytest.raises((ValueError, IndexError), match=r"expected a .* 0 to .*, got 4") as caught:
        run()
    told = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    assert re.search(r"\bexample 3\b", told)


@pytest.mark.parametrize("tape", [None, False])
def test_an_error_of_one_example_of_the_validation_names_it(tape):
    embedding = Embedding(4, 3)
    options = {"epochs": 1, "progress": False, "tape": tape, "validation": ([0, 1, 3], [2, 0, 3])}
    with pytest.raises((ValueError, IndexError), match="example 2 of the validation"):
        fit(embedding, [0, 1], [0, 1], cross_entropy, SGD(embedding.parameters(), 0.1), **options)
    with pytest.raises(IndexError, match=r"example 1\."):
        evaluate(embedding, [0, 1], [0, 3], cross_entropy)


@pytest.mark.parametrize("odd", ["a", object(), Value(1.0), 10**400], ids=["text", "object", "Value", "large"])
def test_what_is_no_number_in_an_example_of_another_shape(odd):
    inputs = [[1.0], [1.0, 2.0], [1.0, 2.0, odd]]
    history = fit(lambda x: P * x[0], inputs, [0.0] * 3, squared_error, SGD([P], 0.01), epochs=1, progress=False)
    assert "numbers" in history.eager or "number" in history.eager


def test_an_index_that_is_computed_from_a_parameter_is_looked_up_example_by_example():
    table, place = [Value(2.0), Value(3.0)], Value(1.0)

    def model(x):
        return take(table, place * 1.0) * x

    history = fit(model, [1.0, 2.0], [0.0, 0.0], squared_error, SGD(table, 0.01), epochs=1, progress=False)
    assert "take: index: expected an input of the tape, or a number, got a Value that was computed" in history.eager
    assert table[0].data == 2.0 != table[1].data != 3.0
