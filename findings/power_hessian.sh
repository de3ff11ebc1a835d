#!/usr/bin/env bash
# The Hessian of x ** y is not symmetric where y is 0, in PyTorch 2.13.0 and in HIPS autograd 1.9.1.
#
# At (2, 0) the function is smooth, and d²/dxdy = x^(y-1) (1 + y log x) = 0.5. Seen on CPython 3.11:
#
#     torch    [[0.0, 0.0], [0.5, 0.4804530139182014]]   by torch.func.hessian and by two backward passes
#     autograd [[0.0, 2.0], [0.5, 0.4804530139182014]]   by autograd.hessian
#
# Their rules of d/dx = y x^(y-1) treat y = 0 apart, so that x = 0 is safe: one returns the constant 0, the other
# replaces the exponent by 1. Both are right as numbers, and neither can be differentiated by y. A quantity that is
# optimised from the exponent 0 gets a wrong curvature, and no warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" # from where Python finds the autograd that is installed here
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet torch==2.13.0 autograd==1.9.1 numpy==2.4.6
"$folder/bin/python" -W ignore - <<'END'
import math

import autograd
import numpy
import torch

log2 = math.log(2.0) ** 2


def power(p):
    return p[0] ** p[1]


def twice_backward(point):
    p = point.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(power(p), p, create_graph=True)
    return [torch.autograd.grad(derivative, p, retain_graph=True)[0].tolist() for derivative in gradient]


point = torch.tensor([2.0, 0.0], dtype=torch.float64)
found = torch.func.hessian(power)(point).tolist()
print("torch   ", torch.__version__, found)
assert found[0] == [0.0, 0.0] and found[1][0] == 0.5 and abs(found[1][1] - log2) < 1e-15
assert twice_backward(point) == found

found = autograd.hessian(power)(numpy.array([2.0, 0.0])).tolist()
print("autograd", found)
assert found[0] == [0.0, 2.0] and found[1][0] == 0.5 and abs(found[1][1] - log2) < 1e-15
END
