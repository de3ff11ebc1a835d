"""Data sets to learn from: patterns in the plane, drawn from a seed, and real measurements.

`moons`, `circles`, `spirals` and `xor` are two-dimensional patterns; `digits` and `iris` come with scikit-learn;
`zip_codes` are digits whose files a user downloads, so are those of `nettalk_corpus`, words as they are spoken.
`census_names` are words, from the package names; `seen_and_next` has their letters as numbers, `spelt` turns them back.
`laser` is a series in time.

Inputs are float64 arrays of shape (examples, features); targets are int64 arrays of classes, counted from 0.
"""

from nn.datasets.dataset import Dataset, Split
from nn.datasets.laser import laser
from nn.datasets.measured import digits, iris
from nn.datasets.names import NAME_END, NAME_TOKENS, Names, census_names, seen_and_next, spelt
from nn.datasets.nettalk import nettalk_corpus
from nn.datasets.patterns import circles, moons, spirals, xor
from nn.datasets.zip_codes import zip_codes

__all__ = [
    "NAME_END", "NAME_TOKENS", "Dataset", "Names", "Split", "census_names", "circles", "digits", "iris", "laser",
    "moons", "nettalk_corpus", "seen_and_next", "spelt", "spirals", "xor", "zip_codes",
]  # fmt: skip
