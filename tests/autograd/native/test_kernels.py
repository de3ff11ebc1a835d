"""The C that is written from the table: what it computes, and which rules it refuses."""

from __future__ import annotations

import ctypes
import itertools
import math
import os
import re
import runpy
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import setuptools

import autograd.operation
import autograd.operations
import autograd.value
import autograd.writer
from autograd import formulas, rows_in_c
from autograd.native import kernels, lane_rows, table_checksum
from autograd.operation import Operation, ieee
from autograd.operations import OPERATIONS

POINTS = [0.0, -0.0, 0.3, -1.7, 2.5, 800.0, -5e-324, 1e300, math.inf, -math.inf, math.nan]


def row(compute, partials=None, sequences=0, name="new"):
    """A row of the table with these rules."""
    count = compute.__code__.co_argcount - 1
    rules = partials or [lambda m, r, *operands: 1.0] * count
    return Operation(name, name, "", compute, rules, samples=[], sequences=sequences)


# ---- rules that C cannot know


def asks(m, x):
    return x if x > 0 else -x


def asks_of_a_number(m, x):
    return 1.0 if x else 0.0


def combines(m, x, y):
    return m.where(x > 0 and y > 0, x, y)


def rounds(m, x):
    return x * float(x)


def takes_the_integer(m, x):
    return x * int(x)


def raises_to_a_power(m, x):
    return x**2


def calls_mathematics(m, x):
    return math.exp(x)


def calls_what_is_not_there(m, x):
    return m.gamma(x)


def indexes(m, x):
    return x[0]


def counts(m, x):
    return m.sum(x) / len(x)


def sums_over_two(m, x):
    return m.sum([x[0] * x[1], 1.0])


REFUSED = [asks, asks_of_a_number, combines, rounds, takes_the_integer, raises_to_a_power, calls_mathematics,
           calls_what_is_not_there, indexes, counts, sums_over_two]  # fmt: skip


@pytest.mark.parametrize("rule", REFUSED, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("place", ["value", "derivative"])
def test_a_rule_that_c_cannot_know_is_an_error_that_names_its_row(rule, place, monkeypatch):
    sequences = int(rule in (indexes, counts, sums_over_two))
    operands = rule.__code__.co_argcount - 1

    def plain(m, x):
        return x

    def plain_of_two(m, x, y):
        return x

    def derivative(m, r, *operands):
        return rule(m, *operands)

    if place == "value":
        bad = row(rule, sequences=sequences, name="crooked")
    elif sequences:
        bad = row(lambda m, x: m.sum(x), [derivative], sequences=1, name="crooked")
    else:
        bad = row(plain if operands == 1 else plain_of_two, [derivative] * operands, name="crooked")
    monkeypatch.setattr(kernels, "OPERATIONS", OPERATIONS | {"crooked": bad})
    with pytest.raises(TypeError, match=r"^the row 'crooked' of the table cannot be written in C: ") as caught:
        kernels.header()
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(("rule", "said"), [(asks, "whether (x > 0.0), which C cannot know then"),
                                            (asks_of_a_number, "whether x is true, which C cannot know then"),
                                            (rounds, "for the number of x, which C cannot know then")])  # fmt: skip
def test_the_error_says_what_the_rule_asks(rule, said, monkeypatch):
    monkeypatch.setattr(kernels, "OPERATIONS", {"crooked": row(rule, name="crooked")})
    with pytest.raises(TypeError) as caught:
        kernels.header()
    assert said in str(caught.value)


# ---- what it is written from

TABLE = [autograd.operation, autograd.operations]  # a rule calls what operation.py defines


@pytest.mark.parametrize("module", TABLE, ids=lambda module: module.__name__)
def test_the_checksum_is_another_where_a_file_of_the_table_is(module, monkeypatch, tmp_path):
    before = table_checksum()
    changed = tmp_path / "changed.py"
    monkeypatch.setattr(module, "__file__", str(changed))
    text = Path(module.__spec__.origin).read_bytes()
    changed.write_bytes(text)
    assert table_checksum() == before
    changed.write_bytes(text + b"# another line")
    assert table_checksum() != before


@pytest.mark.skipif(autograd.engine != "native", reason="the native engine is not in use")
def test_the_engine_in_use_was_built_from_the_table_that_is_here():
    from autograd.native import engine

    assert engine.table_checksum == table_checksum()


def test_the_build_compiles_again_where_any_file_that_c_is_written_from_has_changed(monkeypatch):
    root = Path(autograd.__file__).parents[1]
    given = {}
    monkeypatch.setattr(setuptools, "setup", lambda **arguments: given.update(arguments))
    monkeypatch.chdir(root)
    runpy.run_path("setup.py")
    [extension] = given["ext_modules"]
    folder = Path("autograd/native")
    headers = {str(path) for path in folder.glob("*.h")}
    written_from = {
        str(Path(module.__file__).relative_to(root))
        for module in [*TABLE, autograd.value, autograd.writer, rows_in_c, formulas, kernels, lane_rows]
    }
    assert {*map(os.path.normpath, extension.depends)} == headers | written_from
    assert {*extension.sources} == {str(path) for path in folder.glob("*.c")}


# ---- what is written


@pytest.mark.parametrize(
    ("compute", "name"), [(lambda m, n: n, "n"), (lambda m, x, r: x, "r"), (lambda m, x, double: x, "double")]
)
def test_an_operand_with_a_name_that_means_something_in_c_is_an_error_that_names_its_row(compute, name, monkeypatch):
    monkeypatch.setitem(OPERATIONS, "new", row(compute))
    with pytest.raises(TypeError, match=f"the row 'new' of the table cannot be written in C: the operand '{name}'"):
        kernels.header()


def test_every_row_is_written_and_the_table_is_named():
    header = kernels.header()
    for name, operation in OPERATIONS.items():
        assert header.count(f"ALWAYS_INLINE double {name}_value(") == 1
        for index in range(len(operation.operands)):
            assert header.count(f"ALWAYS_INLINE void {name}_partial_{index}(") == 1
    assert header == kernels.header()
    table = kernels.table()
    assert re.findall(r'^    {"(\w+)", ', table, re.MULTILINE) == [*OPERATIONS]
    assert f"TABLE_CHECKSUM = {table_checksum()}UL;" in table


def test_the_rows_are_numbered_in_their_order_and_counted():
    [numbers] = re.findall(r"enum { (.*) };", kernels.rows())
    assert numbers.split(", ") == [*(f"ROW_{name}" for name in OPERATIONS), "ROW_COUNT"]


def test_every_row_is_in_one_list_of_its_kind():
    lists = dict(re.findall(r"#define (\w+)\(ROW\) (.*)", kernels.rows()))
    found = {kind: re.findall(r"ROW\((\d+), (\w+)\)", text) for kind, text in lists.items()}
    rows = {kind: [(int(index), name) for index, name in of_kind] for kind, of_kind in found.items()}
    assert sorted(row for of_kind in rows.values() for row in of_kind) == list(enumerate(OPERATIONS))
    assert {kind: of_kind[0][1] for kind, of_kind in rows.items()} == {
        "UNARY_ROWS": "negative", "BINARY_ROWS": "add", "OTHER_ROWS": "sum",
    }  # fmt: skip


def test_an_operation_is_bilinear_if_each_sequences_derivatives_are_the_others_numbers():
    assert [name for name, operation in OPERATIONS.items() if kernels.is_bilinear(operation)] == ["dot"]

    def compute(m, x, y, z):
        return m.sum([a * b for a, b in zip(x, y, strict=True)], z)

    assert kernels.is_bilinear(row(compute, [lambda m, r, x, y, z: y, lambda m, r, x, y, z: x, None], sequences=2))
    others = [lambda m, r, x, y, z: x, lambda m, r, x, y, z: [z * b for b in y], lambda m, r, x, y, z: [z for _ in y]]
    for other in others:
        assert not kernels.is_bilinear(row(compute, [other, lambda m, r, x, y, z: x, None], sequences=2))


def test_what_stands_twice_is_computed_once():
    body = kernels.value_kernel(row(lambda m, x: m.exp(x * x) + m.exp(x * x) * (x * x)))
    assert body.count("x * x") == 1
    assert body.count("exp(") == 1


# Rules that use all that a rule may use, also what the table's own do not.
RULES = {
    "constants on either side": lambda m, x, y: (2.0 - x) * -3 + 1 / (y - -0.5) - 1e-300 * x,
    "infinite constants": lambda m, x, y: m.where(x < math.inf, x, -math.inf) + m.where(y > -math.inf, y, math.nan),
    "a nested choice": lambda m, x, y: m.where(x < y, m.where(x <= 0, -x, abs(y)), m.where(y >= 1.0, 7.0, x)),
    "conditions": lambda m, x, y: m.where((x < 0) | (y > 1), x, y) - m.where((x >= 0) & (y <= 1), 1.0, y),
    "conditions of conditions": lambda m, x, y: m.where(((x < 0) & (y < 0)) | (x > y), x, y),
    "numbers before conditions": lambda m, x, y: m.where(1.0 < x, y, m.where(0 >= y, x, -y)),  # noqa: SIM300
    "other rows": lambda m, x, y: m.relu(x) - m.sigmoid(y) * m.maximum(x, y) + m.elu(x, 0.5) + m.add(x, y),
    "functions": lambda m, x, y: m.tanh(x) + m.atan2(x, y) * m.erf(y) - m.cbrt(x) + m.atan(x - y),
    "divisions": lambda m, x, y: m.divide(x, y) + m.divide(1.0, x - x) - m.divide(y, 3.0),
    "powers": lambda m, x, y: m.power(x, y) - m.power(2.0, y) + m.power(x, 3.0),
    "signs": lambda m, x, y: -(-x) - (-y) + -(x - y),  # noqa: B002
    "no operand": lambda m, x, y: 0.1,
}
SEQUENCE_RULES = {
    "a sum": lambda m, v, w, s=0.5: m.sum(v),
    "a sum of products": lambda m, v, w, s=0.5: m.sum([a * b - s for a, b in zip(v, w, strict=True)], s),
    "a largest": lambda m, v, w, s=0.5: m.largest(v) - m.largest([abs(b) for b in w]),
    "sums in each other": lambda m, v, w, s=0.5: m.sum([(a - m.sum(w)) * (a - m.sum(w)) for a in v]) + m.largest(v) * s,
    "choices": lambda m, v, w, s=0.5: m.sum([m.where(a > b, a, m.relu(b)) for a, b in zip(v, w, strict=True)]),
}


def bits(number):
    return "nan" if math.isnan(number) else struct.pack("d", number).hex()


def functions(rows, folder):
    """The rows' kernels, compiled for calls from here."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or sys.platform == "win32":
        pytest.skip("there is no C compiler")
    text = "#include <math.h>\n#include <stddef.h>\ntypedef ptrdiff_t Py_ssize_t;\n" + "".join(
        kernels.value_kernel(each) + "".join(kernels.partial_kernel(each, i) for i in range(len(each.operands)))
        for each in rows
    ).replace("\nALWAYS_INLINE ", "\n")
    (folder / "kernels.c").write_text(text, encoding="utf-8")
    flags = ["-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, "kernels.c", "-o", "kernels.so", "-lm"], cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "kernels.so"))


def floats(numbers):
    return (ctypes.c_double * len(numbers))(*numbers)


def test_what_is_written_computes_what_the_rule_computes_on_floats(tmp_path):
    rows = []
    for i, rule in enumerate(RULES.values()):

        def derivative(m, r, x, y, rule=rule):
            return rule(m, x, y) * r

        rows.append(row(rule, [derivative] * 2, name=f"row{i}"))
    library = functions(rows, tmp_path)
    compared = 0
    for each, told in zip(rows, RULES, strict=True):
        value, partial = library[f"{each.name}_value"], library[f"{each.name}_partial_1"]
        value.restype = ctypes.c_double
        value.argtypes = [ctypes.c_ssize_t, ctypes.c_void_p]
        partial.argtypes = [ctypes.c_double, ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p]
        for x, y in itertools.product(POINTS, repeat=2):
            try:
                expected = each.compute(ieee, x, y), each.partials[1](ieee, 0.7, x, y)
            except (ArithmeticError, ValueError):  # where Python's floats raise, C has inf or nan
                continue
            operands, result = floats([x, y]), floats([5.0])
            got = value(1, ctypes.addressof(operands))
            partial(0.7, 1, ctypes.addressof(operands), ctypes.addressof(result))
            assert (bits(got), bits(result[0])) == tuple(map(bits, map(float, expected))), (told, x, y)
            compared += 1
    assert compared > 600


def test_what_is_written_for_sequences_computes_what_the_rule_computes_on_lists(tmp_path):
    rows = []
    for i, rule in enumerate(SEQUENCE_RULES.values()):
        partials = [
            lambda m, r, v, w, s, rule=rule: [rule(m, v, w, s) * a - r for a in v],
            lambda m, r, v, w, s: [m.where(b > s, b * r, 0.0) for b in w],
            lambda m, r, v, w, s: m.sum(w) * r,
        ]
        rows.append(row(rule, partials, sequences=2, name=f"row{i}"))
    library = functions(rows, tmp_path)
    cases = [([0.3, -1.7, 2.5], [1.0, 4.0, -0.25], 0.1), ([1e300], [-2.0], -3.0), ([0.1] * 9, [0.7] * 9, 0.0)]
    for each in rows:
        value = library[f"{each.name}_value"]
        value.restype = ctypes.c_double
        value.argtypes = [ctypes.c_ssize_t, ctypes.c_void_p]
        for v, w, s in cases:
            operands, n = floats([*v, *w, s]), len(v)
            assert bits(value(n, ctypes.addressof(operands))) == bits(each.compute(ieee, v, w, s))
            for i, rule in enumerate(each.partials):
                partial = library[f"{each.name}_partial_{i}"]
                partial.argtypes = [ctypes.c_double, ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p]
                results = floats([math.pi] * (n + 1))
                partial(0.7, n, ctypes.addressof(operands), ctypes.addressof(results))
                expected = rule(ieee, 0.7, v, w, s)
                expected = expected if i < 2 else [expected]
                written = list(results)[: len(expected)]
                assert list(map(bits, written)) == list(map(bits, expected)), (each.name, i)
                assert results[len(expected)] == math.pi  # and not one more


def test_terms_that_are_needed_again_are_kept():
    """Of softmax, exp(x_i) is a term of the sum, and a numerator."""
    text = kernels.partial_kernel(OPERATIONS["logsumexp"], 0)
    assert text.count("exp(") == 1
    assert "derivatives[i] = (derivatives[i] / " in text
