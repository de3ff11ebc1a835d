"""Handwritten digits of zip codes, from envelopes of the U.S. Postal Service; a user downloads the two files.

They have no licence, so the project does not bring them along.
"""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

from autograd.packages import numpy
from autograd.wording import counted
from nn.datasets.dataset import Dataset, Split
from nn.datasets.downloads import downloaded

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from numpy.typing import NDArray

SOURCE = 'it is among the data of the book "The Elements of Statistical Learning", on its website, under "ZIP code"'
# Of each file: how many digits it has, and the CRC-32 of their classes in order, a byte each. The pixels are not in it:
# there are copies of the files with other numbers of decimals.
CLASSES = {"zip.train.gz": (7291, 0x48824AD5), "zip.test.gz": (2007, 0x36245F5F)}
PIXELS = 256


def zip_codes(folder: str | os.PathLike[str] | None = None) -> Split:
    """9,298 handwritten digits from envelopes, images of 16×16 pixels: 7,291 to learn from and 2,007 held out.

    Returns inputs of 256 pixels, row by row, from -1 (paper) to 1 (ink); targets 0 to 9, the digit. The order is that
    of the files. The digits held out are known to be harder than the others; people, too, misread 2.5 % of them.

    Arguments:
        folder: where the files zip.train.gz and zip.test.gz are, see `nn.datasets.downloads.downloaded`.

    Raises FileNotFoundError if one is missing, which says where to get it; ValueError, which says why, if one is
    damaged, is another file, or has its digits in another order.
    Sources: T. Hastie, R. Tibshirani and J. Friedman, "The Elements of Statistical Learning", 2001; Y. LeCun et al.,
    "Backpropagation applied to handwritten zip code recognition", Neural Computation 1, 1989; the errors of people:
    J. Bromley and E. Säckinger, "Neural-network and k-nearest-neighbor classifiers", AT&T, 1991.
    """
    return Split(*[digits_in(downloaded(name, SOURCE, folder)) for name in CLASSES])


def digits_in(path: Path) -> Dataset:
    """The digits of a file: a line has the class, and the pixels."""
    try:
        numbers = numbers_in(path)
        targets = numbers[:, 0].astype(numpy.int64)
        if not numpy.isin(numbers[:, 0], range(10)).all() or not (abs(numbers) <= [[9.0] + [1.0] * PIXELS]).all():
            raise ValueError("expected a digit from 0 to 9 in each line, and then pixels from -1 to 1")
        count, checksum = CLASSES[path.name]
        if len(targets) != count:
            raise ValueError(f"expected {counted(count, 'digit')}, got {len(targets):,}")
        if zlib.crc32(targets.astype(numpy.uint8).tobytes()) != checksum:
            raise ValueError("it has other digits than expected, or in another order")
    except ValueError as error:
        raise ValueError(f"{path}: {error}; get the file anew: {SOURCE}") from None
    return Dataset(numbers[:, 1:].copy(), targets)


def numbers_in(path: Path) -> NDArray[numpy.float64]:
    """(lines, 1 + pixels). Raises ValueError for what are no such numbers."""
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            lines = file.read().splitlines()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"it is damaged, or not compressed by gzip ({error})") from None
    except UnicodeDecodeError:
        raise ValueError("expected a text of numbers, got bytes that are none") from None
    if not any(line.strip() for line in lines):
        raise ValueError("it is empty")
    numbers = numpy.loadtxt(lines, comments=None, ndmin=2)
    if numbers.shape[1] != 1 + PIXELS:
        raise ValueError(f"expected {1 + PIXELS} numbers in each line, got {numbers.shape[1]}")
    return numbers
