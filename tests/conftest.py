from __future__ import annotations

import pytest

from autograd import Value, functions
from autograd.operations import OPERATIONS, ROW, ROWS, TABLE


@pytest.fixture(autouse=True)
def definitions_are_forgotten():
    """What a test has defined at run time, no other test finds; nor what an example in a docstring has."""
    yield
    for row in ROWS[: TABLE - 1 : -1]:
        forget(row.name)


def forget(name):
    """As in a process that has not defined it. The last to be defined must be the first."""
    row = ROWS[ROW.pop(name)]
    ROWS.remove(row)
    del OPERATIONS[name], functions._functions[name]
    if not row.sequences:
        delattr(Value, name)
