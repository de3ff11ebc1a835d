"""The site, in a real browser: does the laboratory run what is typed, and do both pages show the engine's numbers?"""

from __future__ import annotations

import base64
import copy
import functools
import gzip
import http.server
import itertools
import json
import math
import os
import runpy
import shutil
import threading
import zlib
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import autograd
import nn
from autograd.operations import OPERATIONS

ROOT = Path(__file__).parents[1]
SITE = ROOT / "site"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm, which brings Python for the browser"),
]
SECONDS = 1_000  # in milliseconds
STARTED = "document.getElementById('run').disabled === false && document.getElementById('stop').disabled"


# ---- The site, and a server for it

# A server that does not know much: not the type of WebAssembly, which is not in this map.
TYPES = {"": "application/octet-stream", ".html": "text/html", ".svg": "image/svg+xml", ".css": "text/css"}
TYPES |= dict.fromkeys((".js", ".mjs"), "text/javascript")


@pytest.fixture(scope="module")
def build():
    return runpy.run_path(str(SITE / "build.py"))


@pytest.fixture(scope="module")
def folder(build, tmp_path_factory):
    """The site without the reference, in a folder below the server's root: it must run in any."""
    out = tmp_path_factory.mktemp("served") / "below" / "site"
    build["main"](out, reference=False)
    return out


@contextmanager
def served(folder, headers=()):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        extensions_map = TYPES

        def log_message(self, *_):
            pass

        def end_headers(self):
            for header in headers:
                self.send_header(*header)
            super().end_headers()

    handler = functools.partial(Quiet, directory=folder.parent.parent)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_: None  # a browser that no longer waits for the answer
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/below/site/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def address(folder):
    with served(folder) as address:
        yield address


@contextmanager
def opened(browser, url, **options):
    """A page in a context of its own; it asks no other host and reports no error."""
    context = browser.new_context(**options)
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    host = urlsplit(url).netloc
    page.on(
        "request", lambda r: r.url.startswith(("data:", "blob:", "about:", f"http://{host}/")) or troubles.append(r.url)
    )
    page.goto(url)
    try:
        yield page
        assert troubles == []
    finally:
        context.close()


@pytest.fixture(scope="module")
def laboratory(browser, address):
    """The laboratory, with Python started and its first example shown."""
    with opened(browser, address + "laboratory.html") as page:
        page.wait_for_function(STARTED, timeout=120 * SECONDS)
        yield page


def run(page, code, seconds=60):
    page.fill("#code", code)
    page.click("#run")
    page.wait_for_function(STARTED, timeout=seconds * SECONDS)


def text(page, selector):
    element = page.query_selector(selector)
    return element.text_content() if element.is_visible() else ""


# ---- The laboratory


def test_the_first_example_is_shown_by_itself(browser, address):
    with opened(browser, address + "laboratory.html") as page:
        page.wait_for_function(STARTED, timeout=120 * SECONDS)
        assert "Value(data=" in text(page, "#status")
        assert "tanh" in page.get_attribute("#shown", "srcdoc")


def test_a_leaf_is_dragged_on_the_page_and_all_follows(laboratory):
    run(laboratory, "from autograd import Value\nx = Value(2.0)\ny = x * 3.0")
    page = laboratory.frame_locator("#shown")
    page.get_by_role("button", name="End").click()
    assert "y = x * 3 = 2 * 3 = 6" in page.locator("body").inner_text()
    page.locator("#number").fill("5")
    page.locator("#number").press("Enter")
    assert "y = x * 3 = 5 * 3 = 15" in page.locator("body").inner_text()
    page.locator("#drag").press("ArrowRight")
    assert "y = x * 3 = 5 * 3 = 15" not in page.locator("body").inner_text()


def test_a_graph_is_painted_after_programs_that_have_none(laboratory):
    for i in range(6):
        run(laboratory, f"1 + {i}")
        assert laboratory.locator("#shown").bounding_box()["height"] == 0
        run(laboratory, "from autograd import Value\nx = Value(2.0)\ny = x * 3.0")
        laboratory.frame_locator("#shown").get_by_role("button", name="End").click()


PROGRAMS = {
    "an expression": "from autograd import Value\na, b = Value(2.0), Value(-3.0)\nc = (a * b + a**2).tanh() / 3\n",
    "a neuron of nn": "from autograd import Value\nfrom nn import Neuron\nneuron = Neuron(2)\n"
    "for p, x in zip(neuron.parameters(), [0.1, -0.7, 0.3]): p.data = x\ny = neuron([1.5, -0.25])\n",
    "an expression without a name": "from autograd import Value, sigmoid\nx = Value(0.3)\nsigmoid(x) * x",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_numbers_are_the_engines(laboratory, name):
    names: dict[str, object] = {}
    laboratory_py = runpy.run_path(str(SITE / "laboratory.py"))
    run(laboratory, PROGRAMS[name])
    here = laboratory_py["run"](PROGRAMS[name])
    assert text(laboratory, "#error") == ""
    assert text(laboratory, "#status") == here["text"]
    exec(PROGRAMS[name], names)
    assert numbers_of(laboratory.get_attribute("#shown", "srcdoc")) == pytest.approx(
        numbers_of(here["page"]), rel=1e-12
    )


def numbers_of(page: str) -> list[float]:
    """The values and local derivatives that a page of explain() computes with."""
    start = page.index('"values"') - 1
    data = page[page.rindex("{", 0, start) :] if page[start] != "{" else page[start:]
    values = json.JSONDecoder().raw_decode(data[data.index('"values"') + len('"values": ') - 1 :].lstrip(": "))[0]
    return [float(value) for value in values]


def test_what_a_program_prints_is_shown(laboratory):
    run(laboratory, "print('one')\nimport sys\nprint('two', file=sys.stderr)\n3 * 7")
    assert text(laboratory, "#printed").split() == ["one", "two", "21"]
    assert "no Value" in text(laboratory, "#status")


ERRORS = {
    "x = (1": "SyntaxError",
    "1/0": "ZeroDivisionError",
    "def f():\n    return undefined\nf()": 'File "<program>", line 2, in f',
    "from autograd import Value, log\nlog(Value(-1.0, label='x'))": "ValueError: log(-1.0)",
    "raise SystemExit(3)": "SystemExit: 3",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "def f(): return f()\nf()": "RecursionError",
    "import numpy": "numpy",
    "input()": "EOFError",
}


@pytest.mark.parametrize("code", ERRORS)
def test_an_error_is_shown_from_the_programs_own_line_on(laboratory, code):
    run(laboratory, code)
    error = text(laboratory, "#error")
    assert ERRORS[code] in error
    assert "laboratory.py" not in error
    run(laboratory, "1 + 1")
    assert text(laboratory, "#error") == ""


def test_a_deep_graph_is_freed(laboratory):
    run(
        laboratory,
        "from autograd import Value\ny = Value(1.0)\nfor _ in range(100_000): y = y + 1.0\ny.backward()\ndel y\n7",
    )
    assert text(laboratory, "#printed").split() == ["7"]
    run(laboratory, "8")
    assert text(laboratory, "#printed").split() == ["8"]


def test_an_endless_loop_is_stopped_and_python_starts_again(laboratory):
    laboratory.fill("#code", "print('one')\nprint('two')\nwhile True: pass")
    laboratory.click("#run")
    laboratory.wait_for_function("document.getElementById('printed').textContent.includes('two')", timeout=30 * SECONDS)
    assert laboratory.is_enabled("#stop")
    laboratory.click("#stop")
    laboratory.wait_for_function(STARTED, timeout=120 * SECONDS)
    assert text(laboratory, "#printed").split() == ["one", "two"]
    run(laboratory, "5")
    assert text(laboratory, "#printed").split() == ["5"]


def test_a_program_that_ends_python_gets_another_one(laboratory):
    run(laboratory, "import os\nos._exit(3)", seconds=120)
    assert "exit(3)" in text(laboratory, "#error")
    run(laboratory, "5")
    assert text(laboratory, "#printed").split() == ["5"]


@pytest.mark.parametrize(
    "message", ["null", '{"kind": "result"}', '{"kind": "result", "result": {"error": "x"}}', '{"kind": "ready"}']
)
def test_a_program_that_speaks_to_the_page_itself_does_not_break_it(laboratory, message):
    run(laboratory, f"import js\njs.postMessage(js.JSON.parse({message!r}))")
    run(laboratory, "5")
    assert text(laboratory, "#printed").split() == ["5"]


def test_output_that_a_program_takes_away_comes_back(laboratory):
    run(laboratory, "import io, sys\nsys.stdout = io.StringIO()\nprint('kept')")
    run(laboratory, "5")
    assert text(laboratory, "#printed").split() == ["5"]


DEFINED = """from autograd import Value, define
cubed = define("cubed", lambda m, x: x * x * x, [lambda m, r, x: 3.0 * x * x])
halves = define("halves", lambda m, x: x[0] / 2.0, [lambda m, r, x: [0.5, *x[1:]]], sequences=1)
y = cubed(Value(2.0)) + halves([Value(4.0)])
y.backward()
"""


def test_each_run_finds_the_table_as_the_project_has_it(laboratory):
    for ending in ("", "", "1 / 0", ""):
        run(laboratory, DEFINED + ending)
        assert text(laboratory, "#error").count("Error") == bool(ending)
    assert "data=10.0" in text(laboratory, "#status")
    run(laboratory, "from autograd import Value\nhasattr(Value, 'cubed')")
    assert text(laboratory, "#printed").split() == ["False"]


SPOILT = [
    "builtins.print = None",
    "builtins.isinstance = None",
    "builtins.__dict__.clear()",
    "builtins.extra = 5",
]


@pytest.mark.parametrize("code", SPOILT)
def test_builtins_that_a_program_has_changed_come_back(laboratory, code):
    run(laboratory, f"import builtins\n{code}")
    run(laboratory, "import builtins\nprint(repr(sum([2, 3])), hasattr(builtins, 'extra'))")
    assert text(laboratory, "#error") == ""
    assert text(laboratory, "#printed").split() == ["5", "False"]


def test_a_flood_of_output_is_cut(laboratory):
    run(laboratory, "for i in range(100_000): print('x' * 100)")
    assert len(text(laboratory, "#printed")) < 110_000
    run(laboratory, "raise ValueError('x' * 1_000_000)")
    assert "more, which is not shown" in text(laboratory, "#error")
    assert len(text(laboratory, "#error")) < 30_000


SHOWN = {
    "x = Value(2.0)\ny = x * 2\nz = y + 1\ny = z * 3": "Value(data=15.0, grad=0.0, op='*', label='y')",
    "x = Value(2.0)\nx * 2": "Value(data=4.0, grad=0.0, op='*')",
    "a = Value(2.0)\nb = Value(3.0)": "Value(data=3.0, grad=0.0, label='b')",
    "[Value(2.0)]": "no Value",
    "x = Value(2.0)\ny = x * x\nx.data -= 1.0": "label='y'). Its graph is not shown. explain: y, computed by multiply,",
    "y = Value(1.0)\nfor _ in range(600): y = y * 1.0": "Its graph is not shown. explain: 601 nodes (limit 500)",
    "y = Value(1.0)\nfor _ in range(600): y = y * 1.0\nautograd.explain(y, max_nodes=999)": "The explanation is shown.",
    "def f(x: int): ...\nValue(float(f.__annotations__['x'] is int))": "Value(data=1.0, grad=0.0)",
}


@pytest.mark.parametrize("code", SHOWN)
def test_what_a_program_shows(code):
    shown = runpy.run_path(str(SITE / "laboratory.py"))["run"]("import autograd\nfrom autograd import Value\n" + code)
    assert SHOWN[code] in shown["text"]
    assert ("page" in shown) == ("no Value" not in shown["text"] and "not shown" not in shown["text"])


HOSTILE = "<script>parent.document.title='taken'</script><img src=x onerror=\"parent.document.title='taken'\">"


def test_what_a_label_brings_does_not_run(laboratory):
    run(laboratory, f"from autograd import Value\nx = Value(2.0, label={HOSTILE!r})\ny = x * x\nprint(x.label)")
    laboratory.wait_for_timeout(300)
    assert laboratory.title().startswith("Laboratory")
    assert HOSTILE in text(laboratory, "#printed")


def test_a_program_in_the_address_runs_on_a_click_alone(browser, address, laboratory):
    code = "print('ran')\n# ü"
    laboratory.fill("#code", code)
    laboratory.click("#share")
    laboratory.wait_for_function("location.hash.startsWith('#program=')")
    shared = laboratory.url
    with opened(browser, shared) as page:
        page.wait_for_function("document.getElementById('code').value !== ''")
        page.evaluate("location.hash = ''")  # as another page could do that has opened this one
        page.wait_for_function(STARTED, timeout=120 * SECONDS)
        assert page.input_value("#code") == code
        assert page.is_visible("#foreign")
        assert page.input_value("#examples") == ""
        assert "ran" not in text(page, "#printed")
        page.click("#run")
        page.wait_for_function(STARTED, timeout=60 * SECONDS)
        assert text(page, "#printed").split() == ["ran"]
        assert not page.is_visible("#foreign")


def address_of(code: str) -> str:
    compressor = zlib.compressobj(wbits=-15)
    compressed = compressor.compress(code.encode()) + compressor.flush()
    return "#program=" + base64.urlsafe_b64encode(compressed).decode().rstrip("=")


ADDRESSES = {f"#program={text}": "is damaged or was cut off" for text in ("%%%", "AAAA", "", "A" * 50)}
ADDRESSES[address_of("#" * 100_001)] = "has more than 100000 bytes"
ADDRESSES[address_of("print('a whole program')")[:-4]] = "is damaged or was cut off"


@pytest.mark.parametrize("hash", ADDRESSES)
def test_an_address_that_holds_no_program_says_so(browser, address, hash):
    with opened(browser, address + "laboratory.html" + hash) as page:
        page.wait_for_function("!document.getElementById('error').hidden", timeout=30 * SECONDS)
        assert text(page, "#error") == f"The address holds no program that can be read: it {ADDRESSES[hash]}."
        assert page.input_value("#code")  # the example
        page.evaluate(f"location.hash = {address_of('1 + 1')!r}")
        page.wait_for_function("document.getElementById('code').value === '1 + 1'")
        assert text(page, "#error") == ""


def write(page, code):
    page.fill("#code", "")
    page.focus("#code")
    page.keyboard.insert_text(code)


def test_what_was_written_is_there_again_and_waits_for_a_click(browser, address):
    with opened(browser, address + "laboratory.html") as page:
        page.wait_for_function(STARTED, timeout=120 * SECONDS)
        write(page, "print('ran')\nif True:\n")
        page.keyboard.press("Tab")
        page.keyboard.insert_text("print('twice')")
        written = page.input_value("#code")
        page.click("nav a[href='playground.html']")
        page.wait_for_selector("#network .neuron")
        page.go_back()
        page.wait_for_function(STARTED, timeout=120 * SECONDS)
        assert page.input_value("#code") == written
        assert page.input_value("#examples") == ""
        assert text(page, "#printed") == ""
        page.click("#run")
        page.wait_for_function(STARTED, timeout=60 * SECONDS)
        assert text(page, "#printed").split() == ["ran", "twice"]
        # Another address's program wins; when it is edited, the text is no longer the address's.
        page.goto(address + "index.html")
        page.goto(address + "laboratory.html" + address_of("print('foreign')"))
        page.wait_for_function("document.getElementById('code').value === \"print('foreign')\"")
        page.goto(address + "playground.html")
        page.goto(address + "laboratory.html")
        page.wait_for_function(f"document.getElementById('code').value === {json.dumps(written)}")
        page.go_back()
        page.go_back()
        page.wait_for_function("document.getElementById('code').value === \"print('foreign')\"")
        page.focus("#code")
        page.keyboard.press("Control+End")
        page.keyboard.insert_text("  # mine")
        assert page.evaluate("location.hash") == ""
        page.reload()
        page.wait_for_function(STARTED, timeout=120 * SECONDS)
        assert page.input_value("#code") == "print('foreign')  # mine"
        assert page.is_visible("#foreign")
        assert text(page, "#printed") == ""
        # An example is no text of one's own.
        page.select_option("#examples", "A neuron")
        page.reload()
        page.wait_for_function(STARTED, timeout=120 * SECONDS)
        assert page.input_value("#examples") == "A neuron"
        assert "Value(data=" in text(page, "#status")


def test_what_is_shown_beside_a_program_of_the_address_is_not_taken_for_its_own(browser, address):
    with opened(browser, address + "laboratory.html") as page:
        page.wait_for_function(STARTED, timeout=120 * SECONDS)
        is_old = "document.getElementById('shown').classList.contains('old')"
        arrived = "document.getElementById('code').value === '{}'"
        assert not page.evaluate(is_old)
        page.evaluate(f"location.hash = {address_of('1 + 1')!r}")  # while none runs
        page.wait_for_function(arrived.format("1 + 1"))
        assert page.evaluate(is_old)
        assert text(page, "#status") == "The program of the address has not run yet."
        run(page, "from autograd import Value\ny = Value(2.0) * 3.0")
        assert not page.evaluate(is_old)
        page.fill("#code", "import time\nfrom autograd import Value\ntime.sleep(2)\ny = Value(2.0) * 3.0")
        page.click("#run")
        page.evaluate(f"location.hash = {address_of('2 + 2')!r}")
        page.wait_for_function(arrived.format("2 + 2"))
        assert page.is_enabled("#stop")
        assert "still runs" in text(page, "#status")
        page.wait_for_function(STARTED, timeout=60 * SECONDS)
        assert page.evaluate(is_old)
        assert text(page, "#status").endswith("The one of the address has not run yet.")
        assert page.is_visible("#foreign")
        run(page, "from autograd import Value\ny = Value(2.0) * 3.0")
        assert not page.evaluate(is_old)
        page.fill("#code", "while True: pass")
        page.click("#run")
        page.click("#stop")
        page.wait_for_function(STARTED, timeout=120 * SECONDS)
        assert page.evaluate(is_old)


def test_without_a_network_after_the_first_load(browser, address):
    with opened(browser, address + "laboratory.html") as page:
        page.wait_for_function(STARTED, timeout=120 * SECONDS)
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.wait_for_function("navigator.serviceWorker.controller !== null", timeout=60 * SECONDS)
        page.context.set_offline(True)
        page.reload()
        page.wait_for_function(STARTED, timeout=120 * SECONDS)
        assert "Value(data=" in text(page, "#status")
        page.goto(address + "playground.html")
        page.click("#step")
        assert "step 1 is done" in text(page, "#status")


def test_a_program_that_is_too_long_for_an_address_is_told(laboratory):
    laboratory.fill("#code", "#" * 100_001)
    laboratory.click("#share")
    laboratory.wait_for_function("document.getElementById('status').textContent.includes('100000 bytes')")


UPDATED = """async () => {
    const update = await (await navigator.serviceWorker.ready).update();
    const worker = update.installing ?? update.waiting;
    const isOver = () => !worker || ["activated", "redundant"].includes(worker.state);
    while (!isOver()) await new Promise((resolve) => setTimeout(resolve, 50));
}"""


def test_a_new_version_arrives_whole_or_not_at_all(browser, build, folder, tmp_path):
    """Also where the browser's own cache holds older files: the server says that they may be kept for an hour."""
    site = tmp_path / "below" / "site"
    shutil.copytree(folder, site)
    page_of = site / "playground.html"
    headings = "document.querySelector('h1').textContent"
    dates = itertools.count(1_700_000_000)

    def publish(heading, wanting=""):
        page_of.write_text((SITE / "playground.html").read_text().replace("<h1>Playground", f"<h1>{heading}"))
        shutil.copy(SITE / "service_worker.js", site)
        build["finish"](site)
        worker = site / "service_worker.js"
        worker.write_text(worker.read_text().replace('["./"', f'["./"{wanting}'))
        seconds = next(dates)
        for path in (page_of, worker):  # servers tell versions of a file apart by the second
            os.utime(path, (seconds, seconds))

    with served(site, [("Cache-Control", "max-age=3600")]) as address:
        context = browser.new_context()
        page = context.new_page()
        publish("First")
        page.goto(address + "playground.html")
        page.wait_for_function("navigator.serviceWorker.controller !== null", timeout=60 * SECONDS)
        publish("Second", ', "missing.js"')
        page.evaluate(UPDATED)
        page.reload()
        assert page.evaluate(headings) == "First"
        publish("Third")
        for _ in range(20):  # the page itself, too, asks for the update, perhaps while this publishes it
            page.evaluate(UPDATED)
            page.reload()
            if page.evaluate(headings) == "Third":
                break
        assert page.evaluate(headings) == "Third"
        context.close()


BROKEN = {
    "scalar_autograd.whl": "scalar_autograd.whl could not be loaded: 404",
    "sizes.json": "sizes.json could not be loaded: 404",
    "worker.js": "worker.js, in which Python runs, or a file that it imports could not be loaded",
    "address.js": "A file of this page could not be loaded",
}


def test_what_keeps_a_page_from_starting_is_said(browser, folder, tmp_path):
    site = tmp_path / "below" / "site"
    shutil.copytree(folder, site)
    told = "['missing', 'error'].map((id) => document.getElementById(id)?.textContent).join('').trim()"

    def tells(url):
        context = browser.new_context(service_workers="block")
        page = context.new_page()
        page.goto(url)
        page.wait_for_function(told, timeout=30 * SECONDS)
        told_then = page.evaluate(told)
        context.close()
        return told_then

    with served(site) as address:
        for name, words in BROKEN.items():
            content = (site / name).read_bytes()
            (site / name).unlink()
            assert words in tells(address + "laboratory.html")
            (site / name).write_bytes(content)
        (site / "python" / "pyodide.asm.wasm").write_bytes(b"what is this?")
        assert "WebAssembly" in tells(address + "laboratory.html")
        (site / "losses.js").write_text("what is this?")
        assert "cannot run this page" in tells(address + "playground.html")
    assert "web server" in tells((site / "laboratory.html").as_uri())


@pytest.mark.parametrize("name", ["WebAssembly", "Worker", "DecompressionStream"])
def test_a_crippled_browser_is_told_what_it_lacks(browser, address, name):
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(f"delete globalThis.{name}")
    page.goto(address + "laboratory.html")
    page.wait_for_selector("#missing")
    assert name.lower()[:6] in text(page, "#missing").lower()
    context.close()


def test_the_first_page_is_small(folder):
    loaded = [path for path in folder.rglob("*") if path.is_file() and "reference" not in path.parts]
    assert sum(len(gzip.compress(path.read_bytes(), 6)) for path in loaded) < 12e6


# ---- The playground


@pytest.fixture
def playground(browser, address):
    with opened(browser, address + "playground.html") as page:
        page.wait_for_selector("#network .neuron")
        yield page


def choose(page, **settings):
    for name, setting in settings.items():
        if name in ("pattern", "activation", "optimizer"):
            page.select_option(f"#{name}", setting)
        else:
            page.fill(f"#{name}", str(setting))
            page.press(f"#{name}", "Enter")
            page.dispatch_event(f"#{name}", "change")


def in_python(page) -> dict[str, object]:
    """What the program that the page shows computes."""
    if not page.evaluate("document.getElementById('as-python').open"):
        page.click("#as-python summary")
    page.wait_for_function("document.getElementById('program').textContent.includes('examples')")
    names: dict[str, object] = {"print": lambda *_: None}
    exec(page.text_content("#program"), names)
    return names


OPTIMIZERS = {
    "SGD": lambda parameters, rate: nn.SGD(parameters, rate),
    "SGD with momentum 0.9": lambda parameters, rate: nn.SGD(parameters, rate, momentum=0.9),
    "Adam": lambda parameters, rate: nn.Adam(parameters, rate),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    ("activation", "hidden"), [("tanh", [4, 3]), ("relu", [5]), ("sigmoid", []), ("gelu", [2, 2, 2]), ("sin", [3])]
)
def test_training_gives_the_engines_numbers(playground, optimizer, activation, hidden):
    choose(
        playground, count=20, batch=7, hidden=", ".join(map(str, hidden)), activation=activation, optimizer=optimizer
    )
    choose(playground, rate=0.1)
    before = in_python(playground)
    playground.click("#step")
    for phase in ("forward", "backward", "update"):
        playground.click(f"#{phase}")
    assert "step 2 is done" in text(playground, "#status")
    playground.click("#step")  # from the last example on to the first
    after = in_python(playground)
    model = before["model"]
    step = OPTIMIZERS[optimizer](model.parameters(), 0.1)
    for first in (0, 7, 14):
        model.zero_grad()
        batch = [before["examples"][(first + i) % 20] for i in range(7)]
        losses = [nn.binary_cross_entropy(model(x), target) for x, target in batch]
        (autograd.sum(losses) / len(losses)).backward()
        step.step()
    trained = [parameter.data for parameter in after["model"].parameters()]
    assert trained == pytest.approx([parameter.data for parameter in model.parameters()], rel=1e-12, abs=1e-15)


def test_weights_of_any_size_are_numbers_in_python(playground):
    choose(playground, count=2, noise=0, activation="relu", hidden="2", rate="1e30")
    playground.click("#step")
    assert max(map(abs, in_python(playground)["numbers"])) > 1e22
    choose(playground, rate="1e300")
    playground.click("#step")
    numbers = numbers_of_program(playground)
    assert {math.inf, -math.inf} & {*numbers}, numbers
    playground.click("#step")  # the loss is not finite: the step ends there
    for phase in ("backward", "update"):
        playground.click(f"#{phase}")
    assert any(map(math.isnan, numbers_of_program(playground)))


def numbers_of_program(page) -> list[float]:
    """The weights that the program sets; it is valid Python, whether or not the engine has a loss for them."""
    program = page.text_content("#program")
    compile(program, "<program>", "exec")
    [line] = [line for line in program.splitlines() if line.startswith("numbers = ")]
    return eval(line.removeprefix("numbers = "))


def test_a_neuron_shows_its_numbers_for_the_chosen_example(playground):
    choose(playground, count=10, hidden="3", activation="tanh")
    playground.press("#plane", "ArrowRight")  # the second example
    program = in_python(playground)
    model, (x, target) = program["model"], program["examples"][1]
    layer, last = model.layers
    net_inputs = [autograd.dot(neuron.w, x, neuron.b) for neuron in layer.neurons]
    nn.binary_cross_entropy(last([autograd.tanh(n) for n in net_inputs]), target).backward()
    playground.focus("#network .neuron:nth-child(4)")  # after two inputs, the second of the layer
    card = text(playground, "#card")
    n = net_inputs[1]
    for number in (n.data, autograd.tanh(n.data), n.grad, *(w.data for w in layer.neurons[1].w)):
        assert any(float(part) == pytest.approx(number, rel=1e-5) for part in words(card)), (number, card)


@pytest.mark.parametrize("button", ["#restart", "#hidden"])
def test_a_new_network_does_not_keep_the_numbers_of_the_one_before(playground, button):
    card = text(playground, "#card")
    playground.click("#step")
    playground.focus("#network .neuron:nth-child(4)")
    assert text(playground, "#card") != card
    if button == "#restart":
        playground.click(button)
    else:
        choose(playground, hidden="3")
    assert text(playground, "#card") == card
    playground.click("#step")
    assert text(playground, "#card") == card


def words(card):
    for part in card.replace(",", " ").split():
        try:
            yield float(part.rstrip("."))
        except ValueError:
            continue


def test_a_row_of_the_table_that_is_changed_is_seen_on_the_page(browser, build, folder, tmp_path, monkeypatch):
    site = tmp_path / "below" / "site"
    shutil.copytree(folder, site)
    tripled = copy.copy(OPERATIONS["tanh"])
    tripled.compute, tripled.partials = (lambda m, x: 3.0 * x), (lambda m, r, x: 3.0,)
    monkeypatch.setitem(OPERATIONS, "tanh", tripled)
    (site / "rules.js").write_text(build["rules"](), encoding="utf-8")
    with served(site) as address, opened(browser, address + "playground.html") as page:
        choose(page, count=10, hidden="1", activation="tanh")
        page.focus("#network .neuron:nth-child(3)")
        card = text(page, "#card")
        n, a = (float(card.split(start)[1].split()[0].rstrip(".")) for start in ("net input n = ", "tanh(n) = "))
        assert a == pytest.approx(3.0 * n, rel=1e-5)


WRONG = {
    "count": ["1", "", "501", "2.5"],
    "hidden": ["17", "0", "2, x", "1,1,1,1,1", "-3"],
    "noise": ["-1", "2"],
    "seed": ["-1", "0.5"],
    "batch": ["0", "1.5"],
    "rate": ["-0.1", ""],
}


@pytest.mark.parametrize("name", WRONG)
def test_settings_that_do_not_fit_are_refused_and_change_nothing(playground, name):
    before = in_python(playground)["numbers"]
    for wrong in WRONG[name]:
        playground.fill(f"#{name}", wrong)
        playground.dispatch_event(f"#{name}", "change")
        assert "expected" in text(playground, "#refused"), wrong
        assert in_python(playground)["numbers"] == before


def test_settings_that_were_refused_together_take_effect_together(playground):
    choose(playground, batch="0", activation="relu", hidden="3")
    assert "expected" in text(playground, "#refused")
    choose(playground, batch="5")
    assert text(playground, "#refused") == ""
    in_python(playground)
    assert "MLP(2, [3, 1], activation=autograd.relu)" in text(playground, "#program")


def test_training_that_is_paused_and_goes_on_at_once_is_one(playground):
    frames = playground.evaluate("""async () => {
        const next = requestAnimationFrame;
        let asked = 0;
        window.requestAnimationFrame = (frame) => { asked += 1; return next(frame); };
        for (let i = 0; i < 9; i++) document.getElementById("play").click();
        const before = asked;
        for (let i = 0; i < 6; i++) await new Promise(next);
        return asked - before;
    }""")
    assert 3 <= frames <= 7


def test_losses_are_drawn_whatever_they_are(playground):
    drawn = playground.evaluate("""async () => {
        const { drawLosses } = await import("./losses.js");
        const svg = document.getElementById("losses");
        const drawn = (losses) => {
            drawLosses(svg, losses);
            const points = svg.querySelector("polyline")?.getAttribute("points") ?? "";
            return [points.split(" ").at(-1), svg.querySelector("text")?.textContent];
        };
        const many = Array.from({ length: 1000 }, (_, i) => i);
        return [[0, 0], [2, 2], [Infinity, 1], [4, NaN, 1, Infinity], many].map(drawn);
    }""")
    assert drawn == [
        ["396.0,102.0", "1.00"],
        ["396.0,6.0", "2.00"],
        ["", None],
        ["278.7,78.0", "4.00"],
        ["396.0,6.0", "999"],
    ]


def test_one_example_is_no_plural(playground):
    for batch, words in (("1", "the mean loss of 1 example is"), ("2", "the mean loss of 2 examples is")):
        choose(playground, batch=batch)
        playground.click("#forward")
        assert words in text(playground, "#status")
        playground.click("#step")


def test_training_goes_on_and_is_paused(playground):
    playground.click("#play")
    playground.wait_for_function(
        "/Step [1-9]/.test(document.getElementById('status').textContent)", timeout=30 * SECONDS
    )
    playground.click("#play")
    told = text(playground, "#status")
    playground.wait_for_timeout(300)
    assert text(playground, "#status") == told


def test_a_loss_that_is_not_finite_ends_the_training_with_words(playground):
    choose(playground, activation="relu", hidden="16, 16", rate="1e200")
    playground.click("#play")
    playground.wait_for_function(
        "document.getElementById('status').textContent.includes('too large')", timeout=30 * SECONDS
    )
    assert text(playground, "#play") == "Train"


# ---- Every page


PAGES = ("index.html", "laboratory.html", "playground.html")


@pytest.mark.parametrize("name", PAGES)
def test_the_narrowest_phone_does_not_scroll_sideways(browser, address, name):
    """320 px: WCAG 2.1, criterion 1.4.10."""
    with opened(browser, address + name, viewport={"width": 320, "height": 568}) as page:
        page.wait_for_load_state()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_it_and_nothing_keeps_anybody_out(browser, address, name, scheme, axe):
    with opened(browser, address + name, viewport={"width": 375, "height": 700}, color_scheme=scheme) as page:
        page.wait_for_load_state()
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        page.evaluate(axe)
        found = page.evaluate("axe.run().then((result) => result.violations)")
        serious = [violation for violation in found if violation["impact"] in ("serious", "critical")]
        assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in serious] == []


@pytest.fixture(scope="module")
def axe(build, tmp_path_factory):
    """axe-core, which looks for what keeps people with disabilities out."""
    folder = tmp_path_factory.mktemp("axe")
    build["install"](folder, development=True)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def test_the_laboratory_by_keyboard_alone(laboratory):
    laboratory.focus("#code")
    laboratory.keyboard.press("Control+a")
    laboratory.keyboard.type("2 + 3")
    laboratory.keyboard.press("Control+Enter")
    laboratory.wait_for_function(STARTED, timeout=60 * SECONDS)
    assert text(laboratory, "#printed").split() == ["5"]
    laboratory.keyboard.press("Escape")
    laboratory.keyboard.press("Tab")
    assert laboratory.evaluate("document.activeElement.id") == "run"
