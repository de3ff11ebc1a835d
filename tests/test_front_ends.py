"""What people open notebooks with: each shows drawings, traces, figures and bars as they are meant.

A tool that is not installed is skipped. JupyterLab comes with the extra `test`; nbconvert comes with it. marimo and
mystmd are large, and are tried where they are there: `pip install marimo mystmd`.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from html import unescape
from pathlib import Path
from urllib.request import urlopen

import nbformat
import pytest
from IPython.core.formatters import DisplayFormatter

from autograd import Value, draw, tanh

from .run_notebooks import METADATA, executed, read

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]  # of theirs

ROOT = Path(__file__).parents[1]
CELLS = {
    "drawing": """
from autograd import Value, draw, explain, tanh
x, w = Value(2.0, label="x"), Value(-0.5, label="w")
y = tanh(w * x + 2.0)
y.backward()
draw(y)""",
    "trace": "explain(y)",
    "bar": """
from nn import SGD, fit, squared_error
history = fit(lambda x: w * x, [1.0, 2.0], [1.0, 2.0], squared_error, SGD([w], 0.1), epochs=3)""",
    "figure": "history.plot()",
    "value": "y",
}


def neuron():
    x, w = Value(2.0, label="x"), Value(-0.5, label="w")
    y = tanh(w * x + 2.0)
    y.backward()
    return y


def written(folder, *cells):
    """A notebook of these cells, not yet run."""
    notebook = nbformat.v4.new_notebook(metadata=METADATA)
    notebook.cells = [nbformat.v4.new_code_cell(cell.strip(), id=f"cell-{k}") for k, cell in enumerate(cells)]
    path = folder / "neuron.ipynb"
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """The file, with the outputs that Jupyter's kernel gave: as people convert it."""
    pytest.importorskip("nbconvert", reason='nbconvert is not installed: pip install ".[notebooks]"')
    folder = tmp_path_factory.mktemp("notebook")
    path = written(folder, *CELLS.values())
    run = executed(read(path), folder)
    nbformat.write(run, path)
    return path


# ---- nbconvert


def converted(exporter, notebook, **options):
    """The text, and the files beside it, by their names."""
    nbconvert = pytest.importorskip("nbconvert")
    text, resources = getattr(nbconvert, exporter)(**options).from_filename(str(notebook))
    return text, resources["outputs"]


def test_nbconvert_writes_html(notebook):
    html, _ = converted("HTMLExporter", notebook)
    assert f"data:image/svg+xml;base64,{base64.b64encode(draw(neuron()).svg.encode()).decode()}" in html
    drawing, _ = map(unescape, re.findall(r'<iframe [^>]*srcdoc="(.*?)"', html, re.DOTALL))
    assert drawing == draw(neuron()).html
    assert html.count('<img alt="No description has been provided for this image"') == 1  # of the figure
    assert "Value, computed by tanh from 1 parent" in html


def without_inkscape():
    """What README tells those to set who have no Inkscape, which nbconvert 7.17.2 asks for though there is a PNG."""
    config = pytest.importorskip("traitlets.config").Config()
    config.SVG2PDFPreprocessor.enabled = False
    return config


def test_nbconvert_writes_latex_without_inkscape(notebook):
    latex, files = converted("LatexExporter", notebook, config=without_inkscape())
    images = re.findall(r"\\adjustimage{max size=.*?}}{(.*?)}", latex)
    assert len(images) == 2
    assert all(files[image].startswith(b"\x89PNG") for image in images)
    assert r"\bar{w} = \bar{v}_{1} \cdot \frac{\partial v_{1}}{\partial w} = 0.42 \cdot 2 = 0.8399" in latex


def test_nbconvert_writes_markdown(notebook):
    """With HTML in it, on one line, unless it is told to take images: then it writes them beside."""
    markdown, files = converted("MarkdownExporter", notebook)
    [line] = [line for line in markdown.splitlines() if draw(neuron())._repr_mimebundle_()[0]["text/html"] in line]
    assert line.strip().startswith("<div")
    assert [name.rpartition(".")[2] for name in re.findall(r"!\[(?:png|svg)\]\((.*?)\)", markdown)] == ["png"]
    assert "Value, computed by tanh from 1 parent" in markdown
    config = pytest.importorskip("traitlets.config").Config()
    config.NbConvertBase.display_data_priority = ["image/svg+xml", "image/png", "text/html", "text/plain"]
    markdown, files = converted("MarkdownExporter", notebook, config=config)
    assert [name.rpartition(".")[2] for name in re.findall(r"!\[(?:png|svg)\]\((.*?)\)", markdown)] == ["svg", "png"]
    assert draw(neuron()).svg in {content.decode(errors="replace") for content in files.values()}


# ---- mystmd


@pytest.mark.skipif(not shutil.which("myst"), reason="mystmd is not installed: pip install mystmd")
def test_mystmd_reads_the_notebook(notebook, tmp_path):
    """Its Markdown, as of 1.11.0, leaves all outputs away: README says to write that with nbconvert."""
    shutil.copy(notebook, tmp_path)
    (tmp_path / "myst.yml").write_text("version: 1\nproject:\n  title: A neuron\n", encoding="utf-8")
    subprocess.run(["myst", "build", "--md", "neuron.ipynb"], cwd=tmp_path, check=True, capture_output=True)
    [page] = tmp_path.glob("_build/exports/*.md")
    text = page.read_text(encoding="utf-8")
    assert all(code.strip() in text for code in CELLS.values())


# ---- marimo


MARIMO = """
import marimo

app = marimo.App()

{cells}
"""
# A training that goes on until it is told to stop, by a file: so nobody has to be quick to see it.
LIVE = """
import os, random
from nn import MLP, Adam, binary_cross_entropy, correct_sign, fit
random.seed(0)
points = [[random.uniform(-1, 1), random.uniform(-1, 1)] for _ in range(60)]
model = MLP(2, [8, 1])
history = fit(model, points, [int(x > y) for x, y in points], binary_cross_entropy, Adam(model.parameters(), 0.01),
              epochs=10**6, metric=correct_sign, watch=True, callback=lambda _: os.path.exists("stop"))"""


COLOURS_OF = """canvas => {
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(Array.from({length: data.length / 4}, (_, k) => data.slice(4 * k, 4 * k + 3).join())).size;
}"""


def watch_it_live(page, folder):
    """Sees the training go on, tells it to stop, and sees the figure in the end."""
    said = page.locator(".watching .said")
    said.wait_for()
    seen, colours = set(), 0
    for _ in range(600):
        seen.add(said.inner_text())
        colours = page.locator(".watching canvas").evaluate(COLOURS_OF)
        if len(seen) > 3 and colours > 1:  # those of two classes
            break
        page.wait_for_timeout(50)
    assert len(seen) > 3
    assert colours in (2, 3)  # and that of the boundary
    assert page.locator(".watching .curve").count() == 2
    (folder / "stop").touch()
    said.wait_for(state="detached")
    image = page.locator("img[src^='data:image/png']")
    image.wait_for()
    assert image.evaluate("image => image.naturalWidth") > 1000


NEEDS = {"drawing": "", "trace": "explain, y", "bar": "w", "figure": "history", "value": "y"}  # of cells before


def for_marimo(name):
    *before, last = CELLS[name].strip().splitlines()
    indented = "".join(f"    {line}\n" for line in [*before, last])
    made = {"drawing": "explain, w, y", "bar": "history,"}.get(name, "")
    return f"@app.cell\ndef _({NEEDS[name]}):\n{indented}    return {made}\n"


@pytest.mark.skipif(not importlib.util.find_spec("marimo"), reason="marimo is not installed: pip install marimo")
def test_marimo_shows_them(tmp_path):
    (tmp_path / "neuron.py").write_text(MARIMO.format(cells="\n".join(map(for_marimo, CELLS))), encoding="utf-8")
    command = [sys.executable, "-m", "marimo", "export", "html", "neuron.py", "-o", "neuron.html"]
    own = {name: str(tmp_path) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, env=os.environ | own)
    html = (tmp_path / "neuron.html").read_text(encoding="utf-8")
    assert html.count("iframe srcdoc=") == 2  # of drawing and trace
    assert "3/3 |" in html
    assert html.count("data:image/png;base64,") >= 2  # the figure, too
    assert "Value, computed by tanh from 1 parent" in html


@pytest.mark.skipif(not importlib.util.find_spec("marimo"), reason="marimo is not installed: pip install marimo")
def test_marimo_shows_a_training_live(tmp_path, browser):
    pytest.importorskip("anywidget", reason='anywidget is not installed: pip install ".[live]"')
    indented = "".join(f"    {line}\n" for line in LIVE.strip().splitlines())
    (tmp_path / "live.py").write_text(MARIMO.format(cells=f"@app.cell\ndef _():\n{indented}"), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: str(tmp_path) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    server = subprocess.Popen(
        [sys.executable, "-m", "marimo", "run", "live.py", "--headless", "--no-token", f"--port={port}"], cwd=tmp_path,
        env=os.environ | own | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        wait_for(f"http://127.0.0.1:{port}/", server)
        page.goto(f"http://127.0.0.1:{port}/")
        watch_it_live(page, tmp_path)
        page.close()
    finally:
        server.terminate()
        server.wait(30)


def wait_for(url, server):
    for _ in range(600):
        assert server.poll() is None, "the server ended"
        with suppress(OSError):
            urlopen(url).close()
            return
        time.sleep(0.1)
    raise AssertionError("the server does not answer")


# ---- JupyterLab, in a browser


@pytest.fixture
def lab(tmp_path):
    """A server of its own, with nobody's settings: the address, and the folder that it shows."""
    if not importlib.util.find_spec("jupyterlab"):
        pytest.skip('JupyterLab is not installed: pip install ".[notebooks]"')
    folder, own = tmp_path / "notebooks", tmp_path / "own"
    folder.mkdir()
    settings = {name: str(own) for name in ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    options = [
        "--no-browser", "--allow-root", "--port=0", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}",
        "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options],
        env=os.environ | settings | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield address(own, server), folder
    finally:
        server.terminate()
        server.wait(30)


def address(folder, server):
    """Where the server listens, as it says in a file, once it does."""
    for _ in range(600):
        assert server.poll() is None, "JupyterLab ended"
        for file in folder.glob("jpserver-*.json"):
            try:
                url = json.loads(file.read_text(encoding="utf-8"))["url"]
                urlopen(f"{url}api").close()
            except (OSError, ValueError, KeyError):
                continue
            return url
        time.sleep(0.1)
    raise AssertionError("JupyterLab does not answer")


READY = """() => {
    const kernel = jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel
    return kernel?.connectionStatus === "connected" && kernel.status === "idle"
        && jupyterapp.commands.isEnabled("notebook:run-all-cells")
}"""


def run_in_lab(browser, url, notebook):
    """The page, on which all cells have been started."""
    page = browser.new_page(viewport={"width": 1300, "height": 3000})  # what is out of sight JupyterLab leaves out
    page.set_default_timeout(30_000)
    page.goto(f"{url}lab/tree/{notebook}?reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.wait_for_function(READY)
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    return page


def test_jupyterlab_shows_a_training_live_and_keeps_its_end(lab, browser):
    pytest.importorskip("anywidget", reason='anywidget is not installed: pip install ".[live]"')
    url, folder = lab
    path = written(folder, LIVE)
    page = run_in_lab(browser, url, path.name)
    watch_it_live(page, folder)
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    page.close()
    *_, output = read(path).cells[0].outputs
    assert output["data"].keys() == {"text/html", "image/png", "text/plain"}
    html, _ = converted("HTMLExporter", path)
    assert output["data"]["image/png"].strip() in html
    assert "data:image/svg+xml;base64," in html


def test_jupyterlab_shows_them(lab, browser):
    url, folder = lab
    written(folder, *CELLS.values())
    page = run_in_lab(browser, url, "neuron.ipynb")
    results = page.locator(".jp-OutputArea-executeResult")
    results.nth(3).wait_for()
    assert "Value, computed by tanh from 1 parent" in results.nth(3).inner_text()

    looked_at = page.frame_locator("iframe[srcdoc]").first
    looked_at.locator("#search").fill("w")
    looked_at.get_by_text("1 of 1").wait_for()
    assert looked_at.locator("#card").inner_text().startswith("w\ndata -0.5\ngrad ")
    figure = page.locator(".jp-RenderedImage img")
    assert figure.evaluate("image => image.complete && image.naturalWidth > 100")
    trace = page.frame_locator("iframe[srcdoc]").last
    trace.get_by_role("button", name="Forward").click()
    trace.get_by_text("Step 1 of 8").wait_for()
    assert page.locator(".widget-hprogress").count() == 1
    assert "loss" in page.locator(".jp-OutputArea-output:has(.widget-hprogress)").inner_text()
    assert page.locator(".jp-mod-error, [data-mime-type='application/vnd.jupyter.error']").count() == 0
    page.close()


def test_jupyterlab_shows_the_picture_where_nobody_trusts_the_notebook(lab, browser):
    """Its sanitizer takes the frame away, and what is behind it is seen: as large, and with its description."""
    url, folder = lab
    path = written(folder, "drawing")
    document = read(path)
    data, metadata = DisplayFormatter().format(draw(neuron()))
    data["image/png"] = base64.b64encode(data["image/png"]).decode()
    result = nbformat.v4.new_output("execute_result", data=data, metadata=metadata, execution_count=1)
    document.cells[0].outputs, document.cells[0].execution_count = [result], 1
    nbformat.write(document, path)
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.set_default_timeout(30_000)
    page.goto(f"{url}lab/tree/neuron.ipynb?reset")
    image = page.locator(".jp-OutputArea-output img")
    image.wait_for()
    page.wait_for_function("() => document.querySelector('.jp-OutputArea-output img').complete")
    page.wait_for_function(READY)  # a server whose kernel is about to start takes long to end
    assert page.locator("iframe").count() == 0
    picture = draw(neuron()).picture
    assert image.get_attribute("alt") == picture.description
    at, cell = image.bounding_box(), page.locator(".jp-OutputArea-output").bounding_box()
    assert at["width"] == pytest.approx(min(picture.width * 96 / 72, cell["width"]), abs=25)  # but for the margin
    assert at["height"] == pytest.approx(at["width"] * picture.height / picture.width, abs=2)
    page.close()
