"""Patterns have the shapes that their docstrings say, and a seed decides them."""

from __future__ import annotations

import inspect
import math
from fractions import Fraction

import numpy as np
import pytest

from nn.datasets import circles, moons, spirals, xor

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
    "examples": NO_COUNTS, "classes": NO_COUNTS, "noise": [-0.1, 1e308, *NO_NUMBERS], "turns": [1e308, *NO_NUMBERS],
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
    fractions = spirals(6, classes=3, turns=Fraction(1), noise=Fraction(1, 2), seed=2)
    assert fractions.inputs.dtype == float
    assert fractions.inputs.tolist() == plain.inputs.tolist()


def test_impossible_spirals():
    with pytest.raises(ValueError, match="classes: expected a positive int, got 0"):
        spirals(classes=0)
