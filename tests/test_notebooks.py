"""Do the notebooks run from top to bottom, and are the outputs that they store the ones that their cells give?

The course runs in full, and gives what it stores. The landmarks take minutes: they run in small, with fewer seeds, and
what they store is checked.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile

import nbformat
import pytest
from nbformat import NotebookNode

from . import run_notebooks
from .run_notebooks import COURSE, FOLDER, LANDMARKS, METADATA, code_cells, comparisons, executed, read

in_the_course = pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
every_landmark = pytest.mark.parametrize("path", LANDMARKS, ids=lambda path: path.stem)
every_notebook = pytest.mark.parametrize("path", COURSE + LANDMARKS, ids=lambda path: path.stem)

# The cells that say how much is run, as the tests run them: by the notebook and the cell's id.
IN_SMALL = {
    "1958-perceptron-and-adaline": {"sizes": "SEEDS = range(2); EPOCHS = 30"},
    "1967-amari": {"sizes": "SEEDS = [0, 1, 2, 3, 10]; EPOCHS = 10; PATIENCE = 60"},
    "1974-werbos": {"sizes": "SEEDS = range(5)"},
    "1986-internal-representations": {
        "sizes": "XOR_SEEDS = range(12); PARITY_SEEDS = range(5); SYMMETRY_SEEDS, SYMMETRY_SWEEPS = range(6), 8_000; "
        "ENCODER_SEEDS = range(5); TC_SEEDS = range(7); FAMILY_SEEDS = range(2)",
    },
    "1989-catastrophic-interference": {"sizes": "SEEDS = range(2); TWOS_EPOCHS = 40; REHEARSAL_EPOCHS = 160"},
    "1990-early-stopping-and-ensembles": {"sizes": "DRAWS = range(1); NETWORKS = 4; EPOCHS = 200"},
    "1990-elman-and-time": {"sizes": "SEEDS = range(1); RECALL_SEEDS = range(2); PASSES = 30"},
    "1992-td-gammon": {
        "sizes": "SEEDS = [1]; EARLY = [0, 500, 1000, 2000]; LATE = [2000]; MATCH = FINAL = 100; POSITIONS = 2000"
    },
    "1996-through-structure": {
        "sizes": "SEEDS, TWIN_SEEDS = range(1), range(1, 2); EPOCHS = 20; FEW, MANY = 600, 1500; NARROW, WIDE = 8, 16"
    },
}


def test_there_are_notebooks():
    assert COURSE
    assert LANDMARKS


@pytest.mark.slow
@in_the_course
def test_every_cell_runs_and_gives_the_outputs_that_are_stored(path, tmp_path):
    stored = read(path)
    for before, after in zip(code_cells(stored), code_cells(executed(path, tmp_path)), strict=True):
        assert texts(before) == texts(after), f"cell {before.id}: run: python tests/run_notebooks.py"


@every_notebook
def test_outputs_are_stored_from_one_run(path):
    cells = code_cells(read(path))
    assert any(cell.outputs for cell in cells)
    assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)]
    assert [cell.id for cell in cells for output in cell.outputs if output.get("name") == "stderr"] == []


@every_notebook
def test_nothing_of_a_machine_is_stored(path):
    notebook = read(path)
    assert {name: notebook.metadata[name] for name in METADATA} == METADATA
    assert notebook.metadata.keys() - METADATA.keys() <= {"landmark"}
    assert [cell.id for cell in notebook.cells if cell.metadata] == []  # Jupyter stores the times of execution there
    assert {cell.id: paths for cell in code_cells(notebook) if (paths := machine_paths(cell))} == {}


def test_paths_of_machines_are_recognised():
    def cell(text: str) -> NotebookNode:
        return nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("stream", text=text)])

    for place in ("/home/ada/x.svg", "/Users/ada/x.svg", r"C:\Users\ada", "/tmp/x", sys.prefix, tempfile.gettempdir()):
        assert machine_paths(cell(f"File {place}, line 1")), place
    assert machine_paths(cell('<svg xmlns="http://www.w3.org/2000/svg">a/b</svg>')) == []


# ---- Landmarks


@pytest.mark.slow
@every_landmark
def test_a_landmark_in_small_keeps_its_claims(path, tmp_path):
    """Its cells assert them, and its numbers are in their bands: those of the first seeds are."""
    tables = comparisons(executed(path, tmp_path, IN_SMALL.get(path.stem)))
    assert out_of_band(tables) == []


@every_landmark
def test_what_a_landmark_stores_is_of_its_code_and_in_the_bands(path):
    notebook = read(path)
    assert notebook.metadata.get("landmark") == {"code": run_notebooks.fingerprint(notebook)}, "run: make landmarks"
    assert comparisons(notebook)
    assert out_of_band(comparisons(notebook)) == []


def test_the_page_of_the_landmarks_has_the_results_that_they_store():
    assert run_notebooks.RESULTS.read_text(encoding="utf-8") == run_notebooks.page(), "run: make landmarks"


@every_landmark
def test_a_landmark_is_shown_with_a_figure_of_its_own(path):
    shown = run_notebooks.RESULTS.parent / run_notebooks.PICTURE_FOLDER / f"{path.stem}.png"
    assert shown.read_bytes() == run_notebooks.picture(path)


def out_of_band(tables):
    rows = [row for table in tables for row in table["rows"]]
    return [row["what"] for row in rows if not holds(statistics.median(row["ours"]), *row["band"])]


def holds(number, low, high):
    return (low is None or low <= number) and (high is None or number <= high)


# ---- Helpers


def texts(cell: NotebookNode) -> list[str]:
    """What a cell printed and showed, as text. Pictures are not compared: layout programs differ by machine."""
    return [output.text if output.output_type == "stream" else output.data["text/plain"] for output in cell.outputs]


def machine_paths(cell: NotebookNode) -> list[str]:
    shown = [
        str(text)
        for output in cell.outputs
        for kind, text in ({"text": output.text} if output.output_type == "stream" else output.data).items()
        if kind != "image/png"
    ]
    places = [r"(?<![\w.])/(?:home|Users|root|tmp|private|var|usr|opt|mnt)/", r"\b[A-Za-z]:\\"]
    places += map(re.escape, (sys.prefix, tempfile.gettempdir(), str(FOLDER.parent)))
    return [found.group() for text in shown for found in re.finditer("|".join(places), text)]
