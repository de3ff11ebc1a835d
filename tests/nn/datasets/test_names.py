"""The names of the census are all there, in one order, and a damaged file of them is refused."""

from __future__ import annotations

import random
import re
import sys

import numpy as np
import pytest

from nn.datasets import census_names
from nn.datasets.names import COUNTS, LETTERS, NAME_END, names_of, seen_and_next, spelt

WOMEN, MEN = COUNTS


def line(number: int, name: str) -> str:
    return f"{name:<14} 0.{9999 - number:04} {number % 90:>6}.000 {number:>6}\n"


def name_of(number: int) -> str:
    """Another one for each number."""
    return "".join(chr(ord("A") + number // 26**k % 26) for k in range(3))


@pytest.fixture
def folder(tmp_path):
    """Files as those of the census, with names that are none."""
    for offset, (file, count) in enumerate(COUNTS.items()):
        names = [name_of(4000 * offset + number) for number in range(1, count + 1)]
        lines = [line(number, name) for number, name in enumerate(names, 1)]
        (tmp_path / file).write_text("".join(lines), encoding="ascii", newline="\n")
    return tmp_path


def damaged(folder, file, change):
    path = folder / file
    path.write_bytes(change(path.read_bytes()))
    return folder


def test_the_names_are_those_of_the_census():
    pytest.importorskip("names")
    training, held_out = census_names()
    assert (len(training), len(held_out), len({*training, *held_out})) == (4646, 517, 5163)
    assert {*"".join(training)} == {*LETTERS}
    assert {*map(len, [*training, *held_out])} == {*range(2, 12)}
    assert census_names() == (training, held_out)
    assert {"mary", "james"} <= {*training, *held_out}
    assert sum(map(len, [*training, *held_out])) == 30_959


def test_names_that_are_in_both_files_are_there_once(folder):
    training, held_out = census_names(folder)
    names = [*training, *held_out]
    women = {name_of(number).lower() for number in range(1, 4276)}
    men = {name_of(4000 + number).lower() for number in range(1, 1220)}
    assert len(names) == len({*names}) == len(women | men) < len(women) + len(men)
    assert {*names} == women | men
    assert len(held_out) == len(names) - 9 * len(names) // 10
    expected = sorted(names)
    random.Random(0).shuffle(expected)
    assert names == expected


def test_the_ends_of_lines_may_be_those_of_windows(folder):
    before = census_names(folder)
    assert census_names(damaged(folder, MEN, lambda content: content.replace(b"\n", b"\r\n"))) == before


@pytest.mark.parametrize("file", COUNTS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: b"", "expected .* different names, got 0: is it whole"),
        (lambda content: content[: len(content) // 2], "is it whole|line"),
        (lambda content: b"".join(content.splitlines(keepends=True)[:-1]), "is it whole"),
        (lambda content: content[:-8], "line"),
        (lambda content: b"".join(reversed(content.splitlines(keepends=True))), "line 1: expected .* with rank 1, got"),
        (lambda content: b"".join(content.splitlines(keepends=True)[1:]), "line 1: expected"),
        (lambda content: content.replace(content.splitlines(keepends=True)[9], b""), "line 10: expected"),
        (lambda content: content + line(len(content.splitlines()) + 1, "ZZZ").encode(), "is it whole"),
        (lambda content: content.replace(content[:3], content.splitlines()[1][:3], 1), "different names"),
        (lambda content: content.decode().encode("utf-16"), "line 1: expected"),
        (lambda content: b"\xef\xbb\xbf" + content, "line 1: expected"),
        (lambda content: content.replace(content[:3], "JOS\u00c9".encode("latin-1"), 1), "line 1: expected"),
        (lambda content: content.lower(), "line 1: expected"),
        (lambda content: b"\x1f\x8b\x08\x00" + content[4:], "line 1: expected"),
        (lambda content: b"emma\nolivia\nava\n", "line 1: expected NAME, per cent, .* got 'emma'"),
    ],
)
def test_a_damaged_file_is_refused(folder, file, change, message):
    with pytest.raises(ValueError, match=rf"^{re.escape(file)}: .*({message})"):
        census_names(damaged(folder, file, change))


def test_the_two_files_may_not_stand_for_each_other(folder):
    content = (folder / MEN).read_bytes()
    with pytest.raises(ValueError, match="expected 4,275 different names, got 1,219"):
        names_of(WOMEN, content)


def test_where_there_are_none(tmp_path, monkeypatch):
    for folder in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(FileNotFoundError, match=r"dist\.female\.first is not in .*: it is in the package names"):
            census_names(folder)
    monkeypatch.setitem(sys.modules, "names", None)
    with pytest.raises(ImportError, match="come with the package names: pip install names"):
        census_names()


def test_a_name_is_tokens():
    assert seen_and_next("az") == ([NAME_END, 0, 25], [0, 25, NAME_END])
    assert seen_and_next("") == ([NAME_END], [NAME_END])
    assert spelt(seen_and_next("ada")[0]) == "ada"


@pytest.mark.parametrize("tokens", [[], [NAME_END], np.array([0, 25]), (k for k in [0, 25]), (np.int64(0), 25)])
def test_tokens_of_every_kind_are_spelt(tokens):
    assert spelt(tokens) in ("", "az")


@pytest.mark.parametrize("name", ["Ada", "zoé", "o'neil"])
def test_what_is_no_name(name):
    with pytest.raises(ValueError, match="seen_and_next: expected a name in the letters a to z, got"):
        seen_and_next(name)


@pytest.mark.parametrize("name", [5, ["a"], None, b"ada"])
def test_what_is_no_string(name):
    with pytest.raises(TypeError, match="seen_and_next: expected a name, got"):
        seen_and_next(name)


@pytest.mark.parametrize(
    ("tokens", "error", "message"),
    [
        ([0, -1], ValueError, "a token: expected an int of at least 0, got -1"),
        ([0, 27], ValueError, "expected tokens from 0 to 26, got 27"),
        ([0.0], TypeError, "a token: expected an int of at least 0, got 0.0"),
        ([True], TypeError, "a token: expected an int of at least 0, got True"),
        ("ada", TypeError, "expected a sequence of tokens, got 'ada'"),
        ([[0]], TypeError, "a token: expected an int"),
        (None, TypeError, "expected a sequence of tokens, got None"),
        ({0: 1}, TypeError, "expected a sequence of tokens, got"),
    ],
)
def test_what_are_no_tokens(tokens, error, message):
    with pytest.raises(error, match=f"spelt: {message}"):
        spelt(tokens)
