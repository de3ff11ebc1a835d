#!/usr/bin/env bash
# Forward and reverse mode give other derivatives of the same function, in PyTorch 2.13.0.
#
# Seen on CPython 3.11, float64:
#
#     fmax at (2, 2), a tie       reverse (1, 0)   forward (0, 1)
#     atan2 at (0, 0)             reverse (0, 0)   forward (nan, nan)
#     Hessian of a norm at (0, 0) torch.func.hessian [[0, 0], [0, 0]]   two backward passes all nan
#
# A product of a Jacobian with a vector from the right and from the left need not agree there: a check of one mode by
# the other fails for a program without a fault.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
"$folder/bin/python" -W ignore - <<'END'
import math

import torch

torch.set_default_dtype(torch.float64)


def fmax(p):
    return torch.fmax(p[0], p[1])


def atan2(p):
    return torch.atan2(p[0], p[1])


def modes(function, point):
    reverse, forward = torch.func.jacrev(function)(point), torch.func.jacfwd(function)(point)
    print(function.__name__, point.tolist(), "reverse", reverse.tolist(), "forward", forward.tolist())
    return reverse.tolist(), forward.tolist()


print("torch", torch.__version__)
assert modes(fmax, torch.tensor([2.0, 2.0])) == ([1.0, 0.0], [0.0, 1.0])
reverse, forward = modes(atan2, torch.zeros(2))
assert reverse == [0.0, 0.0] and all(map(math.isnan, forward))

by_func = torch.func.hessian(torch.linalg.norm)(torch.zeros(2))
p = torch.zeros(2, requires_grad=True)
(gradient,) = torch.autograd.grad(torch.linalg.norm(p), p, create_graph=True)
by_two_passes = [torch.autograd.grad(derivative, p, retain_graph=True)[0].tolist() for derivative in gradient]
print("norm [0.0, 0.0] torch.func", by_func.tolist(), "two backward passes", by_two_passes)
assert (by_func + 0.0).tolist() == [[0.0, 0.0], [0.0, 0.0]]
assert all(math.isnan(second) for row in by_two_passes for second in row)
END
