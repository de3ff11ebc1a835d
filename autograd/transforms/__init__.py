"""Transforms, functions to functions: what users call (transforms), one evaluation (call), sweeps along it (sweeps).

`contradiction` and `has_own_backward` (refusals) are for explaining, which refuses what a transform refuses. All other
names here are for users. Nothing else is used outside this folder.
"""

from autograd.transforms.refusals import contradiction, has_own_backward
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
    "contradiction", "derivative", "grad", "gradients", "has_own_backward", "hessian", "hvp", "jacobian", "jvp",
    "value_and_grad", "vjp",
]  # fmt: skip
