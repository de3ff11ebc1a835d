"""Star colourings: from the products of a random symmetric matrix with the colours, every entry can be read."""

from __future__ import annotations

import random

import numpy as np
import pytest

from autograd.tape.colouring import sources, star_colouring


def graph_of(matrix):
    return [{j for j, entry in enumerate(row) if entry and j != i} for i, row in enumerate(matrix)]


def read_from_products(matrix):
    neighbours = graph_of(matrix)
    colours = star_colouring(neighbours)
    directions = np.equal.outer(range(max(colours) + 1), colours).astype(float)
    products = directions @ matrix
    found, entries = np.zeros(matrix.shape), np.nonzero(matrix)
    places = sources(*entries, colours)
    found[entries] = products[places]
    one = dict(zip(zip(*entries, strict=True), zip(*places, strict=True), strict=True))
    assert all(one[i, j] == one[j, i] for i, j in one)
    return found, max(colours) + 1


@pytest.mark.parametrize("seed", range(40))
def test_every_entry_can_be_read(seed):
    source = random.Random(seed)
    n, density = source.randint(1, 25), source.choice([0.02, 0.1, 0.3, 0.9])
    matrix = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            if i == j or source.random() < density:
                matrix[i, j] = matrix[j, i] = source.randint(1, 9)
    found, count = read_from_products(matrix)
    assert found.tolist() == matrix.tolist()
    assert count <= n


@pytest.mark.parametrize(("offsets", "most"), [([0], 1), ([0, 1], 3), ([0, 1, 2], 5), ([0, 3], 4)])
def test_bands_take_few_colours(offsets, most):
    matrix = sum(np.eye(30, k=k) + np.eye(30, k=-k) for k in offsets)
    found, count = read_from_products(matrix)
    assert found.tolist() == matrix.tolist()
    assert count <= most


def test_an_arrowhead_takes_two_colours_by_symmetry():
    matrix = np.eye(40)
    matrix[0, :] = matrix[:, 0] = 1.0
    found, count = read_from_products(matrix)
    assert found.tolist() == matrix.tolist()
    assert count == 2  # and all of its columns meet in the first row


def test_a_crowded_matrix_has_a_colour_for_each_column():
    assert star_colouring(graph_of(np.ones((80, 80)))) == [*range(80)]
    assert star_colouring(graph_of(np.ones((5, 5)))) == [0, 1, 2, 3, 4]
    assert star_colouring([]) == []
