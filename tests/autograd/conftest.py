from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import autograd
from autograd import Value, functions
from autograd.drawing import layout
from autograd.operations import OPERATIONS, ROW, ROWS, TABLE


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
def define():
    """autograd.define() in a process with no operation defined yet, such as by the README; forgets what it defines."""
    forget_what_is_defined()
    yield autograd.define
    forget_what_is_defined()


def forget_what_is_defined():
    for row in ROWS[: TABLE - 1 : -1]:
        forget(row.name)


def forget(name):
    """As in a process that has not defined it; of those that are there, the last must go first."""
    row = ROWS[ROW.pop(name)]
    ROWS.remove(row)
    del OPERATIONS[name], functions._functions[name]
    if not row.sequences:
        delattr(Value, name)
