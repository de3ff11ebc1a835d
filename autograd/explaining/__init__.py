"""The evaluation trace of a result: what was computed (trace), how its lines are written (notation), and the page.

`explain` and `Explanation` are for users. `in_latex` is for the documentation, which writes the table's formulas.
"""

from autograd.explaining.explaining import Explanation, explain
from autograd.explaining.mathematics import in_latex

__all__ = ["Explanation", "explain", "in_latex"]
