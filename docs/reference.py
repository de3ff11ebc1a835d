"""Puts the pages of the reference together, and has Sphinx build them: operations, API, course, landmarks.

    python docs/reference.py out/reference

Nothing is written twice: formulas and derivatives are the table's, other pages are those of the repository. A link that
leads out of the reference is left out, its words stay. The site needs no network, neither to be built nor to be read.
"""

from __future__ import annotations

import os

os.environ["AUTOGRAD_ENGINE"] = "python"  # whose signatures can be read

import ast
import json
import re
import runpy
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import nn
from autograd import operations
from autograd.explaining import in_latex
from autograd.formulas import derivatives
from autograd.operation import ieee
from nn.comparison import MIME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograd.operation import Operation

DOCS = Path(__file__).parent
ROOT = DOCS.parent
README = ROOT / "README.md"

# The files that are pages, and where in the reference they are. Folders are taken with their notebooks and pictures.
PAGES = {
    "docs/conventions.md": "conventions.md",
    "docs/glossary.md": "glossary.md",
    "docs/coming-from-pytorch.md": "coming-from-pytorch.md",
    "docs/neuron.svg": "neuron.svg",
    "notebooks/landmarks/README.md": "landmarks/README.md",
    **{
        path.relative_to(ROOT).as_posix(): folder + path.name
        for pattern, folder in (
            ("notebooks/0*.ipynb", "course/"),
            ("notebooks/landmarks/*.ipynb", "landmarks/"),
            ("notebooks/landmarks/pictures/*.png", "landmarks/pictures/"),
        )
        for path in sorted(ROOT.glob(pattern))
    },
}

INDEX = """
```{{toctree}}
:caption: Reference
:maxdepth: 1

operations
conventions
glossary
api/autograd
{modules}
```

```{{toctree}}
:caption: Coming from
:maxdepth: 1

micrograd <coming-from-micrograd>
microgpt <coming-from-microgpt>
PyTorch <coming-from-pytorch>
```

```{{toctree}}
:caption: Course
:maxdepth: 1
:glob:

course/*
```

```{{toctree}}
:caption: Landmarks
:maxdepth: 1

landmarks/README
{landmarks}
```
"""


# ---- The pages


def pages(folder: Path) -> None:
    """Writes all pages into the folder."""
    for source, target in PAGES.items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        if source.endswith(".md"):
            (folder / target).write_text(relinked((ROOT / source).read_text(encoding="utf-8"), source, target), "utf-8")
        elif source.endswith(".ipynb"):
            (folder / target).write_text(notebook(source, target), encoding="utf-8")
        else:
            shutil.copy(ROOT / source, folder / target)
    write_texts(folder)
    (folder / "plots").mkdir()
    for operation in operations.ROWS[: operations.TABLE]:
        plot(operation, folder / "plots" / f"{operation.name}.svg")
    runpy.run_path(str(DOCS / "printable.py"))["write"](folder / "printable")
    shutil.copy(DOCS / "conf.py", folder)
    (folder / "static").mkdir()
    shutil.copy(DOCS / "reference.css", folder / "static")


def write_texts(folder: Path) -> None:
    """The pages that are text made here: the first, the operations, the API, and parts of README."""
    introduction = README.read_text(encoding="utf-8").partition("\n## ")[0]
    landmarks = "\n".join(
        target.removesuffix(".ipynb") for target in PAGES.values() if re.match(r"landmarks/\d", target)
    )
    modules = ["nn", *re.findall(r"`(nn\.\w+)`", nn.__doc__ or "")]
    index = INDEX.format(modules="\n".join(f"api/{module}" for module in modules), landmarks=landmarks)
    differs = section("What differs")
    texts = {
        "index.md": introduction + index,
        "coming-from-micrograd.md": section("Coming from micrograd")[1:] + differs,
        "coming-from-microgpt.md": section("Coming from microgpt")[1:] + differs,
    }
    for name, text in texts.items():
        (folder / name).write_text(relinked(text, "README.md", name), encoding="utf-8")
    (folder / "operations.md").write_text(operations_page(), encoding="utf-8")
    (folder / "api").mkdir()
    for module in ("autograd", *modules):
        (folder / "api" / f"{module}.rst").write_text(api_page(module), encoding="utf-8")


def section(title: str) -> str:
    """A section of README, with its heading."""
    text = README.read_text(encoding="utf-8")
    begin = text.index(f"\n## {title}\n") + 1
    return text[begin : text.index("\n## ", begin) + 1]


def api_page(name: str) -> str:
    """A page for a module: all that it exports; of one that does not say what, all that it explains at length."""
    module = import_module(name)
    own = {member: of for member, of in vars(module).items() if getattr(of, "__module__", "") == name}
    explained = [member for member, of in own.items() if "\n\n" in (of.__doc__ or "")]
    members = ", ".join(getattr(module, "__all__", explained))
    return f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n   :members: {members}\n"


def notebook(source: str, target: str) -> str:
    """A notebook with the links of its texts led to pages of the reference, and of its outputs what a page can show."""
    content = json.loads((ROOT / source).read_text(encoding="utf-8"))
    for cell in content["cells"]:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(MIME, None)
        if cell["cell_type"] == "markdown":
            cell["source"] = relinked("".join(cell["source"]), source, target)
    return json.dumps(content)


def relinked(text: str, source: str, target: str) -> str:
    """A page's text with its links to files led to where these are in the reference, or left out."""

    def link(match: re.Match[str]) -> str:
        words, path, anchor = match[1], *match[2].partition("#")[::2]
        if "://" in path or not path:
            return match[0]
        file = os.path.relpath(ROOT / Path(source).parent / path, ROOT).replace(os.sep, "/")
        if file not in PAGES:
            return words.removeprefix("!")[1:-1]
        there = os.path.relpath(PAGES[file], Path(target).parent).replace(os.sep, "/")
        return f"{words}({there}{'#' + anchor if anchor else ''})"

    return re.sub(r"(!?\[[^\]\[]*\])\(([^)\s]+)\)", link, text)


# ---- The operations

HEAD = """\
# Operations

Each is a row of one table, which is in `autograd/operations.py`: the formulas, derivatives, domains and kinks below are
written from it. So is a table to print on one page: <a href="operations.svg">SVG</a>, <a href="operations.pdf">PDF</a>.

An operation is a function of floats and Values, `tanh(x)`, and a method of Value, `x.tanh()`; operations of sequences
are functions only. In the graphs the blue line is the function, and the broken orange one its derivative by the first
operand. Where a derivative is a convention or infinite, it is said; others' conventions are [here](conventions.md).
"""


def operations_page() -> str:
    rows = sources_of_rows()
    return HEAD + "".join(
        section_of(operation, rows[operation.name]) for operation in operations.ROWS[: operations.TABLE]
    )


def section_of(operation: Operation, row: str) -> str:
    parts = [f"\n## {operation.name}\n", f"`{operation.signature}`, drawn as `{operation.symbol}`\n"]
    parts.append(f"$$\n{definition(operation)}\n$$\n")
    for operand, derivative in derivatives(operation).items():
        parts.append(f"$$\n{by(operation, operand)} = {in_latex(derivative)}\n$$\n")
    parts.append(f"![{operation.name} and its derivative](plots/{operation.name}.svg)\n")
    parts.append(f"**Domain**: {operation.domain or 'all numbers'}.\n")
    if operation.conventions:
        parts.append("| at the kink | derivative |\n|---|---|")
        parts += [f"| {point} | {partials} |" for point, partials in operation.conventions]
        parts.append("")
    parts.append(f"Its row in the table:\n\n```python\n{row}\n```\n")
    return "\n".join(parts)


def definition(operation: Operation) -> str:
    """In LaTeX: the operation of its operands, and its formula if that isn't just the same."""
    formula = in_latex(operation.formula)
    return formula if formula == called(operation) else f"{called(operation)} = {formula}"


def called(operation: Operation) -> str:
    r"""As `in_latex` writes a function: `\tanh(x)`, `\operatorname{relu}(x)`; but never as what it means, as e^x."""
    operands = ", ".join(map(in_latex, operation.operands))
    name = operation.name.replace("_", r"\_")
    usual = in_latex(f"{operation.name}({', '.join(operation.operands)})")
    return usual if usual == rf"\{name}({operands})" else rf"\operatorname{{{name}}}({operands})"


def by(operation: Operation, operand: str) -> str:
    return rf"\frac{{\partial}}{{\partial {in_latex(operand)}}} \, {called(operation)}"


def sources_of_rows() -> dict[str, str]:
    """The text of each row of the table, as it stands there, with its comments."""
    source = Path(operations.__file__).read_text(encoding="utf-8")
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return {
        call.args[0].value: ast.get_source_segment(source, call).replace("\n    ", "\n")
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "Operation"
    }


# ---- The graphs


def plot(operation: Operation, path: Path) -> None:
    """The function and its derivative by the first operand; the others are those of the table's first sample."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    from nn.plots import COLOURS

    points = [(x / 100, *values) for x in range(-400, 401) if (values := at(operation, x / 100))]
    figure = Figure(figsize=(4.2, 2.6), layout="constrained")
    ax = figure.add_subplot(xlabel=others(operation), xlim=(-4, 4), ylim=(-3, 4))
    ax.axhline(0.0, color="0.75", linewidth=0.8)
    ax.axvline(0.0, color="0.75", linewidth=0.8)
    x, y, slope = ([*column] for column in zip(*unbroken(points), strict=True))
    ax.plot(x, y, color=COLOURS[0])
    ax.plot(x, slope, "--", color=COLOURS[1])
    ax.set_xticks(range(-4, 5))
    with rc_context({"svg.hashsalt": operation.name}):
        figure.savefig(path, metadata={"Date": None})


def at(operation: Operation, x: float) -> tuple[float, float] | None:
    """The function and its derivative where the first operand, or the first of its elements, is x."""
    first, *rest = operation.samples[0]
    operands = [[x, *first[1:]] if isinstance(first, list) else x, *rest]
    value = operation.compute(ieee, *operands)
    slope = operation.partials[0](ieee, value, *operands)
    slope = slope[0] if isinstance(slope, list) else slope
    return (value, slope) if value == value else None


def unbroken(points: list[tuple[float, float, float]]) -> Iterator[tuple[float, float, float]]:
    """The points, with a gap where the function leaps, at a pole."""
    before = points[0]
    for point in points:
        if abs(point[1] - before[1]) > 4.0:
            yield point[0], float("nan"), float("nan")
        yield point
        before = point


def others(operation: Operation) -> str:
    """What the horizontal axis shows, and what the other operands are."""
    first, *rest = operation.samples[0]
    name, *names = operation.operands
    fixed = [f"{other} = {value}" for other, value in zip(names, rest, strict=True)]
    if isinstance(first, list):
        fixed = [f"{name} = [{', '.join(['x', *map(str, first[1:])])}]", *fixed]
        name = "x"
    return f"{name}    ({', '.join(fixed)})" if fixed else name


# ---- Building


def build(out: Path) -> None:
    """The site in out/html, of the pages in out/source. Raises CalledProcessError at the first warning."""
    shutil.rmtree(out, ignore_errors=True)
    (out / "source").mkdir(parents=True)
    pages(out / "source")
    command = [sys.executable, "-m", "sphinx", "--builder", "html", "--fail-on-warning", "--keep-going", "--quiet"]
    subprocess.run([*command, str(out / "source"), str(out / "html")], check=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
    print(f"{sys.argv[1]}/html/index.html")
