"""The page of the native engine: its numbers, and the files that it names."""

from __future__ import annotations

import doctest
import re
import sys
from pathlib import Path

import pytest

import autograd
from autograd.native import kernels

NATIVE = Path(kernels.__file__).parent
README = NATIVE / "README.md"


@pytest.mark.skipif(autograd.engine != "native", reason="the native engine is not in use")
@pytest.mark.skipif(sys.maxsize < 2**32, reason="the page tells the sizes that 64-bit processors have")
def test_its_numbers_are_those_of_the_engine():
    result = doctest.testfile(str(README), module_relative=False, encoding="utf-8")
    assert result.attempted >= 12
    assert result.failed == 0


def test_the_pages_of_the_engine_and_of_the_tape_name_every_file_and_no_other():
    pages = [README, NATIVE.parent / "tape" / "README.md"]
    named = {
        name for page in pages for name in re.findall(r"`(?:native/)?([\w*]+\.[ch])`", page.read_text(encoding="utf-8"))
    }
    assert [name for name in named if not [*NATIVE.glob(name)]] == []
    told = {path.stem for name in named for path in NATIVE.glob(name)}
    assert {source.stem for source in NATIVE.glob("*.[ch]")} == told
