"""The evaluation trace of a result: what was computed (trace), how its lines are written (notation), and the page.

`explain` and `Explanation` are for users. Nothing else is used outside this folder.
"""

from autograd.explaining.explaining import Explanation, explain

__all__ = ["Explanation", "explain"]
