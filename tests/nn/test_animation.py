"""A training is replayed as it was: what page and GIF show is compared with the model, in a real browser too."""

from __future__ import annotations

import base64
import json
import math
import random
import re
from io import BytesIO
from urllib.parse import unquote

import numpy
import pytest
from matplotlib.animation import PillowWriter

from autograd import Value, gather
from nn import MLP, SGD, Adam, binary_cross_entropy, correct_class, correct_sign, cross_entropy, fit, squared_error
from nn.animation import boundary, curves, figure, thinned
from nn.film import RESOLUTION
from nn.plots import COLOURS

POINTS = [[random.Random(k).uniform(-1, 1), random.Random(-k - 1).uniform(-1, 1)] for k in range(30)]


def inside(x, y):
    return int(x * x + y * y < 0.6)


def two_classes(epochs=12, **options):
    """A watched training, and its model."""
    random.seed(0)
    model = MLP(2, [8, 1])
    history = fit(
        model, POINTS[:20], [inside(*p) for p in POINTS[:20]], binary_cross_entropy, Adam(model.parameters(), 0.05),
        epochs=epochs, metric=correct_sign, validation=(POINTS[20:], [inside(*p) for p in POINTS[20:]]), watch=True,
        progress=False, **options,
    )  # fmt: skip
    return history, model


def three_classes():
    random.seed(0)
    model = MLP(2, [6, 3])
    targets = [int(3 * (x + 1) / 2) for x, _ in POINTS]
    optimizer = Adam(model.parameters(), 0.05)
    options = {"epochs": 5, "metric": correct_class, "watch": True, "progress": False}
    return fit(model, POINTS, targets, cross_entropy, optimizer, **options), model


def a_slope(epochs=5):
    slope = Value(0.0)
    optimizer = SGD([slope], 0.05)
    options = {"epochs": epochs, "watch": True, "progress": False}
    return fit(lambda x: slope * x, [1.0, 2.0], [2.0, 4.0], squared_error, optimizer, **options)


def written(history, folder, **options):
    path = folder / "training.html"
    history.animate(path, **options)
    return path


def data_of(page):
    return json.loads(re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)[0])


def decoded(picture):
    numbers = numpy.frombuffer(base64.b64decode(picture["scores"]), "<i2")
    return numbers.reshape(-1, RESOLUTION, RESOLUTION).astype(int)


# ---- As data


def test_the_page_has_every_moment_and_the_scores_of_then(tmp_path):
    history, model = two_classes()
    data = data_of(written(history, tmp_path).read_text(encoding="utf-8"))
    assert [frame["epoch"] for frame in data["frames"]] == [snapshot.epoch for snapshot in history.film.snapshots]
    plane, parameters = history.film.plane, model.parameters()
    for frame, snapshot in list(zip(data["frames"], history.film.snapshots, strict=True))[::5]:
        for parameter, number in zip(parameters, snapshot.parameters.tolist(), strict=True):
            parameter.data = number
        [shown] = decoded(frame["boundary"])
        for row, column in [(0, 0), (20, 20), (39, 5)]:
            score = model([plane.xs[column], plane.ys[row]]).data
            assert abs(score) < 1e-3 or (shown[row, column] > 0) == (score > 0)


def test_the_largest_logit_stays_the_largest_and_others_are_left_out():
    rows = [[1.0, 2.0, -3.0, 0.0], [1e308, -1e308, 0.0, 0.0], [0.0, 1e300, 0.0, 0.0], [1.0, 1.0 + 1e-3, 0.0, 0.0]]
    for scale in (1.0, 1e-320, 3.0):
        scores = scale * numpy.array([rows[0], rows[3]] * (RESOLUTION**2 // 2))
        picture = boundary(scores)
        assert picture["classes"] == [1]
        scores[::2, 2] = 5.0 * scale
        picture = boundary(scores)
        assert picture["classes"] == [1, 2]
        assert decoded(picture).argmax(axis=0).ravel().tolist() == [1, 0] * (RESOLUTION**2 // 2)
    huge = boundary(numpy.array([rows[1], rows[2]] * (RESOLUTION**2 // 2)))
    assert decoded(huge).argmax(axis=0).ravel()[0] == 0
    assert decoded(boundary(numpy.zeros((RESOLUTION**2, 1)))).any() == 0
    assert boundary(None) is None


def test_the_curves_have_what_the_history_has():
    history, _ = two_classes()
    loss, metric = curves(history, history.film, 12.0)["curves"]
    assert (loss["name"], metric["name"]) == ("loss", "correct_sign")
    assert loss["training"] == [*enumerate(history.loss, 1)]
    assert loss["validation"] == [*enumerate(history.validation_loss, 1)]
    assert metric["validation"] == [*enumerate(history.validation_metric, 1)]


def test_means_so_far_stand_at_the_end_of_the_curve_until_the_epoch_is_over():
    history, _ = two_classes()
    loss, metric = curves(history, history.film, 12.5, [0.25, math.nan])["curves"]
    assert loss["training"][-1] == (12.5, 0.25)
    assert metric["training"][-1] == (12.5, None)
    assert curves(history, history.film, 12.0, [0.25, 0.5])["curves"][0]["training"][-1] == (12, history.loss[-1])


def test_long_curves_are_thinned_and_what_is_no_number_is_a_gap():
    assert thinned([]) == []
    pairs = thinned([float(k) for k in range(1000)])
    assert (len(pairs), pairs[0], pairs[-1]) == (200, (1, 0.0), (1000, 999.0))
    assert thinned([1.0, math.inf, math.nan]) == [(1, 1.0), (2, None), (3, None)]


# ---- In the browser


@pytest.fixture
def visit(browser):
    """Opens a page; in the end there has been no error, and no request but for the file."""
    page = browser.new_page(viewport={"width": 1100, "height": 700})
    requests, errors = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.extend([message.text] * (message.type == "error")))

    def opened(path):
        page.goto(path.as_uri())
        page.locator("#controls").wait_for()
        return page

    yield opened
    assert errors == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    page.close()


def said(page):
    return page.locator(".said").inner_text()


def until(page, holds):
    """Waits for it. (The page's policy forbids what Playwright's own way would do.)"""
    for _ in range(1000):
        if holds():
            return
        page.wait_for_timeout(10)
    raise AssertionError("it did not come to that")


def test_the_page_goes_through_the_training_by_slider_keys_and_button(visit, tmp_path):
    history, _ = two_classes()
    page = visit(written(history, tmp_path, rate=50.0))
    last = len(history.film.snapshots) - 1
    slider = page.locator("#moment")
    assert slider.input_value() == str(last)
    assert said(page) == (
        f"epoch 12 of 12 · loss {history.loss[-1]:.3g}, validation {history.validation_loss[-1]:.3g} · "
        f"correct_sign {history.metric[-1]:.3g}, validation {history.validation_metric[-1]:.3g}"
    )
    page.keyboard.press("Home")
    assert (slider.input_value(), said(page)) == ("0", "epoch 0 of 12")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert slider.input_value() == "1"
    slider.focus()
    page.keyboard.press("ArrowRight")  # the slider's own keys
    assert slider.input_value() == "2"
    assert slider.get_attribute("aria-valuetext") == said(page)
    play = page.get_by_role("button")
    play.click()
    until(page, lambda: slider.input_value() == str(last))
    assert play.inner_text() == "▶ Play"
    play.press(" ")  # from the start again
    until(page, lambda: slider.input_value() != str(last))
    page.keyboard.press("Home")
    assert (play.inner_text(), slider.input_value()) == ("▶ Play", "0")


ENDS = """() => {
    const [name, sample] = [".curves .name", ".curves .sample"].map((of) => [...document.querySelectorAll(of)]);
    const frame = document.querySelector(".curves .frame").getBoundingClientRect();
    return [name[1].getBoundingClientRect().right, sample.at(-2)?.getBoundingClientRect().left ?? frame.right];
}"""


@pytest.mark.parametrize("name", ["right", "share_of_examples_that_are_right_", "W" * 40, "正" * 30, "<b>" * 20000])
def test_a_name_of_a_metric_does_not_run_into_the_legend(visit, tmp_path, name):
    history, _ = two_classes(epochs=1)
    history.film.names = ["loss", name]
    for validation in (history.validation_loss, []):
        history.validation_loss = history.validation_metric = validation
        page = visit(written(history, tmp_path))
        end, legend = page.evaluate(ENDS)
        assert end <= legend + 0.5
        [title] = page.locator(".curves .name title").all_text_contents() or [name]
        shown = page.locator(".curves .name").nth(1).evaluate("(text) => text.firstChild.data")
        assert title == name
        assert shown == name or name.startswith(shown.removesuffix("…"))
        assert len(shown) >= min(len(name), 9)


PIXEL = """([x, y]) => {
    const canvas = document.querySelector("canvas");
    return [...canvas.getContext("2d").getImageData(x * canvas.width, y * canvas.height, 1, 1).data].slice(0, 3);
}"""


@pytest.mark.parametrize("trained", [two_classes, three_classes])
def test_the_plane_has_the_colour_of_the_class_that_the_model_says(visit, tmp_path, trained):
    history, model = trained()
    page = visit(written(history, tmp_path))
    plane, compared = history.film.plane, 0
    for across, up in [(x / 10, y / 10) for x in range(1, 10) for y in range(1, 10)]:
        output = model([(1 - s) * side[0] + s * side[-1] for s, side in ((across, plane.xs), (up, plane.ys))])
        if isinstance(output, list):
            second, first = sorted(logit.data for logit in output)[-2:]
            k, margin = [logit.data for logit in output].index(first), first - second
        else:
            k, margin = int(output.data > 0), abs(output.data)
        if margin > 0.1:  # elsewhere the boundary is drawn, or what interpolation makes of it
            colour = page.evaluate(PIXEL, [across, 1 - up])
            assert colour == pytest.approx([int(COLOURS[k][at : at + 2], 16) for at in (1, 3, 5)], abs=3)
            compared += 1
    assert compared > 40
    assert page.locator(".point").count() == len(plane.points)


def test_the_network_is_that_of_the_moment(visit, tmp_path):
    history, _ = two_classes()
    page = visit(written(history, tmp_path))
    image = page.locator(".network img")
    for key, snapshot in [("End", -1), ("Home", 0), ("ArrowRight", 1)]:
        page.keyboard.press(key)
        svg = history.film.network(history.film.snapshots[snapshot].parameters)
        shown = svg.replace(re.findall('<rect width="100%" height="100%"[^>]*>', svg)[0], "")
        until(page, lambda shown=shown: unquote(image.get_attribute("src")) == f"data:image/svg+xml,{shown}")
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100


@pytest.mark.parametrize("width", [320, 390, 800, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_in_both_schemes(visit, tmp_path, width, scheme):
    history, _ = two_classes()
    page = visit(written(history, tmp_path))
    page.set_viewport_size({"width": width, "height": 700})
    page.emulate_media(color_scheme=scheme)
    page.locator(".network img").wait_for()
    page.keyboard.press("Home")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    colours = "[getComputedStyle(document.querySelector('text')).fill, getComputedStyle(document.body).backgroundColor]"
    ink, paper = page.evaluate(colours)
    brightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, paper)]
    assert (brightness[0] > brightness[1]) is (scheme == "dark")
    button = page.get_by_role("button").bounding_box()
    assert button["height"] >= 44  # for a finger
    panels = [panel.bounding_box() for panel in page.locator(".panel").all()]
    assert len(panels) == 3
    assert all(panel["width"] > 250 for panel in panels)
    assert page.locator("img.dark").count() == (scheme == "dark")


def test_names_are_text(visit, tmp_path):
    def metric(output, target):
        return 1.0

    metric.__name__ = "</script><img src=x onerror=alert(1)>\u2028&amp;"
    random.seed(0)
    model = MLP(2, [1])
    history = fit(
        model, POINTS, [inside(*p) for p in POINTS], binary_cross_entropy, SGD(model.parameters(), 0.1),
        epochs=2, metric=metric, watch=True, progress=False,
    )  # fmt: skip
    page = visit(written(history, tmp_path))
    assert "</script><img src=x onerror=alert(1)>" in said(page)
    assert page.locator("img[src=x]").count() == 0


def test_a_training_without_a_plane_and_without_an_epoch_is_shown_too(visit, tmp_path):
    page = visit(written(a_slope(), tmp_path))
    assert page.locator(".panel").count() == 1
    history = a_slope()
    for numbers in (history.loss, history.film.snapshots):
        del numbers[1:]
    history.loss.clear()  # as if it had been interrupted in the first one
    page = visit(written(history, tmp_path))
    assert said(page) == "epoch 0 of 0"


# ---- As a GIF, and as a figure


def frames_of(path):
    from PIL import Image

    with Image.open(path) as image:
        for k in range(image.n_frames):
            image.seek(k)
            yield numpy.array(image.convert("RGB")), image.info["duration"]


def test_the_gif_has_every_moment(tmp_path):
    history, _ = two_classes(epochs=2)
    history.animate(tmp_path / "training.GIF", rate=20.0)
    frames = [*frames_of(tmp_path / "training.GIF")]
    assert sum(duration for _, duration in frames) == 50 * len(history.film.snapshots)
    first, last = frames[0][0], frames[-1][0]
    assert first.shape == last.shape
    assert (first != last).any(axis=2).mean() > 0.002
    edge = numpy.concatenate([first[-2:].reshape(-1, 3), first[:, -2:].reshape(-1, 3)])
    assert (edge > 200).all()  # nothing is cut off


def test_a_gif_without_a_plane(tmp_path):
    a_slope().animate(tmp_path / "slope.gif")
    assert len([*frames_of(tmp_path / "slope.gif")]) > 1


@pytest.mark.parametrize(("trained", "panels"), [(two_classes, 3), (three_classes, 3), (a_slope, 1)])
def test_the_figure_has_the_curves_and_the_plane(trained, panels):
    history = trained() if trained is a_slope else trained()[0]
    film = history.film
    shown = figure(history, film, film.snapshots[-1].parameters)
    assert len(shown.axes) == panels
    assert shown.axes[0].lines[0].get_ydata().tolist() == history.loss
    shown.savefig(BytesIO())


# ---- What is refused


def test_errors_say_what_to_do_and_leave_the_file(tmp_path):
    history, _ = two_classes(epochs=1)
    path = tmp_path / "old.html"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(ValueError, match=r"expected a path that ends in \.gif or \.html, got 'x\.mp4'"):
        history.animate("x.mp4")
    for rate in (0.0, 0.09, 50.1, 51, -1.0):
        with pytest.raises(ValueError, match=rf"rate: expected from 0\.1 to 50 pictures a second, got {rate}"):
            history.animate(path, rate=rate)
    for rate in (math.nan, "10", None, 10**400):
        with pytest.raises(ValueError, match="animate: rate: expected a finite number, got"):
            history.animate(path, rate=rate)
    history.film = None
    with pytest.raises(ValueError, match=r"watch=True"):
        history.animate(path)
    assert path.read_text(encoding="utf-8") == "old"


def test_the_model_keeps_its_numbers(tmp_path):
    history, model = two_classes(epochs=2)
    before = numpy.empty(len(model.parameters()))
    gather(model.parameters(), "data", before)
    written(history, tmp_path)
    assert [p.data for p in model.parameters()] == before.tolist()


@pytest.mark.parametrize("frames", [0, 1])
def test_an_error_between_two_frames_is_what_it_is_and_leaves_the_file(tmp_path, monkeypatch, frames):
    history, left = a_slope(), iter(range(frames))
    grab_frame = PillowWriter.grab_frame

    def interrupted(writer, **options):
        if next(left, None) is None:
            raise KeyboardInterrupt
        grab_frame(writer, **options)

    path = tmp_path / "x.gif"
    path.write_bytes(b"old")
    monkeypatch.setattr(PillowWriter, "grab_frame", interrupted)
    with pytest.raises(KeyboardInterrupt):
        history.animate(path)
    assert path.read_bytes() == b"old"
