"""The page goes through the trace a step at a time, and lets its reader play with it.

At step 0 there are the leaves; then comes a step for each computed Value, one for the derivative of the result with
respect to itself, and one for each edge that the chain rule goes along. A leaf can be changed: then the page computes
all numbers anew, by the table's rules in JavaScript. For each Value it shows the paths to the result and their
products, and for each layer the same with matrices.

The page is complete in itself: style, script and data stand in it. Its content security policy lets it load nothing,
and run nothing but this script, which it names by its hash: nothing that a label brings could run. The data are what
`program` makes of the trace, the picture of its graph, and its layers. Without the script the page shows the trace as
text.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from html import escape
from importlib.resources import files

from autograd import javascript, pages
from autograd.drawing import THEMES, Node, Signs, Theme, constants_of, of_graph, placed, short
from autograd.explaining.layers import find_layers
from autograd.explaining.notation import Notation
from autograd.explaining.pieces import as_data
from autograd.explaining.program import as_json, operations_of, program
from autograd.explaining.trace import Entry, Given
from autograd.operation import Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from autograd.drawing import Picture
    from autograd.explaining.layers import Layer, Number
    from autograd.explaining.program import Json
    from autograd.explaining.trace import Trace

# What the page's script consists of, each part below those that it needs.
SCRIPTS = [
    "numbers",
    "calculation",
    "paths",
    "schedule",
    "lines",
    "picture",
    "graph",
    "table",
    "leaf",
    "node",
    "matrices",
    "page",
]

# Of the frame in a notebook, in pixels: at most; what is above and below the drawing and the trace; and a line of it.
MOST_HEIGHT, AROUND, LINE = 720.0, 285.0, 23.0
ROOM = 7  # characters for every number in a box, as of -0.1234; longer ones are pressed together


class Html(Notation):
    """Plain text as HTML."""

    def line(self, line: str, remark: str = "") -> str:
        return f"<code>{escape(line)}</code>" + (f" “{escape(remark)}”" if remark else "")


# ---- The page.


def page(trace: Trace, picture: Picture, digits: int, text: str) -> str:
    """The whole page, with the picture of the graph; `text` is the trace as text."""
    result = escape(trace.result.name)
    last = len([entry for entry in trace.entries if entry.parents]) + 1 + len(trace.contributions)
    body = f"""\
<main>
<h1><code>{result}</code>, step by step</h1>
<noscript>
<p>With JavaScript this page shows a step at a time, beside a drawing. This is the whole trace:</p>
<pre>{escape(text)}</pre>
</noscript>
<form id="controls" aria-label="Steps" hidden data-script>
<input id="step" type="range" min="0" max="{last}" value="0" aria-label="Step" aria-describedby="keys">
<span class="buttons">
<button type="button" data-go="first">Start</button>
<button type="button" data-go="back">← Back</button>
<span id="count"></span>
<button type="button" data-go="forward">Forward →</button>
<button type="button" data-go="last">End</button>
<button type="button" id="play">▶ Play</button>
<select id="pace" aria-label="Pace">
<option value="3">slow</option><option value="1" selected>a step a second</option><option value="0.25">fast</option>
</select>
<label><input id="digits" type="checkbox"> all digits</label>
</span>
<p id="keys">Forward and back also with the keys → and ←, to the start and the end with Home and End.</p>
</form>
<div id="now" role="status" aria-live="polite" aria-atomic="true" hidden data-script></div>
<section class="drawing" tabindex="0" aria-label="Drawing of the graph" data-scrolls hidden data-script></section>
<div class="beside">
<section class="trace" tabindex="0" aria-label="Trace" data-scrolls hidden data-script>
<table role="table">
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">evaluation ↓</th>
<th scope="col" role="columnheader">chain rule ↑ (<code>x.grad</code> is <code>∂{result}/∂x</code>)</th></tr></thead>
<tbody role="rowgroup"></tbody>
</table>
</section>
<section class="node" aria-labelledby="node-title" hidden data-script>
<h2 id="node-title">Play with a Value</h2>
<form id="leaf">
<label>Value <select id="node"></select></label>
<label>data <input id="number" type="text" inputmode="decimal" autocomplete="off" spellcheck="false"
 aria-describedby="said"></label>
<input id="drag" type="range" aria-label="data, by a slider">
<button type="button" id="reset">Reset all</button>
</form>
<p id="said" role="status"></p>
<div id="paths"></div>
</section>
</div>
<section id="layer" class="layer" aria-labelledby="layer-title" tabindex="0" data-scrolls hidden>
<h2 id="layer-title">Layers</h2>
<div class="beside">
<div id="layer-forward"></div>
<div id="layer-backward"></div>
</div>
</section>
<p class="note" hidden data-script>A click on a Value in the drawing chooses it, and marks its paths to the result;
Escape unmarks them. When a leaf is changed, the operations stay as they were recorded: a branch of the program that
made them is not taken anew. Functions are then the browser's, whose last digits may differ from the engine's.</p>
</main>
<script id="data" type="application/json">{as_json(data(trace, picture, digits))}</script>"""
    return pages.page(f"{trace.result.name}, step by step", style_sheet(), body, script(trace))


def data(trace: Trace, picture: Picture, digits: int) -> dict[str, Json]:
    number = {entry: i for i, entry in enumerate(trace.entries)}

    def of_layer(layer: Layer) -> dict[str, Json]:
        """Entries by their numbers; a number that is none stands in a list."""

        def place(x: Number) -> Json:
            return number[x] if isinstance(x, Entry) else [x]

        return {name: part if isinstance(part, str) else nested(part, place) for name, part in vars(layer).items()}

    theme = THEMES["light"]  # every theme has edges of these widths
    return program(trace) | {
        "digits": digits,
        "layers": [*map(of_layer, find_layers(trace))],
        "picture": as_data(picture),
        "flows": [theme.thinnest, theme.widest],
    }


def nested(part: list[Any], place: Callable[[Number], Json]) -> Json:
    return [nested(x, place) if isinstance(x, list) else place(x) for x in part]


def script(trace: Trace) -> str:
    """The table's rules that the trace needs, and the page's own script, without what a browser does not read."""
    rows = [row if isinstance(row, Operation) else None for row in operations_of(trace)]
    parts = [javascript.source(rows), *(resource(f"{name}.js") for name in SCRIPTS)]
    lines = [line.strip() for part in parts for line in part.splitlines()]
    return "\n".join(['"use strict";', *(line for line in lines if line and not line.startswith("//"))])


def framed(trace: Trace, picture: Picture, page: str, digits: int) -> str:
    """For notebooks: the page in a frame of its own, and below it the trace as a table to fold out."""
    frame = pages.framed(page, f"{trace.result.name}, step by step", None, height(trace, picture))
    return f"{frame}\n<details><summary>The trace as a table</summary>\n{table(trace, Html(digits))}\n</details>"


def height(trace: Trace, picture: Picture) -> float:
    """What the page needs where it is wide, so that nothing in a frame is blank; at most what a screen has."""
    lines = sum(max(1, len(beside)) for _, beside in trace.rows())
    return min(MOST_HEIGHT, AROUND + picture.height + LINE * max(lines, 6))


def table(trace: Trace, write: Html) -> str:
    """The trace as a table."""
    left = ' style="text-align: left"'
    rows = [
        f"<tr><td{left}>{write.evaluation(entry)}</td>"
        f"<td{left}>{'<br>'.join(map(write.chain_rule, beside))}</td></tr>\n"
        for entry, beside in trace.rows()
    ]
    meaning = f"<code>x.grad</code> is <code>∂{escape(trace.result.name)}/∂x</code>"
    heads = "".join(f'<th scope="col"{left}>{head}</th>' for head in ("evaluation ↓", f"chain rule ↑ ({meaning})"))
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{''.join(rows)}</tbody>\n</table>"


# ---- The drawing.


def pictured(trace: Trace) -> Picture:
    """The graph. Its colours are the style sheet's, so that they can follow the reader's scheme.

    The script writes the numbers, and gives edges the colours and widths of what flows there: here they are zeros.
    Raises what a layout raises.
    """
    nodes = nodes_of(trace)
    layout = placed(nodes, "LR")
    zeros = [replace(node, data=0.0, grad=0.0, local_derivatives=(0.0,) * len(node.parents)) for node in nodes]
    return of_graph(zeros, layout, IN_STYLE)


def nodes_of(trace: Trace) -> list[Node]:
    """The entries as a drawing shows Values, with their names for labels and their adjoints for gradients.

    There is room for all that a gradient is on its way.
    """
    place = {entry: str(i) for i, entry in enumerate(trace.entries)}
    room = {entry: max(ROOM, len(short(entry.data))) for entry in trace.entries}
    for contribution in trace.contributions:
        room[contribution.parent] = max(room[contribution.parent], len(short(contribution.after)))
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
            room=room[entry],
        )
        for entry in trace.entries
    ]


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


def in_style() -> Theme:
    """A theme whose colours are the style sheet's variables."""
    variables = {role: f"var(--{role})" for role in colours(THEMES["light"])}
    gradient, flow = (
        Signs(**{sign: variables.pop(f"{kind}-{sign}") for sign in ("negative", "zero", "positive")})
        for kind in ("gradient", "flow")
    )
    return Theme(**variables, gradient=gradient, flow=flow)  # type: ignore[arg-type]  # the widths are not among them


IN_STYLE = in_style()


def resource(name: str) -> str:
    return files("autograd.explaining").joinpath(name).read_text(encoding="utf-8")
