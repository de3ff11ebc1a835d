"""Runs notebooks from top to bottom and stores their outputs.

`python -P tests/run_notebooks.py` does so with the course, after a change of one, or of what it shows. The course is
written in notebooks/teacher, with the answers to its exercises; what a student gets is made of that here.
`python -P tests/run_notebooks.py landmarks` does so with the landmarks (`make landmarks`), and writes the table of
their results. `python -P tests/run_notebooks.py NAME ...` takes those whose names begin so. (-P: beside the script lies
the folder tests/autograd, which is not the package.)
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import perf_counter
from unittest import mock

os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")  # else jupyter_core warns that its directories will move

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbformat import NotebookNode
from tqdm import tqdm

from nn.comparison import MIME, markdown_cell
from nn.datasets import downloads

FOLDER = Path(__file__).parents[1] / "notebooks"
TEACHER = sorted((FOLDER / "teacher").glob("*.ipynb"))
COURSE = [FOLDER / path.name for path in TEACHER]
LANDMARKS = sorted((FOLDER / "landmarks").glob("*.ipynb"))
RESULTS = FOLDER / "landmarks" / "README.md"
PICTURE_FOLDER = "pictures"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

HEAD = """\
# Landmarks

Systems that made history, run again: a notebook each, from nothing, with this engine. Each prints the numbers of its
authors beside ours, over seeds that were fixed beforehand and are all shown. No weights are stored.

`make landmarks` runs them all and writes this page. "Must be" is the band for the median over the seeds; the notebooks
say where a number of the original was found, and what is different here. NETtalk and LeNet need files that a user
downloads, into `data` or the folder that AUTOGRAD_DATA names; TD-Gammon has opponents from the package `gnubg-nn` where
it is installed, and NETtalk a voice where `espeak-ng` is.
"""


# ---- Running


def read(path: Path) -> NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def student(teacher: NotebookNode) -> NotebookNode:
    """What a student gets of the course: all but the cells tagged `solution`, one folder up."""
    notebook = nbformat.from_dict(teacher)
    notebook.cells = [cell for cell in notebook.cells if not is_tagged(cell, "solution")]
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("](../", "](")
    return notebook


def is_tagged(cell: NotebookNode, tag: str) -> bool:
    """Whether a cell of the course is an `exercise` to be filled in, its `solution`, or the `check` of it."""
    return tag in cell.metadata.get("tags", [])


def executed(
    notebook: NotebookNode,
    directory: Path,
    replaced: dict[str, str] | None = None,
    *,
    timeout: int = 120,
    progress: str = "",
) -> NotebookNode:
    """The notebook run by this interpreter, in an empty directory and with nobody's settings.

    `replaced` has other sources for some of the cells, by their ids: a landmark in small has fewer seeds. `progress`
    is what a progress bar shows, if there is to be one.
    """
    cells = {cell.id: cell for cell in code_cells(notebook)}
    for name, source in (replaced or {}).items():
        cells[name].source = source
    # Without directories to look for kernels in, there is one: ipykernel's own, run by this interpreter.
    kernel = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    bar = tqdm(total=len(cells), desc=progress, unit="cell", disable=not progress)
    client = NotebookClient(
        notebook,
        km=kernel,
        timeout=timeout,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(directory)}},
        on_cell_executed=lambda **_: bar.update(),
    )
    settings = {name: str(directory) for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    downloaded = Path(os.environ.get(downloads.VARIABLE) or downloads.FOLDER)
    settings[downloads.VARIABLE] = str(downloaded.resolve())  # the notebook runs in another directory
    # On Windows, the event loop that asyncio takes by default has not got what ZeroMQ needs.
    with mock.patch.dict(os.environ, settings), bar, asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(client.async_execute(cleanup_kc=True))


# ---- Storing


def store(path: Path, *, landmark: bool) -> None:
    source = read(path) if landmark else student(read(FOLDER / "teacher" / path.name))
    with tempfile.TemporaryDirectory() as directory:
        notebook = executed(source, Path(directory), timeout=600 if landmark else 120, progress=path.stem)
    notebook.metadata = METADATA | ({"landmark": {"code": fingerprint(notebook)}} if landmark else {})
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = in_few_colours(output.data["image/png"])
    nbformat.write(notebook, path)


def fingerprint(notebook: NotebookNode) -> str:
    """Of the code that the outputs are of. The tests run a landmark only in small, but see that it is as it was run."""
    sources = "\0".join(cell.source for cell in code_cells(notebook))
    return hashlib.sha256(sources.encode()).hexdigest()


def in_few_colours(png: str) -> str:
    """The PNG with a palette of 128 colours: a picture needs no more, and takes a quarter of the space.

    An octree's palette has the rare colours too, those of a thin line. That of the median cut, Pillow's default, mixes
    them with others. Of the colours that share a place in the palette, the most frequent one gets it: their mean, as
    Pillow has it, would tint white paper.
    """
    from PIL import Image

    smaller = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    few = picture.quantize(128, Image.Quantize.FASTOCTREE)
    channels = picture.tobytes()
    colours = zip(channels[::3], channels[1::3], channels[2::3], strict=True)
    pairs = Counter(zip(few.tobytes(), colours, strict=True))
    frequent = {place: colour for (place, colour), _ in reversed(pairs.most_common())}
    few.putpalette([channel for place in range(max(frequent) + 1) for channel in frequent.get(place, (0, 0, 0))])
    few.save(smaller, "PNG", optimize=True)
    return base64.b64encode(smaller.getvalue()).decode()


# ---- The page of the landmarks

# Of each landmark, the cell whose figure one remembers, and what it shows.
PICTURES = {
    "1958-perceptron-and-adaline": ("perceptron-figure", "Setosa in two epochs, versicolor never."),
    "1960-a-flight-by-gradient": ("flight-figure", "From the Earth's orbit to that of Mars, steered by a gradient."),
    "1967-amari": ("stuck", "Four clouds that no line can part: the best network, and one that stays stuck."),
    "1970-linnainmaa-and-rounding": (
        "logistic-figure",
        "The rounding error of a chaotic computation, foretold to four digits for 46 steps.",
    ),
    "1974-werbos": ("forecasts", "Twenty years ahead: fitted step by step, and fitted through time."),
    "1986-internal-representations": (
        "symmetry-figure",
        "Nobody told the hidden neurons about 1 : 2 : 4, nor those of seed 7 about 2 : 3 : 4.",
    ),
    "1987-nettalk": (
        "curves",
        "A thousand words, and then words that it has never seen: with hidden units, and without.",
    ),
    "1989-catastrophic-interference": ("forgetting", "The ones are forgotten before the twos are learned."),
    "1989-lenet": ("maps", "A five, what the maps of both layers say of it, and what the first one looks for."),
    "1990-early-stopping-and-ensembles": ("curves", "Stop where the validation turns, after some 17 epochs of 300."),
    "1990-elman-and-time": (
        "curves",
        "XOR in time: nothing without a context, something with a copy of it, more with the true gradient.",
    ),
    "1991-alvinn": (
        "drive-figure",
        "A road that it has never seen: five hidden neurons stay on it, a linear model does not.",
    ),
    "1992-td-gammon": (
        "curves",
        "More than a thousand games for nothing, and then nearly everything within a few hundred.",
    ),
    "1993-wan-fir": ("together", "A laser's chaos, a hundred steps ahead: ten networks asked together."),
    "1996-through-structure": (
        "curves",
        "Are the two subterms equal? Learned from trees, by a network in their shape.",
    ),
    "2023-photonic-processor": (
        "light-figure",
        "Light forwards, light backwards, and what a detector sees of both: the gradient.",
    ),
    "2026-gpt-on-scalars": (
        "attention",
        "Where the four heads look, letter by letter, in a name that they have never seen.",
    ),
}


def comparisons(notebook: NotebookNode) -> list[dict[str, object]]:
    """The Comparisons that a notebook shows: each with `original` and `rows`."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return [output.data[MIME] for output in outputs if MIME in output.get("data", {})]


def picture(path: Path) -> bytes:
    """The PNG of the figure that a landmark is shown with."""
    [cell] = [cell for cell in code_cells(read(path)) if cell.id == PICTURES[path.stem][0]]
    [png] = [output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})]
    return base64.b64decode(png)


def page() -> str:
    parts = [HEAD]
    for path in LANDMARKS:
        notebook = read(path)
        title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
        caption = PICTURES[path.stem][1]
        parts.append(f"\n## [{title}]({path.name})\n\n![{caption}]({PICTURE_FOLDER}/{path.stem}.png)\n\n{caption}\n")
        for comparison in comparisons(notebook):
            parts.append(f"\n| | {markdown_cell(comparison['original'])} | here | must be |\n|---|---|---|---|\n")
            parts.extend(f"| {' | '.join(map(markdown_cell, row['texts']))} |\n" for row in comparison["rows"])
    return "".join(parts)


def write_page() -> None:
    folder = RESULTS.parent / PICTURE_FOLDER
    folder.mkdir(exist_ok=True)
    for path in LANDMARKS:
        (folder / f"{path.stem}.png").write_bytes(picture(path))
    RESULTS.write_text(page(), encoding="utf-8")


def main(names: list[str]) -> None:
    begin = perf_counter()
    chosen = [path for path in COURSE + LANDMARKS if path.stem.startswith(tuple(names))]
    for path in LANDMARKS if names == ["landmarks"] else chosen or COURSE:
        store(path, landmark=path in LANDMARKS)
    write_page()
    print(f"{perf_counter() - begin:.0f} seconds; results: {RESULTS}")


if __name__ == "__main__":
    main(sys.argv[1:])
