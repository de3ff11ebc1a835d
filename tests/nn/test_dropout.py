"""Dropout leaves out what its source says, by example and by tape alike, and nothing where a model is only measured."""

from __future__ import annotations

import math
import random

import pytest

from autograd import RecordingError, Tape, Value, tanh
from nn import (
    MLP,
    SGD,
    Dropout,
    GaussNewton,
    Layer,
    LayerNorm,
    Module,
    Sequential,
    evaluate,
    fit,
    half_squared_error,
    residuals,
    squared_error,
)  # fmt: skip
from nn.datasets import moons
from nn.dropout import Generated, drawing

pytestmark = pytest.mark.both_engines


def numbers(model):
    return [parameter.data for parameter in model.parameters()]


def network(rate=0.4, seed=3):
    random.seed(seed)
    return Sequential(
        Layer(2, 6, activation=tanh), Dropout(rate), LayerNorm(6), Layer(6, 3, activation=tanh), Dropout(0.25),
        Layer(3, 1, nonlin=False),
    )  # fmt: skip


def trained(tape, seed=0, rate=0.4, **options):
    model, (inputs, targets) = network(rate), moons(40, seed=1)
    history = fit(
        model, inputs, targets, squared_error, SGD(model.parameters(), 0.05), epochs=3, batch_size=7, progress=False,
        tape=tape, seed=seed, **options,
    )  # fmt: skip
    return model, history


# ---- what it computes


def test_factors_are_0_at_the_rate_and_else_keep_the_mean():
    random.seed(0)
    outputs = Dropout(0.3)([2.0] * 100_000)
    assert set(outputs) == {0.0, 2.0 / 0.7}
    assert outputs.count(0.0) / len(outputs) == pytest.approx(0.3, abs=0.005)


def test_derivatives_are_the_factors():
    random.seed(1)
    x = [Value(1.0) for _ in range(20)]
    outputs = Dropout(0.5)(x)
    for output in outputs:
        output.backward()
    assert [v.grad for v in x] == [output.data for output in outputs]
    assert {v.grad for v in x} == {0.0, 2.0}


def test_a_single_value_goes_in_and_out_as_one():
    random.seed(1)
    assert {Dropout(0.5)(Value(3.0)).data for _ in range(20)} == {0.0, 6.0}


@pytest.mark.parametrize("rate", [-0.1, 1.0, math.nan, "0.5", None])
def test_a_rate_outside_of_0_to_1_is_refused(rate):
    with pytest.raises((TypeError, ValueError), match="Dropout: rate: expected"):
        Dropout(rate)


def test_a_batch_is_refused():
    with pytest.raises(TypeError, match="Dropout: expected a real number, got list"):
        Dropout()([[1.0, 2.0], [3.0, 4.0]])


# ---- modes


def test_modes_reach_every_module_wherever_it_is_held():
    class Net(Module):
        def __init__(self):
            self.parts = {"a": [Dropout(0.5)], "b": (MLP(1, [1]),)}
            self.itself = self

    net = Net()
    assert net.eval() is net
    assert [module.training for module in net.modules()] == [False] * len(list(net.modules()))
    assert net.parts["a"][0]([1.0, 2.0]) == [1.0, 2.0]
    net.train()
    assert all(module.training for module in net.modules())
    assert len(list(net.modules())) == 5  # Net, Dropout, MLP, Layer, Neuron


def test_measuring_leaves_nothing_out_and_evaluation_mode_changes_nothing_more():
    model, (inputs, targets) = network(), moons(10)
    by_evaluate = evaluate(model, inputs, targets, squared_error)
    model.eval()
    by_hand = sum(squared_error(model(x), t).data for x, t in zip(inputs.tolist(), targets.tolist(), strict=True)) / 10
    assert by_evaluate == [pytest.approx(by_hand, rel=1e-15)] == evaluate(model, inputs, targets, squared_error)


def test_fit_trains_in_training_mode_whatever_mode_it_finds():
    """Who predicts with model.eval() and goes on with fit would else train without Dropout, and not know."""
    model, twin, (inputs, targets) = network(), network(), moons(20)
    for one in (model.eval(), twin):
        fit(one, inputs, targets, squared_error, SGD(one.parameters(), 0.1), epochs=2, progress=False)
    assert numbers(model) == numbers(twin)
    assert (model.training, twin.training) == (False, True)


class Shifted(Module):
    """A module of one's own that asks for its mode."""

    def __init__(self):
        self.weight = Value(1.0)

    def __call__(self, x):
        return self.weight * x + (100.0 if self.training else 0.0)


@pytest.mark.parametrize("tape", [True, False])
def test_every_module_is_in_the_mode_of_what_is_done(tape):
    model = Shifted()
    history = fit(
        model, [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], squared_error, SGD([model.weight], 0.0), epochs=2, progress=False,
        tape=tape, validation=([1.0, 2.0], [1.0, 2.0]), metric=lambda output, target: float(output > 50.0),
    )  # fmt: skip
    assert history.loss == [1e4, 1e4]
    assert history.metric == [1.0, 1.0]
    assert history.validation_loss == [0.0, 0.0]
    assert evaluate(model, [1.0], [1.0], squared_error) == [0.0]
    assert model(1.0).data == 101.0
    assert model.eval()(1.0).data == 1.0


def test_a_mode_is_true_or_false():
    with pytest.raises(TypeError, match="train: mode: expected True or False, got 'no'"):
        Dropout().train("no")
    with pytest.raises(TypeError, match=r"Dropout\.training: expected True or False, got Value"):
        Dropout().training = Value(1.0)
    with pytest.raises(ValueError, match=r"rate: expected 0\.0 <= rate < 1\.0, got 1\.5"):
        Dropout().rate = 1.5


@pytest.mark.parametrize("x", [{1.0: 2.0}, {1.0, 2.0}])
def test_what_has_no_order_is_refused(x):
    with pytest.raises(TypeError, match=r"Dropout: expected a sequence of numbers, got (dict|set)"):
        Dropout()(x)


@pytest.mark.parametrize("tape", [True, False])
def test_a_metric_leaves_nothing_out(tape):
    """And so draws nothing, which the training would miss."""
    dropout = Dropout(0.5)
    _, expected = trained(tape)
    _, history = trained(tape, metric=lambda output, target: dropout([1.0])[0])
    assert (history.metric, history.loss) == ([1.0] * 3, expected.loss)


# ---- training


def test_by_tape_and_by_example_leave_out_the_same():
    (by_tape, history), (by_example, other) = trained(True), trained(False)
    assert history.loss == pytest.approx(other.loss, rel=1e-12)
    assert numbers(by_tape) == pytest.approx(numbers(by_example), rel=1e-10)
    assert trained(None)[1].eager == ""


@pytest.mark.parametrize("tape", [True, False])
def test_the_first_step_is_that_of_the_drawn_factors(tape):
    """The gradient of the batch, by hand, with factors drawn from the seed and the number of the epoch."""
    inputs, targets = moons(5, seed=2)
    model, twin = network(), network()
    fit(
        model, inputs, targets, squared_error, SGD(model.parameters(), 0.5), epochs=1, batch_size=5, progress=False,
        tape=tape, seed=4, shuffle=False,
    )  # fmt: skip
    source = Generated(4, 1)
    for x, t in zip(inputs.tolist(), targets.tolist(), strict=True):
        squared_error(drawing(source, twin, x), t).backward(1 / 5)
    expected = [p.data - 0.5 * p.grad for p in twin.parameters()]
    assert numbers(model) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("tape", [True, False])
def test_the_seed_decides_and_global_states_do_not(tape):
    random.seed(1)
    first = numbers(trained(tape, seed=5)[0])
    random.seed(2)
    assert numbers(trained(tape, seed=5)[0]) == first
    assert numbers(trained(tape, seed=6)[0]) != first


def test_global_random_states_are_left_alone():
    model, (inputs, targets) = network(), moons(20)
    before = random.getstate()
    fit(model, inputs, targets, squared_error, SGD(model.parameters(), 0.05), epochs=2, progress=False)
    assert random.getstate() == before


@pytest.mark.parametrize("tape", [True, False])
def test_validation_leaves_nothing_out(tape):
    held_out = moons(12, seed=9)
    model, history = trained(tape, validation=held_out)
    assert history.validation_loss[-1] == pytest.approx(evaluate(model, *held_out, squared_error)[0], rel=1e-13)


@pytest.mark.parametrize("tape", [True, False])
def test_dropout_is_found_in_any_function(tape):
    """No walk over a Module finds it: the model is a function."""
    weight, dropout = Value(1.0), Dropout(0.5)
    history = fit(
        lambda x: dropout(weight * x), [1.0] * 50, [0.0] * 50, half_squared_error, SGD([weight], 0.0), epochs=1,
        progress=False, tape=tape,
    )  # fmt: skip
    assert 0.5 < history.loss[0] < 1.5  # ½ (0 or 2)², where it would be ½ without
    assert not math.isclose(history.loss[0], 0.5)


def test_after_an_error_dropout_draws_by_itself_again():
    dropout, p = Dropout(0.5), Value(1.0)

    def model(x):
        dropout(x)
        raise RuntimeError("from within")

    with pytest.raises(RuntimeError, match="from within"):
        fit(lambda x: model(p * x), [1.0], [1.0], squared_error, SGD([p], 0.1), epochs=1, progress=False, tape=False)
    random.seed(0)
    assert set(dropout([1.0] * 50)) == {0.0, 2.0}


def test_second_order_methods_leave_nothing_out():
    p, dropout = Value(0.0), Dropout(0.5)
    for tape in (True, False):
        p.data = 0.0
        descent = GaussNewton([p]).minimize(
            lambda x, t: residuals(dropout(p * x), t), [1.0, 2.0], [3.0, 6.0], progress=False, tape=tape
        )
        assert descent.converged
        assert p.data == pytest.approx(3.0)


def test_another_number_of_factors_is_another_graph():
    p, dropout = Value(1.0), Dropout(0.5)

    def model(x):
        return sum(dropout([p * x] * (2 if x < 3.0 else 3)), Value(0.0))

    history = fit(model, [1.0, 2.0, 3.0, 4.0], [0.0] * 4, squared_error, SGD([p], 0.01), epochs=1, progress=False)
    assert history.eager


def test_a_recording_of_ones_own_refuses_what_it_would_repeat():
    model = Sequential(Layer(2, 3), Dropout(0.5), Layer(3, 1, nonlin=False))
    with pytest.raises(RecordingError, match=r"Dropout draws at random.*model\.eval\(\)"):
        Tape.record(model, [[1.0, 2.0]])
    assert Tape.record(model.eval(), [[1.0, 2.0]]).forward([[1.0, 2.0]]) == [model([1.0, 2.0]).data]
