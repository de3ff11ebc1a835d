"""Do the notebooks run from top to bottom, and are the outputs that they store the ones that their cells give?

The course runs in full, and gives what it stores: a student's version, whose exercises are open. In the teacher's,
wrong answers are checked first, and then the right ones. The landmarks take minutes: they run in small, with fewer
seeds, and what they store is checked.
"""

from __future__ import annotations

import base64
import dis
import io
import re
import statistics
import sys
import tempfile
from types import CodeType

import nbformat
import pytest
from nbformat import NotebookNode
from PIL import Image

from nn.datasets.downloads import downloaded

from . import run_notebooks
from .run_notebooks import (
    COURSE,
    FOLDER,
    LANDMARKS,
    METADATA,
    TEACHER,
    code_cells,
    comparisons,
    executed,
    is_tagged,
    read,
    student,
)

in_the_course = pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
in_the_teachers_course = pytest.mark.parametrize("path", TEACHER, ids=lambda path: path.stem)
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
    "1987-nettalk": {"sizes": "SEEDS = range(1); PASSES = 20; DICTIONARY_PASSES = 1; EVERY = 90"},
    "1989-catastrophic-interference": {"sizes": "SEEDS = range(2); TWOS_EPOCHS = 40; REHEARSAL_EPOCHS = 160"},
    "1989-lenet": {
        "sizes": "SEEDS, PASSES = range(1), 3; CODING_SEEDS, CODING_DIGITS = range(1), 600; MOST_ERRORS = 10.0"
    },
    "1990-early-stopping-and-ensembles": {"sizes": "DRAWS = range(1); NETWORKS = 4; EPOCHS = 200"},
    "1990-elman-and-time": {"sizes": "SEEDS = range(1); RECALL_SEEDS = range(1); PASSES = 20"},
    "1991-alvinn": {"sizes": "SEEDS = range(1); ROADS = range(2); PICTURES, EPOCHS = 1200, 40"},
    "1992-td-gammon": {
        "sizes": "SEEDS = [1]; EARLY = [0, 1000, 2000]; LATE = [2000]; MATCH, FINAL = 50, 100; POSITIONS = 500"
    },
    "1993-wan-fir": {"sizes": "SEEDS = range(3); EPOCHS = 1500"},
    "1996-through-structure": {
        "sizes": "SEEDS, TWIN_SEEDS = range(1), range(1, 2); EPOCHS = 20; FEW, MANY = 600, 1500; NARROW, WIDE = 8, 16"
    },
    "2023-photonic-processor": {"sizes": "SEEDS = range(2); EPOCHS = 100; CHIPS, CHIP_EPOCHS = range(3), 20"},
    "2026-gpt-on-scalars": {
        "sizes": "SEEDS, WINDOW_SEEDS = range(1), range(1); WINDOWS = [1, 2]; EPOCHS = 13; SAMPLES = 50",
    },
}

# A wrong answer to each exercise: what is filled in, and what the check says of it.
WRONG = {
    "01-a-value-and-its-gradient": [
        ("moved = 0.005", "too small. Each nudge has its own effect."),
        ("dz_dc, dz_da = 75.0, 30.0", "Not right: dz_da is too small"),
        ("dc_da = 12.0", "too large"),
        (
            "def exp(x):\n    return Node(math.exp(x.data), [(x, x.data)])",
            "for 0.0 the gradient that comes to x is too small",
        ),
        ("held = 24.0", "too small"),
        ("by_backward, by_differences = 6.0, 6.0", "by_backward is too large"),
    ],
    "02-one-neuron-and-its-error-surface": [
        ("largest_rate = 0.5", "too large"),
        ("curvature_across, rate_to_floor = 1.0, 1.0", "curvature_across is too small"),
        ("floor, height = 0.5, 0.0", "height is too small"),
        ('loss, raised = 40.0, "OverflowError"', "raised is a different one"),
        ("w1_goes_to, w2_goes_to = 4.0, -8.0", "w1_goes_to is too small"),
    ],
    "03-deriving-backpropagation": [
        (
            "def delta_of_linear(a, t):\n    return (a - t) * a\n\n\nslope_of_tanh = delta_of_linear",
            "delta_of_linear: Not right: for 2.0, 1.0 the answer is",
        ),
        ("still_equal = {1, 2, 3}", "2 too many"),
        ("def dE_da(a, t):\n    return a - t", "for 0.3, 1.0 the answer is too large"),
        ("total = 1.0", "too large"),
        ("def batch_derivative(Delta, A):\n    return Delta.T @ A", "number 1 of 4 in number 1 of 3 is too"),
    ],
    "04-training-a-multilayer-perceptron": [
        ('boundary = "curve"', "a different one"),
        ("factor = 2.0", "too large"),
        ("different = 6", "too large"),
        ("saturated = 0.1", "too small"),
        ('same_path = {"Adam"}', "1 too many"),
    ],
    "05-curvature": [
        ("downhill = [(-1.0, 0.11), (0.67, 5.0)]", "the start in the first stretch is too small"),
        ('exact = {"2-5-3"}', "1 missing"),
        ("def along(s, g):\n    return g @ s", "for an array of shape (4,), an array of shape (4,) the answer"),
        ('same_path = {"Newton", "GaussNewton", "LevenbergMarquardt"}', "1 too many"),
        ("def both_curvatures(λ):\n    return 2 - λ, 2", "for 0.5 E″(0) is too large"),
    ],
    "06-forward-and-reverse": [
        ("forward_price = reverse_price = 1_010_000", "reverse_price is too large"),
        ("at_most = 5_000", "too large"),
        ("for_each_weight = 2", "too large"),
        ('inner, walks = "reverse", 64', "walks is too large"),
        ("def by_imaginary_step(f, x):\n    return (f(x + 1e-7) - f(x)) / 1e-7", "for 0.1 the answer is too"),
        ("angle_by_length = -1.0", "too"),
    ],
}

# What a user has to download for a landmark, since its licence does not let the project bring it along.
DOWNLOADS = {"1987-nettalk": ["nettalk.data", "nettalk.list"], "1989-lenet": ["zip.train.gz", "zip.test.gz"]}


def test_there_are_notebooks():
    assert COURSE
    assert LANDMARKS


@pytest.mark.slow
@in_the_course
def test_every_cell_runs_and_gives_the_outputs_that_are_stored(path, tmp_path):
    stored = read(path)
    for before, after in zip(code_cells(stored), code_cells(executed(read(path), tmp_path)), strict=True):
        assert texts(before) == texts(after), f"cell {before.id}: run: python -P tests/run_notebooks.py"


@in_the_course
def test_a_students_version_is_the_teachers_without_the_answers(path):
    made, stored = student(read(FOLDER / "teacher" / path.name)), read(path)
    assert [cell.id for cell in made.cells] == [cell.id for cell in stored.cells]
    for ours, theirs in zip(made.cells, stored.cells, strict=True):
        assert ours.source == theirs.source, f"cell {ours.id}: run: python -P tests/run_notebooks.py"


@in_the_teachers_course
def test_an_exercise_is_a_question_a_cell_to_fill_a_solution_an_answer_and_a_check(path):
    """In this order; and in a student's version, the check finds no answer yet."""
    ids = [cell.id for cell in read(path).cells]
    exercises = [cell.id.removeprefix("exercise-") for cell in read(path).cells if is_tagged(cell, "exercise")]
    assert exercises == [str(number) for number, _ in enumerate(WRONG[path.stem], 1)]
    for number in exercises:
        start = ids.index(f"question-{number}")
        kinds = ("question", "exercise", "solution", "answer", "check")
        assert ids[start : start + 5] == [f"{kind}-{number}" for kind in kinds]
    stored = read(FOLDER / path.name)
    checks = [cell for cell in code_cells(stored) if cell.id.startswith("check-")]
    assert len(checks) == len(exercises)
    for cell in checks:
        assert "Not yet: " in "".join(texts(cell))


@pytest.mark.slow
@in_the_teachers_course
def test_a_check_tells_a_wrong_answer_from_the_right_one(path, tmp_path):
    notebook = read(path)
    cells = []
    wrong = iter(WRONG[path.stem])
    for cell in notebook.cells:
        cells.append(cell)
        if is_tagged(cell, "exercise"):
            [check] = [other for other in notebook.cells if other.id == cell.id.replace("exercise", "check")]
            filled_in, _ = next(wrong)
            cells.append(nbformat.v4.new_code_cell(filled_in))
            cells.append(nbformat.v4.new_code_cell(check.source, id=f"wrong-{cell.id}"))
    notebook.cells = cells
    said = {cell.id: "".join(texts(cell)) for cell in code_cells(executed(notebook, tmp_path))}
    for number, (_, fault) in enumerate(WRONG[path.stem], 1):
        assert "Not right: " in said[f"wrong-exercise-{number}"]
        assert fault in said[f"wrong-exercise-{number}"]
        assert "Right." in said[f"check-{number}"]
        assert "Not " not in said[f"check-{number}"], said[f"check-{number}"]


@pytest.mark.slow
@in_the_teachers_course
def test_a_right_answer_is_right_at_the_end_of_the_notebook_too(path, tmp_path):
    """When every cell has run: an answer that was given in its place, and one that is given only then."""
    notebook = read(path)
    numbers = range(1, len(WRONG[path.stem]) + 1)
    sources = {cell.id: cell.source for cell in code_cells(notebook)}
    for number in numbers:
        notebook.cells.append(nbformat.v4.new_code_cell(sources[f"check-{number}"], id=f"again-{number}"))
    for number in numbers:
        filled_in = f"{sources[f'exercise-{number}']}\n\n{sources[f'solution-{number}']}"
        notebook.cells.append(nbformat.v4.new_code_cell(filled_in))
        notebook.cells.append(nbformat.v4.new_code_cell(sources[f"check-{number}"], id=f"late-{number}"))
    said = {cell.id: "".join(texts(cell)) for cell in code_cells(executed(notebook, tmp_path))}
    for cell in (f"{when}-{number}" for when in ("again", "late") for number in numbers):
        assert "Right." in said[cell]
        assert "Not " not in said[cell], f"{cell}: {said[cell]}"


@in_the_teachers_course
def test_an_exercise_has_names_of_its_own(path):
    """What it assigns, no other cell does or uses: so exercises can be filled in and checked again in any order."""
    notebook = read(path)
    parts = {cell.id: names(cell.source) for cell in code_cells(notebook) if cell.metadata.get("tags")}
    others = [names(cell.source) for cell in code_cells(notebook) if not cell.metadata.get("tags")]
    used = set().union(*(assigned | read for assigned, read in others))
    assert {cell: shared for cell, (assigned, _) in parts.items() if (shared := (assigned - {"_"}) & used)} == {}


def test_names_of_a_cell_are_those_that_it_shares_with_other_cells():
    assert names("a = b\nfor c in [d for d in e]: pass") == ({"a", "c"}, {"b", "e"})
    assert names("def f(x):\n    y = x + z\n    return lambda: w") == ({"f"}, {"z", "w"})
    assert names("import a.b, c as d\nfrom e import f") == ({"a", "d", "f"}, set())


@in_the_teachers_course
def test_the_teachers_version_is_stored_without_outputs(path):
    notebook = read(path)
    assert {name: notebook.metadata[name] for name in notebook.metadata} == METADATA
    assert [cell.id for cell in code_cells(notebook) if cell.outputs or cell.execution_count] == []
    assert {tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])} == {
        "exercise",
        "solution",
        "check",
    }


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
    skip_unless_downloaded(path)
    tables = comparisons(executed(read(path), tmp_path, IN_SMALL.get(path.stem)))
    assert out_of_band(tables) == []


@every_landmark
def test_what_a_landmark_stores_is_of_its_code_and_in_the_bands(path):
    notebook = read(path)
    assert notebook.metadata.get("landmark") == {"code": run_notebooks.fingerprint(notebook)}, "run: make landmarks"
    assert comparisons(notebook)
    assert out_of_band(comparisons(notebook)) == []


def test_a_stored_picture_has_few_colours_and_its_white_paper():
    picture = Image.new("RGB", (100, 100), "white")
    for k in range(400):  # tints of white, and a colour that is rare
        picture.putpixel((k % 100, 10 * (k // 100)), (255 - k % 7, 255 - k % 5, 255 - k % 3))
    for k in range(3000):
        picture.putpixel((k % 100, 60 + k // 100), (k % 250, k // 12, 100))
    picture.putpixel((50, 50), (213, 94, 0))
    png = io.BytesIO()
    picture.save(png, "PNG")
    stored = run_notebooks.in_few_colours(base64.b64encode(png.getvalue()).decode())
    after = Image.open(io.BytesIO(base64.b64decode(stored))).convert("RGB")
    assert after.size == picture.size
    assert len(after.getcolors()) <= 128
    assert after.getpixel((99, 55)) == (255, 255, 255)
    assert after.getpixel((50, 50)) == (213, 94, 0)


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


def skip_unless_downloaded(path):
    for name in DOWNLOADS.get(path.stem, ()):
        try:
            downloaded(name, "the notebook's first cell says where to get it")
        except FileNotFoundError as error:
            pytest.skip(str(error))


def texts(cell: NotebookNode) -> list[str]:
    """What a cell printed and showed, as text. Pictures are not compared: layout programs differ by machine."""
    return [output.text if output.output_type == "stream" else output.data["text/plain"] for output in cell.outputs]


def names(source: str | CodeType) -> tuple[set[str], set[str]]:
    """The global names that a cell assigns, and those that it reads, its functions' too."""
    code = compile(source, "<cell>", "exec") if isinstance(source, str) else source
    is_module = code.co_name == "<module>"
    assigned, read = set(), set()
    for instruction in dis.get_instructions(code):
        if instruction.opname == "STORE_GLOBAL" or (instruction.opname == "STORE_NAME" and is_module):
            assigned.add(instruction.argval)
        if instruction.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
            read.add(instruction.argval)
    for inner in filter(lambda constant: isinstance(constant, CodeType), code.co_consts):
        its_assigned, its_read = names(inner)
        assigned, read = assigned | its_assigned, read | its_read
    return assigned, read


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
