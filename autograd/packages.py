"""Packages beside this one: what to install where one is missing, NumPy, and the other package that is called autograd.

`from autograd.packages import numpy` imports NumPy. Where it is not installed, a `Missing` stands in for it, so that
all of the project can be imported: the engine, the transforms, `nn`'s layers and losses need no array.
"""

from __future__ import annotations

import os
import sys
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    import numpy as numpy


def install(*names: str) -> str:
    """The command that installs these packages. Pyodide, Python in a browser, may have an installer of its own.

    >>> install("jax"), install("onnx", "onnxruntime")
    ('pip install jax', 'pip install onnx onnxruntime')
    """
    if sys.platform == "emscripten":
        from importlib.util import find_spec

        if find_spec("micropip") is None:
            return "this page can install nothing"
        return f"import micropip; await micropip.install({[*names]})"
    return f"pip install {' '.join(names)}"


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """NumPy, with all of its parts that the project uses: a signal's handler cannot come between them."""
        if name != "numpy":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            import numpy
            import numpy.linalg
            import numpy.ma
            import numpy.random
        except ModuleNotFoundError as error:
            if error.name != "numpy":
                raise
            numpy = Missing()
        globals()["numpy"] = numpy
        return numpy


def warn_of_another() -> None:
    """Warns where the files of HIPS autograd, whose import name is ours, lie between those of this package."""
    folder = os.path.dirname(__file__)
    if os.path.exists(os.path.join(folder, "tracer.py")):  # a file of theirs, and none of ours
        warnings.warn(
            f"{folder} has the files of two distributions: of scalar-autograd, which runs, and of HIPS autograd, which "
            "differentiates NumPy code. They overwrite each other, and cannot share an environment. "
            "pip uninstall autograd scalar-autograd, and then install one of them again",
            RuntimeWarning,
            stacklevel=4,  # the line that imports autograd,
        )


class Missing:
    """Stands in for NumPy where it is not installed. There is no object of its types; all else raises ImportError."""

    class ndarray:  # noqa: N801  NumPy's name
        """No object is one."""

    bool_ = generic = ndarray

    class ma:  # noqa: N801  NumPy's name
        """Its masked arrays."""

        @staticmethod
        def is_masked(given: object) -> bool:
            return False

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # Python asks a module for such names
            raise AttributeError(name)
        raise ImportError(
            f"tapes, fit, optimizers and data sets compute with NumPy, which is not installed: {install('numpy')}",
            name="numpy",
        )


warn_of_another()
