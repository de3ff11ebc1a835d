"""Progress is shown where there is a stream to show it on, and nowhere else does it matter."""

from __future__ import annotations

import io
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from IPython.core.formatters import DisplayFormatter

from autograd import Value
from autograd.wording import counted
from nn import SGD, GaussNewton, History, correct_sign, fit, squared_error
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


# ---- the numbers afterwards


def table_of(record: object) -> tuple[str, list[list[str]]]:
    """What a notebook shows: the caption, and the texts of each row, of the head first."""
    bundle, _ = DisplayFormatter().format(record)
    assert bundle["text/plain"] == repr(record)
    table = ElementTree.fromstring(bundle["text/html"])
    caption = table.find("caption")
    assert caption is not None
    return caption.text or "", [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]


def test_notebooks_show_the_epochs_and_why_they_ended() -> None:
    p = Value(0.0)
    history = fit(
        lambda x: p * x, [1.0], [1.0], squared_error, SGD([p], 0.1), epochs=3, metric=correct_sign,
        validation=([2.0], [1.0]), progress=False,
    )  # fmt: skip
    caption, (head, *rows) = table_of(history)
    assert caption == "History of 3 epochs: all epochs were gone through"
    assert head == ["epoch", "loss", "metric", "validation loss", "validation metric"]
    series = [history.loss, history.metric, history.validation_loss, history.validation_metric]
    numbers = [[f"{number:.6g}" for number in numbers] for numbers in zip(*series, strict=True)]
    best = f"lowest validation loss: {min(history.validation_loss):.6g}, in epoch {history.best_epoch}"
    assert rows == [[str(epoch), *row] for epoch, row in enumerate(numbers, 1)] + [[best]]


def test_of_many_epochs_notebooks_show_the_first_and_the_last_ones() -> None:
    _, (head, *rows) = table_of(History(loss=[1.0 / epoch for epoch in range(1, 1001)], eager="tape=False"))
    assert head == ["epoch", "loss"]
    epochs = ["1", "2", "3", "4", "5", "… and 990 more", "996", "997", "998", "999", "1,000"]
    assert [row[0] for row in rows] == [*epochs, "each example's graph was built: tape=False"]
    assert rows[1][1] == "0.5"


def test_notebooks_show_a_history_without_epochs() -> None:
    assert table_of(History(interrupted=True)) == ("History of 0 epochs: interrupted", [["epoch"]])


def test_notebooks_show_the_steps_of_a_descent_and_why_it_ended() -> None:
    q = Value(0.0)
    descent = GaussNewton([q]).minimize(lambda: q - 1.0, progress=False)
    caption, (head, *rows) = table_of(descent)
    assert caption == f"Descent of {counted(descent.steps, 'step')}: {descent.reason}"
    assert head == ["step", "loss", "gradient", "relative gradient"]
    assert [row[:2] for row in rows] == [[str(step), f"{loss:.6g}"] for step, loss in enumerate(descent.loss)]
