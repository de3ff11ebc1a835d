"""A Comparison shows all numbers, and says which medians are outside of their bands."""

from __future__ import annotations

import json
import math
import re

import numpy
import pytest

from nn.comparison import MIME, Comparison


def made() -> Comparison:
    table = Comparison("Adam 1900")
    table.add("sweeps", "558", [200, 100, 600], band=(100, 250))
    table.add("right", "all", numpy.array([0.5, 0.75]), band=(0.9, math.inf), format=".0%")
    table.add("error", "not printed", 0.125)
    return table


def test_a_row_holds_if_its_median_is_in_the_band() -> None:
    table = made()
    assert [row.median for row in table.rows] == [200, 0.625, 0.125]
    assert [row.what for row in table.missed] == ["right"]


def test_the_table_as_text() -> None:
    assert str(made()).splitlines() == [
        "what    Adam 1900    here                       must be",
        "sweeps  558          200 (100 to 600, 3 seeds)  100 to 250",
        "right   all          62% (50% to 75%, 2 seeds)  ≥ 90%",
        "error   not printed  0.125",
    ]


def test_the_table_says_over_what_the_numbers_are() -> None:
    table = Comparison("Adam 1900", over="draws")
    table.add("sweeps", "558", [200, 100, 600])
    assert table.rows[0].texts()[2] == "200 (100 to 600, 3 draws)"


def test_a_notebook_gets_a_table_and_the_numbers() -> None:
    bundle = made()._repr_mimebundle_()
    assert bundle["text/plain"] == str(made())
    assert bundle["text/markdown"].splitlines()[:2] == ["| what | Adam 1900 | here | must be |", "|---|---|---|---|"]
    rows = json.loads(json.dumps(bundle[MIME]))["rows"]
    assert [row["ours"] for row in rows] == [[200, 100, 600], [0.5, 0.75], [0.125]]
    assert [row["band"] for row in rows] == [[100, 250], [0.9, None], [None, None]]


@pytest.mark.parametrize(
    ("ours", "band", "error"),
    [
        ([], (0, 1), ValueError),
        ([math.nan], (0, 1), ValueError),
        (["1"], (0, 1), ValueError),
        (1.0, (1, 0), ValueError),
        (1.0, (math.nan, 0), ValueError),
        (1.0, 1, ValueError),
        (1.0, (1, 2, 3), ValueError),
        (1.0, (None, 2), TypeError),
        (1.0, {1, 2}, TypeError),
    ],
)
def test_rows_that_are_none(ours: list[float], band: tuple[float, float], error: type[Exception]) -> None:
    table = Comparison("Adam 1900")
    with pytest.raises(error, match=r"^Comparison: sweeps: "):
        table.add("sweeps", "558", ours, band=band)
    assert table.rows == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"format": "zz"}, "Comparison: sweeps: format: expected one that floats have, such as '.2f', got 'zz'"),
        ({"format": "d"}, "Comparison: sweeps: format: expected one that floats have, such as '.2f', got 'd'"),
        ({"format": 2}, "Comparison: sweeps: format: expected a text, got 2"),
        ({"theirs": 558}, "Comparison: sweeps: theirs: expected a text, got 558"),
        ({"what": None}, "Comparison: what: expected a text, got None"),
    ],
)
def test_what_could_not_be_shown_is_not_added(row: dict[str, object], message: str) -> None:
    table = Comparison("Adam 1900")
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(message)}$"):
        table.add(**{"what": "sweeps", "theirs": "558", "ours": 1.0} | row)  # type: ignore[arg-type]
    assert table.rows == []
    for texts in ({"original": 1900}, {"original": "Adam 1900", "over": None}):
        with pytest.raises(TypeError, match=r"^Comparison: (original|over): expected a text, got"):
            Comparison(**texts)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["P(a|b)", "a\\|b", "two\nlines", "\r", "||", "\\"])
def test_no_name_breaks_the_table_in_markdown(name: str) -> None:
    table = Comparison(name)
    table.add(name, name, 1.0)
    head, line, row = table._repr_mimebundle_()["text/markdown"].split("\n")
    assert line == "|---|---|---|---|"
    for cells in (head, row):
        ends = re.findall(r"(?<!\\)(?:\\\\)*\|", cells)  # behind an odd number of backslashes | is a letter
        assert len(ends) == 5
    assert len(str(table).splitlines()) == 2
