"""How Sphinx builds the reference from the pages that reference.py puts together."""

from __future__ import annotations

import re
from importlib import metadata
from inspect import isfunction
from itertools import pairwise

from latex2mathml.converter import convert
from sphinx.util.inspect import signature, stringify_signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from docutils.nodes import Element
    from sphinx.application import Sphinx

project = "scalar-autograd"
try:
    release = metadata.version(project)
except metadata.PackageNotFoundError:  # it is imported from its sources
    release = ""
extensions = ["sphinx.ext.autodoc", "myst_nb"]

html_theme = "furo"
html_title = f"{project} {release}".strip()
html_extra_path = ["printable"]
html_static_path = ["static"]
html_css_files = ["reference.css"]
html_copy_source = False
html_show_copyright = False

myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the outputs are those that the notebooks store
nb_merge_streams = True

default_role = "code"
autodoc_docstring_signature = False  # a first line such as "tanh(x) = sinh(x) / cosh(x)" is a formula
autodoc_member_order = "bysource"
autodoc_typehints = "signature"

html_math_renderer = "mathml"  # which browsers draw by themselves: no script, and no network


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer("mathml", (inline_math, None), (displayed_math, None))
    app.connect("autodoc-process-docstring", in_restructured_text)
    app.connect("autodoc-process-signature", of_constructor)


def inline_math(writer: object, node: Element) -> None:
    writer.body.append(mathml(node, "inline"))  # type: ignore[attr-defined]
    raise_skip()


def displayed_math(writer: object, node: Element) -> None:
    writer.body.append(f'<div class="math">{mathml(node, "block")}</div>\n')  # type: ignore[attr-defined]
    raise_skip()


def mathml(node: Element, display: str) -> str:
    """MathML; latex2mathml knows amsmath's align* and not aligned, which stands in a display."""
    return convert(node.astext().replace("{aligned}", "{align*}"), display=display)


def raise_skip() -> None:
    from docutils.nodes import SkipNode

    raise SkipNode


def of_constructor(
    app: object, what: str, name: str, of: object, options: object, given: str, returned: str
) -> tuple[str, str] | None:
    """A class's signature is that of its constructor, whatever its `__new__` takes."""
    if what != "class" or not isfunction(constructor := getattr(of, "__init__", None)):
        return None
    return stringify_signature(signature(constructor, bound_method=True), unqualified_typehints=True), returned


def in_restructured_text(app: object, what: str, name: str, of: object, options: object, lines: list[str]) -> None:
    """Rewrites a docstring, which is plain text: paragraphs, `code`, lists of `name: what it is`, examples."""
    lines[:] = [line for part in parts_of(lines) for line in (*written(part), "")]


def parts_of(lines: list[str]) -> list[list[str]]:
    """The paragraphs, the items of lists, and the examples: each of one or several lines."""
    parts: list[list[str]] = []
    for line in lines:
        if not parts or not line.strip() or begins(line, parts[-1]):
            parts.append([])
        if line.strip():
            parts[-1].append(line)
    return [part for part in parts if part]


def begins(line: str, part: list[str]) -> bool:
    """Whether a line behind a part begins another: it stands less deep, or is the first or the next item of a list."""
    if not part or part[0].lstrip().startswith(">>>"):
        return False
    after_heading = part[-1].endswith(":") and depth(line) > depth(part[0])
    next_item = ITEM.match(line) is not None and ITEM.match(part[0]) is not None and depth(line) == depth(part[0])
    less_deep = depth(line) < depth(part[-1]) and depth(line) <= depth(part[0])
    return less_deep or after_heading or next_item


NARROWEST = 100  # columns of text in a docstring, whatever it is indented by
ITEM = re.compile(
    r"(?:[a-z_]| +\w)[\w.*]*(?:, [\w.*]+)*: "
)  # a name; with a capital, as of errors, where it is indented


def depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def written(part: list[str]) -> list[str]:
    indent = " " * depth(part[0])
    if part[0].lstrip().startswith(">>>"):
        return part
    if item := ITEM.match(part[0]):
        name = item[0].strip().removesuffix(":")
        text = " ".join(line.strip() for line in part).removeprefix(f"{name}:")
        return [f"{indent}- **{escaped(name)}**:{escaped(text)}"]
    if indent and any("  " in line.strip() for line in part):  # columns
        return [f"{indent}::", "", *(f"{indent}{line}" for line in part)]
    lines = [escaped(line) for line in lines_of(part)]
    return [indent + lines[0]] if len(lines) == 1 else [f"{indent}| {line}" for line in lines]


def lines_of(part: list[str]) -> list[str]:
    """A paragraph is one line; where a line ends although the next word had fitted, another begins."""
    joined = [part[0].strip()]
    for before, line in pairwise(part):
        if len(before) + 1 + len(line.split()[0]) <= NARROWEST:
            joined.append(line.strip())
        else:
            joined[-1] += " " + line.strip()
    return joined


def escaped(text: str) -> str:
    """Without what reStructuredText would read as markup, but for `code`."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\*|_`])", r"\\\1", part) for part in parts)
