"""Colours of a Hessian's columns: those of one colour are found together, by one product of the Hessian with a vector.

The vector has 1.0 for each column of the colour. An entry h_ij can be read from the product's element i if no other
column of that colour has an entry in row i; by symmetry, from element j for the colour of column i. A colouring from
which every entry can be read in one of these ways is a star colouring of the graph in which i and j are neighbours
where h_ij may not be 0: neighbours have two colours, and every path of four has three.

Sources: A. R. Curtis, M. J. D. Powell, J. K. Reid, "On the estimation of sparse Jacobian matrices", 1974;
T. F. Coleman, J. J. Moré, "Estimation of sparse Hessian matrices and graph coloring problems", 1984;
A. H. Gebremedhin, F. Manne, A. Pothen, "What color is your Jacobian? Graph coloring for computing derivatives", 2005,
whose greedy algorithm this is.
"""

from __future__ import annotations

from itertools import count

from autograd.packages import numpy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Indices = NDArray[numpy.intp]

FEW, CROWDED = 64, 4  # of more columns, of which a fourth of all pairs are neighbours, each has its own colour


def star_colouring(neighbours: Sequence[set[int]]) -> list[int]:
    """The colour of each column, 0, 1, ...

    Arguments:
        neighbours: of each column the others with which it has an entry; symmetric.

    >>> star_colouring([{1}, {0, 2}, {1, 3}, {2, 4}, {3}])  # entries next to the diagonal
    [0, 1, 0, 2, 0]
    >>> star_colouring([{1, 2, 3}, {0}, {0}, {0}])  # in the first row and column
    [0, 1, 1, 1]
    """
    n = len(neighbours)
    if n > FEW and CROWDED * sum(map(len, neighbours)) > n * n:
        return list(range(n))
    colours = [-1] * n
    for column in range(n):
        forbidden: set[int] = set()
        for near in neighbours[column]:
            forbidden.add(colours[near])
            for far in neighbours[near] - {column}:
                if colours[near] < 0 or closes_path(neighbours, colours, near, far):
                    forbidden.add(colours[far])
        colours[column] = next(colour for colour in count() if colour not in forbidden)
    return colours


def closes_path(neighbours: Sequence[set[int]], colours: Sequence[int], near: int, far: int) -> bool:
    """Whether beyond the far column there is one of the near one's colour: two colours would take turns on four."""
    return any(colours[beyond] == colours[near] and beyond != near for beyond in neighbours[far])


def sources(rows: Indices, columns: Indices, colours: Sequence[int]) -> tuple[Indices, Indices]:
    """Of each entry, the colour from whose product it is read, and the place there: for h_ij and h_ji the same one.

    Arguments:
        rows, columns: where there are entries, row by row; symmetric.

    Unless another column of j's colour has an entry in row i, h_ij stands at i in the product of that colour. Else it
    stands, as h_ji, at j in the product of i's colour.
    """
    of_column, n = numpy.array(colours, numpy.intp)[columns], len(colours)
    _, cell, counts = numpy.unique(rows * n + of_column, return_inverse=True, return_counts=True)
    is_shared = counts[cell] > 1
    transposed = numpy.lexsort((rows, columns))  # of each entry, which one is h_ji
    is_lower = rows > columns
    is_shared = numpy.where(is_lower, is_shared[transposed], is_shared)
    is_own = is_shared == is_lower  # read as h_ij itself, and not as h_ji
    of_row = numpy.array(colours, numpy.intp)[rows]
    return numpy.where(is_own, of_column, of_row), numpy.where(is_own, rows, columns)
