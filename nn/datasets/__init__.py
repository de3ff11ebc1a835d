"""Data sets to learn from: patterns in the plane, drawn from a seed, and real measurements.

`moons`, `circles`, `spirals` and `xor` are two-dimensional patterns; `digits` and `iris` come with scikit-learn;
`zip_codes` are digits whose files a user downloads.

Inputs are float64 arrays of shape (examples, features); targets are int64 arrays of classes, counted from 0.
"""

from nn.datasets.dataset import Dataset, Split
from nn.datasets.measured import digits, iris
from nn.datasets.patterns import circles, moons, spirals, xor
from nn.datasets.zip_codes import zip_codes

__all__ = ["Dataset", "Split", "circles", "digits", "iris", "moons", "spirals", "xor", "zip_codes"]
