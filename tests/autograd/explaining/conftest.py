from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def tab(browser):
    """One for all tests, since to open one takes longer than most of them; it notes requests and errors."""
    tab = browser.new_page()
    tab.requests, tab.errors = [], []
    tab.on("request", lambda request: tab.requests.append(request.url))
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    tab.on("console", lambda message: tab.errors.append(message.text))
    return tab


@pytest.fixture
def visit(tab, tmp_path):
    """Opens an explanation's page, or other HTML, from a file."""

    def opened(content, size=(1200, 900), scheme="light", motion="reduce"):
        path = tmp_path / "page.html"
        path.write_text(content if isinstance(content, str) else content.html, encoding="utf-8")
        tab.set_viewport_size({"width": size[0], "height": size[1]})
        tab.emulate_media(color_scheme=scheme, reduced_motion=motion)
        tab.requests.clear()
        tab.errors.clear()
        tab.goto(path.as_uri())
        return tab

    return opened
