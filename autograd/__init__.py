"""A scalar reverse-mode automatic differentiation engine: arithmetic on Values builds a graph, `backward()` walks it.

>>> from autograd import Value, tanh
>>> x = Value(0.5)
>>> y = tanh(3.0 * x)
>>> y.backward()
>>> round(x.grad, 6)
0.54212
"""

from autograd import displays, functions, graph, packages, structures, wording
from autograd.checking import GradientCheck, GradientError, check_gradients
from autograd.engines import Value, engine, no_grad
from autograd.functions import *
from autograd.functions import max as max
from autograd.functions import min as min  # autograd.max; `import *` leaves the builtins alone
from autograd.vectors import gather, scatter

TYPE_CHECKING = bool()  # noqa: UP018  Jedi, in editors, would not look into an `if False`
if TYPE_CHECKING:
    from autograd import files, pages, table, undo
    from autograd.drawing import Drawing, draw
    from autograd.explaining import Explanation, explain
    from autograd.table import *
    from autograd.tape import RecordingError, Tape
    from autograd.transforms import (
        compiled,
        derivative,
        grad,
        gradients,
        hessian,
        hvp,
        jacobian,
        jvp,
        value_and_grad,
        vjp,
    )

__version__ = "0.2.0"  # pyproject.toml takes it from here

# Imported when first used: each of them takes longer to import than the whole engine.
_MODULES = ("files", "pages", "undo")
_LATER = {
    name: module
    for module, names in {
        "drawing": ["Drawing", "draw"],
        "explaining": ["Explanation", "explain"],
        "tape": ["RecordingError", "Tape"],
        "transforms": [
            "compiled", "derivative", "grad", "gradients", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp",
        ],
    }.items()
    for name in names
}  # fmt: skip

__all__: list[str] = [
    "Drawing",
    "Explanation",
    "GradientCheck",
    "GradientError",
    "RecordingError",
    "Tape",
    "Value",
    "check_gradients",
    "compiled",
    "derivative",
    "displays",
    "draw",
    "engine",
    "explain",
    "files",
    "gather",
    "grad",
    "gradients",
    "graph",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "no_grad",
    "packages",
    "pages",
    "scatter",
    "structures",
    "undo",
    "value_and_grad",
    "vjp",
    "wording",
]  # fmt: skip
__all__ += functions.__all__

if TYPE_CHECKING:
    __all__ += table.__all__
else:

    def __getattr__(name):
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"autograd.{name}")
        if name in _LATER:
            return getattr(import_module(f"autograd.{_LATER[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_LATER})
