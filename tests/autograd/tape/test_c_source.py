"""What c_source() writes compiles without a warning, runs without Python, and computes what the tape does."""

from __future__ import annotations

import random
import re
import subprocess
from contextlib import suppress

import numpy as np
import pytest

import autograd
from autograd import Tape, Value, dot, logsumexp, relu, take, tanh
from autograd.tape.c_source import check_name
from autograd.tape.executors import compiling

needs_compiler = pytest.mark.skipif(bool(compiling.missing()), reason=f"c_source: {compiling.missing()}")
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-ffp-contract=off", "-fno-builtin"]


def bits_of(numbers):
    """As C reads them: a number without rounding."""
    return ", ".join(float(number).hex() if np.isfinite(number) else f"({number})" for number in numbers)


def run(tmp_path, tape, examples, seeds, number="double", **options):
    """For each example the outputs, and the derivatives by the inputs and the parameters if they are an argument."""
    source = tape.c_source("network", dtype="float64" if number == "double" else "float32", gradient=True, **options)
    has_p = options.get("parameters") == "argument"
    inputs, parameters, outputs = len(tape.inputs), len(tape.parameters), len(seeds)
    calls = "".join(
        f"    {{ const {number} x[] = {{{bits_of(example) or '0'}}};\n"
        f"      network_gradient(x{', p' * has_p}, seeds, outputs, gx{', gp' * has_p}); show({outputs}, outputs);\n"
        f"      show({inputs}, gx);{f' show({parameters}, gp);' * has_p} }}\n"
        for example in examples
    )
    text = f"""{source}
#include <stdio.h>
static void show(int n, const {number} *numbers)
{{
    for (int i = 0; i < n; i++) printf("%.17g ", (double)numbers[i]);
}}

int main(void)
{{
    {number} outputs[{outputs}], gx[{inputs + 1}]{f", gp[{parameters + 1}]" * has_p};
    const {number} seeds[] = {{{bits_of(seeds)}}};
    {f"const {number} p[] = {{{bits_of(q.data for q in tape.parameters) or '0'}}};" * has_p}
{calls}    return 0;
}}
"""
    (tmp_path / "main.c").write_text(text, encoding="utf-8")
    program = tmp_path / "program"
    command = [*compiling.compiler(), *STRICT, "-O1", "-o", str(program), str(tmp_path / "main.c"), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + source
    said = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    return np.array([float(number) for number in said.split()]).reshape(len(examples), -1)


def expected(tape, examples, seeds, has_p):
    rows = []
    for example in examples:
        batch = np.array([example]).reshape(1, len(tape.inputs))
        gradient = np.array([seeds]).reshape(tape.forward(batch).shape)
        outputs, by_parameters = tape.value_and_grad(batch, gradient=gradient)
        tape.forward(batch)
        by_inputs = tape.backward(np.array([seeds]).reshape(outputs.shape), inputs=True)
        rows.append([*np.ravel(outputs), *np.ravel(by_inputs), *(by_parameters if has_p else [])])
    return np.array(rows)


def network():
    source = random.Random(3)
    x, index = [Value(0.0, label=f"x{i}") for i in range(9)], Value(0.0)
    layer = [tanh(dot([Value(source.gauss(0.0, 0.5)) for _ in x], x, Value(0.1))) for _ in range(11)]
    chosen = take([Value(2.0), layer[0], 0.5], index)
    loss = logsumexp(layer) * chosen + relu(x[0] * Value(3.0, label="*/ int x;\n#error")) ** 2 + 1e-3
    return [loss, layer[3].erf() / (1.0 + x[1] * x[1])], [*x, index]


EXAMPLES = [[*(0.1 * (i + 1) * (-1) ** (i + e) for i in range(9)), float(e)] for e in range(3)]


@needs_compiler
@pytest.mark.parametrize("parameters", ["constants", "argument"])
@pytest.mark.parametrize("seeds", [(1.0, 0.5), (0.0, 2.0)])
def test_in_double_precision_the_numbers_are_the_tapes(tmp_path, parameters, seeds):
    outputs, inputs = network()
    tape = Tape(outputs, inputs)
    found = run(tmp_path, tape, EXAMPLES, seeds, parameters=parameters)
    truth = expected(tape, EXAMPLES, seeds, parameters == "argument")
    exact = np.array_equal(found, truth)
    assert exact if tape.executor == "native" else np.allclose(found, truth, rtol=1e-13, atol=1e-15)


@needs_compiler
@pytest.mark.parametrize("parameters", ["constants", "argument"])
@pytest.mark.parametrize("kind", ["parameters", "constants", "inputs", "all"])
def test_lookups_in_tables_of_any_kind(tmp_path, parameters, kind):
    """Nobody asks for the adjoint of a constant, or of a parameter that is one in the file."""
    x, index = Value(0.0), Value(0.0)
    tables = {"parameters": [Value(1.0), Value(2.0)], "constants": [1.0, 2.0], "inputs": [tanh(x), x]}
    table = tables.get(kind, [*tables["parameters"], 3.0, x])
    tape, examples = Tape(take(table, index) * x * Value(3.0), [x, index]), [[0.5, float(i)] for i in range(len(table))]
    truth = expected(tape, examples, (1.0,), parameters == "argument")
    assert run(tmp_path, tape, examples, (1.0,), parameters=parameters).tolist() == truth.tolist()


@needs_compiler
def test_in_single_precision_they_are_rounded(tmp_path):
    outputs, inputs = network()
    tape = Tape(outputs, inputs)
    found = run(tmp_path, tape, EXAMPLES, (1.0, 0.5), "float", parameters="argument")
    truth = expected(tape, EXAMPLES, (1.0, 0.5), True)
    assert np.allclose(found, truth, rtol=2e-5, atol=2e-6)
    assert not np.array_equal(found, truth)


@needs_compiler
def test_every_row_of_the_table(tmp_path):
    """All in one program; in single precision it compiles, too."""
    outputs, inputs, numbers = [], [], []
    for operation in autograd.operations.OPERATIONS.values():
        flat = [x for operand in operation.samples[0] for x in (operand if isinstance(operand, list) else [operand])]
        leaves = [Value(number) for number in flat]
        rest = iter(leaves)
        point = [[next(rest) for _ in x] if isinstance(x, list) else next(rest) for x in operation.samples[0]]
        outputs.append(getattr(autograd, operation.name)(*point))
        inputs += leaves
        numbers += flat
    tape = Tape(outputs, inputs)
    seeds = [1.0] * len(outputs)
    found, truth = run(tmp_path, tape, [numbers], seeds), expected(tape, [numbers], seeds, False)
    assert np.array_equal(found, truth) if tape.executor == "native" else np.allclose(found, truth, rtol=1e-12)
    single = run(tmp_path, tape, [numbers], seeds, "float")
    assert np.isfinite(single).mean() > 0.9


@needs_compiler
def test_a_list_that_repeats_itself_is_a_loop(tmp_path):
    x, y = Value(0.3), Value(0.2)
    u, w = x, Value(1.5)
    for _ in range(400):
        u = u + 0.01 * (w * u - u * u * y)
    tape = Tape(u, [x, y])
    source = tape.c_source()
    assert "for (int r = 0; r < " in source
    assert len(source) < 5000
    found = run(tmp_path, tape, [[0.3, 0.2], [0.1, 2.0]], [1.0], parameters="argument")
    truth = expected(tape, [[0.3, 0.2], [0.1, 2.0]], [1.0], True)
    assert np.array_equal(found, truth) if tape.executor == "native" else np.allclose(found, truth, rtol=1e-12)


def test_the_file_says_how_to_call_it_whatever_the_labels():
    outputs, inputs = network()
    source = Tape(outputs, inputs).c_source("controller", parameters="argument", gradient=True)
    comment, _, code = source.partition("*/")
    for said in ("controller(x, p, outputs)", "controller_gradient(x, p, seeds, outputs, gx, gp)", "x[8] x8", "x[10]"):
        assert said in comment
    assert "#error" not in code
    assert (
        "x[0..5] pixel, x[6] bias */"
        in Tape(
            sum(pixels := [Value(0.0, label="pixel") for _ in range(6)]) + (bias := Value(0.0, label="bias")),
            [*pixels, bias],
        ).c_source()
    )
    odd = Value(1.0, label="θ/π */ int x; /*/ \n#error \u202e\\")
    assert "p[0] θ/π * / int x; / * / ?#error ?\\ */" in Tape(odd * inputs[0], inputs[:1]).c_source()
    assert "??" not in Tape(Value(1.0, label="\n\n/ ???") * inputs[0], inputs[:1]).c_source()  # no trigraph
    many = Tape([inputs[0] * float(k) for k in range(40)], inputs).c_source(gradient=True)
    assert [line for line in [*source.splitlines(), *many.splitlines()] if len(line) > 120] == []


def test_only_what_the_list_needs_is_written():
    source = Tape(Value(1.0) + Value(2.0)).c_source()
    assert "static double v" not in source
    assert "_gradient" not in source


@needs_compiler
@pytest.mark.parametrize("parameters", ["constants", "argument"])
def test_an_output_that_depends_on_nothing_leaves_no_warning(tmp_path, parameters):
    x, w = Value(3.0), Value(2.0)
    tape = Tape([w, x, w], [x])
    found = run(tmp_path, tape, [[5.0]], [1.0, 10.0, 100.0], parameters=parameters)
    assert found.tolist() == [[2.0, 5.0, 2.0, 10.0, *([101.0] if parameters == "argument" else [])]]


@needs_compiler
def test_seeds_that_are_all_0_leave_everything_out(tmp_path):
    """As in a tape: 0 times an infinite derivative would be nan."""
    x = Value(1.0)
    for outputs in ([x.sqrt()], [x.sqrt(), x.sqrt() * 2.0]):
        found = run(tmp_path, Tape(outputs, [x]), [[0.0]], [0.0] * len(outputs))
        assert found.tolist() == [[0.0] * (len(outputs) + 1)]


@needs_compiler
def test_no_name_of_the_mathematical_library_is_taken_again(tmp_path):
    """Whatever the header declares or defines, and what the file has for itself."""
    (tmp_path / "names.c").write_text("#include <math.h>\n", encoding="utf-8")
    names = set()
    for options in ("-std=c99 -P", "-std=c99 -dM", "-std=gnu17 -P", "-std=gnu17 -dM"):
        command = [*compiling.compiler(), *options.split(), "-E", str(tmp_path / "names.c")]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        names |= {*re.findall(r"#define ([A-Za-z]\w\w+)" if "-dM" in options else r"\b([A-Za-z]\w\w+) \(", text)}
    refused = set()
    for name in names:
        with suppress(ValueError):
            check_name(name)
            continue
        refused.add(name)
    assert {"isnan", "fmin", "lgammaf", "nextafter"} <= refused
    assert sorted(names - refused) == []


@needs_compiler
@pytest.mark.parametrize("name", ["my_scratch", "is_place_of_mine", "this_is_place", "MY_NUMBER", "ADJOINTS"])
def test_a_name_may_contain_one_of_the_files_own(tmp_path, name):
    x, w = Value(1.0), Value(2.0)
    source = Tape(x * w, [x]).c_source(name, gradient=True)
    (tmp_path / "named.c").write_text(source, encoding="utf-8")
    command = [*compiling.compiler(), *STRICT, "-c", "-o", str(tmp_path / "named.o"), str(tmp_path / "named.c")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + source


@pytest.mark.parametrize(
    "name",
    [
        "outputs",
        "seeds",
        "scratch",
        "NUMBER",
        "T12",
        "printf",
        "strcat",
        "toupper",
        "linux",
        "roundevenf",
        "feraiseexcept",
        "mbtowc",
        "size_t",
        "SEEK_SET",
        "EDOM",
        "nullptr",
    ],
)
def test_names_that_have_a_meaning_in_the_file_or_in_the_library_are_refused(name):
    with pytest.raises(ValueError, match="has no meaning in C"):
        Tape(Value(1.0) * 2.0).c_source(name)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "2nd"}, "name: expected a name"),
        ({"name": "double"}, "name: expected a name"),
        ({"name": "expf"}, "name: expected a name"),
        ({"name": "x"}, "name: expected a name"),
        ({"name": None}, "name: expected a name"),
        ({"dtype": "float16"}, "dtype: expected 'float64' or 'float32', got 'float16'"),
        ({"parameters": "file"}, "parameters: expected 'constants' or 'argument', got 'file'"),
    ],
)
def test_other_arguments_are_refused(options, said):
    with pytest.raises(ValueError, match="Tape.c_source: " + said.replace("(", r"\(")):
        Tape(Value(1.0) * 2.0).c_source(**options)
