from autograd.drawing.drawing import RANKDIRS, Drawing, check_size, draw, save_as
from autograd.drawing.themes import THEMES

__all__ = ["RANKDIRS", "THEMES", "Drawing", "check_size", "draw", "save_as"]
