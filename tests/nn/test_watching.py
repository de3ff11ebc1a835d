"""Watching takes a twentieth of a training's time at most, and changes nothing: neither its numbers nor its end."""

from __future__ import annotations

import copy
import json
import pickle
import random
import sys
import types

import numpy
import pytest

from autograd import Value, scatter, tanh
from nn import (
    MLP,
    SGD,
    Adam,
    Dropout,
    Layer,
    Module,
    Sequential,
    binary_cross_entropy,
    correct_sign,
    fit,
    load_checkpoint,
    save_checkpoint,
    squared_error,
    watching,
)
from nn.film import Film
from nn.watching import SENDING, SHARE, SHORTEST, Live, Pace, Watcher, share_of

POINTS = [[random.Random(k).uniform(-1, 1), random.Random(-k - 1).uniform(-1, 1)] for k in range(24)]
TARGETS = [int(x * x + y * y < 0.6) for x, y in POINTS]


class Recorded:
    """A screen that keeps what it is shown; its parts may raise."""

    def __init__(self, film, history, epochs=0, error=None, at=0):
        self.shown, self.left, self.error, self.at = [], [], error, at
        self.parts = Live.parts_of(film, history) | {"own": (self.own, 0.0)}

    def own(self, epoch, means, vector):
        if self.error and epoch >= self.at:
            raise self.error
        return epoch, list(means), vector.copy()

    def show(self, name, picture):
        self.shown.append((name, picture))

    def leave(self, picture):
        self.left.append(picture)


@pytest.fixture
def screens(monkeypatch):
    """The screens that trainings get; at each step all is shown."""
    made, options = [], {}
    monkeypatch.setattr(watching, "SHORTEST", 1e-9)
    monkeypatch.setattr(watching, "SHARE", 1e9)
    monkeypatch.setattr(watching, "COPY", 0.0)

    def screen(film, history, epochs):
        made.append(Recorded(film, history, epochs, **options))
        return made[-1]

    monkeypatch.setattr(watching, "screen", screen)
    return types.SimpleNamespace(made=made, options=options)


def trained(model, watch, epochs=4, **options):
    settings = {"metric": correct_sign, "validation": (POINTS[:8], TARGETS[:8]), "progress": False, "batch_size": 7}
    optimizer = Adam(model.parameters(), 0.05)
    return fit(
        model, POINTS[8:], TARGETS[8:], options.pop("loss", binary_cross_entropy), optimizer,
        epochs=epochs, watch=watch, **settings | options,
    )  # fmt: skip


# ---- How often


class Clock:
    """Tells the time when asked, and takes a little itself; pictures take what they take."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1e-6
        return self.now


@pytest.mark.parametrize("cost", [0.0, 0.0002, 0.003, 0.05, 2.0], ids="{} s".format)
def test_pictures_take_a_twentieth_of_the_time_at_most_and_are_ten_a_second_at_most(cost):
    clock, times, in_pictures = Clock(), {"quick": [], "slow": []}, []
    costs = {"quick": cost / 10, "slow": cost}

    def part(name):
        def picture(epoch, means, vector):
            times[name].append(clock.now)
            in_pictures.append(costs[name] * random.Random(len(in_pictures)).uniform(0.5, 1.5))
            clock.now += in_pictures[-1]
            return "picture"

        return picture

    film = Film(None, [Value(0.0)], [([0.0, 0.0], 0)], ["loss"])
    screen = types.SimpleNamespace(parts={name: (part(name), 0.0) for name in costs}, show=lambda *_: None)
    watcher, in_training = Watcher(film, None, screen, clock), 0.0
    for step in range(200_000):
        watcher.step(step / 100, [1.0], 1, numpy.zeros(1))
        clock.now += 0.001
        in_training += 0.001
    assert sum(in_pictures) <= 0.05 * in_training
    for name, shown in times.items():
        assert len(shown) > 1
        gaps = numpy.diff(shown)
        assert gaps.min() >= 0.1
        if cost >= 0.05:  # and hardly fewer than may be
            assert gaps.max() < (1.6 * costs[name] + SENDING) * len(costs) / SHARE + SHORTEST + 0.01


def paces_of(*costs):
    paces = [Pace(None) for _ in costs]
    for pace, cost in zip(paces, costs, strict=True):
        pace.cost = cost
    return paces


def test_a_part_waits_for_its_share():
    [pace] = paces_of(2.0)
    pace.plan(10.0, [pace])
    assert pace.next == pytest.approx(10.0 + 2.0 * (1 / SHARE - 1))
    pace.cost = 0.001
    pace.plan(10.0, [pace])
    assert pace.next == 10.0 + SHORTEST


def test_what_is_expected_to_be_dear_is_put_off():
    clock, shown = Clock(), []
    film = Film(None, [Value(0.0)], [([0.0, 0.0], 0)], ["loss"])
    parts = {"cheap": (lambda *_: 1, 0.0), "dear": (lambda *_: 2, 0.5)}
    screen = types.SimpleNamespace(parts=parts, show=lambda name, _: shown.append((name, clock.now)))
    watcher = Watcher(film, None, screen, clock)
    for step in range(20_000):
        watcher.step(float(step), [1.0], 1, numpy.zeros(1))
        clock.now += 0.001
    first = {name: min(at for shown_name, at in shown if shown_name == name) for name in parts}
    assert first["cheap"] < 0.001
    assert first["dear"] > 0.5 * (1 / SHARE - 1)


@pytest.mark.parametrize("costs", [(1.0,), (0.001, 1.0), (1.0, 0.001, 0.0), (1.0, 2.0, 3.0)])
def test_what_cheap_parts_leave_the_dearer_ones_may_use(costs):
    paces = paces_of(*costs)
    shares = [share_of(pace, paces) for pace in paces]
    assert sum(shares) <= SHARE * (1 + 1e-12)
    for cost, share in zip(costs, shares, strict=True):
        assert share == pytest.approx(cost / (cost + SHORTEST)) or share >= SHARE / len(costs) * (1 - 1e-12)
    if max(costs) >= 1.0:  # which could be shown without end
        assert sum(shares) == pytest.approx(SHARE)


# ---- Nothing changes


class Counts(Module):
    """Each call changes it, as a module with running means is changed; and it draws."""

    def __init__(self):
        self.layer, self.calls = Layer(2, 1, nonlin=False), 0

    def __call__(self, x):
        self.calls += 1
        return self.layer(x) + 0.01 * self.calls * random.random() + 0.001 * numpy.random.rand()  # noqa: NPY002


def choosing():
    hidden, out = Layer(2, 4, activation=tanh), Layer(4, 1, nonlin=False)

    class Model(Module):
        def __init__(self):
            self.hidden, self.out = hidden, out

        def __call__(self, x):
            y = self.out(self.hidden(x))
            return y if y > 0.0 else 0.5 * y

    return Model()


MODELS = {
    "tape": lambda: MLP(2, [5, 1]),
    "each example's graph": choosing,
    "dropout": lambda: Sequential(Layer(2, 8), Dropout(0.5), Layer(8, 1, nonlin=False)),
    "state and chance": Counts,
}


def everything(model, history):
    grads = [(p.data, p.grad) for p in model.parameters()]
    return grads, history, getattr(model, "calls", 0), random.getstate(), str(numpy.random.get_state())  # noqa: NPY002


@pytest.mark.both_engines
@pytest.mark.parametrize("patience", [None, 1])
@pytest.mark.parametrize("kind", MODELS)
def test_a_watched_training_comes_to_the_same_numbers_to_the_bit(screens, kind, patience):
    ends = []
    for watch in (False, True):
        random.seed(0)
        numpy.random.seed(0)  # noqa: NPY002
        model = MODELS[kind]()
        history = trained(model, watch, epochs=2, patience=patience)
        ends.append(everything(model, history))
        assert (history.film is not None) is watch
    assert ends[0] == ends[1]
    [screen] = screens.made
    assert {name for name, _ in screen.shown} >= {"curves", "boundary", "own"}
    assert len(screen.left) == 1


def test_each_step_can_be_shown_with_the_means_so_far(screens):
    random.seed(0)
    history = trained(MLP(2, [3, 1]), watch=True, epochs=2)
    own = [picture for name, picture in screens.made[0].shown if name == "own"]
    assert [epoch for epoch, _, _ in own] == pytest.approx([0.0, 7 / 16, 14 / 16, 1.0, 23 / 16, 30 / 16, 2.0])
    assert own[0][1] == []
    assert [means for epoch, means, _ in own if epoch in (1.0, 2.0)] == [
        [loss, metric] for loss, metric in zip(history.loss, history.metric, strict=True)
    ]
    assert [snapshot.parameters.tolist() for snapshot in history.film.snapshots] == [v.tolist() for _, _, v in own]


# ---- What goes wrong


def test_an_error_in_a_part_ends_that_part_and_is_told(screens, capsys):
    random.seed(0)
    screens.options.update(error=RuntimeError("no ink"), at=1.0)
    history = trained(MLP(2, [3, 1]), watch=True)
    [screen] = screens.made
    assert len(history.loss) == 4
    assert [name for name, _ in screen.shown].count("own") == 3
    assert [name for name, _ in screen.shown].count("curves") == 13
    assert capsys.readouterr().err == "fit: watch: own: RuntimeError: no ink (the training is not touched)\n"


def test_a_screen_that_fails_ends_nothing(screens, monkeypatch, capsys):
    def fails(*_):
        raise OSError("the notebook is closed")

    monkeypatch.setattr(Recorded, "show", fails)
    monkeypatch.setattr(Recorded, "leave", fails)
    random.seed(0)
    assert len(trained(MLP(2, [3, 1]), watch=True).loss) == 4
    assert capsys.readouterr().err.count("the notebook is closed") == 5  # four parts, and the figure


def test_an_interrupt_while_a_picture_is_made_ends_the_training_as_any_does(screens):
    random.seed(0)
    screens.options.update(error=KeyboardInterrupt(), at=1.4)
    model = MLP(2, [3, 1])
    history = trained(model, watch=True)
    assert (history.interrupted, len(history.loss)) == (True, 1)
    assert [p.data for p in model.parameters()] == history.film.snapshots[-1].parameters.tolist()
    assert history.film.snapshots[-1].epoch == 23 / 16
    assert len(screens.made[0].left) == 1


def test_an_interrupt_while_the_last_figure_is_made_loses_nothing(screens, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(watching, "Ending", interrupted)
    random.seed(0)
    history = trained(MLP(2, [3, 1]), watch=True)
    assert (history.interrupted, len(history.loss)) == (False, 4)
    assert screens.made[0].left == [history]


def test_a_training_that_fails_leaves_its_figure_too(screens):
    model = MLP(2, [3, 1])
    with pytest.raises(FloatingPointError):
        trained(model, watch=True, loss=lambda y, t: (y * 1e200) ** 2 * 1e200)
    assert len(screens.made[0].left) == 1


def test_without_matplotlib_the_history_is_left(screens, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    random.seed(0)
    history = trained(MLP(2, [3, 1]), watch=True)
    assert screens.made[0].left == [history]
    assert "pip install matplotlib" in capsys.readouterr().err


def test_watch_is_a_flag():
    with pytest.raises(TypeError, match="fit: watch: expected True or False, got 'yes'"):
        trained(MLP(2, [1]), watch="yes")


# ---- The film's life


def test_who_goes_on_with_a_watched_training_has_all_of_it(screens):
    random.seed(0)
    model = MLP(2, [3, 1])
    first = trained(model, watch=True, epochs=2)
    moments = [snapshot.epoch for snapshot in first.film.snapshots]
    second = trained(model, watch=True, epochs=3, history=first)
    assert [snapshot.epoch for snapshot in second.film.snapshots][: len(moments)] == moments
    assert second.film.snapshots[-1].epoch == 3.0
    assert (numpy.diff([snapshot.epoch for snapshot in second.film.snapshots]) > 0).all()
    assert [snapshot.epoch for snapshot in first.film.snapshots] == moments
    assert trained(model, watch=False, epochs=4, history=second).film is None


def test_copies_pickles_and_checkpoints_have_no_film(screens, tmp_path):
    random.seed(0)
    model = MLP(2, [3, 1])
    history = trained(model, watch=True)
    optimizer = SGD(model.parameters(), 0.1)
    save_checkpoint(tmp_path / "training.json", model, optimizer, history)
    loaded = load_checkpoint(tmp_path / "training.json", model, optimizer)
    for twin in (copy.copy(history), copy.deepcopy(history), pickle.loads(pickle.dumps(history)), loaded):
        assert twin == history
        assert twin.film is None


# ---- Where


def test_in_a_script_there_is_no_screen_and_the_film_is_kept(capsys):
    random.seed(0)
    history = trained(MLP(2, [3, 1]), watch=True, progress=True)
    assert capsys.readouterr().err.rstrip("\n").split("\r")[-1].startswith("4/4 |")
    assert len(history.film.snapshots) == 13


@pytest.fixture
def notebook(monkeypatch):
    """A kernel, as far as it matters: what is displayed, and with what it is replaced."""
    shown = []

    class Handle:
        def update(self, picture):
            shown.append(picture)

    def display(picture, display_id):
        assert display_id is True
        shown.append(picture)
        return Handle()

    ipython = pytest.importorskip("IPython", reason="IPython is not installed: pip install ipykernel")
    monkeypatch.setattr(ipython, "get_ipython", lambda: types.SimpleNamespace(kernel=object()))
    monkeypatch.setattr(ipython.display, "display", display)
    return shown


def test_a_training_in_a_notebook_without_anywidget(notebook, monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    watching.widget_class.cache_clear()
    random.seed(0)
    trained(MLP(2, [3, 1]), watch=True)
    assert "pip install anywidget" in repr(notebook[0])
    _, first, last = notebook
    assert len(first.axes) == 3
    assert last._repr_mimebundle_().keys() == {"text/html", "image/png", "text/plain"}


def test_a_widget_shows_the_parts_and_a_figure_takes_its_place(notebook, monkeypatch):
    pytest.importorskip("anywidget", reason='anywidget is not installed: pip install ".[live]"')
    random.seed(0)
    history = trained(MLP(2, [3, 1]), watch=True)
    widget, picture = notebook
    shown = json.loads(widget.curves)
    assert [curve["name"] for curve in shown["curves"]] == ["loss", "correct_sign"]
    assert json.loads(widget.boundary)["classes"] is None
    assert widget.setting["epochs"] == len(history.loss)
    assert "export default" in widget._esm
    assert widget.comm is None  # it is closed
    assert picture._repr_mimebundle_()["text/html"].count("<img ") == 2  # the figure, and the network


def test_where_nothing_can_be_displayed_the_training_goes_on(notebook, monkeypatch, capsys):
    monkeypatch.delattr("IPython.display.display")
    random.seed(0)
    assert len(trained(MLP(2, [3, 1]), watch=True).loss) == 4
    assert "fit: watch: there is no view: " in capsys.readouterr().err


def test_other_trainings_can_be_watched_too(screens):
    slope = Value(0.0)
    history = fit(
        lambda x: slope * x,
        [1.0, 2.0],
        [2.0, 4.0],
        squared_error,
        SGD([slope], 0.1),
        epochs=3,
        watch=True,
        progress=False,
    )
    assert {name for name, _ in screens.made[0].shown} == {"curves", "own"}
    scatter(history.film.snapshots[0].parameters, [slope], "data")
    assert slope.data == 0.0
