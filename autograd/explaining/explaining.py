"""explain() shows how a number came about, and how the gradients follow from it.

It is the evaluation trace of the textbooks, in two columns: downwards every intermediate value with its formula
and numbers, upwards the chain rule with its numbers. It comes as plain text, Markdown and LaTeX, and as a web page to
play with: it goes through the trace step by step beside the graph's drawing, and computes it anew for other leaves.
"""

from __future__ import annotations

from functools import cached_property
from itertools import zip_longest

from autograd.drawing import check_size, save_as
from autograd.engines import Value
from autograd.explaining.notation import Latex, Markdown, Notation
from autograd.explaining.page import framed, page, pictured
from autograd.explaining.trace import Trace, trace
from autograd.graph import topological_order
from autograd.operands import described
from autograd.wording import columns, counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from autograd.drawing import Picture

MOST_COLUMNS = 120  # of text that stands side by side


def explain(value: Value, *, digits: int = 4, max_nodes: int = 500) -> Explanation:
    """The trace of the graph that `value` was computed from: every intermediate value, and the chain rule on it.

    `print` shows it, notebooks display it, and `save("x.html")` writes a page that goes through it step by step.
    Whoever reads the page can change the leaves, and see what becomes of all numbers.

    `x.grad` stands for the adjoint of x, ∂value/∂x, as `value.backward()` computes it, to the last bit, whether or not
    that has been called. Every adjoint begins with 0: what leaves have gathered in `grad` before is not in it, and no
    `grad` is read or changed. A Value is called by its label; one without a label, or with one that two Values share
    or that a formula cannot have, is called v1, v2, ..., and the label stands beside it.

    Arguments:
        value: the result.
        digits: how many significant digits are written, from 1 to 17.
        max_nodes: how many Values the graph may have, with twice as many edges.

    Raises TypeError if `value` is not a Value; ValueError if its graph is larger, if it has operations that are not in
    the table, or if data have been assigned since it was computed, so that the numbers no longer fit together.

    >>> from autograd import tanh
    >>> a, b = Value(2.0, label="a"), Value(-0.25, label="b")
    >>> print(explain(tanh(a * b + a), digits=3))
    evaluation ↓                      │ chain rule ↑ (x.grad is ∂v3/∂x)
    ──────────────────────────────────┼─────────────────────────────────────────────────────────────
    a = 2                             │ a.grad = 0.136
    b = -0.25                         │ b.grad = 0.361
    v1 = a * b = 2 * (-0.25) = -0.5   │ b.grad = v1.grad * ∂v1/∂b = 0.181 * 2 = 0.361
                                      │ a.grad += v1.grad * ∂v1/∂a = 0.181 + 0.181 * (-0.25) = 0.136
    v2 = v1 + a = (-0.5) + 2 = 1.5    │ a.grad = v2.grad * ∂v2/∂a = 0.181 * 1 = 0.181
                                      │ v1.grad = v2.grad * ∂v2/∂v1 = 0.181 * 1 = 0.181
    v3 = tanh(v2) = tanh(1.5) = 0.905 │ v2.grad = v3.grad * ∂v3/∂v2 = 1 * 0.181 = 0.181
                                      │ v3.grad = 1
    """
    if not isinstance(value, Value):
        instead = "; explain what it computes, such as explain(model(x))" if callable(value) else ""
        raise TypeError(f"explain: expected a Value, got {described(value)}{instead}")
    if isinstance(digits, bool) or digits not in range(1, 18):
        raise ValueError(f"explain: expected 1 to 17 digits, got {digits!r}")
    check_size(topological_order(value), False, max_nodes, "explain")
    return Explanation(trace(value), digits)


class Explanation:
    """The trace of a result as `text`, `markdown`, `latex` and `html`; `explain` makes it.

    It holds what the graph held when `explain` was called.

    >>> a = Value(3.0, label="a")
    >>> explanation = explain(2 * a)
    >>> print(explanation.markdown)
    | evaluation ↓ | chain rule ↑ (`x.grad` is `∂v1/∂x`) |
    | --- | --- |
    | `a = 3` | `a.grad = 2` |
    | `v1 = 2 * a = 2 * 3 = 6` | `a.grad = v1.grad * ∂v1/∂a = 1 * 2 = 2`<br>`v1.grad = 1` |
    """

    def __init__(self, trace: Trace, digits: int) -> None:
        self.trace = trace
        self.digits = digits

    def rows(self, write: Notation) -> list[tuple[str, list[str]]]:
        return [(write.evaluation(entry), [*map(write.chain_rule, beside)]) for entry, beside in self.trace.rows()]

    @property
    def text(self) -> str:
        """The trace as plain text: both columns side by side where no line gets longer than 120 characters.

        Else the chain rule stands below the evaluation, in the order in which it is applied, from the top down.
        """
        write = Notation(self.digits)
        result, rows = write.name(self.trace.result), self.rows(write)
        meaning = f"x.grad is ∂{result}/∂x"
        cells = [("evaluation ↓", f"chain rule ↑ ({meaning})")]
        for evaluation, chain_rule in rows:
            cells += zip_longest([evaluation], chain_rule, fillvalue="")
        left, right = (max(map(columns, column)) for column in zip(*cells, strict=True))
        if left + 3 + right <= MOST_COLUMNS:
            head, *body = (f"{a}{' ' * (left - columns(a))} │ {b}".rstrip() for a, b in cells)
            return "\n".join([head, f"{'─' * left}─┼─{'─' * right}", *body])
        applied = [line for _, chain_rule in reversed(rows) for line in reversed(chain_rule)]
        evaluations = [evaluation for evaluation, _ in rows]
        return "\n".join(["evaluation", *evaluations, "", f"chain rule ({meaning})", *applied])

    @property
    def markdown(self) -> str:
        """The trace as a table of two columns in Markdown."""
        write = Markdown(self.digits)
        result = write.name(self.trace.result)
        rows = [("evaluation ↓", f"chain rule ↑ (`x.grad` is `∂{result}/∂x`)"), ("---", "---")]
        rows += [(evaluation, "<br>".join(chain_rule)) for evaluation, chain_rule in self.rows(write)]
        return "\n".join(f"| {left} | {right} |" for left, right in rows)

    @property
    def latex(self) -> str:
        r"""The trace as an `array` for LaTeX's mathematics (with amsmath), KaTeX and MathJax; x̄ is the adjoint of x."""
        write = Latex(self.digits)
        result = write.name(self.trace.result)
        meaning = rf"\bar{{x}} = \frac{{\partial {result}}}{{\partial x}}"
        rows = [(r"\text{evaluation } \downarrow", rf"\text{{chain rule }} \uparrow \quad {meaning}")]
        for evaluation, chain_rule in self.rows(write):
            rows += zip_longest([evaluation], chain_rule, fillvalue="")
        head, *body = (rf"{left} & {right} \\[3pt]" for left, right in rows)
        return "\n".join([r"\begin{array}{l|l}", rf"{head} \hline", *body, r"\end{array}"])

    @cached_property
    def html(self) -> str:
        """A page that goes through the trace step by step beside the graph's drawing; it needs nothing beside itself.

        Its reader can change the leaves, and sees all numbers follow; sees a Value's paths to the result, and a layer's
        chain rule as matrices. A graph of 500 nodes takes some 400 KB. Raises what a drawing's `svg` raises.
        """
        return page(self.trace, self._picture, self.digits, self.text)

    @cached_property
    def _picture(self) -> Picture:
        return pictured(self.trace)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the trace to a file, in the format that its suffix names: `.html`, `.md`, `.tex` or `.txt`.

        An existing file is replaced once the new one is complete, and left as it is on any error.

        Raises ValueError for another suffix, OSError if the file cannot be written, and for HTML what `html` raises.
        """
        formats: dict[str, Callable[[], bytes | str]] = {
            ".html": lambda: self.html,
            ".md": lambda: f"{self.markdown}\n",
            ".tex": lambda: f"\\[\n{self.latex}\n\\]\n",
            ".txt": lambda: f"{self.text}\n",
        }
        save_as(path, formats, "the trace")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What notebooks choose from. The page is in a frame of its own; where that may not run, a table is left."""
        return {
            "text/html": framed(self.trace, self._picture, self.html, self.digits),
            "text/markdown": self.markdown,
            "text/latex": f"$$\n{self.latex}\n$$",
            "text/plain": self.text,
        }

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return (
            f"<Explanation of {self.trace.result.name}, {counted(len(self.trace.entries), 'node')}: .text, .markdown, "
            '.latex, .html, .save("x.html|md|tex|txt")>'
        )
