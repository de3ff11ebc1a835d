"""A page has its own script and style, and names them in its policy; nothing else in it runs."""

from __future__ import annotations

import base64
import hashlib
import re

from autograd.pages import fingerprint, page


def hashed(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode()


def test_the_policy_names_style_and_script_and_nothing_else():
    text = page("é", "p { color: red }", "<p>é</p>", "document.title = 'é'")
    [policy] = re.findall(r'Content-Security-Policy" content="(.*?)"', text)
    [style], [script] = re.findall("<style>(.*?)</style>", text), re.findall("<script>(.*?)</script>", text)
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src '{hashed(style)}'",
        f"script-src '{hashed(script)}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert fingerprint(script) == hashed("document.title = 'é'")


def test_a_page_with_images_takes_those_that_it_carries_alone():
    assert "; img-src data:; " in page("a", "", "", "", images=True)


def test_the_title_is_text():
    assert "<title>&lt;/title&gt;&lt;script&gt;</title>" in page("</title><script>", "", "", "")
