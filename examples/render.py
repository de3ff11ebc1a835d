"""Draws a graph given on the command line, and writes the page that steps through it.

    python examples/render.py w=0.5 x=2 b=-0.25 "n = w * x + b" "y = tanh(n)" out/neuron.svg out/neuron.html

An argument with a "=" gives a name what stands behind it: a number, or a line of Python with the names before it and
the functions of autograd. The last one is the result; of a list, "y = [a + b, a * b]", a drawing shows the graph of
all, and the gradients of their sum. The other arguments are the files to write: .svg, .png, .pdf, .dot, .tikz or .tex
for a drawing, .html for a page that steps through the evaluation and the backward pass.
"""

from __future__ import annotations

import argparse
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import autograd
from autograd import Value, draw, explain, functions
from autograd.drawing import RANKDIRS, THEMES

if TYPE_CHECKING:
    from collections.abc import Sequence

SUFFIXES = (".svg", ".png", ".pdf", ".dot", ".tikz", ".tex", ".html")


def main(arguments: Sequence[str] | None = None) -> None:
    usage = '%(prog)s [options] w=0.5 x=2 "y = tanh(w * x)" y.svg y.html'
    parser = argparse.ArgumentParser(
        usage=usage, description="Draws a graph, or writes the page that steps through it."
    )
    parser.add_argument("words", nargs="+", help=f"name=number, name=expression, or a file: {', '.join(SUFFIXES)}")
    parser.add_argument("--theme", choices=THEMES, default="light", help="the colours of drawings")
    parser.add_argument("--rankdir", choices=RANKDIRS, default="LR", help="where drawings go: from left to right, ...")
    parser.add_argument(
        "--expand", action="store_true", help="drawings spell out every dot: its products and their sum"
    )
    parser.add_argument("--highlight", metavar="NAME", help="in drawings, paths from NAME to the result stand out")
    options = parser.parse_intermixed_args(arguments)

    for word in options.words:
        name, is_definition, _ = word.partition("=")
        if is_definition and not is_name(name.strip()):
            parser.error(f"{word!r} does not begin with a name: expected name=expression, as x=2 is, or a file")
    files = [Path(word) for word in options.words if "=" not in word]
    for file in files:
        if file.suffix.lower() not in SUFFIXES:
            named = "" if file.suffix else f', as "result = {file}" would be,'
            endings = ", ".join(SUFFIXES)
            parser.error(f"{str(file)!r} is neither name=expression{named} nor a file that ends in {endings}")
    pages = [file for file in files if file.suffix.lower() == ".html"]
    try:
        results, names = evaluated([word for word in options.words if "=" in word])
        if pages and len(results) != 1:
            raise TypeError(f"a page steps through one result, got {len(results)}")
        drawing = draw(
            *results,
            rankdir=options.rankdir,
            theme=options.theme,
            expand=options.expand,
            highlight=(eval(options.highlight, names), results[0]) if options.highlight else None,
        )
        for file in files or [Path("graph.svg")]:
            file.parent.mkdir(parents=True, exist_ok=True)
            (explain(results[0]) if file in pages else drawing).save(file)
            print(f"wrote {file}")
    except Exception as error:  # an expression may raise anything; who wrote it needs what it says, and no traceback
        parser.error(f"{type(error).__name__}: {error}")


def is_name(text: str) -> bool:
    return text.isidentifier() and not iskeyword(text)


def evaluated(definitions: Sequence[str]) -> tuple[list[Value], dict[str, Any]]:
    """The results, with their gradients, and everything by its name, which becomes its label."""
    names: dict[str, Any] = {name: getattr(functions, name) for name in functions.__all__}
    value: Any = None
    for definition in definitions:
        name, expression = (part.strip() for part in definition.split("=", 1))
        name = normalize("NFKC", name)  # as Python has it in expressions
        value = eval(expression, names)
        if isinstance(value, (int, float)):
            value = Value(value)
        if isinstance(value, Value) and not value.label:
            value.label = name
        names[name] = value
    results = list(value) if isinstance(value, (list, tuple)) else [value]
    for result in results:
        if not isinstance(result, Value):
            raise TypeError(f"expected the last name=expression to be a Value, or a list of Values, got {result!r}")
    autograd.sum(results).backward()
    return results, names


if __name__ == "__main__":
    main()
