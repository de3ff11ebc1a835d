"""Writes the contact sheet: every picture of README, docs, course and landmarks on one page, as large as people see it.

    python docs/contact_sheet.py FOLDER

Pictures are what Markdown files show, and what notebooks have stored as the outputs of their cells. Chromium makes
pictures of SVG and HTML. The page is FOLDER/index.html; look at it before a release, and mend what one would not print.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import sys
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nbformat import NotebookNode
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
SOURCES = ["README.md", "docs/*.md", "notebooks/*.ipynb", "notebooks/landmarks/*.ipynb", "notebooks/landmarks/*.md"]
COLUMN = 1000  # pixels that a notebook has for its outputs
KINDS = {"text/html": "html", "image/svg+xml": "svg", "image/png": "png"}  # the first that there is, notebooks show

HEAD = f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Contact sheet</title>
<style>
body {{ font: 14px/1.4 sans-serif; margin: 2rem; }}
figure {{ margin: 1rem 0 2rem; }}
img {{ display: block; max-width: {COLUMN}px; height: auto; outline: 1px solid #bbb; }}
</style>
</head>
<body>
<h1>Contact sheet</h1>
"""


@dataclass
class Picture:
    """Where it stands, what is said of it, and what it is: "png", "svg" or "html"."""

    file: str
    place: str
    caption: str
    kind: str
    content: bytes


def pictures(root: Path = ROOT) -> Iterator[Picture]:
    """Every picture, each once: that of a landmark is in its notebook, and on the landmarks' page."""
    seen = set()
    for pattern in SOURCES:
        for path in sorted(root.glob(pattern)):
            found = in_notebook if path.suffix == ".ipynb" else in_markdown
            for picture in found(path.relative_to(root).as_posix(), path):
                key = hashlib.sha256(picture.content).digest()
                if key not in seen:
                    seen.add(key)
                    yield picture


def in_markdown(name: str, path: Path) -> Iterator[Picture]:
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", text)
    for tag in re.findall(r"<img\s[^>]*>", text):
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        links.append((unescape(attributes.get("alt", "")), attributes.get("src", "")))
    for caption, link in links:
        file = path.parent / link
        if file.suffix in (".png", ".svg") and file.is_file():
            yield Picture(name, link, caption, file.suffix[1:], file.read_bytes())


def in_notebook(name: str, path: Path) -> Iterator[Picture]:
    heading = ""
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
        headings = re.findall(r"^#+ (.*)", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else []
        heading = [heading, *headings][-1]
        for kind, content in shown(cell):
            yield Picture(name, f"cell {number}, {cell.id}", heading, kind, content)


def shown(cell: NotebookNode) -> Iterator[tuple[str, bytes]]:
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        for mime, kind in KINDS.items():
            if mime in data:
                yield kind, base64.b64decode(data[mime]) if kind == "png" else data[mime].encode()
                break


def write(found: Iterable[Picture], folder: Path, page: Page) -> int:
    """Writes the page and its pictures; returns how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    parts, file, count = [HEAD], "", 0
    for count, picture in enumerate(found, 1):
        name = f"{count:03}-{re.sub(r'[^a-z0-9]+', '-', Path(picture.file).stem.lower())}.png"
        png = picture.content if picture.kind == "png" else rendered(picture, page)
        (folder / name).write_bytes(png)
        width, height = size_of(png)
        reduced = f", shown at {COLUMN / width:.0%}" if width > COLUMN else ""
        if picture.file != file:
            file = picture.file
            parts.append(f"<h2>{escape(file)}</h2>\n")
        parts.append(
            f'<figure>\n<img src="{name}" width="{width}" height="{height}" alt="{escape(picture.caption)}">\n'
            f"<figcaption>{count}. {escape(picture.place)}: {escape(picture.caption)} "
            f"({picture.kind}, {width} × {height} pixels{reduced})</figcaption>\n</figure>\n"
        )
    (folder / "index.html").write_text("".join([*parts, "</body>\n</html>\n"]), encoding="utf-8")
    return count


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height, as its header says."""
    if not png.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ValueError(f"expected the bytes of a PNG, got {png[:8]!r}")
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def rendered(picture: Picture, page: Page) -> bytes:
    """An SVG or HTML as Chromium shows it, in the width of a notebook's output; an SVG that is wider, whole."""
    body = picture.content.decode()
    page.set_viewport_size({"width": 20_000 if picture.kind == "svg" else COLUMN, "height": 800})
    page.set_content(f'<body style="margin: 0"><div id="picture" style="display: inline-block">{body}</div></body>')
    page.wait_for_timeout(200 if "<script" in body or "<iframe" in body else 0)
    if picture.kind == "html":
        page.evaluate("document.getElementById('picture').style.display = 'block'")
    return page.locator("#picture").screenshot()


def main(folder: Path) -> None:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        sys.exit("contact_sheet.py: there is no Chromium to make pictures of SVG and HTML: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        count = write(pictures(), folder, chromium.new_page())
        chromium.close()
    print(f"{count} pictures: {folder / 'index.html'}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
