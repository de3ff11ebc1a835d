"""The laser of the Santa Fe competition: a chaotic series of numbers, of which the next hundred were to be foretold.

The project brings its first 1,100 values along, in santafe_laser.txt, which says whose they are, and their licence.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from autograd.packages import numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = "santafe_laser.txt"
KNOWN, CONTINUATION = 1000, 100  # how many values the competitors had, and how many they had to foretell
SHA256 = "6b56a9bd4b5782556823e7c021e466aed445af467a9ed0062e86b42b663313cb"  # of the values, a byte each


class Series(NamedTuple):
    """Values that are known, in the order of time, and those that came next."""

    known: NDArray[numpy.float64]
    continuation: NDArray[numpy.float64]


def laser() -> Series:
    """The intensity of a far-infrared laser at equal steps of time: 1,000 values that are known, and the next 100.

    They are whole numbers from 0 to 255. The intensity swings with a period of about 7 steps, ever stronger, until it
    collapses; how soon it does so next, and how far, is chaotic.

    Raises ValueError if the file that the project brings along has been changed.
    Sources: U. Huebner, N. B. Abraham and C. O. Weiss, "Dimensions and entropies of chaotic intensity pulsations in a
    single-mode far-infrared NH3 laser", Physical Review A 40, 1989; A. S. Weigend and N. A. Gershenfeld (editors),
    "Time Series Prediction", 1993, series A; the file is from reservoirpy 0.4.2, by X. Hinaut and others, MIT.

    >>> known, continuation = laser()
    >>> known[:4].tolist(), continuation[:4].tolist()
    ([86.0, 141.0, 95.0, 41.0], [72.0, 178.0, 122.0, 36.0])
    """
    values = values_in(files(__package__).joinpath(FILE).read_text("ascii"))
    return Series(values[:KNOWN], values[KNOWN:])


def values_in(text: str) -> NDArray[numpy.float64]:
    """All values of the file. Lines that begin with # are no values. Raises ValueError for any others than its own."""
    words = [word for line in text.splitlines() if not line.startswith("#") for word in line.split()]
    try:
        values = bytes(map(int, words))
    except ValueError:
        strange = next(word for word in words if not (word.isdecimal() and int(word) < 256))
        raise ValueError(f"{FILE}: expected whole numbers from 0 to 255, got {strange[:60]!r}") from None
    if len(values) != KNOWN + CONTINUATION:
        raise ValueError(f"{FILE}: expected {KNOWN + CONTINUATION:,} values, got {len(values):,}: is it whole?")
    if hashlib.sha256(values).hexdigest() != SHA256:
        raise ValueError(f"{FILE}: its values are others than those of the laser: install the package anew")
    return numpy.frombuffer(values, numpy.uint8).astype(numpy.float64)
