"""Plots: what is drawn is the data, and nothing but the figure is touched."""

from __future__ import annotations

import math
import os
import random
import re
import subprocess
import sys
from fractions import Fraction
from io import BytesIO
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import imread

from autograd import Value
from nn import Dropout, Layer, Sequential
from nn.plots import (
    COLOURS,
    attention,
    confusion_matrix,
    decision_boundary,
    dendrogram,
    error_surface,
    feature_maps,
    hinton_diagram,
    loss_curve,
    loss_curves,
    panels,
    plot_epochs,
    receptive_fields,
    seed_curves,
    trajectories,
)
from nn.training import History

SVG = "{http://www.w3.org/2000/svg}"
POINTS = np.array([[0.0, 0.0], [2.0, 1.0], [1.0, 3.0], [-1.0, 2.0]])


def contours(ax, filled):
    return [drawn for drawn in ax.collections if drawn.filled == filled]


# ---- the loss curve


def test_loss_curve_is_the_history():
    ax = loss_curve(History(loss=[3.0, 1.0, 0.5], validation_loss=[2.0, 1.5, 1.75])).axes[0]
    training, validation = ax.lines
    assert list(training.get_xdata()) == list(validation.get_xdata()) == [1, 2, 3]
    assert list(training.get_ydata()) == [3.0, 1.0, 0.5]
    assert list(validation.get_ydata()) == [2.0, 1.5, 1.75]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "mean loss")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["training", "validation"]
    assert all(tick == round(tick) for tick in ax.get_xticks())


def test_loss_curve_without_validation():
    ax = loss_curve(History(loss=[3.0])).axes[0]
    assert [list(line.get_ydata()) for line in ax.lines] == [[3.0]]
    assert ax.get_legend() is None


def test_no_epochs_no_curve():
    with pytest.raises(ValueError, match="loss_curve: the history has no epochs"):
        loss_curve(History(interrupted=True))


# ---- the decision boundary


def test_the_boundary_of_a_linear_score_is_its_line():
    a, b, c = Value(2.0), Value(-1.0), Value(0.5)
    targets = np.array([1, 1, 0, 0])
    ax = decision_boundary(lambda x: a * x[0] + b * x[1] + c, POINTS, targets).axes[0]
    for boundary in contours(ax, filled=False):
        x, y = np.concatenate([path.vertices for path in boundary.get_paths()]).T
        assert 2 * x - y + 0.5 == pytest.approx(np.zeros(len(x)), abs=1e-9)
        assert len(x) > 10
    lower, higher = contours(ax, filled=True)
    assert [to_hex(region.get_facecolor()[0]).upper() for region in (lower, higher)] == COLOURS[:2]
    (below,), (above,) = lower.get_paths(), higher.get_paths()
    for x, y in [(-1.0, 0.0), (0.0, 3.0), (2.0, 0.0), (1.0, 1.0)]:
        assert (below.contains_point((x, y)), above.contains_point((x, y))) == (2 * x - y < -0.5, 2 * x - y > -0.5)


@pytest.mark.parametrize("targets", [[0, 1, 1, 0], [-1, 1, 1, -1]])
def test_the_examples_are_drawn_with_the_colour_of_their_class(targets):
    ax = decision_boundary(lambda x: x[0] - 0.5, POINTS, targets, resolution=5).axes[0]
    lower, higher = ax.lines
    assert lower.get_xydata().tolist() == [[0.0, 0.0], [-1.0, 2.0]]
    assert higher.get_xydata().tolist() == [[2.0, 1.0], [1.0, 3.0]]
    assert [line.get_color() for line in (lower, higher)] == COLOURS[:2]
    assert lower.get_marker() != higher.get_marker()
    assert [line.get_label() for line in (lower, higher)] == [f"class {targets[0]}", f"class {targets[1]}"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x₁", "x₂")


def test_every_example_is_in_the_frame():
    ax = decision_boundary(lambda x: x[0], POINTS, [0, 1, 1, 0], resolution=5).axes[0]
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert (left, right) == pytest.approx((-1.3, 2.3))
    assert (bottom, top) == pytest.approx((-0.3, 3.3))


def test_of_several_logits_the_largest_wins():
    ax = decision_boundary(lambda x: [x[0], Value(x[1]), 1.0], POINTS, [2, 0, 1, 1], resolution=40).axes[0]
    regions = contours(ax, filled=True)
    assert [to_hex(region.get_facecolor()[0]).upper() for region in regions] == COLOURS[:3]
    for x, y in [(2.0, 1.5), (2.0, 0.0), (1.0, 3.0), (-1.0, 2.0), (0.5, 0.0), (-1.0, 0.9)]:
        inside = [any(path.contains_point((x, y)) for path in region.get_paths()) for region in regions]
        assert inside == [k == np.argmax([x, y, 1.0]) for k in range(3)]
    assert [line.get_xydata().tolist() for line in ax.lines] == [[[2, 1]], [[1, 3], [-1, 2]], [[0, 0]]]


def test_a_model_that_always_says_the_same_has_no_boundary():
    ax = decision_boundary(lambda x: -1.0, POINTS, [0, 1, 1, 0], resolution=5).axes[0]
    assert len(contours(ax, filled=True)) == 1
    assert contours(ax, filled=False) == []


def test_the_model_is_asked_for_floats_and_nothing_is_recorded():
    p, outputs, inputs = Value(1.0), [], []

    def model(x):
        inputs.append(x)
        outputs.append(p * x[0])
        return outputs[-1]

    decision_boundary(model, POINTS, [0, 1, 1, 0], resolution=7)
    assert len(outputs) == 49
    assert {output.parents for output in outputs} == {()}
    assert {type(number) for x in inputs for number in x} == {float}


def with_dropout():
    random.seed(0)
    return Sequential(Layer(2, 6), Dropout(0.5), Layer(6, 1, nonlin=False))


def test_the_boundary_is_that_of_the_whole_model_and_nothing_is_drawn_at_random():
    model, asked = with_dropout(), []

    def score(x):
        asked.append((x, model(x)))
        return asked[-1][1]

    before = random.getstate()
    decision_boundary(score, POINTS, [0, 1, 1, 0], resolution=5)
    assert (random.getstate(), model.training) == (before, True)
    model.eval()
    assert [output.data for _, output in asked] == [model(x).data for x, _ in asked]


def test_the_error_is_that_of_the_whole_model_and_nothing_is_drawn_at_random():
    model, asked = with_dropout(), []
    weights = model.layers[0].neurons[0].weights

    def error(w1, w2):
        weights[0].data, weights[1].data = w1, w2
        asked.append((w1, w2, model([1.0, 2.0]).data))
        return asked[-1][2]

    before = random.getstate()
    error_surface(error, (0, 1), (0, 1), paths={"down": DESCENT}, resolution=4)
    assert (random.getstate(), model.training) == (before, True)
    model.eval()
    assert [output for *_, output in [*asked]] == [error(w1, w2) for w1, w2, _ in [*asked]]


@pytest.mark.parametrize(
    ("inputs", "targets"), [(POINTS.T, [0, 1]), (POINTS, [0, 1]), (POINTS[:, 0], [0, 1, 1, 0]), (POINTS[:0], [])]
)
def test_what_has_no_plane(inputs, targets):
    expected = r"(inputs: expected finite numbers of shape \(n, 2\)|expected 4 targets, one for each input), got"
    with pytest.raises(ValueError, match=f"decision_boundary: {expected}"):
        decision_boundary(lambda x: x[0], inputs, targets)


# ---- several trainings


def test_loss_curves_are_the_losses():
    ax = loss_curves({"slow": [3.0, 2.0, 1.5], "fast": History(loss=[3.0, 0.1])}).axes[0]
    slow, fast = ax.lines
    assert (list(slow.get_xdata()), list(slow.get_ydata())) == ([1, 2, 3], [3.0, 2.0, 1.5])
    assert (list(fast.get_xdata()), list(fast.get_ydata())) == ([1, 2], [3.0, 0.1])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["slow", "fast"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("epoch", "mean loss", "log")
    assert loss_curves({"slow": [3.0]}, scale="linear").axes[0].get_yscale() == "linear"


def test_every_curve_is_told_apart_by_colour_and_by_dashes():
    lines = loss_curves({name: [2.0, 1.0] for name in "abcdef"}).axes[0].lines
    assert len({line.get_color() for line in lines}) == len({str(line._dash_pattern) for line in lines}) == 6


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("losses", "scale", "alone"),
    [
        ([1.0], "log", [0]),
        ([2.0, 1.0], "log", []),
        ([NAN, 1.0, INF], "log", [1]),
        ([2.0, 1.0, NAN, 0.5, -INF, 0.25, 0.125, NAN, 3.0], "log", [3, 8]),
        ([1.0, 0.0, 1.0, -1.0, 2.0, 3.0], "log", [0, 2]),
        ([1.0, 0.0, 1.0], "linear", []),
        ([NAN, 0.0, NAN], "linear", [1]),
    ],
)
def test_a_loss_that_no_line_leads_to_has_a_mark(losses, scale, alone):
    ax = loss_curves({"a": losses}, scale=scale).axes[0]
    [line] = ax.lines
    assert (line.get_markevery() or []) == alone
    assert (line.get_marker() == "None") == (not alone)
    run, median = seed_curves({"a": [losses]}, scale=scale).axes[0].lines
    assert (run.get_markevery() or []) == (median.get_markevery() or []) == alone


def test_of_many_epochs_those_that_no_line_leads_to_have_marks():
    curves = loss_curve(History(loss=[NAN, 1.0] * 100, validation_loss=[1.0] * 200)).axes[0].lines
    assert [line.get_markevery() for line in curves] == [[*range(1, 200, 2)], None]
    assert [line.get_marker() for line in curves] == ["o", "None"]


def test_on_a_logarithmic_scale_a_loss_of_0_is_left_out():
    figure = loss_curves({"a": [1.0, 0.0, 1.0, 0.5]})
    [line] = figure.axes[0].lines
    drawn = line.get_transform().transform_path(line.get_path()).vertices
    assert np.isfinite(drawn).all(axis=1).tolist() == [True, False, True, True]


def test_a_long_name_of_a_metric_has_room():
    _, (ax,) = panels(1)
    for name, label in [("m" * 36, "m" * 36), ("m" * 37, "m" * 35 + "…")]:
        plot_epochs(ax, [1.0], [], name)
        assert ax.get_ylabel() == label


@pytest.mark.parametrize(("losses", "got"), [({}, "no curve"), ({"a": [1.0], "b": History()}, "none in 'b'")])
def test_no_losses_no_curves(losses, got):
    with pytest.raises(ValueError, match=f"loss_curves: expected at least one curve, and a loss in each, got {got}"):
        loss_curves(losses)


# ---- the error surface

SLOPE = Value(2.0)
DESCENT = [[2.0, 1.0], [1.0, 0.5], [0.0, -1.0]]


def plane(w1, w2):
    return SLOPE * w1 - w2


def test_the_lines_of_an_error_are_where_the_error_is_that():
    ax = error_surface(plane, (-1.0, 3.0), (-2.0, 2.0), levels=[-1.0, 0.5, 3.0]).axes[0]
    (lines,) = contours(ax, filled=False)
    assert list(lines.levels) == [-1.0, 0.5, 3.0]
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        x, y = path.vertices.T
        assert len(x) > 10
        assert 2 * x - y == pytest.approx(np.full(len(x), level), abs=1e-9)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1.0, 3.0), (-2.0, 2.0))
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_legend()) == ("w₁", "w₂", None)


def test_in_space_the_error_is_the_height(monkeypatch):
    _, (ax,) = panels(1, projections=["3d"])
    drawn = []
    monkeypatch.setattr(ax, "plot_surface", lambda *points, **options: drawn.append(points))
    error_surface(plane, (-1.0, 3.0), (-2.0, 2.0), ax, paths={"down": DESCENT}, resolution=5)
    ((x, y, z),) = drawn
    assert (x.shape, y.shape, (2 * x - y).tolist()) == ((5, 5), (5, 5), z.tolist())
    assert (x.min(), x.max(), y.min(), y.max()) == (-1.0, 3.0, -2.0, 2.0)
    descent, start = ax.lines
    assert np.transpose(descent.get_data_3d()).tolist() == [[x, y, 2 * x - y] for x, y in DESCENT]
    assert np.transpose(start.get_data_3d()).tolist() == [[2.0, 1.0, 3.0]]
    assert ax.get_zlabel() == "error"


def test_descents_are_drawn_with_their_starts():
    ax = error_surface(plane, (-1, 3), (-2, 2), paths={"down": DESCENT, "still": [(0, 0)]}, resolution=5).axes[0]
    down, start, still, _ = ax.lines
    assert (down.get_xydata().tolist(), start.get_xydata().tolist()) == (DESCENT, DESCENT[:1])
    assert (down.get_color(), still.get_color()) == tuple(COLOURS[:2])
    assert start.get_color() == down.get_color()
    assert start.get_markersize() > down.get_markersize()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["down", "still"]


def test_the_error_is_asked_for_floats_and_nothing_is_recorded():
    asked = []

    def error(w1, w2):
        asked.append((w1, w2, plane(w1, w2)))
        return asked[-1][2]

    error_surface(error, (0, 1), (0, 1), paths={"down": DESCENT}, resolution=4)
    assert len(asked) == 16 + len(DESCENT)
    assert {(type(w1), type(w2), value.parents) for w1, w2, value in asked} == {(float, float, ())}


def valley(w1, w2):
    return 0.5 * (w1 + w2) ** 2 + 0.1 * w1**2


ACROSS = {"along": [(-3.0, 3.0), (3.0, -3.0)], "across": [(-3.0, -3.0), (2.5, 2.5)]}


@pytest.mark.parametrize("paths", [{}, ACROSS, {"away": [(0, 0), (1e150, -1e150)]}], ids=["none", "across", "away"])
@pytest.mark.parametrize("levels", [10, [0.0, 0.1, 0.5, 2.0, 4.0, 8.0, 16.0, 1000.0]])
def test_numbers_on_lines_stand_off_the_frame_the_paths_the_legend_and_each_other(paths, levels):
    figure = error_surface(valley, (-4, 4), (-4, 4), paths=paths, levels=levels)
    (ax,) = figure.axes
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) >= 4
    frame = ax.get_window_extent()
    assert all(frame.x0 < box.x0 and box.x1 < frame.x1 and frame.y0 < box.y0 and box.y1 < frame.y1 for box in boxes)
    assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[:k])
    for text, box in zip(ax.texts, boxes, strict=True):
        w1, w2 = text.get_position()
        assert float(text.get_text()) == pytest.approx(valley(w1, w2), rel=0.1)
        assert ax.get_legend() is None or not box.overlaps(ax.get_legend().get_window_extent())
    if "across" in paths:  # the middle of a number is off both lines
        assert all(
            min(abs(x + y), abs(x - y)) > 0.3 for x, y in [text.get_position() for text in ax.texts] if x + y < 5
        )


def test_the_legend_of_a_map_covers_no_start_where_there_is_room():
    corners = {"left": [(-3.9, 3.9), (0, 0)], "right": [(3.9, 3.9), (0, 0)], "below": [(3.9, -3.9), (0, 0)]}
    figure = error_surface(valley, (-4, 4), (-4, 4), paths=corners)
    (ax,) = figure.axes
    figure.canvas.draw()
    box = ax.get_legend().get_window_extent()
    starts = ax.transData.transform([path[0] for path in corners.values()])
    assert not any(box.contains(*start) for start in starts)


@pytest.mark.parametrize("path", [[1.0, 2.0], [[1.0, 2.0, 3.0]], np.empty((0, 2))])
def test_what_is_no_descent(path):
    with pytest.raises(ValueError, match=r"error_surface: path 'down': expected .* shape \(n, 2\), got the shape"):
        error_surface(plane, (0, 1), (0, 1), paths={"down": path})


# ---- the confusion matrix


def test_confusion_matrix_counts():
    targets, predictions = [0, 0, 0, 1, 1, 2, 2, 2], [0, 0, 1, 1, 1, 2, 0, 0]
    counts = [[2, 1, 0], [0, 2, 0], [2, 0, 1]]
    ax = confusion_matrix(targets, np.array(predictions)).axes[0]
    assert ax.images[0].get_array().tolist() == counts
    texts = {(int(text.get_position()[1]), int(text.get_position()[0])): text.get_text() for text in ax.texts}
    assert texts == {(i, j): str(counts[i][j]) for i in range(3) for j in range(3) if counts[i][j]}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
    assert ax.get_title() == "5 of 8 right (62.5%)"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "1", "2"]


def test_classes_with_names_and_without_examples():
    ax = confusion_matrix([0], [2], classes=["cat", "dog", "owl", "eel"]).axes[0]
    assert ax.images[0].get_array().sum(axis=1).tolist() == [1, 0, 0, 0]
    assert ax.images[0].get_array().shape == (4, 4)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["cat", "dog", "owl", "eel"]


@pytest.mark.parametrize(
    ("targets", "predictions", "options", "message"),
    [
        ([0, 1], [0], {}, "expected as many predictions as targets"),
        ([], [], {}, r"targets: expected finite numbers of shape \(n,\), got the shape \(0,\)"),
        ([[0]], [[1]], {}, r"targets: expected finite numbers of shape \(n,\), got the shape \(1, 1\)"),
        ([[0, 1], [0]], [0, 1], {}, r"targets: .*, got rows of different lengths"),
        ([0.0], [0.5], {}, "predictions: expected whole numbers, the classes, got 0.5"),
        ([0], [10**9], {}, "expected up to 10000 classes, got 1000000001"),
        ([0], [-1], {}, "expected classes from 0 to 0, got -1 to 0"),
        ([0], [2], {"classes": ["cat", "dog"]}, "expected classes from 0 to 1, got 0 to 2"),
    ],
)
def test_what_has_no_confusion_matrix(targets, predictions, options, message):
    with pytest.raises(ValueError, match=f"confusion_matrix: .*{message}"):
        confusion_matrix(targets, predictions, **options)


def test_shares_are_of_each_class_in_percent():
    targets, predictions = [0] * 300 + [1] * 3 + [3], [0] * 299 + [1, 0, 1, 1, 1]
    ax = confusion_matrix(targets, predictions, shares=True).axes[0]
    shown = {(text.get_position()[1], text.get_position()[0]): text.get_text() for text in ax.texts}
    assert shown == {(0, 0): "100", (1, 0): "33", (1, 1): "67", (3, 1): "100"}  # 1 of 300 is less than half a percent
    assert ax.get_title() == "301 of 304 right (99.0%)"


def test_a_matrix_of_many_classes_has_room_for_its_numbers():
    assert confusion_matrix([0], [9]).get_size_inches().tolist() == [6.0, 5.5]
    assert confusion_matrix([0], [39]).get_size_inches().tolist() == [17.0, 16.5]


@pytest.mark.parametrize(("names", "rotations"), [(["cat", "dog"], [0, 0]), (["^", "hippopotamus" * 3], [0, 90])])
def test_names_that_would_run_into_each_other_are_turned_and_letters_stay_upright(names, rotations):
    ax = confusion_matrix([0, 1], [1, 1], classes=names).axes[0]
    assert [label.get_rotation() for label in ax.get_xticklabels()] == rotations


# ---- the dendrogram


def test_a_dendrogram_joins_the_nearest_first():
    """Against the formula: 0 and 1 are joined at their distance; then {0, 1} with 5, and {7, 9} at 2; then all."""
    ax = dendrogram([[9.0], [0.0], [5.0], [1.0], [7.0]], list("zaebg")).axes[0]
    brackets = sorted(max(line.get_xdata()) for line in ax.lines)
    between = math.sqrt(2 * 1 * 2 / 3) * 3.0  # from 5 to the mean of 7 and 9
    all_of_them = math.sqrt(2 * 2 * 3 / 5) * (7.0 - 0.5)
    assert brackets == pytest.approx([1.0, 2.0, between, all_of_them])
    order = "".join(label.get_text() for label in ax.get_yticklabels())
    assert {order[:2], order[-2:]} & {"ab", "ba"}
    assert sorted(order) == sorted("zaebg")
    assert abs(order.index("z") - order.index("g")) == 1
    assert ax.get_legend() is None


def test_a_dendrogram_s_kinds_have_colours():
    ax = dendrogram([[0.0], [1.0], [7.0]], ["a", "e", "t"], kinds=["vowel", "vowel", "consonant"]).axes[0]
    colours = {label.get_text(): to_hex(label.get_color()).upper() for label in ax.get_yticklabels()}
    assert colours == {"a": COLOURS[1], "e": COLOURS[1], "t": COLOURS[0]}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["consonant", "vowel"]


@pytest.mark.parametrize(
    ("points", "names", "options", "message"),
    [
        ([[1.0]], ["a"], {}, "points: expected at least 2, got 1"),
        ([[1.0], [2.0]], ["a"], {}, "names: expected 2, one for each point, got 1"),
        ([[1.0], [2.0]], ["a", "b"], {"kinds": ["x"]}, "kinds: expected 2, one for each point, got 1"),
    ],
)
def test_what_has_no_dendrogram(points, names, options, message):
    with pytest.raises(ValueError, match=f"dendrogram: {message}"):
        dendrogram(points, names, **options)


def test_without_scipy_it_is_said_what_to_install_for_a_dendrogram(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.cluster", None)
    with pytest.raises(ImportError, match="dendrogram joins with SciPy: pip install scipy"):
        dendrogram([[0.0], [1.0]], ["a", "b"])


def test_points_that_are_too_far_apart_for_a_dendrogram():
    dendrogram([[1e150], [-1e150]], ["a", "b"])
    with pytest.raises(ValueError, match="dendrogram: points: the squares of their distances have to be finite"):
        dendrogram([[1e200], [-1e200]], ["a", "b"])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [5e-324, 1e-300, 1.0, 1e308])
def test_pictures_of_large_and_of_small_numbers_are_drawn_alike(size):
    """The largest is white, its negative black, and the middle grey, whatever the scale."""
    image = size * np.array([[1.0, -1.0, 0.0]])
    figures = [receptive_fields(image.reshape(1, 3), (1, 3)), feature_maps(image[np.newaxis])]
    for figure in figures:
        figure.savefig(BytesIO())
        [drawn] = figure.axes[0].images
        assert drawn.norm(drawn.get_array()).tolist() == [[1.0, 0.0, 0.5]]


def test_a_figure_that_has_no_room_on_a_picture():
    with pytest.raises(ValueError, match="a figure of 13 by 821 in has more than 65,535 pixels on a side"):
        receptive_fields(np.ones((4100, 4)), (2, 2))
    with pytest.raises(ValueError, match="pixels on a side; draw less"):
        panels(1, 1000)


# ---- what is no argument

WRONG = {
    "None": None, "a string": "abc", "ragged": [[1.0, 2.0], [3.0]], "empty": [], "a cube": np.zeros((2, 2, 2)),
    "a number": 5, "nan": [math.nan] * 4, "rows of nan": [[math.nan, 1.0]] * 4, "infinite": [math.inf] * 4,
    "negative": [-1, 0, 1, 2], "fractions": [0.5, 1.5, 2.5, 1.0], "complex": [1j] * 4, "a matrix": np.eye(4),
    "a dict": {"a": 1}, "strings": ["a", "b", "c", "d"], "Nones": [None] * 4, "an object": object(),
    "masked": np.ma.array([0, 1, 1, 0], mask=[0, 1, 0, 0]), "a date": np.datetime64("2020"),
    "a set": {0, 1, 2, 3}, "beyond the floats": [10**400] * 4, "a matrix beyond the floats": [[10**400] * 4] * 4,
}  # fmt: skip
TARGETS = [0, 1, 1, 0]


def product_of(w1, w2):
    return w1 * w2


def surface(error=product_of, w1=(-1, 1), w2=(-1, 1), **options):
    return error_surface(error, w1, w2, **{"resolution": 4} | options)


def boundary(model=lambda x: x[0], inputs=POINTS, targets=TARGETS, ax=None, resolution=4):
    return decision_boundary(model, inputs, targets, ax, resolution=resolution)


# Of each argument: the call, and which of the wrong ones are right here.
ARGUMENTS = {
    "boundary: model": (lambda x: boundary(x), ""),
    "boundary: scores and logits": (lambda x: boundary(lambda _: x), "a number, negative, fractions"),
    "boundary: inputs": (lambda x: boundary(inputs=x), ""),
    "boundary: targets": (lambda x: boundary(targets=x), ""),
    "boundary: targets of logits": (lambda x: boundary(lambda x: [x[0], x[1]], targets=x), ""),
    "boundary: ax": (lambda x: boundary(ax=x), "None"),
    "boundary: resolution": (lambda x: boundary(resolution=x), "a number"),
    "loss_curve: history": (loss_curve, ""),
    "loss_curve: loss": (lambda x: loss_curve(History(loss=x)), "negative, fractions, nan, infinite"),
    "loss_curve: validation": (lambda x: loss_curve(History(loss=[1.0], validation_loss=x)), "empty"),
    "loss_curve: ax": (lambda x: loss_curve(History(loss=[1.0]), x), "None"),
    "loss_curves: losses": (loss_curves, ""),
    "loss_curves: a curve": (lambda x: loss_curves({"a": x}), "negative, fractions, nan, infinite"),
    "loss_curves: scale": (lambda x: loss_curves({"a": [1.0]}, scale=x), ""),
    "seed_curves: curves": (seed_curves, ""),
    "seed_curves: runs": (lambda x: seed_curves({"a": x}), "ragged, a matrix, rows of nan"),
    "seed_curves: a run": (lambda x: seed_curves({"a": [x]}), "negative, fractions, nan, infinite"),
    "seed_curves: scale": (lambda x: seed_curves({"a": [[1.0]]}, scale=x), ""),
    "error_surface: error": (lambda x: surface(x), ""),
    "error_surface: returned": (lambda x: surface(lambda w1, w2: x), "a number"),
    "error_surface: w1": (lambda x: surface(w1=x), ""),
    "error_surface: w2": (lambda x: surface(w2=x), ""),
    "error_surface: paths": (lambda x: surface(paths=x), "None"),
    "error_surface: a path": (lambda x: surface(paths={"down": x}), ""),
    "error_surface: levels": (lambda x: surface(levels=x), "a number, negative"),
    "error_surface: resolution": (lambda x: surface(resolution=x), "a number"),
    "error_surface: ax": (lambda x: surface(ax=x), "None"),
    "panels: columns": (panels, "a number"),
    "panels: rows": (lambda x: panels(1, x), "a number"),
    "panels: width": (lambda x: panels(1, width=x), "a number"),
    "panels: height": (lambda x: panels(1, height=x), "a number"),
    "panels: projections": (lambda x: panels(4, projections=x), "empty, Nones"),
    "receptive_fields: weights": (lambda x: receptive_fields(x, (1, 2)), ""),
    "receptive_fields: shape": (lambda x: receptive_fields([[1.0]], x), ""),
    "receptive_fields: columns": (lambda x: receptive_fields([[1.0]], (1, 1), columns=x), "a number"),
    "receptive_fields: names": (lambda x: receptive_fields(np.eye(4), (2, 2), names=x), "None, empty, strings"),
    "receptive_fields: largest": (lambda x: receptive_fields([[1.0]], (1, 1), largest=x), "None, a number"),
    "receptive_fields: ax": (lambda x: receptive_fields([[1.0]], (1, 1), x), "None"),
    "attention: weights": (attention, "a matrix"),
    "attention: a row": (lambda x: attention([[1.0], x]), ""),
    "attention: tokens": (lambda x: attention([[1.0]], tokens=x), "None"),
    "attention: ax": (lambda x: attention([[1.0]], x), "None"),
    "confusion_matrix: targets": (lambda x: confusion_matrix(x, TARGETS), ""),
    "confusion_matrix: predictions": (lambda x: confusion_matrix(TARGETS, x), ""),
    "confusion_matrix: both": (lambda x: confusion_matrix(x, x), ""),
    "confusion_matrix: classes": (lambda x: confusion_matrix(TARGETS, TARGETS, classes=x), "None, strings"),
    "confusion_matrix: shares": (lambda x: confusion_matrix(TARGETS, TARGETS, shares=x), ""),
    "confusion_matrix: ax": (lambda x: confusion_matrix(TARGETS, TARGETS, x), "None"),
    "dendrogram: points": (lambda x: dendrogram(x, ["a", "b", "c", "d"]), "a matrix"),
    "dendrogram: names": (lambda x: dendrogram(POINTS, x), "strings"),
    "dendrogram: kinds": (lambda x: dendrogram(POINTS, ["a", "b", "c", "d"], kinds=x), "None, strings"),
    "dendrogram: ax": (lambda x: dendrogram(POINTS, ["a", "b", "c", "d"], x), "None"),
}


@pytest.mark.filterwarnings("ignore:.*log.*axis|Attempt to set|No contour levels|posx and posy")
@pytest.mark.parametrize("argument", ARGUMENTS)
def test_what_is_no_argument_is_named_and_what_is_one_is_drawn(argument):
    call, right = ARGUMENTS[argument]
    for name, wrong in WRONG.items():
        if name in right.split(", "):
            call(wrong)
            continue
        with pytest.raises((TypeError, ValueError)) as caught:
            call(wrong)
        assert re.search(r"expected .*, got |the history has no epochs|has to return a number", str(caught.value)), name


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: panels(0), "panels: columns: expected a positive int, got 0"),
        (lambda: panels(1, -1), "panels: rows: expected a positive int, got -1"),
        (lambda: panels(1, width=0), "panels: width: expected a positive number, got 0"),
        (lambda: panels(1, projections=["3d", "3d"]), "panels: projections: expected up to 1, .* got 2"),
        (lambda: surface(resolution=1), "error_surface: resolution: expected an int of at least 2, got 1"),
        (lambda: surface(w1=(1, -1)), r"error_surface: w1: expected \(low, high\), got \(1.0, -1.0\)"),
        (lambda: surface(levels=[2.0, 1.0]), "error_surface: levels: expected at least 2 that increase"),
        (lambda: boundary(targets=[0, 1, 2, 0]), r"targets: expected classes among \[-1, 0, 1\], got 2"),
        (lambda: boundary(lambda x: [0.0, x[0]], targets=[0, 1, 2, 0]), r"expected classes among \[0, 1\], got 2"),
        (lambda: boundary(lambda x: [0.0] * (2 + (x[0] > 0))), "logits: expected as many of each input"),
        (lambda: boundary(lambda x: math.nan), "the model's score: expected finite numbers, got nan"),
    ],
)
def test_what_leaves_nothing_to_draw(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- figures

DRAWINGS = {
    "attention": lambda ax=None: attention([[1.0], [0.25, 0.75]], ax, tokens=["a", "b"]),
    "loss_curve": lambda ax=None: loss_curve(History(loss=[2.0, 1.0]), ax),
    "decision_boundary": lambda ax=None: decision_boundary(lambda x: x[0], POINTS, [0, 1, 1, 0], ax, resolution=5),
    "confusion_matrix": lambda ax=None: confusion_matrix([0, 1], [0, 0], ax),
    "dendrogram": lambda ax=None: dendrogram([[0.0], [1.0], [5.0]], ["a", "b", "c"], ax),
    "loss_curves": lambda ax=None: loss_curves({"a": [2.0, 1.0]}, ax),
    "error_surface": lambda ax=None: error_surface(plane, (0, 1), (0, 1), ax, paths={"down": DESCENT}, resolution=5),
    "seed_curves": lambda ax=None: seed_curves({"a": [[2.0, 1.0], [3.0]]}, ax),
    "hinton_diagram": lambda ax=None: hinton_diagram([[2.0, -1.0, 0.3]], ax, columns=["x", "y", "z"]),
    "feature_maps": lambda ax=None: feature_maps(np.linspace(-1.0, 1.0, 24).reshape(2, 3, 4), ax),
    "receptive_fields": lambda ax=None: receptive_fields(
        np.arange(-6, 12).reshape(3, 6), (2, 3), ax, names=["a", "b", "c"]
    ),
    "trajectories": lambda ax=None: trajectories({"down": DESCENT}, ax),
}


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_it_draws_on_the_axes_that_it_is_given(draw):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert draw(right) is figure
    assert right.has_data()
    assert not left.has_data()


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_saved_files_are_images(draw, tmp_path):
    settings = dict(matplotlib.rcParams)
    figure = draw()
    figure.savefig(tmp_path / "picture.png", dpi=50)
    pixels = imread(tmp_path / "picture.png")
    width, height = figure.get_size_inches()
    assert pixels.shape[:2] == (round(50 * height), round(50 * width))
    assert len(np.unique(pixels.reshape(-1, pixels.shape[-1]), axis=0)) > 10
    assert dict(matplotlib.rcParams) == settings


def test_notebooks_show_a_figure():
    figure = loss_curve(History(loss=[2.0, 1.0]))
    assert imread(BytesIO(figure._repr_png_())).shape[:2] == (400, 600)


NAMES = ["$$", "$\\frac$", "a$_$b", "\\$", "_hidden", "", "\x00", "\ud800", "two\nlines"]
NAMED = {
    "loss_curve": lambda names: plot_epochs_of(names),
    "loss_curves": lambda names: loss_curves({name: [2.0, 1.0] for name in names}),
    "seed_curves": lambda names: seed_curves({name: [[2.0, 1.0]] for name in names}),
    "trajectories": lambda names: trajectories(dict.fromkeys(names, DESCENT)),
    "error_surface": lambda names: surface(paths=dict.fromkeys(names, DESCENT)),
    "attention": lambda names: attention(np.eye(len(names)), tokens=names),
    "confusion_matrix": lambda names: confusion_matrix([0], [0], classes=names),
    "hinton_diagram: rows": lambda names: hinton_diagram(np.eye(len(names)), rows=names),
    "hinton_diagram: columns": lambda names: hinton_diagram(np.eye(len(names)), columns=names),
    "feature_maps": lambda names: feature_maps(np.ones((len(names), 2, 2)), names=names),
    "receptive_fields": lambda names: receptive_fields(np.ones((len(names), 4)), (2, 2), names=names),
    "dendrogram: names": lambda names: dendrogram(np.arange(len(names))[:, None], names),
    "dendrogram: kinds": lambda names: dendrogram(np.arange(len(names))[:, None], ["a"] * len(names), kinds=names),
}


def plot_epochs_of(names):
    figure, axes = panels(len(names))
    for name, ax in zip(names, axes, strict=True):
        plot_epochs(ax, [2.0, 1.0], [], name)
    return figure


@pytest.mark.filterwarnings("ignore:constrained_layout not applied")
@pytest.mark.parametrize("draw", NAMED.values(), ids=NAMED)
def test_names_are_shown_to_the_letter(draw):
    svg = BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        draw(NAMES).savefig(svg, format="svg")
    texts = {"".join(text.itertext()).strip() for text in ElementTree.fromstring(svg.getvalue()).iter(f"{SVG}text")}
    assert texts >= {*NAMES[:5], "\\x00", "\\ud800", "two", "lines"}


def test_a_curve_without_a_name_is_in_the_legend():
    legend = loss_curves({"": [1.0], "_": [2.0]}).axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [" ", " _"]


def test_panels_may_be_as_wide_as_any_number_says():
    figure, _ = panels(np.uint8(200), width=Fraction(1, 2), height=np.float16(2.5))
    assert figure.get_size_inches().tolist() == [100.0, 2.5]


def test_panels_are_on_one_figure_row_by_row():
    figure, axes = panels(2, 3, width=3.0, height=2.0, projections=[None, "3d"])
    assert figure.axes == axes
    assert [ax.name for ax in axes] == ["rectilinear", "3d", *["rectilinear"] * 4]
    assert [ax.get_subplotspec().num1 for ax in axes] == [0, 1, 2, 3, 4, 5]
    assert figure.get_size_inches().tolist() == [6.0, 6.0]
    assert imread(BytesIO(figure._repr_png_())).shape[:2] == (600, 600)


def test_neither_pyplot_nor_a_display_is_needed(tmp_path):
    program = (
        "import sys; from nn.training import History; History(loss=[2.0, 1.0]).plot().savefig('loss.png'); "
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        env=environment | {"MPLBACKEND": "tkagg"},
        check=True,
    )
    assert imread(tmp_path / "loss.png").any()


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_without_matplotlib_it_is_said_what_to_install(draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        draw()


# ---- axes of other kinds, and numbers beyond what can be drawn

DRAWN = {
    "decision_boundary": lambda ax: decision_boundary(lambda x: x[0], [[0.0, 1.0], [1.0, 0.0]], [0, 1], ax),
    "loss_curve": lambda ax: loss_curve(History(loss=[1.0, 0.5]), ax),
    "loss_curves": lambda ax: loss_curves({"a": [1.0, 0.5]}, ax),
    "confusion_matrix": lambda ax: confusion_matrix([0, 1], [0, 1], ax),
    "dendrogram": lambda ax: dendrogram([[0.0], [1.0]], ["a", "b"], ax),
    "error_surface": lambda ax: error_surface(lambda a, b: a * b, (-1, 1), (-1, 1), ax),
    "attention": lambda ax: attention([[1.0]], ax),
    "feature_maps": lambda ax: feature_maps([[[1.0]]], ax),
}


@pytest.mark.parametrize("kind", ["3d", "polar"])
@pytest.mark.parametrize("name", DRAWN)
def test_axes_of_another_kind_are_named(name, kind):
    _, (ax,) = panels(1, projections=[kind])
    if (name, kind) == ("error_surface", "3d"):
        DRAWN[name](ax)
        return
    with pytest.raises(ValueError, match=f"{name}: ax: expected Axes of the kind rectilinear.*, got {kind}"):
        DRAWN[name](ax)


@pytest.mark.parametrize("name", DRAWN)
def test_pyplot_is_no_axes(name):
    import matplotlib.pyplot

    with pytest.raises(TypeError, match=f"{name}: ax: expected Axes, such as panels"):
        DRAWN[name](matplotlib.pyplot)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: confusion_matrix([2**63], [0]), "confusion_matrix: targets: expected the classes' numbers, got 9.2"),
        (lambda: confusion_matrix([1e300], [0]), "confusion_matrix: targets: expected the classes' numbers, got 1e"),
        (
            lambda: error_surface(lambda a, b: a, (-1e308, 1e308), (0, 1)),
            r"error_surface: w1: expected \(low, high\), got .*, whose distance is inf",
        ),
        (
            lambda: error_surface(lambda a, b: math.nan, (0, 1), (0, 1)),
            "error_surface: expected an error that is finite somewhere, got nan",
        ),
    ],
)
def test_numbers_beyond_what_can_be_drawn(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: confusion_matrix([0, 1], [0, 1], classes={"a", "b"}),
        lambda: confusion_matrix({0, 1}, [0, 1]),
        lambda: dendrogram([[0.0], [1.0]], {"a", "b"}),
        lambda: error_surface(lambda a, b: a, {0, 1}, (0, 1)),
    ],
)
def test_sets_have_no_order(draw):
    with pytest.raises(TypeError, match=r"got \{"):
        draw()


# ---- attention


def test_attention_is_the_weights_and_nothing_where_nothing_is_seen():
    rows = [[1.0], [Value(0.25), 0.75], [0.0, 0.5, 0.5]]
    ax = attention(rows, tokens=["·", "a", "l"]).axes[0]
    [image] = ax.images
    shown = image.get_array()
    assert shown.filled(-1.0).tolist() == [[1.0, -1.0, -1.0], [0.25, 0.75, -1.0], [0.0, 0.5, 0.5]]
    assert image.get_clim() == (0.0, 1.0)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["·", "a", "l"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["·", "a", "l"]
    assert not attention([[0.5, 0.5], [0.1, 0.9]]).axes[0].images[0].get_array().mask.any()


@pytest.mark.parametrize(
    ("weights", "tokens", "message"),
    [
        ([[1.0], [1.0]], None, "row 1: expected 2 weights, or 2, got 1"),
        ([[1.0], [0.5, 0.5], [0.5, 0.5]], None, "row 2: expected 3 weights, or 3, got 2"),
        ([[0.9]], None, r"row 0: expected weights of at least 0 whose sum is 1, got \[0.9\]"),
        ([[1.0], [1.5, -0.5]], None, "row 1: expected weights of at least 0 whose"),
        ([[math.nan]], None, "row 0: expected finite numbers"),
        ([[1.0]], ["a", "b"], "tokens: expected 1 name, got 2"),
        ([], None, "weights: expected a row for each place, at least one, got none"),
    ],
)
def test_what_is_no_attention(weights, tokens, message):
    with pytest.raises(ValueError, match=f"attention: {message}"):
        attention(weights, tokens=tokens)


# ---- runs over seeds


def test_seed_curves_are_all_runs_and_their_median():
    ax = seed_curves({"slow": [[4.0, 3.0, 2.0], [2.0, 1.0, 0.5], [3.0, 2.0]], "fast": [[1.0]]}, scale="log").axes[0]
    runs = [list(line.get_ydata()) for line in ax.lines]
    assert runs == [[4.0, 3.0, 2.0], [2.0, 1.0, 0.5], [3.0, 2.0], [2.0], [3.0, 2.0], [1.0], [1.0], [1.0]]
    assert [line.get_marker() for line in ax.lines].count("None") == 4  # others end early, or at once
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["slow", "fast"]
    assert ax.get_yscale() == "log"
    assert list(seed_curves({"a": [[1.0, 2.0]]}, start=0).axes[0].lines[0].get_xdata()) == [0, 1]


def test_the_number_of_the_first_step_may_be_of_any_type_of_integers():
    [axis] = seed_curves({"a": [[1.0] * 200]}, start=np.uint8(200)).axes
    assert axis.lines[0].get_xdata()[-1] == 399
    with pytest.raises(TypeError, match=r"seed_curves: start: expected an int, got 1\.5"):
        seed_curves({"a": [[1.0]]}, start=1.5)


@pytest.mark.parametrize("curves", [{}, {"a": []}, {"a": [[]]}])
def test_no_runs_no_curves(curves):
    with pytest.raises(ValueError, match="seed_curves: expected at least one run"):
        seed_curves(curves)


# ---- the Hinton diagram


def test_a_hinton_diagram_has_a_square_for_each_weight():
    weights = [[1.0, -4.0, 0.0], [0.25, 2.0, -1.0]]
    ax = hinton_diagram(weights, rows=["a", "b"], columns=["x", "y", "z"]).axes[0]
    squares = {
        (patch.get_x() + patch.get_width() / 2, patch.get_y() + patch.get_height() / 2): patch for patch in ax.patches
    }
    for (row, column), weight in np.ndenumerate(weights):
        square = squares[(column, row)]
        assert square.get_width() ** 2 == pytest.approx(0.92**2 * abs(weight) / 4.0)
        assert to_hex(square.get_facecolor()) == ("#ffffff" if weight > 0 else "#000000")
    assert [text.get_text() for text in ax.get_xticklabels()] == ["x", "y", "z"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a", "b"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first row is on top


def test_hinton_diagrams_of_one_scale():
    small, large = (hinton_diagram([[weight]], largest=4.0).axes[0].patches[0] for weight in (1.0, 9.0))
    assert (small.get_width(), large.get_width()) == pytest.approx((0.46, 0.92))
    assert hinton_diagram([[0.0]]).axes[0].patches[0].get_width() == 0.0


@pytest.mark.parametrize(
    ("weights", "options", "message"),
    [
        ([1.0], {}, "weights"),
        ([[math.nan]], {}, "weights"),
        ([[1.0]], {"rows": ["a", "b"]}, "rows: expected 1 name, got 2"),
        ([[1.0]], {"columns": ["a", "b"]}, "columns: expected 1 name, got 2"),
        ([[1.0]], {"largest": 0.0}, "largest: expected a positive number"),
    ],
)
def test_what_is_no_hinton_diagram(weights, options, message):
    with pytest.raises(ValueError, match=f"hinton_diagram: {message}"):
        hinton_diagram(weights, **options)


# ---- feature maps


@pytest.mark.parametrize("columns", [1, 2, 3, 7])
def test_feature_maps_stand_row_by_row(columns):
    maps = np.arange(1.0, 37.0).reshape(3, 3, 4)
    pictures = feature_maps(maps, columns=columns).axes[0].images
    assert [picture.get_array().tolist() for picture in pictures] == maps.tolist()
    for k, picture in enumerate(pictures):
        row, column = divmod(k, min(columns, 3))
        assert picture.get_extent() == [5 * column, 5 * column + 4, 4 * row + 3, 4 * row]
        assert (picture.norm.vmin, picture.norm.vmax) == (-36.0, 36.0)


def test_feature_maps_have_names():
    ax = feature_maps(np.zeros((3, 2, 2)), columns=2, names=["a", "b", "c"]).axes[0]
    assert [(text.get_text(), *text.get_position()) for text in ax.texts] == [
        ("a", 1.0, -0.5),
        ("b", 4.0, -0.5),
        ("c", 1.0, 3.5),
    ]


def test_feature_maps_of_one_scale():
    [image] = feature_maps([[[0.5, -3.0]]], largest=2.0).axes[0].images
    assert image.to_rgba(np.array([-2.0, 2.0]))[:, 0].tolist() == [1.0, 0.0]  # white and black
    assert image.to_rgba(np.array([-3.0, 3.0]))[:, 0].tolist() == [1.0, 0.0]
    assert feature_maps([[[0.0]]]).axes[0].images[0].norm.vmax == 1.0


@pytest.mark.parametrize(
    ("maps", "options", "message"),
    [
        ([[1.0]], {}, r"maps: expected finite numbers of shape \(n, height, width\), got the shape \(1, 1\)"),
        (np.zeros((0, 2, 2)), {}, "maps: expected finite numbers"),
        ([[[math.inf]]], {}, "maps: expected finite numbers"),
        ([[[1.0]]], {"columns": 0}, "columns: expected a positive int, got 0"),
        ([[[1.0]]], {"largest": -1.0}, "largest: expected a positive number, got -1.0"),
        ([[[1.0]]], {"names": ["a", "b"]}, "names: expected 1 name, got 2"),
    ],
)
def test_what_are_no_feature_maps(maps, options, message):
    with pytest.raises(ValueError, match=f"feature_maps: {message}"):
        feature_maps(maps, **options)


def test_names_that_are_none():
    with pytest.raises(TypeError, match="hinton_diagram: rows: expected a list of names, got 'a'"):
        hinton_diagram([[1.0]], rows="a")
    with pytest.raises(TypeError, match="hinton_diagram: columns: expected a list of names"):
        hinton_diagram([[1.0]], columns=[1])


# ---- receptive fields


def test_a_receptive_field_is_the_picture_of_a_neuron_s_weights():
    weights = np.array(
        [[1.0, -4.0, 0.0, 0.5, 2.0, -1.0], [3.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0, 2.0]]
    )
    ax = receptive_fields(weights, (2, 3), columns=2, names=["a", "b", "c"]).axes[0]
    for picture, field in zip(ax.images, weights, strict=True):
        assert picture.get_array().tolist() == field.reshape(2, 3).tolist()
        assert (picture.norm.vmin, picture.norm.vmax) == (-4.0, 4.0)  # one scale for all, and 0 in its middle
        assert to_hex(picture.cmap(picture.norm(0.0))) == "#808080"
        assert to_hex(picture.cmap(picture.norm(9.0))) == "#ffffff"
    (first, second, third) = (picture.get_extent() for picture in ax.images)
    assert first[1] < second[0]  # the second is to the right of the first
    assert first[2:] == second[2:]
    assert (third[0], third[3] > first[2]) == (first[0], True)  # and the third below it: the axis goes downwards
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert [text.get_text() for text in ax.texts] == ["a", "b", "c"]
    for text, picture in zip(ax.texts, ax.images, strict=True):
        left, right, _, top = picture.get_extent()
        x, y = text.get_position()
        assert left < x < right
        assert y < top  # above its picture


def test_receptive_fields_of_one_scale():
    for weights, largest in (([[1.0]], 4.0), ([[9.0]], 4.0), ([[0.0]], None)):
        (picture,) = receptive_fields(weights, (1, 1), largest=largest).axes[0].images
        assert picture.norm.vmax == (largest or 1.0)


@pytest.mark.parametrize(
    ("weights", "shape", "options", "message"),
    [
        ([1.0], (1, 1), {}, r"weights: expected finite numbers of shape \(n, 1\)"),
        ([[1.0, 2.0]], (2, 2), {}, r"weights: expected finite numbers of shape \(n, 4\)"),
        ([[math.nan]], (1, 1), {}, "weights"),
        ([[1.0]], (0, 1), {}, "shape: expected a positive int, got 0"),
        ([[1.0]], (1, 1), {"names": ["a", "b"]}, "names: expected 1 name, got 2"),
        ([[1.0]], (1, 1), {"columns": 0}, "columns: expected a positive int, got 0"),
        ([[1.0]], (1, 1), {"largest": -1.0}, "largest: expected a positive number, got -1"),
    ],
)
def test_what_are_no_receptive_fields(weights, shape, options, message):
    with pytest.raises(ValueError, match=f"receptive_fields: {message}"):
        receptive_fields(weights, shape, **options)
    with pytest.raises(TypeError, match=r"receptive_fields: shape: expected \(height, width\), got 9"):
        receptive_fields([[1.0]], 9)


# ---- trajectories


def test_trajectories_are_the_paths_from_their_beginnings():
    ax = trajectories({"up": [[0.0, 0.0], [1.0, 2.0]], "down": [[1.0, 1.0], [0.0, -1.0], [2.0, -1.0]]}).axes[0]
    assert [line.get_xydata().tolist() for line in ax.lines] == [
        [[0.0, 0.0], [1.0, 2.0]], [[0.0, 0.0]], [[1.0, 1.0], [0.0, -1.0], [2.0, -1.0]], [[1.0, 1.0]],
    ]  # fmt: skip
    assert ax.get_aspect() == 1.0
    with pytest.raises(ValueError, match="trajectories: expected at least one path"):
        trajectories({})
    with pytest.raises(ValueError, match="trajectories: 'up'"):
        trajectories({"up": [[0.0, 0.0, 0.0]]})
