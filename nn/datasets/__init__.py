"""Data sets to learn from: patterns in the plane, drawn from a seed, and real measurements.

`moons`, `circles`, `spirals` and `xor` are two-dimensional patterns; `digits` and `iris` come with scikit-learn.
`nettalk_corpus` reads words and how they are pronounced, from files that a user has downloaded.

Inputs are float64 arrays of shape (examples, features); targets are int64 arrays of classes, counted from 0.
"""

from nn.datasets.dataset import Dataset, Split
from nn.datasets.measured import digits, iris
from nn.datasets.nettalk import nettalk_corpus
from nn.datasets.patterns import circles, moons, spirals, xor

__all__ = ["Dataset", "Split", "circles", "digits", "iris", "moons", "nettalk_corpus", "spirals", "xor"]
