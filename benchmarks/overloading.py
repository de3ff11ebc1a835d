"""Contestants whose operators are compiled: C++ libraries that overload them, and XAD by its bindings to Python."""

import ctypes
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy
from workloads import LEARNING_RATE, Array, Expression, Network, Step, by_hand, hinge, relu_of_float


class Library(NamedTuple):
    """A C++ library: what the compiler finds where it looks, or in CPLUS_INCLUDE_PATH and LIBRARY_PATH."""

    header: str
    options: Sequence[str] = ()


# Debian has ADOL-C (libadolc-dev) and Sacado (libtrilinos-sacado-dev, libtrilinos-kokkos-dev). Wheels bring the others'
# headers: cmeel-cppad in cmeel.prefix/include, and httpstan those of Stan Math, beside its libtbb.
LIBRARIES = {
    "DOUBLES": Library("vector"),
    "ADOLC": Library("adolc/adolc.h", ["-ladolc"]),
    "CPPAD": Library("cppad/cppad.hpp"),
    "SACADO": Library("Sacado_trad.hpp", ["-I/usr/include/trilinos"]),
    "STAN": Library("stan/math/rev/core.hpp", ["-ltbb"]),
}


class Overloading:
    """A C++ library, in overloading.cpp; a step is one call through ctypes. Doubles compute the loss alone."""

    def __init__(self, name: str) -> None:
        compiler, library = shutil.which("c++") or "", LIBRARIES[name]
        self.differentiates = name != "DOUBLES"
        if not compiler:
            raise ImportError("a C++ compiler, c++")
        self.command = [compiler, "-std=c++17", "-O3", "-DNDEBUG", f"-DLIBRARY={name}", *library.options]
        looked = [*self.command, "-E", "-x", "c++", "-include", library.header, "/dev/null"]
        if subprocess.run(looked, capture_output=True).returncode:
            raise ImportError(library.header)

    def train(self, network: Network, examples: int) -> Step:
        """Raises ValueError for another loss than that of overloading.cpp."""
        if network.loss != "hinge":
            raise ValueError(f"overloading.cpp computes the hinge loss, not {network.loss}")
        inputs, targets = network.examples(examples)
        arrays = [numpy.array(network.numbers()), inputs, targets.astype(float), numpy.array(network.widths)]
        pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in arrays]  # which keep the arrays
        sizes = len(network.widths), arrays[0].size, examples
        function = self.compiled().train
        function.argtypes = [ctypes.c_void_p] * 4 + [ctypes.c_long] * 3 + [ctypes.c_double] * 2
        function.restype = ctypes.c_double
        call = partial(function, *pointers, *sizes, network.penalty, LEARNING_RATE)
        return lambda: (call(), arrays[0])

    def compiled(self) -> ctypes.CDLL:
        source = str(Path(__file__).with_name("overloading.cpp"))
        with TemporaryDirectory() as folder:
            path = str(Path(folder) / "overloading.so")
            first, *others = self.command  # libraries after what needs them
            subprocess.run([first, "-fPIC", "-shared", "-o", path, source, *others], check=True)
            return ctypes.CDLL(path)

    def numbers(self, outcome: tuple[float, Array]) -> list[float]:
        loss, parameters = outcome
        return [loss, *parameters.tolist()] if self.differentiates else [loss]


class Xad:
    """XAD's numbers in Python, by the same code as this engine's; a tape records a step."""

    differentiates = True

    def __init__(self) -> None:
        from xad.adj_1st import Real, Tape

        self.real, self.tape = Real, Tape

    def gradient(self, compute: Callable[[Sequence[Any]], Any], at: Sequence[float]) -> tuple[float, list[float]]:
        """What is computed from leaves, and its gradient, with these numbers as leaves."""
        with self.tape() as tape:
            leaves = [self.real(number) for number in at]
            tape.registerInputs(leaves)
            tape.newRecording()
            result = compute(leaves)
            tape.registerOutput(result)
            result.derivative = 1.0
            tape.computeAdjoints()
            return result.value, [leaf.derivative for leaf in leaves]

    def expression(self, expression: Expression) -> Step:
        def compute(leaves: Sequence[Any]) -> Any:
            given = iter(leaves)
            return expression.compute(lambda _: next(given), relu_of_float)[0]

        return partial(self.gradient, compute, expression.point())

    def train(self, network: Network, examples: int) -> Step:
        numbers, points = network.numbers(), network.points(examples)

        def loss(parameters: Sequence[Any]) -> Any:
            model = by_hand(network, relu_of_float, parameters)
            return hinge(network.penalty, points, self.real, relu_of_float, model, parameters)

        def step() -> tuple[float, list[float]]:
            result, gradient = self.gradient(loss, numbers)
            numbers[:] = [number - LEARNING_RATE * slope for number, slope in zip(numbers, gradient, strict=True)]
            return result, numbers

        return step

    def numbers(self, outcome: tuple[float, list[float]]) -> list[float]:
        result, others = outcome
        return [result, *others]
