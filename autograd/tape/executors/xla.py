"""The XLA executor: it compiles the Wengert list with JAX, for processors, GPUs and TPUs.

What it compiles is in `xla_program.py`, which is imported once a tape asks for it: JAX is an extra.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

from autograd.tape.executors.executor import Executor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from autograd.tape.executors.xla_program import Program
    from autograd.tape.wengert import WengertList


class XLA(Executor):
    """One array operation for each group of instructions, compiled for each size of batch."""

    def missing(self, wengert: WengertList | None = None) -> str:
        return "" if find_spec("jax") else 'it needs JAX: pip install "scalar-autograd[xla]"'

    def owns(self, numbers: object) -> bool:
        jax = sys.modules.get("jax")  # where nobody has imported it, there are none of its arrays
        return jax is not None and isinstance(numbers, jax.Array) and numbers.dtype in ("float64", "float32")

    def program(self, wengert: WengertList) -> Program:
        from autograd.tape.executors.xla_program import Program

        return Program(wengert)
