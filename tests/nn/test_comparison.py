"""A Comparison shows all numbers, and says which medians are outside of their bands."""

from __future__ import annotations

import json
import math

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
    ],
)
def test_rows_that_are_none(ours: list[float], band: tuple[float, float], error: type[Exception]) -> None:
    table = Comparison("Adam 1900")
    with pytest.raises(error, match="sweeps"):
        table.add("sweeps", "558", ours, band=band)
    assert table.rows == []
