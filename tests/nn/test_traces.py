"""Eligibility traces are the formula of TD(λ), on a whole episode, and an error leaves them as they were."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy
import pytest

from autograd import Tape, Value, dot, sigmoid
from nn import EligibilityTraces, Layer, Module, Sequential
from nn.initial import uniform

pytestmark = pytest.mark.both_engines

EPISODE = numpy.random.default_rng(1).uniform(-1.0, 1.0, (12, 5))
REWARDS = [*numpy.random.default_rng(2).uniform(-1.0, 1.0, 11), 1.0]


def predictor() -> Module:
    model = Sequential(Layer(5, 4, activation=sigmoid), Layer(4, 1, activation=sigmoid))
    uniform(model.parameters(), -1.0, 1.0, seed=1)
    return model


def traces_of(model: Module, learning_rate: float = 0.5, decay: float = 0.63) -> EligibilityTraces:
    return EligibilityTraces(Tape.record(model, [[0.0] * 5]), learning_rate, decay)


def gradient_of(model: Module, state: numpy.ndarray) -> tuple[float, numpy.ndarray]:
    """The prediction and its gradient, by backward()."""
    model.zero_grad()
    prediction = model(state.tolist())
    prediction.backward()
    return prediction.data, numpy.array([parameter.grad for parameter in model.parameters()])


def numbers(model: Module) -> list[float]:
    return [parameter.data for parameter in model.parameters()]


def table(width: int, learning_rate: float, decay: float) -> tuple[list[Value], EligibilityTraces]:
    """A prediction for each of some places, by itself."""
    cells, place = [Value(0.1 * i) for i in range(width)], [Value(0.0) for _ in range(width)]
    return cells, EligibilityTraces(Tape(dot(cells, place), inputs=place), learning_rate, decay)


# ---- The formula


def test_on_a_whole_episode_they_are_sums_over_all_gradients_so_far():
    discount, decay, rate = 0.9, 0.63, 0.5
    model, same = predictor(), predictor()
    traces = traces_of(model, rate, decay)
    traces.start()
    gradients: list[numpy.ndarray] = []  # each with the weights of its time
    for t, (state, reward) in enumerate(zip(EPISODE, REWARDS, strict=True)):
        prediction, gradient = gradient_of(same, state)
        gradients.append(gradient)
        trace = numpy.sum([decay ** (t - k) * gradient for k, gradient in enumerate(gradients)], axis=0)
        assert traces.visit(state) == pytest.approx(prediction, rel=1e-12)
        assert traces.trace == pytest.approx(trace, rel=1e-12, abs=1e-15)

        next_value, step = 0.0, traces.finish
        if t < len(EPISODE) - 1:
            next_value, step = same(EPISODE[t + 1].tolist()).data, traces.learn
            assert traces.values([EPISODE[t + 1]]) == pytest.approx([next_value], rel=1e-12)
        error = reward + discount * next_value - prediction
        assert step(reward + discount * next_value) == pytest.approx(error, rel=1e-10)
        for parameter, e in zip(same.parameters(), trace.tolist(), strict=True):
            parameter.data += rate * error * e
    assert numbers(model) == pytest.approx(numbers(same), rel=1e-12)


def test_without_decay_only_the_next_prediction_counts():
    model = predictor()
    traces = traces_of(model, decay=0.0)
    for state in EPISODE[:3]:
        traces.start()
        traces.visit(EPISODE[4])
        traces.visit(state)
        assert traces.trace == pytest.approx(gradient_of(model, state)[1], rel=1e-13)
        traces.finish(0.5)


def test_with_decay_1_every_place_learns_from_the_end():
    """Sutton 1988: TD(1) is the rule of Widrow and Hoff, with the outcome as the target of all predictions."""
    cells, traces = table(5, learning_rate=0.25, decay=1.0)
    before = [cell.data for cell in cells]
    places, outcome = numpy.eye(5)[[3, 0, 4, 1]], 2.0  # the place 2 is not visited
    traces.start()
    for place, following in pairwise(places):
        traces.visit(place)
        traces.learn(traces.values([following])[0])
    traces.visit(places[-1])
    traces.finish(outcome)
    expected = [v if i == 2 else v + 0.25 * (outcome - v) for i, v in enumerate(before)]
    assert [cell.data for cell in cells] == pytest.approx(expected, rel=1e-15)


def test_a_place_that_is_visited_again_has_both_gradients_in_its_trace():
    _, traces = table(2, learning_rate=0.1, decay=0.5)
    traces.start()
    for _ in range(3):
        traces.visit([1.0, 0.0])
    assert traces.trace.tolist() == [1.75, 0.0]


def test_before_an_episode_nothing_has_left_a_trace():
    assert table(2, learning_rate=0.5, decay=0.5)[1].trace.tolist() == [0.0, 0.0]


def test_an_episode_begins_with_the_parameters_as_they_are_and_no_trace():
    cells, traces = table(2, learning_rate=0.5, decay=0.5)
    traces.start()
    traces.visit([1.0, 0.0])
    cells[0].data = 7.0
    traces.start()
    assert traces.trace.tolist() == [0.0, 0.0]
    assert traces.visit([1.0, 0.0]) == 7.0


def test_an_episode_that_comes_to_no_end_leaves_the_parameters_as_they_were():
    cells, traces = table(2, learning_rate=0.5, decay=0.5)
    for finish in (False, True):
        traces.start()
        traces.visit([1.0, 0.0])
        traces.learn(2.0)
        assert traces.values(numpy.eye(2)).tolist() == [1.0, 0.1]  # it knows
        assert [cell.data for cell in cells] == [0.0, 0.1]
        if finish:
            traces.visit([1.0, 0.0])
            traces.finish(1.0)
    assert [cell.data for cell in cells] == [1.0, 0.1]


def test_what_is_only_evaluated_is_not_visited():
    model = predictor()
    traces = traces_of(model)
    traces.start()
    traces.visit(EPISODE[0])
    trace = traces.trace
    assert traces.values(EPISODE) == pytest.approx([model(state).data for state in EPISODE.tolist()], rel=1e-14)
    assert traces.trace is trace


def test_rate_and_decay_can_be_assigned():
    cells, traces = table(2, learning_rate=0.5, decay=0.5)
    traces.start()
    traces.visit([1.0, 0.0])
    traces.decay, traces.learning_rate = 0.25, 2.0
    traces.visit([0.0, 1.0])
    traces.finish(1.1)
    assert [cell.data for cell in cells] == pytest.approx([0.0 + 2.0 * 0.25, 0.1 + 2.0])
    assert repr(traces) == (
        f"EligibilityTraces(<Tape of 1 instruction, 2 inputs, 2 parameters, 1 output, by {traces.tape.executor}: "
        ".forward(batch), .backward(), .listing()>, learning_rate=2, decay=0.25)"
    )


# ---- Errors


def test_they_are_of_a_tape_of_one_value_with_parameters():
    x = Value(1.0)
    with pytest.raises(TypeError, match=r"expected a Tape, such as Tape.record\(model, \[state\]\), got 3"):
        EligibilityTraces(3, 0.1, 0.5)  # type: ignore[arg-type]
    for outputs in ([Value(2.0) * x], [Value(2.0) * x, Value(3.0) * x]):
        with pytest.raises(ValueError, match="tape: expected one of a Value, the prediction, got <Tape"):
            EligibilityTraces(Tape(outputs, inputs=[x]), 0.1, 0.5)
    with pytest.raises(ValueError, match="EligibilityTraces: expected at least one parameter, got none"):
        EligibilityTraces(Tape(2.0 * x, inputs=[x]), 0.1, 0.5)


@pytest.mark.parametrize("decay", [-0.1, 1.1, math.nan, math.inf, "0.5", None, True])
def test_a_decay_is_from_0_to_1(decay):
    _, traces = table(2, 0.1, 0.5)
    with pytest.raises(ValueError, match="decay: expected a"):
        traces.decay = decay
    assert traces.decay == 0.5
    with pytest.raises(ValueError, match="decay: expected a"):
        table(2, 0.1, decay)


@pytest.mark.parametrize("rate", [-0.1, math.inf, math.nan])
def test_a_rate_is_at_least_0(rate):
    with pytest.raises(ValueError, match=r"learning_rate: expected 0\.0 <= learning_rate < inf"):
        table(2, rate, 0.5)


def test_an_episode_is_started_and_a_state_visited_before_anything_is_learned():
    cells, traces = table(2, 0.1, 0.5)

    def refused_outside_of_an_episode():
        for call, argument in {
            traces.visit: [1.0, 0.0], traces.learn: 1.0, traces.finish: 1.0, traces.values: [[1.0, 0.0]],
        }.items():  # fmt: skip
            with pytest.raises(RuntimeError, match=r"expected start\(\) before an episode"):
                call(argument)

    def refused_without_a_visit():
        for call in (traces.learn, traces.finish):
            with pytest.raises(RuntimeError, match=r"expected visit\(state\) before"):
                call(1.0)

    refused_outside_of_an_episode()
    traces.start()
    refused_without_a_visit()
    traces.visit([1.0, 0.0])
    traces.learn(1.0)
    refused_without_a_visit()
    traces.visit([0.0, 1.0])
    traces.finish(0.1)
    refused_outside_of_an_episode()
    assert [cell.data for cell in cells] == [0.1, 0.1]


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        ([1.0], ValueError, r"state: expected 2 numbers in one sequence, got \[1.0\]"),
        (1.0, ValueError, r"state: expected 2 numbers in one sequence, got 1.0"),
        (numpy.ones(3), ValueError, r"state: expected 2 numbers in one sequence, got array"),
        ([[1.0, 0.0]], ValueError, r"state: expected 2 numbers in one sequence, got \[\[1.0, 0.0\]\]"),
        (None, ValueError, r"state: expected 2 numbers in one sequence, got None"),
        (["a", "b"], TypeError, "expected real numbers"),
        ([1.0, math.nan], FloatingPointError, "the prediction is nan"),
    ],
)
def test_what_is_no_state_is_refused(state, error, message):
    _, traces = table(2, 0.1, 0.5)
    traces.start()
    with pytest.raises(error, match=message):
        traces.visit(state)
    assert traces.trace.tolist() == [0.0, 0.0]
    with pytest.raises(RuntimeError, match=r"expected visit\(state\) before"):
        traces.learn(1.0)


@pytest.mark.parametrize("target", [math.nan, math.inf, "1", None])
def test_a_target_is_a_finite_number(target):
    cells, traces = table(2, 0.1, 0.5)
    traces.start()
    traces.visit([1.0, 0.0])
    for call in (traces.learn, traces.finish):
        with pytest.raises(ValueError, match="target: expected a finite number"):
            call(target)
    assert [cell.data for cell in cells] == [0.0, 0.1]
    assert traces.finish(1.0) == 1.0  # it is still to learn


def test_a_step_that_leads_beyond_all_numbers_is_not_taken():
    cells, traces = table(2, 1e300, 0.5)
    traces.start()
    traces.visit([1e10, 0.0])
    for call in (traces.learn, traces.finish):
        with pytest.raises(FloatingPointError, match="a parameter would not be finite; lower the learning rate"):
            call(1.0)
    assert [cell.data for cell in cells] == [0.0, 0.1]
    traces.learning_rate = 1e-10
    traces.finish(1.0)
    assert [cell.data for cell in cells] == [1.0, 0.1]


def test_a_prediction_that_is_no_number_is_not_visited():
    cells, traces = table(2, 0.1, 0.5)
    cells[0].data = 1e300
    traces.start()
    traces.visit([1.0, 0.0])
    trace = traces.trace
    with pytest.raises(FloatingPointError, match="the prediction is inf"):
        traces.visit([1e300, 0.0])
    assert traces.trace is trace
    assert traces.learn(1e300) == 0.0  # that of the visit before
