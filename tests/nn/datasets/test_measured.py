"""The real data sets are those of their sources, and their splits never change."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from nn.datasets import digits, iris


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
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        load()
