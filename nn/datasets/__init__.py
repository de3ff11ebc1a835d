"""Data sets to learn from: patterns in the plane, drawn from a seed, and real measurements.

`moons`, `circles`, `spirals` and `xor` are two-dimensional patterns; `digits` and `iris` come with scikit-learn.
`census_names` are words, from the package names; `nn.datasets.names` has their letters as numbers.

Inputs are float64 arrays of shape (examples, features); targets are int64 arrays of classes, counted from 0.
"""

from nn.datasets.dataset import Dataset, Split
from nn.datasets.measured import digits, iris
from nn.datasets.names import Names, census_names
from nn.datasets.patterns import circles, moons, spirals, xor

__all__ = ["Dataset", "Names", "Split", "census_names", "circles", "digits", "iris", "moons", "spirals", "xor"]
