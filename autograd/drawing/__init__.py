"""Drawings of graphs: what is shown (diagram), in which colours (themes), laid out how (layout), written as what.

`draw`, `Drawing`, and what `draw` can be told, `RANKDIRS` and `THEMES`, are for users. The other names are for
`explaining`, which draws the graph beside its trace.
"""

from autograd.drawing.diagram import BOX_CHARACTERS, FONT_SIZE, Node, constants_of, in_dot, short
from autograd.drawing.drawing import RANKDIRS, Drawing, check_size, draw, save_as
from autograd.drawing.layout import svg_of
from autograd.drawing.themes import THEMES, Signs, Theme

__all__ = [
    "BOX_CHARACTERS",
    "FONT_SIZE",
    "RANKDIRS",
    "THEMES",
    "Drawing",
    "Node",
    "Signs",
    "Theme",
    "check_size",
    "constants_of",
    "draw",
    "in_dot",
    "save_as",
    "short",
    "svg_of",
]
