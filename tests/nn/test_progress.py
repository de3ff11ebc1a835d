"""Progress is shown where there is a stream to show it on, and nowhere else does it matter."""

from __future__ import annotations

import io
import sys

import pytest

from autograd import Value
from nn import SGD, GaussNewton, fit, squared_error
from nn.progress import progress_bar


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [None, closed()], ids=["none", "closed"])
def test_without_a_standard_error_stream_training_goes_on_without_a_bar(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    p, q = Value(0.0), Value(0.0)
    history = fit(lambda x: p * x, [1.0], [1.0], squared_error, SGD([p], 0.1), epochs=2, progress=True)
    descent = GaussNewton([q]).minimize(lambda: q - 1.0, progress=True)
    assert len(history.loss) == 2
    assert descent.converged


@pytest.mark.parametrize("shown", [True, False])
def test_a_bar_is_shown_if_asked_for(monkeypatch, shown):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar(3, "steps", shown) as bar:
        bar.update(3)
    assert ("3/3" in stream.getvalue()) is shown
