"""A layout of the project's own: graphs in layers, without a layout program. `placing.py` says in which steps."""

from autograd.drawing.layered.placing import by_layers, lay_out, operand_edges, placed
from autograd.drawing.layered.ranks import Edge

__all__ = ["Edge", "by_layers", "lay_out", "operand_edges", "placed"]
