"""Transforms, functions to functions: what users call (transforms), one evaluation (call), sweeps along it (sweeps).

`compiled` (compiling) replays them: the arguments of a call (apart), recorded and replayed (recordings, replays).

All names here are for users. Nothing else is used outside this folder.
"""

from autograd.transforms.compiling import compiled
from autograd.transforms.transforms import (
    derivative,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)  # fmt: skip

__all__ = [
    "compiled", "derivative", "grad", "gradients", "hessian", "hvp", "jacobian",
    "jvp", "value_and_grad", "vjp",
]  # fmt: skip
