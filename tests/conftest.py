from __future__ import annotations

import gc
import shutil

import pytest

from autograd.functions import forget_definitions

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


def pytest_collection_finish():
    """The tests themselves are millions of objects, which no collection within a test need look through."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium. While it is open, no other event loop can run in this thread: so it is a module's own."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    with pytest.importorskip("playwright.sync_api").sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def definitions_are_forgotten():
    """What a test has defined at run time, no other test finds; nor what an example in a docstring has."""
    yield
    forget_definitions()
