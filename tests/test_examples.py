"""The examples: they run, and what they say and leave behind is true."""

from __future__ import annotations

import importlib.util
import json
import re
import runpy
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.image import imread

from nn.datasets import digits
from nn.layers import MLP

EXAMPLES = Path(__file__).parents[1] / "examples"


def example(name):
    specification = importlib.util.spec_from_file_location(f"examples.{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


# ---- digits


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder that a demo of three epochs leaves, and what it printed."""
    out = tmp_path_factory.mktemp("demo") / "out"
    lines = []
    module = example("digits")
    module.print = lambda *words: lines.append(" ".join(map(str, words)))
    module.main(epochs=3, out=out)
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
    assert right / 360 >= 0.93


def test_the_demo_shows_digits_that_it_misreads(demo):
    out, printed = demo
    read, (_, targets) = readings(out), digits().held_out
    captions = re.findall(r"(\d), read as (\d)", printed)
    misread = np.flatnonzero(read != targets)[:4]
    assert captions == [(str(targets[i]), str(read[i])) for i in misread]


def test_the_demo_leaves_pictures(demo):
    out, _ = demo
    assert sorted(file.name for file in out.iterdir()) == [
        "digits-confusion.png", "digits-loss.png", "digits-model.json", "digits-neuron.svg",
    ]  # fmt: skip
    for name in ("digits-confusion.png", "digits-loss.png"):
        assert len(np.unique(imread(out / name))) > 10
    texts = [text.text for text in ElementTree.parse(out / "digits-neuron.svg").iter() if text.text]
    label = f"logit of {digits().held_out.targets[0]}"
    assert {label, "dot", "b", *(f"{kind}{i}" for kind in "wh" for i in range(16))} <= set(texts)


def test_a_picture_is_its_image():
    image = [0.0, 1.0, 0.6, 0.1] * 2 + [0.0] * 56
    lines = example("digits").picture(image, "1, read as 7")
    assert lines == ["  @@++..  @@++..", *[" " * 16] * 7, "  1, read as 7  "]


def test_the_drawn_neuron_is_the_networks():
    module = example("digits")
    model, image = module.network(), digits().held_out.inputs[0].tolist()
    assert isinstance(model, MLP)
    drawing = module.neuron_drawing(model, image, digit=3)
    assert f"data {model(image)[3].data!r}" in drawing.dot


# ---- moons


def test_moons_gives_the_losses_of_micrograds_demo(tmp_path, monkeypatch, capsys):
    source = (EXAMPLES / "moons.py").read_text(encoding="utf-8")
    assert "steps = 100\n" in source
    (tmp_path / "moons.py").write_text(source.replace("steps = 100\n", "steps = 2\n"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    try:
        moons = runpy.run_path("moons.py", run_name="__main__")
    finally:
        plt.close("all")

    demo = json.loads((EXAMPLES.parent / "tests" / "nn" / "micrograd_demo.json").read_text(encoding="utf-8"))
    assert moons["X"] == pytest.approx(np.array(demo["X"]), rel=1e-12)
    printed = re.findall(r"step \d+ loss (.+), accuracy (.+)%", capsys.readouterr().out)
    assert [float(loss) for loss, _ in printed] == pytest.approx(demo["losses"][:2], rel=1e-12)
    assert [float(accuracy) for _, accuracy in printed] == [50.0, 81.0]
    assert len(np.unique(imread(tmp_path / "out" / "moons.png"))) > 10
