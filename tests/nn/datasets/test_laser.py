"""The values of the laser are those of the competition, and a file of others is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest

from nn.datasets import laser as module_or_function
from nn.datasets.laser import FILE, files, laser, values_in

TEXT = files("nn.datasets").joinpath(FILE).read_text("ascii")
HEAD, VALUES = re.fullmatch(r"((?:#.*\n)+)((?:[\d ]+\n)+)", TEXT).groups()


def test_the_values_are_those_of_the_competition():
    known, continuation = laser()
    assert (known.shape, continuation.shape, known.dtype) == ((1000,), (100,), np.float64)
    assert known[:6].tolist() == [86, 141, 95, 41, 22, 21]
    assert known[-5:].tolist() == [61, 20, 12, 13, 23]
    assert continuation[:9].tolist() == [72, 178, 122, 36, 14, 11, 14, 32, 110]
    assert (round(known.var()), round(continuation.var())) == (2195, 3078)
    assert module_or_function is laser


def test_the_file_says_whose_they_are():
    assert "MIT License" in HEAD
    assert "Copyright (c) 2018 neuronalX" in HEAD
    assert "reservoirpy 0.4.2" in HEAD


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected 1,100 values, got 0: is it whole"),
        (HEAD, "expected 1,100 values, got 0: is it whole"),
        (TEXT[: len(TEXT) // 2], "expected 1,100 values, got .*: is it whole"),
        (TEXT.rstrip()[:-2], "expected 1,100 values, got 1,099: is it whole"),
        (TEXT.rstrip()[:-1], "its values are others"),
        (VALUES + " 3\n", "expected 1,100 values, got 1,101"),
        ("\n".join(reversed(VALUES.splitlines())), "its values are others"),
        (" 141  86" + VALUES[8:], "its values are others"),
        (" 999" + VALUES[3:], "expected whole numbers from 0 to 255, got '999'"),
        (" -1" + VALUES[3:], "expected whole numbers from 0 to 255, got '-1'"),
        ("0.5" + VALUES[3:], "expected whole numbers from 0 to 255, got '0.5'"),
        ("nan" + VALUES[3:], "expected whole numbers from 0 to 255, got 'nan'"),
        ("\x1f\x8b\x08" + VALUES, "expected whole numbers from 0 to 255"),
        ("\ufeff" + VALUES, "expected whole numbers from 0 to 255"),
        (TEXT.encode("utf-16").decode("latin-1"), "expected whole numbers from 0 to 255"),
        (VALUES.replace(" ", ",", 40), "expected whole numbers from 0 to 255, got"),
        ("12 " * 1100, "its values are others"),
    ],
)
def test_another_file_is_refused(text, message):
    with pytest.raises(ValueError, match=f"^{FILE}: {message}"):
        values_in(text)


def test_the_ends_of_lines_and_the_head_may_be_others():
    assert values_in(VALUES.replace("\n", "\r\n")).tolist() == values_in(TEXT).tolist()
