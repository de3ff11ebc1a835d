#!/usr/bin/env bash
# numpy.ma 2.4.6 takes the attribute _data of any object for its numbers, also of one that refuses NumPy and float().
#
# A scalar of a graph, as autodiff engines have it, may call its number so. With __array_ufunc__ = None and a __float__
# that raises, NumPy's arrays leave an operation to it, and so do masked arrays where it has the operator. But
# numpy.ma.getdata, which numpy.ma's functions and assignments into masked arrays call, reads _data. Seen:
#
#     numpy.sqrt(x)           TypeError: operand 'Node' does not support ufuncs
#     numpy.ma.sqrt(x)        1.7320508075688772
#     a masked array, m[0] = x    3.0 is stored
#
# The number leaves the graph in silence, and the derivative is lost. A class needs another name for the attribute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet numpy==2.4.6
"$folder/bin/python" - <<'END'
import numpy


class Node:
    __array_ufunc__ = None

    def __init__(self, number):
        self._data = number

    def __float__(self):
        raise TypeError("a node is no float")


class Renamed(Node):
    def __init__(self, number):
        self.number = number


def refused(function):
    try:
        function()
    except TypeError as error:
        return str(error)
    return ""


x, masked = Node(3.0), numpy.ma.array([1.0, 2.0])
masked[0] = x
print(refused(lambda: numpy.sqrt(x)), numpy.ma.sqrt(x), numpy.ma.getdata(x), masked)
assert refused(lambda: numpy.sqrt(x))
assert numpy.ma.sqrt(x) == 3.0**0.5
assert masked[0] == 3.0
assert refused(lambda: numpy.array([1.0, 2.0]).__setitem__(0, x))
assert refused(lambda: masked.__setitem__(0, Renamed(3.0)))
END
