"""Progress is shown where there is a stream to show it on, and nowhere else does it matter."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from autograd import Value
from nn import SGD, GaussNewton, correct_sign, fit, squared_error
from nn.progress import figures, progress_bar


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
    with progress_bar(3, shown) as bar:
        bar.update(3)
    assert ("3/3" in stream.getvalue()) is shown


def as_shown(columns: int, epochs: int, names: list[str], means: list[float], validated: list[float]) -> str:
    """The bar, halfway, as tqdm writes it on a terminal of that width."""
    with progress_bar(100, True, f"{epochs}/{epochs}") as bar:
        bar.set_postfix_str(figures(names, means, validated), refresh=False)
        return bar.format_meter(**bar.format_dict | {"n": 50, "ncols": columns, "elapsed": 1800, "ascii": False})


@pytest.mark.parametrize(
    ("names", "means", "validated"),
    [
        (["loss"], [0.0123], []),
        (["loss"], [0.0123], [0.0456]),
        (["loss", "correct_class"], [0.0123, 0.9979], [0.0456, 0.9812]),
        (["loss", "correct_class"], [1.23e-05, 0.9979], [1.23e-05, 0.9812]),
        (["loss", "right_but_for_a_letter_of_two"], [-1.23e-05, -1.23e-05], [-1.23e-05, -1.23e-05]),
        (["loss", "a_metric"], [-1.23e-105, -1.23e-105], [-1.23e-105, -1.23e-105]),
    ],
)
def test_at_80_columns_the_bar_has_20_of_them(names, means, validated):
    shown = as_shown(80, 99, names, means, validated)
    assert len(shown) <= 80
    before, bar, after = shown.split("|")
    assert before == "99/99 "
    assert len(bar) >= 20
    assert after.startswith(f" 30:00, loss {means[0]:.3g}")
    assert ("/" in after) is (validated != [])


def test_the_metrics_name_is_cut_where_it_would_take_the_bars_room():
    assert figures(["loss", "correct_class"], [0.5, 0.25]) == "loss 0.5 correct_class 0.25"
    cut = figures(["loss", "a_metric_with_a_long_name"], [1.23e-05, 0.9979], [1.24e-05, 0.9812])
    assert cut == "loss 1.23e-05/1.24e-05 a_metric… 0.998/0.981"
    assert figures(["loss", "m"], [-1.23e-105] * 2, [-1.24e-105] * 2) == "loss -1.23e-105/-1.24e-105 … -1.23e-105/-1.2"


def test_fit_shows_the_figures_of_the_validation(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    p = Value(0.0)
    history = fit(
        lambda x: p * x, [1.0], [1.0], squared_error, SGD([p], 0.1),
        epochs=3, validation=([2.0], [1.0]), metric=correct_sign,
    )  # fmt: skip
    last = stream.getvalue().rstrip("\n").split("\r")[-1]
    assert last.startswith("3/3 |")
    loss, right = (history.loss[-1], history.validation_loss[-1]), (history.metric[-1], history.validation_metric[-1])
    assert last.endswith(", loss {:.3g}/{:.3g} correct_sign {:.3g}/{:.3g}".format(*loss, *right))


IN_A_KERNEL = """
import sys, types, warnings
kernel = types.ModuleType("ipykernel.zmqshell")
sys.modules["ipykernel.zmqshell"] = kernel
ipython = types.ModuleType("IPython")
ipython.get_ipython = lambda: None
sys.modules["IPython"] = ipython
sys.modules["ipywidgets"] = None
from nn.progress import progress_bar
with progress_bar(3, True) as bar:
    bar.update(3)
"""


def test_in_a_notebook_without_widgets_the_bar_is_one_of_text():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IN_A_KERNEL], capture_output=True, text=True, check=True
    )
    assert "3/3 |" in done.stderr
    assert "Warning" not in done.stderr
