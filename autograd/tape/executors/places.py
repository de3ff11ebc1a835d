"""Places are where numbers stand in an array, to be read and added to: without a copy, where they are in line."""

from __future__ import annotations

from autograd.packages import numpy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from autograd.tape.executors.executor import Array


class Places:
    """Some places of an array, all or not all different: to read there, and to add to."""

    def __init__(self, places: Sequence[int]) -> None:
        self.index = index_of(places)
        self.are_different = len({*places}) == len(places)

    def add(self, array: Array, numbers: Array) -> None:
        if not self.are_different:
            numpy.add.at(array, self.index, numbers)
        elif isinstance(self.index, slice):
            view = array[self.index]
            numpy.add(view, numbers, out=view)
        else:
            array[self.index] += numbers


def index_of(places: Sequence[int]) -> Any:  # Any: what arrays are indexed with
    """The places as a slice, if they are equally far from each other: then nothing is copied."""
    if not places:
        return slice(0, 0)
    first, last = places[0], places[-1]
    step = places[1] - first if len(places) > 1 else 1
    is_slice = len(places) == 1 or (
        step > 0 and (first < 0) == (last < 0) and [*places] == [*range(first, last + 1, step)]
    )
    return slice(first, last + 1 or None, step) if is_slice else numpy.array(places)


class Matrix:
    """Places of an array, (neurons, inputs). Where they are equally far from each other, nothing is copied."""

    def __init__(self, places: Sequence[Sequence[int]]) -> None:
        self.places = numpy.array(places, int)
        self.are_different = len(numpy.unique(self.places)) == self.places.size
        steps = [numpy.diff(self.places, axis=axis) for axis in (0, 1)]
        self.is_regular = self.places.min() >= 0 and all((each == each[:1, :1]).all() for each in steps)
        self.strides = [8 * int(each[0, 0]) if each.size else 0 for each in steps]

    def view(self, array: Array) -> Array:
        return numpy.ndarray(self.places.shape, float, array, 8 * self.places[0, 0], self.strides)

    def read(self, array: Array) -> Array:
        return self.view(array) if self.is_regular else array[self.places]

    def add(self, array: Array, numbers: Array) -> None:
        if not self.are_different:
            numpy.add.at(array, self.places, numbers)
        elif self.is_regular:
            view = self.view(array)
            numpy.add(view, numbers, out=view)
        else:
            array[self.places] += numbers
