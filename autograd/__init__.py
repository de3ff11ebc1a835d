"""A scalar reverse-mode automatic differentiation engine: arithmetic on Values builds a graph, `backward()` walks it.

>>> from autograd import Value, tanh
>>> x = Value(0.5)
>>> y = tanh(3.0 * x)
>>> y.backward()
>>> round(x.grad, 6)
0.542118
"""

from autograd.checking import GradientCheck, GradientError, check_gradients
from autograd.functions import *
from autograd.functions import __all__ as _functions
from autograd.value import Value, no_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    def __getattr__(name: str) -> Callable[..., Any]: ...  # Any: the functions of the table, see functions.py


__all__ = ["GradientCheck", "GradientError", "Value", "check_gradients", "no_grad", *_functions]
