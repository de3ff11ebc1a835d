"""The page of the native engine: its numbers."""

from __future__ import annotations

import doctest
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
