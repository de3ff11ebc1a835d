"""The XLA executor: it compiles the Wengert list with JAX, for processors, GPUs and TPUs.

What it compiles is in `xla_program.py`, which is imported once a tape asks for it: JAX is an extra.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

from autograd import packages
from autograd.tape.executors.executor import Executor
from autograd.tape.groups import find_groups

TYPE_CHECKING = False
if TYPE_CHECKING:
    from autograd.tape.executors.xla_program import Program
    from autograd.tape.wengert import WengertList


MOST_GROUPS = 1000  # to compile more takes longer than half a minute


class XLA(Executor):
    """One array operation for each group of instructions, compiled for each size of batch.

    A NumPy batch is padded to a size of five binary digits and then zeros, so that sizes from n to 2 n are at most 16.
    Where JAX has several devices of this machine, the batch is spread over all of them. JAX's own arrays stay where
    they are, and as they are: float32 is computed in float32. On GPUs and TPUs its speed is unmeasured.
    """

    def missing(self, wengert: WengertList | None = None) -> str:
        if not find_spec("jax"):
            return f"it needs JAX: {packages.install('jax')}"
        if (
            wengert is None
            or len(wengert) <= MOST_GROUPS
            or (groups := len(find_groups(wengert).groups)) <= MOST_GROUPS
        ):
            return ""
        return f"it compiles each group of instructions, and here are {groups:,} (limit {MOST_GROUPS})"

    def owns(self, numbers: object) -> bool:
        jax = sys.modules.get("jax")  # where nobody has imported it, there are none of its arrays
        return jax is not None and isinstance(numbers, jax.Array) and numbers.dtype in ("float64", "float32")

    def program(self, wengert: WengertList) -> Program:
        from autograd.tape.executors.xla_program import Program

        return Program(wengert)
