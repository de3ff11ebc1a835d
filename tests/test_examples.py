"""The examples: they run, and what they say and leave behind is true."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import re
import runpy
import string
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.image import imread

from autograd import Tape, Value, dot, draw, engine, explain, grad, tanh
from nn.datasets import digits
from nn.layers import MLP

pytestmark = pytest.mark.both_engines

ROOT = str(Path(__file__).parents[1])
EXAMPLES = Path(ROOT) / "examples"


def example(name):
    specification = importlib.util.spec_from_file_location(f"examples.{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


# ---- digits


EPOCHS, AT_LEAST = (30, 0.97) if engine == "native" else (3, 0.9)  # the Python engine's tape takes 20 s for 30 epochs


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder that the demo leaves, and what it printed."""
    out = tmp_path_factory.mktemp("demo") / "out"
    lines = []
    module = example("digits")
    module.print = lambda *words: lines.append(" ".join(map(str, words)))
    module.main(epochs=EPOCHS, out=out)
    return out, "\n".join(lines)


def readings(out):
    """What the saved network takes the held-out images for, computed from the file by matrix products."""
    layers = json.loads((out / "digits-model.json").read_text())["parameters"]

    def net_inputs(x, layer):
        size = sum(name.startswith(f"layers.{layer}.") for name in layers) // 2
        neurons = [f"layers.{layer}.neurons.{i}" for i in range(size)]
        return x @ np.array([layers[f"{n}.weights"] for n in neurons]).T + [layers[f"{n}.bias"] for n in neurons]

    return net_inputs(np.tanh(net_inputs(digits().held_out.inputs, 0)), 1).argmax(axis=1)


def test_the_demo_says_how_many_digits_its_network_reads(demo):
    out, printed = demo
    right = int((readings(out) == digits().held_out.targets).sum())
    score = f"{right} of 360 right ({right / 360:.1%})"
    assert f"Of the held-out digits it reads {score}." in printed
    assert f"loaded into a new network, reads {score}." in printed
    assert right / 360 >= AT_LEAST


def test_the_demo_shows_digits_that_it_misreads(demo):
    out, printed = demo
    read, (_, targets) = readings(out), digits().held_out
    captions = re.findall(r"(\d), read as (\d)", printed)
    misread = np.flatnonzero(read != targets)[:4]
    assert captions == [(str(targets[i]), str(read[i])) for i in misread]


def test_the_demo_leaves_pictures_that_fit_a_screen(demo):
    out, _ = demo
    pictures = [
        "digits-confusion.png",
        "digits-logits.png",
        "digits-loss.png",
        "digits-misread.png",
        "digits-neurons.png",
    ]
    assert sorted(file.name for file in out.iterdir()) == sorted([*pictures, "digits-model.json"])
    for name in pictures:
        pixels = imread(out / name)
        assert len(np.unique(pixels)) > 10
        assert pixels.shape[0] <= 1000
        assert pixels.shape[1] <= 1400


def test_a_picture_is_its_image():
    image = [0.0, 1.0, 0.6, 0.1] * 2 + [0.0] * 56
    lines = example("digits").picture(image, "1, read as 7")
    assert lines == ["  @@++..  @@++..", *[" " * 16] * 7, "  1, read as 7  "]


def test_the_neurons_are_shown_as_their_weights_and_a_misread_image_as_itself():
    module = example("digits")
    model, image = module.network(), digits().held_out.inputs[0]
    fields = [field.get_array() for field in module.hidden_neurons(model).axes[0].images]
    weights = [[w.data for w in neuron.weights] for neuron in model.layers[0].neurons]
    assert [field.ravel().tolist() for field in fields] == weights
    inputs = digits().held_out.inputs[:3]
    shown = [np.asarray(field.get_array()).ravel() for field in module.logits(model, inputs).axes[0].images]
    for digit in (0, 9):
        slopes = [grad(lambda x, k=digit: model(x)[k])(x.tolist()) for x in inputs]
        assert shown[digit] == pytest.approx(np.mean(slopes, axis=0) * inputs.std(axis=0), rel=1e-10)
    figure = module.on_paper([image.tolist()], ["0, read as 6"])
    [shown] = figure.axes[0].images
    ink = 1.0 - shown.norm(shown.get_array())  # of black
    assert np.asarray(ink).ravel() == pytest.approx(image)
    assert [text.get_text() for text in figure.axes[0].texts] == ["0, read as 6"]


# ---- microgpt


@pytest.fixture(scope="module")
def microgpt():
    pytest.importorskip("names")
    return example("microgpt")


def nats(model, name):
    """-log p of each token, by arrays: attention with a mask over all places at once."""

    def get(matrix):
        return np.array(state[matrix])

    state = model.state_dict()
    tokens = [ord(letter) - ord("a") for letter in name]
    places = len(tokens) + 1

    def normalised(x):
        return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-5)

    def softmax(z):
        powers = np.exp(z - z.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)

    x = normalised(get("tokens.weights")[[26, *tokens]] + get("places.weights")[:places])
    y = normalised(x)
    q, k, v = (
        (y @ get(f"block.attention.{key}").T).reshape(places, 4, 4).swapaxes(0, 1)
        for key in ("queries", "keys", "values")
    )
    scores = np.where(np.tri(places, dtype=bool), q @ k.swapaxes(1, 2) / 2.0, -np.inf)
    x = x + (softmax(scores) @ v).swapaxes(0, 1).reshape(places, 16) @ get("block.attention.mix").T
    x = x + np.maximum(normalised(x) @ get("block.hidden").T, 0.0) @ get("block.back").T
    return -np.log(softmax(x @ get("logits.weights").T)[range(places), [*tokens, 26]])


def test_microgpt_is_the_transformer_of_its_description(microgpt):
    random.seed(1)
    model = microgpt.MicroGPT()
    assert len(model.parameters()) == 4192
    for name in ("io", "ada"):
        inputs, targets = microgpt.seen_and_next(name)
        loss = microgpt.loss(model(inputs), targets)
        assert loss.data == pytest.approx(nats(model, name).mean(), rel=1e-13)
        model.zero_grad()
        loss.backward()
        eager = {parameter: parameter.grad for parameter in model.parameters()}
        tape = Tape.record(lambda inputs, targets: microgpt.loss(model(inputs), targets), [inputs, targets])
        losses, gradient = tape.value_and_grad([[*inputs, *targets]])
        assert losses == pytest.approx([loss.data], rel=1e-13)
        assert gradient == pytest.approx([eager[parameter] for parameter in tape.parameters], rel=1e-9, abs=1e-14)
    of_each = np.concatenate([nats(model, name) for name in ("io", "ada", "al")])
    assert microgpt.nats_per_token(model, ["io", "ada", "al"]) == pytest.approx(of_each.mean(), rel=1e-13)


def test_microgpt_runs_elsewhere(microgpt):
    onnxruntime = pytest.importorskip("onnxruntime")
    random.seed(1)
    model = microgpt.MicroGPT()
    tape = Tape.record(lambda inputs: [z for logits in model(inputs) for z in logits], [[0.0] * 4])
    exported = tape.to_onnx(names=model.named_parameters())
    session = onnxruntime.InferenceSession(exported.SerializeToString(), providers=["CPUExecutionProvider"])
    batch = np.array([microgpt.seen_and_next(name)[0] for name in ("ada", "bob", "eve")], float)
    [logits] = session.run(None, {"inputs": batch})
    assert logits == pytest.approx(tape.forward(batch), rel=1e-12, abs=1e-14)
    assert {"tokens.weights", "block.attention.mix", "block.hidden", "block.back"} <= {
        matrix.name for matrix in exported.graph.initializer
    }


@pytest.mark.slow
@pytest.mark.skipif(engine == "python", reason="takes a minute")
def test_microgpt_knows_more_of_a_name_than_pairs_of_letters_tell(microgpt):
    """Counts of pairs, smoothed, give 2.344 nats a token."""
    lines = []
    microgpt.print = lambda *words: lines.append(" ".join(map(str, words)))
    microgpt.main()
    printed = "\n".join(lines)
    told = float(re.search(r"Held out: (\S+) nats a token", printed)[1])
    assert told < 2.34
    made_up = printed.partition("It makes up: ")[2].split(", ")
    assert len(made_up) == 20
    assert {*"".join(made_up)} <= {*string.ascii_lowercase}


def test_microgpt_can_know_two_names_by_heart(microgpt):
    random.seed(0)
    model = microgpt.MicroGPT()
    history = microgpt.train(model, ["io", "ada"] * 30, progress=False)
    assert history.eager == ""
    assert np.exp(-nats(model, "io").sum()) + np.exp(-nats(model, "ada").sum()) > 0.9
    assert {microgpt.made_up(model) for _ in range(10)} <= {"io", "ada"}


# ---- moons


def test_moons_gives_the_losses_of_micrograds_demo(tmp_path, monkeypatch, capsys):
    source = (EXAMPLES / "moons.py").read_text(encoding="utf-8")
    assert "steps = 100\n" in source
    (tmp_path / "moons.py").write_text(source.replace("steps = 100\n", "steps = 2\n"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    try:
        monkeypatch.setattr("sys.argv", ["moons.py"])
        moons = runpy.run_path("moons.py", run_name="__main__")
    finally:
        plt.close("all")

    demo = json.loads((EXAMPLES.parent / "tests" / "nn" / "micrograd_demo.json").read_text(encoding="utf-8"))
    assert moons["X"] == pytest.approx(np.array(demo["X"]), rel=1e-12)
    printed = re.findall(r"step \d+ loss (.+), accuracy (.+)%", capsys.readouterr().out)
    assert [float(loss) for loss, _ in printed] == pytest.approx(demo["losses"][:2], rel=1e-12)
    assert [float(accuracy) for _, accuracy in printed] == [50.0, 81.0]
    assert len(np.unique(imread(tmp_path / "out" / "moons.png"))) > 10


# ---- render


NEURON = ["w1=-0.5", "x1=2", "w2=0.75", "x2=-1", "b=2", "n = w1 * x1 + w2 * x2 + b", "y = tanh(n)"]


def neuron():
    w1, x1, w2, x2, b = (
        Value(data, label=label) for label, data in {"w1": -0.5, "x1": 2, "w2": 0.75, "x2": -1, "b": 2}.items()
    )
    n = w1 * x1 + w2 * x2 + b
    y = tanh(n)
    n.label, y.label = "n", "y"
    y.backward()
    return w1, y


def test_render_draws_the_graph_that_it_is_given(tmp_path, capsys):
    w1, y = neuron()
    names = ["y.svg", "deep/er/y.dot", "y.png"]
    files = [str(tmp_path / name) for name in names]
    example("render").main([*NEURON, *files])
    assert capsys.readouterr().out == "".join(f"wrote {file}\n" for file in files)
    picture = draw(y)
    assert [(tmp_path / name).read_bytes() for name in names] == [
        picture.svg.encode(),
        picture.dot.encode(),
        picture.png,
    ]
    options = ["--theme", "dark", "--rankdir", "TB", "--expand", "--highlight", "w1"]
    example("render").main([*NEURON, *options, files[0]])
    asked = draw(y, theme="dark", rankdir="TB", expand=True, highlight=(w1, y))
    assert (tmp_path / "y.svg").read_text(encoding="utf-8") == asked.svg


def test_render_writes_the_page_that_steps_through_the_graph(tmp_path):
    example("render").main([*NEURON, str(tmp_path / "y.html")])
    assert (tmp_path / "y.html").read_text(encoding="utf-8") == explain(neuron()[1]).html


def test_render_draws_several_results_with_the_gradients_of_their_sum(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example("render").main(["a=2", "b=3", "y = [a + b, dot([a, 1], [b, 2])]"])
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    results = [a + b, dot([a, 1.0], [b, 2.0])]
    for result in results:
        result.backward()
    assert (tmp_path / "graph.svg").read_text(encoding="utf-8") == draw(*results).svg
    assert a.grad == 4.0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["x=2", "tanh(x)"],
            "'tanh(x)' is neither name=expression, as \"result = tanh(x)\" would be, nor a file",
        ),
        (["x=1", "x.jpg"], "'x.jpg' is neither name=expression nor a file"),
        (["1x=2", "y.svg"], "'1x=2' does not begin with a name: expected name=expression"),
        (["x=1", "=1"], "'=1' does not begin with a name"),
        (["x=1", "x<=1"], "'x<=1' does not begin with a name"),
        (["a=1", "b=2", "a<b=1"], "'a<b=1' does not begin with a name"),
        (["x=1", "lambda=2"], "'lambda=2' does not begin with a name"),
        (["x=1", "x=y.svg/a=b.svg", "out/a=b.svg"], "'out/a=b.svg' does not begin with a name"),
        (["y=tanh(x)", "y.svg"], "NameError: name 'x' is not defined"),
        (["x=2", "y=x+", "y.svg"], "SyntaxError: invalid syntax"),
        (["x=-1", "y=log(x)", "y.svg"], "ValueError: log(-1.0)"),
        (
            ["x=1", "y='a'", "y.svg"],
            "TypeError: expected the last name=expression to be a Value, or a list of Values, got 'a'",
        ),
        (["y.svg"], "TypeError: expected the last name=expression to be a Value, or a list of Values, got None"),
        (["x=1", "--highlight", "z", "y.svg"], "NameError: name 'z' is not defined"),
        (["a=1", "y=[a, a]", "y.html"], "TypeError: a page steps through one result, got 2"),
    ],
)
def test_render_says_what_is_wrong_and_writes_nothing(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=r"^2$"):
        example("render").main(words)
    assert f"error: {message}" in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []


# ---- data_parallel


def trained_by_hand(epochs, batch_size=96, learning_rate=0.02):
    """Each epoch's mean loss, and the accuracy after: the training as textbooks have it, in matrix products."""
    (images, targets), held_out = digits()
    random.seed(0)
    shuffler = np.random.default_rng(0)
    layers = [layer.neurons for layer in MLP(64, [32, 10]).layers]
    theta = [np.array([[*(w.data for w in neuron.w), neuron.b.data] for neuron in layer]) for layer in layers]
    m, v, t, epoch_losses = [0.0, 0.0], [0.0, 0.0], 0, []

    def with_bias(x):
        return np.column_stack([x, np.ones(len(x))])

    for _ in range(epochs):
        losses = []
        order = shuffler.permutation(len(images))
        for batch in np.split(order, range(batch_size, len(order), batch_size)):
            x, truth = with_bias(images[batch]), np.eye(10)[targets[batch]]
            h = np.tanh(x @ theta[0].T)
            p = np.exp(with_bias(h) @ theta[1].T)
            p /= p.sum(axis=1, keepdims=True)
            losses += (-np.log(p[truth == 1.0])).tolist()
            delta = (p - truth) / len(batch)
            gradients = [(delta @ theta[1][:, :-1] * (1.0 - h**2)).T @ x, delta.T @ with_bias(h)]
            t += 1
            for i, g in enumerate(gradients):
                m[i], v[i] = 0.9 * m[i] + 0.1 * g, 0.999 * v[i] + 0.001 * g**2
                theta[i] = theta[i] - learning_rate * m[i] / (1 - 0.9**t) / (np.sqrt(v[i] / (1 - 0.999**t)) + 1e-8)
        epoch_losses.append(np.mean(losses))

    logits = with_bias(np.tanh(with_bias(held_out.inputs) @ theta[0].T)) @ theta[1].T
    return epoch_losses, np.mean(logits.argmax(axis=1) == held_out.targets)


TEAMS = {"distributed": ([], "2 workers"), "jax": (["--mesh"], "2 devices")}


@pytest.mark.parametrize("library", TEAMS)
def test_the_gradients_of_the_shards_sum_to_the_batchs_and_train_like_it(library, tmp_path):
    pytest.importorskip(library)
    options, team = TEAMS[library]
    own = {"PYTHONPATH": str(EXAMPLES.parent), "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    source = (EXAMPLES / "data_parallel.py").read_text(encoding="utf-8")
    timed = "(96, 960, 9_600, 96_000)"
    assert source.count(timed) == 1
    (tmp_path / "data_parallel.py").write_text(source.replace(timed, "(1, 96)"), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-W", "error", "data_parallel.py", "--epochs=2", *options],
        cwd=tmp_path, env=os.environ | own,
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")

    printed = re.findall(r"mean loss (.+); gradients of (\d+) batches, .*largest relative difference (.+)", run.stdout)
    losses, accuracy = trained_by_hand(epochs=2)
    assert [float(loss) for loss, _, _ in printed] == pytest.approx(losses, abs=1e-6)
    assert [int(batches) for _, batches, _ in printed] == [15, 15]
    assert all(float(difference) < 1e-13 for _, _, difference in printed)
    assert f"the network reads {accuracy:.1%}." in run.stdout
    assert re.search(rf" 1 example: 1 thread \S+, 2 threads \S+, {team} \S+; fastest: ", run.stdout)


# ---- what they say of themselves


COUNTS = {
    (path.stem, option)
    for path in EXAMPLES.glob("*.py")
    for option in re.findall(r'"(--\w+)", type=(?!str)', path.read_text(encoding="utf-8"))
} - {("digits", "--seed"), ("microgpt", "--seed")}


@pytest.mark.parametrize(("name", "option"), sorted(COUNTS))
def test_a_count_is_a_positive_int(name, option, monkeypatch, capsys):
    if name == "microgpt":
        pytest.importorskip("names")
    for given in ("0", "-1", "1.5", "many", ""):
        monkeypatch.setattr("sys.argv", [name, f"{option}={given}"])
        with pytest.raises(SystemExit, match=r"^2$"):
            runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        assert f"argument {option}: expected a positive int, got {given!r}" in capsys.readouterr().err


def test_all_counts_are_known():
    assert {("microgpt", "--steps"), ("digits", "--epochs"), ("data_parallel", "--workers")} <= COUNTS


@pytest.mark.parametrize("name", ["data_parallel", "digits", "moons", "render"])
def test_help_trains_nothing_and_an_unknown_option_is_an_error(name, tmp_path):
    for arguments, status, said in (
        (["--help"], 0, "usage"),
        (["x=1", "--no-such-option"], 2, "no-such-option"),
    ):
        run = subprocess.run(
            [sys.executable, EXAMPLES / f"{name}.py", *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": ROOT},
        )  # fmt: skip
        assert run.returncode == status, run.stderr
        assert said in run.stdout + run.stderr
        assert not [*tmp_path.iterdir()]
