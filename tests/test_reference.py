"""The reference: its pages have every operation with its derivatives, its links lead somewhere, and no warning."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import json
import re
import runpy
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest

import autograd
import nn
from autograd.explaining import in_latex
from autograd.formulas import derivatives
from autograd.operations import ROWS, TABLE

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
NEEDED = ("furo", "latex2mathml", "myst_nb", "sphinx")


@pytest.fixture(scope="module")
def reference():
    """What reference.py defines."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRAD_ENGINE", autograd.engine)
        return runpy.run_path(str(DOCS / "reference.py"))


@pytest.fixture(scope="module")
def source(reference, tmp_path_factory):
    """The pages, before Sphinx makes a site of them."""
    folder = tmp_path_factory.mktemp("source")
    reference["pages"](folder)
    return folder


# ---- The pages


@pytest.mark.slow
def test_every_operation_has_its_formula_derivatives_kinks_graph_and_row(source):
    page = (source / "operations.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    assert [*sections] == [operation.name for operation in ROWS[:TABLE]]
    for operation in ROWS[:TABLE]:
        text = sections[operation.name]
        assert in_latex(operation.formula) in text
        for operand, derivative in derivatives(operation).items():
            lines = [
                line
                for line in text.splitlines()
                if line.startswith(rf"\frac{{\partial}}{{\partial {in_latex(operand)}}}")
            ]
            assert len(lines) == 1
            assert lines[0].endswith(f") = {in_latex(derivative)}")
        for point, partials in operation.conventions:
            assert f"| {point} | {partials} |" in text
        assert "Operation(" in text
        assert f'"{operation.name}"' in text
        assert (source / "plots" / f"{operation.name}.svg").stat().st_size > 1000


@pytest.mark.slow
def test_every_link_of_a_page_leads_to_a_page_of_the_reference(source):
    pages = [*source.rglob("*.md"), *source.rglob("*.ipynb")]
    assert len(pages) > 20
    for page in pages:
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
            path = target.partition("#")[0]
            assert "://" in path or not path or (page.parent / path).exists(), (page.name, target)


def prose(page: Path) -> str:
    """The text of a page; of a notebook, what is not code."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".md":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown")


def test_a_link_out_of_the_reference_leaves_its_words(reference):
    relinked = reference["relinked"]
    text = "See [the table](../autograd/operations.py), [notebook 2](02-one-neuron-and-its-error-surface.ipynb#a)."
    expected = "See the table, [notebook 2](02-one-neuron-and-its-error-surface.ipynb#a)."
    assert relinked(text, "notebooks/x.ipynb", "course/x.ipynb") == expected
    assert relinked("[1986](https://x.org/y)", "README.md", "index.md") == "[1986](https://x.org/y)"
    assert relinked("![n](docs/neuron.svg)", "README.md", "index.md") == "![n](neuron.svg)"


def test_docstrings_become_paragraphs_lists_and_examples():
    pytest.importorskip("latex2mathml")
    pytest.importorskip("sphinx")
    conf = runpy.run_path(str(DOCS / "conf.py"))
    lines = [
        "It computes x_i * y, as `f(x)`", "does.", "", "Arguments:", "    x, y: two", "        numbers.", "    n: one.",
        "", "Raises ValueError.", "", ">>> f(*x)", "3",
    ]  # fmt: skip
    lines[0] = lines[0] + " " * 80 + "and so on"
    conf["in_restructured_text"](None, "", "", None, None, lines)
    assert [line for line in lines if line] == [
        r"It computes x\_i \* y, as `f(x)`" + " " * 80 + "and so on does.",
        "Arguments:", "    - **x, y**: two numbers.", "    - **n**: one.", "Raises ValueError.", ">>> f(*x)", "3",
    ]  # fmt: skip


@pytest.mark.slow
def test_the_printable_table_has_every_operation_on_one_page(tmp_path):
    printable = runpy.run_path(str(DOCS / "printable.py"))
    figure = printable["page"]()
    texts = [text.get_text() for text in figure.texts]
    for operation in ROWS[:TABLE]:
        assert operation.name in texts
        for derivative in derivatives(operation).values():
            formula = f"{printable['displayed'](derivative)}$"
            lines = [formula] if any(text.endswith(formula) for text in texts) else printable["on_two_lines"](formula)
            assert all(any(text.endswith(line) for text in texts) for line in lines)
    for text in figure.texts:
        x, y = text.get_position()
        assert 0 < x < 1
        assert 0 < y < 1
    boxes = [text.get_window_extent() for text in figure.texts]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert min(text.get_fontsize() for text in figure.texts) > 0.8 * printable["SIZE"]
    for folder in ("one", "two"):
        printable["write"](tmp_path / folder)
    for name in ("operations.svg", "operations.pdf"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert (tmp_path / "one" / "operations.pdf").read_bytes().count(b"/Type /Page ") == 1
    assert ElementTree.parse(tmp_path / "one" / "operations.svg").getroot().tag.endswith("svg")


# ---- The glossary, and the page for users of PyTorch


def test_the_glossary_is_in_order_and_its_names_exist():
    page = (DOCS / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^- \*\*(.+?)\*\*", page, re.MULTILINE)
    assert len(terms) > 50
    assert terms == sorted(terms, key=str.casefold)
    assert len(set(terms)) == len(terms)
    for name in re.findall(r"`([\w.]+)`", page.partition("\n- ")[2]):
        assert name in ("grad", "parents") or exists(name), name


def test_what_stands_for_pytorchs_names_exists():
    page = (DOCS / "coming-from-pytorch.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", page, re.MULTILINE)[2:]
    assert len(rows) > 15
    for _, here in rows:
        for name in re.findall(r"`([A-Za-z_]+)[(`]", here):
            assert name in ("grad",) or exists(name), name


def test_the_page_for_users_of_pytorch_shows_what_happens():
    result = doctest.testfile(str(DOCS / "coming-from-pytorch.md"), module_relative=False, encoding="utf-8")
    assert result.attempted >= 6
    assert result.failed == 0


def exists(name: str) -> bool:
    """Whether a name can be imported from `autograd` or `nn`."""
    if name.startswith("nn."):
        module, _, attribute = name.rpartition(".")
        return hasattr(importlib.import_module(module), attribute)
    return hasattr(autograd, name) or hasattr(nn, name)


# ---- The site


@pytest.mark.slow
@pytest.mark.skipif(any(importlib.util.find_spec(name) is None for name in NEEDED), reason="the extra docs is missing")
def test_sphinx_builds_the_site_without_a_warning_and_it_needs_no_network(tmp_path):
    done = subprocess.run(
        [sys.executable, str(DOCS / "reference.py"), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    html = tmp_path / "html"
    for page in (
        "index",
        "operations",
        "api/autograd",
        "api/nn",
        "course/01-a-value-and-its-gradient",
        "landmarks/README",
    ):
        text = (html / f"{page}.html").read_text(encoding="utf-8")
        assert re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="https?:', text) == []
    assert "<math" in (html / "operations.html").read_text(encoding="utf-8")
    assert (html / "operations.pdf").exists()
