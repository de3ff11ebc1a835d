"""fast_math.h against 60 digits: each function is within 2 units in the last place, fused or not.

So is it where the native executor computes it, for whatever its blocks of examples are compiled.
"""

from __future__ import annotations

import math
import platform
import shutil
from ctypes import c_void_p
from pathlib import Path

import mpmath
import numpy as np
import pytest

import autograd
from autograd import Tape, Value, native
from autograd.tape.executors import compiling

HEADER = Path(native.__file__).with_name("fast_math.h")
NAMES = ["exp", "log", "log1p", "tanh", "erf", "sin", "cos"]
N = 400
TEXT = f'#include "{HEADER}"\n' + "".join(
    f"void {name}_of_all(ptrdiff_t *n, const double *x, double *r) {{ fast_{name}_lanes(*n, x, r); }}\n"
    for name in NAMES
)


@pytest.fixture(scope="module", params=["off", "fast", "baseline", "avx2", "avx512"])
def computed(request, tmp_path_factory):
    """computed(name, x), compiled with multiplications and additions fused, and not; and by the native executor."""
    return by_executor(request.param) if request.param in SETS else by_library(request.param, tmp_path_factory)


SETS = ("baseline", "avx2", "avx512")


def by_executor(instruction_set):
    if autograd.engine != "native":
        pytest.skip("the native engine is not in use")

    def computed(name, x):
        leaf = Value(0.5)
        wengert = Tape(getattr(autograd, name)(leaf), [leaf])._wengert
        try:
            program = native.engine.Program(wengert.parts(), instruction_set, True)
        except ValueError as error:
            pytest.skip(str(error))
        result = np.empty((len(x), 1))
        program.replay(len(x), np.array(x, float), np.empty(0), result, None, None, None, 1)
        return result[:, 0]

    return computed


def by_library(contracted, tmp_path_factory):
    if compiling.missing():
        pytest.skip(compiling.missing())
    folder = tmp_path_factory.mktemp("cache") / "compiled"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "platform_folder", lambda: folder)
        library = compiling.compiled(TEXT, ("-O2", f"-ffp-contract={contracted}"))

    def computed(name, x):
        x, result, count = np.array(x, float), np.empty(len(x)), np.array([len(x)])
        getattr(library, f"{name}_of_all")(*(c_void_p(array.ctypes.data) for array in (count, x, result)))
        return result

    return computed


def points(name):
    source = np.random.default_rng(5)
    signs = source.choice([-1.0, 1.0], N)
    small = 10.0 ** source.uniform(-323.0, 0.0, N) * signs
    near = source.uniform(-1.5, 1.5, N)
    own = {
        "exp": [source.uniform(-745.0, 709.7, N), small, near],
        "log": [np.exp(source.uniform(-744.0, 709.0, N)), abs(small), 1.0 + near / 100.0, source.uniform(0.5, 2.0, N)],
        "log1p": [small, near[near > -1.0], np.exp(source.uniform(-40.0, 709.0, N)), abs(near) * 1e-9 - 1.0],
        "tanh": [source.uniform(-22.0, 22.0, N), small, near],
        "erf": [source.uniform(-6.5, 6.5, N), small, near],
        "sin": [source.uniform(-1e6, 1e6, N), small, 3.0 * near, source.integers(-999, 999, N) * np.pi / 2.0],
        "cos": [source.uniform(-1e6, 1e6, N), small, 3.0 * near, source.integers(-999, 999, N) * np.pi / 2.0],
    }
    return np.concatenate(own[name])


@pytest.mark.parametrize("name", NAMES)
def test_within_two_units_in_the_last_place(computed, name):
    x = points(name)
    found = computed(name, x).tolist()
    with mpmath.workdps(60):
        for number, mine in zip(x.tolist(), found, strict=True):
            truth = getattr(mpmath, name)(mpmath.mpf(number))
            unit = mpmath.mpf(math.ulp(float(truth)))
            assert abs(mpmath.mpf(mine) - truth) <= 2 * unit, number


INF, NAN = math.inf, math.nan
EDGES = {
    "exp": [(INF, INF), (-INF, 0.0), (0.0, 1.0), (-0.0, 1.0), (709.79, INF), (1e300, INF), (-746.0, 0.0)],
    "log": [(INF, INF), (-INF, NAN), (0.0, -INF), (-0.0, -INF), (1.0, 0.0), (-1.0, NAN), (-5e-324, NAN)],
    "log1p": [(INF, INF), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (-1.5, NAN), (5e-324, 5e-324)],
    "tanh": [(INF, 1.0), (-INF, -1.0), (0.0, 0.0), (-0.0, -0.0), (1e300, 1.0), (5e-324, 5e-324)],
    "erf": [(INF, 1.0), (-INF, -1.0), (0.0, 0.0), (-0.0, -0.0), (1e300, 1.0), (-5e-324, -5e-324)],
    "sin": [(INF, NAN), (0.0, 0.0), (-0.0, -0.0), (1e300, math.sin(1e300)), (-2e6, math.sin(-2e6)), (5e-324, 5e-324)],
    "cos": [(-INF, NAN), (0.0, 1.0), (-0.0, 1.0), (1e300, math.cos(1e300)), (-2e6, math.cos(-2e6))],
}


@pytest.mark.parametrize("name", NAMES)
def test_edges(computed, name):
    x, expected = map(list, zip(*EDGES[name], (NAN, NAN), strict=True))
    for shift in range(3):  # so that each is in a vector, and in the rest behind the vectors
        found = computed(name, [0.5] * shift + x + [0.5] * 8)[shift : shift + len(x)]
        alike = (found == expected) & (np.signbit(found) == np.signbit(expected)) | np.isnan(found) & np.isnan(expected)
        assert alike.all(), [*zip(x, found, expected, strict=True)]


@pytest.mark.skipif(
    not shutil.which("gcc") or platform.machine() not in ("x86_64", "AMD64"), reason="asks gcc, of x86-64"
)
def test_the_loops_become_vectors(tmp_path):
    command = ["gcc", "-O3", "-mavx2", "-fno-math-errno", "-fno-trapping-math", "-fopt-info-vec", "-c"]
    strict = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-x", "c", "-", "-o", str(tmp_path / "o")]
    said = compiling.run([*command, *strict], TEXT)
    assert said.returncode == 0, said.stderr
    lines = HEADER.read_text(encoding="utf-8").splitlines()
    of_functions = {number for number, line in enumerate(lines, 1) if line.startswith(("FAST_LANES(", "FAST_ANGLES("))}
    vectorised = {int(line.split(":")[1]) for line in said.stderr.splitlines() if "loop vectorized" in line}
    assert len(of_functions) == len(NAMES)
    assert of_functions <= vectorised
