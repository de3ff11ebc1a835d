"""Chooses the engine: the native one where it was built, else the one in value.py, whose compiled twin it is.

AUTOGRAD_ENGINE=python or AUTOGRAD_ENGINE=native, in the environment, chooses. `autograd.engine` says which it is.
"""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager

from autograd import common, operands, value
from autograd import recording as modes
from autograd.recording import is_recording as is_recording
from autograd.recording import recording as recording

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from autograd.operation import Operation
    from autograd.recording import guard as guard
    from autograd.recording import no_grad as no_grad
    from autograd.value import Value as Value
    from autograd.value import function as function

engine = os.environ.get("AUTOGRAD_ENGINE", "")
if engine not in ("", "python", "native"):
    raise ImportError(f"AUTOGRAD_ENGINE={engine}: expected python or native, or nothing for the faster one there is")
if engine != "python":
    try:
        import autograd.native.engine as native  # where it was not built, a ModuleNotFoundError
        from autograd.native import table_checksum

        if native.table_checksum != table_checksum():
            raise ImportError("it was built from another table of operations")
    except ImportError as error:
        problem = f"the native engine cannot be used: {error}; install again, with a C compiler at hand"
        if engine == "native":
            raise ImportError(problem) from error
        if not isinstance(error, ModuleNotFoundError):
            warnings.warn(f"{problem}. Until then the slower Python engine serves.", RuntimeWarning, stacklevel=2)
        engine = "python"
    else:
        engine = "native"

if not TYPE_CHECKING:
    if engine == "python":
        from autograd.recording import guard, no_grad
        from autograd.value import Value, function
    else:
        from autograd.native.engine import Value
        from autograd.native.engine import guard as guard

        def function(operation: Operation) -> Callable[..., Any]:
            call = native.function(operation)
            operands.introduce(call, operation)
            return call

        @contextmanager
        def no_grad() -> Iterator[None]:
            native.count_no_grad(+1)  # while there are none, an operation need not ask
            try:
                with modes.no_grad():
                    yield
            finally:
                native.count_no_grad(-1)

        function.__doc__, no_grad.__doc__ = value.function.__doc__, modes.no_grad.__doc__
        operands.add_methods(Value, function)
        for _name in ("__format__", "__reduce_ex__", "__repr__", "__setstate__", "_op", "_prev"):
            setattr(Value, _name, vars(common.Common)[_name])  # what is rare is written once
    Value.__module__ = "autograd"  # where pickle finds it, with either engine
