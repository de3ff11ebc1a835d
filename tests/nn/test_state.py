"""A file gives the same content back, or is refused whole; files written before still load."""

from __future__ import annotations

import json
import math
import os
import random
import re
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies

from autograd import Value
from nn import MLP, Module
from nn.state import checksum, parsed, read_document, read_state, write_document, write_state

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
        "version": 2,
        "sha256": "70c010465870f5e5923b5d5f6e69d26d57c6fbe29bcfe257a3075f3d269b27ee",
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
    assert again.read_text().splitlines()[1:] == RELEASE_0_1.splitlines()[1:]
    assert read_state(again) == read_state(path)


# ---- what is no state: the error says so, and nothing changes

GOOD = {"first": [1.0, 2.0], "second": 3.0}


def document(**changes: object) -> str:
    return json.dumps({"format": "scalar-autograd parameters", "version": 1, "parameters": GOOD} | changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'expected JSON with "format": "scalar-autograd parameters"; it is damaged or'),
        (document()[:-10], "; it is damaged or something else (Unterminated string"),
        (document() + "}", "expected JSON"),
        ("[" * 100_000, "expected JSON"),
        ("1" * 5000, "expected JSON"),
        ("\x80\x04", "expected JSON"),
        ("[1.0, 2.0]", 'expected an object with "format": "scalar-autograd parameters", got [1.0, 2.0]'),
        ('{"first": [1.0, 2.0]}', 'expected an object with "format"'),
        (document().replace('"second"', '"second": 4.0, "second"'), "('second' is there twice)"),
        (document(version=True), "expected version 2 of the format, or an earlier one, got True"),
        (document(version=1.0), "earlier one, got 1.0"),
        (document(format="pytorch"), 'expected an object with "format"'),
        (document(version=3), "earlier one, got 3; use the release of scalar-autograd that wrote it"),
        (document(version=0), "earlier one, got 0; use the release"),
        (document(version=None), "earlier one, got None"),
        (document(parameters=[1.0]), 'expected an object as "parameters", got [1.0]'),
        ('{"format": "scalar-autograd parameters", "version": 1}', 'expected an object as "parameters", got None'),
        (document().replace("3.0", "1e999"), "second: expected a finite number, got inf"),
        (document(version=2), f'expected "sha256": "{checksum(GOOD)}", got null: the file is damaged'),
        (document(version=2, sha256=7), f'expected "sha256": "{checksum(GOOD)}", got 7: the file is damaged'),
        (document(sha256=checksum(GOOD)), 'version 1 of the format has no "sha256"; the file is damaged'),
    ],
    ids=range(21),
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


def small_file(tmp_path: Path) -> tuple[bytes, dict[str, object]]:
    path = tmp_path / "model.json"
    state = {"ä.w": [0.1, -2.5e-300, 1e22], "b": -0.0}
    write_state(path, state)
    return path.read_bytes(), state


def loads_as_something_else(content: bytes, state: dict[str, object]) -> bool:
    try:
        return repr(parsed(content, "parameters")) != repr(state)
    except ValueError:
        return False


def test_every_change_of_a_byte_is_noticed_or_changes_nothing(tmp_path: Path) -> None:
    content, state = small_file(tmp_path)
    for place in range(len(content)):
        for byte in range(256):
            changed = content[:place] + bytes([byte]) + content[place + 1 :]
            assert not loads_as_something_else(changed, state), changed


def test_random_changes_of_a_file_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    MLP(3, [8, 8, 1]).save(path)
    content, state = path.read_bytes(), read_state(path)
    draw = random.Random(5)
    refused = 0
    for _ in range(3000):
        changed = bytearray(content)
        for _ in range(draw.choice([1, 1, 1, 2, 5])):
            changed[draw.randrange(len(content))] ^= draw.randrange(1, 256)
        assert not loads_as_something_else(bytes(changed), state), bytes(changed)
        refused += bytes(changed) != content
    assert refused > 2900


def test_removed_and_exchanged_lines_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    MLP(2, [2, 1]).save(path)
    lines, state = path.read_text().splitlines(), read_state(path)
    for i in range(1, len(lines) - 1):
        removed = "\n".join(lines[:i] + lines[i + 1 :]).encode()
        assert not loads_as_something_else(removed, state)
        numbers_of_the_next = lines[i].split(":")[0] + ":" + lines[i % (len(lines) - 3) + 1].split(":")[1]
        exchanged = "\n".join([*lines[:i], numbers_of_the_next, *lines[i + 1 :]]).encode()
        assert not loads_as_something_else(exchanged, state)


def test_a_file_may_be_laid_out_anew(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    content, state = small_file(tmp_path)
    for options in [{"indent": 4}, {"sort_keys": True}, {"ensure_ascii": False}, {"separators": (",", ":")}]:
        path.write_text(json.dumps(json.loads(content), **options), encoding="utf-8")  # type: ignore[arg-type]
        assert read_state(path) == state


def test_an_edited_file_says_what_to_do_and_loads_after_it(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    pair = Pair([Value(1.0), Value(2.0)], Value(3.0))
    pair.save(path)
    edited = path.read_text().replace("3.0", "4.0")
    path.write_text(edited)
    with pytest.raises(
        ValueError, match=r"or it was edited; if you .* mean .*, put the expected checksum into it"
    ) as e:
        pair.load(path)
    assert numbers(pair) == [1.0, 2.0, 3.0]
    expected, got = re.findall("[0-9a-f]{64}", str(e.value))
    path.write_text(edited.replace(got, expected))
    pair.load(path)
    assert numbers(pair) == [1.0, 2.0, 4.0]


# ---- documents of other kinds

CONTENT = {
    "model": {"layers.0.w": [[0.1, 2 / 3], [5e-324, -0.0]], "empty": {}, "none": []},
    "history": {"loss": [0.5, math.nan, math.inf, -math.inf], "metric": [], "interrupted": False, "eager": "ä\ud800\n"},
    "rate": math.inf,
    "seed": None,
    "step": 2**70,
    "random state": [3, [2**32 - 1, 0], None],
    "groups": [{"rate": math.nan, "frozen": True}, {}],
    "$float": {"$float": 2.0},
    "kind": {"$float": "nan", "more": 1},
}


def test_a_document_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "training.json"
    write_document(path, "training", CONTENT)
    assert repr(read_document(path, "training")) == repr(CONTENT)  # so the types are the same, nan and -0.0 too

    def refused(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    strictly = json.loads(path.read_text(), parse_constant=refused)
    assert (strictly["format"], strictly["version"]) == ("scalar-autograd training", 2)
    assert '"layers.0.w": [[0.1, 0.6666666666666666], [5e-324, -0.0]],' in path.read_text().splitlines()


ANY_CONTENT = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats() | strategies.text(),
    lambda parts: strategies.lists(parts) | strategies.dictionaries(strategies.text(), parts),
    max_leaves=6,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=strategies.dictionaries(strategies.text(), ANY_CONTENT, max_size=3), kind=strategies.text(min_size=1))
@example(content={"a": {"$float": "NaN"}, "b": {"$float": "nan "}}, kind='"')
def test_any_content_is_read_as_it_was_written(tmp_path: Path, content: dict[str, object], kind: str) -> None:
    write_document(tmp_path / "a.json", kind, content)
    assert repr(read_document(tmp_path / "a.json", kind)) == repr(content)


def test_a_document_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "training.json"
    write_document(path, "training", {"parameters": {}})
    with pytest.raises(ValueError, match=r'"format": "scalar-autograd parameters", got .*training'):
        Module().load(path)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ({"a": {3: 1.0}}, TypeError, "training['a']: expected strings as the keys of a dict, got 3"),
        ({"a": [1.0, {2}]}, TypeError, "['a'][1]: expected None, a bool, int, float, str, list or dict, got set"),
        ({"a": Value(1.0)}, TypeError, "['a']: expected None, a bool, int, float, str, list or dict, got Value"),
        ({"a": [{"$float": "nan"}]}, ValueError, "training['a'][0]: {'$float': 'nan'} is how a file says nan"),
        ([1.0], TypeError, "training: expected a dict, got [1.0]"),
    ],
)
def test_what_json_has_no_word_for_is_not_written(
    tmp_path: Path, content: object, error: type[Exception], message: str
) -> None:
    path = tmp_path / "training.json"
    path.write_text("old")
    with pytest.raises(error) as caught:
        write_document(path, "training", content)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert path.read_text() == "old"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing\.json"):
        Module().load(tmp_path / "missing.json")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other devices")
def test_what_has_no_end_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"expected a file, this is a folder, a device or a pipe: '/dev/zero'"):
        Module().load("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"expected a file, this is a folder, a device or a pipe"):
        Module().load(tmp_path / "pipe")
    with pytest.raises(IsADirectoryError, match="expected a file, this is a folder"):
        Module().load(tmp_path)
