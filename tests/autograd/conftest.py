from __future__ import annotations

import gc
import shutil
from pathlib import Path

import pytest

from autograd.drawing import layout


@pytest.fixture(params=["graphviz-pure", "dot"])
def program(request, monkeypatch):
    """Each layout program that there is: graphviz-pure, and the system's dot if it is installed."""
    if request.param == "graphviz-pure":
        monkeypatch.setenv("PATH", "")  # it lies beside this Python, and no system's dot is found
    elif not shutil.which("dot"):
        pytest.skip("the system has no dot")
    assert Path(layout.layout_program()).stem == request.param
    return request.param


@pytest.fixture
def no_collections():
    """The collector is off: an interrupt within what it calls, a library's callback or a finalizer, would be lost."""
    gc.disable()
    yield
    gc.enable()
