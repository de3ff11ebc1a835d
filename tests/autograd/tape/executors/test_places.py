"""Places: what is read and added there is what a loop would do."""

from __future__ import annotations

import numpy as np
import pytest

from autograd.tape.executors.places import Matrix, Places, index_of


@pytest.mark.parametrize(
    "places", [[], [3], [-2], [0, 1, 2], [2, 5, 8], [-3, -2, -1], [-1, 0, 1], [3, 2], [1, 1], [0, 1, 3]], ids=str
)
def test_places(places):
    numbers = np.arange(10.0)
    assert numbers[index_of(places)].tolist() == [numbers[k] for k in places]
    Places(places).add(numbers, np.full(len(places), 0.5))
    expected = np.arange(10.0)
    for k in places:
        expected[k] += 0.5
    assert numbers.tolist() == expected.tolist()


MATRICES = [
    [[0]], [[2, 3], [4, 5]], [[0, 1], [3, 4]], [[1, 3], [2, 4]], [[4, 4], [4, 4]], [[0, 1], [0, 1]], [[0, 1], [2, 4]],
    [[-2, -1]], [[-1, 0]], [[5, 4], [3, 2]], [[7], [2]], [[0, 1, 2], [3, 4, 5], [6, 7, 9]],
]  # fmt: skip


@pytest.mark.parametrize("places", MATRICES, ids=str)
def test_matrices(places):
    numbers, matrix = np.arange(10.0), Matrix(places)
    assert matrix.read(numbers).tolist() == [[numbers[k] for k in row] for row in places]
    matrix.add(numbers, np.full(np.shape(places), 0.5))
    expected = np.arange(10.0)
    for k in np.ravel(places):
        expected[k] += 0.5
    assert numbers.tolist() == expected.tolist()
