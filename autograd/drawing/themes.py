"""Two themes have the colours of drawings, each with an opaque background of its own.

Blue is for positive gradients and orange for negative ones: the pair that readers with any kind of colour blindness
tell apart (Okabe and Ito, "Color universal design", 2008). Text stands out from what is under it by a contrast of at
least 4.5 : 1, strokes by 3 : 1 (WCAG 2.2, criteria 1.4.3 and 1.4.11); what is dimmed keeps its text readable.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection


@dataclass(frozen=True)
class Signs:
    """A colour for each sign of a number."""

    negative: str
    zero: str
    positive: str

    def of(self, number: float) -> str:
        return self.positive if number > 0 else self.negative if number < 0 else self.zero  # nan has none


@dataclass(frozen=True)
class Theme:
    """The colours of a drawing.

    Arguments:
        background: of the whole picture.
        leaf, computed, operation: what the boxes of leaves and of computed Values, and the circles are filled with.
        ink, muted: of text, and of text that says what is what.
        line: around boxes and circles.
        gradient: of a gradient's number.
        flow: of the edge that a gradient flows along.
        outline: how wide the line around a box or a circle is, in points.
        thinnest, widest: an edge without gradient, and the one with the largest.
    """

    background: str
    leaf: str
    computed: str
    operation: str
    ink: str
    muted: str
    line: str
    gradient: Signs
    flow: Signs
    outline: float = 1.0
    thinnest: float = 0.8
    widest: float = 3.0

    def width_of(self, flow: float, largest: float) -> float:
        """How wide the edge is that a gradient flows along, `largest` being the size of the largest one.

        To a tenth of a point, so that many edges are of one width, which is said once of all.
        """
        size = min(abs(flow) / largest, 1.0) if largest and not math.isnan(flow) else 0.0
        return round(self.thinnest + (self.widest - self.thinnest) * math.sqrt(size), 1)

    @property
    def raised(self) -> Theme:
        """The same for what stands out: lines are heavy, and an edge is seen even if its gradient is 0."""
        return replace(self, line=self.ink, outline=1.8, thinnest=1.6)

    @property
    def dimmed(self) -> Theme:
        """The same for what stands back: nothing is filled, lines are faint, and text is muted."""
        faint = {sign: mixed(colour, self.background, 0.35) for sign, colour in vars(self.flow).items()}
        return replace(
            self,
            leaf=self.background,
            computed=self.background,
            operation=self.background,
            ink=self.muted,
            line=mixed(self.line, self.background, 0.5),
            gradient=Signs(self.muted, self.muted, self.muted),
            flow=Signs(**faint),
            widest=self.thinnest,
        )


def looks(theme: Theme, highlighted: Collection[str] | None) -> Callable[[str], Theme]:
    """The theme for what has a name: where some names are highlighted, the others are dimmed."""
    if highlighted is None:
        return lambda _: theme
    raised, dimmed = theme.raised, theme.dimmed
    return lambda name: raised if name in highlighted else dimmed


def mixed(colour: str, background: str, share: float) -> str:
    """`share` of a colour on the background, both as #rrggbb."""
    pairs = [(int(colour[i : i + 2], 16), int(background[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


THEMES = {
    "light": Theme(
        background="#ffffff", leaf="#fdf6e3", computed="#ffffff", operation="#e4e7eb",
        ink="#1f2933", muted="#56626e", line="#7b8794",
        gradient=Signs(negative="#b34700", zero="#1f2933", positive="#0069a8"),
        flow=Signs(negative="#b34700", zero="#7b8794", positive="#0069a8"),
    ),
    "dark": Theme(
        background="#12181f", leaf="#322d1c", computed="#1b242e", operation="#303c48",
        ink="#e6edf3", muted="#a3b1bf", line="#7f8d9b",
        gradient=Signs(negative="#f0983e", zero="#e6edf3", positive="#5cb8f0"),
        flow=Signs(negative="#f0983e", zero="#7f8d9b", positive="#5cb8f0"),
    ),
}  # fmt: skip
