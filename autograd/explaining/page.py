"""The page goes through the trace a step at a time, beside the drawing, with the numbers that are known by then.

At step 0 there are the leaves; then comes a step for each computed Value, one for the derivative of the result with
respect to itself, and one for each edge that the chain rule goes along.

The page is complete in itself: style and script stand in it. Its content security policy lets it load nothing, and run
nothing but this script, which it names by its hash: nothing that a label brings could run. All that the script has to
know is in the page: from which step on a piece of the drawing is known, when the chain rule reaches it, when it is
active, and the numbers that its gradient has on the way. Without the script the page shows everything.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from html import escape
from importlib.resources import files
from xml.etree import ElementTree

from autograd.drawing import THEMES, Node, Signs, Theme, by_graphviz, constants_of, element, of_graph, short
from autograd.explaining.notation import Notation
from autograd.explaining.trace import Entry, Given
from autograd.pages import page as self_contained

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograd.explaining.trace import Contribution, Trace

MOST_NAMES = 6  # in a sentence


class Html(Notation):
    """Plain text as HTML; a number has all its digits beside those that are shown."""

    def line(self, line: str, remark: str = "") -> str:
        return f"<code>{line}</code>" + (f" “{escape(remark)}”" if remark else "")

    def number(self, number: float) -> str:
        return f'<data value="{number!r}">{super().number(number)}</data>'

    def grouped(self, written: str) -> str:
        if not written.startswith(("-", '<data value="-')):
            return written
        return f'<span class="bracket">(</span>{written}<span class="bracket">)</span>'

    def name(self, entry: Entry) -> str:
        return escape(entry.name)

    def verbatim(self, text: str) -> str:
        return escape(text)


class Schedule:
    """At which step is what?

    computed    of each entry, the step that computes it; 0 of leaves
    seed        the step that begins the chain rule
    added       of each contribution, its step
    reached     of each entry, the step from which on it has a gradient
    complete    of each entry, the step that makes its gradient complete
    last        the last step
    """

    def __init__(self, trace: Trace) -> None:
        computed = [entry for entry in trace.entries if entry.parents]
        self.computed = dict.fromkeys(trace.entries, 0) | {entry: step for step, entry in enumerate(computed, 1)}
        self.seed = len(computed) + 1
        self.added = {contribution: step for step, contribution in enumerate(trace.contributions, self.seed + 1)}
        self.complete = {trace.result: self.seed} | {c.parent: step for c, step in self.added.items()}
        self.reached = {c.parent: step for c, step in reversed(self.added.items())} | {trace.result: self.seed}
        self.last = self.seed + len(self.added)


# ---- The page.


def page(trace: Trace, digits: int) -> str:
    """The whole page. Raises what a layout raises."""
    schedule, write = Schedule(trace), Html(digits)
    result = write.name(trace.result)
    body = f"""\
<main>
<h1><code>{result}</code>, step by step</h1>
<noscript><p>Without JavaScript this page shows all steps at once.</p></noscript>
<form id="controls" aria-label="Steps" hidden>
<input id="step" type="range" min="0" max="{schedule.last}" value="0" data-seed="{schedule.seed}"
 aria-label="Step" aria-describedby="keys">
<span class="buttons">
<button type="button" data-go="first">Start</button>
<button type="button" data-go="back">← Back</button>
<span id="count"></span>
<button type="button" data-go="forward">Forward →</button>
<button type="button" data-go="last">End</button>
<label><input id="digits" type="checkbox"> all digits</label>
</span>
<p id="keys">Forward and back also with the keys → and ←, to the start and the end with Home and End.</p>
</form>
<div id="now" role="status" aria-live="polite" aria-atomic="true" hidden></div>
<section class="drawing" tabindex="0" aria-label="Drawing of the graph" data-scrolls>
{drawing(trace, schedule)}
</section>
<section class="trace" tabindex="0" aria-label="Trace" data-scrolls>
{table(trace, write, schedule)}
</section>
</main>
<template id="steps">
{"".join(f"<div><p>{sentence}</p><p>{line}</p></div>" for sentence, line in steps(trace, write))}
</template>"""
    return self_contained(f"{trace.result.name}, step by step", style_sheet(), body, resource("page.js"))


def framed(trace: Trace, page: str, digits: int) -> str:
    """For notebooks: the page in a frame of its own, and below it the trace as a table to fold out."""
    title = escape(f"{trace.result.name}, step by step")
    left = ' style="text-align: left"'
    return (
        f'<iframe srcdoc="{escape(page)}" sandbox="allow-scripts" title="{title}" '
        'style="width: 100%; height: 720px; border: 1px solid #7b8794"></iframe>\n'
        f"<details><summary>The trace as a table</summary>\n{table(trace, Html(digits), cell=left)}\n</details>"
    )


def table(trace: Trace, write: Html, schedule: Schedule | None = None, cell: str = "") -> str:
    """The trace as a table. With a schedule every line says from which step on it is known, and at which it is made."""

    def marks(subject: Entry | Contribution, *, gradient: bool = False) -> str:
        if schedule is None:
            return ""
        if isinstance(subject, Entry):
            known = schedule.complete[subject] if gradient else schedule.computed[subject]
            step = known if not gradient or subject is trace.result else 0  # a leaf's gradient was made by an edge
        else:
            known = step = schedule.added[subject]
        return f' data-known="{known}"' + (f' data-step="{step}"' if step else "")

    rows = []
    for entry, beside in trace.rows():
        evaluation = f"<div{marks(entry)}>{write.evaluation(entry)}</div>"
        chain_rule = "".join(f"<div{marks(s, gradient=True)}>{write.chain_rule(s)}</div>" for s in beside)
        rows.append(f"<tr><td{cell}>{evaluation}</td><td{cell}>{chain_rule}</td></tr>\n")
    meaning = f"<code>x.grad</code> is <code>∂{write.name(trace.result)}/∂x</code>"
    heads = "".join(f'<th scope="col"{cell}>{head}</th>' for head in ("evaluation ↓", f"chain rule ↑ ({meaning})"))
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{''.join(rows)}</tbody>\n</table>"


# ---- What is said at each step: a sentence, and the line of the trace.


def steps(trace: Trace, write: Html) -> Iterator[tuple[str, str]]:
    """The sentence and the line of each step."""
    result = write.name(trace.result)
    yield "Nothing has been computed yet: only the leaves have their numbers.", ""
    for entry in trace.entries:
        if entry.operation:
            sentence = f"{escape(entry.operation.name)} computes {write.name(entry)} from {listed(entry, write)}."
            yield f"Evaluation: {sentence}", write.evaluation(entry)
    sentence = f"it begins at the result: the derivative of {result} with respect to itself is 1."
    yield f"Chain rule: {sentence}", write.gradient(trace.result)
    parts = Counter(contribution.parent for contribution in trace.contributions)
    left = parts.copy()
    for contribution in trace.contributions:
        left[contribution.parent] -= 1
        sentence = flow(contribution, parts[contribution.parent], left[contribution.parent], write)
        yield f"Chain rule, {sentence}", write.contribution(contribution)


def listed(entry: Entry, write: Html) -> str:
    *others, last = [write.name(parent) for parent in dict.fromkeys(entry.parents)]
    if len(others) >= MOST_NAMES:
        return f"its {len(others) + 1} operands"
    return f"{', '.join(others)} and {last}" if others else last


def flow(contribution: Contribution, parts: int, left: int, write: Html) -> str:
    """What goes along an edge, the adjoint of its parent having so many parts, of which some are left."""
    node, parent, adjoint = contribution.node, contribution.parent, write.adjoint(contribution.parent)
    ends = f"from {write.name(node)} back to {write.name(parent)}"
    product = f"{write.adjoint(node)} times the local derivative {write.partial(contribution)}"
    if parts == 1:
        becomes = adjoint
    elif contribution.before is None:
        becomes = f"the first of {parts} parts of {adjoint}"
    else:
        becomes = f"added to {adjoint}" + (f"; {left} more to come" if left else ", now complete")
    return f"{ends}: {product} is {becomes}."


# ---- The drawing, each of its pieces with the steps at which something happens to it.

SVG = "http://www.w3.org/2000/svg"
SIGNS = Signs("negative", "zero", "positive")


def drawing(trace: Trace, schedule: Schedule) -> str:
    """The graph as an SVG element. Its colours are the style sheet's, so that they can follow the reader's scheme."""
    nodes = pictured(trace)
    found = pieces(trace, schedule, nodes)
    nodes = [replace(node, room=max(len(text) for _, text, _ in found[node.box].gradients)) for node in nodes]
    svg = element(of_graph(nodes, by_graphviz(nodes, "LR"), STAND_IN), named=True)
    root = ElementTree.fromstring(svg.replace(f' xmlns="{SVG}"', "", 1))
    role_of = {colour: role for role, colour in colours(STAND_IN).items()}
    for part in root.iter():
        if (name := part.get("data-name")) in found:
            part.attrib |= {"data-edge" if " " in name else "data-node": name} | found[name].attributes
        elif name:
            part.set("data-part", name)
        for attribute in ("fill", "stroke"):
            if (colour := part.get(attribute)) in role_of:
                part.set(attribute, f"var(--{role_of[colour]})")
    root.attrib |= {
        "role": "img",
        "aria-label": f"The graph of {trace.result.name}; the table below says what it shows",
    }
    return ElementTree.tostring(root, encoding="unicode")


def pictured(trace: Trace) -> list[Node]:
    """The entries as a drawing shows Values, with their names for labels and their adjoints for gradients."""
    place = {entry: str(i) for i, entry in enumerate(trace.entries)}
    return [
        Node(
            place[entry],
            f"{entry.name} “{entry.remark}”" if entry.remark else entry.name,
            entry.data,
            entry.adjoint,
            entry.operation.symbol if entry.operation else "",
            None if isinstance(entry.operation, Given) else entry.operation,
            () if isinstance(entry.operation, Given) else tuple(map(constants_of, entry.operands)),
            tuple(place[parent] for parent in entry.parents),
            entry.local_derivatives,
        )
        for entry in trace.entries
    ]


@dataclass
class Piece:
    """What the script knows of a box, a circle or an edge.

    known       the step that computes it
    reached     the step at which the chain rule gets there, and `complete`, at which it has done there
    active      the steps at which something happens to it
    source      the steps at which a number is taken from it
    gradients   the gradient in a box on the way: from which step on, as it is shown, and its sign
    """

    known: int
    reached: int
    complete: int
    active: list[int]
    source: list[int] = field(default_factory=list)
    gradients: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, step: int, gradient: float) -> None:
        self.active.append(step)
        self.gradients.append((step, short(gradient), SIGNS.of(gradient)))

    @property
    def attributes(self) -> dict[str, str]:
        return {f"data-{name}": json.dumps(sorted(x) if isinstance(x, list) else x) for name, x in vars(self).items()}


def pieces(trace: Trace, schedule: Schedule, nodes: list[Node]) -> dict[str, Piece]:
    """Every piece of the drawing, by its name there."""
    made = trace.contributions_of()
    found: dict[str, Piece] = {}
    box: dict[Entry, Piece] = {}
    for entry, node in zip(trace.entries, nodes, strict=True):
        known, backward = schedule.computed[entry], [schedule.added[contribution] for contribution in made[entry]]
        box[entry] = found[node.box] = Piece(
            known, schedule.reached[entry], schedule.complete[entry], [known] if known else [], source=backward.copy()
        )
        if backward:
            found[node.circle] = found[node.edge] = Piece(known, backward[0], backward[0], [known, *backward])
        for contribution, step in zip(made[entry], backward, strict=True):
            found[node.edge_from(contribution.place)] = Piece(known, step, step, [known, step])
            box[contribution.parent].source.append(known)
            box[contribution.parent].add(step, contribution.after)
    box[trace.result].add(schedule.seed, trace.result.adjoint)
    return found


# ---- Style and script.


def style_sheet() -> str:
    """The page's style, with the drawing's colours as its variables."""
    light, dark = (
        ":root { " + " ".join(f"--{role}: {colour};" for role, colour in colours(THEMES[name]).items()) + " }"
        for name in ("light", "dark")
    )
    return f"\n{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n{resource('page.css')}"


def colours(theme: Theme) -> dict[str, str]:
    """The colours of a theme by role: background, ink, ..., gradient-negative, flow-positive."""
    flat: dict[str, str] = {}
    for role, colour in asdict(theme).items():
        if isinstance(colour, dict):
            flat |= {f"{role}-{sign}": signed for sign, signed in colour.items()}
        elif isinstance(colour, str):
            flat[role] = colour
    return flat


def stand_in() -> Theme:
    """A theme in which every role has a colour of its own, by which it is known again in the SVG."""
    unique = {role: f"#0000{i:02x}" for i, role in enumerate(colours(THEMES["light"]), 1)}
    gradient, flow = (Signs(*(unique.pop(f"{kind}-{sign}") for sign in vars(SIGNS))) for kind in ("gradient", "flow"))
    return Theme(**unique, gradient=gradient, flow=flow)  # type: ignore[arg-type]  # the widths are not among them


STAND_IN = stand_in()


def resource(name: str) -> str:
    return files("autograd.explaining").joinpath(name).read_text(encoding="utf-8")
