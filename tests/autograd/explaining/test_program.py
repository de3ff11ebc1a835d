"""A trace as data: all numbers to the last bit, formulas that are the text's, and nothing that could end the script."""

from __future__ import annotations

import json
import math

import pytest

from autograd import Value, define, dot, log, logsumexp, tanh
from autograd.explaining.notation import Notation
from autograd.explaining.program import as_json, operations_of, program
from autograd.explaining.trace import Entry, trace

pytestmark = pytest.mark.both_engines


def every_kind() -> Value:
    a, b = Value(0.1, label="a"), Value(-2.5, label="b")
    terms = [a * b, a / b, -a, 2.0 * b, a - 1.5, (a * a) ** 3.0, tanh(b), dot([a, 2.0, b], [b, a, a], -0.5), log(a)]
    return logsumexp([*terms, 3.0, dot([a], [b])])


def test_numbers_are_the_engines_to_the_last_bit():
    paper = trace(every_kind())
    data = json.loads(as_json(program(paper)))
    bits = lambda numbers: [float(number).hex() for number in numbers]  # noqa: E731
    assert bits(data["values"]) == bits(entry.data for entry in paper.entries)
    computed = [entry for entry in paper.entries if entry.parents]
    assert [*map(bits, data["derivatives"])] == [bits(entry.local_derivatives) for entry in computed]
    assert [operation.name for operation in operations_of(paper)] == [name for name, _ in data["operations"]]
    assert dict(data["operations"])["log"] == "x > 0"


def test_instructions_are_those_of_a_tape():
    paper = trace(every_kind())
    data = program(paper)
    for entry, (result, row, *operands) in zip(
        filter(lambda e: e.parents, paper.entries), data["instructions"], strict=True
    ):
        assert paper.entries[result] is entry
        assert operations_of(paper)[row] is entry.operation

        def number(variable):
            if isinstance(variable, list):
                return tuple(map(number, variable))
            return paper.entries[variable] if variable >= 0 else data["constants"][-1 - variable]

        assert tuple(map(number, operands)) == entry.operands


def test_a_formula_with_its_operands_put_in_is_that_of_the_text():
    paper, write = trace(every_kind()), Notation(4)
    data = program(paper)
    for entry, k in zip(filter(lambda e: e.parents, paper.entries), data["written"], strict=True):
        flat = [x for o in entry.operands for x in (o if isinstance(o, tuple) else (o,))]
        for way in (write.operand, write.data):
            filled = [
                part
                if isinstance(part, str)
                else write.grouped(way(flat[part // 2]))
                if part % 2
                else way(flat[part // 2])
                for part in data["formulas"][k]
            ]
            assert "".join(filled) == write.formula(entry.operation, entry.operands, way)
    assert len(data["formulas"]) < len(data["written"])  # those that are alike are written once


def test_a_symbol_or_a_name_is_text_whatever_it_is():
    define("odd", lambda m, x, y: x + y, [lambda m, r, x, y: 1.0, lambda m, r, x, y: 1.0], symbol="\0001\000\1<")
    a = Value(1.0, label="</script>")
    data = program(trace(a.odd(2.0)))
    assert data["formulas"] == [[1, " \\x001\\x00\\x01< ", 3]]
    assert "<" not in as_json(data)


def test_numbers_that_json_lacks_have_names():
    a = Value(math.inf, label="a")
    data = json.loads(as_json(program(trace(a * 0.0))))
    assert (data["values"], data["constants"], data["derivatives"]) == (["Infinity", "NaN"], [0.0], [[0.0]])


def test_an_operation_from_outside_the_table_has_a_symbol_and_no_domain():
    a = Value(3.0, label="a")
    square = Value(9.0, (a,), (6.0,))
    square._op = "square"
    data = program(trace(square))
    assert (data["operations"], data["formulas"]) == ([["square", ""]], [["square(", 0, ")"]])


def test_entries_are_no_json():
    with pytest.raises(TypeError):
        as_json([Entry("a", "", 1.0, None, (), (), ())])
