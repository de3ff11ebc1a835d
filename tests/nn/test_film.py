"""A film keeps a bounded number of moments, evenly spaced, and looks at the model without touching it."""

from __future__ import annotations

import math
import random
import re

import numpy
import pytest

from autograd import Value, draw, gather, tanh
from nn import MLP, Dropout, Layer, Module, Sequential, half_squared_error, hinge, squared_error
from nn import film as films
from nn.film import RESOLUTION, Film, plane_of, twin

PAIRS = [([0.0, 1.0], 0), ([1.0, 0.5], 1), ([-1.0, 2.0], 1)]


def vector_of(parameters):
    vector = numpy.empty(len(parameters))
    gather(parameters, "data", vector)
    return vector


def film_of(model, parameters, examples=PAIRS):
    return Film(model, parameters, list(examples), ["loss"])


# ---- Moments


@pytest.mark.parametrize("steps", [1, 2, 59, 60, 61, 62, 119, 121, 1000, 4097])
def test_moments_are_evenly_spaced_few_and_begin_and_end_with_the_training(steps):
    film = film_of(None, [Value(0.0)])
    for step in range(steps):
        film.note(float(step), numpy.array([float(step)]))
    film.end(steps - 1.0, numpy.array([steps - 1.0]))
    epochs = [snapshot.epoch for snapshot in film.snapshots]
    assert epochs == [snapshot.parameters[0] for snapshot in film.snapshots]
    assert (epochs[0], epochs[-1]) == (0.0, steps - 1.0)
    assert min(steps, films.MOST_SNAPSHOTS // 2) <= len(epochs) <= films.MOST_SNAPSHOTS + 1
    gaps = numpy.diff(epochs)
    assert (gaps[:-1] == film.stride).all()
    assert (gaps[-1:] <= film.stride).all()


@pytest.mark.parametrize("parts", [[1, 1], [3, 60], [62, 1], [62, 2, 1], [63, 120], [100, 1, 77, 500]], ids=str)
def test_a_training_that_is_gone_on_with_leaves_the_film_of_one(parts):
    whole, part, step = film_of(None, [Value(0.0)]), None, 0.0
    whole.note(0.0, numpy.array([0.0]))
    for steps in parts:
        part = Film(None, [Value(0.0)], list(PAIRS), ["loss"], part)
        part.note(step, numpy.array([step]))
        for _ in range(steps):
            step += 1.0
            for film in (whole, part):
                film.note(step, numpy.array([step]))
        part.end(step, numpy.array([step]))
    whole.end(step, numpy.array([step]))
    assert part.snapshots == whole.snapshots


def test_a_large_model_has_fewer_moments(monkeypatch):
    monkeypatch.setattr(films, "MOST_BYTES", 8 * 10 * 7)
    film = film_of(None, [Value(0.0) for _ in range(10)])
    for step in range(1000):
        film.note(float(step), numpy.zeros(10))
        assert sum(snapshot.parameters.nbytes for snapshot in film.snapshots) <= films.MOST_BYTES
    assert len(film.snapshots) > 3


def test_what_is_kept_does_not_change_with_the_parameters():
    film, vector = film_of(None, [Value(0.0)]), numpy.array([1.0])
    film.note(0.0, vector)
    vector[0] = 2.0
    assert film.snapshots[0].parameters.tolist() == [1.0]


# ---- The plane


@pytest.mark.parametrize(
    ("targets", "classes"),
    [([0, 1, 1], [0, 1, 1]), ([-1, 1, -1.0], [-1, 1, -1]), ([[0, 0, 1], [1, 0, 0], [0, 1, 0]], [2, 0, 1])],
    ids=["classes", "signs", "one number per class"],
)
def test_the_plane_has_the_examples_and_their_classes(targets, classes):
    plane = plane_of([(input, target) for (input, _), target in zip(PAIRS, targets, strict=True)])
    assert plane.points.tolist() == [input for input, _ in PAIRS]
    assert plane.classes.tolist() == classes
    assert plane.xs[0] < -1.0
    assert plane.xs[-1] > 1.0
    assert len(plane.inputs) == RESOLUTION**2


@pytest.mark.parametrize(
    "examples",
    [
        [([0.0, 1.0, 2.0], 0)],
        [(1.0, 0)],
        [([0.0, 1.0], 0.5)],
        [([0.0, math.nan], 0)],
        [([0.0, 1.0], math.inf)],
        [(["a", "b"], 0)],
        [([0.0, 1.0], "a")],
        [([[0.0], [1.0]], 0), ([[0.0], 1.0], 1)],
        [([[0.0, 1.0], 1.0], 0)],
        [([0.0, 1.0], 0), ([0.0], 1)],
        [([None, 1.0], 0)],
        [([0.0, 1.0], [0, 1]), ([0.0, 1.0], 1)],
        [([0.0, 10**400], 1)],
        [([0.0, 1e308], 1), ([0.0, -1e308], 1)],
    ],
)
def test_other_examples_have_no_plane(examples):
    assert plane_of(examples) is None
    assert Film(None, [Value(0.0)], examples, ["loss"]).scores(numpy.zeros(1)) is None


def test_of_many_examples_some_are_shown():
    plane = plane_of([([float(k), 0.0], k % 2) for k in range(10_000)])
    assert len(plane.points) == films.MOST_POINTS
    assert (plane.points[0, 0], plane.points[-1, 0]) == (0.0, 9999.0)
    assert plane.xs[-1] > 9999.0


def chooses(model):
    """Another graph in a part of the plane: no tape can stand for it."""
    return lambda x: model(x) if x[0] > 0.3 else model([0.5 * x[0], x[1]])


@pytest.mark.both_engines
@pytest.mark.parametrize("kind", ["module", "closure", "choice", "method"])
def test_the_scores_are_the_models_with_the_parameters_of_then(kind):
    random.seed(0)
    model = MLP(2, [4, 3])
    parameters = model.parameters()
    asked = {"module": model, "closure": lambda x: model(x), "choice": chooses(model), "method": model.__call__}[kind]
    film, now = film_of(asked, parameters), vector_of(parameters)
    for vector in (now, 2.0 * now, now):
        scores = film.scores(vector)
        for parameter, number in zip(parameters, vector.tolist(), strict=True):
            parameter.data = number
        for k in (0, 57, RESOLUTION**2 - 1):
            [input] = film.plane.inputs[k]
            assert scores[k] == pytest.approx([logit.data for logit in asked(input)], rel=1e-12)


@pytest.mark.parametrize("model", [lambda x: x[0] * math.inf, lambda x: tanh(x[0]) / 0.0], ids=["infinite", "raises"])
def test_what_is_not_finite_is_not_shown(model):
    assert film_of(model, [Value(0.0)]).scores(numpy.zeros(1)) is None


def test_targets_that_are_no_classes_of_the_model_are_not_shown():
    model = MLP(2, [2])
    assert film_of(model, model.parameters(), [([0.0, 1.0], 2)]).scores(vector_of(model.parameters())) is None


def test_other_errors_of_the_model_are_raised():
    def model(_):
        raise LookupError("no such word")

    with pytest.raises(LookupError, match="no such word"):
        film_of(model, [Value(0.0)]).scores(numpy.zeros(1))


# ---- Nothing is touched


class Counts(Module):
    """A module that changes at each call, as one with running means does, and draws random numbers."""

    def __init__(self, draws):
        self.layer, self.calls, self.draws = Layer(2, 1, nonlin=False), 0, draws

    def __call__(self, x):
        self.calls += 1
        noise = random.random() + numpy.random.rand() if self.draws else 0.0  # noqa: NPY002
        return self.layer(x) + self.calls + noise


@pytest.mark.both_engines
@pytest.mark.parametrize("draws", [True, False])
def test_looking_changes_neither_the_model_nor_its_gradients_nor_the_random_states(draws):
    model = Counts(draws)
    parameters = model.parameters()
    for k, parameter in enumerate(parameters):
        parameter.grad = float(k)
    before = [p.data for p in parameters], random.getstate(), str(numpy.random.get_state())  # noqa: NPY002
    film = film_of(model, parameters)
    assert film.scores(numpy.ones(len(parameters))) is not None
    film.network(numpy.ones(len(parameters)))
    assert model.calls == 0
    assert before == ([p.data for p in parameters], random.getstate(), str(numpy.random.get_state()))  # noqa: NPY002
    assert [p.grad for p in parameters] == [float(k) for k in range(len(parameters))]


def test_nothing_is_left_out_where_there_is_dropout():
    random.seed(0)
    model = Sequential(Layer(2, 8), Dropout(0.5), Layer(8, 1, nonlin=False))
    scores = film_of(model, model.parameters()).scores(vector_of(model.parameters()))
    model.eval()
    [input] = film_of(model, model.parameters()).plane.inputs[7]
    assert scores[7, 0] == pytest.approx(model(input).data, rel=1e-12)


def test_the_network_is_drawn_whole_where_there_is_dropout():
    random.seed(0)
    model = Sequential(Layer(2, 8), Dropout(0.5), Layer(8, 1, nonlin=False))
    vector = vector_of(model.parameters())
    picture = film_of(model, model.parameters()).network(vector)
    model.eval()
    assert picture == film_of(model, model.parameters()).network(vector)


def test_a_model_that_cannot_be_copied_is_looked_at_itself():
    class Uncopied(Module):
        def __init__(self):
            self.layer = Layer(2, 1, nonlin=False)

        def __call__(self, x):
            return self.layer(x)

        def __deepcopy__(self, memo):
            raise TypeError("no copies")

    model = Uncopied()
    parameters, now = model.parameters(), vector_of(model.parameters())
    assert twin(model, parameters) == (model, parameters)
    assert film_of(model, parameters).scores(2.0 * now) is not None
    assert vector_of(parameters).tolist() == now.tolist()


def test_a_parameter_outside_of_the_model_stays_itself():
    model, temperature = Layer(2, 1), Value(2.0)
    copied, parameters = twin(model, [*model.parameters(), temperature])
    assert parameters[-1] is temperature
    assert parameters[:-1] == copied.parameters()
    assert parameters[0] is not model.parameters()[0]


# ---- The network


@pytest.mark.both_engines
def test_the_networks_picture_is_that_with_the_parameters_of_then():
    random.seed(0)
    model = MLP(2, [3, 1])
    parameters, now = model.parameters(), vector_of(model.parameters())
    film = film_of(model, parameters)
    pictures = [film.network(factor * now) for factor in (1.0, -1.0, 1.0)]
    assert pictures[0] == pictures[2] != pictures[1]
    assert pictures[0] == re.sub("<title>[^<]*</title>", "", draw(model).svg)
    assert vector_of(parameters).tolist() == now.tolist()


def test_where_the_weights_do_not_tell_what_a_model_takes_an_example_does():
    class Doubles(Module):
        def __init__(self):
            self.rate = Value(0.5)

        def __call__(self, x):
            return self.rate * x[0] + self.rate * x[1]

    model = Doubles()
    with pytest.raises(ValueError, match="inputs"):
        draw(model)
    assert film_of(model, model.parameters()).network(numpy.ones(1)).startswith("<svg")


def test_what_is_no_network_has_no_picture():
    weight = Value(1.0)
    assert film_of(lambda x: weight * x[0], [weight]).network(numpy.ones(1)) is None


@pytest.mark.parametrize(("loss", "boundary"), [(squared_error, 0.5), (half_squared_error, 0.5), (hinge, 0.0)])
def test_a_single_output_that_learns_the_targets_has_its_boundary_midway(loss, boundary):
    neuron = Layer(2, 1, nonlin=False)
    film = Film(neuron, neuron.parameters(), PAIRS, ["loss"], loss=loss)
    scores = film.scores(vector_of(neuron.parameters()))[:, 0]
    outputs = [neuron([x, y]).data for y in film.plane.ys.tolist() for x in film.plane.xs.tolist()]
    assert scores == pytest.approx([output - boundary for output in outputs], abs=1e-12)
