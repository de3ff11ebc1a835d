"""The page of the tape: its numbers, and that it names every file."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from autograd import native, tape

pytestmark = pytest.mark.both_engines

README = Path(tape.__file__).parent / "README.md"


def test_its_numbers_are_those_of_the_tape():
    result = doctest.testfile(str(README), module_relative=False, encoding="utf-8")
    assert result.attempted >= 11
    assert result.failed == 0


def test_it_names_every_file():
    page = README.read_text(encoding="utf-8")
    for path in README.parent.rglob("*.py"):
        if path.name != "__init__.py":
            assert path.relative_to(README.parent).as_posix() in page
    others = (Path(native.__file__).parent / "README.md").read_text(encoding="utf-8")
    for path in Path(native.__file__).parent.glob("*.c"):
        assert path.name in page or path.name in others or path.name.startswith("lanes_"), path
