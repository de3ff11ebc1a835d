"""A file of a model gives the same floats back, or is refused whole; files written before still load."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from autograd import Value
from nn import MLP, Module
from nn.state import read_state, write_state

if TYPE_CHECKING:
    from pathlib import Path


class Pair(Module):
    def __init__(self, first: object, second: object) -> None:
        self.first = first
        self.second = second


def numbers(module: Module) -> list[float]:
    return [parameter.data for parameter in module.parameters()]


# ---- what is written


FLOATS = [0.1, -0.0, 5e-324, 1.7976931348623157e308, 2 / 3, -1e-17, 1e22, math.pi]


def test_floats_come_back_exactly(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    Pair([Value(x) for x in FLOATS], Value(1.0)).save(path)
    loaded = Pair([Value(9.0) for _ in FLOATS], Value(9.0))
    loaded.load(path)
    assert [x.hex() for x in numbers(loaded)] == [x.hex() for x in [*FLOATS, 1.0]]


def test_the_file_is_json_that_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    Pair([Value(1.0), Value(2.0)], Value(3.0)).save(path)
    assert json.loads(path.read_text()) == {
        "format": "scalar-autograd parameters",
        "version": 1,
        "parameters": {"first": [1.0, 2.0], "second": 3.0},
    }
    assert path.read_text().splitlines()[1:3] == ['"first": [1.0, 2.0],', '"second": 3.0']  # a line each, for diffs


def test_a_module_without_parameters_has_an_empty_state(tmp_path: Path) -> None:
    Module().save(tmp_path / "empty.json")
    Module().load(str(tmp_path / "empty.json"))
    assert Module().state_dict() == {}


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    state = {"a": 1.5, "b.c": [[0.1, -2.0], [3.0]], 'ä "': []}
    write_state(tmp_path / "model.json", state)
    assert read_state(tmp_path / "model.json") == state


# ---- what was written before

RELEASE_0_1 = """\
{"format": "scalar-autograd parameters", "version": 1, "parameters": {
"layers.0.neurons.0.weights": [0.6888437030500962, 0.515908805880605],
"layers.0.neurons.0.bias": 0.0,
"layers.0.neurons.1.weights": [-0.15885683833831, -0.4821664994140733],
"layers.0.neurons.1.bias": 0.0,
"layers.0.neurons.2.weights": [0.02254944273721704, -0.19013172509917142],
"layers.0.neurons.2.bias": 0.0,
"layers.1.neurons.0.weights": [0.5675971780695452, -0.3933745478421451, -0.04680609169528838],
"layers.1.neurons.0.bias": 0.0
}}
"""


def test_a_file_of_release_0_1_loads(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(RELEASE_0_1)
    model = MLP(2, [3, 1])
    model.load(path)
    assert numbers(model) == [
        *(0.6888437030500962, 0.515908805880605, 0.0, -0.15885683833831, -0.4821664994140733, 0.0),
        *(0.02254944273721704, -0.19013172509917142, 0.0),
        *(0.5675971780695452, -0.3933745478421451, -0.04680609169528838, 0.0),
    ]
    again = tmp_path / "again.json"
    model.save(again)
    assert again.read_text() == RELEASE_0_1


# ---- what is no state: the error says so, and nothing changes

GOOD = {"first": [1.0, 2.0], "second": 3.0}


def document(**changes: object) -> str:
    return json.dumps({"format": "scalar-autograd parameters", "version": 1, "parameters": GOOD} | changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected JSON, as Module.save writes it"),
        (document()[:-10], "expected JSON, as Module.save writes it; it is damaged or something else"),
        (document() + "}", "expected JSON"),
        ("[" * 100_000, "expected JSON"),
        ("1" * 5000, "expected JSON"),
        ("\x80\x04", "expected JSON"),
        ("[1.0, 2.0]", 'expected an object with "format": "scalar-autograd parameters", got [1.0, 2.0]'),
        ('{"first": [1.0, 2.0]}', 'expected an object with "format"'),
        (document().replace('"second"', '"second": 4.0, "second"'), "('second' is there twice)"),
        (document(version=True), "expected version 1 of the format, got True"),
        (document(version=1.0), "expected version 1 of the format, got 1.0"),
        (document(format="pytorch"), 'expected an object with "format"'),
        (document(version=2), "expected version 1 of the format, got 2; use the release of scalar-autograd"),
        (document(version=None), "expected version 1 of the format, got None"),
        (document(parameters=[1.0]), 'expected an object as "parameters", got [1.0]'),
        ('{"format": "scalar-autograd parameters", "version": 1}', 'expected an object as "parameters", got None'),
        (document().replace("3.0", "1e999"), "second: expected a finite number, got inf"),
    ],
    ids=range(17),
)
def test_a_file_that_is_no_state_changes_nothing(tmp_path: Path, text: str, message: str) -> None:
    pair = Pair([Value(7.0), Value(8.0)], Value(9.0))
    path = tmp_path / "model.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        pair.load(path)
    assert str(caught.value).startswith(f"cannot load {path}: ")
    assert message in str(caught.value)
    assert numbers(pair) == [7.0, 8.0, 9.0]


def test_every_truncation_of_a_file_is_noticed(tmp_path: Path) -> None:
    model = MLP(2, [2, 1])
    path = tmp_path / "model.json"
    model.save(path)
    text, before = path.read_bytes().rstrip(), numbers(model)
    other = MLP(2, [2, 1])
    untouched = numbers(other)
    assert untouched != before
    for length in range(len(text)):
        path.write_bytes(text[:length])
        with pytest.raises(ValueError, match="cannot load"):
            other.load(path)
    assert numbers(other) == untouched


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing\.json"):
        Module().load(tmp_path / "missing.json")
