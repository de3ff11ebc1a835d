"""A data set is unpacked as what it is: inputs and targets, or examples to learn from and held out."""

from __future__ import annotations

import numpy as np

from nn.datasets import Dataset, Split


def test_they_are_unpacked_and_named():
    first, second = (Dataset(np.zeros((n, 2)), np.arange(n)) for n in (3, 1))
    (inputs, targets), held_out = Split(first, second)
    assert inputs is first.inputs
    assert targets is first.targets
    assert held_out is second
