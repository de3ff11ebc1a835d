"""Pages in HTML are one file each: they need no network, and run no script but their own.

A page names its style and its script by their hashes in its content security policy. So nothing that a label, a name
of a module or a number brings along could run.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape


def page(title: str, style: str, body: str, script: str, *, images: bool = False) -> str:
    """The text of a page.

    Arguments:
        title: plain text; it is escaped here.
        style: the style sheet; `style` attributes in the body have no effect.
        body: HTML, in which all that was not written for it is escaped already.
        script: in JavaScript; runs once the body is there.
        images: whether the page shows images, whose data are in their addresses.

    >>> text = page("a < b", "p { color: red }", "<p>a</p>", "document.title = 'b'")
    >>> "<title>a &lt; b</title>" in text, fingerprint("document.title = 'b'") in text
    (True, True)
    """
    policy = f"default-src 'none'; style-src '{fingerprint(style)}'; script-src '{fingerprint(script)}'"
    policy += "; img-src data:" if images else ""
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
{body}
<script>{script}</script>
</body>
</html>
"""


def fingerprint(content: str) -> str:
    """As a content security policy names a style or a script that it allows.

    >>> fingerprint("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def framed(page: str, title: str, width: float | None, height: float, behind: str = "") -> str:
    """The page in a frame, for a notebook: as wide as the cell at most, and no higher than it must be.

    What notebooks cleanse that nobody trusts yet, of frames first of all, still shows what is behind the frame. It is
    not seen otherwise: the frame covers it. All is on one line, since in Markdown an empty line would end it.

    Arguments:
        page: the text of a page.
        title: plain text, for screen readers.
        width: in pixels; None for the width of the cell.
        height: in pixels; with something behind, the least height.
        behind: an image, as HTML, or nothing.
    """
    across = "100%" if width is None else f"{width:.0f}px"
    outer = f"position: relative; width: {across}; max-width: 100%; min-height: {height:.0f}px"
    inner = "position: absolute; left: 0; top: 0; width: 100%; height: 100%; border: 0"
    source = escape(page).replace("\n", "&#10;")
    frame = f'<iframe srcdoc="{source}" sandbox="allow-scripts" title="{escape(title)}" style="{inner}"></iframe>'
    return f'<div style="{outer}">{behind}{frame}</div>'
