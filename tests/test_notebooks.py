"""Do the notebooks run from top to bottom, and are the outputs that they store the ones that their cells give?

`python tests/test_notebooks.py` runs every notebook and stores its outputs: after changing one, or what it shows.
"""

from __future__ import annotations

import asyncio
import base64
import io
import os
import re
import sys
import tempfile
from pathlib import Path

import pytest

os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")  # else jupyter_core warns that its directories will move

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.slow
@every_notebook
def test_every_cell_runs_and_gives_the_outputs_that_are_stored(path, tmp_path):
    stored = read(path)
    for before, after in zip(code_cells(stored), code_cells(executed(path, tmp_path)), strict=True):
        assert texts(before) == texts(after), f"cell {before.id}: run: python tests/test_notebooks.py"


@every_notebook
def test_outputs_are_stored_from_one_run(path):
    cells = code_cells(read(path))
    assert any(cell.outputs for cell in cells)
    assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)]
    assert [cell.id for cell in cells for output in cell.outputs if output.get("name") == "stderr"] == []


@every_notebook
def test_nothing_of_a_machine_is_stored(path):
    notebook = read(path)
    assert notebook.metadata == METADATA
    assert [cell.id for cell in notebook.cells if cell.metadata] == []  # Jupyter stores the times of execution there
    assert {cell.id: paths for cell in code_cells(notebook) if (paths := machine_paths(cell))} == {}


def test_paths_of_machines_are_recognised():
    def cell(text: str) -> NotebookNode:
        return nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("stream", text=text)])

    for place in ("/home/ada/x.svg", "/Users/ada/x.svg", r"C:\Users\ada", "/tmp/x", sys.prefix, tempfile.gettempdir()):
        assert machine_paths(cell(f"File {place}, line 1")), place
    assert machine_paths(cell('<svg xmlns="http://www.w3.org/2000/svg">a/b</svg>')) == []


def read(path: Path) -> NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(cell: NotebookNode) -> list[str]:
    """What a cell printed and showed, as text. Pictures are not compared: layout programs differ by machine."""
    return [output.text if output.output_type == "stream" else output.data["text/plain"] for output in cell.outputs]


def machine_paths(cell: NotebookNode) -> list[str]:
    shown = [
        text
        for output in cell.outputs
        for kind, text in ({"text": output.text} if output.output_type == "stream" else output.data).items()
        if kind != "image/png"
    ]
    places = [r"(?<![\w.])/(?:home|Users|root|tmp|private|var|usr|opt|mnt)/", r"\b[A-Za-z]:\\"]
    places += map(re.escape, (sys.prefix, tempfile.gettempdir(), str(NOTEBOOKS[0].parents[1])))
    return [found.group() for text in shown for found in re.finditer("|".join(places), text)]


def executed(path: Path, directory: Path) -> NotebookNode:
    """The notebook run by this interpreter, in an empty directory and with nobody's settings."""
    notebook = read(path)
    # Without directories to look for kernels in, there is one: ipykernel's own, run by this interpreter.
    kernel = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    client = NotebookClient(
        notebook,
        km=kernel,
        timeout=120,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(directory)}},
    )
    settings = {name: str(directory) for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    with pytest.MonkeyPatch.context() as environment:
        for name, place in settings.items():
            environment.setenv(name, place)
        # On Windows, the event loop that asyncio takes by default has not got what ZeroMQ needs.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            return runner.run(client.async_execute(cleanup_kc=True))


def main() -> None:
    for path in NOTEBOOKS:
        with tempfile.TemporaryDirectory() as directory:
            notebook = executed(path, Path(directory))
        notebook.metadata = METADATA
        for cell in code_cells(notebook):
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = in_few_colours(output.data["image/png"])
        nbformat.write(notebook, path)


def in_few_colours(png: str) -> str:
    """The PNG with a palette of 128 colours: a picture needs no more, and takes a quarter of the space.

    An octree's palette has the rare colours too, those of a thin line. That of the median cut, Pillow's default, mixes
    them with others.
    """
    from PIL import Image

    smaller = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(png)))
    picture.convert("RGB").quantize(128, Image.Quantize.FASTOCTREE).save(smaller, "PNG", optimize=True)
    return base64.b64encode(smaller.getvalue()).decode()


if __name__ == "__main__":
    main()
