"""Drawings of graphs: what is shown (diagram), in which colours (themes), laid out how (layout), written as what.

`draw`, `Drawing`, and what `draw` can be told, `RANKDIRS` and `THEMES`, are for users. The other names are for
`explaining`, which draws the graph beside its trace.
"""

from autograd.drawing.diagram import BOX_CHARACTERS, Node, constants_of, short
from autograd.drawing.drawing import RANKDIRS, Drawing, check_size, draw, save_as
from autograd.drawing.layered import placed
from autograd.drawing.pen import Group, Image, Picture, Piece, Point, Shape, Text
from autograd.drawing.picture import of_graph
from autograd.drawing.svg import element
from autograd.drawing.themes import THEMES, Signs, Theme

__all__ = [
    "BOX_CHARACTERS",
    "RANKDIRS",
    "THEMES",
    "Drawing",
    "Group",
    "Image",
    "Node",
    "Picture",
    "Piece",
    "Point",
    "Shape",
    "Signs",
    "Text",
    "Theme",
    "check_size",
    "constants_of",
    "draw",
    "element",
    "of_graph",
    "placed",
    "save_as",
    "short",
]
