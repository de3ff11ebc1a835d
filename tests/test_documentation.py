"""What the documentation says is what the code does: docstrings, README, and the reference of the operations."""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
import re
import runpy
import sys
from pathlib import Path

import pytest

import autograd
import nn
from autograd.operations import ROWS, TABLE

pytestmark = pytest.mark.both_engines

ROOT = Path(__file__).parents[1]
FOLDERS = ["autograd", "nn", "examples", "benchmarks", "notebooks", "findings", "docs", "tests"]


def modules():
    for package in (autograd, nn):
        yield package.__name__
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name != "autograd.native.engine" or autograd.engine == "native":
                yield module.name


@pytest.mark.parametrize("name", list(modules()))
def test_examples_in_docstrings(name):
    if name.startswith(("autograd.tape.exports", "autograd.tape.tape")):  # which show a model
        pytest.importorskip("onnx")
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


@pytest.mark.parametrize(
    ("folder", "least"), [(".", 65), ("autograd/tape", 11), ("autograd/transforms", 8), ("autograd/native", 12)]
)
def test_examples_in_the_readmes(folder, least):
    if folder == "autograd/native" and (autograd.engine != "native" or sys.maxsize < 2**32):
        pytest.skip("the page shows the native engine, and tells the sizes that 64-bit processors have")
    result = doctest.testfile(str(ROOT / folder / "README.md"), module_relative=False, encoding="utf-8")
    assert result.attempted >= least
    assert result.failed == 0


@pytest.mark.parametrize("folder", ["tape", "transforms"])
def test_a_folders_readme_names_every_file(folder):
    readme = ROOT / "autograd" / folder / "README.md"
    files = [path for path in readme.parent.rglob("*.py") if path.name != "__init__.py"]
    assert files
    for path in files:
        assert path.relative_to(readme.parent).as_posix() in readme.read_text(encoding="utf-8")


def test_the_readmes_of_the_native_engine_and_the_tape_name_every_file_of_c_and_no_other():
    native = ROOT / "autograd" / "native"
    pages = [(folder / "README.md").read_text(encoding="utf-8") for folder in (native, native.parent / "tape")]
    named = {name for page in pages for name in re.findall(r"`(?:native/)?([\w*]+\.[ch])`", page)}
    assert [name for name in named if not [*native.glob(name)]] == []
    told = {path.stem for name in named for path in native.glob(name)}
    assert {source.stem for source in native.glob("*.[ch]")} == told


@pytest.mark.parametrize("text", ["reference", "conventions", "contributing", "readme"])
def test_what_is_written_from_the_code_is_up_to_date(text):
    written = runpy.run_path(str(ROOT / "docs" / "write.py"))
    assert written[text.upper()].read_text(encoding="utf-8") == written[text](), "run: make docs"


@pytest.mark.parametrize("address", ["https://github.com/ada/engine", "https://github.com/ada/engine.git/"])
def test_badges_open_the_course_where_the_project_is(address):
    badges = runpy.run_path(str(ROOT / "docs" / "write.py"))["badges"]
    colab, binder = re.findall(r"\)\]\((.*?)\)", badges(address))
    first = "notebooks/01-a-value-and-its-gradient.ipynb"
    assert colab == f"https://colab.research.google.com/github/ada/engine/blob/main/{first}"
    assert binder == f"https://mybinder.org/v2/gh/ada/engine/main?urlpath=lab/tree/{first}"
    assert 'git+https://github.com/ada/engine"`' in badges(address)
    assert (ROOT / first).exists()


@pytest.mark.parametrize("address", ["", "https://example.org/engine", "https://github.com/ada"])
def test_without_an_address_at_github_there_are_no_badges(address):
    assert runpy.run_path(str(ROOT / "docs" / "write.py"))["badges"](address) == ""


def test_the_conventions_have_every_kink_and_ours_are_the_same_in_every_mode():
    answers = runpy.run_path(str(ROOT / "docs" / "conventions.py"))["ours"]()
    assert all(len(set(ways.values())) == 1 for of_order in answers.values() for ways in of_order)
    for operation in ROWS[:TABLE]:
        for point in operation.kinks:
            x_and_y = ", ".join(["x", "y"][: len(point)])
            assert f"{operation.name}({x_and_y}) at {', '.join(f'{x:g}' for x in point)}" in answers


@pytest.mark.parametrize("name", list(modules()))
def test_a_module_says_what_it_does_in_its_first_line(name):
    first, *_ = (importlib.import_module(name).__doc__ or "").splitlines() or [""]
    assert first.endswith((".", ":"))
    assert "?" not in first


PAGES = [
    *[path for kind in ("*.md", "*.ipynb") for path in ROOT.glob(kind)],
    *[path for name in FOLDERS for kind in ("*.md", "*.ipynb") for path in (ROOT / name).rglob(kind)],
]


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    assert [target for target in targets if "://" not in target and not leads_somewhere(page, target)] == []


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_each_row_of_a_table_has_a_cell_for_each_column(page):
    """What a row has more, no reader sees."""
    columns = 0
    for line in map(str.strip, prose(page).splitlines()):
        cells = len(re.findall(r"(?<!\\)\|", line)) - 1 if line.startswith("|") else 0
        assert cells == columns or not columns or not cells, line
        columns = cells


def prose(page):
    """The text of a page: of a notebook, what is not code and not shown by it."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".md":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown")


def leads_somewhere(page, target):
    path = target.split("#")[0]
    return not path or (page.parent / path).exists()
