"""The page of the transforms: its numbers."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from autograd import transforms

pytestmark = pytest.mark.both_engines

README = Path(transforms.__file__).parent / "README.md"


def test_its_numbers_are_those_of_the_transforms():
    result = doctest.testfile(str(README), module_relative=False, encoding="utf-8")
    assert result.attempted >= 8
    assert result.failed == 0


def test_it_names_every_file():
    page = README.read_text(encoding="utf-8")
    files = {path.name for path in README.parent.glob("*.py")} - {"__init__.py"}
    assert files
    assert all(f"`{name}`" in page for name in files)
