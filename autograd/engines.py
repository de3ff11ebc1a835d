"""Chooses the engine: the native one where it was built, else the one in value.py, whose compiled twin it is.

AUTOGRAD_ENGINE=python or AUTOGRAD_ENGINE=native, in the environment, chooses. `autograd.engine` says which it is.
"""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import suppress

from autograd import common, operands, subclasses, value
from autograd import recording as modes
from autograd.recording import is_recording as is_recording
from autograd.recording import no_grad as no_grad
from autograd.recording import recording as recording

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from autograd.operation import Operation
    from autograd.recording import guard as guard
    from autograd.value import Value as Value
    from autograd.value import function as function

engine = os.environ.get("AUTOGRAD_ENGINE", "")
if engine not in ("", "python", "native"):
    raise ImportError(f"AUTOGRAD_ENGINE={engine}: expected python or native, or nothing for the faster one there is")


def not_built() -> str:
    """Why the native engine is not there, as the installation has left word."""
    with suppress(OSError):
        path = os.path.join(os.path.dirname(__file__), "native", "not_built.txt")
        with open(path, encoding="utf-8") as note:
            return f"it was not built: {note.read()}"
    return "it was not built"


why_not_native = "AUTOGRAD_ENGINE=python" if engine == "python" else ""
if engine != "python":
    try:
        import autograd.native.engine as native  # where it was not built, a ModuleNotFoundError
        from autograd.native import table_checksum

        if native.table_checksum != table_checksum():
            raise ImportError("it was built from another table of operations")
    except ImportError as error:
        why_not_native = not_built() if isinstance(error, ModuleNotFoundError) else str(error)
        problem = f"the native engine cannot be used: {why_not_native}; install again, with a C compiler at hand"
        if engine == "native":
            raise ImportError(problem) from error
        if not isinstance(error, ModuleNotFoundError):
            warnings.warn(f"{problem}. Until then the slower Python engine serves.", RuntimeWarning, stacklevel=2)
        engine = "python"
    else:
        engine = "native"


def report() -> str:
    """Which engine runs, and why not the other: a sentence for who has just installed the project."""
    if engine == "native":
        return "The native engine was built, and runs."
    return f"The Python engine runs; the native one, which is faster, does not: {why_not_native}."


if not TYPE_CHECKING:
    if engine == "python":
        from autograd.recording import guard
        from autograd.value import Value, function

        if sys.platform == "emscripten":
            from autograd.freeing import free_one_by_one

            free_one_by_one(Value)
    else:
        from autograd.native.engine import Value

        def guard(check: modes.Check | None) -> None:
            native.guard(check)
            modes.guard(check)  # what is rare asks there

        def function(operation: Operation) -> Callable[..., Any]:
            is_compiled = operation in native.operations
            call = native.function(operation) if is_compiled else defined_at_run_time(operation)
            operands.introduce(call, operation)
            return call

        def defined_at_run_time(operation: Operation) -> Callable[..., Any]:
            """The Python engine computes it, on twins of the operands; a node of this engine records the result."""

            def twin(operand: Any) -> Any:
                if isinstance(operand, tuple):
                    return tuple([twin(element) for element in operand])
                return value.Value(operand._number, label=operand.label) if isinstance(operand, Value) else operand

            def call(*given: Any, **keywords: Any) -> Any:
                read = operands.arguments(operation, given, keywords, Value)
                result = value.apply(operation, *map(twin, read))
                if not isinstance(result, value.Value):
                    return result
                if not result.parents:
                    return Value(result.data)
                flat = [
                    element for operand in read for element in (operand if isinstance(operand, tuple) else [operand])
                ]
                return native.given(result.data, tuple(flat), result.local_derivatives, operation, operation.symbol)

            return call

        def init_subclass(cls: type, **keywords: Any) -> None:
            super(Value, cls).__init_subclass__(**keywords)
            subclasses.complete(cls)

        Value.__init_subclass__ = classmethod(init_subclass)
        function.__doc__, guard.__doc__ = value.function.__doc__, modes.guard.__doc__
        modes.Block = native.Block
        operands.add_methods(Value, function)
        for _name in common.RARE:
            setattr(Value, _name, vars(common.Common)[_name])
    Value.__module__ = "autograd"  # where pickle finds it, with either engine
