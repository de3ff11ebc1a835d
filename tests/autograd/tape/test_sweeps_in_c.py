"""How sweeps are written: local variables, arrays, loops. What they compute is the matter of executors/test_c.py."""

from __future__ import annotations

from autograd import Value, tanh
from autograd.tape.dialects import Rules, Scalars
from autograd.tape.record import write_down
from autograd.tape.steps import of_one
from autograd.tape.sweeps_in_c import Asked, Memory, Sweeps, Text, in_line, without_unused


def written(outputs, inputs, backward=True):
    wengert, _ = write_down(outputs, inputs)
    layout = of_one(wengert)
    variables = wengert.first_result + len(wengert)
    slots = {v: v for v in range(variables)} | {-1 - k: variables + k for k in range(len(layout.constants))}
    sweeps = Sweeps(
        layout, slots, Rules(Scalars), Asked(backward, lambda v: v >= 0, lambda v: None), Memory("double *f, double *a")
    )
    kept = {slots[v] for v in wengert.outputs.tolist()}
    return sweeps.write(kept, kept if backward else set())


def test_a_short_list_is_one_function_with_local_variables():
    x, w = Value(0.5), Value(2.0)
    text = written([tanh(w * x)], [x])
    assert (text.forward, text.backward) == (["forward_0"], [])
    [function] = text.functions
    assert "double v3 = tanh(v2);\n    f[3] = v3;" in function  # the output lies in the array
    assert "f[2]" not in function  # and what is only needed here does not
    assert "a[0] += f[1] * a2;" in function


def test_forward_alone_has_no_adjoints():
    x = Value(0.5)
    [function] = written([tanh(x) * x], [x], backward=False).functions
    assert "a[" not in function


def test_a_list_that_repeats_itself_is_a_loop():
    u = x = Value(0.5)
    w, constants = Value(1.1), [0.001 * k for k in range(500)]
    for constant in constants:
        u = u + w * (u * u) * constant
    text = written([u], [x])
    assert len(text.forward) == len(text.backward)
    assert sum(map(len, text.functions)) < 10_000
    loops = [function for function in text.functions if "for (int r = " in function]
    assert any("r--" in function for function in loops)
    assert any(", ".join(["507", "508"]) in table for table in text.tables) or any(len(t) > 1000 for t in text.tables)


def test_numbers_in_line_are_a_formula_and_others_a_table():
    text = Text()
    assert [in_line(numbers, text) for numbers in ([3], [0, 1, 2], [4, 5, 6], [9, 7, 5])] == [
        "3 + i", "i", "4 + i", "9 + -2 * i",
    ]  # fmt: skip
    assert in_line([1, 2, 4], text) == in_line([1, 2, 4], text) == "T0[i]"
    assert text.declared_tables().strip() == "static const int T0[] = {1, 2, 4};"


def test_local_variables_that_nothing_reads_are_left_out():
    lines = ["double v1 = f[0];", "double v2 = v1 * v1;", "f[3] = 1.0;"]
    assert without_unused(lines) == ["f[3] = 1.0;"]
    assert without_unused([*lines, "f[4] = v1;"]) == [lines[0], lines[2], "f[4] = v1;"]
