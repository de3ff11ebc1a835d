"""What is written over the lanes of a block computes what kernels.py writes for one example; both are compiled here."""

from __future__ import annotations

import ctypes
import math
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from autograd.native import kernels, lane_rows
from autograd.operation import Operation
from autograd.operations import OPERATIONS

LANES = 9
NUMBERS = [0.3, -1.7, 2.5, 0.0, -0.0, 800.0, -5e-324, math.inf, math.nan, 1.0, -0.25]

OPERATIONS_H = (Path(kernels.__file__).parent / "operations.h").read_text(encoding="utf-8")

HEAD = """
#include <math.h>
#include <stddef.h>
#include <stdbool.h>
typedef ptrdiff_t Py_ssize_t;
enum { FOLD = 128 };
#define filled_up(lanes) (lanes)
static bool some(double *const *pushed, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++) if (pushed[i] != NULL) return true;
    return false;
}
static void call_sorted(double (*function)(double), const double *operand, double *result, Py_ssize_t lanes)
{
    for (Py_ssize_t l = lanes; l-- > 0;) result[l] = function(operand[l]);
}
#define ALWAYS_INLINE static inline
""" + OPERATIONS_H[OPERATIONS_H.index("ALWAYS_INLINE bool is_place") : OPERATIONS_H.index("extern const unsigned long")]


def row(name, compute, sequences=0):
    """Its derivative by each operand is made of the value, so that it uses whatever that does."""

    def of_scalar(m, r, *operands):
        return compute(m, *operands) * r

    def of_sequence(m, r, v, *others):
        return [(compute(m, v, *others) - a) * r for a in v]

    partials = [of_sequence if k < sequences else of_scalar for k in range(compute.__code__.co_argcount - 1)]
    return Operation(name, name, "", compute, partials, samples=[], sequences=sequences)


def softmax_like(m, v, s):
    """A term that is needed again, with calls of both kinds in it."""
    return m.sum([m.exp(m.tanh(a) * s) for a in v]) + m.largest(v)


ROWS = [
    row("constant", lambda m, x, y: 0.1),
    row(
        "choices", lambda m, x, y: m.where((x < 0) | (y > 1), m.where(x <= y, -x, abs(y)), m.where(x < math.inf, x, y))
    ),
    row("calls", lambda m, x, y: m.tanh(x) + m.atan2(x, y) * m.erf(y) - m.exp(x - y) + m.log1p(m.exp(x))),
    row("constant_calls", lambda m, x, y: m.tanh(0.5) * x + m.exp(m.expm1(y)) + m.power(2.0, y)),
    row("sums", lambda m, v, s: m.sum(v) + m.sum([a * a - s for a in v], s), 1),
    row(
        "sums_in_each_other", lambda m, v, s: m.sum([(a - m.sum(v)) * (a - m.sum(v)) for a in v]) + m.largest(v) * s, 1
    ),
    row("softmax_like", softmax_like, 1),
    row("choices_of_elements", lambda m, v, s: m.sum([m.where(a > s, m.relu(a), m.exp(a)) for a in v]), 1),
    *OPERATIONS.values(),
]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or sys.platform == "win32":
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("lane_rows")
    texts = [
        text
        for each in ROWS
        for text in (
            kernels.value_kernel(each), lane_rows.exponentials(each), lane_rows.values(each),
            lane_rows.all_pushes(each),
            *(write(each, k) for k in range(len(each.partials)) for write in (kernels.partial_kernel, lane_rows.push)),
        )
    ]  # fmt: skip
    texts.sort(key=lambda text: "_push(" in text)  # what calls the others stands after them
    text = HEAD + "".join(texts)
    (folder / "rows.c").write_text(re.sub("ALWAYS_INLINE |LANES_INLINE ", "", text), encoding="utf-8")
    flags = ["-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, "rows.c", "-o", "rows.so", "-lm"], cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "rows.so"))


def floats(numbers):
    return (ctypes.c_double * len(numbers))(*numbers)


def pointers(arrays):
    return (ctypes.c_void_p * len(arrays))(*[None if array is None else ctypes.addressof(array) for array in arrays])


def bits(numbers):
    return ["nan" if math.isnan(number) else struct.pack("d", number).hex() for number in numbers]


@pytest.mark.parametrize("operation", ROWS, ids=lambda operation: operation.name)
def test_each_lane_has_the_numbers_of_one_example(library, operation):
    size, n, name = ctypes.c_ssize_t, 3 if operation.sequences else 1, operation.name
    count = operation.sequences * n + len(operation.operands) - operation.sequences
    operands = [[NUMBERS[(lane + 4 * k + lane * k) % len(NUMBERS)] for lane in range(LANES)] for k in range(count)]
    arrays, result = [floats(numbers) for numbers in operands], floats([0.0] * LANES)
    if lane_rows.exponentials(operation):
        found = [floats([0.0] * LANES) for _ in arrays]
        library[f"{name}_exponentials"](size(LANES), size(n), pointers(arrays), pointers(found))
        arrays += found
    library[f"{name}_values"](size(LANES), size(n), pointers(arrays), result)
    value = library[f"{name}_value"]
    value.restype = ctypes.c_double
    examples = [floats([numbers[lane] for numbers in operands]) for lane in range(LANES)]
    assert bits(result) == bits([value(size(n), example) for example in examples])

    results, adjoint = floats([0.5 + lane for lane in range(LANES)]), floats([1.5 - lane for lane in range(LANES)])
    pushed = [None if k == 1 else floats([0.25] * LANES) for k in range(count)]  # nobody asks for the second operand's
    kept = floats([0.0] * (LANES * n))
    library[f"{name}_push"](size(LANES), size(n), pointers(arrays), results, adjoint, pointers(pushed), kept)
    first = 0
    for index in range(len(operation.partials)):
        length = n if index < operation.sequences else 1
        for lane, example in enumerate(examples):
            derivatives = floats([0.0] * length)
            library[f"{name}_partial_{index}"](ctypes.c_double(results[lane]), size(n), example, derivatives)
            for k in range(length):
                if pushed[first + k] is not None:
                    assert bits([pushed[first + k][lane]]) == bits([0.25 + derivatives[k] * adjoint[lane]]), (
                        index,
                        k,
                        lane,
                    )
        first += length


def test_a_call_has_a_loop_of_its_own_and_arithmetic_beside_each_other_one():
    text = lane_rows.push(OPERATIONS["tanh"], 0)
    assert text.count("for (Py_ssize_t l") == 3
    assert "for (Py_ssize_t l = 0; l < lanes; l++) v2[l] = exp(v1[l]);" in text
    assert "call_sorted(tanh, x, v0, lanes);" in lane_rows.values(OPERATIONS["tanh"])


def test_terms_that_are_needed_again_are_kept():
    [operation] = [each for each in ROWS if each.name == "softmax_like"]
    text = lane_rows.push(operation, 0)
    assert text.count(" exp(") == 1
    assert text.count("kept[i * lanes + l]") == 1


def test_exponentials_are_computed_by_a_function_of_their_own():
    for name in ("softmax_of", "logsumexp"):
        operation = OPERATIONS[name]
        assert lane_rows.exponentials(operation).count(" = exp(") == len(operation.operands)
        assert " exp(" not in lane_rows.functions(operation)
    assert lane_rows.exponentials(OPERATIONS["max"]) == ""


def test_every_row_is_written():
    header = lane_rows.header()
    for name, operation in OPERATIONS.items():
        for function in ("values", "push", *(f"push_{k}" for k in range(len(operation.partials)))):
            assert header.count(f"LANES_INLINE void {name}_{function}(") == 1
    assert header == lane_rows.header() == lane_rows.FILES["lane_rows.h"]()
