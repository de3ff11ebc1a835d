"""Data sets: the patterns have the shapes that their docstrings say, and the splits never change."""

from __future__ import annotations

import inspect
import math
import sys

import numpy as np
import pytest

from nn.datasets import circles, digits, iris, moons, spirals, xor

PATTERNS = [moons, circles, spirals, xor]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("examples", [1, 4, 101])
def test_shapes_and_balance(pattern, examples):
    inputs, targets = pattern(examples)
    assert (inputs.shape, inputs.dtype) == ((examples, 2), np.float64)
    assert (targets.shape, targets.dtype) == ((examples,), np.int64)
    assert targets.tolist() == [i % 2 for i in range(examples)]
    assert inputs.flags.c_contiguous


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_seed_decides_the_data(pattern):
    np.random.seed(1)  # noqa: NPY002  # the global state, which must not matter
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    assert pattern(50, seed=7).inputs.tolist() == pattern(50, seed=7).inputs.tolist()
    assert pattern(50, seed=7).inputs.tolist() != pattern(50, seed=8).inputs.tolist()
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize("pattern", PATTERNS)
def test_noise_is_normal_with_the_standard_deviation_that_was_asked_for(pattern):
    exact, _ = pattern(20_000, noise=0.0)
    noise = (pattern(20_000, noise=0.3).inputs - exact) / 0.3
    assert noise.mean(axis=0) == pytest.approx([0.0, 0.0], abs=4 / 20_000**0.5)
    assert np.cov(noise.T) == pytest.approx(np.eye(2), abs=0.04)
    assert np.mean(np.abs(noise) < 1) == pytest.approx(0.6827, abs=0.01)


def test_moons_are_half_circles():
    (x, y), targets = moons(500, noise=0.0).inputs.T, moons(500).targets
    upper, lower = targets == 0, targets == 1
    assert np.hypot(x, y)[upper] == pytest.approx(np.ones(250))
    assert np.hypot(x - 1.0, y - 0.5)[lower] == pytest.approx(np.ones(250))
    assert y[upper].min() >= 0.0
    assert y[lower].max() <= 0.5
    assert (x[upper].min(), x[upper].max()) == pytest.approx((-1.0, 1.0), abs=0.01)


def test_circles_have_their_radii():
    inputs, targets = circles(500, noise=0.0)
    assert np.hypot(*inputs.T) == pytest.approx(np.where(targets == 0, 1.0, 0.5))
    quadrants = 2 * (inputs[:, 0] > 0) + (inputs[:, 1] > 0)
    assert np.bincount(quadrants).min() > 90


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_spirals_have_their_arms(classes):
    inputs, targets = spirals(500, classes=classes, turns=1.5, noise=0.0)
    radius = np.hypot(*inputs.T)
    assert radius.max() <= 1.0
    turned = np.arctan2(inputs[:, 1], inputs[:, 0]) / (2 * np.pi) - 1.5 * radius
    distance = (turned - targets / classes + 0.5) % 1.0 - 0.5
    assert distance == pytest.approx(np.zeros(500), abs=1e-12)
    assert targets.tolist() == [i % classes for i in range(500)]


def test_xor_is_the_exclusive_or_of_the_signs():
    inputs, targets = xor(400, noise=0.0)
    corners, counts = np.unique(inputs, axis=0, return_counts=True)
    assert corners.tolist() == [[-1, -1], [-1, 1], [1, -1], [1, 1]]
    assert counts.tolist() == [100] * 4
    assert ((inputs[:, 0] > 0) ^ (inputs[:, 1] > 0)).tolist() == targets.tolist()


NO_COUNTS = [0, -1, 2.0, None, "5", [5], math.nan, 1j, np.ones(2)]
NO_NUMBERS = [math.nan, math.inf, None, "0.1", [0.1], 1j, np.ones(2)]
IMPOSSIBLE = {
    "examples": NO_COUNTS, "classes": NO_COUNTS, "noise": [-0.1, *NO_NUMBERS], "turns": NO_NUMBERS,
    "seed": [0.5, "1", [1], math.nan, 1j],
}  # fmt: skip


@pytest.mark.parametrize("argument", IMPOSSIBLE)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_impossible_patterns(pattern, argument):
    if argument in inspect.signature(pattern).parameters:
        for bad in IMPOSSIBLE[argument]:
            with pytest.raises((TypeError, ValueError), match=rf"^{argument}: expected .*, got "):
                pattern(**{argument: bad})


def test_numbers_of_numpy_are_numbers():
    plain, numpys = (
        spirals(6, classes=3, noise=0.5, seed=2),
        spirals(np.int64(6), classes=np.int8(3), noise=np.float32(0.5), seed=np.int64(2)),
    )
    assert numpys.inputs.tolist() == plain.inputs.tolist()


def test_impossible_spirals():
    with pytest.raises(ValueError, match="classes: expected a positive int, got 0"):
        spirals(classes=0)


# ---- real data


@pytest.mark.parametrize(("load", "name", "scale"), [(digits, "load_digits", 16.0), (iris, "load_iris", 1.0)])
def test_the_two_parts_are_the_whole(load, name, scale):
    from sklearn import datasets

    training, held_out = load()
    inputs, targets = getattr(datasets, name)(return_X_y=True)
    whole = [(*row, target) for row, target in zip((inputs / scale).tolist(), targets.tolist(), strict=True)]
    parts = [
        (*row, target)
        for part in (training, held_out)
        for row, target in zip(*map(np.ndarray.tolist, part), strict=True)
    ]
    assert sorted(parts) == sorted(whole)
    for part in (training, held_out):
        assert (part.inputs.dtype, part.targets.dtype) == (np.float64, np.int64)


def test_digits():
    training, held_out = digits()
    assert (training.inputs.shape, held_out.inputs.shape) == ((1437, 64), (360, 64))
    for part in (training, held_out):
        assert (part.inputs.min(), part.inputs.max()) == (0.0, 1.0)
    balance = np.bincount(held_out.targets)
    assert balance.tolist() == [36, 36, 36, 36, 37, 36, 36, 36, 35, 36]
    whole = np.array([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])  # as the repository's description counts them
    assert np.bincount(training.targets).tolist() == (whole - balance).tolist()


def test_no_digit_is_in_both_parts():
    training, held_out = ({row.tobytes() for row in part.inputs} for part in digits())
    assert not training & held_out


def test_the_held_out_digits_are_always_the_same():
    from sklearn import datasets

    _, (inputs, targets) = digits()
    pixels, answers = datasets.load_digits(return_X_y=True)
    by_digit = sorted(range(1797), key=lambda i: (answers[i], i))
    assert (16 * inputs).tolist() == pixels[sorted(by_digit[::5])].tolist()
    assert targets[:12].tolist() == [0, 2, 4, 7, 1, 6, 8, 9, 5, 3, 0, 2]
    assert 16 * inputs.sum() == 111_804


def test_iris():
    training, held_out = iris()
    assert np.bincount(training.targets).tolist() == [40, 40, 40]
    assert np.bincount(held_out.targets).tolist() == [10, 10, 10]
    assert held_out.inputs[:2].tolist() == [[5.1, 3.5, 1.4, 0.2], [5.4, 3.9, 1.7, 0.4]]


@pytest.mark.parametrize("load", [digits, iris])
def test_without_scikit_learn_it_is_said_what_to_install(load, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r'pip install "scalar-autograd\[datasets\]"'):
        load()
