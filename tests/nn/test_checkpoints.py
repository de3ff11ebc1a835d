"""A training that was stopped, saved and gone on with in another process is the one that never stopped, to the bit."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from autograd import Value, tanh
from nn import (
    MLP,
    SGD,
    Adam,
    AdamW,
    Dropout,
    History,
    Layer,
    Optimizer,
    ParameterGroups,
    RMSProp,
    Sequential,
    checkpoints,
    correct_sign,
    fit,
    hinge,
    load_checkpoint,
    save_checkpoint,
    squared_error,
)
from nn.datasets import moons
from nn.schedules import CosineDecay, Warmup

pytestmark = pytest.mark.both_engines


class Heavy(Optimizer):
    """A method of one's own, which keeps numbers in attributes of several kinds."""

    def __init__(self, parameters, learning_rate):
        super().__init__(parameters, learning_rate)
        self.moments = {"first": 0.0, "flags": [True, None, "a"]}
        self.velocity = None

    def update(self, parameters, gradient):
        self.moments = {**self.moments, "first": self.moments["first"] * 0.9 + float(gradient.sum())}
        self.velocity = gradient if self.velocity is None else 0.5 * self.velocity + gradient
        return parameters - self.learning_rate * (self.velocity + 1e-3 * self.moments["first"])


def groups(model):
    first, *others = model.layers
    rest = [parameter for layer in others if hasattr(layer, "parameters") for parameter in layer.parameters()]
    return ParameterGroups(
        SGD(first.parameters(), CosineDecay(0.1, 30), momentum=0.9), Adam(rest, 0.01, clip_value=0.1), clip_norm=1.0
    )


METHODS = {
    "SGD": lambda m: SGD(m.parameters(), 0.05),
    "SGD, nesterov": lambda m: SGD(m.parameters(), 0.05, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "SGD, schedule": lambda m: SGD(m.parameters(), Warmup(7, CosineDecay(0.1, 20)), momentum=0.5, clip_norm=0.5),
    "RMSProp": lambda m: RMSProp(m.parameters(), 0.01),
    "Adam": lambda m: Adam(m.parameters(), 0.02, clip_value=0.05),
    "Adam, amsgrad": lambda m: Adam(m.parameters(), 0.02, amsgrad=True),
    "AdamW": lambda m: AdamW(m.parameters(), 0.02),
    "groups": groups,
    "a method of one's own": lambda m: Heavy(m.parameters(), 0.01),
}
EPOCHS = 6


def started(method, seed=1):
    random.seed(seed)
    model = Sequential(Layer(2, 4, activation=tanh), Dropout(0.3), Layer(4, 1, nonlin=False))
    return model, METHODS[method](model)


def train(model, optimizer, epochs, **options):
    inputs, targets = moons(30, seed=4)
    return fit(
        model, inputs, 2 * targets - 1, hinge, optimizer, epochs=epochs, batch_size=7, seed=3, progress=False,
        validation=(inputs[:9], 2 * targets[:9] - 1), metric=correct_sign, **options,
    )  # fmt: skip


def numbers(model):
    return [parameter.data for parameter in model.parameters()]


def report(model, optimizer, history):
    """All that a training has come to, in full digits."""
    state = json.dumps(optimizer.state_dict(), sort_keys=True)
    return repr((numbers(model), state, history.loss, history.metric, history.validation_loss, history.best_parameters))


@pytest.mark.parametrize("tape", [True, False])
@pytest.mark.parametrize("method", METHODS)
def test_going_on_is_never_having_stopped(tmp_path, method, tape):
    model, optimizer = started(method)
    whole = report(model, optimizer, train(model, optimizer, EPOCHS, tape=tape))

    path = tmp_path / "training.json"
    model, optimizer = started(method)
    save_checkpoint(path, model, optimizer, train(model, optimizer, 2, tape=tape))
    model, optimizer = started(method, seed=99)
    history = load_checkpoint(path, model, optimizer)
    random.seed(123)  # global states do not matter
    assert report(model, optimizer, train(model, optimizer, EPOCHS, tape=tape, history=history)) == whole
    assert len(history.loss) == 2  # what was given is as it was


@pytest.mark.slow
def test_going_on_in_another_process(tmp_path):
    expected = {}
    for method in METHODS:
        model, optimizer = started(method)
        expected[method] = report(model, optimizer, train(model, optimizer, EPOCHS))
        model, optimizer = started(method)
        save_checkpoint(tmp_path / f"{method}.json", model, optimizer, train(model, optimizer, 3))
    program = (
        "import sys; sys.path[:0] = [sys.argv[1], sys.argv[2]]\n"
        "from test_checkpoints import *\n"
        "for method in METHODS:\n"
        "    model, optimizer = started(method, seed=8)\n"
        "    history = load_checkpoint(Path(sys.argv[3]) / f'{method}.json', model, optimizer)\n"
        "    print(method, report(model, optimizer, train(model, optimizer, EPOCHS, history=history)), sep='\\t')\n"
    )
    here = Path(__file__).parent
    result = subprocess.run(
        [sys.executable, "-c", program, str(here), str(here.parents[1]), str(tmp_path)],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": "7"},
    )  # fmt: skip
    assert dict(line.split("\t") for line in result.stdout.splitlines()) == expected


def test_a_callback_saves_what_patience_does_not_keep(tmp_path):
    path = tmp_path / "training.json"
    model, optimizer = started("Adam")
    whole = report(model, optimizer, train(model, optimizer, EPOCHS, patience=20))

    def save(history):
        save_checkpoint(path, model, optimizer, history)
        return len(history.loss) == 3

    model, optimizer = started("Adam")
    train(model, optimizer, EPOCHS, patience=20, callback=save)
    model, optimizer = started("Adam", seed=5)
    history = load_checkpoint(path, model, optimizer)
    assert report(model, optimizer, train(model, optimizer, EPOCHS, patience=20, history=history)) == whole


@pytest.mark.parametrize("patience", [1, 2, 20])
def test_going_on_after_patience_goes_on_from_the_last_epoch(tmp_path, patience):
    """The model is left with the best parameters; the history has the last ones."""
    model, optimizer = started("Adam")
    inputs, targets = moons(30, seed=4)
    options = {"batch_size": 7, "progress": False, "validation": (inputs[:5], 1 - targets[:5])}  # which it unlearns

    def go_on(epochs, **more):
        return fit(model, inputs, targets, squared_error, optimizer, epochs=epochs, **options, **more)

    whole = report(model, optimizer, go_on(8))
    model, optimizer = started("Adam")
    history = go_on(4, patience=patience)
    assert numbers(model) == history.best_parameters != history.last_parameters
    save_checkpoint(tmp_path / "training.json", model, optimizer, history)
    model, optimizer = started("Adam", seed=7)
    history = load_checkpoint(tmp_path / "training.json", model, optimizer)
    assert report(model, optimizer, go_on(8, history=history)) == whole


def test_parameters_that_only_the_optimizer_has_are_not_lost_in_silence(tmp_path):
    model, _ = started("Adam")
    temperature = Value(1.0)
    optimizer = SGD([*model.parameters(), temperature], 0.1)
    with pytest.raises(ValueError, match="save_checkpoint: 1 of the optimizer's parameters are none of the model's"):
        save_checkpoint(tmp_path / "a.json", model, optimizer)
    with pytest.raises(ValueError, match="save_checkpoint: 18 of the optimizer's parameters are none of the model's"):
        save_checkpoint(tmp_path / "a.json", MLP(2, [1]), optimizer)
    save_checkpoint(tmp_path / "a.json", [*model.parameters(), temperature], optimizer)
    with pytest.raises(TypeError, match=r"load_checkpoint: expected an Optimizer, such as SGD\(parameters\), got None"):
        load_checkpoint(tmp_path / "a.json", model, None)


def test_saving_only_reads(tmp_path):
    class Watched(MLP):
        def load_state_dict(self, state):
            raise AssertionError("saving must not write")

    model = Watched(2, [2])
    optimizer = SGD(model.parameters(), 0.1)
    model.save(tmp_path / "a.json")
    save_checkpoint(tmp_path / "b.json", model, optimizer)


def test_a_model_that_is_no_module_is_kept_by_its_parameters(tmp_path):
    p, q = Value(1.0), Value(2.0)
    optimizer = SGD([p, q], 0.1, momentum=0.5)
    history = fit(lambda x: p * x + q, [1.0, 2.0], [1.0, 0.0], squared_error, optimizer, epochs=2, progress=False)
    save_checkpoint(tmp_path / "line.json", [p, q], optimizer, history)
    kept = p.data, q.data, optimizer.state_dict()
    p.data = q.data = 0.0
    other = SGD([p, q], 0.7, momentum=0.1)
    assert load_checkpoint(tmp_path / "line.json", [p, q], other) == history
    assert (p.data, q.data, other.state_dict()) == kept


def test_a_history_with_nan_comes_back(tmp_path):
    p = Value(1.0)
    history = History(loss=[math.inf, 1.0], validation_loss=[math.nan, 2.0], best_parameters=[1.0], eager="tape=False")
    save_checkpoint(tmp_path / "a.json", [p], SGD([p], 0.1), history)
    assert repr(vars(load_checkpoint(tmp_path / "a.json", [p], SGD([p], 0.1)))) == repr(vars(history))


def test_a_checkpoint_from_before_histories_said_why_they_ended_can_be_loaded(tmp_path, monkeypatch):
    p = Value(1.0)
    history = History(loss=[1.0], best_parameters=[1.0])
    monkeypatch.setattr(checkpoints, "asdict", lambda kept: {n: x for n, x in vars(kept).items() if n != "stopped"})
    save_checkpoint(tmp_path / "a.json", [p], SGD([p], 0.1), history)
    assert "stopped" not in (tmp_path / "a.json").read_text(encoding="utf-8")
    assert load_checkpoint(tmp_path / "a.json", [p], SGD([p], 0.1)) == history


# ---- bad files and bad arguments change nothing


def unchanged(model, optimizer, path):
    before = numbers(model), optimizer.state_dict()
    with pytest.raises(ValueError, match="cannot load") as error:
        load_checkpoint(path, model, optimizer)
    assert (numbers(model), optimizer.state_dict()) == before
    return str(error.value)


@pytest.fixture
def saved(tmp_path):
    model, optimizer = started("Adam")
    save_checkpoint(tmp_path / "training.json", model, optimizer, History())
    return tmp_path / "training.json"


def test_a_checkpoint_of_another_model_or_optimizer_changes_nothing(saved):
    model, _ = started("Adam", seed=2)
    other = MLP(2, [4, 1])
    assert "the state is of another model" in unchanged(other, Adam(other.parameters()), saved)
    assert "expected the state of SGD, got that of 'Adam'" in unchanged(model, SGD(model.parameters()), saved)
    last = Adam(model.layers[-1].parameters())
    assert r"Adam.mean: expected numbers of shape (5,)" in unchanged(model, last, saved)


def test_a_failed_load_says_the_reason_also_where_the_model_has_nan(saved):
    model, _ = started("Adam", seed=2)
    model.parameters()[0].data = math.nan
    before = repr(numbers(model))
    with pytest.raises(ValueError, match="expected the state of SGD, got that of 'Adam'"):
        load_checkpoint(saved, model, SGD(model.parameters()))
    assert repr(numbers(model)) == before
    load_checkpoint(saved, model, Adam(model.parameters()))


def test_a_damaged_checkpoint_changes_nothing(saved):
    model, optimizer = started("Adam", seed=2)
    content = saved.read_text()
    for damaged in ("", content[:-20], content.replace('"steps": 0', '"steps": 1'), "[]"):
        saved.write_text(damaged)
        unchanged(model, optimizer, saved)
    model.save(saved)
    assert 'expected an object with "format": "scalar-autograd checkpoint"' in unchanged(model, optimizer, saved)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"mean": [None] * 17}, r"Adam.mean: expected numbers of shape (17,), got [None, None,"),
        ({"parameters": 5}, "Adam: expected what state_dict() returned, got 'parameters' among it"),
        ({"step": "x"}, "Adam: expected what state_dict() returned, got 'step' among it"),
        ({"learning_rate": 10**400}, "learning_rate: expected 0.0 <= learning_rate < inf, got a number beyond"),
    ],
)
def test_a_damaged_state_of_the_optimizer_changes_nothing(saved, monkeypatch, damage, message):
    model, optimizer = started("Adam", seed=2)
    damaged = optimizer.state_dict() | damage
    with monkeypatch.context() as context:
        context.setattr(Adam, "state_dict", lambda self: damaged)
        save_checkpoint(saved, model, optimizer)
    assert message in unchanged(model, optimizer, saved)


def test_what_cannot_be_saved_is_refused_and_an_older_file_stays(saved):
    model, optimizer = started("Adam")
    before = saved.read_bytes()
    model.parameters()[0].data = math.nan
    with pytest.raises(ValueError, match="expected a finite number, got nan"):
        save_checkpoint(saved, model, optimizer)
    model, optimizer = started("Adam")
    optimizer.callback = print
    with pytest.raises(TypeError, match=r"Adam\.callback: expected numbers, strings, arrays.*define state_dict"):
        save_checkpoint(saved, model, optimizer)
    with pytest.raises(TypeError, match=r"save_checkpoint: expected an Optimizer, such as SGD\(parameters\), got 0\.1"):
        save_checkpoint(saved, model, 0.1)
    with pytest.raises(TypeError, match="save_checkpoint: expected a History"):
        save_checkpoint(saved, model, SGD(model.parameters()), [1.0])
    with pytest.raises(TypeError, match="save_checkpoint: expected a Module, or the parameters of a model"):
        save_checkpoint(saved, print, SGD(model.parameters()))
    assert saved.read_bytes() == before
