"""The contact sheet shows every picture, as large as it is, whatever stands beside it."""

from __future__ import annotations

import base64
import html
import re
import runpy
import struct
import zlib
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("playwright")
ROOT = Path(__file__).parents[1]
SCRIPT = runpy.run_path(str(ROOT / "docs" / "contact_sheet.py"))
HOSTILE = '<script>alert("&amp;")</script>'


def png(width: int, height: int) -> bytes:
    """A grey picture."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress((b"\0" + b"\x80" * width) * height))
    return b"\x89PNG\r\n\x1a\n" + header + rows + chunk(b"IEND", b"")


SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><rect width="30" height="20"/></svg>'
WIDE = SVG.replace('"30"', '"2500"')


def shown(name: str, data: dict[str, str]):
    return nbformat.v4.new_code_cell("draw()", id=name, outputs=[nbformat.v4.new_output("display_data", data)])


@pytest.fixture
def project(tmp_path):
    """A README with two pictures, and a notebook with four, of which one is in README, too."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.svg").write_text(SVG, encoding="utf-8")
    (tmp_path / "b.png").write_bytes(png(7, 5))
    text = (
        f'![{HOSTILE}](docs/a.svg)\n<img alt="b" src="b.png">\n[a link](b.png) ![gone](c.png) ![far](https://a/d.png)'
    )
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    cells = [
        nbformat.v4.new_markdown_cell(f"# First\n\ntext\n\n## {HOSTILE}", id="head"),
        shown("one", {"image/png": base64.b64encode(png(40, 30)).decode(), "text/plain": "<Figure>"}),
        shown("two", {"image/svg+xml": WIDE, "image/png": base64.b64encode(png(1, 1)).decode(), "text/plain": "<svg>"}),
        shown("same", {"image/png": base64.b64encode(png(7, 5)).decode(), "text/plain": "<Figure>"}),
        nbformat.v4.new_markdown_cell("## Last", id="last"),
        shown("table", {"text/html": '<p style="margin: 0; height: 50px">a</p>', "text/plain": "a"}),
        shown("words", {"text/plain": "no picture"}),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "notebooks" / "01.ipynb")
    return tmp_path


def test_every_picture_is_found_once_with_its_place_and_heading(project):
    found = [(p.file, p.place, p.caption, p.kind) for p in SCRIPT["pictures"](project)]
    assert found == [
        ("README.md", "docs/a.svg", HOSTILE, "svg"),
        ("README.md", "b.png", "b", "png"),
        ("notebooks/01.ipynb", "cell 1, one", HOSTILE, "png"),
        ("notebooks/01.ipynb", "cell 2, two", HOSTILE, "svg"),
        ("notebooks/01.ipynb", "cell 5, table", "Last", "html"),
    ]


def test_the_sheet_has_each_picture_in_its_size(project, tmp_path, browser):
    folder = tmp_path / "out" / "sheet"
    page = browser.new_page()
    assert SCRIPT["write"](SCRIPT["pictures"](project), folder, page) == 5
    text = (folder / "index.html").read_text(encoding="utf-8")
    sizes = [(30, 20), (7, 5), (40, 30), (2500, 20), (1000, 50)]
    names = re.findall(r'<img src="(.*?)"', text)
    assert [SCRIPT["size_of"]((folder / name).read_bytes()) for name in names] == sizes
    assert (folder / names[2]).read_bytes() == png(40, 30)
    assert "2500 × 20 pixels, shown at 40%" in text
    assert html.escape(HOSTILE) in text
    page.goto((folder / "index.html").as_uri())
    size = "i => [i.complete && i.naturalWidth > 0, i.clientWidth, i.clientHeight]"
    drawn = page.evaluate(f"[...document.images].map({size})")
    assert drawn == [[True, width, height] for width, height in [*sizes[:3], (1000, 8), (1000, 50)]]
    assert page.locator("script").count() == 0
    page.close()


def test_what_is_no_png_is_said(tmp_path):
    with pytest.raises(ValueError, match="expected the bytes of a PNG"):
        SCRIPT["size_of"](b"GIF89a")


def test_every_source_of_the_project_has_pictures():
    found = list(SCRIPT["pictures"]())
    files = {picture.file for picture in found}
    assert {"README.md", "notebooks/01-a-value-and-its-gradient.ipynb", "notebooks/landmarks/1989-lenet.ipynb"} <= files
    assert {picture.kind for picture in found} == {"png", "svg", "html"}
