"""Transforms, functions to functions: what users call (transforms), one evaluation (call), sweeps along it (sweeps).

All names here are for users. Nothing else is used outside this folder.
"""

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

__all__ = ["derivative", "grad", "gradients", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]
